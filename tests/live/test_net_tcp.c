/*
 * Connections over real sockets of the loopback: reuse, framing, order, limits, ends (RFC 3261 §18,
 * RFC 5626 §4.4.1).
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "live/net_rig.h"
#include "live/proc.h"
#include "net/sock.h"
#include "unit/must.h"

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

#define REQUEST "OPTIONS sip:example.com SIP/2.0\r\nContent-Length: 4\r\n\r\nbody"
#define ANSWER  "SIP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n"

static const struct net_conf plain = {
    .connections = 100,
    .message_bytes = 65535,
    .idle_ms = 60000,
    .message_ms = 60000,
    .connect_ms = 60000,
    .queue_bytes = 1 << 20,
};

static void
echo(struct rig *r, const struct hop *from, struct span bytes)
{
    net_send(r->net, from, bytes, 0);
}

static void
answer(struct rig *r, const struct hop *from, struct span bytes)
{
    (void)bytes;
    net_send(r->net, from, SPAN(ANSWER), 0);
}

/* A listener of ours, and a connection to it that has said something. */
static int
connected(struct hop *flow)
{
    struct hop at = rig_at(rig_listen(HOP_TCP, "127.0.0.1"));
    int fd = peer_connect(&at);

    peer_write(fd, SPAN(REQUEST));
    rig_run_messages(1);
    *flow = rig.messages[0].from;
    return fd;
}

/* ---------------------------------------------------------------- in */

static void
there_and_back(const char *ip)
{
    uint16_t id = rig_listen(HOP_TCP, ip);
    struct hop at = rig_at(id), *from = &rig.messages[0].from;
    int fd = peer_connect(&at);
    struct net_listener_info info;

    rig.on_message = echo;
    peer_write(fd, SPAN(REQUEST));
    peer_expect(fd, SPAN(REQUEST));
    rig_expect(0, SPAN(REQUEST));
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

    rig.on_message = answer;
    peer_write(fd, SPAN("\r\n" REQUEST ANSWER "\r\n\r\n" REQUEST));
    peer_expect(fd, SPAN(ANSWER ANSWER ANSWER "\r\n"));
    rig_expect(0, SPAN(REQUEST));
    rig_expect(1, SPAN(ANSWER));
    rig_expect(2, SPAN(REQUEST));
    close(fd);
}
END_TEST

