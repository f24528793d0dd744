/*
 * All transactions, by id and by key, and the events that move them (RFC 3261 §17).
 */
#include "txn/txns.h"

#include "base/mem.h"
#include "txn/answered.h"
#include "txn/commit.h"
#include "txn/match.h"

enum { RECORD_BYTES = 1 << 20 }; /* of a fact: more than any message with its key */

/* Which states may ever send their last message again? A finished transaction keeps no more than it needs. */
static void
note_keepers(struct txns *t)
{
    for (enum txn_kind kind = 0; kind < TXN_KINDS; kind++)
        for (enum txn_state state = 0; state < TXN_STATES; state++)
            for (enum txn_event event = 0; event < EV_COUNT; event++)
                if (txn_rule(kind, state, event)->actions & (A_RESEND | A_ACK))
                    t->keeps[kind] |= 1u << state;
}

int
txns_init(struct txns *t, const struct txn_ports *ports, const struct clock *clock,
          struct arena *arena, const struct prf_key *key, uint32_t limit)
{
    memset(t, 0, sizeof *t);
    t->ports = *ports;
    t->clock = clock;
    t->arena = arena;
    t->hash_key = prf_derive(key, SPAN("transactions"));
    t->digest_key = prf_derive(key, SPAN("answered"));
    buf_init(&t->record, RECORD_BYTES);
    slots_init(&t->slots, sizeof(struct txn), limit);
    row_init(&t->answered);
    timers_init(&t->timers, clock->now_ms);
    note_keepers(t);
    return table_init(&t->table);
}

void
txns_fini(struct txns *t)
{
    uint64_t cursor = 0;
    struct txn *txn;

    t->watched = false;
    while ((txn = slots_next(&t->slots, &cursor)))
        commit_end(t, txn);
    table_fini(&t->table);
    row_fini(&t->answered);
    slots_fini(&t->slots);
    buf_fini(&t->record);
}

size_t
txns_held(const struct txns *t)
{
    return t->slots.used + t->answered.len;
}

static bool
is_full(const struct txns *t)
{
    return txns_held(t) >= t->slots.limit;
}

/* A repeat of what is forgotten is taken for new; that is better than to refuse what is new. */
static bool
evict(struct txns *t)
{
    struct timer *timer = timers_first(&t->timers);
    const struct answered *answered = answered_first(t);

    if (answered && (!timer || answered->deadline_ms <= timer->deadline_ms))
        answered_leave(t);
    else if (timer)
        commit_end(t, container_of(timer, struct txn, timer));
    else
        return false;
    t->evicted++;
    return true;
}

/* Two go for one that comes while there are more than there may be: the ceiling was lowered. */
static bool
make_room(struct txns *t)
{
    bool room = !is_full(t) || evict(t);

    if (room && txns_held(t) >= t->slots.limit)
        (void)evict(t);
    return room;
}

static bool
keep_key(struct txn *txn, struct span key)
{
    txn->entry.key_len = (uint32_t)key.len;
    if (key.len > sizeof txn->short_key)
        return (txn->long_key = mem_copy(key)) != NULL;
    memcpy(txn->short_key, key.at, key.len);
    return true;
}

/* A slot becomes a transaction that its key finds. False: memory is out, and the slot is free again. */
static bool
begin(struct txns *t, struct txn *txn, uint64_t id, enum txn_kind kind, const struct txn_key *key)
{
    if (!keep_key(txn, key->bytes)) {
        slots_free(&t->slots, id);
        return false;
    }
    txn->id = id;
    txn->kind = (uint8_t)kind;
    timer_init(&txn->timer);
    txn->repeat_at_ms = txn->timeout_at_ms = TXN_NEVER;
    table_insert(&t->table, &txn->entry.node, key->hash);
    t->by_kind[kind]++;
    return true;
}

static struct txn *
open(struct txns *t, enum txn_kind kind, const struct txn_key *key, const struct hop *hop,
     uint64_t owner)
{
    struct txn *txn;
    uint64_t id;

    if (!make_room(t) || !key->bytes.at)
        return NULL;
    txn = slots_new(&t->slots, &id);
    if (!txn || !begin(t, txn, id, kind, key))
        return NULL;
    txn->owner = owner;
    txn->hop = *hop;
    return txn;
}

