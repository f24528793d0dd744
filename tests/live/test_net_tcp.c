/*
 * TCP as it comes: messages cut from a stream, whole, in pieces, too large and bad (RFC 3261 §18.3).
 */
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "live/tcp_rig.h"

Suite *suite_net_tcp(void);

/* ---------------------------------------------------------------- in */

static void
there_and_back(const char *ip)
{
    uint16_t id = rig_listen(HOP_TCP, ip);
    struct hop at = rig_at(id), *from = &rig.messages[0].from;
    int fd = peer_connect(&at);
    struct net_listener_info info;

    rig.on_message = tcp_echo;
    peer_write(fd, SPAN(TCP_REQUEST));
    peer_expect(fd, SPAN(TCP_REQUEST));
    rig_expect(0, SPAN(TCP_REQUEST));
    ck_assert_uint_eq(from->transport, HOP_TCP);
    ck_assert_uint_eq(from->listener, id);
    ck_assert_uint_ne(from->flow, 0);
    ck_assert(net_flow_alive(rig.net, from->flow));
    ck_assert(net_listener(rig.net, id, &info));
    ck_assert_uint_eq(info.received, 1);
    ck_assert_uint_eq(info.sent, 1);
    ck_assert_uint_eq(rig_count("net_received"), 1);
    ck_assert_uint_eq(rig_count("net_sent"), 1);
    ck_assert_uint_eq(rig_count("conns_accepted"), 1);
    close(fd);
    rig_run_flows_gone(1);
    ck_assert_uint_eq(rig.flows_gone[0], from->flow);
    ck_assert_uint_eq(rig_count("conns_closed"), 1);
}

START_TEST(a_message_comes_and_an_answer_goes)
{
    there_and_back("127.0.0.1");
}
END_TEST

START_TEST(the_same_over_ipv6)
{
    if (rig_has_ipv6())
        there_and_back("::1");
}
END_TEST

START_TEST(several_messages_in_one_read_come_in_one_turn)
{
    struct hop at = rig_at(rig_listen(HOP_TCP, "127.0.0.1"));
    int fd = peer_connect(&at);

    rig.on_message = tcp_answer;
    peer_write(fd, SPAN("\r\n" TCP_REQUEST TCP_ANSWER "\r\n\r\n" TCP_REQUEST));
    peer_expect(fd, SPAN(TCP_ANSWER TCP_ANSWER TCP_ANSWER "\r\n"));
    rig_expect(0, SPAN(TCP_REQUEST));
    rig_expect(1, SPAN(TCP_ANSWER));
    rig_expect(2, SPAN(TCP_REQUEST));
    close(fd);
}
END_TEST

START_TEST(a_message_in_pieces_is_put_together)
{
    struct hop at = rig_at(rig_listen(HOP_TCP, "127.0.0.1"));
    int fd = peer_connect(&at);
    struct span two = SPAN(TCP_REQUEST TCP_ANSWER);

    for (size_t cut = 1; cut < two.len; cut++) {
        size_t before = rig.messages_len;

        peer_write(fd, span_head(two, cut));
        rig_run_turns(3);
        peer_write(fd, span_skip(two, cut));
        rig_run_messages(before + 2);
        rig_expect(before, SPAN(TCP_REQUEST));
        rig_expect(before + 1, SPAN(TCP_ANSWER));
    }
    close(fd);
}
END_TEST

static struct span
large_message(size_t body_len)
{
    char *bytes = mem_new(body_len + 200);
    int head = snprintf(bytes, 200,
                        "MESSAGE sip:example.com SIP/2.0\r\nContent-Length: %zu\r\n\r\n", body_len);

    for (size_t i = 0; i < body_len; i++)
        bytes[(size_t)head + i] = (char)('a' + i % 26);
    return (struct span){ bytes, (size_t)head + body_len };
}

START_TEST(a_large_message_in_many_pieces_is_put_together)
{
    struct hop at = rig_at(rig_listen(HOP_TCP, "127.0.0.1"));
    int fd = peer_connect(&at);
    struct span large = large_message(65000);

    for (size_t sent = 0; sent < large.len; sent += 1000) {
        peer_write(fd, span_head(span_skip(large, sent), 1000));
        rig_run_turns(1);
    }
    rig_run_messages(1);
    rig_expect(0, large);
    mem_free((void *)(uintptr_t)large.at);
    close(fd);
}
END_TEST

