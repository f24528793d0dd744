/*
 * The index in memory: a hash that grows one bucket at a time, and a wheel of seconds for expiry (RFC 3261
 * §10.3).
 */
#include "bindings.h"

#include <sipd/module.h>

/* Buckets come in segments, so that growing moves one bucket's AoRs and never stalls a turn. */
#define SEGMENT_BUCKETS 512u
/* Seconds of the wheel; what expires later goes round again. */
#define WHEEL_S 4096u

#define FACT_BYTES                                                                        \
 (128 + STORE_AOR_BYTES + STORE_CONTACT_BYTES + STORE_CALL_ID_BYTES + STORE_AGENT_BYTES + \
  HOP_TEXT_BYTES)

struct bindings {
    struct bindings_port port;
    uint8_t key[16];
    struct aor ***segments;
    size_t segments_len;
    size_t buckets; /* in use */
    size_t half;    /* the largest power of two that is at most `buckets` */
    size_t aors, count, dead_count;
    unsigned walks;   /* under way */
    uint64_t swept_s; /* seconds up to this one are in `due` */
    struct ring due, dead;
    struct ring wheel[WHEEL_S];
};

/* ---------------------------------------------------------------- one binding */

struct span
binding_aor(const struct binding *binding)
{
    return (struct span){ binding->text, binding->aor_len };
}

struct span
binding_contact(const struct binding *binding)
{
    return (struct span){ binding->text + binding->aor_len, binding->contact_len };
}

struct span
binding_call_id(const struct binding *binding)
{
    return (struct span){ binding->text + binding->aor_len + binding->contact_len,
                          binding->call_id_len };
}

struct span
binding_agent(const struct binding *binding)
{
    size_t before = (size_t)binding->aor_len + binding->contact_len + binding->call_id_len;

    return (struct span){ binding->text + before, binding->agent_len };
}

static char *
copy(char *to, struct span text)
{
    if (text.len > 0)
        memcpy(to, text.at, text.len);
    return to + text.len;
}

struct binding *
binding_new(const struct store_row *row, uint64_t deadline_ms)
{
    struct span agent = span_head(row->user_agent, STORE_AGENT_BYTES);
    size_t text = row->aor.len + row->contact.len + row->call_id.len + agent.len;
    struct binding *b = sipd_alloc(sizeof *b + text);

    if (!b)
        return NULL;
    ring_init(&b->ring);
    b->deadline_ms = deadline_ms;
    b->expires_wall_s = row->expires_wall_s;
    b->source = row->source;
    b->cseq = row->cseq;
    b->q = row->q;
    b->reach = row->reach;
    b->aor_len = (uint16_t)row->aor.len;
    b->contact_len = (uint16_t)row->contact.len;
    b->call_id_len = (uint16_t)row->call_id.len;
    b->agent_len = (uint8_t)agent.len;
    copy(copy(copy(copy(b->text, row->aor), row->contact), row->call_id), agent);
    return b;
}

void
binding_free(struct binding **binding)
{
    sipd_free(*binding);
    *binding = NULL;
}

/* ---------------------------------------------------------------- facts */

/* Bytes of a fact: numbers with the highest byte first, texts behind their length. */
struct writer_at {
    char *at;
};

static void
put_number(struct writer_at *w, uint64_t n, unsigned bytes)
{
    while (bytes-- > 0)
        *w->at++ = (char)(n >> (8 * bytes));
}

static void
put_text(struct writer_at *w, struct span text)
{
    put_number(w, text.len, 2);
    w->at = copy(w->at, text);
}

/*
 * Version 1: AoR, contact; one byte, 0 gone or 1 there. If there: remaining ms (8), UTC expiry in s (8), CSeq
 * (4), q (2), transport of the source, of the way back (1 each), IP (16), scope (4), port (2), Call-ID,
 * User-Agent, listener. The id is a keyed hash of AoR and contact, so what is noted about a binding supersedes
 * what was noted before.
 */
static void
note(const struct bindings *index, const struct binding *b, bool there, uint64_t now_ms)
{
    char bytes[FACT_BYTES];
    struct writer_at w = { bytes };
    uint8_t hash[16];
    uint64_t id = 0;

    put_text(&w, binding_aor(b));
    put_text(&w, binding_contact(b));
    sipd_prf(index->key, span_between(bytes, w.at), hash);
    memcpy(&id, hash, sizeof id);
    put_number(&w, there, 1);
    if (there) {
        put_number(&w, b->deadline_ms > now_ms ? b->deadline_ms - now_ms : 0, 8);
        put_number(&w, (uint64_t)b->expires_wall_s, 8);
        put_number(&w, b->cseq, 4);
        put_number(&w, b->q, 2);
        put_number(&w, b->source.transport, 1);
        put_number(&w, b->reach, 1);
        w.at = copy(w.at, (struct span){ (const char *)b->source.ip, sizeof b->source.ip });
        put_number(&w, b->source.scope_id, 4);
        put_number(&w, b->source.port, 2);
        put_text(&w, binding_call_id(b));
        put_text(&w, binding_agent(b));
        put_text(&w, span_head(index->port.listener(index->port.self, b->source.listener),
                               HOP_TEXT_BYTES));
    }
    index->port.note(index->port.self, id, span_between(bytes, w.at));
}

/* ---------------------------------------------------------------- AoRs by hash */

static uint32_t
hash_of(const struct bindings *index, struct span aor)
{
    uint8_t out[16];
    uint32_t hash;

    sipd_prf(index->key, aor, out);
    memcpy(&hash, out, sizeof hash);
    return hash;
}

/* Buckets past the half that were not split yet still live in the lower one. */
static size_t
bucket_of(const struct bindings *index, uint32_t hash)
{
    size_t at = hash & (2 * index->half - 1);

    return at < index->buckets ? at : hash & (index->half - 1);
}

