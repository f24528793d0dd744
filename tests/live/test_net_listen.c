/*
 * Listeners: their names, those of a wildcard, their ends, and which of them a message leaves by (RFC 3261 §18.1.1, §18.2.1).
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "live/proc.h"
#include "live/udp_rig.h"
#include "unit/must.h"

Suite *suite_net_listen(void);

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

/* As a pair's virtual address, which the other one has now. */
START_TEST(an_address_may_come_later)
{
    static const char *const ips[] = { "198.51.100.1", "2001:db8::1" };
    const char *argv[] = { "ip", "addr", "add", "198.51.100.1/32", "dev", "lo", NULL };
    bool alone = udp_shorten_loopback(1500);
    struct proc out;
    uint16_t id, port;

    for (size_t i = 0; i < countof(ips); i++) {
        struct net_listen spec = { .at = rig_hop(i == 0 ? HOP_TCP : HOP_UDP, ips[i], 0) };

        if (i == 1 && !rig_has_ipv6())
            continue;
        ck_assert_int_eq(net_listen(rig.net, &spec, &id, &rig.why), SIPD_EIO);
        spec.freebind = true;
        ck_assert_int_eq(net_listen(rig.net, &spec, &id, &rig.why), SIPD_OK);
    }
    if (alone) {
        struct net_listen spec = { .at = rig_hop(HOP_UDP, ips[0], 0), .freebind = true };
        struct hop at;
        int fd;

        ck_assert_int_eq(net_listen(rig.net, &spec, &id, &rig.why), SIPD_OK);
        at = rig_at(id);
        ck_assert(proc_run(&out, "ip", PROC_PATIENCE_MS, argv));
        fd = peer_new(SOCK_DGRAM, "127.0.0.1", &port);
        peer_send(fd, &at, SPAN(UDP_REQUEST));
        rig_run_messages(1);
        rig_expect(0, SPAN(UDP_REQUEST));
        close(fd);
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

    rig_send(&to, UDP_REQUEST, 0); /* leaves before the socket is closed */
    net_unlisten(rig.net, id);
    again = listen_as("127.0.0.1", at.port, "");
    ck_assert_uint_ne(again, id);
    peer_expect(fd, SPAN(UDP_REQUEST));
    ck_assert(!net_listener(rig.net, id, &info));
    ck_assert_uint_eq(rig_at(again).port, at.port);
    peer_send(fd, &at, SPAN(UDP_REQUEST));
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
    peer_send(fd, &at, SPAN(UDP_REQUEST));
    peer_send(fd, &at, SPAN(UDP_REQUEST));
    peer_expect(fd, SPAN(UDP_REQUEST));
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
suite_net_listen(void)
{
    Suite *suite = suite_create("net_listen");
    TCase *all = rig_case("listeners");

    suite_add_tcase(suite, all);
    tcase_add_test(all, a_listener_is_known_by_its_name);
    tcase_add_test(all, a_taken_port_is_refused_in_words);
    tcase_add_test(all, what_cannot_be_listened_on_is_refused_in_words);
    tcase_add_test(all, an_address_may_come_later);
    tcase_add_test(all, an_address_given_up_can_be_taken_in_the_same_turn);
    tcase_add_test(all, a_listener_may_be_closed_while_it_is_read);
    tcase_add_test(all, listeners_are_listed);
    tcase_add_test(all, our_own_addresses_are_known);
    all = rig_case("ways");
    suite_add_tcase(suite, all);
    tcase_add_test(all, a_way_names_the_listener_that_the_kernel_would_send_from);
    tcase_add_test(all, there_may_be_no_way);
    all = rig_case("wildcards");
    suite_add_tcase(suite, all);
    tcase_add_loop_test(all, a_wildcard_stands_for_every_address, 0, 2);
    tcase_add_test(all, an_address_stands_for_itself);
    tcase_add_test(all, a_walk_ends_when_it_is_told_to);
    return suite;
}
