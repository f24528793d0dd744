/*
 * Datagrams over real sockets of the loopback (RFC 3261 §18, house rule 17).
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "live/udp_rig.h"
#include "unit/must.h"

Suite *suite_net_udp(void);

/* ---------------------------------------------------------------- in and out */

static void
there_and_back(const char *ip)
{
    uint16_t id = rig_listen(HOP_UDP, ip), port;
    struct hop at = rig_at(id);
    int fd = peer_new(SOCK_DGRAM, ip, &port);
    struct net_listener_info info;

    rig.on_message = udp_echo;
    peer_send(fd, &at, SPAN(UDP_REQUEST));
    peer_expect(fd, SPAN(UDP_REQUEST));
    ck_assert_uint_eq(rig.messages_len, 1);
    rig_expect(0, SPAN(UDP_REQUEST));
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

    rig.on_message = udp_echo;
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

/* So long that a batch ends before it has as many as it may have. */
START_TEST(the_longest_come_in_order)
{
    enum { MANY = 12 };
    static const size_t lens[] = { 65000, 300, 65507 };
    uint16_t id = rig_listen(HOP_UDP, "127.0.0.1"), port;
    struct hop at = rig_at(id);
    int fd = peer_new(SOCK_DGRAM, "127.0.0.1", &port);

    for (size_t i = 0; i < MANY; i++) {
        struct span sent = udp_long_message(lens[i % countof(lens)]);

        peer_send(fd, &at, sent);
        mem_free((void *)(uintptr_t)sent.at);
    }
    rig_run_messages(MANY);
    for (size_t i = 0; i < MANY; i++) {
        struct span sent = udp_long_message(lens[i % countof(lens)]);

        rig_expect(i, sent);
        mem_free((void *)(uintptr_t)sent.at);
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
        rig_send(&to, UDP_REQUEST, 0);
    rig_run_turns(1);
    ck_assert_uint_eq(rig_count("net_sent"), MANY);
    for (; came <= 128; came++)
        ck_assert_uint_eq(peer_takes(fd, heard, sizeof heard), sizeof UDP_REQUEST - 1);
    close(fd);
}
END_TEST

/* RFC 3261 §18.1.1: what is longer than the path's packets leaves all the same, in fragments. */
START_TEST(what_is_longer_than_a_packet_leaves_in_its_place)
{
    static const size_t lens[] = { 300, 5000, 300, 1472, 1473, 300 };
    char heard[8192];
    struct hop to;
    uint16_t port;
    int fd;

    if (!udp_shorten_loopback(1500))
        return;
    fd = peer_new(SOCK_DGRAM, "127.0.0.1", &port);
    to = rig_hop(HOP_UDP, "127.0.0.1", port);
    rig_listen(HOP_UDP, "127.0.0.1");
    for (int round = 0; round < 2; round++) {
        struct span sent[countof(lens)];

        for (size_t i = 0; i < countof(lens); i++) {
            sent[i] = udp_long_message(lens[i]);
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
        peer_send(fd, &other, SPAN(UDP_REQUEST));
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
        peer_send(fd, &at, SPAN(UDP_REQUEST));
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
        struct span bytes = udp_long_message(lens[i]);

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
    struct span bytes = udp_long_message(1001);

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
    peer_send(fd, &at, SPAN(UDP_REQUEST));
    rig_run_messages(1);
    rig_expect(0, SPAN(UDP_REQUEST));
    ck_assert_uint_eq(rig_count("net_dropped_keepalive"), 4);
    ck_assert_uint_eq(rig_count("net_dropped_noise"), 1);
    ck_assert_uint_eq(rig_count("net_received"), 1);
    close(fd);
}
END_TEST

/* ---------------------------------------------------------------- bounces */

static bool
a_bounce_came(struct rig *r)
{
    return r->bounced_len > 0;
}

static void
bounces_from(const char *ip)
{
    uint16_t id = rig_listen(HOP_UDP, ip);
    struct hop to = rig_hop(HOP_UDP, ip, udp_closed_port(ip));
    struct rig_message *bounced = &rig.bounced[0];

    rig_send(&to, UDP_REQUEST, 7);
    rig_run(a_bounce_came);
    ck_assert(hop_eq(&bounced->from, &to));
    ck_assert_uint_eq(bounced->from.listener, id);
    ck_assert_uint_gt(bounced->len, 0);
    ck_assert(span_starts(SPAN(UDP_REQUEST), (struct span){ bounced->bytes, bounced->len }));
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
    struct hop dead = rig_hop(HOP_UDP, "127.0.0.1", udp_closed_port("127.0.0.1"));
    struct hop alive = rig_hop(HOP_UDP, "127.0.0.1", port);
    char heard[2000];

    rig_listen(HOP_UDP, "127.0.0.1");
    for (int i = 0; i < 5; i++) {
        rig_send(&dead, UDP_REQUEST, 1);
        rig_send(&alive, UDP_ANSWER, 2);
    }
    for (int i = 0; i < 5; i++)
        ck_assert_uint_eq(peer_takes(fd, heard, sizeof heard), sizeof UDP_ANSWER - 1);
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
    struct hop dead = rig_hop(HOP_UDP, "127.0.0.1", udp_closed_port("127.0.0.1"));
    int fd = peer_new(SOCK_DGRAM, "127.0.0.1", &port);

    rig.on_message = udp_echo;
    for (size_t i = 1; i <= BOUNCES; i++) {
        rig_send(&dead, UDP_REQUEST, 0);
        peer_send(fd, &at, SPAN(UDP_REQUEST));
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
    rig_send(&to, UDP_REQUEST, 1);
    rig_send(&nowhere, UDP_REQUEST, 2);
    rig_send(&nowhere, UDP_REQUEST, 0);
    rig_send(&to, UDP_ANSWER, 3);
    rig_run_gone(1);
    ck_assert_uint_eq(rig.gone[0].token, 2);
    ck_assert_int_eq(rig.gone[0].err, SIPD_EIO);
    peer_expect(fd, SPAN(UDP_REQUEST));
    peer_expect(fd, SPAN(UDP_ANSWER));
    ck_assert_uint_eq(rig_count("net_dropped_refused"), 2);
    close(fd);
}
END_TEST

static struct hop next_hop;

static void
try_next(struct rig *r, uint64_t token)
{
    if (token < 5)
        net_send(r->net, &next_hop, SPAN(UDP_REQUEST), token + 1);
}

/* A failure that is told makes its hearer send again, in the same turn. */
START_TEST(who_is_told_may_send_again)
{
    rig_listen(HOP_UDP, "127.0.0.1");
    next_hop = rig_hop(HOP_UDP, "::1", 9);
    rig.on_gone = try_next;
    rig_send(&next_hop, UDP_REQUEST, 1);
    rig_run_turns(1);
    ck_assert_uint_eq(rig.gone_len, 5);
    for (size_t i = 0; i < 5; i++) {
        ck_assert_uint_eq(rig.gone[i].token, i + 1);
        ck_assert_int_eq(rig.gone[i].err, SIPD_ENOENT);
    }
    ck_assert_uint_eq(rig_count("net_dropped_nowhere"), 5);
}
END_TEST

Suite *
suite_net_udp(void)
{
    Suite *suite = suite_create("net_udp");
    TCase *all = rig_case("in and out");

    suite_add_tcase(suite, all);
    tcase_add_test(all, a_datagram_comes_and_an_answer_goes);
    tcase_add_test(all, the_same_over_ipv6);
    tcase_add_test(all, many_come_in_order_and_leave_in_order);
    tcase_add_test(all, the_longest_come_in_order);
    tcase_add_test(all, a_turn_may_send_any_number);
    tcase_add_test(all, what_is_longer_than_a_packet_leaves_in_its_place);
    tcase_add_test(all, what_is_too_much_for_a_turn_comes_in_the_next);
    tcase_add_test(all, what_no_turn_came_to_goes_with_its_listener);
    tcase_add_test(all, a_datagram_of_any_length_comes_whole);
    tcase_add_test(all, a_datagram_larger_than_the_limit_is_handed_on_as_413);
    tcase_add_test(all, a_datagram_is_handed_on_whole_whatever_its_content_length);
    tcase_add_test(all, filler_and_noise_are_dropped_and_counted);
    all = rig_case("bounces");
    suite_add_tcase(suite, all);
    tcase_add_test(all, a_port_unreachable_brings_back_what_was_sent);
    tcase_add_test(all, the_same_from_icmpv6);
    tcase_add_test(all, an_error_of_one_does_not_stop_another);
    tcase_add_test(all, errors_are_read_beside_messages);
    tcase_add_test(all, what_the_kernel_refuses_is_told_and_the_rest_leaves);
    tcase_add_test(all, who_is_told_may_send_again);
    return suite;
}
