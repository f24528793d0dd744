/*
 * Datagrams over real sockets of the loopback (RFC 3261 §18, house rule 17).
 */
#include <errno.h>
#include <net/if.h>
#include <netinet/udp.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
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
    if (rig_has_ipv6())
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
    for (int i = 0; i < MANY; i++) {
        int len = snprintf(text, sizeof text, "OPTIONS sip:%d@example.com SIP/2.0\r\n\r\n", i);

        must(peer_takes(fd, heard, sizeof heard) == (size_t)len);
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
    for (; came <= 128; came++)
        ck_assert_uint_eq(peer_takes(fd, heard, sizeof heard), sizeof request - 1);
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

/* A loopback of this process alone, whose packets are short; false where that is not allowed. */
static bool
shorten_loopback(int mtu)
{
    struct ifreq lo = { .ifr_name = "lo" };
    int fd;
    bool done;

    if (unshare(CLONE_NEWNET) != 0 || (fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) < 0)
        return false;
    lo.ifr_flags = IFF_UP;
    done = ioctl(fd, SIOCSIFFLAGS, &lo) == 0;
    lo.ifr_mtu = mtu;
    done = done && ioctl(fd, SIOCSIFMTU, &lo) == 0;
    close(fd);
    return done;
}

/* RFC 3261 §18.1.1: what is longer than the path's packets leaves all the same, in fragments. */
START_TEST(what_is_longer_than_a_packet_leaves_in_its_place)
{
    static const size_t lens[] = { 300, 5000, 300, 1472, 1473, 300 };
    char heard[8192];
    struct hop to;
    uint16_t port;
    int fd;

    if (!shorten_loopback(1500))
        return;
    fd = peer_new(SOCK_DGRAM, "127.0.0.1", &port);
    to = rig_hop(HOP_UDP, "127.0.0.1", port);
    rig_listen(HOP_UDP, "127.0.0.1");
    for (int round = 0; round < 2; round++) {
        struct span sent[countof(lens)];

        for (size_t i = 0; i < countof(lens); i++) {
            sent[i] = long_message(lens[i]);
            net_send(rig.net, &to, sent[i], i + 1);
        }
        for (size_t i = 0; i < countof(lens); i++) {
            ck_assert_uint_eq(peer_takes(fd, heard, sizeof heard), lens[i]);
            ck_assert_mem_eq(heard, sent[i].at, lens[i]);
            mem_free((void *)(uintptr_t)sent[i].at);
        }
    }
    ck_assert_uint_eq(rig.gone_len, 0);
    ck_assert_uint_eq(rig_count("net_sent"), 2 * countof(lens));
    ck_assert_uint_eq(rig_count("net_dropped_refused"), 0);
    close(fd);
}
END_TEST

static void
compute(struct rig *r, const struct hop *from, struct span bytes)
{
    (void)r;
    (void)from;
    (void)bytes;
    rig_compute_each(1000);
}

/*
 * A batch that is too much for one turn takes several, in order, long datagrams too, and holds up nobody: what came to
 * another socket is not last.
 */
START_TEST(what_is_too_much_for_a_turn_comes_in_the_next)
{
    enum { MANY = 40, LONG = 30000, OTHER = 8 };
    struct hop at = rig_at(rig_listen(HOP_UDP, "127.0.0.1"));
    struct hop other = rig_at(rig_listen(HOP_UDP, "127.0.0.1"));
    static char text[LONG];
    uint16_t port;
    int fd = peer_new(SOCK_DGRAM, "127.0.0.1", &port);
    size_t last_other = 0, n = 0;

    rig.on_message = compute;
    memset(text, 'x', sizeof text);
    for (int i = 0; i < MANY; i++) {
        int len = snprintf(text, sizeof text, "OPTIONS sip:%d SIP/2.0\r\n\r\n", i);

        text[len] = ' ';
        peer_send(fd, &at, (struct span){ text, i % 2 ? (size_t)len : LONG });
    }
    for (int i = 0; i < OTHER; i++)
        peer_send(fd, &other, span_of(request));
    rig_run_messages(MANY + OTHER);
    for (size_t i = 0; i < rig.messages_len; i++)
        if (rig.messages[i].from.listener == other.listener)
            last_other = i;
        else
            ck_assert_uint_eq(strtoul(rig.messages[i].bytes + strlen("OPTIONS sip:"), NULL, 10),
                              n++);
    ck_assert_uint_eq(n, MANY);
    ck_assert_uint_lt(last_other, MANY);
    ck_assert_uint_lt(rig_busiest(), 10);
    close(fd);
}
END_TEST

static bool
something_came(struct rig *r)
{
    return r->messages_len > 0;
}

START_TEST(what_no_turn_came_to_goes_with_its_listener)
{
    enum { MANY = 20 };
    uint16_t id = rig_listen(HOP_UDP, "127.0.0.1"), port;
    struct hop at = rig_at(id);
    int fd = peer_new(SOCK_DGRAM, "127.0.0.1", &port);

    rig.on_message = compute;
    for (int i = 0; i < MANY; i++)
        peer_send(fd, &at, span_of(request));
    rig_run(something_came);
    net_unlisten(rig.net, id);
    rig_run_turns(3);
    ck_assert_uint_lt(rig.messages_len, MANY);
    close(fd);
}
END_TEST

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

START_TEST(a_datagram_is_handed_on_whole_whatever_its_content_length)
{
    struct span short_one = SPAN("OPTIONS sip:a SIP/2.0\r\nContent-Length: 10\r\n\r\nabc");
    struct span long_one = SPAN("OPTIONS sip:a SIP/2.0\r\nContent-Length: 1\r\n\r\nabc");
    uint16_t id = rig_listen(HOP_UDP, "127.0.0.1"), port;
    struct hop at = rig_at(id);
    int fd = peer_new(SOCK_DGRAM, "127.0.0.1", &port);

    peer_send(fd, &at, short_one);
    peer_send(fd, &at, long_one);
    rig_run_messages(2);
    rig_expect(0, short_one);
    rig_expect(1, long_one);
    ck_assert_uint_eq(rig.messages[0].fault, 0);
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
    if (rig_has_ipv6())
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
    for (int i = 0; i < 5; i++)
        ck_assert_uint_eq(peer_takes(fd, heard, sizeof heard), sizeof answer - 1);
    rig_run(a_bounce_came);
    ck_assert_uint_eq(rig.gone_len, 0);
    close(fd);
}
END_TEST

enum { BOUNCES = 50 };

static bool
all_bounces_came(struct rig *r)
{
    return r->bounced_len >= BOUNCES;
}

/* Messages keep coming while errors lie in the queue: both are seen. */
START_TEST(errors_are_read_beside_messages)
{
    uint16_t id = rig_listen(HOP_UDP, "127.0.0.1"), port;
    struct hop at = rig_at(id);
    struct hop dead = rig_hop(HOP_UDP, "127.0.0.1", closed_port("127.0.0.1"));
    int fd = peer_new(SOCK_DGRAM, "127.0.0.1", &port);

    rig.on_message = echo;
    for (size_t i = 1; i <= BOUNCES; i++) {
        rig_send(&dead, request, 0);
        peer_send(fd, &at, span_of(request));
        rig_run_messages(i);
    }
    rig_run(all_bounces_came);
    rig_run_turns(2);
    ck_assert_uint_eq(rig.bounced_len, BOUNCES);
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

/* ---------------------------------------------------------------- trains */

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
        rig_send(&to, request, 0);
    rig_send(&to, answer, 0);
    for (int i = 0; i < 5; i++)
        rig_send(&to_other, request, 0);
    rig_send(&to_other, answer, 0);
    ck_assert_uint_eq(peer_takes(fd, heard, sizeof heard),
                      5 * (sizeof request - 1) + sizeof answer - 1);
    for (int i = 0; i < 5; i++)
        peer_expect(other, span_of(request));
    peer_expect(other, span_of(answer));
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
        rig_send(&to, request, 0);
        rig_send(&nowhere, request, token);
    }
    rig_run_gone(3);
    for (size_t i = 0; i < 3; i++)
        ck_assert_uint_eq(rig.gone[i].token, i + 1);
    for (int i = 0; i < 3; i++)
        peer_expect(fd, span_of(request));
    ck_assert_uint_eq(rig_count("net_dropped_refused"), 3);
    ck_assert_uint_eq(rig_count("net_sent"), 3);
    close(fd);
}
END_TEST