int
txns_put(struct txns *t, uint64_t id, enum txn_kind kind, const struct txn_key *key,
         struct txn **out)
{
    struct txn *txn = slots_put(&t->slots, id);

    *out = NULL;
    if (!txn)
        return SIPD_EFULL;
    if (!begin(t, txn, id, kind, key))
        return SIPD_ENOMEM;
    *out = txn;
    return SIPD_OK;
}

static int
why_not_open(const struct txns *t)
{
    return is_full(t) ? SIPD_EFULL : SIPD_ENOMEM;
}

/* The method is not always that of the message itself. */
static struct txn_key
server_key(const struct txns *t, const struct gist *gist, struct span as)
{
    return match_hashed(t, match_server_key(t->arena, gist, as));
}

/* … for which nobody has made a key. */
APART static int
serve_anew(struct txns *t, const struct gist *gist, const struct hop *hop, uint64_t owner,
           uint64_t *id)
{
    struct txn_key key = server_key(t, gist, gist->method_text);

    return key.bytes.at ? txns_serve(t, gist, &key, hop, owner, id) : why_not_open(t);
}

int
txns_serve(struct txns *t, const struct gist *gist, const struct txn_key *key,
           const struct hop *hop, uint64_t owner, uint64_t *id)
{
    enum txn_kind kind = gist->method == METHOD_INVITE ? TXN_IST : TXN_NIST;
    struct txn *txn;

    if (!key || !key->bytes.at)
        return serve_anew(t, gist, hop, owner, id);
    txn = open(t, kind, key, hop, owner);
    if (!txn)
        return why_not_open(t);
    txn->method = (uint8_t)gist->method;
    txn->sent_by_port = gist->via.port ? gist->via.port : hop_default_port(hop->transport);
    *id = txn->id;
    return commit(t, txn, EV_START, NULL, NULL);
}

/* Without state there is nothing to make a key for. */
static bool
holds_none(const struct txns *t)
{
    return t->table.used == 0;
}

struct txn_key
txns_key(const struct txns *t, const struct gist *gist)
{
    struct span as =
        gist->method == METHOD_ACK ? names_method_text(METHOD_INVITE) : gist->method_text;
    struct txn_key key;

    if (holds_none(t))
        return (struct txn_key){ .hash = 0 };
    key = server_key(t, gist, as);
    table_warm(&t->table, key.hash);
    return key;
}

struct txn_entry *
txns_find_by(const struct txns *t, const struct txn_key *key)
{
    return match_find(t, key);
}

struct txn *
txns_find_cancelled(const struct txns *t, const struct gist *cancel)
{
    struct txn_key key = server_key(t, cancel, names_method_text(METHOD_INVITE));

    return txn_of(match_find(t, &key));
}

/* Where the request came from, whatever way its answer has taken since. */
static const struct hop *
source_of(const struct txn *txn)
{
    return txn->backups ? &txn->backups[txn->backups_len] : &txn->hop;
}

bool
txns_move(struct txns *t, struct txn *txn, const struct hop *to)
{
    if (!hop_is_reliable(to->transport) || to->transport != txn->hop.transport ||
        to->flow == txn->hop.flow || memcmp(to->ip, source_of(txn)->ip, sizeof to->ip) != 0)
        return false;
    txn->hop = *to;
    (void)commit_note(t, txn);
    return true;
}

/* May the last message leave once more, or did nothing leave yet? */
static bool
is_silent(const struct txn *txn)
{
    return txn->status == 0 && (txn->state == TXN_PROCEEDING || txn->state == TXN_TRYING);
}

enum txn_news
txns_heard_again(struct txns *t, struct txn *txn, bool is_ack)
{
    bool unheard = !is_ack && is_silent(txn);
    struct txn_told told;

    if (commit(t, txn, is_ack ? EV_ACK : EV_REQUEST, NULL, &told) != SIPD_OK)
        return unheard ? TXN_UNHEARD : TXN_QUIET;
    return unheard ? TXN_UNHEARD : told.news;
}