static struct aor **
bucket_at(const struct bindings *index, size_t bucket)
{
    return &index->segments[bucket / SEGMENT_BUCKETS][bucket % SEGMENT_BUCKETS];
}

static int
add_segment(struct bindings *index)
{
    struct aor ***segments;

    segments = sipd_realloc(index->segments, (index->segments_len + 1) * sizeof(struct aor **));
    if (!segments)
        return SIPD_ENOMEM;
    index->segments = segments;
    segments[index->segments_len] = sipd_alloc(SEGMENT_BUCKETS * sizeof(struct aor *));
    if (!segments[index->segments_len])
        return SIPD_ENOMEM;
    index->segments_len++;
    return SIPD_OK;
}

/* Splits the next bucket. Without memory for it the chains grow a little longer: nothing is lost. */
static void
grow(struct bindings *index)
{
    size_t fresh = index->buckets;
    struct aor **from, *aor, *after;

    if (index->walks > 0 ||
        (fresh == index->segments_len * SEGMENT_BUCKETS && add_segment(index) != SIPD_OK))
        return;
    from = bucket_at(index, fresh - index->half);
    aor = *from;
    *from = NULL;
    index->buckets++;
    for (; aor; aor = after) {
        struct aor **to = bucket_at(index, bucket_of(index, aor->hash));

        after = aor->chain;
        aor->chain = *to;
        *to = aor;
    }
    if (index->buckets == 2 * index->half)
        index->half *= 2;
}

static struct aor *
find_in(const struct bindings *index, struct span text, uint32_t hash)
{
    struct aor *aor = *bucket_at(index, bucket_of(index, hash));

    while (aor && (aor->hash != hash || !span_eq(aor_text(aor), text)))
        aor = aor->chain;
    return aor;
}

struct aor *
bindings_find(const struct bindings *index, struct span aor)
{
    return find_in(index, aor, hash_of(index, aor));
}

struct aor *
bindings_get(struct bindings *index, struct span text)
{
    uint32_t hash = hash_of(index, text);
    struct aor *aor = find_in(index, text, hash), **bucket;

    if (aor)
        return aor;
    aor = sipd_alloc(sizeof *aor + text.len);
    if (!aor)
        return NULL;
    aor->hash = hash;
    aor->len = (uint16_t)text.len;
    copy(aor->text, text);
    bucket = bucket_at(index, bucket_of(index, hash));
    aor->chain = *bucket;
    *bucket = aor;
    if (++index->aors > index->buckets)
        grow(index);
    return aor;
}

void
bindings_release(struct bindings *index, struct aor *aor)
{
    struct aor **at;

    if (aor->first || aor->jobs)
        return;
    at = bucket_at(index, bucket_of(index, aor->hash));
    while (*at != aor)
        at = &(*at)->chain;
    *at = aor->chain;
    index->aors--;
    sipd_free(aor);
}

void
bindings_walk_begin(struct bindings *index)
{
    index->walks++;
}

bool
bindings_walk(const struct bindings *index, size_t *place, const struct aor **bucket)
{
    if (*place >= index->buckets)
        return false;
    *bucket = *bucket_at(index, (*place)++);
    return true;
}

void
bindings_walk_end(struct bindings *index)
{
    index->walks--;
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

/* Where the link to this contact stands, or the link at the end. */
static struct binding **
link_of(struct aor *aor, struct span contact)
{
    struct binding **at = &aor->first;

    while (*at && !span_eq(binding_contact(*at), contact))
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
    return b;
}

static void
link_in(struct bindings *index, struct aor *aor, struct binding *b)
{
    struct binding **at = link_of(aor, binding_contact(b)), *old = NULL;

    if (*at)
        old = unlink_at(index, at);
    b->next = *at;
    *at = b;
    index->count++;
    wheel_put(index, b);
    if (old)
        binding_free(&old);
}

void
bindings_put(struct bindings *index, struct aor *aor, struct binding **binding, uint64_t now_ms)
{
    struct binding *b = *binding;

    *binding = NULL;
    link_in(index, aor, b);
    note(index, b, true, now_ms);
}

int
bindings_restore(struct bindings *index, struct binding **binding, uint64_t now_ms)
{
    struct binding *b = *binding;
    struct aor *aor;

    if (b->deadline_ms <= now_ms) {
        bindings_give_dead(index, binding);
        return SIPD_OK;
    }
    aor = bindings_get(index, binding_aor(b));
    if (!aor)
        return SIPD_ENOMEM;
    *binding = NULL;
    link_in(index, aor, b);
    return SIPD_OK;
}

bool
bindings_drop(struct bindings *index, struct aor *aor, struct span contact)
{
    struct binding **at = link_of(aor, contact), *b;

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
            ring_out(&b->ring); /* of a later lap */
            wheel_put(index, b);
            continue;
        }
        aor = bindings_find(index, binding_aor(b));
        die(index, link_of(aor, binding_contact(b)));
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
    index->buckets = index->half = SEGMENT_BUCKETS;
    if (add_segment(index) != SIPD_OK)
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

void
bindings_free(struct bindings **index)
{
    struct bindings *b = *index;
    struct binding *dead;

    if (!b)
        return;
    while ((dead = bindings_take_dead(b)))
        binding_free(&dead);
    for (size_t i = 0; i < b->segments_len * SEGMENT_BUCKETS; i++)
        for (struct aor *aor = *bucket_at(b, i), *after; aor; aor = after) {
            after = aor->chain;
            aor_free(aor);
        }
    for (size_t i = 0; i < b->segments_len; i++)
        sipd_free(b->segments[i]);
    sipd_free(b->segments);
    sipd_free(b);
    *index = NULL;
}
