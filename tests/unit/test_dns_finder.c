/*
 * URIs to hops, question by question, with a zone that is a table: RFC 3263 §4 and §5, RFC 7984, what is asked once and what is
 * kept how long (modules/dns/finder.c, modules/dns/locate.c, modules/dns/show.c).
 */
#include "dns/finder.h"

#include <stdio.h>

#include "modules/zone/lib_zone.h"
#include "unit/host_rig.h"

enum { QUESTIONS = 64, LINES = 64 };

static struct {
    struct sipd_host *host;
    struct finder finder;
    struct finder_conf conf;
    struct span lines[LINES];
    size_t lines_len;
    uint32_t ttl_s;
    bool late; /* answers wait for tell() */
    bool deaf; /* questions cannot be asked */
    char asked[4096];
    struct {
        char name[ANSWER_NAME_BYTES];
        enum dns_what what;
        uint64_t number;
    } open[QUESTIONS];
    size_t open_len;
    bool tcp, tls, v6; /* besides UDP over IPv4 */
} t;

/* ---------------------------------------------------------------- DNS */

static int
ask(void *io, const char *name, enum dns_what what, uint64_t question)
{
    size_t len = strlen(t.asked);

    (void)io;
    if (t.deaf)
        return SIPD_ENOMEM;
    snprintf(t.asked + len, sizeof t.asked - len, "%s%s %s", len > 0 ? ", " : "", name,
             dns_what_name(what));
    if (!t.late) {
        finder_answered(&t.finder, name, what, question,
                        zone_says(t.lines, t.lines_len, name, what, t.ttl_s));
        return SIPD_OK;
    }
    must(t.open_len < QUESTIONS);
    snprintf(t.open[t.open_len].name, ANSWER_NAME_BYTES, "%s", name);
    t.open[t.open_len].what = what;
    t.open[t.open_len++].number = question;
    return SIPD_OK;
}

/* The answer to an open question comes. */
static void
tell(const char *name, enum dns_what what)
{
    for (size_t i = 0; i < t.open_len; i++)
        if (t.open[i].number != 0 && strcmp(t.open[i].name, name) == 0 && t.open[i].what == what) {
            uint64_t number = t.open[i].number;

            t.open[i].number = 0;
            finder_answered(&t.finder, name, what, number,
                            zone_says(t.lines, t.lines_len, name, what, t.ttl_s));
            return;
        }
    ck_abort_msg("nobody asked for %s", name);
}

static int
load(struct sipd_host *host, const void *conf, void **self)
{
    static const struct sipd_resolver_ops ops = { finder_ask, finder_tried };
    struct finder_ports ports = { ask, NULL };

    (void)conf;
    *self = NULL;
    t.host = host;
    ck_assert_int_eq(finder_init(&t.finder, host, &t.conf, &ports), SIPD_OK);
    ck_assert_int_eq(finder_commands(&t.finder), SIPD_OK);
    return sipd_offer_resolver(host, &ops, &t.finder);
}

static void
unload(void *self)
{
    (void)self;
    finder_fini(&t.finder);
}

static const struct sipd_module module = {
    .abi = SIPD_ABI, .name = "finder", .load = load, .unload = unload
};

static bool
can_send(void *io, const struct hop *to)
{
    static const struct hop any;

    (void)io;
    if (to->transport == HOP_TCP ? !t.tcp : to->transport == HOP_TLS ? !t.tls : false)
        return false;
    return t.v6 || hop_is_v4(to) || memcmp(to->ip, any.ip, sizeof to->ip) == 0;
}

/* ---------------------------------------------------------------- the core's side */

static int
port_resolve(void *io, const struct sipd_place *place, uint64_t id)
{
    (void)io;
    return host_resolve(hosting.host, place, id);
}

static void
port_tried(void *io, const struct hop *hop, enum sipd_tried how, uint32_t retry_after_s)
{
    (void)io;
    host_tried(hosting.host, hop, how, retry_after_s);
}

static void
start(void)
{
    memset(&t, 0, sizeof t);
    t.ttl_s = 300;
    t.tcp = true;
    t.conf = (struct finder_conf){ .cache = 1000,
                                   .questions = 100,
                                   .waiting = 100,
                                   .min_ttl_s = 1,
                                   .max_ttl_s = 86400,
                                   .negative_s = 60,
                                   .stale_s = 3600,
                                   .failed_s = 5,
                                   .give_up_ms = 6000,
                                   .targets = 100,
                                   .rest_s = 30,
                                   .max_rest_s = 300 };
    rig.ports.resolve = port_resolve;
    rig.ports.tried = port_tried;
    rig_restart(&rig);
    hosting.ports.can_send = can_send;
    host_free(&hosting.host);
    ck_assert_int_eq(host_new(&hosting.host, &hosting.ports), SIPD_OK);
    ck_assert_int_eq(host_rig_open(&module), SIPD_OK);
    ck_assert_int_eq(host_rig_start(), SIPD_OK);
}

static void
zone(const char *line)
{
    must(t.lines_len < LINES);
    t.lines[t.lines_len++] = span_of(line);
}

static void
tick(void)
{
    host_tick(hosting.host);
    rig_pass(&rig, 0);
}

