/*
 * The world that random calls happen in, made from a seed: networks, sipds in a row, users and their places, phones,
 * and the weather that changes while they talk.
 */
#include <stdarg.h>
#include <stdio.h>

#include "sim/modules.h"
#include "sim/strict.h"
#include "sim/ua.h"

enum {
    UAS = 24,
    USERS = 12,
    LEVELS = 3,
    SIPDS_MAX = 3,
    WEATHER_MS = 10000,
    THINKS_MS = 500, /* beyond trying_ms, and T1 */
    LATE_MS = 20000,
};

/* ------------------------------------------------------------------ the weather */

struct ua *
any_ua(struct calls *c)
{
    return &c->uas[upto(c, c->uas_len - 1)];
}

static struct sim_sipd *
any_sipd(struct calls *c)
{
    return c->uas[upto(c, c->uas_len - 1)].sipd;
}

static void
part(struct calls *c, const struct hop *a, const struct hop *b)
{
    wire_cut(&c->world.wire, a, b, c->world.clock.now_ms + upto(c, WEATHER_MS));
}

/* Its loop does not keep up for a while, or does again: it may refuse whom it has not begun to serve. */
static void
strain(struct calls *c, struct sim_sipd *s)
{
    s->load.lag_ms = chance(c, 50) ? upto(c, 2 * s->conf.shed_lag_ms) : 0;
    s->load.queue_percent = chance(c, 30) ? upto(c, 100) : 0;
}

/*
 * Somebody is switched off or on, a connection ends, or the network parts somebody from a sipd, or two sipds, for a
 * while.
 */
void
scene_change_weather(struct calls *c)
{
    struct ua *ua = any_ua(c);
    struct sim_sipd *s = any_sipd(c), *other = any_sipd(c);

    c->next_weather_ms = c->world.clock.now_ms + 1 + upto(c, WEATHER_MS);
    if (c->strained && chance(c, 30))
        strain(c, s);
    if (s != other && chance(c, 20))
        part(c, &s->listeners[0].at, &other->listeners[0].at);
    if (ua->spared)
        return;
    switch (upto(c, 3)) {
    case 0:
    case 1: ua->udp.off = ua->tcp.off = !ua->udp.off; break;
    case 2: (void)sim_cut(s, &ua->tcp.at); break;
    default: part(c, &ua->udp.at, &s->listeners[0].at);
    }
}

/* ------------------------------------------------------------------ a world from a seed */

static struct span text(struct calls *c, const char *format, ...) PRINTF_LIKE(2, 3);

static struct span
text(struct calls *c, const char *format, ...)
{
    char bytes[256];
    va_list args;
    int len;

    va_start(args, format);
    len = vsnprintf(bytes, sizeof bytes, format, args);
    va_end(args);
    return arena_copy(&c->world.arena, (struct span){ bytes, (size_t)len });
}

static struct hop
hop_at(struct calls *c, uint8_t transport, unsigned a, unsigned b, unsigned last)
{
    struct hop hop = { .transport = transport, .port = 5060 };

    BUG_ON(!hop_ip_read(text(c, "%u.%u.0.%u", a, b, last), &hop));
    return hop;
}

static void
set_network(struct calls *c)
{
    struct wire_conf *conf = &c->world.wire.conf;

    c->quiet_ms = LATE_MS; /* a caller's proxy may wait no longer */
    conf->delay_ms = upto(c, 3);
    conf->jitter_ms = chance(c, 50) ? upto(c, 50) : 0;
    c->world.standbys = c->conf->killed > 0;
    c->world.kill_within = c->conf->killed;
    c->sunny = c->conf->sunny || c->conf->killed || (chance(c, 25) && !c->conf->memory_fails);
    if (c->sunny)
        return;
    c->stormy = chance(c, 50);
    c->naughty = c->world.naughty = chance(c, 50) && !c->conf->decent;
    c->strained = c->stormy && chance(c, 40);
    c->world.bounces = chance(c, 50);
    if (!chance(c, 70))
        return;
    conf->loss = chance(c, 50) ? upto(c, 50) : upto(c, 300);
    conf->doubled = chance(c, 50) ? upto(c, 100) : 0;
    conf->late = chance(c, 50) ? upto(c, 100) : 0;
    conf->late_ms = 1500;
}

