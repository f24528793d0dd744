/*
 * Datagrams over real sockets of the loopback (RFC 3261 §18, house rule 17).
 */
#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "live/net_rig.h"
#include "unit/must.h"

static const char request[] = "OPTIONS sip:example.com SIP/2.0\r\nCall-ID: 1\r\n\r\n";
static const char answer[] = "SIP/2.0 200 OK\r\nCall-ID: 1\r\n\r\n";

/* ---------------------------------------------------------------- in and out */

static void
echo(struct rig *r, const struct hop *from, struct span bytes)
{
    net_send(r->net, from, bytes, 0);
}

static void
there_and_back(const char *ip)
{
    uint16_t id = rig_listen(HOP_UDP, ip), port;
    struct hop at = rig_at(id);
    int fd = peer_new(SOCK_DGRAM, ip, &port);
    struct net_listener_info info;

    rig.on_message = echo;
    peer_send(fd, &at, span_of(request));
    peer_expect(fd, span_of(request));
    ck_assert_uint_eq(rig.messages_len, 1);
    rig_expect(0, span_of(request));
    ck_assert_uint_eq(rig.messages[0].from.transport, HOP_UDP);
    ck_assert_uint_eq(rig.messages[0].from.listener, id);
    ck_assert_uint_eq(rig.messages[0].from.flow, 0);
    ck_assert_uint_eq(rig.messages[0].from.port, port);
    ck_assert_uint_eq(rig.messages[0].fault, 0);
    ck_assert_uint_eq(rig_count("net_received"), 1);
    ck_assert_uint_eq(rig_count("net_sent"), 1);
    ck_assert(net_listener(rig.net, id, &info));
    ck_assert_uint_eq(info.received, 1);
    ck_assert_uint_eq(info.sent, 1);
    close(fd);
}

START_TEST(a_datagram_comes_and_an_answer_goes)
{
    there_and_back("127.0.0.1");
}
END_TEST

START_TEST(the_same_over_ipv6)
{
    there_and_back("::1");
}
END_TEST

/* More than a batch, so that it takes several turns. */
START_TEST(many_come_in_order_and_leave_in_order)
{
    enum { MANY = 200 };
    uint16_t id = rig_listen(HOP_UDP, "127.0.0.1"), port;
    struct hop at = rig_at(id);
    int fd = peer_new(SOCK_DGRAM, "127.0.0.1", &port);
    char text[100], heard[100];

    rig.on_message = echo;
    for (int i = 0; i < MANY; i++) {
        int len = snprintf(text, sizeof text, "OPTIONS sip:%d@example.com SIP/2.0\r\n\r\n", i);

        peer_send(fd, &at, (struct span){ text, (size_t)len });
    }
    rig_run_messages(MANY);
    rig_run_turns(1);
    for (int i = 0; i < MANY; i++) {
        int len = snprintf(text, sizeof text, "OPTIONS sip:%d@example.com SIP/2.0\r\n\r\n", i);

        must(recv(fd, heard, sizeof heard, MSG_DONTWAIT) == len);
        must(memcmp(text, heard, (size_t)len) == 0);
        must(span_eq(span_of(text), (struct span){ rig.messages[i].bytes, rig.messages[i].len }));
    }
    close(fd);
}
END_TEST

/* In one turn, more than are sent at once. */
START_TEST(a_turn_may_send_any_number)
{
    enum { MANY = 1000 };
    uint16_t port;
    int fd = peer_new(SOCK_DGRAM, "127.0.0.1", &port), room = 4 << 20;
    struct hop to = rig_hop(HOP_UDP, "127.0.0.1", port);
    char heard[100];
    unsigned came = 0;

    rig_listen(HOP_UDP, "127.0.0.1");
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
    for (int i = 0; i < MANY; i++)
        rig_send(&to, request, 0);
    rig_run_turns(1);
    ck_assert_uint_eq(rig_count("net_sent"), MANY);
    while (recv(fd, heard, sizeof heard, MSG_DONTWAIT) > 0)
        came++;
    ck_assert_uint_gt(came, 128);
    close(fd);
}
END_TEST

static struct span
long_message(size_t len)
{
    char *bytes = mem_new(len);
    static const char head[] = "MESSAGE sip:example.com SIP/2.0\r\n\r\n";

    for (size_t i = 0; i < len; i++)
        bytes[i] = (char)('a' + i % 26);
    memcpy(bytes, head, sizeof head - 1);
    return (struct span){ bytes, len };
}

