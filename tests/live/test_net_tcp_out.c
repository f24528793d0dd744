/*
 * Connections that we make, and those that are there and used again (RFC 3261 §18.1.1, RFC 5626 §5.3).
 */
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "live/tcp_rig.h"
#include "net/sock.h"

Suite *suite_net_tcp_out(void);

/* Begins to connect, and does not wait. */
static int
peer_new_connecting(const struct hop *to)
{
    union sock_addr addr;
    socklen_t len = sock_addr_write(to, &addr);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

    (void)!connect(fd, &addr.any, len);
    return fd;
}

/* ---------------------------------------------------------------- out */

START_TEST(a_connection_is_opened_and_used_again)
{
    uint16_t id = rig_listen(HOP_TCP, "127.0.0.1");
    struct hop to;
    int listening = tcp_listening(&to), fd;
    struct net_listener_info info;
    struct way way;

    ck_assert_int_eq(net_way(rig.net, &to, 500, &way), SIPD_OK);
    ck_assert_uint_eq(way.to.flow, 0);
    ck_assert_uint_eq(way.to.listener, id);
    ck_assert(net_listener(rig.net, id, &info));
    ck_assert(span_eq(way.sent_by, info.sent_by));
    rig_send(&to, TCP_REQUEST, 1);
    rig_send(&way.to, TCP_ANSWER, 2); /* by the connection that is being opened */
    fd = tcp_accepted(listening);
    peer_expect(fd, SPAN(TCP_REQUEST TCP_ANSWER));
    ck_assert_int_eq(net_way(rig.net, &to, 500, &way), SIPD_OK);
    ck_assert_uint_ne(way.to.flow, 0);
    ck_assert(net_flow_alive(rig.net, way.to.flow));
    rig_send(&to, TCP_ANSWER, 3);
    rig_send(&way.to, TCP_REQUEST, 4);
    peer_expect(fd, SPAN(TCP_ANSWER TCP_REQUEST));
    peer_write(fd, SPAN(TCP_ANSWER));
    rig_run_messages(1);
    ck_assert_uint_eq(rig.messages[0].from.flow, way.to.flow);
    ck_assert_uint_eq(rig.messages[0].from.listener, id);
    ck_assert(hop_eq(&rig.messages[0].from, &to));
    ck_assert_int_lt(accept4(listening, NULL, NULL, SOCK_NONBLOCK), 0);
    ck_assert_uint_eq(rig_count("conns_opened"), 1);
    ck_assert_uint_eq(rig.gone_len, 0);
    close(fd);
    close(listening);
}
END_TEST

/* What the peer opened leads to it as well (RFC 3261 §18). */
START_TEST(an_accepted_connection_is_used_too)
{
    struct hop flow, to;
    int fd = tcp_talking(&flow);
    struct way way;

    to = rig_hop(HOP_TCP, "127.0.0.1", flow.port);
    ck_assert_int_eq(net_way(rig.net, &to, 500, &way), SIPD_OK);
    ck_assert_uint_eq(way.to.flow, flow.flow);
    rig_send(&to, TCP_ANSWER, 1);
    peer_expect(fd, SPAN(TCP_ANSWER));
    close(fd);
}
END_TEST

/* A flow is that connection and no other (RFC 5626 §5.3); its number beside another address is of an earlier process. */
START_TEST(a_flow_that_is_gone_is_not_replaced)
{
    struct hop flow, to;
    int fd = tcp_talking(&flow), listening = tcp_listening(&to);
    struct way way;

    to.flow = flow.flow;
    ck_assert_int_eq(net_way(rig.net, &to, 500, &way), SIPD_ECLOSED);
    rig_send(&to, TCP_REQUEST, 4);
    rig_run_gone(1);
    ck_assert_uint_eq(rig.gone[0].token, 4);
    ck_assert_int_eq(net_way(rig.net, &flow, 500, &way), SIPD_OK);
    ck_assert(hop_eq(&way.to, &flow));
    close(fd);
    rig_run_flows_gone(1);
    ck_assert_int_eq(net_way(rig.net, &flow, 500, &way), SIPD_ECLOSED);
    rig_send(&flow, TCP_REQUEST, 5);
    rig_run_gone(2);
    ck_assert_uint_eq(rig.gone[1].token, 5);
    ck_assert_int_eq(rig.gone[1].err, SIPD_ECLOSED);
    ck_assert_uint_eq(rig_count("conns_opened"), 0);
    close(listening);
}
END_TEST