static void
set_core(struct calls *c, struct core_conf *conf, bool alone)
{
    static const uint32_t no_answer_s[] = { 0, 3, 20, 120 };

    conf->mode = !c->sunny && chance(c, 8)
                     ? CORE_STATELESS
                     : CORE_STATEFUL; /* where registrations come and go, an ACK may go astray */
    conf->record_route = chance(c, 80);
    conf->fork = chance(c, 50) ? CORE_FORK_Q : CORE_FORK_PARALLEL;
    conf->relay = alone && chance(c, 50) ? CORE_RELAY_OURS : CORE_RELAY_ANY;
    conf->recurse = chance(c, 25);
    conf->stray = chance(c, 25) ? CORE_STRAY_VERIFIED : CORE_STRAY_DROP;
    conf->no_answer_ms = no_answer_s[upto(c, countof(no_answer_s) - 1)] * 1000;
    conf->timer_c_ms = 181000 + upto(c, 20000);
    conf->trying_ms = upto(c, 200);
    conf->silent_ms = chance(c, 25) ? 0 : 500 + upto(c, 8000);
    if (conf->silent_ms > 0 && conf->silent_ms / 2 < c->quiet_ms)
        c->quiet_ms = conf->silent_ms / 2;
}

static struct sim_sipd *
add_sipd(struct calls *c, unsigned n, bool alone)
{
    struct sim_sipd *s = world_add_sipd(&c->world, text(c, "sipd%u", n));
    struct hop udp = hop_at(c, HOP_UDP, 192, 168, n + 1), tcp = hop_at(c, HOP_TCP, 192, 168, n + 1);
    struct sim_name *name = world_add_name(&c->world, text(c, "d%u.example", n));

    s->domains[s->domains_len++] = name->host;
    sim_listen(s, &udp, 0);
    sim_listen(s, &tcp, 0);
    set_core(c, &s->conf, alone);
    name->answer_ms = upto(c, 50);
    s->thinks_ms = chance(c, 30) ? 1 + upto(c, THINKS_MS) : 0;
    if (!c->sunny && chance(c, 15))
        name->hops[name->hops_len++] =
            hop_at(c, chance(c, 50) ? HOP_UDP : HOP_TCP, 192, 168, 99); /* nobody is there */
    name->hops[name->hops_len++] = c->world.standbys || chance(c, 70) ? udp : tcp;
    if (c->world.standbys)
        s->thinks_ms = 0; /* who thinks dies with its sipd */
    else
        sim_host_open(s, SPAN("registrar"), SPAN("{ store = \"ram\"; }"));
    return s;
}

static void
add_ua(struct calls *c, struct ua *ua, unsigned n, struct sim_sipd *s)
{
    char address[HOP_TEXT_BYTES];

    ua->calls = c;
    ua->name = text(c, "u%u", n);
    ua->domain = s->domains[0];
    ua->sipd = s;
    ua->transport = !c->world.standbys && chance(c, 30) ? HOP_TCP : HOP_UDP;
    ua->udp = (struct sim_end){ .at = hop_at(c, HOP_UDP, 10, n / 250, n % 250 + 1),
                                .name = ua->name,
                                .hear = ua_hear_udp };
    ua->tcp = (struct sim_end){ .at = hop_at(c, HOP_TCP, 10, n / 250, n % 250 + 1),
                                .name = ua->name,
                                .hear = ua_hear_tcp };
    ua->address = arena_copy(&c->world.arena, hop_write(&ua->udp.at, address));
    ua->spared = c->sunny || chance(c, 30);
    ua->naughty = c->naughty && !ua->spared && chance(c, 50);
    if (ua->spared)
        wire_spare(&c->world.wire, &ua->udp.at);
    else if (chance(c, 10))
        wire_slow(&c->world.wire, &ua->udp.at, upto(c, 800));
    world_add_end(&c->world, &ua->udp);
    world_add_end(&c->world, &ua->tcp);
}