START_TEST(a_datagram_of_any_length_comes_whole)
{
    static const size_t lens[] = { 2239, 2240, 2241, 4096, 30000, 65507 };
    uint16_t id = rig_listen(HOP_UDP, "127.0.0.1"), port;
    struct hop at = rig_at(id);
    int fd = peer_new(SOCK_DGRAM, "127.0.0.1", &port);

    for (size_t i = 0; i < countof(lens); i++) {
        struct span bytes = long_message(lens[i]);

        peer_send(fd, &at, bytes);
        rig_run_messages(i + 1);
        rig_expect(i, bytes);
        mem_free((void *)(uintptr_t)bytes.at);
    }
    close(fd);
}
END_TEST

START_TEST(a_datagram_larger_than_the_limit_is_handed_on_as_413)
{
    struct net_conf conf = { .connections = 10, .message_bytes = 1000, .queue_bytes = 10000 };
    uint16_t id = rig_listen(HOP_UDP, "127.0.0.1"), port;
    struct hop at = rig_at(id);
    int fd = peer_new(SOCK_DGRAM, "127.0.0.1", &port);
    struct span bytes = long_message(1001);

    net_set_conf(rig.net, &conf);
    peer_send(fd, &at, bytes);
    rig_run_messages(1);
    ck_assert_uint_eq(rig.messages[0].fault, 413);
    mem_free((void *)(uintptr_t)bytes.at);
    close(fd);
}
END_TEST

START_TEST(a_datagram_shorter_than_its_content_length_is_handed_on_as_400)
{
    uint16_t id = rig_listen(HOP_UDP, "127.0.0.1"), port;
    struct hop at = rig_at(id);
    int fd = peer_new(SOCK_DGRAM, "127.0.0.1", &port);

    peer_send(fd, &at, SPAN("OPTIONS sip:a SIP/2.0\r\nContent-Length: 10\r\n\r\nabc"));
    rig_run_messages(1);
    ck_assert_uint_eq(rig.messages[0].fault, 400);
    close(fd);
}
END_TEST

START_TEST(filler_and_noise_are_dropped_and_counted)
{
    uint16_t id = rig_listen(HOP_UDP, "127.0.0.1"), port;
    struct hop at = rig_at(id);
    int fd = peer_new(SOCK_DGRAM, "127.0.0.1", &port);

    peer_send(fd, &at, SPAN("\r\n\r\n"));
    peer_send(fd, &at, SPAN("\r\n"));
    peer_send(fd, &at, SPAN("\0\0\0\0"));
    peer_send(fd, &at, SPAN(""));
    peer_send(fd, &at, SPAN("\x01\x02noise"));
    peer_send(fd, &at, span_of(request));
    rig_run_messages(1);
    rig_expect(0, span_of(request));
    ck_assert_uint_eq(rig_count("net_dropped_keepalive"), 4);
    ck_assert_uint_eq(rig_count("net_dropped_noise"), 1);
    ck_assert_uint_eq(rig_count("net_received"), 1);
    close(fd);
}
END_TEST

/* ---------------------------------------------------------------- what cannot be delivered */

static uint16_t
closed_port(const char *ip)
{
    uint16_t port;

    close(peer_new(SOCK_DGRAM, ip, &port));
    return port;
}

static bool
a_bounce_came(struct rig *r)
{
    return r->bounced_len > 0;
}

static void
bounces_from(const char *ip)
{
    uint16_t id = rig_listen(HOP_UDP, ip);
    struct hop to = rig_hop(HOP_UDP, ip, closed_port(ip));
    struct rig_message *bounced = &rig.bounced[0];

    rig_send(&to, request, 7);
    rig_run(a_bounce_came);
    ck_assert(hop_eq(&bounced->from, &to));
    ck_assert_uint_eq(bounced->from.listener, id);
    ck_assert_uint_gt(bounced->len, 0);
    ck_assert(span_starts(span_of(request), (struct span){ bounced->bytes, bounced->len }));
    ck_assert_uint_eq(rig_count("net_bounced"), 1);
    ck_assert_uint_eq(rig.gone_len, 0); /* whoever sent decides what to believe */
}

START_TEST(a_port_unreachable_brings_back_what_was_sent)
{
    bounces_from("127.0.0.1");
}
END_TEST

START_TEST(the_same_from_icmpv6)
{
    bounces_from("::1");
}
END_TEST

