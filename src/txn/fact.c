/*
 * A transaction as a flat record, taken in dormant, and woken.
 */
#include "txn/fact.h"

#include "base/mem.h"
#include "txn/answered.h"
#include "txn/commit.h"
#include "txn/match.h"

const struct record_field fact_hop_fields[] = {
    RECORD_ARRAY(1, struct hop, ip),
    RECORD_NUMBER(2, struct hop, scope_id),
    RECORD_NUMBER(3, struct hop, port),
    RECORD_NUMBER(4, struct hop, listener),
    RECORD_NUMBER(5, struct hop, transport),
    RECORD_NUMBER(6, struct hop, flow),
    RECORD_BOOL(7, struct hop, by_rule),
    RECORD_NUMBER(8, struct hop, name),
    RECORD_NUMBER(9, struct hop, connect_ms), /* of one that is merely tried */
    RECORD_END,
};

struct record {
    uint8_t kind, state, method;
    bool cancel;
    uint16_t status, sent_by_port;
    uint32_t interval_ms;
    uint64_t owner, peer;
    uint64_t repeat_ms, timeout_ms; /* as fact_left_ms() has it */
    struct span key, bytes;
    struct hop hop, source;
    uint8_t backup, backups_at;
};

enum { BACKUP = 40 }; /* the tag of what there is any number of */

static const struct record_field fields[] = {
    RECORD_NUMBER(1, struct record, kind),
    RECORD_NUMBER(2, struct record, state),
    RECORD_NUMBER(3, struct record, method),
    RECORD_BOOL(4, struct record, cancel),
    RECORD_NUMBER(5, struct record, status),
    RECORD_NUMBER(6, struct record, sent_by_port),
    RECORD_NUMBER(7, struct record, interval_ms),
    RECORD_NUMBER(8, struct record, owner),
    RECORD_NUMBER(9, struct record, peer),
    RECORD_NUMBER(10, struct record, repeat_ms),
    RECORD_NUMBER(11, struct record, timeout_ms),
    RECORD_SPAN(12, struct record, key),
    RECORD_SPAN(13, struct record, bytes),
    RECORD_PART(14, struct record, hop, fact_hop_fields),
    RECORD_NUMBER(15, struct record, backup),
    RECORD_NUMBER(16, struct record, backups_at),
    RECORD_PART(17, struct record, source, fact_hop_fields),
    RECORD_END,
};

struct hop
fact_hop(const struct hop *noted)
{
    struct hop hop = *noted;

    if (hop.flow != 0 || hop.name != 0)
        hop.flow = HOP_FLOW_DEAD;
    hop.name = 0;
    return hop;
}

/* ------------------------------------------------------------------ timers */

static uint64_t
left_ms(uint64_t at_ms, uint64_t now_ms)
{
    return at_ms == TXN_NEVER ? 0 : at_ms > now_ms ? at_ms - now_ms + 1 : 1;
}

static uint64_t
due_ms(uint64_t left, uint64_t now_ms)
{
    return left == 0 ? TXN_NEVER : now_ms + left - 1;
}

uint64_t
fact_left_ms(const struct timer *timer, uint64_t now_ms)
{
    return left_ms(timer_armed(timer) ? timer->deadline_ms : TXN_NEVER, now_ms);
}

void
fact_sleep(struct timer *timer, uint64_t left_ms, uint64_t now_ms)
{
    timer->deadline_ms = due_ms(left_ms, now_ms);
}

void
fact_wake(struct timers *timers, struct timer *timer, uint32_t kind, uint64_t id)
{
    if (timer->deadline_ms != TXN_NEVER)
        timers_arm(timers, timer, timer->deadline_ms, kind, id);
}

/* ------------------------------------------------------------------ writing */

