/*
 * The only writer of a transaction's state: write, arm, note, send, tell (RFC 3261 §17, RFC 6026).
 *
 * The tables say what happens; only here is known that reliable transports skip A, E and G and shorten D, I, J and K, and how
 * long each letter is.
 */
#include "txn/commit.h"

#include "base/mem.h"
#include "sip/derive.h"
#include "txn/answered.h"
#include "txn/fact.h"
#include "txn/scout.h"

/*
 * §17.1.1.2, §17.1.2.2, §17.2.1, §17.2.2, RFC 6026 §7.1, §7.2; 0: fires in this turn. J and D would be 0 over a stream, but that
 * the connection was gone is known behind the turn only; and what goes over a new one may fail for as long as its sender waits.
 */
static uint32_t
letter_ms(enum txn_letter letter, const struct hop *hop)
{
    bool reliable = hop_is_reliable(hop->transport), connected = reliable && hop->flow != 0;

    switch (letter) {
    case T_B:
    case T_F:
    case T_H:
    case T_L:
    case T_M: return 64 * TXN_T1_MS;
    case T_D: return connected ? 1 : reliable ? 0 : 64 * TXN_T1_MS;
    case T_J: return connected ? 1 : 64 * TXN_T1_MS;
    case T_I:
    case T_K: return reliable ? 0 : TXN_T4_MS;
    case T_KEEP:
    case T_OFF: break;
    }
    bug_abort("a timer without a length", __FILE__, __LINE__);
}

/* A doubles until B ends it, E and G stop at T2 (§17.1.1.2, §17.1.2.2, §17.2.1). */
static uint32_t
doubled(const struct txn *txn)
{
    uint32_t most = txn->kind == TXN_ICT ? 64 * TXN_T1_MS : TXN_T2_MS;

    return txn->interval_ms < most / 2 ? txn->interval_ms * 2 : most;
}

static void
next_interval(struct txn *txn, unsigned actions)
{
    if (actions & A_START)
        txn->interval_ms = TXN_T1_MS;
    else
        txn->interval_ms = actions & A_SLOW ? TXN_T2_MS : doubled(txn);
}

static void
set_repeat(struct txns *t, struct txn *txn, unsigned actions)
{
    if (actions & A_STOP)
        txn->repeat_at_ms = TXN_NEVER;
    if (!(actions & (A_START | A_DOUBLE | A_SLOW)) || hop_is_reliable(txn->hop.transport))
        return;
    next_interval(txn, actions);
    txn->repeat_at_ms = t->clock->now_ms + txn->interval_ms;
}

/* All is said, and what it still does is to absorb repeats; a failure waits for its ACK first (§17.2.1). */
static bool
is_finished(const struct txn *txn)
{
    return txn->state >= TXN_COMPLETED && !(txn->kind == TXN_IST && txn->state == TXN_COMPLETED);
}

/* One timer serves both: it is armed for the sooner. */
static void
arm(struct txns *t, struct txn *txn)
{
    uint64_t due_ms =
        txn->repeat_at_ms < txn->timeout_at_ms ? txn->repeat_at_ms : txn->timeout_at_ms;

    if (due_ms == TXN_NEVER)
        timers_disarm(&t->timers, &txn->timer);
    else if (!timer_armed(&txn->timer) || txn->timer.deadline_ms != due_ms)
        timers_arm(&t->timers, &txn->timer, due_ms, 0, txn->id);
}

enum lane { LANE_TURN, LANE_NEXT_MS, LANE_T4, LANE_64_T1 };

/* All in a lane wait as long. */
static enum lane
lane_of(uint32_t ms)
{
    return ms > TXN_T4_MS ? LANE_64_T1 : ms > 1 ? LANE_T4 : ms > 0 ? LANE_NEXT_MS : LANE_TURN;
}

/* One that is finished has no timer but this. */
static void
wait_in_lane(struct txns *t, struct txn *txn, enum lane lane)
{
    timers_queue(&t->timers, &txn->timer, lane, txn->timeout_at_ms, 0, txn->id);
    if (lane >= LANE_T4)
        scout_joined(t, lane);
}

static void
set_timeout(struct txns *t, struct txn *txn, enum txn_letter letter)
{
    uint32_t ms = letter == T_OFF ? 0 : letter_ms(letter, &txn->hop);

    txn->timeout_at_ms = letter == T_OFF ? TXN_NEVER : t->clock->now_ms + ms;
    if (is_finished(txn))
        wait_in_lane(t, txn, lane_of(ms));
    else
        arm(t, txn);
}

static void
set_timers(struct txns *t, struct txn *txn, const struct txn_rule *rule)
{
    bool repeats = rule->actions & (A_START | A_DOUBLE | A_SLOW | A_STOP);

    if (repeats)
        set_repeat(t, txn, rule->actions);
    if (rule->letter != T_KEEP)
        set_timeout(t, txn, rule->letter);
    else if (repeats)
        arm(t, txn);
}

static bool
keeps_bytes(const struct txns *t, const struct txn *txn, unsigned state)
{
    return t->keeps[txn->kind] >> state & 1;
}