static void
pass(uint64_t ms)
{
    uint64_t end_ms = rig.clock.now_ms + ms, next_ms;

    while ((next_ms = host_next_ms(hosting.host)) <= end_ms) {
        if (next_ms > rig.clock.now_ms)
            rig.clock.now_ms = next_ms;
        tick();
    }
    rig.clock.now_ms = end_ms;
    tick();
}

/* Bob is at this URI, and is called. */
static void
call(const char *uri)
{
    rig.binds_len = 0;
    rig_clear(&rig);
    rig_bind(&rig, "bob", uri, NULL, 1000);
    rig_new_branch(&rig);
    rig_ask(&rig, ALICE, INVITE_BOB, NULL);
    tick();
}

static void
put_hop(char *to, size_t room, const struct rig_sent *invite)
{
    char text[HOP_TEXT_BYTES];
    size_t len = strlen(to);

    snprintf(to + len, room - len, "%s%.*s:%.*s%s", len > 0 ? " " : "",
             SPAN_ARG(hop_transport_uri(invite->to.transport)),
             SPAN_ARG(hop_write(&invite->to, text)), invite->to.by_rule ? "!" : "");
}

/*
 * All hops of the call under way, in the order in which they are tried, as each of them refuses with a 503; "!" where no URI named
 * the transport. Without any, the final status.
 */
static const char *
walk(void)
{
    static char text[2048];
    const struct rig_sent *invite, *before = NULL;
    char tag[16];

    text[0] = '\0';
    for (unsigned n = 0; (invite = rig_last(&rig, "INVITE ")) && invite != before; n++) {
        put_hop(text, sizeof text, invite);
        before = invite;
        snprintf(tag, sizeof tag, "t%u", n);
        rig_reply(&rig, invite, 503, tag, NULL);
        tick();
    }
    if (text[0] == '\0' && rig_last(&rig, "SIP/2.0 "))
        snprintf(text, sizeof text, "%.3s", rig_last(&rig, "SIP/2.0 ")->bytes.at + 8);
    return text;
}

#define expect(uri, list) expect_at(uri, list, __LINE__)
static void
expect_at(const char *uri, const char *list, int line)
{
    const char *got;

    t.asked[0] = '\0';
    call(uri);
    got = walk();
    if (strcmp(got, list) != 0)
        ck_abort_msg("line %d: %s: \"%s\", not \"%s\"; asked: %s", line, uri, got, list, t.asked);
}

#define expect_asked(list) ck_assert_str_eq(t.asked, list)

/* ---------------------------------------------------------------- RFC 3263 §4 */

/* The example of §4.1: NAPTR, then SRV of the most preferred transport that we have. */
static void
zone_of_rfc3263(void)
{
    zone("example.com NAPTR 50 50 s SIPS+D2T _sips._tcp.example.com");
    zone("example.com NAPTR 90 50 s SIP+D2T _sip._tcp.example.com");
    zone("example.com NAPTR 100 50 s SIP+D2U _sip._udp.example.com");
    zone("_sips._tcp.example.com SRV 0 1 5061 server1.example.com");
    zone("_sip._tcp.example.com SRV 0 1 5060 server1.example.com");
    zone("_sip._tcp.example.com SRV 1 2 5060 server2.example.com");
    zone("_sip._udp.example.com SRV 0 0 5080 server2.example.com");
    zone("server1.example.com A 192.0.2.1");
    zone("server2.example.com A 192.0.2.2");
    zone("example.com A 192.0.2.9");
}

START_TEST(the_example_of_the_rfc)
{
    start();
    zone_of_rfc3263();
    expect("sip:user@example.com", "tcp:192.0.2.1:5060 tcp:192.0.2.2:5060");
    expect_asked("example.com NAPTR, _sip._tcp.example.com SRV, server1.example.com address, "
                 "server2.example.com address");
    t.tls = true;
    expect("sip:user@example.com", "tls:192.0.2.1:5061");
    expect("sips:user@example.com", "tls:192.0.2.1:5061");
    t.tls = t.tcp = false;
    expect("sip:user@example.com", "udp:192.0.2.2:5080!");
    expect("sips:user@example.com", "500");
}
END_TEST

START_TEST(port_and_transport_decide_what_is_asked)
{
    start();
    t.tls = true;
    zone_of_rfc3263();
    expect("sip:user@example.com:5070", "udp:192.0.2.9:5070!");
    expect_asked("example.com address");
    expect("sip:user@example.com:5070;transport=tcp", "tcp:192.0.2.9:5070");
    expect_asked("");
    expect("sips:user@example.com:5071", "tls:192.0.2.9:5071");
    expect("sip:user@example.com;transport=udp", "udp:192.0.2.2:5080");
    expect_asked("_sip._udp.example.com SRV, server2.example.com address");
    expect("sip:user@example.com;transport=tls", "tls:192.0.2.1:5061");
    expect("sips:user@example.com;transport=tcp", "tls:192.0.2.1:5061");
    expect("sip:user@other.example;maddr=example.com;transport=udp", "udp:192.0.2.2:5080");
    expect("sip:user@example.com;transport=sctp", "500");
}
END_TEST

