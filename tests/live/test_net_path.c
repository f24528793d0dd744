/*
 * How long a packet may be on its way, as the kernel knows it (RFC 3261 §18.1.1).
 */
#include "live/udp_rig.h"

Suite *suite_net_path(void);

enum { KEEP_MS = 5000 }; /* an answer of the kernel's */

static uint32_t
mtu_to(uint8_t transport, const char *ip)
{
    struct hop to = rig_hop(transport, ip, 5060);

    return net_path_mtu(rig.net, &to);
}

START_TEST(a_path_is_as_wide_as_its_device)
{
    if (!udp_shorten_loopback(1000))
        return;
    rig_listen(HOP_UDP, "127.0.0.1");
    ck_assert_uint_eq(mtu_to(HOP_UDP, "127.0.0.1"), 1000);
    ck_assert_uint_eq(mtu_to(HOP_UDP, "127.0.0.2"), 1000);
}
END_TEST

START_TEST(the_same_over_ipv6)
{
    if (!udp_shorten_loopback(1300) || !rig_has_ipv6())
        return;
    rig_listen(HOP_UDP, "::1");
    ck_assert_uint_eq(mtu_to(HOP_UDP, "::1"), 1300);
}
END_TEST

START_TEST(a_wide_path_is_wide)
{
    if (!udp_shorten_loopback(65536))
        return;
    rig_listen(HOP_UDP, "127.0.0.1");
    ck_assert_uint_ge(mtu_to(HOP_UDP, "127.0.0.1"), 65535); /* over IPv4 no packet is longer */
}
END_TEST

/* Not asked again at once, and not believed for ever. */
START_TEST(what_the_kernel_said_is_kept_for_a_while)
{
    if (!udp_shorten_loopback(1000))
        return;
    rig_listen(HOP_UDP, "127.0.0.1");
    ck_assert_uint_eq(mtu_to(HOP_UDP, "127.0.0.1"), 1000);
    ck_assert(udp_set_loopback(1400));
    rig.clock.now_ms += KEEP_MS - 1;
    ck_assert_uint_eq(mtu_to(HOP_UDP, "127.0.0.1"), 1000);
    ck_assert_uint_eq(mtu_to(HOP_UDP, "127.0.0.2"), 1400);
    rig.clock.now_ms += 1;
    ck_assert_uint_eq(mtu_to(HOP_UDP, "127.0.0.1"), 1400);
}
END_TEST

/* Listeners that come or go make everything be asked anew. */
START_TEST(another_listener_makes_it_be_asked_again)
{
    if (!udp_shorten_loopback(1000))
        return;
    rig_listen(HOP_UDP, "127.0.0.1");
    ck_assert_uint_eq(mtu_to(HOP_UDP, "127.0.0.1"), 1000);
    ck_assert(udp_set_loopback(1400));
    rig_listen(HOP_UDP, "127.0.0.1");
    ck_assert_uint_eq(mtu_to(HOP_UDP, "127.0.0.1"), 1400);
}
END_TEST

START_TEST(where_nobody_sends_from_nothing_is_known)
{
    ck_assert_uint_eq(mtu_to(HOP_UDP, "127.0.0.1"), 0);
    rig_listen(HOP_UDP, "127.0.0.1");
    ck_assert_uint_eq(mtu_to(HOP_UDP, "::1"), 0);
}
END_TEST

Suite *
suite_net_path(void)
{
    Suite *suite = suite_create("net_path");
    TCase *all = rig_case("path");

    tcase_add_test(all, a_path_is_as_wide_as_its_device);
    tcase_add_test(all, the_same_over_ipv6);
    tcase_add_test(all, a_wide_path_is_wide);
    tcase_add_test(all, what_the_kernel_said_is_kept_for_a_while);
    tcase_add_test(all, another_listener_makes_it_be_asked_again);
    tcase_add_test(all, where_nobody_sends_from_nothing_is_known);
    suite_add_tcase(suite, all);
    return suite;
}
