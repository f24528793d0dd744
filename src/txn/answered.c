/*
 * Records in a row, made of what a transaction has when it is answered, or of another node's fact. Whoever ends is looked for in
 * the table, and its bucket lies in far memory: so it is asked for some ends before, as txn/scout does for the lanes.
 */
#include "txn/answered.h"

#include "base/record.h"
#include "txn/commit.h"
#include "txn/fact.h"

enum { AHEAD = 16 }; /* asked for before they end */

struct parts { /* of the text */
    struct span key;
    struct reply_with with;
};

/* ------------------------------------------------------------------ one of them */

static struct parts
parts_of(const struct answered *a)
{
    struct parts parts;
    const char *at = a->text;

    parts.key = (struct span){ at, a->entry.key_len };
    parts.with.phrase = (struct span){ at += parts.key.len, a->phrase_len };
    parts.with.lines = (struct span){ at += a->phrase_len, a->lines_len };
    parts.with.more = (struct span){ NULL, 0 };
    parts.with.type = (struct span){ at += a->lines_len, a->type_len };
    parts.with.body = (struct span){ at + a->type_len, a->body_len };
    return parts;
}

struct span
answered_key(const struct answered *a)
{
    return (struct span){ a->text, a->entry.key_len };
}

struct reply_with
answered_with(const struct answered *a)
{
    return parts_of(a).with;
}

struct span
answered_bytes(const struct answered *a)
{
    return parts_of(a).with.body;
}

bool
answered_is(const struct txns *t, const struct answered *a, struct span bytes)
{
    return prf_fold(&t->digest_key, bytes) == a->digest;
}

struct hop
answered_hop(const struct answered *a)
{
    struct hop hop = {
        .scope_id = a->scope_id, .port = a->port, .listener = a->listener, .transport = HOP_UDP
    };

    memcpy(hop.ip, a->ip, sizeof hop.ip);
    return hop;
}

static void
set_hop(struct answered *a, const struct hop *hop)
{
    memcpy(a->ip, hop->ip, sizeof a->ip);
    a->scope_id = hop->scope_id;
    a->port = hop->port;
    a->listener = hop->listener;
}

/* ------------------------------------------------------------------ joining */

static bool
fits(const struct reply_with *with)
{
    return with->phrase.len <= UINT16_MAX && with->lines.len + with->more.len <= UINT16_MAX &&
           with->type.len <= UINT16_MAX && with->body.len <= UINT16_MAX;
}

/* Its place in the row, and all that is copied; in no table yet. Who is told late of one holds it as long as those before it. */
static struct answered *
put(struct txns *t, struct span key, enum txn_form form, const struct reply_with *with,
    uint64_t deadline_ms)
{
    const struct answered *last = t->answered.last;
    uint64_t last_ms = last ? last->deadline_ms : 0;
    size_t bytes = key.len + with->phrase.len + with->lines.len + with->more.len + with->type.len +
                   with->body.len;
    struct answered *a =
        fits(with) ? row_push(&t->answered, offsetof(struct answered, text) + bytes) : NULL;
    char *at;

    if (!a)
        return NULL;
    a->deadline_ms = deadline_ms > last_ms ? deadline_ms : last_ms;
    a->entry.form = (uint8_t)form;
    a->entry.key_len = (uint32_t)key.len;
    a->phrase_len = (uint16_t)with->phrase.len;
    a->lines_len = (uint16_t)(with->lines.len + with->more.len);
    a->type_len = (uint16_t)with->type.len;
    a->body_len = (uint16_t)with->body.len;
    at = span_write(span_write(a->text, key), with->phrase);
    at = span_write(span_write(at, with->lines), with->more);
    (void)span_write(span_write(at, with->type), with->body);
    t->by_kind[TXN_NIST]++;
    return a;
}

struct answered *
answered_join(struct txns *t, const struct txn *txn, const struct commit_input *input)
{
    const struct reply_with whole = { .body = input->bytes };
    const struct span none = { NULL, 0 };
    uint64_t deadline_ms = t->clock->now_ms + 64 * TXN_T1_MS;
    struct answered *a;

    if (txn->hop.transport != HOP_UDP || txn->backups)
        return NULL;
    a = input->with ? put(t, none, TXN_ANSWERED_WITH, input->with, deadline_ms)
                    : put(t, txn_key(txn), TXN_ANSWERED_WHOLE, &whole, deadline_ms);
    if (!a)
        return NULL;
    a->digest = prf_fold(&t->digest_key, input->bytes);
    a->status = input->status;
    a->method = txn->method;
    set_hop(a, &txn->hop);
    return a;
}

/* ------------------------------------------------------------------ leaving */

struct answered *
answered_first(const struct txns *t)
{
    return row_first(&t->answered);
}

/* The next one is asked for. */
static void
look_ahead(struct txns *t)
{
    struct answered *next = t->ahead ? row_next(&t->answered, t->ahead) : row_first(&t->answered);

    if (!next)
        return;
    t->ahead = next;
    t->ahead_len++;
    table_warm(&t->table, next->entry.node.hash);
}