/* No NAPTR: SRV for all that we have, at once; then addresses at the default port. */
START_TEST(without_naptr_and_without_srv)
{
    start();
    zone("_sip._tcp.srv.example SRV 1 1 5070 host.srv.example");
    zone("host.srv.example A 192.0.2.3");
    zone("srv.example A 192.0.2.4");
    zone("plain.example A 192.0.2.5");
    expect("sip:srv.example", "tcp:192.0.2.3:5070");
    expect_asked("srv.example NAPTR, _sip._tcp.srv.example SRV, _sip._udp.srv.example SRV, "
                 "host.srv.example address");
    expect("sip:srv.example;transport=udp", "udp:192.0.2.4:5060");
    expect("sip:plain.example", "udp:192.0.2.5:5060!");
    expect("sip:plain.example;transport=tcp", "tcp:192.0.2.5:5060");
    t.tls = true;
    expect("sips:plain.example", "tls:192.0.2.5:5061");
    expect("sip:nowhere.example", "404");
    expect("sip:nowhere.example:5060", "404");
}
END_TEST

/* NAPTR may lead into another domain, and on when a service of it has no records. */
START_TEST(naptr_leads_where_it_wants)
{
    start();
    zone("school.example NAPTR 1 1 s SIP+D2T _sip._tcp.gone.example");
    zone("school.example NAPTR 2 1 s SIP+D2U _sip._udp.hosted.example");
    zone("_sip._udp.hosted.example SRV 1 1 5060 n1.hosted.example");
    zone("n1.hosted.example A 192.0.2.6");
    zone("empty.example NAPTR 1 1 s SIP+D2T _sip._tcp.gone.example");
    zone("empty.example A 192.0.2.7");
    zone("enum.example NAPTR 1 1 u E2U+sip !^.*$!sip:a@b!");
    zone("enum.example A 192.0.2.8");
    expect("sip:school.example", "udp:192.0.2.6:5060!");
    expect("sip:empty.example", "tcp:192.0.2.7:5060");
    expect("sip:enum.example", "udp:192.0.2.8:5060!");
    t.tcp = false;
    expect("sip:empty.example", "500"); /* by TCP only, and we have none */
}
END_TEST

/* RFC 2782: a single "." */
START_TEST(a_service_that_is_denied)
{
    start();
    zone("_sip._udp.no.example SRV 0 0 0 .");
    zone("_sip._tcp.no.example SRV 0 0 0 .");
    zone("no.example A 192.0.2.4");
    zone("_sip._udp.half.example SRV 0 0 0 .");
    zone("_sip._tcp.half.example SRV 0 0 5060 half.example");
    zone("half.example A 192.0.2.5");
    expect("sip:no.example", "404");
    expect("sip:no.example;transport=udp", "404");
    expect("sip:no.example:5060", "udp:192.0.2.4:5060!");
    expect("sip:half.example", "tcp:192.0.2.5:5060");
}
END_TEST

/* ---------------------------------------------------------------- RFC 7984 */

/* The example of §4: the addresses of two hosts are never mixed, whatever their families. */
START_TEST(the_example_of_rfc7984)
{
    start();
    t.v6 = true;
    zone("_sip._tcp.example.com SRV 10 1 5060 sip-1.example.com");
    zone("_sip._tcp.example.com SRV 20 1 5060 sip-2.example.com");
    zone("sip-1.example.com AAAA 2001:0db8:58:c02::face");
    zone("sip-1.example.com AAAA 2001:0db8:c:a06::2:cafe");
    zone("sip-1.example.com AAAA 2001:0db8:44:204::d1ce");
    zone("sip-1.example.com A 192.0.2.45");
    zone("sip-1.example.com A 203.0.113.109");
    zone("sip-1.example.com A 198.51.100.24");
    zone("sip-2.example.com AAAA 2001:0db8:58:c02::dead");
    zone("sip-2.example.com AAAA 2001:0db8:c:a06::2:beef");
    zone("sip-2.example.com AAAA 2001:0db8:44:204::c0de");
    zone("sip-2.example.com A 192.0.2.75");
    zone("sip-2.example.com A 203.0.113.38");
    zone("sip-2.example.com A 198.51.100.140");
    expect("sip:example.com;transport=tcp",
           "tcp:[2001:db8:58:c02::face]:5060 tcp:[2001:db8:c:a06::2:cafe]:5060 "
           "tcp:[2001:db8:44:204::d1ce]:5060 tcp:192.0.2.45:5060 tcp:203.0.113.109:5060 "
           "tcp:198.51.100.24:5060 tcp:[2001:db8:58:c02::dead]:5060 "
           "tcp:[2001:db8:c:a06::2:beef]:5060 tcp:[2001:db8:44:204::c0de]:5060 "
           "tcp:192.0.2.75:5060 tcp:203.0.113.38:5060 tcp:198.51.100.140:5060");
    /* §3.1: a family that we do not have is passed over */
    t.v6 = false;
    expect("sip:example.com;transport=tcp",
           "tcp:192.0.2.45:5060 tcp:203.0.113.109:5060 tcp:198.51.100.24:5060 tcp:192.0.2.75:5060 "
           "tcp:203.0.113.38:5060 tcp:198.51.100.140:5060");
}
END_TEST

/* ---------------------------------------------------------------- what is kept, and asked once */