/*
 * A place of a user: mostly a phone; or a user of a lower level, here or at another sipd, so that requests
 * come back to us.
 */
static struct span
any_place(struct calls *c, unsigned sipds, unsigned level, bool *at_user)
{
    const struct ua *ua = any_ua(c);

    *at_user = *at_user && level + 1 < LEVELS && chance(c, 40);
    if (*at_user)
        return text(c, "sip:w%u@d%u.example",
                    (level + 1) * USERS / LEVELS + upto(c, USERS / LEVELS - 1), upto(c, sipds - 1));
    return text(c, "sip:%.*s@%.*s%s", SPAN_ARG(ua->name), SPAN_ARG(ua->address),
                ua->transport == HOP_TCP ? ";transport=tcp" : "");
}

static void
add_places(struct calls *c, struct sim_sipd *s, unsigned user, unsigned sipds)
{
    struct span aor = text(c, "sip:w%u@%.*s", user, SPAN_ARG(s->domains[0]));
    unsigned places = chance(c, 50) ? 1 : 1 + upto(c, 3);
    bool may_forward = true;

    for (unsigned i = 0; i < places; i++) {
        bool at_user = may_forward;
        struct sipd_target target = { .q = 1000 - 250 * upto(c, 2) };

        target.uri = any_place(c, sipds, user * LEVELS / USERS, &at_user);
        may_forward = may_forward && !at_user;
        sim_add_where(s, aor, &target, false);
    }
}

/* Every user, and one that nobody knows. */
static void
add_users(struct calls *c, unsigned sipds)
{
    unsigned n = 0;

    c->users_len = sipds * (USERS + REGISTERED + 1);
    c->users = arena_alloc(&c->world.arena, c->users_len * sizeof *c->users);
    for (unsigned i = 0; i < sipds; i++) {
        for (unsigned user = 0; user < USERS; user++)
            c->users[n++] = text(c, "sip:w%u@d%u.example", user, i);
        for (unsigned user = 0; user < REGISTERED; user++)
            c->users[n++] = text(c, "sip:r%u@d%u.example", user, i);
        c->users[n++] = text(c, "sip:nobody@d%u.example", i);
    }
}

/* Between sipds, or between them and whoever names it in a Route: one who routes as RFC 2543 wanted it. */
static void
add_strict_router(struct calls *c)
{
    c->strict = strict_new(&c->world, text(c, "10.200.0.1:5060"));
}

static unsigned
any_number_of_sipds(struct calls *c)
{
    return chance(c, 60) ? 1 : chance(c, 60) ? 2 : SIPDS_MAX;
}

void
scene_build(struct calls *c)
{
    unsigned sipds = c->conf->sipds ? c->conf->sipds : any_number_of_sipds(c);
    struct sim_sipd *all[SIPDS_MAX];

    set_network(c);
    if (chance(c, 40))
        add_strict_router(c);
    c->world.one_a_turn = chance(c, 20);
    for (unsigned i = 0; i < sipds; i++)
        all[i] = add_sipd(c, i, sipds == 1);
    c->uas_len = UAS;
    c->uas = arena_zalloc(&c->world.arena, UAS * sizeof *c->uas);
    for (unsigned i = 0; i < UAS; i++)
        add_ua(c, &c->uas[i], i, all[upto(c, sipds - 1)]);
    for (unsigned i = 0; i < sipds; i++)
        for (unsigned user = 0; user < USERS; user++)
            add_places(c, all[i], user, sipds);
    add_users(c, sipds);
    for (unsigned i = 0; i < sipds; i++)
        sim_start(all[i]);
    c->apart_ms = 2000 / (c->conf->per_s ? c->conf->per_s : 1 + upto(c, 199));
    c->longest_ms = 3600000;
}
