/*
 * All transactions, by id and by key, and the events that move them (RFC 3261 §17).
 */
#include "txn/txns.h"

#include "base/mem.h"
#include "txn/commit.h"
#include "txn/match.h"

int
txns_init(struct txns *t, const struct txn_ports *ports, const struct clock *clock,
          struct arena *arena, const struct prf_key *hash_key, uint32_t limit)
{
    memset(t, 0, sizeof *t);
    t->ports = *ports;
    t->clock = clock;
    t->arena = arena;
    t->hash_key = *hash_key;
    list_init(&t->finished);
    slots_init(&t->slots, sizeof(struct txn), limit);
    timers_init(&t->timers, clock->now_ms);
    return table_init(&t->table);
}

void
txns_fini(struct txns *t)
{
    uint64_t cursor = 0;
    struct txn *txn;

    while ((txn = slots_next(&t->slots, &cursor)))
        commit_end(t, txn);
    table_fini(&t->table);
    slots_fini(&t->slots);
}

/* A repeat of what is forgotten is taken for new; that is better than to refuse what is new. */
static void
make_room(struct txns *t)
{
    struct list *oldest;

    if (t->slots.used < t->slots.limit || !(oldest = list_shift(&t->finished)))
        return;
    commit_end(t, container_of(oldest, struct txn, finished));
    t->evicted++;
}

static struct txn *
open(struct txns *t, enum txn_kind kind, struct span key, const struct hop *hop, uint64_t owner)
{
    struct txn *txn;
    uint64_t id;

    make_room(t);
    txn = key.at ? slots_new(&t->slots, &id) : NULL;
    if (!txn)
        return NULL;
    txn->key = mem_copy(key);
    if (!txn->key) {
        slots_free(&t->slots, id);
        return NULL;
    }
    txn->key_len = (uint32_t)key.len;
    txn->id = id;
    txn->owner = owner;
    txn->kind = (uint8_t)kind;
    txn->hop = *hop;
    list_init(&txn->finished);
    timer_init(&txn->repeat);
    timer_init(&txn->timeout);
    table_insert(&t->table, &txn->by_key, prf_hash(&t->hash_key, key));
    t->by_kind[kind]++;
    return txn;
}

static int
why_not_open(const struct txns *t)
{
    return t->slots.used >= t->slots.limit ? SIPD_EFULL : SIPD_ENOMEM;
}

int
txns_serve(struct txns *t, const struct gist *gist, const struct hop *hop, uint64_t owner,
           uint64_t *id)
{
    enum txn_kind kind = gist->method == METHOD_INVITE ? TXN_IST : TXN_NIST;
    struct txn *txn =
        open(t, kind, match_server_key(t->arena, gist, gist->method_text), hop, owner);
    struct txn_told told;

    if (!txn)
        return why_not_open(t);
    txn->method = (uint8_t)gist->method;
    txn->sent_by_port = gist->via.port ? gist->via.port : hop_default_port(hop->transport);
    *id = txn->id;
    return commit(t, txn, EV_START, NULL, &told);
}

struct txn *
txns_find_server(const struct txns *t, const struct gist *gist)
{
    struct span as =
        gist->method == METHOD_ACK ? names_method_text(METHOD_INVITE) : gist->method_text;

    return match_find(t, match_server_key(t->arena, gist, as));
}

struct txn *
txns_find_cancelled(const struct txns *t, const struct gist *cancel)
{
    return match_find(t, match_server_key(t->arena, cancel, names_method_text(METHOD_INVITE)));
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
txns_answer(struct txns *t, uint64_t id, unsigned status, struct span bytes)
{
    struct txn *txn = slots_find(&t->slots, id);
    struct commit_input input = { .bytes = bytes };
    struct txn_told told;
    int err;

    if (!txn)
        return SIPD_ENOENT;
    err = commit(t, txn, sending(status), &input, &told);
    if (err == SIPD_OK)
        txn->status = (uint16_t)status;
    return err;
}

int
txns_request(struct txns *t, enum method method, struct span branch, const struct hop *hop,
             struct span bytes, uint64_t owner, uint64_t *id)
{
    struct commit_input input = { .bytes = bytes };
    struct span text = names_method_text(method);
    struct span key = match_client_key(t->arena, branch, text);
    struct txn_told told;
    struct txn *txn;
    int err;

    if (match_find(t, key))
        return SIPD_EEXIST;
    txn = open(t, method == METHOD_INVITE ? TXN_ICT : TXN_NICT, key, hop, owner);
    if (!txn)
        return why_not_open(t);
    txn->method = (uint8_t)method;
    txn->cancel = method == METHOD_CANCEL;
    *id = txn->id;
    err = commit(t, txn, EV_START, &input, &told);
    if (err != SIPD_OK)
        commit_end(t, txn);
    return err;
}

struct txn *
txns_find_client(const struct txns *t, const struct gist *response)
{
    /* Unknown methods share one name here: the branch alone tells them apart. */
    return match_find(
        t, match_client_key(t->arena, response->via.branch, names_method_text(response->method)));
}

enum txn_news
txns_heard(struct txns *t, struct txn *txn, unsigned status, const struct gist *gist)
{
    struct commit_input input = { .response = gist };
    struct txn_told told;

    if (commit(t, txn, hearing(status), &input, &told) != SIPD_OK)
        return TXN_QUIET;
    if (told.news == TXN_RESPONSE && status > txn->status)
        txn->status = (uint16_t)status;
    return told.news;
}

struct txn *
txns_find(const struct txns *t, uint64_t id)
{
    return slots_find(&t->slots, id);
}

/*
 * §18.2.2: a response whose connection is gone goes to where the request came from, at the port of its sent-by, over a new one.
 * False: that was tried already.
 */
static bool
answer_anew(struct txns *t, struct txn *txn)
{
    struct span last = { txn->bytes, txn->bytes_len };

    if ((txn->kind != TXN_IST && txn->kind != TXN_NIST) || txn->hop.flow == 0)
        return false;
    txn->hop.flow = 0;
    txn->hop.port = txn->sent_by_port;
    last = arena_copy(t->arena, last);
    if (txn->bytes && last.at)
        t->ports.send(t->ports.io, &txn->hop, last, txn->id, 0);
    return true;
}

void
txns_gone(struct txns *t, uint64_t id, struct txn_told *told)
{
    struct txn *txn = slots_find(&t->slots, id);

    *told = (struct txn_told){ .news = TXN_QUIET };
    if (txn && answer_anew(t, txn))
        return;
    if (txn && commit(t, txn, EV_GONE, NULL, told) != SIPD_OK)
        told->news = TXN_QUIET;
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
    txn->owner = 0;
    txn->peer = peer;
}

bool
txns_due(struct txns *t, struct txn_told *told)
{
    struct timer *timer = timers_due(&t->timers, t->clock->now_ms);
    enum txn_event event;
    struct txn *txn;

    if (!timer)
        return false;
    txn = slots_find(&t->slots, timer->id);
    BUG_ON(!txn);
    event = timer == &txn->repeat ? EV_REPEAT : EV_TIMEOUT;
    if (commit(t, txn, event, NULL, told) != SIPD_OK)
        told->news = TXN_QUIET;
    return true;
}

uint64_t
txns_next_ms(const struct txns *t)
{
    return timers_next_ms(&t->timers);
}

struct txn *
txns_next(const struct txns *t, uint64_t *cursor)
{
    return slots_next(&t->slots, cursor);
}
