/*
 * Tables of eight places a set: a keyed hash finds the set, and who was quiet longest makes room.
 */
#include "guard.h"

#include <sipd/module.h>

enum { WAYS = 8, V6_NET_BYTES = 8, NAME_BYTES_MAX = 320 };

struct friend
{ /* a source and a user that belong together */
    uint64_t id;
    uint32_t seen_s; /* enough for a century of seconds */
    uint32_t failures;
};

struct guard {
    uint8_t key[16];
    uint32_t offenders_len, friends_len;
    struct guard_offender *offenders; /* owned */
    struct friend *friends;           /* owned */
};

struct guard *
guard_new(const uint8_t key[16], uint32_t offenders)
{
    struct guard *g = sipd_alloc(sizeof *g);

    if (!g)
        return NULL;
    memcpy(g->key, key, sizeof g->key);
    g->offenders_len = (offenders + WAYS - 1) / WAYS * WAYS;
    g->friends_len = g->offenders_len * WAYS;
    g->offenders = sipd_alloc(g->offenders_len * sizeof *g->offenders);
    g->friends = sipd_alloc(g->friends_len * sizeof *g->friends);
    if (!g->offenders || !g->friends)
        guard_free(&g);
    return g;
}

void
guard_free(struct guard **guard)
{
    struct guard *g = *guard;

    *guard = NULL;
    if (!g)
        return;
    sipd_free(g->offenders);
    sipd_free(g->friends);
    sipd_free(g);
}

/* ------------------------------------------------------------------ names */

/* The network that counts as one source: whoever has one address of an IPv6 /64 has all of them. */
static struct hop
network_of(const struct hop *source)
{
    struct hop net = { .port = 0 };

    memcpy(net.ip, source->ip, hop_is_v4(source) ? sizeof net.ip : V6_NET_BYTES);
    return net;
}

struct span
guard_source_write(const struct hop *source, char to[HOP_TEXT_BYTES])
{
    struct hop net = network_of(source);
    struct span text = hop_ip_write(&net, to);

    if (hop_is_v4(source))
        return text;
    memcpy(to + text.len, "/64", 3);
    return (struct span){ to, text.len + 3 };
}

static uint64_t
hash_of(const struct guard *g, char kind, struct span who)
{
    char said[1 + NAME_BYTES_MAX] = { kind };
    uint8_t out[16];
    uint64_t id;

    who = span_head(who, NAME_BYTES_MAX);
    if (who.len > 0)
        memcpy(said + 1, who.at, who.len);
    sipd_prf(g->key, (struct span){ said, 1 + who.len }, out);
    memcpy(&id, out, sizeof id);
    return id ? id : 1;
}

static uint64_t
friend_id(const struct guard *g, const struct hop *source, struct span user)
{
    struct hop net = network_of(source);
    char said[sizeof net.ip + sizeof(uint64_t)];
    uint64_t name = hash_of(g, GUARD_USER, user);

    memcpy(said, net.ip, sizeof net.ip);
    memcpy(said + sizeof net.ip, &name, sizeof name);
    return hash_of(g, 'f', (struct span){ said, sizeof said });
}

/* ------------------------------------------------------------------ places */

static struct friend *
friend_find(const struct guard *g, uint64_t id)
{
    struct friend *set = &g->friends[id % (g->friends_len / WAYS) * WAYS];

    for (unsigned i = 0; i < WAYS; i++)
        if (set[i].id == id)
            return &set[i];
    return NULL;
}

static struct guard_offender *
offender_find(const struct guard *g, uint64_t id)
{
    struct guard_offender *set = &g->offenders[id % (g->offenders_len / WAYS) * WAYS];

    for (unsigned i = 0; i < WAYS; i++)
        if (set[i].id == id)
            return &set[i];
    return NULL;
}

/* Who may be forgotten first: an empty place, then who need not wait, then who was quiet longest. */
static uint64_t
worth(const struct guard_offender *o, uint64_t now_ms)
{
    if (o->id == 0)
        return 0;
    return o->last_ms + 1 + (o->until_ms > now_ms ? UINT64_C(1) << 62 : 0);
}