START_TEST(answers_hold_as_long_as_they_say)
{
    start();
    t.ttl_s = 10;
    zone("a.example A 192.0.2.1");
    expect("sip:a.example:5060", "udp:192.0.2.1:5060!");
    expect("sip:A.Example:5060", "udp:192.0.2.1:5060!");
    expect_asked("");
    pass(9999);
    expect("sip:a.example:5060", "udp:192.0.2.1:5060!");
    expect_asked("");
    pass(1);
    expect("sip:a.example.:5060", "udp:192.0.2.1:5060!");
    expect_asked("a.example address");
}
END_TEST

/* A time to live of nothing holds for those who wait, and for a second. */
START_TEST(answers_that_hold_for_nothing)
{
    start();
    t.ttl_s = 0;
    zone("_sip._udp.a.example SRV 1 1 5060 h.a.example");
    zone("h.a.example A 192.0.2.1");
    t.late = true;
    call("sip:a.example;transport=udp");
    pass(2000);
    tell("_sip._udp.a.example", DNS_SRV);
    pass(2000);
    expect_asked("_sip._udp.a.example SRV, h.a.example address");
    tell("h.a.example", DNS_ADDRESS);
    tick();
    ck_assert_str_eq(walk(), "udp:192.0.2.1:5060");
}
END_TEST

/* RFC 2308 */
START_TEST(what_is_not_there_is_remembered)
{
    start();
    expect("sip:no.example:5060", "404");
    expect("sip:no.example:5060", "404");
    expect_asked("");
    pass(60000);
    zone("no.example A 192.0.2.1");
    expect("sip:no.example:5060", "udp:192.0.2.1:5060!");
    /* nobody answered: asked again after failed_s */
    zone("bad.example FAILS");
    expect("sip:bad.example:5060", "500");
    pass(4999);
    expect("sip:bad.example:5060", "500");
    expect_asked("");
    pass(1);
    expect("sip:bad.example:5060", "500");
    expect_asked("bad.example address");
}
END_TEST

START_TEST(equal_questions_are_asked_once)
{
    start();
    zone("a.example A 192.0.2.1");
    t.late = true;
    for (unsigned i = 0; i < 50; i++) {
        rig.binds_len = 0;
        rig_bind(&rig, "bob", "sip:a.example:5060", NULL, 1000);
        rig_new_branch(&rig);
        rig_ask(&rig, ALICE, INVITE_BOB, NULL);
    }
    tick();
    expect_asked("a.example address");
    ck_assert_uint_eq(rig_counter(&rig, "dns_joined"), 49);
    rig_clear(&rig);
    tell("a.example", DNS_ADDRESS);
    tick();
    ck_assert_uint_eq(rig.sent_len, 50);
    ck_assert_uint_eq(t.finder.locates_len, 0);
}
END_TEST

/* ---------------------------------------------------------------- those who wait */

/* The best host is waited for, the others only a little when it is known. */
START_TEST(a_slow_name_does_not_hold_up_the_best)
{
    start();
    t.conf.stale_s = 0;
    zone("_sip._udp.a.example SRV 1 1 5060 one.a.example");
    zone("_sip._udp.a.example SRV 2 1 5060 two.a.example");
    zone("one.a.example A 192.0.2.1");
    zone("two.a.example A 192.0.2.2");
    t.late = true;
    call("sip:a.example;transport=udp");
    tell("_sip._udp.a.example", DNS_SRV);
    tell("two.a.example", DNS_ADDRESS);
    pass(1000);
    ck_assert_ptr_null(rig_last(&rig, "INVITE "));
    tell("one.a.example", DNS_ADDRESS);
    tick();
    ck_assert_str_eq(walk(), "udp:192.0.2.1:5060 udp:192.0.2.2:5060");
    pass(301000);
    call("sip:a.example;transport=udp");
    tell("_sip._udp.a.example", DNS_SRV);
    tell("one.a.example", DNS_ADDRESS);
    pass(299);
    ck_assert_ptr_null(rig_last(&rig, "INVITE "));
    pass(1);
    ck_assert_str_eq(walk(), "udp:192.0.2.1:5060");
}
END_TEST

START_TEST(nobody_waits_for_ever)
{
    start();
    zone("a.example A 192.0.2.1");
    t.late = true;
    call("sip:a.example:5060");
    pass(5999);
    ck_assert_ptr_null(rig_last(&rig, "SIP/2.0 500 "));
    pass(1);
    ck_assert_ptr_nonnull(rig_last(&rig, "SIP/2.0 500 "));
    ck_assert_uint_eq(t.finder.locates_len, 0);
    /* what comes late is good for the next one */
    tell("a.example", DNS_ADDRESS);
    t.late = false;
    expect("sip:a.example:5060", "udp:192.0.2.1:5060!");
    expect_asked("");
}
END_TEST

