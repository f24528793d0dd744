/*
 * Datagrams that leave as one (net/train).
 */
#include <netinet/udp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "live/udp_rig.h"

Suite *suite_net_train(void);

static uint16_t
listen_with_trains(const char *ip)
{
    struct net_listen spec = { .at = rig_hop(HOP_UDP, ip, 0), .trains = true };
    uint16_t id = 0;

    ck_assert_int_eq(net_listen(rig.net, &spec, &id, &rig.why), SIPD_OK);
    return id;
}

/*
 * One socket sees what leaves as one, the other gets it as what it was. One behind the other: two peers in turns may, by their
 * ports, have the same place among the trains (net/train), and have none then.
 */
static void
leave_as_a_train(const char *ip)
{
    uint16_t port, other_port;
    int fd = peer_new(SOCK_DGRAM, ip, &port), other = peer_new(SOCK_DGRAM, ip, &other_port), on = 1;
    struct hop to = rig_hop(HOP_UDP, ip, port), to_other = rig_hop(HOP_UDP, ip, other_port);
    char heard[10000];

    if (setsockopt(fd, SOL_UDP, UDP_GRO, &on, sizeof on) != 0) {
        close(fd);
        close(other);
        return; /* this kernel has no trains */
    }
    to.listener = to_other.listener = listen_with_trains(ip);
    for (int i = 0; i < 5; i++)
        rig_send(&to, UDP_REQUEST, 0);
    rig_send(&to, UDP_ANSWER, 0);
    for (int i = 0; i < 5; i++)
        rig_send(&to_other, UDP_REQUEST, 0);
    rig_send(&to_other, UDP_ANSWER, 0);
    ck_assert_uint_eq(peer_takes(fd, heard, sizeof heard),
                      5 * (sizeof UDP_REQUEST - 1) + sizeof UDP_ANSWER - 1);
    for (int i = 0; i < 5; i++)
        peer_expect(other, SPAN(UDP_REQUEST));
    peer_expect(other, SPAN(UDP_ANSWER));
    ck_assert_uint_eq(rig_count("net_sent"), 12);
    close(fd);
    close(other);
}

START_TEST(datagrams_of_one_length_leave_as_a_train)
{
    leave_as_a_train("127.0.0.1");
}
END_TEST

START_TEST(they_do_so_over_ipv6)
{
    if (rig_has_ipv6())
        leave_as_a_train("::1");
}
END_TEST

/* Each of its datagrams is tried for itself, and told. */
START_TEST(a_refused_train_is_told_and_the_rest_leaves)
{
    uint16_t port;
    int fd = peer_new(SOCK_DGRAM, "127.0.0.1", &port);
    struct hop nowhere = rig_hop(HOP_UDP, "255.255.255.255", 9); /* broadcast is not allowed */
    struct hop to = rig_hop(HOP_UDP, "127.0.0.1", port);

    nowhere.listener = to.listener = listen_with_trains("127.0.0.1");
    for (uint64_t token = 1; token < 4; token++) {
        rig_send(&to, UDP_REQUEST, 0);
        rig_send(&nowhere, UDP_REQUEST, token);
    }
    rig_run_gone(3);
    for (size_t i = 0; i < 3; i++)
        ck_assert_uint_eq(rig.gone[i].token, i + 1);
    for (int i = 0; i < 3; i++)
        peer_expect(fd, SPAN(UDP_REQUEST));
    ck_assert_uint_eq(rig_count("net_dropped_refused"), 3);
    ck_assert_uint_eq(rig_count("net_sent"), 3);
    close(fd);
}
END_TEST

/* What is too long for the path's packets cannot be in a train, and leaves in fragments. */
START_TEST(a_train_too_long_for_the_path_leaves_in_fragments)
{
    enum { LEN = 1200 };
    struct span bytes = udp_long_message(LEN);
    uint16_t port;
    struct hop to;
    int fd;

    if (udp_shorten_loopback(800)) {
        fd = peer_new(SOCK_DGRAM, "127.0.0.1", &port);
        to = rig_hop(HOP_UDP, "127.0.0.1", port);
        to.listener = listen_with_trains("127.0.0.1");
        for (int i = 0; i < 3; i++)
            net_send(rig.net, &to, bytes, 0);
        rig_run_turns(1);
        for (int i = 0; i < 3; i++)
            peer_expect(fd, bytes);
        close(fd);
    }
    mem_free((void *)(uintptr_t)bytes.at);
}
END_TEST

Suite *
suite_net_train(void)
{
    Suite *suite = suite_create("net_train");
    TCase *all = rig_case("trains");

    suite_add_tcase(suite, all);
    tcase_add_test(all, datagrams_of_one_length_leave_as_a_train);
    tcase_add_test(all, they_do_so_over_ipv6);
    tcase_add_test(all, a_refused_train_is_told_and_the_rest_leaves);
    tcase_add_test(all, a_train_too_long_for_the_path_leaves_in_fragments);
    return suite;
}