/* The kernel tells the error of one datagram to the send of the next. */
START_TEST(an_error_of_one_does_not_stop_another)
{
    uint16_t port;
    int fd = peer_new(SOCK_DGRAM, "127.0.0.1", &port);
    struct hop dead = rig_hop(HOP_UDP, "127.0.0.1", closed_port("127.0.0.1"));
    struct hop alive = rig_hop(HOP_UDP, "127.0.0.1", port);
    char heard[2000];

    rig_listen(HOP_UDP, "127.0.0.1");
    for (int i = 0; i < 5; i++) {
        rig_send(&dead, request, 1);
        rig_send(&alive, answer, 2);
    }
    rig_run_turns(1);
    for (int i = 0; i < 5; i++)
        ck_assert_int_eq(recv(fd, heard, sizeof heard, MSG_DONTWAIT), sizeof answer - 1);
    rig_run(a_bounce_came);
    ck_assert_uint_eq(rig.gone_len, 0);
    close(fd);
}
END_TEST

/* Messages keep coming while errors lie in the queue: both are seen. */
START_TEST(errors_are_read_beside_messages)
{
    uint16_t id = rig_listen(HOP_UDP, "127.0.0.1"), port;
    struct hop at = rig_at(id);
    struct hop dead = rig_hop(HOP_UDP, "127.0.0.1", closed_port("127.0.0.1"));
    int fd = peer_new(SOCK_DGRAM, "127.0.0.1", &port);

    rig.on_message = echo;
    for (size_t i = 1; i <= 50; i++) {
        rig_send(&dead, request, 0);
        peer_send(fd, &at, span_of(request));
        rig_run_messages(i);
    }
    rig_run(a_bounce_came);
    rig_run_turns(2);
    ck_assert_uint_eq(rig.bounced_len, 50);
    close(fd);
}
END_TEST

START_TEST(what_the_kernel_refuses_is_told_and_the_rest_leaves)
{
    uint16_t port;
    int fd = peer_new(SOCK_DGRAM, "127.0.0.1", &port);
    struct hop nowhere = rig_hop(HOP_UDP, "255.255.255.255", 9); /* broadcast is not allowed */
    struct hop to = rig_hop(HOP_UDP, "127.0.0.1", port);
    uint16_t id = rig_listen(HOP_UDP, "127.0.0.1");

    nowhere.listener = to.listener = id;
    rig_send(&to, request, 1);
    rig_send(&nowhere, request, 2);
    rig_send(&nowhere, request, 0);
    rig_send(&to, answer, 3);
    rig_run_gone(1);
    ck_assert_uint_eq(rig.gone[0].token, 2);
    ck_assert_int_eq(rig.gone[0].err, SIPD_EIO);
    peer_expect(fd, span_of(request));
    peer_expect(fd, span_of(answer));
    ck_assert_uint_eq(rig_count("net_dropped_refused"), 2);
    close(fd);
}
END_TEST

static struct hop next_hop;

static void
try_next(struct rig *r, uint64_t token)
{
    if (token < 5)
        net_send(r->net, &next_hop, span_of(request), token + 1);
}

/* A failure that is told makes its hearer send again, in the same turn. */
START_TEST(who_is_told_may_send_again)
{
    rig_listen(HOP_UDP, "127.0.0.1");
    next_hop = rig_hop(HOP_UDP, "::1", 9);
    rig.on_gone = try_next;
    rig_send(&next_hop, request, 1);
    rig_run_turns(1);
    ck_assert_uint_eq(rig.gone_len, 5);
    for (size_t i = 0; i < 5; i++) {
        ck_assert_uint_eq(rig.gone[i].token, i + 1);
        ck_assert_int_eq(rig.gone[i].err, SIPD_ENOENT);
    }
    ck_assert_uint_eq(rig_count("net_dropped_nowhere"), 5);
}
END_TEST

/* ---------------------------------------------------------------- a kernel without room */