START_TEST(a_refused_connect_is_told)
{
    struct hop to;
    int listening = tcp_listening(&to);

    close(listening);
    rig_listen(HOP_TCP, "127.0.0.1");
    for (uint64_t token = 1; token <= 3; token++)
        rig_send(&to, TCP_REQUEST, token);
    rig_send(&to, TCP_REQUEST, 0);
    rig_run_gone(3);
    for (size_t i = 0; i < 3; i++) {
        ck_assert_uint_eq(rig.gone[i].token, i + 1);
        ck_assert_int_ne(rig.gone[i].err, SIPD_OK);
    }
    ck_assert_uint_eq(rig_count("conns_failed"), 1);
    rig_run_turns(1);
    ck_assert_uint_eq(rig.flows_gone_len, 1);
    rig_send(&to, TCP_REQUEST, 4); /* tried anew */
    rig_run_gone(4);
    ck_assert_uint_eq(rig_count("conns_failed"), 2);
}
END_TEST

/* A backlog that is full lets no connect through. */
START_TEST(a_connect_has_a_deadline)
{
    struct net_conf conf = tcp_plain;
    uint16_t port;
    int listening = peer_new(SOCK_STREAM, "127.0.0.1", &port), first;
    struct hop to = rig_hop(HOP_TCP, "127.0.0.1", port);
    struct way way;

    conf.connect_ms = 50;
    net_set_conf(rig.net, &conf);
    ck_assert_int_eq(listen(listening, 0), 0);
    first = peer_connect(&to);
    rig_listen(HOP_TCP, "127.0.0.1");
    rig_send(&to, TCP_REQUEST, 1);
    rig_run_turns(1);
    if (rig.gone_len == 0) { /* else that turn came late */
        ck_assert_int_eq(net_way(rig.net, &to, 500, &way), SIPD_OK);
        ck_assert(net_flow_alive(rig.net, way.to.flow));
    }
    rig_run_gone(1);
    ck_assert_uint_eq(rig.gone[0].token, 1);
    ck_assert_uint_eq(rig_count("conns_failed"), 1);
    close(first);
    close(listening);
}
END_TEST

/* ---------------------------------------------------------------- in vain */

/* A try for what is large (RFC 3261 §18.1.1) fails soon, and is not repeated for a while; whoever must connect still may. */
START_TEST(a_connection_tried_in_vain_is_not_tried_again_soon)
{
    struct hop nobody = rig_hop(HOP_TCP, "127.0.0.1", 0), slow = rig_hop(HOP_TCP, "127.0.0.2", 0);
    struct way way;
    int listening = peer_new(SOCK_STREAM, "127.0.0.2", &slow.port);
    int closed = peer_new(SOCK_STREAM, "127.0.0.1", &nobody.port);
    int filler[8];

    close(closed);
    rig_listen(HOP_TCP, "127.0.0.1");
    net_set_rest(rig.net, 60000);
    nobody.connect_ms = slow.connect_ms = 300;
    rig_send(&nobody, TCP_REQUEST, 1);
    rig_run_gone(1);
    ck_assert_int_eq(net_way(rig.net, &nobody, 100, &way), SIPD_ECLOSED);
    nobody.connect_ms = 0;
    ck_assert_int_eq(net_way(rig.net, &nobody, 100, &way), SIPD_OK);
    /* A backlog that is full answers nobody. */
    ck_assert_int_eq(listen(listening, 0), 0);
    for (size_t i = 0; i < countof(filler); i++)
        filler[i] = peer_new_connecting(&slow);
    rig_send(&slow, TCP_REQUEST, 2);
    rig_run_gone(2);
    ck_assert_uint_eq(rig.gone[1].token, 2);
    ck_assert_int_eq(net_way(rig.net, &slow, 100, &way), SIPD_ECLOSED);
    for (size_t i = 0; i < countof(filler); i++)
        close(filler[i]);
    close(listening);
}
END_TEST