/* Some servers, and what stands before them, answer nothing to a type that they do not know. */
START_TEST(who_is_silent_about_naptr_is_found_all_the_same)
{
    start();
    zone("_sip._udp.a.example SRV 1 1 5070 h.a.example");
    zone("h.a.example A 192.0.2.1");
    t.late = true;
    call("sip:a.example");
    pass(2999);
    expect_asked("a.example NAPTR");
    pass(1);
    expect_asked("a.example NAPTR, _sip._tcp.a.example SRV, _sip._udp.a.example SRV");
    tell("_sip._tcp.a.example", DNS_SRV);
    tell("_sip._udp.a.example", DNS_SRV);
    tell("h.a.example", DNS_ADDRESS);
    pass(299);
    ck_assert_ptr_null(rig_last(&rig, "INVITE "));
    pass(1);
    ck_assert_str_eq(walk(), "udp:192.0.2.1:5070!");
    ck_assert_uint_eq(t.finder.locates_len, 0);
}
END_TEST

/* It was slow, not silent: what it says counts. */
START_TEST(naptr_that_comes_late_is_heard)
{
    start();
    zone("a.example NAPTR 1 1 s SIP+D2T _sip._tcp.a.example");
    zone("_sip._tcp.a.example SRV 1 1 5071 h.a.example");
    zone("_sip._udp.a.example SRV 1 1 5070 h.a.example");
    zone("h.a.example A 192.0.2.1");
    t.late = true;
    call("sip:a.example");
    pass(3000);
    tell("_sip._udp.a.example", DNS_SRV);
    tell("a.example", DNS_NAPTR);
    tell("_sip._tcp.a.example", DNS_SRV);
    tell("h.a.example", DNS_ADDRESS);
    tick();
    ck_assert_str_eq(walk(), "tcp:192.0.2.1:5071");
}
END_TEST

/* RFC 8767: while no server answers, what was true is used; who is silent costs 300 ms, and that for all of a URI. */
START_TEST(what_was_true_is_used_while_nobody_answers)
{
    start();
    t.ttl_s = 10;
    zone("_sip._udp.a.example SRV 1 1 5060 h.a.example");
    zone("h.a.example A 192.0.2.1");
    expect("sip:a.example;transport=udp", "udp:192.0.2.1:5060");
    pass(10000);
    t.late = true;
    call("sip:a.example;transport=udp");
    pass(299);
    ck_assert_ptr_null(rig_last(&rig, "INVITE "));
    pass(1);
    ck_assert_str_eq(walk(), "udp:192.0.2.1:5060");
    ck_assert_uint_eq(rig_counter(&rig, "dns_stale"), 2);
    /* one that says it failed */
    t.late = false;
    t.open_len = 0;
    finder_ask_again(&t.finder);
    pass(10000);
    zone("_sip._udp.a.example FAILS");
    zone("h.a.example FAILS");
    expect("sip:a.example;transport=udp", "udp:192.0.2.1:5060");
    expect_asked("_sip._udp.a.example SRV, h.a.example address");
    expect("sip:a.example;transport=udp", "udp:192.0.2.1:5060");
    expect_asked("");
    pass(5000); /* failed_s */
    expect("sip:a.example;transport=udp", "udp:192.0.2.1:5060");
    expect_asked("_sip._udp.a.example SRV, h.a.example address");
    pass(3600000);
    expect("sip:a.example;transport=udp", "500");
    t.lines[2] = t.lines[3] = SPAN("x A 192.0.2.9");
    pass(5000);
    expect("sip:a.example;transport=udp", "udp:192.0.2.1:5060");
}
END_TEST

START_TEST(ceilings)
{
    char uri[64];

    start();
    t.conf.waiting = 3;
    t.conf.questions = 2;
    t.late = true;
    for (unsigned i = 0; i < 2; i++) {
        snprintf(uri, sizeof uri, "sip:n%u.example:5060", i);
        call(uri);
    }
    ck_assert_uint_eq(t.finder.questions_len, 2);
    expect("sip:n2.example:5060", "500"); /* no question left */
    call("sip:n1.example:5060");
    expect("sip:n1.example:5060", "500"); /* nobody more may wait */
    ck_assert_uint_eq(t.finder.locates_len, 3);
    t.deaf = true;
    t.conf.waiting = t.conf.questions = 10;
    expect("sip:n5.example:5060", "500");
    ck_assert_uint_eq(t.finder.questions_len, 2);
}
END_TEST

/* The oldest answer makes room, and none that is wanted. */
START_TEST(the_cache_has_a_ceiling)
{
    char uri[64];

    start();
    t.conf.cache = 20;
    for (unsigned i = 0; i < 100; i++) {
        snprintf(uri, sizeof uri, "sip:n%u.example:5060", i);
        call(uri);
        ck_assert_uint_le(t.finder.cache.used, 20);
    }
    t.asked[0] = '\0';
    call("sip:n99.example:5060");
    expect_asked("");
    call("sip:n0.example:5060");
    expect_asked("n0.example address");
    t.late = true;
    for (unsigned i = 200; i < 220; i++) {
        snprintf(uri, sizeof uri, "sip:n%u.example:5060", i);
        call(uri);
    }
    expect("sip:n99.example:5060", "500"); /* all are being asked */
    ck_assert_uint_eq(t.finder.cache.used, 20);
}
END_TEST