/* Both kinds of "no room": of the socket, and of the device. */
START_TEST(what_has_no_room_waits_in_order)
{
    static const int errs[] = { EAGAIN, ENOBUFS };
    uint16_t port;
    int fd = peer_new(SOCK_DGRAM, "127.0.0.1", &port);
    struct hop to = rig_hop(HOP_UDP, "127.0.0.1", port);

    rig_listen(HOP_UDP, "127.0.0.1");
    rig_refuse_sends(errs[_i], 1);
    rig_send(&to, request, 1);
    rig_send(&to, answer, 2);
    peer_expect(fd, span_of(request));
    peer_expect(fd, span_of(answer));
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
    rig_send(&to, request, 1);
    rig_run_turns(1);
    rig_send(&to, answer, 2);
    peer_expect(fd, span_of(request));
    peer_expect(fd, span_of(answer));
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
    rig_send(&to, request, 1);
    rig_run_turns(1);
    rig_send(&to, request, 1); /* the same: dropped */
    rig_send(&to, answer, 1);  /* another message of the same sender: not */
    rig_send(&to, request, 2); /* another sender */
    rig_send(&to, request, 0); /* nobody's */
    rig_send(&to, request, 0);
    peer_expect(fd, span_of(request));
    peer_expect(fd, span_of(answer));
    peer_expect(fd, span_of(request));
    peer_expect(fd, span_of(request));
    peer_expect(fd, span_of(request));
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

    conf.queue_bytes = 2 * (sizeof request - 1);
    net_set_conf(rig.net, &conf);
    rig_listen(HOP_UDP, "127.0.0.1");
    rig_refuse_sends(ENOBUFS, 1);
    for (uint64_t token = 1; token <= 4; token++)
        rig_send(&to, request, token);
    rig_run_gone(2);
    ck_assert_uint_eq(rig.gone[0].token, 3);
    ck_assert_uint_eq(rig.gone[1].token, 4);
    ck_assert_int_eq(rig.gone[0].err, SIPD_EFULL);
    peer_expect(fd, span_of(request));
    peer_expect(fd, span_of(request));
    ck_assert_uint_eq(rig_count("net_dropped_full"), 2);
    close(fd);
}
END_TEST

START_TEST(what_waits_for_a_listener_that_closes_is_told)
{
    struct hop to = rig_hop(HOP_UDP, "127.0.0.1", closed_port("127.0.0.1"));
    uint16_t id = rig_listen(HOP_UDP, "127.0.0.1");

    rig_refuse_sends(ENOBUFS, 1);
    rig_send(&to, request, 1);
    rig_run_turns(1);
    net_unlisten(rig.net, id);
    rig_run_gone(1);
    ck_assert_uint_eq(rig.gone[0].token, 1);
    ck_assert_int_eq(rig.gone[0].err, SIPD_ECLOSED);
}
END_TEST

/* ---------------------------------------------------------------- listeners */

static uint16_t
listen_as(const char *ip, uint16_t port, const char *advertise)
{
    struct net_listen spec = { .at = rig_hop(HOP_UDP, ip, port), .advertise = span_of(advertise) };
    uint16_t id = 0;

    ck_assert_int_eq(net_listen(rig.net, &spec, &id, &rig.why), SIPD_OK);
    return id;
}

START_TEST(a_listener_is_known_by_its_name)
{
    static const char *const names[][2] = {
        { "sip.example.com", "sip.example.com:%u" },
        { "sip.example.com:5070", "sip.example.com:5070" },
        { "[2001:db8::1]", "[2001:db8::1]:%u" },
        { "[2001:db8::1]:5070", "[2001:db8::1]:5070" },
        { "", "127.0.0.1:%u" },
    };
    struct net_listener_info info;
    char want[100];

    for (size_t i = 0; i < countof(names); i++) {
        uint16_t id = listen_as("127.0.0.1", 0, names[i][0]);
        struct span host = span_head(span_of(names[i][1]), span_find(span_of(names[i][1]), '%'));

        ck_assert(net_listener(rig.net, id, &info));
        if (host.len < strlen(names[i][1]))
            snprintf(want, sizeof want, "%.*s%u", SPAN_ARG(host), info.at.port);
        else
            snprintf(want, sizeof want, "%s", names[i][1]);
        ck_assert(span_eq(info.sent_by, span_of(want)));
        ck_assert(span_eq(info.advertise, span_of(names[i][0])));
        ck_assert_uint_eq(info.id, id);
    }
    ck_assert(!net_listener(rig.net, 0, &info));
    ck_assert(!net_listener(rig.net, 999, &info));
}
END_TEST

START_TEST(a_taken_port_is_refused_in_words)
{
    struct hop at = rig_at(rig_listen(HOP_UDP, "127.0.0.1"));
    struct net_listen spec = { .at = at };
    uint16_t id;

    ck_assert_int_eq(net_listen(rig.net, &spec, &id, &rig.why), SIPD_EEXIST);
    ck_assert(span_eq(buf_span(&rig.why), SPAN("bind: Address already in use")));
}
END_TEST

