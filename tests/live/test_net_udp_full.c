/*
 * Datagrams for which the kernel has no room.
 */
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "live/udp_rig.h"

Suite *suite_net_udp_full(void);

/* Both kinds of "no room": of the socket, and of the device. */
START_TEST(what_has_no_room_waits_in_order)
{
    static const int errs[] = { EAGAIN, ENOBUFS };
    uint16_t port;
    int fd = peer_new(SOCK_DGRAM, "127.0.0.1", &port);
    struct hop to = rig_hop(HOP_UDP, "127.0.0.1", port);

    rig_listen(HOP_UDP, "127.0.0.1");
    rig_refuse_sends(errs[_i], 1);
    rig_send(&to, UDP_REQUEST, 1);
    rig_send(&to, UDP_ANSWER, 2);
    peer_expect(fd, SPAN(UDP_REQUEST));
    peer_expect(fd, SPAN(UDP_ANSWER));
    ck_assert_uint_eq(rig.gone_len, 0);
    ck_assert_uint_eq(rig_count("net_sent"), 2);
    close(fd);
}
END_TEST

START_TEST(what_comes_later_does_not_overtake)
{
    uint16_t port;
    int fd = peer_new(SOCK_DGRAM, "127.0.0.1", &port);
    struct hop to = rig_hop(HOP_UDP, "127.0.0.1", port);

    rig_listen(HOP_UDP, "127.0.0.1");
    rig_refuse_sends(ENOBUFS, 2);
    rig_send(&to, UDP_REQUEST, 1);
    rig_run_turns(1);
    rig_send(&to, UDP_ANSWER, 2);
    peer_expect(fd, SPAN(UDP_REQUEST));
    peer_expect(fd, SPAN(UDP_ANSWER));
    close(fd);
}
END_TEST

START_TEST(a_retransmission_of_what_waits_is_dropped)
{
    uint16_t port;
    int fd = peer_new(SOCK_DGRAM, "127.0.0.1", &port);
    struct hop to = rig_hop(HOP_UDP, "127.0.0.1", port);

    rig_listen(HOP_UDP, "127.0.0.1");
    rig_refuse_sends(ENOBUFS, 1);
    rig_send(&to, UDP_REQUEST, 1);
    rig_run_turns(1);
    rig_send(&to, UDP_REQUEST, 1); /* the same: dropped */
    rig_send(&to, UDP_ANSWER, 1);  /* another message of the same sender: not */
    rig_send(&to, UDP_REQUEST, 2); /* another sender */
    rig_send(&to, UDP_REQUEST, 0); /* nobody's */
    rig_send(&to, UDP_REQUEST, 0);
    peer_expect(fd, SPAN(UDP_REQUEST));
    peer_expect(fd, SPAN(UDP_ANSWER));
    peer_expect(fd, SPAN(UDP_REQUEST));
    peer_expect(fd, SPAN(UDP_REQUEST));
    peer_expect(fd, SPAN(UDP_REQUEST));
    ck_assert_uint_eq(rig_count("net_dropped_repeat"), 1);
    ck_assert_uint_eq(rig_count("net_sent"), 5);
    close(fd);
}
END_TEST

START_TEST(what_waits_has_a_ceiling)
{
    struct net_conf conf = { .connections = 10, .message_bytes = 65535 };
    uint16_t port;
    int fd = peer_new(SOCK_DGRAM, "127.0.0.1", &port);
    struct hop to = rig_hop(HOP_UDP, "127.0.0.1", port);

    conf.queue_bytes = 2 * (sizeof UDP_REQUEST - 1);
    net_set_conf(rig.net, &conf);
    rig_listen(HOP_UDP, "127.0.0.1");
    rig_refuse_sends(ENOBUFS, 1);
    for (uint64_t token = 1; token <= 4; token++)
        rig_send(&to, UDP_REQUEST, token);
    rig_run_gone(2);
    ck_assert_uint_eq(rig.gone[0].token, 3);
    ck_assert_uint_eq(rig.gone[1].token, 4);
    ck_assert_int_eq(rig.gone[0].err, SIPD_EFULL);
    peer_expect(fd, SPAN(UDP_REQUEST));
    peer_expect(fd, SPAN(UDP_REQUEST));
    ck_assert_uint_eq(rig_count("net_dropped_full"), 2);
    close(fd);
}
END_TEST

START_TEST(what_waits_for_a_listener_that_closes_is_told)
{
    struct hop to = rig_hop(HOP_UDP, "127.0.0.1", udp_closed_port("127.0.0.1"));
    uint16_t id = rig_listen(HOP_UDP, "127.0.0.1");

    rig_refuse_sends(ENOBUFS, 1);
    rig_send(&to, UDP_REQUEST, 1);
    rig_run_turns(1);
    net_unlisten(rig.net, id);
    rig_run_gone(1);
    ck_assert_uint_eq(rig.gone[0].token, 1);
    ck_assert_int_eq(rig.gone[0].err, SIPD_ECLOSED);
}
END_TEST

Suite *
suite_net_udp_full(void)
{
    Suite *suite = suite_create("net_udp_full");
    TCase *all = rig_case("full");

    suite_add_tcase(suite, all);
    tcase_add_loop_test(all, what_has_no_room_waits_in_order, 0, 2);
    tcase_add_test(all, what_comes_later_does_not_overtake);
    tcase_add_test(all, a_retransmission_of_what_waits_is_dropped);
    tcase_add_test(all, what_waits_has_a_ceiling);
    tcase_add_test(all, what_waits_for_a_listener_that_closes_is_told);
    return suite;
}