static enum txn_event
sending(unsigned status)
{
    return status < 200 ? EV_SEND_1XX : status < 300 ? EV_SEND_2XX : EV_SEND_3XX;
}

static enum txn_event
hearing(unsigned status)
{
    return status < 200 ? EV_RECV_1XX : status < 300 ? EV_RECV_2XX : EV_RECV_3XX;
}

int
txns_reply(struct txns *t, uint64_t id, unsigned status, struct span bytes,
           const struct reply_with *with)
{
    struct txn *txn = slots_find(&t->slots, id);
    struct commit_input input = { .bytes = bytes, .with = with, .status = (uint16_t)status };

    return txn ? commit(t, txn, sending(status), &input, NULL) : SIPD_ENOENT;
}

int
txns_answer(struct txns *t, uint64_t id, unsigned status, struct span bytes)
{
    return txns_reply(t, id, status, bytes, NULL);
}

/*
 * Only absorbs repeats of a response that went up, and nobody's any more: the request came again, over another connection or by
 * another node, and its computed branch is the same (a repeat for the next hop, which says its answer again).
 */
static bool
is_left_over(const struct txn *txn)
{
    return txn->owner == 0 && txn->filed;
}

/* Unknown methods share one name here: the branch alone tells them apart. */
static struct txn_key
client_key(const struct txns *t, enum method method, struct span branch)
{
    return match_hashed(t, match_client_key(t->arena, branch, names_method_text(method)));
}

struct txn_key
txns_client_key(const struct txns *t, enum method method, struct span branch)
{
    struct txn_key key = client_key(t, method, branch);

    table_warm(&t->table, key.hash);
    return key;
}

int
txns_request(struct txns *t, enum method method, const struct txn_key *key, const struct hop *hop,
             struct span bytes, struct span tail, uint64_t owner, uint64_t *id)
{
    struct commit_input input = { .bytes = bytes, .tail = tail };
    struct txn *txn = txn_of(match_find(t, key));
    int err;

    if (txn && !is_left_over(txn))
        return SIPD_EEXIST;
    if (txn)
        commit_end(t, txn);
    txn = open(t, method == METHOD_INVITE ? TXN_ICT : TXN_NICT, key, hop, owner);
    if (!txn)
        return why_not_open(t);
    txn->method = (uint8_t)method;
    txn->cancel = method == METHOD_CANCEL;
    *id = txn->id;
    err = commit(t, txn, EV_START, &input, NULL);
    if (err != SIPD_OK)
        commit_end(t, txn);
    return err;
}

struct txn *
txns_find_client(const struct txns *t, const struct gist *response)
{
    struct txn_key key;

    if (holds_none(t))
        return NULL;
    key = client_key(t, response->method, response->via.branch);
    return txn_of(match_find(t, &key));
}

enum txn_news
txns_heard(struct txns *t, struct txn *txn, unsigned status, const struct gist *gist)
{
    struct commit_input input = { .response = gist, .status = (uint16_t)status };
    struct txn_told told;

    return commit(t, txn, hearing(status), &input, &told) == SIPD_OK ? told.news : TXN_QUIET;
}

struct txn *
txns_find(const struct txns *t, uint64_t id)
{
    return slots_find(&t->slots, id);
}

static bool
is_server(const struct txn *txn)
{
    return txn->kind == TXN_IST || txn->kind == TXN_NIST;
}

/* From now on it sends there, at first what it sent last. */
static void
send_last(struct txns *t, struct txn *txn, const struct hop *to)
{
    txn->hop = *to;
    commit_stay(t, txn);
    (void)commit_note(t, txn);
    commit_resend(t, txn);
}

/*
 * §18.2.2: a response whose connection is gone goes to where the request came from, at the port of its sent-by, over a new one.
 * False: that was tried already.
 */
static bool
answer_anew(struct txns *t, struct txn *txn)
{
    struct hop hop = txn->hop;

    if (!is_server(txn) || txn->hop.flow == 0)
        return false;
    hop.flow = 0;
    hop.port = txn->sent_by_port;
    send_last(t, txn, &hop);
    return true;
}