START_TEST(what_cannot_be_listened_on_is_refused_in_words)
{
    static const struct {
        uint8_t transport;
        const char *ip;
        int err;
    } specs[] = {
        { HOP_UDP, "0.0.0.0", SIPD_EINVAL },   { HOP_TCP, "::", SIPD_EINVAL },
        { HOP_TLS, "127.0.0.1", SIPD_EINVAL }, { HOP_NONE, "127.0.0.1", SIPD_EINVAL },
        { HOP_UDP, "198.51.100.1", SIPD_EIO }, /* not ours */
    };
    uint16_t id;

    for (size_t i = 0; i < countof(specs); i++) {
        struct net_listen spec = { .at = rig_hop(specs[i].transport, specs[i].ip, 0) };

        buf_clear(&rig.why);
        ck_assert_int_eq(net_listen(rig.net, &spec, &id, &rig.why), specs[i].err);
        ck_assert_uint_gt(rig.why.len, 0);
    }
}
END_TEST

/* A reload gives an address up and takes it again at once; the new listener has a new number. */
START_TEST(an_address_given_up_can_be_taken_in_the_same_turn)
{
    uint16_t id = rig_listen(HOP_UDP, "127.0.0.1"), port, again;
    struct hop at = rig_at(id);
    int fd = peer_new(SOCK_DGRAM, "127.0.0.1", &port);
    struct hop to = rig_hop(HOP_UDP, "127.0.0.1", port);
    struct net_listener_info info;

    rig_send(&to, request, 0); /* leaves before the socket is closed */
    net_unlisten(rig.net, id);
    again = listen_as("127.0.0.1", at.port, "");
    ck_assert_uint_ne(again, id);
    peer_expect(fd, span_of(request));
    ck_assert(!net_listener(rig.net, id, &info));
    ck_assert_uint_eq(rig_at(again).port, at.port);
    peer_send(fd, &at, span_of(request));
    rig_run_messages(1);
    ck_assert_uint_eq(rig.messages[0].from.listener, again);
    close(fd);
}
END_TEST

static void
close_all(struct rig *r, const struct hop *from, struct span bytes)
{
    net_send(r->net, from, bytes, 0);
    net_unlisten(r->net, from->listener);
}

/* From within a message that it brought. */
START_TEST(a_listener_may_be_closed_while_it_is_read)
{
    uint16_t id = rig_listen(HOP_UDP, "127.0.0.1"), port;
    struct hop at = rig_at(id);
    int fd = peer_new(SOCK_DGRAM, "127.0.0.1", &port);

    rig.on_message = close_all;
    peer_send(fd, &at, span_of(request));
    peer_send(fd, &at, span_of(request));
    peer_expect(fd, span_of(request));
    rig_run_turns(2);
    ck_assert_uint_eq(rig_count("net_sent"), 1);
    close(fd);
}
END_TEST

static void
note_listener(void *arg, const struct net_listener_info *info)
{
    unsigned *seen = arg;

    *seen += info->id;
    ck_assert_uint_eq(info->dropped, 0);
}

START_TEST(listeners_are_listed)
{
    unsigned seen = 0;
    uint16_t a = rig_listen(HOP_UDP, "127.0.0.1"), b = rig_listen(HOP_TCP, "127.0.0.1");

    net_each_listener(rig.net, note_listener, &seen);
    ck_assert_uint_eq(seen, a + b);
    net_unlisten(rig.net, a);
    seen = 0;
    net_each_listener(rig.net, note_listener, &seen);
    ck_assert_uint_eq(seen, b);
}
END_TEST

START_TEST(our_own_addresses_are_known)
{
    struct hop at = rig_at(rig_listen(HOP_UDP, "127.0.0.1")), other = at;

    ck_assert(net_is_local(rig.net, &other));
    other.transport = HOP_NONE;
    ck_assert(net_is_local(rig.net, &other));
    other.transport = HOP_TCP;
    ck_assert(!net_is_local(rig.net, &other));
    other = at;
    other.port = 0;
    ck_assert(net_is_local(rig.net, &other));
    other.port = (uint16_t)(at.port + 1);
    ck_assert(!net_is_local(rig.net, &other));
    other = rig_hop(HOP_UDP, "127.0.0.2", at.port);
    ck_assert(!net_is_local(rig.net, &other));
}
END_TEST

