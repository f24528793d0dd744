/*
 * How connections end, and how many there may be.
 */
#include <errno.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "live/tcp_rig.h"
#include "unit/must.h"

Suite *suite_net_tcp_end(void);

/* ---------------------------------------------------------------- ends */

START_TEST(who_says_that_no_more_comes_is_answered)
{
    struct hop at = rig_at(rig_listen(HOP_TCP, "127.0.0.1"));
    int fd = peer_connect(&at);

    rig.on_message = tcp_answer;
    peer_write(fd, SPAN(TCP_REQUEST TCP_REQUEST));
    ck_assert_int_eq(shutdown(fd, SHUT_WR), 0);
    peer_expect(fd, SPAN(TCP_ANSWER TCP_ANSWER));
    peer_expect_end(fd);
    rig_run_flows_gone(1);
    close(fd);
}
END_TEST

START_TEST(what_waits_leaves_before_the_end)
{
    struct hop flow;
    int fd = tcp_talking(&flow);
    static char scrap[TCP_LARGE];
    uint64_t tokens, all = 0;
    ssize_t len;

    net_set_conf(rig.net, &tcp_plain);
    tokens = tcp_fill(&flow);
    ck_assert_int_eq(shutdown(fd, SHUT_WR), 0);
    rig_run_flows_gone(1);
    ck_assert(!net_flow_alive(rig.net, flow.flow));
    while ((len = recv(fd, scrap, sizeof scrap, MSG_DONTWAIT)) != 0) {
        ck_assert(len > 0 || errno == EAGAIN);
        all += len > 0 ? (uint64_t)len : 0;
        rig_run_turns(1);
    }
    ck_assert_uint_eq(all, tokens * TCP_LARGE);
    ck_assert_uint_eq(rig.gone_len, 0);
    close(fd);
}
END_TEST

START_TEST(a_slow_message_ends_its_connection)
{
    struct net_conf conf = tcp_plain;
    struct hop at = rig_at(rig_listen(HOP_TCP, "127.0.0.1"));
    int fd = peer_connect(&at);
    struct span text = SPAN(TCP_REQUEST);
    uint64_t began_ms;

    conf.message_ms = 60;
    net_set_conf(rig.net, &conf);
    peer_write(fd, SPAN(TCP_REQUEST)); /* whole: never too slow */
    rig_run_messages(1);
    began_ms = rig.clock.now_ms;
    for (size_t i = 0; i < text.len - 1 && rig.flows_gone_len == 0; i++) { /* drips */
        ck_assert_int_ge(send(fd, text.at + i, 1, MSG_NOSIGNAL), 0);
        rig_run_turns(5);
    }
    ck_assert_uint_eq(rig.flows_gone_len, 1);
    ck_assert_uint_ge(rig.clock.now_ms, began_ms + 60);
    ck_assert_uint_eq(rig_count("conns_slow"), 1);
    ck_assert_uint_eq(rig.messages_len, 1);
    close(fd);
}
END_TEST

START_TEST(an_idle_connection_is_closed)
{
    enum { IDLE_MS = 500 };
    struct net_conf conf = tcp_plain;
    struct hop at = rig_at(rig_listen(HOP_TCP, "127.0.0.1"));
    int fd;
    uint64_t last_ms;

    conf.idle_ms = IDLE_MS;
    net_set_conf(rig.net, &conf);
    fd = peer_connect(&at);
    peer_write(fd, SPAN(TCP_REQUEST));
    rig_run_messages(1);
    rig_watch();
    last_ms = rig.clock.now_ms;
    for (uint64_t until = last_ms + 2 * IDLE_MS; /* traffic keeps it */
         rig.flows_gone_len == 0 && rig.clock.now_ms < until; rig_run_turns(5)) {
        last_ms = rig.clock.now_ms;
        (void)send(fd, "\r\n\r\n", 4, MSG_NOSIGNAL);
    }
    ck_assert(rig.flows_gone_len == 0 || !rig_kept_up(IDLE_MS / 2));
    rig_run_flows_gone(1);
    ck_assert_uint_ge(rig.clock.now_ms + 20, last_ms + IDLE_MS);
    ck_assert_uint_eq(rig_count("conns_idle"), 1);
    close(fd);
}
END_TEST

START_TEST(a_connection_is_closed_on_demand)
{
    struct hop flow;
    int fd = tcp_talking(&flow);

    rig_send(&flow, TCP_ANSWER, 1);
    ck_assert(net_close(rig.net, flow.flow));
    ck_assert(net_close(rig.net, flow.flow)); /* still there until the turn's end */
    peer_expect(fd, SPAN(TCP_ANSWER));
    peer_expect_end(fd);
    ck_assert(!net_close(rig.net, flow.flow));
    ck_assert(!net_flow_alive(rig.net, flow.flow));
    ck_assert_uint_eq(rig.flows_gone_len, 1);
    ck_assert(!net_close(rig.net, 0));
    close(fd);
}
END_TEST

static void
close_it(struct rig *r, const struct hop *from, struct span bytes)
{
    (void)bytes;
    net_close(r->net, from->flow);
}

START_TEST(a_connection_may_be_closed_while_it_is_read)
{
    struct hop at = rig_at(rig_listen(HOP_TCP, "127.0.0.1"));
    int fd = peer_connect(&at);

    rig.on_message = close_it;
    peer_write(fd, SPAN(TCP_REQUEST TCP_REQUEST TCP_REQUEST));
    rig_run_flows_gone(1);
    ck_assert_uint_eq(rig.messages_len, 1);
    close(fd);
}
END_TEST