void
answered_leave(struct txns *t)
{
    struct answered *first = answered_first(t);

    if (t->ahead_len > 0 && --t->ahead_len == 0)
        t->ahead = NULL;
    table_remove(&t->table, &first->entry.node);
    row_shift(&t->answered);
    t->by_kind[TXN_NIST]--;
    for (int i = 0; i < 2 && t->ahead_len < AHEAD; i++)
        look_ahead(t);
}

bool
answered_due(struct txns *t)
{
    const struct answered *first = answered_first(t);

    if (!first || first->deadline_ms > t->clock->now_ms)
        return false;
    answered_leave(t);
    return true;
}

/* ------------------------------------------------------------------ for another node */

struct record {
    uint8_t method;
    bool whole;
    uint16_t status;
    uint64_t left_ms; /* more than 0 */
    uint64_t digest, hash;
    struct span key, phrase, lines, type, body;
    struct hop hop;
};

static const struct record_field fields[] = {
    RECORD_NUMBER(1, struct record, method),
    RECORD_BOOL(2, struct record, whole),
    RECORD_NUMBER(3, struct record, status),
    RECORD_NUMBER(4, struct record, left_ms),
    RECORD_SPAN(5, struct record, key),
    RECORD_SPAN(6, struct record, phrase),
    RECORD_SPAN(7, struct record, lines),
    RECORD_SPAN(8, struct record, type),
    RECORD_SPAN(9, struct record, body),
    RECORD_PART(10, struct record, hop, fact_hop_fields),
    RECORD_NUMBER(11, struct record, digest),
    RECORD_NUMBER(12, struct record, hash),
    RECORD_END,
};

void
answered_fact_write(const struct txns *t, const struct answered *a, struct buf *b)
{
    uint64_t now_ms = t->clock->now_ms;
    struct parts parts = parts_of(a);
    struct record record = {
        .method = a->method,
        .whole = a->entry.form == TXN_ANSWERED_WHOLE,
        .status = a->status,
        .left_ms = a->deadline_ms > now_ms ? a->deadline_ms - now_ms : 1,
        .key = parts.key,
        .phrase = parts.with.phrase,
        .lines = parts.with.lines,
        .type = parts.with.type,
        .body = parts.with.body,
        .hop = answered_hop(a),
        .digest = a->digest,
        .hash = a->entry.node.hash,
    };

    record_write(b, fields, &record);
}

uint64_t
answered_note(struct txns *t, const struct answered *a)
{
    struct fact fact = { .kind = ANSWERED_FACT, .version = ++t->answers, .id = a->entry.node.hash };

    buf_clear(&t->record);
    answered_fact_write(t, a, &t->record);
    fact.bytes = buf_span(&t->record);
    fact.lost = t->record.err != SIPD_OK;
    return t->ports.note(t->ports.io, &fact);
}

static struct reply_with
with_of(const struct record *r)
{
    return (struct reply_with){
        .phrase = r->phrase, .lines = r->lines, .type = r->type, .body = r->body
    };
}

static bool
is_sound(const struct record *r)
{
    const struct reply_with with = with_of(r);

    return fits(&with) && r->method < METHODS && (r->key.len > 0) == r->whole && r->left_ms > 0 &&
           r->status >= 200 && r->status < 700 && r->hop.transport == HOP_UDP &&
           (!r->whole || r->phrase.len + r->lines.len + r->type.len == 0);
}

/* Here nobody has asked for the time since the other node began to speak; and the transaction that was answered may still be there. */
static void
make_way(struct txns *t)
{
    for (int i = 0; i < 2; i++)
        (void)answered_due(t);
    if (txns_held(t) > t->slots.limit && answered_first(t))
        answered_leave(t);
}

static bool
has_digest(const struct table_node *node, const void *digest)
{
    const struct txn_entry *entry = container_of_const(node, struct txn_entry, node);

    return txn_is_answered(entry) &&
           container_of_const(entry, struct answered, entry)->digest == *(const uint64_t *)digest;
}

const struct answered *
answered_find(const struct txns *t, uint64_t hash, uint64_t digest)
{
    const struct table_node *node = table_find(&t->table, hash, has_digest, &digest);

    return node ? container_of_const(node, struct answered, entry.node) : NULL;
}

/* Is it here already? One of the same key with another answer, or one that is over, is of an earlier time. */
static bool
is_known(const struct txns *t, const struct record *r)
{
    const struct answered *a = answered_find(t, r->hash, r->digest);

    return a && a->deadline_ms > t->clock->now_ms;
}

int
answered_restore(struct txns *t, const struct fact *fact)
{
    struct reply_with with;
    struct answered *a;
    struct record r;
    int err = record_read(fact->bytes, fields, &r);

    if (err != SIPD_OK || !is_sound(&r))
        return err != SIPD_OK ? err : SIPD_EINVAL;
    make_way(t);
    if (is_known(t, &r))
        return SIPD_OK;
    with = with_of(&r);
    a = put(t, r.key, r.whole ? TXN_ANSWERED_WHOLE : TXN_ANSWERED_WITH, &with,
            t->clock->now_ms + (r.left_ms < 64 * TXN_T1_MS ? r.left_ms : 64 * TXN_T1_MS));
    if (!a)
        return SIPD_ENOMEM;
    a->digest = r.digest;
    a->status = r.status;
    a->method = r.method;
    set_hop(a, &r.hop);
    table_insert(&t->table, &a->entry.node, r.hash);
    return SIPD_OK;
}