/* The module's name servers were changed: what was asked of the old ones is asked of the new. */
START_TEST(questions_are_asked_anew)
{
    start();
    zone("a.example A 192.0.2.1");
    t.late = true;
    call("sip:a.example:5060");
    t.open_len = 0;
    finder_ask_again(&t.finder);
    expect_asked("a.example address, a.example address");
    tell("a.example", DNS_ADDRESS);
    tick();
    ck_assert_str_eq(walk(), "udp:192.0.2.1:5060!");
    ck_assert_uint_eq(t.finder.questions_len, 0);
    call("sip:b.example:5060");
    t.deaf = true;
    finder_ask_again(&t.finder);
    tick();
    ck_assert_str_eq(walk(), "500");
}
END_TEST

START_TEST(names_that_dns_cannot_know)
{
    char uri[400];

    start();
    memset(uri, 'a', sizeof uri);
    memcpy(uri, "sip:", 4);
    for (size_t i = 50; i < 350; i += 50)
        uri[i] = '.';
    memcpy(uri + 350, ":5060", 6);
    expect(uri, "500");
    expect_asked("");
    uri[260] = '\0'; /* long, but for what stands in front of it for SRV */
    memcpy(uri + 252, ".x", 3);
    t.late = false;
    expect(uri, "404");
}
END_TEST

/* ---------------------------------------------------------------- how they fare */

static void
zone_of_three(void)
{
    zone("_sip._udp.b.example SRV 10 1 5060 one.b.example");
    zone("_sip._udp.b.example SRV 20 1 5060 two.b.example");
    zone("_sip._udp.b.example SRV 30 1 5060 three.b.example");
    zone("one.b.example A 192.0.2.31");
    zone("two.b.example A 192.0.2.32");
    zone("three.b.example A 192.0.2.33");
}

#define ONE   "udp:192.0.2.31:5060"
#define TWO   "udp:192.0.2.32:5060"
#define THREE "udp:192.0.2.33:5060"
#define B     "sip:b.example;transport=udp"

static void
tried(const char *hop, enum sipd_tried how, uint32_t retry_after_s)
{
    struct hop to = rig_hop(hop);

    finder_tried(&t.finder, &to, how, retry_after_s);
}

START_TEST(who_rests_is_left_out)
{
    start();
    zone_of_three();
    tried(ONE, SIPD_TRIED_FAILED, 0);
    tried(TWO, SIPD_TRIED_BUSY, 10);
    expect(B, THREE);
    pass(9999);
    expect(B, THREE);
    pass(1);
    expect(B, TWO " " THREE);
    pass(20000); /* the first is tried, by one call only, until it answers; walk() has it answer */
    expect(B, ONE " " TWO " " THREE);
    expect(B, ONE " " TWO " " THREE);
}
END_TEST

START_TEST(one_tries_for_all)
{
    start();
    zone_of_three();
    tried(ONE, SIPD_TRIED_SILENT, 0);
    pass(30000);
    call(B);
    ck_assert(hop_eq(&rig_last(&rig, "INVITE ")->to, &(struct hop[]){ rig_hop(ONE) }[0]));
    expect(B, TWO " " THREE); /* that call has not been answered yet */
    tried(ONE, SIPD_TRIED_ANSWERED, 0);
    expect(B, ONE " " TWO " " THREE);
}
END_TEST

/* An ACK has no answer, so it tries nobody for others. */
START_TEST(an_ack_tries_for_nobody)
{
    struct uri uri;
    struct sipd_place place = { .uri = &uri, .one_way = true };

    start();
    zone_of_three();
    ck_assert_int_eq(uri_read(SPAN(B), &uri), SIPD_OK);
    tried(ONE, SIPD_TRIED_SILENT, 0);
    pass(30000);
    ck_assert_int_eq(host_resolve(hosting.host, &place, 4711), SIPD_OK);
    tick();
    expect(B, ONE " " TWO " " THREE);
}
END_TEST

/* When nobody is well, those who failed are tried after all; who said when to come again is left in peace. */
START_TEST(the_last_resort)
{
    start();
    zone_of_three();
    tried(ONE, SIPD_TRIED_SILENT, 0);
    tried(TWO, SIPD_TRIED_BUSY, 100);
    tried(THREE, SIPD_TRIED_FAILED, 0);
    expect(B, ONE " " THREE);
    tried(ONE, SIPD_TRIED_BUSY, 100);
    tried(THREE, SIPD_TRIED_BUSY, 1000000); /* more than max_rest_s */
    expect(B, "500");
    pass(100000);
    expect(B, ONE " " TWO);
    pass(200000);
    expect(B, ONE " " TWO " " THREE);
}
END_TEST

/* A late answer of a busy one does not make it less busy. */
START_TEST(busy_is_busy)
{
    start();
    zone_of_three();
    tried(ONE, SIPD_TRIED_BUSY, 20);
    tried(ONE, SIPD_TRIED_ANSWERED, 0);
    expect(B, TWO " " THREE);
    tried(TWO, SIPD_TRIED_FAILED, 0);
    tried(TWO, SIPD_TRIED_ANSWERED, 0);
    expect(B, TWO " " THREE);
}
END_TEST

/* A call without state, if its first hop is well, that goes to this one. */
static void
passes_to(const char *hop, bool with_state)
{
    struct core_stats stats;

    rig.conf.mode = CORE_STATELESS;
    call(B);
    ck_assert(hop_eq(&rig_last(&rig, "INVITE ")->to, &(struct hop[]){ rig_hop(hop) }[0]));
    core_stats(rig.core, &stats);
    ck_assert_uint_eq(stats.pending, with_state);
}