/* More than a turn has room for, of many peers at once. */
START_TEST(much_at_once_takes_several_turns)
{
    enum { PEERS = 20, EACH = 3 };
    struct hop at = rig_at(rig_listen(HOP_TCP, "127.0.0.1"));
    struct span large = large_message(60000);
    int fds[PEERS];

    net_set_conf(rig.net, &tcp_plain);
    for (int i = 0; i < PEERS; i++) {
        fds[i] = peer_connect(&at);
        for (int n = 0; n < EACH; n++)
            peer_write(fds[i], large);
    }
    rig_run_messages(PEERS * EACH);
    for (size_t i = 0; i < PEERS * EACH; i++)
        rig_expect(i, large);
    for (int i = 0; i < PEERS; i++)
        close(fds[i]);
    mem_free((void *)(uintptr_t)large.at);
}
END_TEST

static void
compute(struct rig *r, const struct hop *from, struct span bytes)
{
    rig_compute_each(1000);
    net_send(r->net, from, bytes, 0);
}

/* One segment with more than a turn can do: the rest comes in the next ones, though nothing more is read, and is answered. */
START_TEST(what_is_too_much_for_a_turn_comes_in_the_next)
{
    enum { PEERS = 3, MANY = 20 };
    struct hop at = rig_at(rig_listen(HOP_TCP, "127.0.0.1"));
    int fds[PEERS];
    struct buf text;
    size_t last[PEERS] = { 0 };

    rig.on_message = compute;
    buf_init(&text, 65536);
    for (int i = 0; i < MANY; i++)
        buf_printf(&text, "OPTIONS sip:%d SIP/2.0\r\n\r\n", i);
    for (int i = 0; i < PEERS; i++) {
        fds[i] = peer_connect(&at);
        peer_write(fds[i], buf_span(&text));
        shutdown(fds[i], SHUT_WR);
    }
    rig_run_messages(PEERS * MANY);
    for (size_t i = 0; i < rig.messages_len; i++) {
        size_t *next = &last[rig.messages[i].from.flow % PEERS];

        ck_assert_uint_eq(strtoul(rig.messages[i].bytes + strlen("OPTIONS sip:"), NULL, 10),
                          (*next)++);
    }
    for (int i = 0; i < PEERS; i++) {
        ck_assert_uint_eq(last[i], MANY);
        peer_expect(fds[i], buf_span(&text));
        peer_expect_end(fds[i]);
        close(fds[i]);
    }
    ck_assert_uint_lt(rig_busiest(), 10);
    ck_assert_uint_eq(rig_count("conns_cut"), 0);
    buf_fini(&text);
}
END_TEST

static uint64_t at_rest;

/* The rig's own copies do not count. */
static bool
holds_one_more(struct rig *r)
{
    return mem_live() - r->messages_len == at_rest + 1;
}

static bool
holds_nothing(struct rig *r)
{
    return mem_live() - r->messages_len == at_rest;
}

START_TEST(a_connection_at_rest_holds_no_buffer)
{
    struct hop flow;
    int fd = tcp_talking(&flow);

    rig_run_turns(2);
    at_rest = mem_live() - rig.messages_len;
    peer_write(fd, span_head(SPAN(TCP_REQUEST), 20));
    rig_run(holds_one_more);
    peer_write(fd, span_skip(SPAN(TCP_REQUEST), 20));
    rig_run_messages(2);
    rig_run(holds_nothing);
    close(fd);
}
END_TEST

START_TEST(a_ping_is_answered)
{
    struct hop at = rig_at(rig_listen(HOP_TCP, "127.0.0.1"));
    int fd = peer_connect(&at);

    peer_write(fd, SPAN("\r\n\r\n"));
    peer_expect(fd, SPAN("\r\n"));
    peer_write(fd, SPAN("\r\n\r\n"));
    peer_expect(fd, SPAN("\r\n"));
    ck_assert_uint_eq(rig.messages_len, 0);
    ck_assert_uint_eq(rig_count("net_sent"), 0);
    close(fd);
}
END_TEST

/* ---------------------------------------------------------------- bad bytes */

START_TEST(noise_ends_a_connection)
{
    struct hop at = rig_at(rig_listen(HOP_TCP, "127.0.0.1"));
    int fd = peer_connect(&at);

    peer_write(fd, SPAN("\x16\x03\x01\x02\x00\x01\xfc\x03\x03"));
    peer_expect_end(fd);
    ck_assert_uint_eq(rig.messages_len, 0);
    ck_assert_uint_eq(rig_count("conns_bad"), 1);
    rig_run_flows_gone(1);
    close(fd);
}
END_TEST