static struct guard_offender *
offender_get(struct guard *g, enum guard_kind kind, struct span who, uint64_t now_ms)
{
    uint64_t id = hash_of(g, (char)kind, who);
    struct guard_offender *o = offender_find(g, id);
    struct guard_offender *set = &g->offenders[id % (g->offenders_len / WAYS) * WAYS];

    if (o)
        return o;
    o = set;
    for (unsigned i = 1; i < WAYS; i++)
        if (worth(&set[i], now_ms) < worth(o, now_ms))
            o = &set[i];
    who = span_head(who, GUARD_WHO_BYTES);
    *o = (struct guard_offender){
        .id = id, .last_ms = now_ms, .kind = (uint8_t)kind, .len = (uint8_t)who.len
    };
    if (who.len > 0)
        memcpy(o->who, who.at, who.len);
    return o;
}

/* ------------------------------------------------------------------ rules */

static uint64_t
wait_of(const struct guard *g, enum guard_kind kind, struct span who, uint64_t now_ms)
{
    const struct guard_offender *o = offender_find(g, hash_of(g, (char)kind, who));

    return o && o->until_ms > now_ms ? o->until_ms - now_ms : 0;
}

uint64_t
guard_wait_ms(const struct guard *g, const struct guard_limits *limits, const struct hop *source,
              struct span user, uint64_t now_ms)
{
    char text[HOP_TEXT_BYTES];
    uint64_t by_source, by_user;

    if (limits->failures == 0)
        return 0;
    by_source = wait_of(g, GUARD_SOURCE, guard_source_write(source, text), now_ms);
    by_user = wait_of(g, GUARD_USER, user, now_ms);
    if ((by_source == 0 && by_user == 0) || friend_find(g, friend_id(g, source, user)))
        return 0;
    return by_source > by_user ? by_source : by_user;
}

static bool
offend(struct guard_offender *o, const struct guard_limits *limits, uint64_t now_ms)
{
    uint64_t quiet_ms = now_ms - o->last_ms, wait_s = limits->wait_s;

    if (quiet_ms > (uint64_t)limits->window_s * 1000)
        o->failures = 0;
    if (quiet_ms > (uint64_t)limits->longest_s * 2000)
        o->waits = 0;
    o->last_ms = now_ms;
    if (++o->failures < limits->failures || o->until_ms > now_ms)
        return false;
    for (uint16_t n = 0; n < o->waits && wait_s < limits->longest_s; n++)
        wait_s *= 2;
    if (wait_s > limits->longest_s)
        wait_s = limits->longest_s;
    if (o->waits < UINT16_MAX)
        o->waits++;
    o->failures = 0;
    o->until_ms = now_ms + wait_s * 1000;
    return true;
}

bool
guard_failed(struct guard *g, const struct guard_limits *limits, const struct hop *source,
             struct span user, uint64_t now_ms)
{
    char text[HOP_TEXT_BYTES];
    struct friend *f;
    bool by_source, by_user;

    if (limits->failures == 0)
        return false;
    f = friend_find(g, friend_id(g, source, user));
    if (f && ++f->failures >= limits->failures)
        *f = (struct friend){ 0 };
    by_source = offend(offender_get(g, GUARD_SOURCE, guard_source_write(source, text), now_ms),
                       limits, now_ms);
    by_user = offend(offender_get(g, GUARD_USER, user, now_ms), limits, now_ms);
    return by_source || by_user;
}

void
guard_passed(struct guard *g, const struct hop *source, struct span user, uint64_t now_ms)
{
    uint64_t id = friend_id(g, source, user);
    struct friend *f = friend_find(g, id);

    if (!f) {
        struct friend *set = &g->friends[id % (g->friends_len / WAYS) * WAYS];

        f = set;
        for (unsigned i = 1; i < WAYS; i++)
            if (set[i].seen_s < f->seen_s)
                f = &set[i];
    }
    *f = (struct friend){ .id = id, .seen_s = (uint32_t)(now_ms / 1000) };
}

bool
guard_pardon(struct guard *g, struct span who)
{
    struct guard_offender *o = offender_find(g, hash_of(g, GUARD_SOURCE, who));

    if (!o)
        o = offender_find(g, hash_of(g, GUARD_USER, who));
    if (!o)
        return false;
    *o = (struct guard_offender){ 0 };
    return true;
}

const struct guard_offender *
guard_next(const struct guard *g, const struct guard_limits *limits, uint64_t now_ms, size_t *place)
{
    while (*place < g->offenders_len) {
        const struct guard_offender *o = &g->offenders[(*place)++];

        if (o->id != 0 &&
            (o->until_ms > now_ms || now_ms - o->last_ms <= (uint64_t)limits->window_s * 1000))
            return o;
    }
    return NULL;
}