/* What is too long for the path's packets cannot be in a train, and leaves in fragments. */
START_TEST(a_train_too_long_for_the_path_leaves_in_fragments)
{
    enum { LEN = 1200 };
    struct span bytes = long_message(LEN);
    uint16_t port;
    struct hop to;
    int fd;

    if (shorten_loopback(800)) {
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
        { HOP_UDP, "0.0.0.0", SIPD_EINVAL },
        { HOP_TCP, "::", SIPD_EINVAL },
        { HOP_NONE, "127.0.0.1", SIPD_EINVAL },
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
    bool v6 = rig_has_ipv6();
    uint16_t two = rig_listen(HOP_UDP, "127.0.0.2");
    uint16_t one = rig_listen(HOP_UDP, "127.0.0.1");
    uint16_t six = v6 ? rig_listen(HOP_UDP, "::1") : 0;
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
    ck_assert_int_eq(net_way(rig.net, &to, 500, &way), v6 ? SIPD_OK : SIPD_ENOENT);
    ck_assert(!v6 || way.to.listener == six);
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

    if (_i == 1 && !rig_has_ipv6())
        return;
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
    tcase_add_test(made, what_is_too_much_for_a_turn_comes_in_the_next);
    tcase_add_test(made, what_no_turn_came_to_goes_with_its_listener);
    tcase_add_test(made, a_datagram_of_any_length_comes_whole);
    tcase_add_test(made, a_datagram_larger_than_the_limit_is_handed_on_as_413);
    tcase_add_test(made, a_datagram_is_handed_on_whole_whatever_its_content_length);
    tcase_add_test(made, filler_and_noise_are_dropped_and_counted);
    made = rig_case("errors");
    suite_add_tcase(suite, made);
    tcase_add_test(made, a_port_unreachable_brings_back_what_was_sent);
    tcase_add_test(made, the_same_from_icmpv6);
    tcase_add_test(made, an_error_of_one_does_not_stop_another);
    tcase_add_test(made, errors_are_read_beside_messages);
    tcase_add_test(made, what_is_longer_than_a_packet_leaves_in_its_place);
    tcase_add_test(made, what_the_kernel_refuses_is_told_and_the_rest_leaves);
    tcase_add_test(made, who_is_told_may_send_again);
    made = rig_case("trains");
    suite_add_tcase(suite, made);
    tcase_add_test(made, datagrams_of_one_length_leave_as_a_train);
    tcase_add_test(made, they_do_so_over_ipv6);
    tcase_add_test(made, a_refused_train_is_told_and_the_rest_leaves);
    tcase_add_test(made, a_train_too_long_for_the_path_leaves_in_fragments);
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