/* What can be answered is, and the answer arrives though the peer goes on talking. */
START_TEST(a_bad_content_length_is_answered_before_the_end)
{
    struct hop at = rig_at(rig_listen(HOP_TCP, "127.0.0.1"));
    int fd = peer_connect(&at);
    struct span noise = large_message(60000);

    rig.on_message = tcp_answer;
    peer_write(fd, SPAN("OPTIONS sip:a SIP/2.0\r\nContent-Length: x\r\n\r\n"));
    peer_write(fd, noise);
    peer_expect(fd, SPAN(TCP_ANSWER));
    peer_expect_end(fd);
    rig_expect(0, SPAN("OPTIONS sip:a SIP/2.0\r\nContent-Length: x\r\n\r\n"));
    ck_assert_uint_eq(rig.messages[0].fault, 400);
    ck_assert(!net_flow_alive(rig.net, rig.messages[0].from.flow));
    rig_run_flows_gone(1);
    close(fd);
    mem_free((void *)(uintptr_t)noise.at);
}
END_TEST

/* The end of a message is in doubt: it is answered, and what follows is not read. */
START_TEST(nothing_is_read_behind_a_doubtful_end)
{
    struct hop at = rig_at(rig_listen(HOP_TCP, "127.0.0.1"));
    int fd = peer_connect(&at);

    rig.on_message = tcp_answer;
    rig.doubts = true;
    peer_write(fd, SPAN("OPTIONS sip:a SIP/2.0\r\n\r\nOPTIONS sip:b SIP/2.0\r\n\r\n"));
    peer_expect(fd, SPAN(TCP_ANSWER));
    peer_expect_end(fd);
    ck_assert_uint_eq(rig.messages_len, 1);
    rig_expect(0, SPAN("OPTIONS sip:a SIP/2.0\r\n\r\n"));
    ck_assert_uint_eq(rig_count("conns_bad"), 1);
    ck_assert(!net_flow_alive(rig.net, rig.messages[0].from.flow));
    close(fd);
}
END_TEST

static void
fails_as_too_large(const char *text, uint16_t fault)
{
    struct net_conf conf = tcp_plain;
    struct hop at = rig_at(rig_listen(HOP_TCP, "127.0.0.1"));
    int fd = peer_connect(&at);

    conf.message_bytes = 1000;
    net_set_conf(rig.net, &conf);
    peer_write(fd, span_of(text));
    peer_expect_end(fd);
    ck_assert_uint_eq(rig.messages_len, 1);
    ck_assert_uint_eq(rig.messages[0].fault, fault);
    close(fd);
}

START_TEST(a_message_over_the_limit_is_413)
{
    fails_as_too_large("OPTIONS sip:a SIP/2.0\r\nContent-Length: 2000\r\n\r\n", 413);
}
END_TEST

/* What came of it is handed on: its Via may stand there. */
START_TEST(a_head_over_the_limit_is_513)
{
    char head[1500] = "OPTIONS sip:a SIP/2.0\r\nSubject: ";

    memset(head + strlen(head), 'x', sizeof head - 1 - strlen(head));
    fails_as_too_large(head, 513);
    rig_expect(0, SPAN("OPTIONS sip:a SIP/2.0\r\n"));
}
END_TEST

Suite *
suite_net_tcp(void)
{
    Suite *suite = suite_create("net_tcp");
    TCase *all = rig_case("in");

    suite_add_tcase(suite, all);
    tcase_add_test(all, a_message_comes_and_an_answer_goes);
    tcase_add_test(all, the_same_over_ipv6);
    tcase_add_test(all, several_messages_in_one_read_come_in_one_turn);
    tcase_add_test(all, a_message_in_pieces_is_put_together);
    tcase_add_test(all, a_large_message_in_many_pieces_is_put_together);
    tcase_add_test(all, much_at_once_takes_several_turns);
    tcase_add_test(all, what_is_too_much_for_a_turn_comes_in_the_next);
    tcase_add_test(all, a_connection_at_rest_holds_no_buffer);
    tcase_add_test(all, a_ping_is_answered);
    all = rig_case("bad bytes");
    suite_add_tcase(suite, all);
    tcase_add_test(all, noise_ends_a_connection);
    tcase_add_test(all, a_bad_content_length_is_answered_before_the_end);
    tcase_add_test(all, nothing_is_read_behind_a_doubtful_end);
    tcase_add_test(all, a_message_over_the_limit_is_413);
    tcase_add_test(all, a_head_over_the_limit_is_513);
    return suite;
}