static void
one_answers(const char *hop)
{
    struct hop to = rig_hop(hop);

    for (unsigned i = rig.sent_len; i > 0; i--)
        if (hop_eq(&rig.sent[i - 1].to, &to)) {
            rig_reply(&rig, &rig.sent[i - 1], 486, "b", NULL);
            return;
        }
    ck_abort_msg("nothing went to %s", hop);
}

/* RFC 3263 §4.4: a hop that stands in for one that failed is asked with state, so that repeats do not go back to the other. */
START_TEST(without_state_who_failed_is_left_with_state)
{
    start();
    zone_of_three();
    passes_to(ONE, false);
    tried(ONE, SIPD_TRIED_FAILED, 0);
    passes_to(TWO, true);
    one_answers(TWO);
    pass(30000);
    passes_to(ONE, true); /* who tries it for all, so that he does not fail if it does … */
    one_answers(ONE);
    pass(100);
    passes_to(ONE, false); /* … and all is as before */
}
END_TEST

/* Nobody waits for an answer; but from one that nothing comes from for 64*T1, though requests pass, none will come. */
START_TEST(without_state_silence_is_found_out_by_one_for_all)
{
    start();
    zone_of_three();
    passes_to(ONE, false);
    pass(31999);
    passes_to(ONE, false);
    pass(1);
    passes_to(ONE, false); /* this one has found it out; the next has state, as has its repeat */
    passes_to(ONE, true);
    pass(4000);
    one_answers(TWO);
    pass(100);
    passes_to(TWO, true);
}
END_TEST

START_TEST(without_state_any_answer_breaks_the_silence)
{
    start();
    zone_of_three();
    passes_to(ONE, false);
    pass(20000);
    one_answers(ONE);
    for (unsigned n = 0; n < 3; n++) {
        pass(31000);
        passes_to(ONE, false);
        one_answers(ONE);
    }
}
END_TEST

/* RFC 3261 §18.4: the network says that nobody is there. Anybody could say so who has seen a branch of ours: it is tried with state. */
START_TEST(without_state_a_bounce_is_a_doubt)
{
    const struct rig_sent *invite;

    start();
    zone_of_three();
    passes_to(ONE, false);
    invite = rig_last(&rig, "INVITE ");
    core_bounced(rig.core, &(struct hop[]){ rig_hop(THREE) }[0], invite->bytes);
    passes_to(ONE, false); /* nothing was passed to the third */
    core_bounced(rig.core, &(struct hop[]){ rig_hop(ONE) }[0], invite->bytes);
    passes_to(ONE, true);
    core_bounced(rig.core, &rig_last(&rig, "INVITE ")->to, rig_last(&rig, "INVITE ")->bytes);
    tick();
    one_answers(TWO);
}
END_TEST

/* A CANCEL finds where its INVITE went, however that fares. */
START_TEST(without_state_a_cancel_follows_its_invite)
{
    start();
    zone_of_three();
    passes_to(ONE, false);
    tried(ONE, SIPD_TRIED_FAILED, 0);
    rig_ask(&rig, ALICE, "CANCEL sip:bob@example.com SIP/2.0", NULL);
    tick();
    ck_assert(hop_eq(&rig_last(&rig, "CANCEL ")->to, &(struct hop[]){ rig_hop(ONE) }[0]));
    rig.to_tag = "b";
    rig_ask(&rig, ALICE, "ACK sip:bob@example.com SIP/2.0", NULL);
    tick();
    ck_assert(hop_eq(&rig_last(&rig, "ACK ")->to, &(struct hop[]){ rig_hop(ONE) }[0]));
}
END_TEST

START_TEST(targets_have_a_ceiling)
{
    char hop[32];

    start();
    for (unsigned i = 0; i < 300; i++) {
        snprintf(hop, sizeof hop, "udp:192.0.2.1:%u", 1000 + i);
        tried(hop, SIPD_TRIED_FAILED, 0);
    }
    ck_assert_uint_eq(t.finder.health.used, 100);
    ck_assert_ptr_null(
        health_find(&t.finder.health, &(struct hop[]){ rig_hop("udp:192.0.2.1:1000") }[0]));
    ck_assert_ptr_nonnull(
        health_find(&t.finder.health, &(struct hop[]){ rig_hop("udp:192.0.2.1:1299") }[0]));
}
END_TEST

/* ---------------------------------------------------------------- what is shown */