void
txn_fact_write(const struct txns *t, const struct txn *txn, struct buf *b)
{
    struct record record = {
        .kind = txn->kind,
        .state = txn->state,
        .method = txn->method,
        .cancel = txn->cancel,
        .status = txn->status,
        .sent_by_port = txn->sent_by_port,
        .interval_ms = txn->interval_ms,
        .owner = txn->owner,
        .peer = txn->peer,
        .repeat_ms = left_ms(txn->repeat_at_ms, t->clock->now_ms),
        .timeout_ms = left_ms(txn->timeout_at_ms, t->clock->now_ms),
        .key = txn_key(txn),
        .bytes = txns_sent(t, txn),
        .hop = txn->hop,
        .backup = txn->backup,
        .backups_at = txn->backups_at,
    };

    if (txn->bytes && !record.bytes.at)
        b->err = SIPD_ENOMEM;
    if (txn->backups)
        record.source = txn->backups[txn->backups_len];
    record_write(b, fields, &record);
    for (uint8_t i = 0; i < txn->backups_len; i++)
        record_put(b, BACKUP, fact_hop_fields, &txn->backups[i]);
}

/* ------------------------------------------------------------------ taking in */

/* Is it one that a transaction of this kind can be in? */
static bool
is_sound(const struct record *r)
{
    bool moves = false;

    if (r->kind >= TXN_KINDS || r->state == TXN_NONE || r->state >= TXN_GONE ||
        r->method >= METHODS || r->backup > TXN_BACKUP_GIVEN || r->key.len == 0 ||
        r->hop.transport >= HOP_TRANSPORTS || (r->repeat_ms > 0 && r->interval_ms < TXN_T1_MS))
        return false;
    for (enum txn_event event = 0; event < EV_COUNT; event++)
        moves = moves || txn_rule(r->kind, r->state, event)->next != TXN_NONE;
    return moves;
}

/*
 * The connection that there was died with the other node. A request goes by a new one to the same address; a response to the port
 * of the sent-by, unless its sender comes back (§18.2.2).
 */
static struct hop
hop_of(const struct record *r)
{
    struct hop hop = fact_hop(&r->hop);
    bool client = r->kind == TXN_ICT || r->kind == TXN_NICT;

    if (r->hop.name != 0)
        return hop;
    if (!client && hop.flow != 0)
        hop.port = r->sent_by_port;
    hop.flow = 0;
    return hop;
}

/* Other ways for a response; who was still asked for them is asked again. */
static int
take_backups(struct txn *txn, const struct record *r, struct span fact)
{
    struct tlv tlv;
    unsigned len = 0;
    int err = SIPD_OK;

    for (struct span rest = fact; tlv_next(&rest, &tlv) == SIPD_OK;)
        len += tlv.tag == BACKUP;
    if (len > UINT8_MAX || r->backups_at > len)
        return SIPD_EINVAL;
    mem_free(txn->backups);
    txn->backups = len > 0 ? mem_new((len + 1) * sizeof *txn->backups) : NULL;
    txn->backups_len = 0;
    if (len > 0 && !txn->backups)
        return SIPD_ENOMEM;
    while (err == SIPD_OK && tlv_next(&fact, &tlv) == SIPD_OK)
        if (tlv.tag == BACKUP) {
            struct hop *hop = &txn->backups[txn->backups_len++];

            err = record_read(tlv.value, fact_hop_fields, hop);
            *hop = fact_hop(hop);
        }
    if (txn->backups)
        txn->backups[len] = fact_hop(&r->source);
    txn->backups_at = r->backups_at;
    txn->backup = r->backup == TXN_BACKUP_ASKED ? TXN_BACKUP_NONE : r->backup;
    return err;
}

/* What took a connection that died with the other node stays for as long as what takes a new one (txn/commit). */
static uint64_t
timeout_of(const struct record *r)
{
    bool answered = r->kind == TXN_NIST && r->state == TXN_COMPLETED;

    return answered && r->hop.flow != 0 ? 64 * TXN_T1_MS + 1 : r->timeout_ms;
}