START_TEST(who_took_none_is_tried_again_when_its_rest_is_over)
{
    struct hop nobody = rig_hop(HOP_TCP, "127.0.0.1", 0);
    struct way way;
    int closed = peer_new(SOCK_STREAM, "127.0.0.1", &nobody.port);
    uint64_t began_ms;

    close(closed);
    rig_listen(HOP_TCP, "127.0.0.1");
    net_set_rest(rig.net, 300);
    nobody.connect_ms = 300;
    began_ms = rig.clock.now_ms;
    rig_send(&nobody, TCP_REQUEST, 1);
    rig_run_gone(1);
    while (net_way(rig.net, &nobody, 100, &way) == SIPD_ECLOSED)
        rig_run_turns(1);
    ck_assert_uint_ge(rig.clock.now_ms, began_ms + 300);
}
END_TEST

/*
 * Who must connect has longer than who merely tries, and is not dragged along when the try fails; nor does a try wait for as long
 * as who must.
 */
START_TEST(who_tries_and_who_must_do_not_wait_for_each_other)
{
    struct hop must = rig_hop(HOP_TCP, "127.0.0.2", 0), tries;
    struct way way;
    int listening = peer_new(SOCK_STREAM, "127.0.0.2", &must.port);
    int filler[8];

    rig_listen(HOP_TCP, "127.0.0.1");
    ck_assert_int_eq(listen(listening, 0), 0);
    for (size_t i = 0; i < countof(filler); i++)
        filler[i] = peer_new_connecting(&must);
    tries = must;
    tries.connect_ms = 300;
    rig_send(_i ? &must : &tries, TCP_REQUEST, _i ? 2 : 1);
    rig_send(_i ? &tries : &must, TCP_REQUEST, _i ? 1 : 2);
    rig_run_gone(1);
    ck_assert_uint_eq(rig.gone_len, 1);
    ck_assert_uint_eq(rig.gone[0].token, 1);
    ck_assert_int_eq(net_way(rig.net, &tries, 100, &way), SIPD_ECLOSED);
    ck_assert_int_eq(net_way(rig.net, &must, 100, &way), SIPD_OK);
    ck_assert(net_flow_alive(rig.net, way.to.flow));
    for (size_t i = 0; i < countof(filler); i++)
        close(filler[i]);
    close(listening);
}
END_TEST

Suite *
suite_net_tcp_out(void)
{
    Suite *suite = suite_create("net_tcp_out");
    TCase *all = rig_case("out");

    suite_add_tcase(suite, all);
    tcase_add_test(all, a_connection_is_opened_and_used_again);
    tcase_add_test(all, an_accepted_connection_is_used_too);
    tcase_add_test(all, a_flow_that_is_gone_is_not_replaced);
    tcase_add_test(all, a_refused_connect_is_told);
    tcase_add_test(all, a_connect_has_a_deadline);
    all = rig_case("in vain");
    suite_add_tcase(suite, all);
    tcase_add_test(all, a_connection_tried_in_vain_is_not_tried_again_soon);
    tcase_add_test(all, who_took_none_is_tried_again_when_its_rest_is_over);
    tcase_add_loop_test(all, who_tries_and_who_must_do_not_wait_for_each_other, 0, 2);
    return suite;
}
