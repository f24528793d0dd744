/*
 * A name server that is a table.
 */
#include "unit/dns_rig.h"

#include <stdio.h>

#include "modules/zone/lib_zone.h"

struct dns_rig dns;

/* ---------------------------------------------------------------- DNS */

static int
ask(void *io, const char *name, enum dns_what what, uint64_t question)
{
    size_t len = strlen(dns.asked);

    (void)io;
    if (dns.deaf)
        return SIPD_ENOMEM;
    snprintf(dns.asked + len, sizeof dns.asked - len, "%s%s %s", len > 0 ? ", " : "", name,
             dns_what_name(what));
    if (!dns.late) {
        finder_answered(&dns.finder, name, what, question,
                        zone_says(dns.lines, dns.lines_len, name, what, dns.ttl_s));
        return SIPD_OK;
    }
    must(dns.open_len < DNS_QUESTIONS);
    snprintf(dns.open[dns.open_len].name, ANSWER_NAME_BYTES, "%s", name);
    dns.open[dns.open_len].what = what;
    dns.open[dns.open_len++].number = question;
    return SIPD_OK;
}

void
dns_tell(const char *name, enum dns_what what)
{
    for (size_t i = 0; i < dns.open_len; i++)
        if (dns.open[i].number != 0 && strcmp(dns.open[i].name, name) == 0 &&
            dns.open[i].what == what) {
            uint64_t number = dns.open[i].number;

            dns.open[i].number = 0;
            finder_answered(&dns.finder, name, what, number,
                            zone_says(dns.lines, dns.lines_len, name, what, dns.ttl_s));
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
    dns.host = host;
    ck_assert_int_eq(finder_init(&dns.finder, host, &dns.conf, &ports), SIPD_OK);
    ck_assert_int_eq(finder_commands(&dns.finder), SIPD_OK);
    return sipd_offer_resolver(host, &ops, &dns.finder);
}

static void
unload(void *self)
{
    (void)self;
    finder_fini(&dns.finder);
}

const struct sipd_module dns_module = {
    .abi = SIPD_ABI, .name = "finder", .load = load, .unload = unload
};

static bool
can_send(void *io, const struct hop *to)
{
    static const struct hop any;

    (void)io;
    if (to->transport == HOP_TCP ? !dns.tcp : to->transport == HOP_TLS ? !dns.tls : false)
        return false;
    return dns.v6 || hop_is_v4(to) || memcmp(to->ip, any.ip, sizeof to->ip) == 0;
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

void
dns_start(void)
{
    memset(&dns, 0, sizeof dns);
    dns.ttl_s = 300;
    dns.tcp = true;
    dns.conf = (struct finder_conf){ .cache = 1000,
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
    ck_assert_int_eq(host_rig_open(&dns_module), SIPD_OK);
    ck_assert_int_eq(host_rig_start(), SIPD_OK);
}

void
dns_zone(const char *line)
{
    must(dns.lines_len < DNS_LINES);
    dns.lines[dns.lines_len++] = span_of(line);
}

void
dns_tick(void)
{
    host_tick(hosting.host);
    rig_pass(&rig, 0);
}

void
dns_pass(uint64_t ms)
{
    uint64_t end_ms = rig.clock.now_ms + ms, next_ms;

    while ((next_ms = host_next_ms(hosting.host)) <= end_ms) {
        if (next_ms > rig.clock.now_ms)
            rig.clock.now_ms = next_ms;
        dns_tick();
    }
    rig.clock.now_ms = end_ms;
    dns_tick();
}

void
dns_call(const char *uri)
{
    rig.binds_len = 0;
    rig_clear(&rig);
    rig_bind(&rig, "bob", uri, NULL, 1000);
    rig_new_branch(&rig);
    rig_ask(&rig, ALICE, INVITE_BOB, NULL);
    dns_tick();
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

const char *
dns_walk(void)
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
        dns_tick();
    }
    if (text[0] == '\0' && rig_last(&rig, "SIP/2.0 "))
        snprintf(text, sizeof text, "%.3s", rig_last(&rig, "SIP/2.0 ")->bytes.at + 8);
    return text;
}

void
dns_expect_at(const char *uri, const char *list, int line)
{
    const char *got;

    dns.asked[0] = '\0';
    dns_call(uri);
    got = dns_walk();
    if (strcmp(got, list) != 0)
        ck_abort_msg("line %d: %s: \"%s\", not \"%s\"; asked: %s", line, uri, got, list, dns.asked);
}
