/*
 * Transports that modules bring, at work in real connections: one that disguises bytes after a greeting, one that yields
 * whole messages.
 */
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include <sipd/transport.h>

#include "base/mem.h"
#include "live/net_rig.h"

Suite *suite_net_xport(void);

#define REQUEST  "OPTIONS sip:example.com SIP/2.0\r\nContent-Length: 4\r\n\r\nbody"
#define ANSWER   "SIP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n"
#define GREETING "hello"

enum { MASK = 0x55, LONG_BYTES = 60000 };

/* ---- a transport: both say GREETING, then every byte is masked */

struct masked {
    struct sipd_wire *wire;
    char name[64];
    bool inbound, said;
    size_t heard;
};

struct world {
    unsigned begun, ended, closed;
    bool deaf, refuses;
    struct masked *last;
} world;

static void *
masked_begin(void *self, const struct sipd_session_of *of)
{
    struct world *w = self;
    struct masked *m = mem_new(sizeof *m);

    ck_assert_ptr_nonnull(m);
    *m = (struct masked){ .wire = of->wire, .inbound = of->inbound };
    snprintf(m->name, sizeof m->name, "%.*s", (int)of->name.len, of->name.at);
    w->begun++;
    w->last = m;
    return m;
}

static int
masked_greet(void *session)
{
    struct masked *m = session;
    ptrdiff_t len;

    if (!m->said && sipd_wire_write(m->wire, SPAN(GREETING)) != SIPD_OK)
        return SIPD_EIO;
    m->said = true;
    while (m->heard < strlen(GREETING)) {
        char c;

        len = sipd_wire_read(m->wire, &c, 1);
        if (len <= 0)
            return len == 0 ? 0 : SIPD_ECLOSED;
        if (c != GREETING[m->heard++])
            return SIPD_EIO;
    }
    return world.refuses ? SIPD_EIO : 1;
}

static void
mask(char *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++)
        bytes[i] ^= MASK;
}

static ptrdiff_t
masked_read(void *session, char *to, size_t room)
{
    struct masked *m = session;
    ptrdiff_t len = sipd_wire_read(m->wire, to, room);

    if (len > 0)
        mask(to, (size_t)len);
    return len;
}

static ptrdiff_t
masked_write(void *session, const struct span *parts, size_t n)
{
    struct masked *m = session;
    ptrdiff_t all = 0;

    for (size_t i = 0; i < n && sipd_wire_open(m->wire); i++) {
        char *copy = mem_copy(parts[i]);

        mask(copy, parts[i].len);
        ck_assert_int_eq(sipd_wire_write(m->wire, (struct span){ copy, parts[i].len }), SIPD_OK);
        all += (ptrdiff_t)parts[i].len;
        mem_free(copy);
    }
    return all;
}

static void
masked_close(void *session)
{
    struct masked *m = session;

    world.closed++;
    sipd_wire_write(m->wire, SPAN("bye"));
}

static void
masked_end(void *session)
{
    world.ended++;
    mem_free(session);
}

static bool
masked_covers(void *session, struct span name)
{
    (void)session;
    return span_eq(name, SPAN("also.example.com"));
}

static bool
masked_proven(void *session, struct span name)
{
    (void)session;
    return span_eq(name, SPAN("client.example.com"));
}

static void
masked_about(void *session, struct sipd_session_about *out)
{
    (void)session;
    out->protocol = SPAN("mask");
}

static const struct sipd_transport_ops masked_ops = {
    .begin = masked_begin,
    .greet = masked_greet,
    .read = masked_read,
    .write = masked_write,
    .close = masked_close,
    .end = masked_end,
    .covers = masked_covers,
    .proven = masked_proven,
    .about = masked_about,
};

static void
offer(const struct sipd_transport_ops *ops)
{
    world = (struct world){ 0 };
    ck_assert_int_eq(net_offer_transport(rig.net, HOP_TLS, ops, &world), SIPD_OK);
}

static void
echo(struct rig *r, const struct hop *from, struct span bytes)
{
    net_send(r->net, from, bytes, 0);
}

static void
write_masked(int fd, struct span text)
{
    char *copy = mem_copy(text);

    mask(copy, text.len);
    peer_write(fd, (struct span){ copy, text.len });
    mem_free(copy);
}

static void
expect_masked(int fd, struct span text)
{
    char *copy = mem_copy(text);

    mask(copy, text.len);
    peer_expect(fd, (struct span){ copy, text.len });
    mem_free(copy);
}