START_TEST(what_operators_see)
{
    start();
    zone("a.example NAPTR 10 20 s SIP+D2U _sip._udp.a.example");
    zone("_sip._udp.a.example SRV 1 2 5060 h.a.example");
    zone("h.a.example A 192.0.2.1");
    zone("h.a.example AAAA 2001:db8::1");
    expect("sip:a.example", "udp:192.0.2.1:5060!");
    expect("sip:no.example:5060", "404");
    tried("tcp:192.0.2.7:5060", SIPD_TRIED_BUSY, 7);
    tried("udp:192.0.2.8:5060", SIPD_TRIED_SILENT, 0);
    pass(1000);
    host_rig_says(
        "show dns a.example",
        "{\"rows\":[{\"name\":\"h.a.example\",\"type\":\"address\",\"state\":\"found\","
        "\"ttl_s\":299,\"says\":\"192.0.2.1, 2001:db8::1\"},"
        "{\"name\":\"_sip._udp.a.example\",\"type\":\"SRV\",\"state\":\"found\",\"ttl_s\":299,"
        "\"says\":\"1 2 5060 h.a.example\"},"
        "{\"name\":\"a.example\",\"type\":\"NAPTR\",\"state\":\"found\",\"ttl_s\":299,"
        "\"says\":\"10 20 SIP+D2U _sip._udp.a.example\"}]}");
    host_rig_says("show dns no.example",
                  "{\"rows\":[{\"name\":\"no.example\",\"type\":\"address\",\"state\":\"none\","
                  "\"ttl_s\":59,\"says\":\"\"}]}");
    host_rig_says(
        "show targets",
        "{\"rows\":[{\"target\":\"192.0.2.8:5060\",\"transport\":\"udp\",\"state\":\"down\","
        "\"rests_s\":29,\"answered\":0,\"failed\":1,\"busy\":0},"
        "{\"target\":\"192.0.2.7:5060\",\"transport\":\"tcp\",\"state\":\"busy\",\"rests_s\":6,"
        "\"answered\":0,\"failed\":0,\"busy\":1},"
        "{\"target\":\"192.0.2.1:5060\",\"transport\":\"udp\",\"state\":\"good\",\"rests_s\":0,"
        "\"answered\":1,\"failed\":0,\"busy\":0}]}");
    ck_assert_uint_eq(rig_counter(&rig, "dns_target_rests"), 2);
}
END_TEST

/* RFC 3263 §7: whoever takes SIPS out of the NAPTR records may be an attacker. */
START_TEST(sips_that_vanishes_is_told)
{
    start();
    t.ttl_s = 5;
    zone("a.example NAPTR 10 20 s SIPS+D2T _sips._tcp.a.example");
    zone("a.example NAPTR 20 20 s SIP+D2U _sip._udp.a.example");
    call("sip:a.example");
    pass(5000);
    t.lines[0] = SPAN("a.example FAILS");
    call("sip:a.example");
    ck_assert_uint_eq(rig_counter(&rig, "dns_sips_vanished"), 0);
    pass(5000);
    t.lines[0] = SPAN("else.example A 192.0.2.1");
    call("sip:a.example");
    ck_assert_uint_eq(rig_counter(&rig, "dns_sips_vanished"), 1);
    ck_assert_ptr_nonnull(strstr(hosting.log.bytes, "sips-vanished"));
}
END_TEST

/* The server ends while questions are open. */
START_TEST(an_end_with_open_questions)
{
    start();
    t.late = true;
    call("sip:a.example");
    call("sip:b.example");
    ck_assert_uint_eq(t.finder.locates_len, 2);
}
END_TEST

Suite *
suite_dns_finder(void)
{
    Suite *s = suite_create("dns_finder");
    TCase *c = host_case("hops");

    tcase_add_test(c, the_example_of_the_rfc);
    tcase_add_test(c, port_and_transport_decide_what_is_asked);
    tcase_add_test(c, without_naptr_and_without_srv);
    tcase_add_test(c, naptr_leads_where_it_wants);
    tcase_add_test(c, a_service_that_is_denied);
    tcase_add_test(c, the_example_of_rfc7984);
    tcase_add_test(c, answers_hold_as_long_as_they_say);
    tcase_add_test(c, answers_that_hold_for_nothing);
    tcase_add_test(c, what_is_not_there_is_remembered);
    tcase_add_test(c, equal_questions_are_asked_once);
    tcase_add_test(c, a_slow_name_does_not_hold_up_the_best);
    tcase_add_test(c, nobody_waits_for_ever);
    tcase_add_test(c, who_is_silent_about_naptr_is_found_all_the_same);
    tcase_add_test(c, naptr_that_comes_late_is_heard);
    tcase_add_test(c, what_was_true_is_used_while_nobody_answers);
    tcase_add_test(c, ceilings);
    tcase_add_test(c, the_cache_has_a_ceiling);
    tcase_add_test(c, questions_are_asked_anew);
    tcase_add_test(c, names_that_dns_cannot_know);
    tcase_add_test(c, who_rests_is_left_out);
    tcase_add_test(c, one_tries_for_all);
    tcase_add_test(c, an_ack_tries_for_nobody);
    tcase_add_test(c, the_last_resort);
    tcase_add_test(c, busy_is_busy);
    tcase_add_test(c, without_state_who_failed_is_left_with_state);
    tcase_add_test(c, without_state_silence_is_found_out_by_one_for_all);
    tcase_add_test(c, without_state_any_answer_breaks_the_silence);
    tcase_add_test(c, without_state_a_bounce_is_a_doubt);
    tcase_add_test(c, without_state_a_cancel_follows_its_invite);
    tcase_add_test(c, targets_have_a_ceiling);
    tcase_add_test(c, what_operators_see);
    tcase_add_test(c, sips_that_vanishes_is_told);
    tcase_add_test(c, an_end_with_open_questions);
    suite_add_tcase(s, c);
    return s;
}
