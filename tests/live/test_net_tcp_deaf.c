/*
 * Peers that do not read, and peers that vanish.
 */
#include <errno.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "live/tcp_rig.h"
#include "unit/must.h"

Suite *suite_net_tcp_deaf(void);

static char scrap[TCP_LARGE];

/* Our end of the connection whose other end this is. */
static int
our_end(int peer_fd)
{
    struct sockaddr_in peer, at;
    socklen_t len = sizeof peer, at_len;

    ck_assert_int_eq(getsockname(peer_fd, (struct sockaddr *)&peer, &len), 0);
    for (int fd = 0; fd < 1024; fd++) {
        at_len = sizeof at;
        if (getpeername(fd, (struct sockaddr *)&at, &at_len) == 0 && at.sin_family == AF_INET &&
            at.sin_port == peer.sin_port && fd != peer_fd)
            return fd;
    }
    ck_abort_msg("there is no such connection");
}

/* ---------------------------------------------------------------- no room */

START_TEST(what_has_no_room_waits_in_order)
{
    struct hop flow;
    int fd = tcp_talking(&flow);
    static char all[1 << 20];
    uint64_t tokens = 0;
    size_t len = 0;

    net_set_conf(rig.net, &tcp_plain);
    tokens = tcp_fill(&flow);
    rig_send(&flow, TCP_REQUEST, 1001);
    rig_run_turns(1);
    rig_send(&flow, TCP_ANSWER, 1002);
    rig_send(&flow, TCP_REQUEST, 1003);
    for (uint64_t i = 0; i < tokens; i++) {
        while (len < TCP_LARGE) {
            ssize_t n = recv(fd, all + len, TCP_LARGE - len, MSG_DONTWAIT);

            ck_assert(n > 0 || (n < 0 && errno == EAGAIN));
            len += n > 0 ? (size_t)n : 0;
            rig_run_turns(1);
        }
        must(memcmp(all, tcp_large, TCP_LARGE) == 0);
        len = 0;
    }
    peer_expect(fd, SPAN(TCP_REQUEST TCP_ANSWER TCP_REQUEST));
    ck_assert_uint_eq(rig.gone_len, 0);
    ck_assert_uint_eq(rig_count("net_sent"), tokens + 3);
    close(fd);
}
END_TEST

static void
note_queued(void *arg, const struct net_conn_info *info)
{
    *(uint32_t *)arg += info->queued_bytes;
}

START_TEST(what_waits_has_a_ceiling)
{
    struct net_conf conf = tcp_plain;
    struct hop flow;
    int fd = tcp_talking(&flow);
    struct way way;
    uint32_t queued = 0;
    uint64_t first;

    conf.queue_bytes = 2 * TCP_LARGE;
    net_set_conf(rig.net, &conf);
    first = tcp_fill(&flow);
    rig_send(&flow, tcp_large, first + 1); /* fits */
    rig_send(&flow, tcp_large, first + 2); /* does not */
    rig_run_gone(1);
    ck_assert_uint_eq(rig.gone[0].token, first + 2);
    ck_assert_int_eq(rig.gone[0].err, SIPD_EFULL);
    ck_assert_int_eq(net_way(rig.net, &flow, 1, &way), SIPD_EFULL);
    net_each_conn(rig.net, note_queued, &queued);
    ck_assert_uint_eq(queued, 2 * TCP_LARGE);
    ck_assert_uint_eq(rig_count("net_dropped_full"), 1);
    close(fd);
}
END_TEST

/* Who reads nothing is not answered for long: what he asks is dropped, what he answers is heard, and in the end he is closed. */
START_TEST(who_does_not_read_is_not_heard)
{
    struct net_conf conf = tcp_plain;
    struct hop flow;
    int fd = tcp_talking(&flow);
    size_t heard;

    conf.queue_bytes = 4 * TCP_LARGE;
    conf.message_ms = 3000;
    net_set_conf(rig.net, &conf);
    tcp_fill(&flow);
    heard = rig.messages_len;
    peer_write(fd, SPAN(TCP_REQUEST));
    rig_run_messages(heard + 1); /* a little may wait */
    rig_send(&flow, tcp_large, 1001);
    rig_send(&flow, tcp_large, 1002);
    rig_run_turns(1);
    peer_write(fd, SPAN(TCP_REQUEST TCP_ANSWER TCP_REQUEST));
    rig_run_messages(heard + 2);
    rig_expect(heard + 1, SPAN(TCP_ANSWER));
    ck_assert_uint_eq(rig_count("net_dropped_deaf"), 2);
    rig_run_flows_gone(1);
    ck_assert_uint_eq(rig_count("conns_deaf"), 1);
    close(fd);
}
END_TEST

