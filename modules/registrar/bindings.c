/*
 * The index in memory: a hash that grows one bucket at a time, and a wheel of seconds for expiry (RFC 3261
 * §10.3).
 */
#include "bindings.h"

#include <sipd/module.h>

#include "fact.h"
#include "rules.h"

/* Seconds of the wheel; what expires later goes round again. */
#define WHEEL_S 4096u

struct bindings {
    struct bindings_port port;
    uint8_t key[16];
    struct spread aors, sources;
    size_t count, dead_count;
    uint32_t version; /* of the last change */
    uint32_t epoch;
    uint64_t swept_s; /* seconds up to this one are in `due` */
    struct ring due, dead;
    struct ring wheel[WHEEL_S];
};

struct span
bindings_listener(const struct bindings *index, const struct binding *b)
{
    return index->port.listener(index->port.self, b->source.listener);
}

/* ---------------------------------------------------------------- facts */

/* The id is a keyed hash of the key, so what is noted about a binding supersedes what was noted before. */
static void
tell(const struct bindings *index, const struct binding *b, bool here, uint64_t now_ms)
{
    char bytes[BINDING_FACT_BYTES];
    struct fact_out out = { .at = bytes, .room = sizeof bytes };
    struct fact fact = { .kind = BINDING_FACT, .version = b->version };
    uint8_t hash[16];

    binding_fact_key(b, &out);
    sipd_prf(index->key, (struct span){ bytes, out.len }, hash);
    memcpy(&fact.id, hash, sizeof fact.id);
    if (here)
        binding_fact_here(b, bindings_listener(index, b), now_ms, &out);
    fact.bytes = (struct span){ bytes, out.len };
    index->port.note(index->port.self, &fact);
}

static void
note(struct bindings *index, struct binding *b, bool here, uint64_t now_ms)
{
    b->version = ++index->version;
    b->epoch = index->epoch;
    if (index->port.is_watched(index->port.self))
        tell(index, b, here, now_ms);
}

/* The one refreshed last comes last: who takes it in puts it first. */
void
bindings_tell(const struct bindings *index, const struct aor *aor, uint64_t now_ms)
{
    const struct binding *all[RULES_BINDINGS_MAX];
    size_t len = 0;

    for (const struct binding *b = aor->first; b && len < RULES_BINDINGS_MAX; b = b->next)
        if (b->deadline_ms > now_ms)
            all[len++] = b;
    while (len-- > 0)
        tell(index, all[len], true, now_ms);
}

/* ---------------------------------------------------------------- AoRs by hash */

static uint32_t
hash_of(const struct bindings *index, struct span text)
{
    return (uint32_t)sipd_hash(index->key, text);
}

static struct aor *
aor_of(struct spread_node *node)
{
    return (struct aor *)(void *)node;
}

static struct aor *
find_in(const struct bindings *index, struct span text, uint32_t hash)
{
    struct spread_node *node = spread_at(&index->aors, hash);

    while (node && (node->hash != hash || !span_eq(aor_text(aor_of(node)), text)))
        node = node->next;
    return node ? aor_of(node) : NULL;
}

struct aor *
bindings_find(struct bindings *index, struct span aor)
{
    return find_in(index, aor, hash_of(index, aor));
}

struct aor *
bindings_get(struct bindings *index, struct span text)
{
    uint32_t hash = hash_of(index, text);
    struct aor *aor = find_in(index, text, hash);

    if (aor)
        return aor;
    aor = sipd_alloc(sizeof *aor + text.len);
    if (!aor)
        return NULL;
    aor->node.hash = hash;
    aor->len = (uint16_t)text.len;
    span_write(aor->text, text);
    spread_put(&index->aors, &aor->node);
    return aor;
}

void
bindings_release(struct bindings *index, struct aor *aor)
{
    if (aor->first || aor->jobs)
        return;
    spread_out(&index->aors, &aor->node);
    sipd_free(aor);
}

void
bindings_walk_begin(struct bindings *index)
{
    spread_walk_begin(&index->aors);
}

bool
bindings_walk(const struct bindings *index, size_t *place, const struct aor **bucket)
{
    struct spread_node *chain;

    if (!spread_walk(&index->aors, place, &chain))
        return false;
    *bucket = chain ? aor_of(chain) : NULL;
    return true;
}

const struct aor *
bindings_after(const struct aor *aor)
{
    return aor->node.next ? aor_of(aor->node.next) : NULL;
}

void
bindings_walk_end(struct bindings *index)
{
    spread_walk_end(&index->aors);
}

/* ---------------------------------------------------------------- sources by address */

struct source { /* an address that bindings came from */
    struct spread_node node;
    uint32_t count;
    uint8_t ip[16];
};

static struct source *
source_find(const struct bindings *index, const struct hop *hop, uint32_t hash)
{
    struct spread_node *node = spread_at(&index->sources, hash);

    while (node && (node->hash != hash ||
                    memcmp(((struct source *)(void *)node)->ip, hop->ip, sizeof hop->ip) != 0))
        node = node->next;
    return (struct source *)(void *)node;
}