static int
greeted(struct hop *at)
{
    int fd;

    *at = rig_at(rig_listen(HOP_TLS, "127.0.0.1"));
    fd = peer_connect(at);
    peer_write(fd, SPAN(GREETING));
    peer_expect(fd, SPAN(GREETING));
    return fd;
}

/* ---- in */

START_TEST(messages_pass_the_filter_both_ways)
{
    struct hop at;
    int fd;

    offer(&masked_ops);
    rig.on_message = echo;
    fd = greeted(&at);
    write_masked(fd, SPAN(REQUEST "\r\n\r\n"));
    expect_masked(fd, SPAN(REQUEST "\r\n"));
    rig_expect(0, SPAN(REQUEST));
    ck_assert_uint_eq(rig.messages[0].from.transport, HOP_TLS);
    ck_assert(world.last->inbound);
    ck_assert_uint_eq(rig_count("conns_greeted"), 1);
    close(fd);
    rig_run_flows_gone(1);
    ck_assert_uint_eq(world.ended, 1);
    ck_assert_uint_eq(net_transport_conns(rig.net, HOP_TLS), 0);
}
END_TEST

/* Who only connects gets no session, and who does not greet in time is sent away. */
START_TEST(hands_are_shaken_in_time_or_not_at_all)
{
    struct net_conf hasty = { .connections = 100,
                              .message_bytes = 65535,
                              .idle_ms = 60000,
                              .message_ms = 60000,
                              .connect_ms = 2000,
                              .queue_bytes = 1 << 20 };
    struct hop at;
    int silent, slow;

    offer(&masked_ops);
    net_set_conf(rig.net, &hasty);
    at = rig_at(rig_listen(HOP_TLS, "127.0.0.1"));
    silent = peer_connect(&at);
    slow = peer_connect(&at);
    peer_write(slow, SPAN("hel"));
    rig_run_flows_gone(2);
    if (rig_kept_up(1000))
        ck_assert_uint_eq(world.begun, 1);
    ck_assert_uint_eq(world.ended, world.begun);
    ck_assert_uint_eq(rig_count("conns_ungreeted"), 2);
    close(silent);
    close(slow);
}
END_TEST

START_TEST(a_bad_greeting_ends_it_gently)
{
    struct hop at;
    int fd;

    offer(&masked_ops);
    at = rig_at(rig_listen(HOP_TLS, "127.0.0.1"));
    fd = peer_connect(&at);
    peer_write(fd, SPAN("help!"));
    peer_expect(fd, SPAN(GREETING "bye"));
    peer_expect_end(fd);
    close(fd);
    rig_run_flows_gone(1);
    ck_assert_uint_eq(rig_count("conns_ungreeted"), 1);
}
END_TEST

static struct span
long_message(void)
{
    char *bytes = mem_new(LONG_BYTES + 200);
    int head = snprintf(bytes, 200, "MESSAGE sip:example.com SIP/2.0\r\nContent-Length: %d\r\n\r\n",
                        LONG_BYTES);

    ck_assert_ptr_nonnull(bytes);
    memset(bytes + head, 'x', LONG_BYTES);
    return (struct span){ bytes, (size_t)head + LONG_BYTES };
}

/* More than one room and one gathering: nothing is lost, doubled or out of order, though the peer reads late. */
START_TEST(much_passes_a_peer_that_reads_late)
{
    enum { TIMES = 40 };
    struct span message = long_message();
    struct hop at;
    int fd, small = 64 << 10;

    offer(&masked_ops);
    rig.on_message = echo;
    fd = greeted(&at);
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    for (int i = 0; i < TIMES; i++) {
        write_masked(fd, message);
        rig_run_messages((size_t)i + 1);
        rig_expect((size_t)i, message);
        if (i % 8 == 7)
            for (int j = 0; j < 8; j++)
                expect_masked(fd, message);
    }
    close(fd);
    mem_free((void *)(uintptr_t)message.at);
}
END_TEST

/* ---- out */

static int
accept_greeted(int listening)
{
    int fd = -1;

    for (int tries = 0; fd < 0 && tries < 2000; tries++) {
        rig_run_turns(1);
        fd = accept(listening, NULL, NULL);
    }
    ck_assert_int_ge(fd, 0);
    peer_expect(fd, SPAN(GREETING));
    peer_write(fd, SPAN(GREETING));
    return fd;
}