/* ---------------------------------------------------------------- ways */

START_TEST(a_way_names_the_listener_that_the_kernel_would_send_from)
{
    uint16_t two = rig_listen(HOP_UDP, "127.0.0.2");
    uint16_t one = rig_listen(HOP_UDP, "127.0.0.1");
    uint16_t six = rig_listen(HOP_UDP, "::1");
    struct hop to = rig_hop(HOP_UDP, "127.0.0.1", 5060);
    struct net_listener_info info;
    struct way way;

    for (int i = 0; i < 2; i++) { /* asked of the kernel, then of what was kept */
        ck_assert_int_eq(net_way(rig.net, &to, 500, &way), SIPD_OK);
        ck_assert_uint_eq(way.to.listener, one);
        ck_assert(hop_eq(&way.to, &to));
        ck_assert(net_listener(rig.net, one, &info));
        ck_assert(span_eq(way.sent_by, info.sent_by));
    }
    to.listener = two;
    ck_assert_int_eq(net_way(rig.net, &to, 500, &way), SIPD_OK);
    ck_assert_uint_eq(way.to.listener, two);
    to.listener = six; /* does not fit */
    ck_assert_int_eq(net_way(rig.net, &to, 500, &way), SIPD_OK);
    ck_assert_uint_eq(way.to.listener, one);
    to = rig_hop(HOP_UDP, "::1", 5060);
    ck_assert_int_eq(net_way(rig.net, &to, 500, &way), SIPD_OK);
    ck_assert_uint_eq(way.to.listener, six);
    net_unlisten(rig.net, one);
    to = rig_hop(HOP_UDP, "127.0.0.1", 5060);
    ck_assert_int_eq(net_way(rig.net, &to, 500, &way), SIPD_OK);
    ck_assert_uint_eq(way.to.listener, two);
}
END_TEST

START_TEST(there_may_be_no_way)
{
    struct hop to = rig_hop(HOP_UDP, "127.0.0.1", 5060);
    struct way way;

    ck_assert_int_eq(net_way(rig.net, &to, 500, &way), SIPD_ENOENT);
    rig_listen(HOP_UDP, "127.0.0.1");
    ck_assert_int_eq(net_way(rig.net, &to, 65507, &way), SIPD_OK);
    ck_assert_int_eq(net_way(rig.net, &to, 65508, &way), SIPD_ETOOBIG);
    to = rig_hop(HOP_UDP, "::1", 5060);
    ck_assert_int_eq(net_way(rig.net, &to, 500, &way), SIPD_ENOENT);
    to = rig_hop(HOP_TCP, "127.0.0.1", 5060);
    ck_assert_int_eq(net_way(rig.net, &to, 500, &way), SIPD_ENOENT);
    to = rig_hop(HOP_TLS, "127.0.0.1", 5061);
    ck_assert_int_eq(net_way(rig.net, &to, 500, &way), SIPD_ENOENT);
    to = rig_hop(HOP_UDP, "198.51.100.1", 5060); /* nothing leaves from loopback */
    ck_assert_int_eq(net_way(rig.net, &to, 500, &way), SIPD_ENOENT);
    to.flow = 12345;
    ck_assert_int_eq(net_way(rig.net, &to, 500, &way), SIPD_ECLOSED);
    to.flow = HOP_FLOW_DEAD;
    ck_assert_int_eq(net_way(rig.net, &to, 500, &way), SIPD_ECLOSED);
}
END_TEST

/* ---------------------------------------------------------------- wildcards */

struct found {
    struct hop at[64];
    size_t len;
    int answer;
};

static int
note_address(void *arg, const struct net_listen *one)
{
    struct found *found = arg;

    ck_assert(span_eq(one->advertise, SPAN("name")));
    if (found->len < countof(found->at))
        found->at[found->len++] = one->at;
    return found->answer;
}

static bool
holds(const struct found *found, const struct hop *at)
{
    for (size_t i = 0; i < found->len; i++)
        if (hop_eq(&found->at[i], at))
            return true;
    return false;
}

