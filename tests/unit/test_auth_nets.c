/*
 * Networks in CIDR notation: what is in, what is out, what is none.
 */
#include "auth/nets.h"

#include "base/def.h"
#include "unit/heap.h"
#include "unit/text.h"

static bool
has(const char *net_text, const char *address)
{
    struct hop_net net;
    struct hop hop = { 0 };
    const char *why;

    must_for(span_of(net_text), hop_net_read(span_of(net_text), &net, &why));
    must_for(span_of(address), hop_ip_read(span_of(address), &hop));
    return hop_net_has(&net, &hop);
}

START_TEST(in_and_out)
{
    static const struct {
        const char *net, *address;
        bool in;
    } pairs[] = {
        { "10.0.0.0/8", "10.0.0.0", true },
        { "10.0.0.0/8", "10.255.255.255", true },
        { "10.0.0.0/8", "11.0.0.0", false },
        { "10.0.0.0/8", "9.255.255.255", false },
        { "192.0.2.7", "192.0.2.7", true },
        { "192.0.2.7", "192.0.2.6", false },
        { "192.0.2.6/31", "192.0.2.7", true },
        { "192.0.2.6/31", "192.0.2.8", false },
        { "192.0.2.128/25", "192.0.2.255", true },
        { "192.0.2.128/25", "192.0.2.127", false },
        { "0.0.0.0/0", "255.255.255.255", true },
        { "0.0.0.0/0", "2001:db8::1", false },
        { "::/0", "2001:db8::1", true },
        { "::/0", "192.0.2.1", true },
        { "2001:db8::/32", "2001:db8:ffff::1", true },
        { "2001:db8::/32", "2001:db9::", false },
        { "2001:db8::/33", "2001:db8:7fff::1", true },
        { "2001:db8::/33", "2001:db8:8000::1", false },
        { "2001:db8::1", "2001:db8::1", true },
        { "2001:db8::1", "2001:db8::2", false },
        { "[2001:db8::1]", "2001:db8::1", true },
        { "::ffff:192.0.2.0/120", "192.0.2.9", true },
        { "::ffff:192.0.2.0/120", "192.0.3.9", false },
        { "fe80::/10", "febf::1", true },
    };

    for (size_t i = 0; i < countof(pairs); i++)
        must_for(span_of(pairs[i].net), has(pairs[i].net, pairs[i].address) == pairs[i].in);
}
END_TEST

START_TEST(what_is_no_network)
{
    static const char *const wrong[] = {
        "",
        "10",
        "10.0.0.0/",
        "10.0.0.0/33",
        "10.0.0.0/-1",
        "10.0.0.0/8 ",
        "10.0.0.1/8",
        "10.0.0.0/8/8",
        "2001:db8::/129",
        "2001:db8::1/64",
        "example.com",
        "10.0.0.256",
        "/8",
        "192.0.2.1/31",
        "fe80::1%eth0",
        "10.0.0.0/08x",
        "2001:db8:::",
        "::ffff:10.0.0.0/8",
    };
    struct hop_net net;

    for (size_t i = 0; i < countof(wrong); i++) {
        const char *why = NULL;

        must_for(span_of(wrong[i]), !hop_net_read(span_of(wrong[i]), &net, &why));
        must_for(span_of(wrong[i]), why && *why);
    }
}
END_TEST

START_TEST(a_list_is_read_whole_or_not)
{
    const struct span texts[] = { SPAN("10.0.0.0/8"), SPAN("2001:db8::/32"), SPAN("10.0.0.1/8") };
    struct sipd_strs good = { texts, 2 }, bad = { texts, 3 }, none = { NULL, 0 };
    struct hop in = { 0 }, out = { 0 };
    struct span which = { 0 };
    struct nets nets;
    const char *why = NULL;

    must(hop_ip_read(SPAN("2001:db8::5"), &in) && hop_ip_read(SPAN("192.0.2.1"), &out));
    ck_assert_int_eq(nets_read(&good, &nets, &which, &why), SIPD_OK);
    ck_assert(nets_have(&nets, &in) && !nets_have(&nets, &out));
    nets_fini(&nets);
    ck_assert_int_eq(nets_read(&none, &nets, &which, &why), SIPD_OK);
    ck_assert(!nets_have(&nets, &in));
    nets_fini(&nets);
    ck_assert_int_eq(nets_read(&bad, &nets, &which, &why), SIPD_EINVAL);
    must_text(which, "10.0.0.1/8");
    mem_fail_after(0);
    ck_assert_int_eq(nets_read(&good, &nets, &which, &why), SIPD_ENOMEM);
}
END_TEST

Suite *
suite_auth_nets(void)
{
    Suite *suite = suite_create("auth_nets");
    TCase *all = heap_case("all");

    tcase_add_test(all, in_and_out);
    tcase_add_test(all, what_is_no_network);
    tcase_add_test(all, a_list_is_read_whole_or_not);
    suite_add_tcase(suite, all);
    return suite;
}