/*
 * §9.1, §17.1.1.3: a CANCEL and the ACK to a failure go where their INVITE went. It was heard there, so when its connection is gone
 * they take a new one; no answer would ask for them again over a stream. False: it is none of these, or that was tried already.
 */
static bool
follow_anew(struct txns *t, struct txn *txn)
{
    struct hop hop = txn->hop;

    if (txn->hop.flow == 0 ||
        !(txn->cancel || (txn->kind == TXN_ICT && txn->state == TXN_COMPLETED)))
        return false;
    hop.flow = 0;
    send_last(t, txn, &hop);
    return true;
}

/* RFC 3263 §5, over streams only: what an answer by datagrams is told of a way may be anybody's word. */
static bool
is_astray(const struct txn *txn)
{
    return is_server(txn) && txn->backup == TXN_BACKUP_NONE && txn->bytes &&
           hop_is_reliable(txn->hop.transport);
}

static bool
try_backup(struct txns *t, struct txn *txn)
{
    if (txn->backups_at >= txn->backups_len)
        return false;
    send_last(t, txn, &txn->backups[txn->backups_at++]);
    return true;
}

static void
fail(struct txns *t, struct txn *txn, struct txn_told *told)
{
    if (commit(t, txn, EV_GONE, NULL, told) != SIPD_OK)
        told->news = TXN_QUIET;
}

void
txns_gone(struct txns *t, uint64_t id, struct txn_told *told)
{
    struct txn *txn = slots_find(&t->slots, id);

    *told = (struct txn_told){ .news = TXN_QUIET };
    if (!txn || txn->backup == TXN_BACKUP_ASKED || answer_anew(t, txn) || follow_anew(t, txn) ||
        try_backup(t, txn))
        return;
    if (!is_astray(txn)) {
        fail(t, txn, told);
        return;
    }
    txn->backup = TXN_BACKUP_ASKED;
    (void)commit_note(t, txn);
    *told = (struct txn_told){ TXN_ASTRAY, id, txn->owner, txn->kind, txn->method };
}

void
txns_backup(struct txns *t, uint64_t id, const struct hop *hops, size_t len, struct txn_told *told)
{
    struct txn *txn = slots_find(&t->slots, id);

    *told = (struct txn_told){ .news = TXN_QUIET };
    if (!txn || txn->backup != TXN_BACKUP_ASKED)
        return;
    txn->backup = TXN_BACKUP_GIVEN;
    if (len > UINT8_MAX)
        len = UINT8_MAX;
    txn->backups = len > 0 ? mem_new((len + 1) * sizeof *hops) : NULL;
    if (txn->backups) {
        memcpy(txn->backups, hops, len * sizeof *hops);
        txn->backups[len] = txn->hop;
        txn->backups_len = (uint8_t)len;
    }
    if (try_backup(t, txn))
        (void)commit_note(t, txn);
    else
        fail(t, txn, told);
}

void
txns_end(struct txns *t, uint64_t id)
{
    struct txn *txn = slots_find(&t->slots, id);

    if (txn)
        commit_end(t, txn);
}

void
txns_disown(struct txns *t, uint64_t id, uint64_t peer)
{
    struct txn *txn = slots_find(&t->slots, id);

    if (!txn)
        return;
    commit_own(t, txn);
    txn->owner = 0;
    txn->peer = peer;
    (void)commit_note(t, txn);
}

bool
txns_due(struct txns *t, struct txn_told *told)
{
    struct timer *timer = timers_due(&t->timers, t->clock->now_ms);

    if (!timer) {
        *told = (struct txn_told){ .news = TXN_QUIET };
        return answered_due(t);
    }
    commit_due(t, container_of(timer, struct txn, timer), told);
    return true;
}

uint32_t
txns_pending(const struct txns *t)
{
    return t->slots.used - t->finished_len;
}

uint64_t
txns_next_ms(const struct txns *t)
{
    uint64_t timers_ms = timers_next_ms(&t->timers);
    const struct answered *first = answered_first(t);

    return first && first->deadline_ms < timers_ms ? first->deadline_ms : timers_ms;
}

struct txn *
txns_next_within(const struct txns *t, uint64_t *cursor, uint32_t *places)
{
    return slots_next_within(&t->slots, cursor, places);
}