static int
unread_bytes(int fd)
{
    int bytes = 0;

    ck_assert_int_eq(ioctl(fd, FIONREAD, &bytes), 0);
    return bytes;
}

/* Who reads nothing for seconds is not read either, but for a look each second, which hears answers; until he reads. */
START_TEST(who_does_not_read_is_not_read)
{
    struct net_conf conf = tcp_plain;
    struct hop flow;
    int fd = tcp_talking(&flow), ours;
    uint64_t tokens, until_ms = rig.clock.now_ms + 10000;
    size_t heard, len = 0;

    conf.message_ms = 30000;
    net_set_conf(rig.net, &conf);
    ours = our_end(fd);
    tokens = tcp_fill(&flow);
    while (unread_bytes(ours) == 0) {
        must(rig.clock.now_ms < until_ms);
        peer_write(fd, SPAN(TCP_ANSWER));
        rig_run_turns(3);
        usleep(20000);
    }
    heard = rig.messages_len;
    rig_run_messages(heard + 1); /* at the next look */
    while (len < tokens * TCP_LARGE) {
        ssize_t n = recv(fd, scrap, sizeof scrap, MSG_DONTWAIT);

        must(n > 0 || (n < 0 && errno == EAGAIN));
        len += n > 0 ? (size_t)n : 0;
        rig_run_turns(1);
    }
    heard = rig.messages_len;
    peer_write(fd, SPAN(TCP_REQUEST));
    rig_run_turns(3);
    ck_assert_int_eq(unread_bytes(ours), 0);
    ck_assert_uint_gt(rig.messages_len, heard);
    ck_assert_uint_eq(rig_count("net_dropped_deaf"), 0);
    close(fd);
}
END_TEST

/* What is dropped unheard ends somewhere, too. */
START_TEST(nothing_is_read_behind_a_doubtful_end_of_who_does_not_read)
{
    struct net_conf conf = tcp_plain;
    struct hop flow;
    int fd = tcp_talking(&flow);
    size_t heard;

    conf.queue_bytes = 4 * TCP_LARGE;
    net_set_conf(rig.net, &conf);
    tcp_fill(&flow);
    rig_send(&flow, tcp_large, 1001);
    rig_send(&flow, tcp_large, 1002);
    rig_run_turns(1);
    heard = rig.messages_len;
    rig.doubts = true;
    peer_write(fd, SPAN(TCP_REQUEST TCP_ANSWER));
    rig_run_flows_gone(1);
    ck_assert_uint_eq(rig.messages_len, heard);
    ck_assert_uint_eq(rig_count("net_dropped_deaf"), 1);
    ck_assert_uint_eq(rig_count("conns_bad"), 1);
    close(fd);
}
END_TEST

/* ---------------------------------------------------------------- vanished */

/* Nothing reaches it any more: as a host that lost its power, it does not even acknowledge. */
static void
vanish(int fd)
{
    struct sock_filter nothing = BPF_STMT(BPF_RET | BPF_K, 0);
    struct sock_fprog program = { 1, &nothing };

    ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program), 0);
}

/* What is not acknowledged for 64*T1 ends its connection, and who said it is told. Here 64*T1 is shorter, so that the test is. */
START_TEST(who_vanishes_is_found_out_by_the_kernel)
{
    struct hop flow;
    int fd = tcp_talking(&flow), ours, ms = 0;
    socklen_t len = sizeof ms;

    net_set_conf(rig.net, &tcp_plain);
    ours = our_end(fd);
    ck_assert_int_eq(getsockopt(ours, IPPROTO_TCP, TCP_USER_TIMEOUT, &ms, &len), 0);
    ck_assert_int_eq(ms, 32000);
    ms = 500;
    ck_assert_int_eq(setsockopt(ours, IPPROTO_TCP, TCP_USER_TIMEOUT, &ms, sizeof ms), 0);
    vanish(fd);
    rig_send(&flow, TCP_ANSWER, 7);
    rig_run_flows_gone(1);
    ck_assert(!net_flow_alive(rig.net, flow.flow));
    close(fd);
}
END_TEST