static void
drop_bytes(struct txn *txn)
{
    mem_free(txn->bytes);
    txn->bytes = NULL;
    txn->bytes_len = 0;
    txn->tail = (struct span){ NULL, 0 };
}

static struct span
joined(const struct txns *t, const struct txn *txn)
{
    size_t len = txn->bytes_len + txn->tail.len;
    char *all = arena_alloc(t->arena, len);

    if (all)
        span_write(span_write(all, (struct span){ txn->bytes, txn->bytes_len }), txn->tail);
    return (struct span){ all, all ? len : 0 };
}

struct span
txns_sent(const struct txns *t, const struct txn *txn)
{
    return txn->tail.len > 0 ? joined(t, txn) : (struct span){ txn->bytes, txn->bytes_len };
}

int
commit_keep(struct txn *txn, struct span bytes)
{
    char *room;

    if (bytes.len == 0) {
        drop_bytes(txn);
        return SIPD_OK;
    }
    room = mem_grow(NULL, bytes.len);
    if (!room)
        return SIPD_ENOMEM;
    mem_free(txn->bytes);
    txn->bytes = memcpy(room, bytes.at, bytes.len);
    txn->bytes_len = (uint32_t)bytes.len;
    txn->tail = (struct span){ NULL, 0 };
    return SIPD_OK;
}

static int
keep_with(struct txn *txn, struct span bytes, struct span tail)
{
    int err = commit_keep(txn, span_head(bytes, bytes.len - tail.len));

    if (err == SIPD_OK)
        txn->tail = tail;
    return err;
}

void
commit_own(struct txns *t, struct txn *txn)
{
    struct span all;

    if (txn->tail.len == 0)
        return;
    all = joined(t, txn);
    if (!all.at || commit_keep(txn, all) != SIPD_OK)
        drop_bytes(txn);
}

/* §17.1.1.3: the ACK takes the INVITE's place as the last message sent; a repeated failure gets the same one again. */
static int
keep_ack(struct txns *t, struct txn *txn, const struct gist *response)
{
    struct buf ack;
    struct msg invite;
    struct gist gist;
    int err;

    if (txn->state == TXN_COMPLETED)
        return SIPD_OK;
    err = msg_read(txns_sent(t, txn), t->arena, &invite);
    if (err != SIPD_OK)
        return err;
    gist_read(&invite, &gist);
    buf_init(&ack, (size_t)txn->bytes_len + response->to.len + 256);
    derive_ack(&ack, &invite, &gist, response);
    err = ack.err == SIPD_OK ? commit_keep(txn, buf_span(&ack)) : ack.err;
    buf_fini(&ack);
    return err;
}

/* What will never be sent again is not kept. */
static int
write_bytes(struct txns *t, struct txn *txn, const struct txn_rule *rule,
            const struct commit_input *input)
{
    if (rule->actions & A_SEND && keeps_bytes(t, txn, rule->next))
        return keep_with(txn, input->bytes, input->tail);
    if (rule->actions & A_ACK)
        return keep_ack(t, txn, input->response);
    return SIPD_OK;
}

/* What is sent must live until the turn's end, and the transaction may not: kept bytes are copied, new ones live anyway. */
static struct span
bytes_to_send(struct txns *t, const struct txn *txn, unsigned actions,
              const struct commit_input *input)
{
    if (actions & A_SEND)
        return input->bytes;
    return txn->bytes ? joined(t, txn) : (struct span){ NULL, 0 };
}

static void
send_bytes(struct txns *t, struct txn *txn, unsigned actions, const struct commit_input *input,
           uint64_t need)
{
    struct span bytes;

    if (!(actions & (A_SEND | A_RESEND | A_ACK)))
        return;
    bytes = bytes_to_send(t, txn, actions, input);
    if (!bytes.at)
        return;
    t->repeats += (actions & A_RESEND) != 0;
    t->ports.send(t->ports.io, &txn->hop, bytes, txn->id, need);
}

uint64_t
commit_note_it(struct txns *t, struct txn *txn)
{
    struct fact fact = { .kind = TXN_FACT, .version = ++txn->version, .id = txn->id };
    struct buf *b = &t->record;

    buf_clear(b);
    if (txn->state != TXN_GONE)
        txn_fact_write(t, txn, b);
    fact.bytes = buf_span(b);
    fact.lost = b->err != SIPD_OK;
    return t->ports.note(t->ports.io, &fact);
}

static enum txn_news
news_of(const struct txn_rule *rule, enum txn_event event)
{
    static const uint8_t news[EV_COUNT] = {
        [EV_RECV_1XX] = TXN_RESPONSE, [EV_RECV_2XX] = TXN_RESPONSE, [EV_RECV_3XX] = TXN_RESPONSE,
        [EV_TIMEOUT] = TXN_TIMEOUT,   [EV_GONE] = TXN_FAILED,
    };

    if (rule->actions & A_TELL)
        return (enum txn_news)news[event];
    return rule->next == TXN_GONE ? TXN_ENDED : TXN_QUIET;
}