START_TEST(connections_outlive_their_listener)
{
    struct hop flow, at;
    int fd = tcp_talking(&flow);
    struct net_listener_info info;
    struct way way;

    at = rig_at(flow.listener);
    net_unlisten(rig.net, flow.listener);
    rig_run_turns(2);
    ck_assert(!net_is_local(rig.net, &at));
    ck_assert_int_eq(net_way(rig.net, &flow, 500, &way), SIPD_OK);
    ck_assert_uint_gt(way.sent_by.len, 0);
    ck_assert(net_listener(rig.net, flow.listener, &info));
    rig_send(&way.to, TCP_ANSWER, 1);
    peer_expect(fd, SPAN(TCP_ANSWER));
    peer_write(fd, SPAN(TCP_REQUEST));
    rig_run_messages(2);
    close(fd);
    rig_run_flows_gone(1);
    rig_run_turns(1);
    ck_assert(!net_listener(rig.net, flow.listener, &info));
}
END_TEST

/* ---------------------------------------------------------------- limits */

START_TEST(connections_over_the_limit_are_closed_at_once)
{
    struct net_conf conf = tcp_plain;
    struct hop at = rig_at(rig_listen(HOP_TCP, "127.0.0.1")), to;
    int one, two, listening = tcp_listening(&to);
    struct way way;

    conf.connections = 1;
    net_set_conf(rig.net, &conf);
    one = peer_connect(&at);
    peer_write(one, SPAN(TCP_REQUEST));
    rig_run_messages(1);
    two = peer_connect(&at);
    peer_expect_end(two);
    ck_assert_uint_eq(rig_count("conns_over_limit"), 1);
    ck_assert_int_eq(net_way(rig.net, &to, 500, &way), SIPD_EFULL);
    rig_send(&to, TCP_REQUEST, 1);
    rig_run_gone(1);
    ck_assert_int_eq(rig.gone[0].err, SIPD_EFULL);
    peer_write(one, SPAN(TCP_REQUEST));
    rig_run_messages(2);
    close(one);
    rig_run_flows_gone(1);
    rig_run_turns(1);
    close(two);
    two = peer_connect(&at); /* there is room again */
    peer_write(two, SPAN(TCP_REQUEST));
    rig_run_messages(3);
    close(two);
    close(listening);
}
END_TEST

static bool
turned_away(struct rig *r)
{
    (void)r;
    return rig_count("conns_no_descriptor") > 0;
}

START_TEST(without_descriptors_peers_are_turned_away)
{
    struct hop at = rig_at(rig_listen(HOP_TCP, "127.0.0.1"));
    int fd = peer_connect(&at), other;
    struct rlimit limit, none;

    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
    none = limit;
    none.rlim_cur = (rlim_t)fd + 1;
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
    rig_run(turned_away);
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
    peer_expect_end(fd);
    other = peer_connect(&at);
    peer_write(other, SPAN(TCP_REQUEST));
    rig_run_messages(1);
    close(other);
    close(fd);
}
END_TEST

static void
count_conn(void *arg, const struct net_conn_info *info)
{
    unsigned *n = arg;

    ++*n;
    ck_assert_uint_ne(info->flow, 0);
    ck_assert_uint_eq(info->peer.flow, info->flow);
    ck_assert(info->inbound);
    ck_assert(!info->connecting);
    ck_assert_uint_le(info->since_ms, info->last_ms);
}

START_TEST(connections_are_listed)
{
    struct hop flow;
    int fd = tcp_talking(&flow);
    unsigned n = 0;

    net_each_conn(rig.net, count_conn, &n);
    ck_assert_uint_eq(n, 1);
    close(fd);
    rig_run_flows_gone(1);
    n = 0;
    net_each_conn(rig.net, count_conn, &n);
    ck_assert_uint_eq(n, 0);
}
END_TEST

/* Many come and go; ids go stale, memory comes back (the fixture counts). */
START_TEST(many_connections_come_and_go)
{
    enum { MANY = 300 };
    struct net_conf conf = tcp_plain;
    struct hop at = rig_at(rig_listen(HOP_TCP, "127.0.0.1"));
    int fds[MANY];

    conf.connections = MANY;
    net_set_conf(rig.net, &conf);
    rig.on_message = tcp_echo;
    for (int i = 0; i < MANY; i++) {
        fds[i] = peer_connect(&at);
        peer_write(fds[i], SPAN(TCP_REQUEST));
    }
    rig_run_messages(MANY);
    for (int i = 0; i < MANY; i++)
        close(fds[i]);
    rig_run_flows_gone(MANY);
    for (size_t i = 0; i < MANY; i++)
        must(!net_flow_alive(rig.net, rig.messages[i].from.flow));
    ck_assert_uint_eq(rig_count("conns_closed"), MANY);
}
END_TEST

Suite *
suite_net_tcp_end(void)
{
    Suite *suite = suite_create("net_tcp_end");
    TCase *all = rig_case("ends");

    suite_add_tcase(suite, all);
    tcase_add_test(all, who_says_that_no_more_comes_is_answered);
    tcase_add_test(all, what_waits_leaves_before_the_end);
    tcase_add_test(all, a_slow_message_ends_its_connection);
    tcase_add_test(all, an_idle_connection_is_closed);
    tcase_add_test(all, a_connection_is_closed_on_demand);
    tcase_add_test(all, a_connection_may_be_closed_while_it_is_read);
    tcase_add_test(all, connections_outlive_their_listener);
    all = rig_case("limits");
    suite_add_tcase(suite, all);
    tcase_add_test(all, connections_over_the_limit_are_closed_at_once);
    tcase_add_test(all, without_descriptors_peers_are_turned_away);
    tcase_add_test(all, connections_are_listed);
    tcase_add_test(all, many_connections_come_and_go);
    return suite;
}