START_TEST(a_connection_is_opened_for_a_name_and_used_by_that_name_only)
{
    struct hop to = { .transport = HOP_TLS };
    int listening, fd, other;

    offer(&masked_ops);
    rig_listen(HOP_TLS, "127.0.0.1");
    listening = peer_new(SOCK_STREAM, "127.0.0.1", &to.port);
    ck_assert_int_eq(listen(listening, 5), 0);
    ck_assert(hop_ip_read(SPAN("127.0.0.1"), &to));
    to.name = net_name(rig.net, SPAN("One.example.com"));
    ck_assert_uint_eq(to.name, net_name(rig.net, SPAN("one.example.com")));
    rig_send(&to, REQUEST, 1);
    fd = accept_greeted(listening);
    ck_assert_str_eq(world.last->name, "one.example.com");
    expect_masked(fd, SPAN(REQUEST));
    rig_send(&to, ANSWER, 2);
    to.name = net_name(rig.net, SPAN("also.example.com"));
    rig_send(&to, REQUEST, 3);
    expect_masked(fd, SPAN(ANSWER REQUEST));
    ck_assert_uint_eq(world.begun, 1);
    to.name = net_name(rig.net, SPAN("two.example.com"));
    rig_send(&to, REQUEST, 4);
    other = accept_greeted(listening);
    expect_masked(other, SPAN(REQUEST));
    ck_assert_str_eq(world.last->name, "two.example.com");
    to.name = 0;
    rig_send(&to, REQUEST, 5);
    rig_run_turns(2);
    ck_assert_uint_eq(rig_count("conns_opened"), 3);
    ck_assert_uint_eq(rig.gone_len, 0);
    close(fd);
    close(other);
    close(listening);
}
END_TEST

START_TEST(what_waits_for_refused_hands_is_told)
{
    struct hop to = { .transport = HOP_TLS };
    int listening, fd;

    offer(&masked_ops);
    rig_listen(HOP_TLS, "127.0.0.1");
    listening = peer_new(SOCK_STREAM, "127.0.0.1", &to.port);
    ck_assert_int_eq(listen(listening, 5), 0);
    ck_assert(hop_ip_read(SPAN("127.0.0.1"), &to));
    world.refuses = true;
    rig_send(&to, REQUEST, 7);
    fd = accept_greeted(listening);
    rig_run_gone(1);
    ck_assert_uint_eq(rig.gone[0].token, 7);
    close(fd);
    close(listening);
}
END_TEST

/* RFC 5923: for whom it proved to be only, and only where it was asked for. */
START_TEST(a_connection_is_used_backwards_for_whom_it_proves)
{
    struct hop at, to;
    struct way way;
    int fd;

    offer(&masked_ops);
    fd = greeted(&at);
    write_masked(fd, SPAN(REQUEST));
    rig_run_messages(1);
    to = rig_hop(HOP_TLS, "127.0.0.1", 5070);
    to.name = net_name(rig.net, SPAN("client.example.com"));
    ck_assert_int_eq(net_way(rig.net, &to, 100, &way), SIPD_OK);
    ck_assert_uint_eq(way.to.flow, 0);
    net_alias(rig.net, &rig.messages[0].from, 5070);
    net_alias(rig.net, &rig.messages[0].from, 5071); /* the first counts */
    ck_assert_int_eq(net_way(rig.net, &to, 100, &way), SIPD_OK);
    ck_assert_uint_eq(way.to.flow, rig.messages[0].from.flow);
    rig_send(&to, ANSWER, 1);
    expect_masked(fd, SPAN(ANSWER));
    to.port = 5071;
    ck_assert_int_eq(net_way(rig.net, &to, 100, &way), SIPD_OK);
    ck_assert_uint_eq(way.to.flow, 0);
    to.port = 5070;
    to.name = net_name(rig.net, SPAN("other.example.com"));
    ck_assert_int_eq(net_way(rig.net, &to, 100, &way), SIPD_OK);
    ck_assert_uint_eq(way.to.flow, 0);
    close(fd);
    rig_run_flows_gone(1);
    to.name = net_name(rig.net, SPAN("client.example.com"));
    ck_assert_int_eq(net_way(rig.net, &to, 100, &way), SIPD_OK);
    ck_assert_uint_eq(way.to.flow, 0);
}
END_TEST