static uint32_t
source_hash(const struct bindings *index, const struct hop *hop)
{
    return hash_of(index, (struct span){ (const char *)hop->ip, sizeof hop->ip });
}

/* Without memory an address is not counted: its limit is looser then. */
static void
source_count(struct bindings *index, const struct hop *hop)
{
    uint32_t hash = source_hash(index, hop);
    struct source *source = source_find(index, hop, hash);

    if (hop->transport == HOP_NONE)
        return;
    if (!source) {
        source = sipd_alloc(sizeof *source);
        if (!source)
            return;
        source->node.hash = hash;
        memcpy(source->ip, hop->ip, sizeof source->ip);
        spread_put(&index->sources, &source->node);
    }
    source->count++;
}

static void
source_discount(struct bindings *index, const struct hop *hop)
{
    struct source *source = source_find(index, hop, source_hash(index, hop));

    if (hop->transport == HOP_NONE || !source || --source->count > 0)
        return;
    spread_out(&index->sources, &source->node);
    sipd_free(source);
}

uint32_t
bindings_from(const struct bindings *index, const struct hop *hop)
{
    const struct source *source = source_find(index, hop, source_hash(index, hop));

    return source ? source->count : 0;
}

/* ---------------------------------------------------------------- changes */

/* The second at whose end a binding is overdue. */
static uint64_t
second_of(const struct binding *b)
{
    return b->deadline_ms / 1000;
}

static void
wheel_put(struct bindings *index, struct binding *b)
{
    uint64_t second = second_of(b);

    ring_put(second < index->swept_s ? &index->due : &index->wheel[second % WHEEL_S], &b->ring);
}

/* Where the link to this key stands, or the link at the end. */
static struct binding **
link_of(struct aor *aor, const struct binding_key *key)
{
    struct binding **at = &aor->first;

    while (*at && !binding_has_key(*at, key))
        at = &(*at)->next;
    return at;
}

/* Where the link to a binding of this AoR stands. */
static struct binding **
link_to(struct aor *aor, const struct binding *b)
{
    struct binding **at = &aor->first;

    while (*at != b)
        at = &(*at)->next;
    return at;
}

/* Takes out what a link points to. */
static struct binding *
unlink_at(struct bindings *index, struct binding **at)
{
    struct binding *b = *at;

    *at = b->next;
    b->next = NULL;
    ring_out(&b->ring);
    index->count--;
    source_discount(index, &b->source);
    return b;
}

/* Puts it in where `at` says, after what had its key is gone. */
static void
link_in(struct bindings *index, struct binding **at, struct binding *b)
{
    b->next = *at;
    *at = b;
    index->count++;
    wheel_put(index, b);
}

static void
unlink_old(struct bindings *index, struct aor *aor, const struct binding *b)
{
    struct binding_key key = binding_key(b);
    struct binding **at = link_of(aor, &key), *old;

    if (!*at)
        return;
    old = unlink_at(index, at);
    binding_free(&old);
}

void
bindings_put(struct bindings *index, struct aor *aor, struct binding **binding, uint64_t now_ms)
{
    struct binding *b = *binding;

    *binding = NULL;
    source_count(index,
                 &b->source); /* first: an address that stays is not forgotten and made anew */
    unlink_old(index, aor, b);
    link_in(index, &aor->first, b);
    note(index, b, true, now_ms);
}

void
bindings_refresh(struct bindings *index, struct aor *aor, struct binding *b,
                 const struct binding_again *again, uint64_t now_ms)
{
    bool sooner = again->deadline_ms < b->deadline_ms;

    if (aor->first != b) {
        *link_to(aor, b) = b->next;
        b->next = aor->first;
        aor->first = b;
    }
    b->expires_s = again->expires_s;
    b->granted_s = again->granted_s;
    b->cseq = again->cseq;
    b->deadline_ms = again->deadline_ms;
    if (sooner) { /* else the sweep finds that out when its old second is over */
        ring_out(&b->ring);
        wheel_put(index, b);
    }
    note(index, b, true, now_ms);
}

static int64_t
refreshed_s(const struct binding *b)
{
    return b->expires_s - b->granted_s;
}

int
bindings_restore(struct bindings *index, struct binding **binding, uint64_t now_ms)
{
    struct binding *b = *binding, **at;
    struct aor *aor;

    if (b->deadline_ms <= now_ms) {
        bindings_give_dead(index, binding);
        return SIPD_OK;
    }
    aor = bindings_get(index, binding_aor(b));
    if (!aor)
        return SIPD_ENOMEM;
    *binding = NULL;
    unlink_old(index, aor, b);
    source_count(index, &b->source);
    at = &aor->first;
    while (*at && refreshed_s(*at) > refreshed_s(b))
        at = &(*at)->next;
    link_in(index, at, b);
    if ((int32_t)(b->version - index->version) > 0)
        index->version = b->version; /* ours go on behind it */
    return SIPD_OK;
}