/* Who reads slowly is not deaf: each time that something leaves, the deadline begins anew. */
START_TEST(who_reads_slowly_is_not_closed)
{
    struct net_conf conf = tcp_plain;
    struct hop flow;
    int fd = tcp_talking(&flow), small = 8192;
    uint64_t began_ms;

    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    conf.message_ms = 3000;
    net_set_conf(rig.net, &conf);
    tcp_fill(&flow);
    rig_watch();
    began_ms = rig.clock.now_ms;
    while (rig.clock.now_ms < began_ms + 7000 && rig.flows_gone_len == 0) {
        uint64_t next_ms = rig.clock.now_ms + 50;

        (void)!recv(fd, scrap, sizeof scrap, MSG_DONTWAIT);
        rig_send(&flow, TCP_REQUEST, 0);
        if (rig.clock.now_ms % 300 < 50)
            rig_send(&flow, tcp_large, 0);
        while (rig.clock.now_ms < next_ms)
            rig_run_turns(1);
    }
    ck_assert(rig.flows_gone_len == 0 || !rig_kept_up(1000));
    close(fd);
}
END_TEST

START_TEST(a_retransmission_of_what_waits_is_dropped)
{
    struct hop flow;
    int fd = tcp_talking(&flow);
    uint32_t queued = 0, again = 0;

    net_set_conf(rig.net, &tcp_plain);
    tcp_fill(&flow);
    rig_send(&flow, TCP_REQUEST, 1001);
    rig_run_turns(1);
    net_each_conn(rig.net, note_queued, &queued);
    rig_send(&flow, TCP_REQUEST, 1001);
    rig_run_turns(1);
    net_each_conn(rig.net, note_queued, &again);
    ck_assert_uint_eq(queued, again);
    ck_assert_uint_eq(rig_count("net_dropped_repeat"), 1);
    close(fd);
}
END_TEST

/*
 * Half of the first message has left: its sender is told like the others, in order, before the flow
 * is.
 */
START_TEST(what_waits_when_a_connection_dies_is_told_in_order)
{
    struct hop flow;
    int fd = tcp_talking(&flow);
    struct linger reset = { 1, 0 };
    uint64_t first;

    net_set_conf(rig.net, &tcp_plain);
    first = tcp_fill(&flow);
    for (uint64_t token = first + 1; token < first + 10; token++)
        rig_send(&flow, TCP_REQUEST, token);
    rig_run_turns(1);
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    close(fd);
    rig_run_flows_gone(1);
    ck_assert_uint_eq(rig.gone_len, 10);
    for (size_t i = 0; i < 10; i++) {
        ck_assert_uint_eq(rig.gone[i].token, first + i);
        ck_assert_int_eq(rig.gone[i].err, SIPD_ECLOSED);
    }
    ck_assert_uint_eq(rig.flows_gone[0], flow.flow);
}
END_TEST

Suite *
suite_net_tcp_deaf(void)
{
    Suite *suite = suite_create("net_tcp_deaf");
    TCase *all = rig_case("no room");

    suite_add_tcase(suite, all);
    tcase_add_test(all, what_has_no_room_waits_in_order);
    tcase_add_test(all, what_waits_has_a_ceiling);
    tcase_add_test(all, who_does_not_read_is_not_heard);
    tcase_add_test(all, who_does_not_read_is_not_read);
    tcase_add_test(all, nothing_is_read_behind_a_doubtful_end_of_who_does_not_read);
    all = rig_case("vanished");
    suite_add_tcase(suite, all);
    tcase_add_test(all, who_vanishes_is_found_out_by_the_kernel);
    tcase_add_test(all, who_reads_slowly_is_not_closed);
    tcase_add_test(all, a_retransmission_of_what_waits_is_dropped);
    tcase_add_test(all, what_waits_when_a_connection_dies_is_told_in_order);
    return suite;
}