/* TCP proves nothing: the listener must say so. */
START_TEST(without_proofs_the_listener_says_whether)
{
    struct hop to = rig_hop(HOP_TCP, "127.0.0.1", 5070);

    for (int alias = 0; alias < 2; alias++) {
        struct net_listen spec = { .at = rig_hop(HOP_TCP, "127.0.0.1", 0), .alias = alias != 0 };
        size_t before = rig.messages_len;
        struct way way;
        struct hop at;
        uint16_t id;
        int fd;

        ck_assert_int_eq(net_listen(rig.net, &spec, &id, &rig.why), SIPD_OK);
        at = rig_at(id);
        fd = peer_connect(&at);
        peer_write(fd, SPAN(REQUEST));
        rig_run_messages(before + 1);
        net_alias(rig.net, &rig.messages[before].from, 5070);
        ck_assert_int_eq(net_way(rig.net, &to, 100, &way), SIPD_OK);
        ck_assert_uint_eq(way.to.flow, alias ? rig.messages[before].from.flow : 0);
        close(fd);
    }
}
END_TEST

/* ---- coming and going */

START_TEST(withdrawn_it_takes_its_connections_along)
{
    struct hop at;
    int fd, late;

    offer(&masked_ops);
    fd = greeted(&at);
    write_masked(fd, SPAN(REQUEST));
    rig_run_messages(1);
    ck_assert_uint_eq(net_transport_conns(rig.net, HOP_TLS), 1);
    net_withdraw_transport(rig.net, HOP_TLS);
    ck_assert_uint_eq(world.ended, 1);
    rig_run_flows_gone(1);
    peer_expect_end(fd);
    late = peer_connect(&at);
    peer_expect_end(late);
    ck_assert_int_eq(net_offer_transport(rig.net, HOP_TCP, &masked_ops, NULL), SIPD_EINVAL);
    ck_assert_int_eq(net_offer_transport(rig.net, HOP_TLS, &masked_ops, &world), SIPD_OK);
    ck_assert_int_eq(net_offer_transport(rig.net, HOP_TLS, &masked_ops, NULL), SIPD_EEXIST);
    close(fd);
    close(late);
}
END_TEST

/* ---- whole messages: a byte of length, the message, and no Content-Length is looked at */

static int
whole_greet(void *session)
{
    (void)session;
    return 1;
}

static ptrdiff_t
whole_read(void *session, char *to, size_t room)
{
    struct masked *m = session;
    char len;
    ptrdiff_t got = sipd_wire_read(m->wire, &len, 1);

    if (got <= 0)
        return got;
    ck_assert_uint_le((size_t)len, room);
    return sipd_wire_read(m->wire, to, (size_t)len);
}

static const struct sipd_transport_ops whole_ops = {
    .messages = true,
    .begin = masked_begin,
    .greet = whole_greet,
    .read = whole_read,
    .write = masked_write,
    .end = masked_end,
};

START_TEST(whole_messages_are_not_cut_anew)
{
    struct hop at;
    int fd;

    offer(&whole_ops);
    at = rig_at(rig_listen(HOP_TLS, "127.0.0.1"));
    fd = peer_connect(&at);
    peer_write(fd, SPAN("\005OPT A\007OPT B\r\n\003ack"));
    rig_run_messages(3);
    rig_expect(0, SPAN("OPT A"));
    rig_expect(1, SPAN("OPT B\r\n"));
    rig_expect(2, SPAN("ack"));
    close(fd);
}
END_TEST

Suite *
suite_net_xport(void)
{
    Suite *suite = suite_create("net_xport");
    TCase *in = rig_case("in"), *out = rig_case("out"), *life = rig_case("life");

    tcase_add_test(in, messages_pass_the_filter_both_ways);
    tcase_add_test(in, hands_are_shaken_in_time_or_not_at_all);
    tcase_add_test(in, a_bad_greeting_ends_it_gently);
    tcase_add_test(in, much_passes_a_peer_that_reads_late);
    tcase_add_test(in, whole_messages_are_not_cut_anew);
    tcase_add_test(out, a_connection_is_opened_for_a_name_and_used_by_that_name_only);
    tcase_add_test(out, what_waits_for_refused_hands_is_told);
    tcase_add_test(out, a_connection_is_used_backwards_for_whom_it_proves);
    tcase_add_test(out, without_proofs_the_listener_says_whether);
    tcase_add_test(life, withdrawn_it_takes_its_connections_along);
    suite_add_tcase(suite, in);
    suite_add_tcase(suite, out);
    suite_add_tcase(suite, life);
    return suite;
}