START_TEST(a_message_in_pieces_is_put_together)
{
    struct hop at = rig_at(rig_listen(HOP_TCP, "127.0.0.1"));
    int fd = peer_connect(&at);
    struct span two = SPAN(REQUEST ANSWER);

    for (size_t cut = 1; cut < two.len; cut++) {
        size_t before = rig.messages_len;

        peer_write(fd, span_head(two, cut));
        rig_run_turns(3);
        peer_write(fd, span_skip(two, cut));
        rig_run_messages(before + 2);
        rig_expect(before, SPAN(REQUEST));
        rig_expect(before + 1, SPAN(ANSWER));
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

    net_set_conf(rig.net, &plain);
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
    int fd = connected(&flow);

    rig_run_turns(2);
    at_rest = mem_live() - rig.messages_len;
    peer_write(fd, span_head(SPAN(REQUEST), 20));
    rig_run(holds_one_more);
    peer_write(fd, span_skip(SPAN(REQUEST), 20));
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

    rig.on_message = answer;
    peer_write(fd, SPAN("OPTIONS sip:a SIP/2.0\r\nContent-Length: x\r\n\r\n"));
    peer_write(fd, noise);
    peer_expect(fd, SPAN(ANSWER));
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

    rig.on_message = answer;
    rig.doubts = true;
    peer_write(fd, SPAN("OPTIONS sip:a SIP/2.0\r\n\r\nOPTIONS sip:b SIP/2.0\r\n\r\n"));
    peer_expect(fd, SPAN(ANSWER));
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
    struct net_conf conf = plain;
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

/* ---------------------------------------------------------------- out */

static bool
connection_waits(struct rig *r)
{
    int fd = accept4(r->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

    if (fd < 0)
        return false;
    *(int *)r->arg = fd;
    return true;
}

/* A listening peer. */
static int
peer_listen(struct hop *at)
{
    uint16_t port;
    int fd = peer_new(SOCK_STREAM, "127.0.0.1", &port);

    ck_assert_int_eq(listen(fd, 10), 0);
    *at = rig_hop(HOP_TCP, "127.0.0.1", port);
    return fd;
}

static int
run_to_accept(int listening)
{
    int fd = -1;

    rig.fd = listening;
    rig.arg = &fd;
    rig_run(connection_waits);
    return fd;
}

START_TEST(a_connection_is_opened_and_used_again)
{
    uint16_t id = rig_listen(HOP_TCP, "127.0.0.1");
    struct hop to;
    int listening = peer_listen(&to), fd;
    struct net_listener_info info;
    struct way way;

    ck_assert_int_eq(net_way(rig.net, &to, 500, &way), SIPD_OK);
    ck_assert_uint_eq(way.to.flow, 0);
    ck_assert_uint_eq(way.to.listener, id);
    ck_assert(net_listener(rig.net, id, &info));
    ck_assert(span_eq(way.sent_by, info.sent_by));
    rig_send(&to, REQUEST, 1);
    rig_send(&way.to, ANSWER, 2); /* by the connection that is being opened */
    fd = run_to_accept(listening);
    peer_expect(fd, SPAN(REQUEST ANSWER));
    ck_assert_int_eq(net_way(rig.net, &to, 500, &way), SIPD_OK);
    ck_assert_uint_ne(way.to.flow, 0);
    ck_assert(net_flow_alive(rig.net, way.to.flow));
    rig_send(&to, ANSWER, 3);
    rig_send(&way.to, REQUEST, 4);
    peer_expect(fd, SPAN(ANSWER REQUEST));
    peer_write(fd, SPAN(ANSWER));
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
    int fd = connected(&flow);
    struct way way;

    to = rig_hop(HOP_TCP, "127.0.0.1", flow.port);
    ck_assert_int_eq(net_way(rig.net, &to, 500, &way), SIPD_OK);
    ck_assert_uint_eq(way.to.flow, flow.flow);
    rig_send(&to, ANSWER, 1);
    peer_expect(fd, SPAN(ANSWER));
    close(fd);
}
END_TEST

/* A flow is that connection and no other (RFC 5626 §5.3); its number beside another address is of an earlier process. */
START_TEST(a_flow_that_is_gone_is_not_replaced)
{
    struct hop flow, to;
    int fd = connected(&flow), listening = peer_listen(&to);
    struct way way;

    to.flow = flow.flow;
    ck_assert_int_eq(net_way(rig.net, &to, 500, &way), SIPD_ECLOSED);
    rig_send(&to, REQUEST, 4);
    rig_run_gone(1);
    ck_assert_uint_eq(rig.gone[0].token, 4);
    ck_assert_int_eq(net_way(rig.net, &flow, 500, &way), SIPD_OK);
    ck_assert(hop_eq(&way.to, &flow));
    close(fd);
    rig_run_flows_gone(1);
    ck_assert_int_eq(net_way(rig.net, &flow, 500, &way), SIPD_ECLOSED);
    rig_send(&flow, REQUEST, 5);
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
    int listening = peer_listen(&to);

    close(listening);
    rig_listen(HOP_TCP, "127.0.0.1");
    for (uint64_t token = 1; token <= 3; token++)
        rig_send(&to, REQUEST, token);
    rig_send(&to, REQUEST, 0);
    rig_run_gone(3);
    for (size_t i = 0; i < 3; i++) {
        ck_assert_uint_eq(rig.gone[i].token, i + 1);
        ck_assert_int_ne(rig.gone[i].err, SIPD_OK);
    }
    ck_assert_uint_eq(rig_count("conns_failed"), 1);
    rig_run_turns(1);
    ck_assert_uint_eq(rig.flows_gone_len, 1);
    rig_send(&to, REQUEST, 4); /* tried anew */
    rig_run_gone(4);
    ck_assert_uint_eq(rig_count("conns_failed"), 2);
}
END_TEST

/* A backlog that is full lets no connect through. */
START_TEST(a_connect_has_a_deadline)
{
    struct net_conf conf = plain;
    uint16_t port;
    int listening = peer_new(SOCK_STREAM, "127.0.0.1", &port), first;
    struct hop to = rig_hop(HOP_TCP, "127.0.0.1", port);
    struct way way;

    conf.connect_ms = 50;
    net_set_conf(rig.net, &conf);
    ck_assert_int_eq(listen(listening, 0), 0);
    first = peer_connect(&to);
    rig_listen(HOP_TCP, "127.0.0.1");
    rig_send(&to, REQUEST, 1);
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

/* ---------------------------------------------------------------- a peer that does not read */

enum { LARGE = 60000 };

static char large_text[LARGE + 1];

static void
make_large(void)
{
    int head = snprintf(large_text, sizeof large_text,
                        "MESSAGE sip:a SIP/2.0\r\nContent-Length: 59900\r\n\r\n");

    memset(large_text + head, 'x', sizeof large_text - 1 - (size_t)head);
}

/*
 * Sends until something waits, and goes on waiting: the kernel makes its room larger as acknowledgements come, which may be late.
 * Returns how many messages were sent.
 */
static uint64_t
fill(const struct hop *to)
{
    enum { SETTLED_TURNS = 30 };
    uint64_t token = 0;

    make_large();
    for (unsigned settled = 0; settled < SETTLED_TURNS;) {
        if (rig_count("net_sent") == token) {
            rig_send(to, large_text, ++token);
            ck_assert_uint_lt(token, 1000);
            settled = 0;
        }
        rig_run_turns(1);
        settled++;
    }
    return token;
}

START_TEST(what_has_no_room_waits_in_order)
{
    struct hop flow;
    int fd = connected(&flow);
    static char all[1 << 20];
    uint64_t tokens = 0;
    size_t len = 0;

    net_set_conf(rig.net, &plain);
    tokens = fill(&flow);
    rig_send(&flow, REQUEST, 1001);
    rig_run_turns(1);
    rig_send(&flow, ANSWER, 1002);
    rig_send(&flow, REQUEST, 1003);
    for (uint64_t i = 0; i < tokens; i++) {
        while (len < LARGE) {
            ssize_t n = recv(fd, all + len, LARGE - len, MSG_DONTWAIT);

            ck_assert(n > 0 || (n < 0 && errno == EAGAIN));
            len += n > 0 ? (size_t)n : 0;
            rig_run_turns(1);
        }
        must(memcmp(all, large_text, LARGE) == 0);
        len = 0;
    }
    peer_expect(fd, SPAN(REQUEST ANSWER REQUEST));
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
    struct net_conf conf = plain;
    struct hop flow;
    int fd = connected(&flow);
    struct way way;
    uint32_t queued = 0;
    uint64_t first;

    conf.queue_bytes = 2 * LARGE;
    net_set_conf(rig.net, &conf);
    first = fill(&flow);
    rig_send(&flow, large_text, first + 1); /* fits */
    rig_send(&flow, large_text, first + 2); /* does not */
    rig_run_gone(1);
    ck_assert_uint_eq(rig.gone[0].token, first + 2);
    ck_assert_int_eq(rig.gone[0].err, SIPD_EFULL);
    ck_assert_int_eq(net_way(rig.net, &flow, 1, &way), SIPD_EFULL);
    net_each_conn(rig.net, note_queued, &queued);
    ck_assert_uint_eq(queued, 2 * LARGE);
    ck_assert_uint_eq(rig_count("net_dropped_full"), 1);
    close(fd);
}
END_TEST

/* Who reads nothing is not answered for long: what he asks is dropped, what he answers is heard, and in the end he is closed. */
START_TEST(who_does_not_read_is_not_heard)
{
    struct net_conf conf = plain;
    struct hop flow;
    int fd = connected(&flow);
    size_t heard;

    conf.queue_bytes = 4 * LARGE;
    conf.message_ms = 3000;
    net_set_conf(rig.net, &conf);
    fill(&flow);
    heard = rig.messages_len;
    peer_write(fd, SPAN(REQUEST));
    rig_run_messages(heard + 1); /* a little may wait */
    rig_send(&flow, large_text, 1001);
    rig_send(&flow, large_text, 1002);
    rig_run_turns(1);
    peer_write(fd, SPAN(REQUEST ANSWER REQUEST));
    rig_run_messages(heard + 2);
    rig_expect(heard + 1, SPAN(ANSWER));
    ck_assert_uint_eq(rig_count("net_dropped_deaf"), 2);
    rig_run_flows_gone(1);
    ck_assert_uint_eq(rig_count("conns_deaf"), 1);
    close(fd);
}
END_TEST

/* What is dropped unheard ends somewhere, too. */
START_TEST(nothing_is_read_behind_a_doubtful_end_of_who_does_not_read)
{
    struct net_conf conf = plain;
    struct hop flow;
    int fd = connected(&flow);
    size_t heard;

    conf.queue_bytes = 4 * LARGE;
    net_set_conf(rig.net, &conf);
    fill(&flow);
    rig_send(&flow, large_text, 1001);
    rig_send(&flow, large_text, 1002);
    rig_run_turns(1);
    heard = rig.messages_len;
    rig.doubts = true;
    peer_write(fd, SPAN(REQUEST ANSWER));
    rig_run_flows_gone(1);
    ck_assert_uint_eq(rig.messages_len, heard);
    ck_assert_uint_eq(rig_count("net_dropped_deaf"), 1);
    ck_assert_uint_eq(rig_count("conns_bad"), 1);
    close(fd);
}
END_TEST

/* ---------------------------------------------------------------- peers that vanish */

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
    int fd = connected(&flow), ours, ms = 0;
    socklen_t len = sizeof ms;

    net_set_conf(rig.net, &plain);
    ours = our_end(fd);
    ck_assert_int_eq(getsockopt(ours, IPPROTO_TCP, TCP_USER_TIMEOUT, &ms, &len), 0);
    ck_assert_int_eq(ms, 32000);
    ms = 500;
    ck_assert_int_eq(setsockopt(ours, IPPROTO_TCP, TCP_USER_TIMEOUT, &ms, sizeof ms), 0);
    vanish(fd);
    rig_send(&flow, ANSWER, 7);
    rig_run_flows_gone(1);
    ck_assert(!net_flow_alive(rig.net, flow.flow));
    close(fd);
}
END_TEST

/* Who reads slowly is not deaf: each time that something leaves, the deadline begins anew. */
START_TEST(who_reads_slowly_is_not_closed)
{
    static char scrap[LARGE];
    struct net_conf conf = plain;
    struct hop flow;
    int fd = connected(&flow), small = 8192;
    uint64_t began_ms;

    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    conf.message_ms = 3000;
    net_set_conf(rig.net, &conf);
    fill(&flow);
    rig_watch();
    began_ms = rig.clock.now_ms;
    while (rig.clock.now_ms < began_ms + 7000 && rig.flows_gone_len == 0) {
        uint64_t next_ms = rig.clock.now_ms + 50;

        (void)!recv(fd, scrap, sizeof scrap, MSG_DONTWAIT);
        rig_send(&flow, REQUEST, 0);
        if (rig.clock.now_ms % 300 < 50)
            rig_send(&flow, large_text, 0);
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
    int fd = connected(&flow);
    uint32_t queued = 0, again = 0;

    net_set_conf(rig.net, &plain);
    fill(&flow);
    rig_send(&flow, REQUEST, 1001);
    rig_run_turns(1);
    net_each_conn(rig.net, note_queued, &queued);
    rig_send(&flow, REQUEST, 1001);
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
    int fd = connected(&flow);
    struct linger reset = { 1, 0 };
    uint64_t first;

    net_set_conf(rig.net, &plain);
    first = fill(&flow);
    for (uint64_t token = first + 1; token < first + 10; token++)
        rig_send(&flow, REQUEST, token);
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

/* ---------------------------------------------------------------- ends */

START_TEST(who_says_that_no_more_comes_is_answered)
{
    struct hop at = rig_at(rig_listen(HOP_TCP, "127.0.0.1"));
    int fd = peer_connect(&at);

    rig.on_message = answer;
    peer_write(fd, SPAN(REQUEST REQUEST));
    ck_assert_int_eq(shutdown(fd, SHUT_WR), 0);
    peer_expect(fd, SPAN(ANSWER ANSWER));
    peer_expect_end(fd);
    rig_run_flows_gone(1);
    close(fd);
}
END_TEST

START_TEST(what_waits_leaves_before_the_end)
{
    struct hop flow;
    int fd = connected(&flow);
    static char scrap[LARGE];
    uint64_t tokens, all = 0;
    ssize_t len;

    net_set_conf(rig.net, &plain);
    tokens = fill(&flow);
    ck_assert_int_eq(shutdown(fd, SHUT_WR), 0);
    rig_run_flows_gone(1);
    ck_assert(!net_flow_alive(rig.net, flow.flow));
    while ((len = recv(fd, scrap, sizeof scrap, MSG_DONTWAIT)) != 0) {
        ck_assert(len > 0 || errno == EAGAIN);
        all += len > 0 ? (uint64_t)len : 0;
        rig_run_turns(1);
    }
    ck_assert_uint_eq(all, tokens * LARGE);
    ck_assert_uint_eq(rig.gone_len, 0);
    close(fd);
}
END_TEST

START_TEST(a_slow_message_ends_its_connection)
{
    struct net_conf conf = plain;
    struct hop at = rig_at(rig_listen(HOP_TCP, "127.0.0.1"));
    int fd = peer_connect(&at);
    struct span text = SPAN(REQUEST);
    uint64_t began_ms;

    conf.message_ms = 60;
    net_set_conf(rig.net, &conf);
    peer_write(fd, SPAN(REQUEST)); /* whole: never too slow */
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
    struct net_conf conf = plain;
    struct hop at = rig_at(rig_listen(HOP_TCP, "127.0.0.1"));
    int fd;
    uint64_t last_ms;

    conf.idle_ms = IDLE_MS;
    net_set_conf(rig.net, &conf);
    fd = peer_connect(&at);
    peer_write(fd, SPAN(REQUEST));
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
    int fd = connected(&flow);

    rig_send(&flow, ANSWER, 1);
    ck_assert(net_close(rig.net, flow.flow));
    ck_assert(net_close(rig.net, flow.flow)); /* still there until the turn's end */
    peer_expect(fd, SPAN(ANSWER));
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
    peer_write(fd, SPAN(REQUEST REQUEST REQUEST));
    rig_run_flows_gone(1);
    ck_assert_uint_eq(rig.messages_len, 1);
    close(fd);
}
END_TEST

START_TEST(connections_outlive_their_listener)
{
    struct hop flow, at;
    int fd = connected(&flow);
    struct net_listener_info info;
    struct way way;

    at = rig_at(flow.listener);
    net_unlisten(rig.net, flow.listener);
    rig_run_turns(2);
    ck_assert(!net_is_local(rig.net, &at));
    ck_assert_int_eq(net_way(rig.net, &flow, 500, &way), SIPD_OK);
    ck_assert_uint_gt(way.sent_by.len, 0);
    ck_assert(net_listener(rig.net, flow.listener, &info));
    rig_send(&way.to, ANSWER, 1);
    peer_expect(fd, SPAN(ANSWER));
    peer_write(fd, SPAN(REQUEST));
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
    struct net_conf conf = plain;
    struct hop at = rig_at(rig_listen(HOP_TCP, "127.0.0.1")), to;
    int one, two, listening = peer_listen(&to);
    struct way way;

    conf.connections = 1;
    net_set_conf(rig.net, &conf);
    one = peer_connect(&at);
    peer_write(one, SPAN(REQUEST));
    rig_run_messages(1);
    two = peer_connect(&at);
    peer_expect_end(two);
    ck_assert_uint_eq(rig_count("conns_over_limit"), 1);
    ck_assert_int_eq(net_way(rig.net, &to, 500, &way), SIPD_EFULL);
    rig_send(&to, REQUEST, 1);
    rig_run_gone(1);
    ck_assert_int_eq(rig.gone[0].err, SIPD_EFULL);
    peer_write(one, SPAN(REQUEST));
    rig_run_messages(2);
    close(one);
    rig_run_flows_gone(1);
    rig_run_turns(1);
    close(two);
    two = peer_connect(&at); /* there is room again */
    peer_write(two, SPAN(REQUEST));
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
    peer_write(other, SPAN(REQUEST));
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
    int fd = connected(&flow);
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
    struct net_conf conf = plain;
    struct hop at = rig_at(rig_listen(HOP_TCP, "127.0.0.1"));
    int fds[MANY];

    conf.connections = MANY;
    net_set_conf(rig.net, &conf);
    rig.on_message = echo;
    for (int i = 0; i < MANY; i++) {
        fds[i] = peer_connect(&at);
        peer_write(fds[i], SPAN(REQUEST));
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

/* ---------------------------------------------------------------- other threads */

enum { POSTS = 1000, THREADS = 3 };

static unsigned posted[THREADS];

static void
run_posted(void *arg)
{
    uintptr_t value = (uintptr_t)arg;

    ck_assert_uint_eq(posted[value / POSTS], value % POSTS); /* each thread's in its order */
    posted[value / POSTS]++;
}

static void *
post_many(void *arg)
{
    uintptr_t thread = (uintptr_t)arg;

    for (uintptr_t i = 0; i < POSTS; i++)
        while (net_post(rig.net, run_posted, (void *)(thread * POSTS + i)) != SIPD_OK)
            ;
    return NULL;
}

static bool
all_posted(struct rig *r)
{
    (void)r;
    for (int i = 0; i < THREADS; i++)
        if (posted[i] < POSTS)
            return false;
    return true;
}

START_TEST(other_threads_post)
{
    pthread_t threads[THREADS];

    for (uintptr_t i = 0; i < THREADS; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, post_many, (void *)i), 0);
    rig_run(all_posted);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    ck_assert_int_eq(net_post(rig.net, run_posted, NULL), SIPD_OK); /* never run, but given back */
}
END_TEST

/* ---------------------------------------------------------------- turns */

static bool
busy_once(struct rig *r)
{
    volatile uint64_t work = 0;

    if (rig_count("turn_late") == 0)
        for (uint64_t i = 0; i < 100000000; i++)
            work += i;
    (void)work;
    return rig_count("turn_late") > 0 && r->turns > 1;
}

START_TEST(a_long_turn_is_counted)
{
    rig_run(busy_once);
    ck_assert_uint_ge(rig_count("turn_late"), 1);
}
END_TEST

static bool
sleep_once(struct rig *r)
{
    struct timespec some = { .tv_nsec = 2000000 };

    if (rig_count("turn_slept") == 0)
        nanosleep(&some, NULL);
    return rig_count("turn_slept") > 0 && r->turns > 1;
}

START_TEST(a_turn_that_sleeps_is_counted)
{
    rig_run(sleep_once);
    ck_assert_uint_ge(rig_count("turn_slept"), 1);
}
END_TEST

/* A machine that has no memory left, or does another's work in our time, may make one so: not each time. */
START_TEST(a_turn_that_does_neither_is_not)
{
    enum { TRIES = 5 };
    struct hop flow;
    int fd = connected(&flow);
    uint64_t before, after = 1;

    before = 0;
    for (unsigned i = 0; i < TRIES && after != before; i++) {
        before = rig_count("turn_late") + rig_count("turn_slept");
        rig_run_turns(100);
        after = rig_count("turn_late") + rig_count("turn_slept");
    }
    ck_assert_uint_eq(after, before);
    close(fd);
}
END_TEST

static volatile const char *page;

static uint64_t fetch_at;

/* In a turn that has waited for something, so that the kernel was asked at its beginning. */
static bool
fetch_once(struct rig *r)
{
    if (r->turns == fetch_at)
        (void)*page;
    return r->turns > fetch_at;
}

/* Whose page of a file is not in memory waits for the disk, and has done nothing for it. */
START_TEST(a_turn_that_waits_for_a_page_is_not)
{
    enum { TRIES = 5 };
    uint64_t before, after = 1;
    char path[300];
    int fd;

    snprintf(path, sizeof path, "%s", proc_file("page", "%4096d", 1));
    fd = open(path, O_RDONLY | O_CLOEXEC);
    before = 0;
    for (unsigned i = 0; i < TRIES && after != before; i++) {
        (void)fdatasync(fd);
        (void)posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
        page = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);
        ck_assert_ptr_ne((void *)(uintptr_t)page, MAP_FAILED);
        rig_run_turns(3);
        before = rig_count("turn_slept");
        fetch_at = rig.turns + 3;
        rig_run(fetch_once);
        after = rig_count("turn_slept");
        munmap((void *)(uintptr_t)page, 4096);
    }
    ck_assert_uint_eq(after, before);
    close(fd);
}
END_TEST

/* Every allocation of a birth may fail: nothing is left behind. */
START_TEST(a_birth_that_fails_leaves_nothing)
{
    struct net *net;
    uint64_t live = mem_live(), n = 0;
    int err;

    do {
        mem_fail_after(n++);
        err = net_new(&net, &rig.ports, &rig.clock, &rig.counters, &rig.log);
        mem_fail_never();
        if (err == SIPD_OK)
            net_free(&net);
        ck_assert_ptr_null(net);
        ck_assert_uint_eq(mem_live(), live);
    } while (err != SIPD_OK);
    ck_assert_uint_gt(n, 3);
}
END_TEST

/* Every allocation of a busy while may fail: messages may be lost, nothing else. */
START_TEST(memory_may_run_out_anywhere)
{
    struct hop at = rig_at(rig_listen(HOP_TCP, "127.0.0.1")), to, dead, nowhere;
    int listening = peer_listen(&to), fd, gone = peer_listen(&dead);
    struct hop udp = rig_hop(HOP_UDP, "127.0.0.1", 9);

    nowhere = rig_hop(HOP_TCP, "::1", 9);
    close(gone);
    rig_listen(HOP_UDP, "127.0.0.1");
    rig.on_message = echo;
    fd = peer_connect(&at);
    mem_fail_after((uint64_t)_i);
    peer_write(fd, SPAN(REQUEST "OPTIONS sip:a SIP"));
    rig_refuse_sends(ENOBUFS, 1);
    for (uint64_t token = 1; token < 5; token++) {
        rig_send(&to, REQUEST, token);
        rig_send(&dead, REQUEST, token);
        rig_send(&nowhere, REQUEST, token);
        rig_send(&udp, REQUEST, token);
    }
    rig_run_turns(5);
    send(fd, "/2.0\r\n\r\n", 8, MSG_NOSIGNAL);
    rig_run_turns(5);
    mem_fail_never();
    close(fd);
    close(listening);
    rig_run_turns(5);
    ck_assert_uint_le(rig.messages_len, 2);
}
END_TEST

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
    rig_send(&nobody, REQUEST, 1);
    rig_run_gone(1);
    ck_assert_int_eq(net_way(rig.net, &nobody, 100, &way), SIPD_ECLOSED);
    nobody.connect_ms = 0;
    ck_assert_int_eq(net_way(rig.net, &nobody, 100, &way), SIPD_OK);
    /* A backlog that is full answers nobody. */
    ck_assert_int_eq(listen(listening, 0), 0);
    for (size_t i = 0; i < countof(filler); i++)
        filler[i] = peer_new_connecting(&slow);
    rig_send(&slow, REQUEST, 2);
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
    rig_send(&nobody, REQUEST, 1);
    rig_run_gone(1);
    began_ms = rig.clock.now_ms;
    while (net_way(rig.net, &nobody, 100, &way) == SIPD_ECLOSED)
        rig_run_turns(1);
    ck_assert_uint_ge(rig.clock.now_ms, began_ms + 290);
}
END_TEST

Suite *
suite_net_tcp(void)
{
    Suite *suite = suite_create("net_tcp");
    TCase *made = rig_case("in");

    suite_add_tcase(suite, made);
    tcase_add_test(made, a_message_comes_and_an_answer_goes);
    tcase_add_test(made, the_same_over_ipv6);
    tcase_add_test(made, several_messages_in_one_read_come_in_one_turn);
    tcase_add_test(made, a_message_in_pieces_is_put_together);
    tcase_add_test(made, a_large_message_in_many_pieces_is_put_together);
    tcase_add_test(made, much_at_once_takes_several_turns);
    tcase_add_test(made, what_is_too_much_for_a_turn_comes_in_the_next);
    tcase_add_test(made, a_connection_at_rest_holds_no_buffer);
    tcase_add_test(made, a_ping_is_answered);
    tcase_add_test(made, noise_ends_a_connection);
    tcase_add_test(made, a_bad_content_length_is_answered_before_the_end);
    tcase_add_test(made, nothing_is_read_behind_a_doubtful_end);
    tcase_add_test(made, a_message_over_the_limit_is_413);
    tcase_add_test(made, a_head_over_the_limit_is_513);
    made = rig_case("out");
    tcase_add_test(made, a_connection_tried_in_vain_is_not_tried_again_soon);
    tcase_add_test(made, who_took_none_is_tried_again_when_its_rest_is_over);
    suite_add_tcase(suite, made);
    tcase_add_test(made, a_connection_is_opened_and_used_again);
    tcase_add_test(made, an_accepted_connection_is_used_too);
    tcase_add_test(made, a_flow_that_is_gone_is_not_replaced);
    tcase_add_test(made, a_refused_connect_is_told);
    tcase_add_test(made, a_connect_has_a_deadline);
    made = rig_case("no room");
    suite_add_tcase(suite, made);
    tcase_add_test(made, what_has_no_room_waits_in_order);
    tcase_add_test(made, what_waits_has_a_ceiling);
    tcase_add_test(made, who_does_not_read_is_not_heard);
    tcase_add_test(made, nothing_is_read_behind_a_doubtful_end_of_who_does_not_read);
    tcase_add_test(made, who_vanishes_is_found_out_by_the_kernel);
    tcase_add_test(made, who_reads_slowly_is_not_closed);
    tcase_add_test(made, a_retransmission_of_what_waits_is_dropped);
    tcase_add_test(made, what_waits_when_a_connection_dies_is_told_in_order);
    made = rig_case("ends");
    suite_add_tcase(suite, made);
    tcase_add_test(made, who_says_that_no_more_comes_is_answered);
    tcase_add_test(made, what_waits_leaves_before_the_end);
    tcase_add_test(made, a_slow_message_ends_its_connection);
    tcase_add_test(made, an_idle_connection_is_closed);
    tcase_add_test(made, a_connection_is_closed_on_demand);
    tcase_add_test(made, a_connection_may_be_closed_while_it_is_read);
    tcase_add_test(made, connections_outlive_their_listener);
    made = rig_case("limits");
    suite_add_tcase(suite, made);
    tcase_add_test(made, connections_over_the_limit_are_closed_at_once);
    tcase_add_test(made, without_descriptors_peers_are_turned_away);
    tcase_add_test(made, connections_are_listed);
    tcase_add_test(made, many_connections_come_and_go);
    made = rig_case("turns");
    suite_add_tcase(suite, made);
    tcase_add_test(made, other_threads_post);
    tcase_add_test(made, a_long_turn_is_counted);
    tcase_add_test(made, a_turn_that_sleeps_is_counted);
    tcase_add_test(made, a_turn_that_does_neither_is_not);
    tcase_add_test(made, a_turn_that_waits_for_a_page_is_not);
    tcase_add_test(made, a_birth_that_fails_leaves_nothing);
    tcase_add_loop_test(made, memory_may_run_out_anywhere, 0, 60);
    return suite;
}
