/*
 * Token buckets by source and user, in sets of eight found by a keyed hash.
 */
#include "core/flood.h"

#include "base/mem.h"
#include "core/state.h"

enum { WAYS = 8, V6_NET_BYTES = 8, TELL_MS = 1000 };

static bool
has_limits(const struct flood_conf *conf)
{
    return conf->per_s > 0 || conf->register_per_s > 0 || conf->user_per_s > 0;
}

void
flood_resize(struct core *core)
{
    const struct flood_conf *conf = &core->conf->flood;
    uint32_t places = has_limits(conf) ? (conf->places + WAYS - 1) / WAYS * WAYS : 0;

    if (places == core->flood.places)
        return;
    mem_free(core->flood.at);
    core->flood.at = places > 0 ? mem_new(places * sizeof *core->flood.at) : NULL;
    core->flood.places = core->flood.at ? places : 0;
}

void
flood_fini(struct core *core)
{
    mem_free(core->flood.at);
    core->flood = (struct flood){ .at = NULL };
}

static struct flood_bucket *
find(const struct flood *flood, uint64_t id)
{
    struct flood_bucket *set = &flood->at[id % (flood->places / WAYS) * WAYS], *quiet = set;

    for (unsigned i = 0; i < WAYS; i++) {
        if (set[i].id == id)
            return &set[i];
        if (set[i].last_ms < quiet->last_ms || set[i].id == 0)
            quiet = &set[i];
    }
    return quiet;
}

static uint32_t
filled(uint32_t milli, uint64_t passed_ms, uint32_t per_s, uint32_t burst_s)
{
    uint64_t most = (uint64_t)per_s * burst_s * 1000, now = milli + passed_ms * per_s;

    return (uint32_t)(now < most ? now : most);
}

/* What was not known has full buckets. */
static struct flood_bucket *
bucket(struct core *core, uint64_t id, uint32_t per_s, uint32_t register_per_s)
{
    uint64_t now_ms = core->ports.clock->now_ms, passed_ms;
    uint32_t burst_s = core->conf->flood.burst_s;
    struct flood_bucket *b = find(&core->flood, id);

    passed_ms = b->id == id ? now_ms - b->last_ms : (uint64_t)burst_s * 1000;
    if (b->id != id)
        *b = (struct flood_bucket){ .id = id };
    b->milli = filled(b->milli, passed_ms, per_s, burst_s);
    b->register_milli = filled(b->register_milli, passed_ms, register_per_s, burst_s);
    b->last_ms = now_ms;
    return b;
}

static bool
is_exempt(const struct flood_conf *conf, const struct hop *from)
{
    for (size_t i = 0; i < conf->exempt_len; i++)
        if (hop_net_has(&conf->exempt[i], from))
            return true;
    return false;
}

static uint64_t
source_id(const struct core *core, const struct hop *from)
{
    size_t len = hop_is_v4(from) ? sizeof from->ip : V6_NET_BYTES;
    uint64_t id = prf_hash(&core->mark_key, (struct span){ (const char *)from->ip, len });

    return id ? id : 1;
}

/* At most a line a second, whoever floods. */
static void
tell(struct core *core, const char *what, struct span who)
{
    uint64_t now_ms = core->ports.clock->now_ms;

    if (core->flood.told_ms != 0 && now_ms - core->flood.told_ms < TELL_MS)
        return;
    core->flood.told_ms = now_ms;
    log_spans(core->ports.log, LOG_LVL_WARN, "flood", what, &who, NULL);
}

/* Where there are limits. */
APART static bool
refuses(struct core *core, const struct hop *from, const struct gist *gist)
{
    const struct flood_conf *conf = &core->conf->flood;
    bool registers = gist->method == METHOD_REGISTER && conf->register_per_s > 0;
    struct flood_bucket *b;
    char text[HOP_TEXT_BYTES];

    if ((conf->per_s == 0 && !registers) || is_exempt(conf, from))
        return false;
    b = bucket(core, source_id(core, from), conf->per_s, conf->register_per_s);
    if ((conf->per_s > 0 && b->milli < 1000) || (registers && b->register_milli < 1000)) {
        ++*core->count.flood_source;
        tell(core, "source", hop_ip_write(from, text));
        return true;
    }
    b->milli -= conf->per_s > 0 ? 1000 : 0;
    b->register_milli -= registers ? 1000 : 0;
    return false;
}

bool
flood_refuses(struct core *core, const struct hop *from, const struct gist *gist)
{
    return core->flood.at && refuses(core, from, gist);
}

APART static bool
refuses_user(struct core *core, struct span user)
{
    const struct flood_conf *conf = &core->conf->flood;
    struct flood_bucket *b;
    uint64_t id;

    if (conf->user_per_s == 0)
        return false;
    id = prf_hash(&core->mark_key, user) ^ UINT64_C(0x757365722020);
    b = bucket(core, id ? id : 1, conf->user_per_s, 0);
    if (b->milli < 1000) {
        ++*core->count.flood_user;
        tell(core, "user", user);
        return true;
    }
    b->milli -= 1000;
    return false;
}

bool
flood_refuses_user(struct core *core, struct span user)
{
    return core->flood.at && refuses_user(core, user);
}