void
commit_file(struct txns *t, struct txn *txn)
{
    if (is_finished(txn) && !txn->filed) {
        txn->filed = true;
        t->finished_len++;
    }
    if (txn->bytes && !keeps_bytes(t, txn, txn->state))
        drop_bytes(txn);
}

/* What was due before alive_ms is done: the next repeat is the one that follows. */
static void
catch_up(struct txn *txn, uint64_t alive_ms)
{
    unsigned actions = txn_rule(txn->kind, txn->state, EV_REPEAT)->actions;

    while (txn->repeat_at_ms < alive_ms && txn->repeat_at_ms < txn->timeout_at_ms) {
        next_interval(txn, actions);
        txn->repeat_at_ms += txn->interval_ms;
    }
}

void
commit_wake(struct txns *t, struct txn *txn, uint64_t alive_ms)
{
    if (is_finished(txn) && txn->timeout_at_ms != TXN_NEVER) {
        wait_in_lane(t, txn, LANE_64_T1);
        return;
    }
    catch_up(txn, alive_ms);
    arm(t, txn);
}

void
commit_awake(struct txns *t)
{
    timers_sort(&t->timers, LANE_64_T1);
}

void
commit_stay(struct txns *t, struct txn *txn)
{
    if (txn->kind == TXN_NIST && txn->state == TXN_COMPLETED)
        set_timeout(t, txn, T_J);
}

void
commit_resend(struct txns *t, struct txn *txn)
{
    send_bytes(t, txn, A_RESEND, NULL, 0);
}

/* All but its place in the table, which another has now. */
static void
end(struct txns *t, struct txn *txn)
{
    txn->state = TXN_GONE;
    (void)commit_note(t, txn);
    timers_disarm(&t->timers, &txn->timer);
    scout_left(t, txn);
    t->finished_len -= txn->filed;
    t->by_kind[txn->kind]--;
    if (txn->entry.key_len > sizeof txn->short_key)
        mem_free(txn->long_key);
    mem_free(txn->bytes);
    mem_free(txn->backups);
    slots_free(&t->slots, txn->id);
}

void
commit_end(struct txns *t, struct txn *txn)
{
    table_remove(&t->table, &txn->entry.node);
    end(t, txn);
}

/*
 * §17.2.2: what was answered over datagrams does no more than to say so again. So it gives way to what is left of it, if there is
 * room for that.
 */
static bool
gives_way(struct txns *t, struct txn *txn, const struct txn_rule *rule,
          const struct commit_input *input)
{
    struct answered *left;
    uint64_t need;

    if (txn->kind != TXN_NIST || rule->next != TXN_COMPLETED || !(rule->actions & A_SEND))
        return false;
    left = answered_join(t, txn, input);
    if (!left)
        return false;
    table_replace(&t->table, &txn->entry.node, &left->entry.node);
    need = IS_WATCHED(t) ? answered_note(t, left) : 0;
    t->ports.send(t->ports.io, &txn->hop, input->bytes, txn->id, need);
    end(t, txn);
    return true;
}

/* The last status sent (server), or the highest of those that its user heard (client). */
static void
set_status(struct txn *txn, const struct txn_rule *rule, const struct commit_input *input)
{
    bool sent = rule->actions & A_SEND, heard = rule->actions & A_TELL;

    if ((sent && input->status != 0) || (heard && input->status > txn->status))
        txn->status = input->status;
}

int
commit(struct txns *t, struct txn *txn, enum txn_event event, const struct commit_input *input,
       struct txn_told *told)
{
    const struct txn_rule *rule = txn_rule(txn->kind, txn->state, event);
    uint64_t need;
    bool changed;
    int err;

    if (told)
        *told = (struct txn_told){ TXN_QUIET, txn->id, txn->owner, txn->kind, txn->method };
    if (rule->next == TXN_NONE)
        return SIPD_ENOENT;
    if (gives_way(t, txn, rule, input))
        return SIPD_OK;
    err = write_bytes(t, txn, rule, input);
    if (err != SIPD_OK)
        return err;
    changed = rule->next != txn->state || rule->actions & A_SEND;
    txn->state = rule->next;
    if (input)
        set_status(txn, rule, input);
    if (told)
        told->news = news_of(rule, event);
    if (txn->state == TXN_GONE) {
        commit_end(t, txn);
        return SIPD_OK;
    }
    set_timers(t, txn, rule);
    need = changed ? commit_note(t, txn) : 0;
    send_bytes(t, txn, rule->actions, input, need);
    commit_file(t, txn);
    return SIPD_OK;
}

void
commit_due(struct txns *t, struct txn *txn, struct txn_told *told)
{
    bool repeats = txn->repeat_at_ms < txn->timeout_at_ms;

    if (repeats)
        txn->repeat_at_ms = TXN_NEVER;
    else
        txn->timeout_at_ms = TXN_NEVER;
    if (commit(t, txn, repeats ? EV_REPEAT : EV_TIMEOUT, NULL, told) == SIPD_OK)
        return;
    told->news = TXN_QUIET;
    arm(t, txn);
}