void
bindings_begin_epoch(struct bindings *index)
{
    index->epoch++;
}

uint32_t
bindings_epoch(const struct bindings *index)
{
    return index->epoch;
}

void
bindings_forget(struct bindings *index, struct aor *aor, const struct binding_key *key)
{
    struct binding *b = unlink_at(index, link_of(aor, key));

    binding_free(&b);
    bindings_release(index, aor);
}

bool
bindings_drop(struct bindings *index, struct aor *aor, const struct binding_key *key)
{
    struct binding **at = link_of(aor, key), *b;

    if (!*at)
        return false;
    b = unlink_at(index, at);
    note(index, b, false, 0);
    binding_free(&b);
    return true;
}

/* ---------------------------------------------------------------- expiry */

static void
die(struct bindings *index, struct binding **at)
{
    struct binding *b = unlink_at(index, at);

    note(index, b, false, 0);
    bindings_give_dead(index, &b);
}

size_t
bindings_expire(struct bindings *index, struct aor *aor, uint64_t now_ms)
{
    struct binding **at = &aor->first;
    size_t gone = 0;

    while (*at)
        if ((*at)->deadline_ms <= now_ms) {
            die(index, at);
            gone++;
        } else {
            at = &(*at)->next;
        }
    return gone;
}

/* Turns the wheel: what may be overdue joins `due`. One lap at most, whatever time has passed. */
static void
turn(struct bindings *index, uint64_t now_s)
{
    uint64_t from = index->swept_s;

    if (now_s - from > WHEEL_S)
        from = now_s - WHEEL_S;
    for (uint64_t s = from; s < now_s; s++)
        ring_splice(&index->due, &index->wheel[s % WHEEL_S]);
    index->swept_s = now_s;
}

size_t
bindings_sweep(struct bindings *index, uint64_t now_ms, size_t most, bool *more)
{
    size_t gone = 0;

    if (now_ms / 1000 > index->swept_s)
        turn(index, now_ms / 1000);
    while (!ring_is_empty(&index->due) && most-- > 0) {
        struct binding *b = RING_OF(index->due.next, struct binding, ring);
        struct aor *aor;

        if (b->deadline_ms > now_ms) {
            ring_out(&b->ring); /* of a later lap, or refreshed */
            wheel_put(index, b);
            continue;
        }
        aor = bindings_find(index, binding_aor(b));
        die(index, link_to(aor, b));
        bindings_release(index, aor);
        gone++;
    }
    *more = !ring_is_empty(&index->due);
    return gone;
}

struct binding *
bindings_take_dead(struct bindings *index)
{
    struct ring *first = index->dead.next;

    if (first == &index->dead)
        return NULL;
    ring_out(first);
    index->dead_count--;
    return RING_OF(first, struct binding, ring);
}

void
bindings_give_dead(struct bindings *index, struct binding **binding)
{
    ring_put(&index->dead, &(*binding)->ring);
    index->dead_count++;
    *binding = NULL;
}

/* ---------------------------------------------------------------- the whole */

size_t
bindings_count(const struct bindings *index)
{
    return index->count;
}

size_t
bindings_held(const struct bindings *index)
{
    return index->count + index->dead_count;
}

struct bindings *
bindings_new(const struct bindings_port *port, const uint8_t key[16], uint64_t now_ms)
{
    struct bindings *index = sipd_alloc(sizeof *index);

    if (!index)
        return NULL;
    index->port = *port;
    memcpy(index->key, key, sizeof index->key);
    index->swept_s = now_ms / 1000;
    ring_init(&index->due);
    ring_init(&index->dead);
    for (size_t i = 0; i < WHEEL_S; i++)
        ring_init(&index->wheel[i]);
    if (spread_init(&index->aors) != SIPD_OK || spread_init(&index->sources) != SIPD_OK)
        bindings_free(&index);
    return index;
}

static void
aor_free(struct aor *aor)
{
    while (aor->first) {
        struct binding *b = aor->first;

        aor->first = b->next;
        binding_free(&b);
    }
    sipd_free(aor);
}

static void
free_aors(struct bindings *index)
{
    struct spread_node *node, *next;
    size_t place = 0;

    while (spread_walk(&index->aors, &place, &node))
        for (; node; node = next) {
            next = node->next;
            aor_free(aor_of(node));
        }
    spread_fini(&index->aors);
}

static void
free_sources(struct bindings *index)
{
    struct spread_node *node, *next;
    size_t place = 0;

    while (spread_walk(&index->sources, &place, &node))
        for (; node; node = next) {
            next = node->next;
            sipd_free(node);
        }
    spread_fini(&index->sources);
}

void
bindings_free(struct bindings **index)
{
    struct bindings *b = *index;
    struct binding *dead;

    if (!b)
        return;
    while ((dead = bindings_take_dead(b)))
        binding_free(&dead);
    if (b->aors.segments)
        free_aors(b);
    if (b->sources.segments)
        free_sources(b);
    sipd_free(b);
    *index = NULL;
}