START_TEST(a_wildcard_stands_for_every_address)
{
    static const char *const wild[] = { "0.0.0.0", "::" }, *const own[] = { "127.0.0.1", "::1" };
    struct net_listen spec = { .at = rig_hop(HOP_UDP, wild[_i], 5060), .advertise = SPAN("name") };
    struct hop loopback = rig_hop(HOP_UDP, own[_i], 5060);
    struct found found = { .len = 0 };

    ck_assert_int_eq(net_expand(&spec, note_address, &found), SIPD_OK);
    ck_assert(holds(&found, &loopback));
    for (size_t i = 0; i < found.len; i++) {
        ck_assert_uint_eq(found.at[i].port, 5060);
        ck_assert(hop_is_v4(&found.at[i]) == hop_is_v4(&spec.at));
        ck_assert(found.at[i].ip[0] != 0xfe); /* no link-local address unasked */
    }
}
END_TEST

START_TEST(an_address_stands_for_itself)
{
    struct net_listen spec = { .at = rig_hop(HOP_UDP, "198.51.100.1", 0),
                               .advertise = SPAN("name") };
    struct found found = { .answer = SIPD_EFULL };

    ck_assert_int_eq(net_expand(&spec, note_address, &found), SIPD_EFULL);
    ck_assert_uint_eq(found.len, 1);
    ck_assert(hop_eq(&found.at[0], &spec.at));
}
END_TEST

START_TEST(a_walk_ends_when_it_is_told_to)
{
    struct net_listen spec = { .at = rig_hop(HOP_UDP, "0.0.0.0", 0), .advertise = SPAN("name") };
    struct found found = { .answer = SIPD_EIO };

    ck_assert_int_eq(net_expand(&spec, note_address, &found), SIPD_EIO);
    ck_assert_uint_eq(found.len, 1);
}
END_TEST

Suite *
suite_net_udp(void)
{
    Suite *suite = suite_create("net_udp");
    TCase *made = rig_case("messages");

    suite_add_tcase(suite, made);
    tcase_add_test(made, a_datagram_comes_and_an_answer_goes);
    tcase_add_test(made, the_same_over_ipv6);
    tcase_add_test(made, many_come_in_order_and_leave_in_order);
    tcase_add_test(made, a_turn_may_send_any_number);
    tcase_add_test(made, a_datagram_of_any_length_comes_whole);
    tcase_add_test(made, a_datagram_larger_than_the_limit_is_handed_on_as_413);
    tcase_add_test(made, a_datagram_shorter_than_its_content_length_is_handed_on_as_400);
    tcase_add_test(made, filler_and_noise_are_dropped_and_counted);
    made = rig_case("errors");
    suite_add_tcase(suite, made);
    tcase_add_test(made, a_port_unreachable_brings_back_what_was_sent);
    tcase_add_test(made, the_same_from_icmpv6);
    tcase_add_test(made, an_error_of_one_does_not_stop_another);
    tcase_add_test(made, errors_are_read_beside_messages);
    tcase_add_test(made, what_the_kernel_refuses_is_told_and_the_rest_leaves);
    tcase_add_test(made, who_is_told_may_send_again);
    made = rig_case("no room");
    suite_add_tcase(suite, made);
    tcase_add_loop_test(made, what_has_no_room_waits_in_order, 0, 2);
    tcase_add_test(made, what_comes_later_does_not_overtake);
    tcase_add_test(made, a_retransmission_of_what_waits_is_dropped);
    tcase_add_test(made, what_waits_has_a_ceiling);
    tcase_add_test(made, what_waits_for_a_listener_that_closes_is_told);
    made = rig_case("listeners");
    suite_add_tcase(suite, made);
    tcase_add_test(made, a_listener_is_known_by_its_name);
    tcase_add_test(made, a_taken_port_is_refused_in_words);
    tcase_add_test(made, what_cannot_be_listened_on_is_refused_in_words);
    tcase_add_test(made, an_address_given_up_can_be_taken_in_the_same_turn);
    tcase_add_test(made, a_listener_may_be_closed_while_it_is_read);
    tcase_add_test(made, listeners_are_listed);
    tcase_add_test(made, our_own_addresses_are_known);
    made = rig_case("ways");
    suite_add_tcase(suite, made);
    tcase_add_test(made, a_way_names_the_listener_that_the_kernel_would_send_from);
    tcase_add_test(made, there_may_be_no_way);
    tcase_add_loop_test(made, a_wildcard_stands_for_every_address, 0, 2);
    tcase_add_test(made, an_address_stands_for_itself);
    tcase_add_test(made, a_walk_ends_when_it_is_told_to);
    return suite;
}