static int
take_members(struct txns *t, struct txn *txn, const struct record *r, struct span fact)
{
    int err = commit_keep(txn, r->bytes);

    if (err == SIPD_OK)
        err = take_backups(txn, r, fact);
    if (err != SIPD_OK)
        return err;
    txn->state = r->state;
    txn->method = r->method;
    txn->cancel = r->cancel;
    txn->status = r->status;
    txn->sent_by_port = r->sent_by_port;
    txn->interval_ms = r->interval_ms;
    txn->owner = r->owner;
    txn->peer = r->peer;
    txn->hop = hop_of(r);
    txn->repeat_at_ms = due_ms(r->repeat_ms, t->clock->now_ms);
    txn->timeout_at_ms = due_ms(timeout_of(r), t->clock->now_ms);
    commit_file(t, txn);
    return SIPD_OK;
}

static bool
is_stale(const struct txns *t, const struct txn *txn)
{
    return txn->epoch != t->epoch;
}

static void
end_stale(struct txns *t, struct txn *txn)
{
    if (txn && is_stale(t, txn))
        commit_end(t, txn);
}

static int
put(struct txns *t, uint64_t id, const struct record *r, struct txn **txn)
{
    struct txn_key key = match_hashed(t, r->key);

    end_stale(t, txn_of(match_find(t, &key)));
    return txns_put(t, id, r->kind, &key, txn);
}

int
txns_restore(struct txns *t, const struct fact *fact)
{
    struct txn *txn;
    bool there;
    struct record r;
    int err;

    if (span_eq(span_of(fact->kind), SPAN(ANSWERED_FACT)))
        return answered_restore(t, fact);
    end_stale(t, slots_holder(&t->slots, fact->id));
    txn = slots_find(&t->slots, fact->id);
    there = txn != NULL;
    if (there && fact_is_older(fact->version, txn->version))
        return SIPD_OK;
    if (fact->bytes.len == 0) {
        if (there)
            commit_end(t, txn);
        return SIPD_OK;
    }
    err = record_read(fact->bytes, fields, &r);
    if (err != SIPD_OK || !is_sound(&r) || (there && txn->kind != r.kind))
        return err != SIPD_OK ? err : SIPD_EINVAL;
    if (!there)
        err = put(t, fact->id, &r, &txn);
    if (err == SIPD_OK)
        err = take_members(t, txn, &r, fact->bytes);
    if (err != SIPD_OK) {
        if (!there && txn)
            commit_end(t, txn);
        return err;
    }
    txn->version = fact->version;
    txn->epoch = t->epoch;
    return SIPD_OK;
}

bool
txns_sweep(struct txns *t, uint64_t *cursor, uint32_t *places)
{
    struct txn *txn;

    while ((txn = slots_next_within(&t->slots, cursor, places)))
        end_stale(t, txn);
    return *places == 0;
}

/* ------------------------------------------------------------------ waking */

/*
 * May its peer wait for what was lost on its way when the other node died? Over a stream nobody repeats anything by itself, and
 * the one that there was is gone.
 */
static bool
must_repeat(const struct txn *txn)
{
    bool stream = hop_is_reliable(txn->hop.transport);

    switch ((enum txn_kind)txn->kind) {
    case TXN_ICT:
        return (txn->state == TXN_PROCEEDING && txn->status <= 100) ||
               (txn->state == TXN_CALLING && stream);
    case TXN_NICT: return txn->state == TXN_TRYING && stream;
    case TXN_IST:
        return (txn->state == TXN_PROCEEDING && txn->status > 100) ||
               (txn->state == TXN_COMPLETED && stream);
    case TXN_NIST: return txn->state == TXN_COMPLETED && stream;
    case TXN_KINDS: break;
    }
    return false;
}

void
txns_wake(struct txns *t, uint64_t silent_ms)
{
    uint64_t now_ms = t->clock->now_ms, alive_ms = now_ms > silent_ms ? now_ms - silent_ms : 0;
    uint64_t cursor = 0;
    struct txn *txn;

    slots_settle(&t->slots);
    while ((txn = slots_next(&t->slots, &cursor))) {
        commit_wake(t, txn, alive_ms);
        if (must_repeat(txn))
            commit_resend(t, txn);
    }
    commit_awake(t);
}
