/*
 * The only writer of a transaction's state: write, arm, note, send, tell (RFC 3261 §17, RFC 6026).
 *
 * The tables say what happens; only here is known that reliable transports skip A, E and G and shorten D, I, J and K, and how
 * long each letter is.
 */
#include "txn/commit.h"

#include "base/mem.h"
#include "sip/derive.h"

enum { KIND_REPEAT, KIND_TIMEOUT }; /* timer.kind */

/* §17.1.1.2, §17.1.2.2, §17.2.1, §17.2.2, RFC 6026 §7.1, §7.2; 0: fires in this turn. */
static uint32_t
letter_ms(enum txn_letter letter, bool reliable)
{
    switch (letter) {
    case T_B:
    case T_F:
    case T_H:
    case T_L:
    case T_M: return 64 * TXN_T1_MS;
    case T_D:
    case T_J: return reliable ? 0 : 64 * TXN_T1_MS;
    case T_I:
    case T_K: return reliable ? 0 : TXN_T4_MS;
    case T_KEEP:
    case T_OFF: break;
    }
    bug_abort("a timer without a length", __FILE__, __LINE__);
}

static void
arm_timeout(struct txns *t, struct txn *txn, enum txn_letter letter)
{
    if (letter == T_KEEP)
        return;
    if (letter == T_OFF)
        timers_disarm(&t->timers, &txn->timeout);
    else
        timers_arm(&t->timers, &txn->timeout,
                   t->clock->now_ms + letter_ms(letter, hop_is_reliable(txn->hop.transport)),
                   KIND_TIMEOUT, txn->id);
}

/* A doubles without end (B ends it), E and G stop at T2 (§17.1.1.2, §17.1.2.2, §17.2.1). */
static uint32_t
doubled(const struct txn *txn)
{
    uint32_t next = txn->interval_ms * 2;

    return txn->kind != TXN_ICT && next > TXN_T2_MS ? TXN_T2_MS : next;
}

static void
arm_repeat(struct txns *t, struct txn *txn, unsigned actions)
{
    if (actions & A_STOP)
        timers_disarm(&t->timers, &txn->repeat);
    if (!(actions & (A_START | A_DOUBLE | A_SLOW)) || hop_is_reliable(txn->hop.transport))
        return;
    if (actions & A_START)
        txn->interval_ms = TXN_T1_MS;
    else
        txn->interval_ms = actions & A_SLOW ? TXN_T2_MS : doubled(txn);
    timers_arm(&t->timers, &txn->repeat, t->clock->now_ms + txn->interval_ms, KIND_REPEAT, txn->id);
}

static int
keep_bytes(struct txn *txn, struct span bytes)
{
    char *copy = mem_copy(bytes);

    if (!copy)
        return SIPD_ENOMEM;
    mem_free(txn->bytes);
    txn->bytes = copy;
    txn->bytes_len = (uint32_t)bytes.len;
    return SIPD_OK;
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
    err = msg_read((struct span){ txn->bytes, txn->bytes_len }, t->arena, &invite);
    if (err != SIPD_OK)
        return err;
    gist_read(&invite, &gist);
    buf_init(&ack, (size_t)txn->bytes_len + response->to.len + 256);
    derive_ack(&ack, &invite, &gist, response);
    err = ack.err == SIPD_OK ? keep_bytes(txn, buf_span(&ack)) : ack.err;
    buf_fini(&ack);
    return err;
}

static int
write_bytes(struct txns *t, struct txn *txn, unsigned actions, const struct commit_input *input)
{
    if (actions & A_SEND)
        return keep_bytes(txn, input->bytes);
    if (actions & A_ACK)
        return keep_ack(t, txn, input->response);
    return SIPD_OK;
}

/* Will this state ever send its last message again? A finished transaction keeps no more than it needs. */
static bool
needs_bytes(const struct txn *txn)
{
    for (enum txn_event event = 0; event < EV_COUNT; event++)
        if (txn_rule(txn->kind, txn->state, event)->actions & (A_RESEND | A_ACK))
            return true;
    return false;
}

/* All is said, and what it still does is to absorb repeats; a failure waits for its ACK first (§17.2.1). */
static bool
is_finished(const struct txn *txn)
{
    return txn->state >= TXN_COMPLETED && !(txn->kind == TXN_IST && txn->state == TXN_COMPLETED);
}

/* What is sent must live until the turn's end, and the transaction may not: kept bytes are copied, new ones live anyway. */
static struct span
bytes_to_send(struct txns *t, const struct txn *txn, unsigned actions,
              const struct commit_input *input)
{
    struct span kept = { txn->bytes, txn->bytes_len };

    return actions & A_SEND ? input->bytes : arena_copy(t->arena, kept);
}

static void
send_bytes(struct txns *t, struct txn *txn, unsigned actions, const struct commit_input *input,
           uint64_t need)
{
    struct span bytes;

    if (!(actions & (A_SEND | A_RESEND | A_ACK)) || !txn->bytes)
        return;
    bytes = bytes_to_send(t, txn, actions, input);
    if (!bytes.at)
        return;
    t->repeats += (actions & A_RESEND) != 0;
    t->ports.send(t->ports.io, &txn->hop, bytes, txn->id, need);
}

static uint64_t
note_change(struct txns *t, const struct txn *txn)
{
    struct fact fact = {
        .kind = txn_kind_name(txn->kind),
        .version = txn->version,
        .id = txn->id,
        .bytes = { txn->bytes, txn->bytes_len },
    };

    return t->ports.note ? t->ports.note(t->ports.io, &fact) : 0;
}

static enum txn_news
news_of(enum txn_event event)
{
    switch (event) {
    case EV_RECV_1XX:
    case EV_RECV_2XX:
    case EV_RECV_3XX: return TXN_RESPONSE;
    case EV_TIMEOUT: return TXN_TIMEOUT;
    case EV_GONE: return TXN_FAILED;
    case EV_START:
    case EV_REQUEST:
    case EV_ACK:
    case EV_SEND_1XX:
    case EV_SEND_2XX:
    case EV_SEND_3XX:
    case EV_REPEAT:
    case EV_COUNT: break;
    }
    return TXN_QUIET;
}

static void
tell(const struct txn *txn, const struct txn_rule *rule, enum txn_event event,
     struct txn_told *told)
{
    *told = (struct txn_told){ TXN_QUIET, txn->id, txn->owner, txn->kind, txn->method };
    if (rule->actions & A_TELL)
        told->news = news_of(event);
    else if (rule->next == TXN_GONE)
        told->news = TXN_ENDED;
}

void
commit_end(struct txns *t, struct txn *txn)
{
    timers_disarm(&t->timers, &txn->repeat);
    timers_disarm(&t->timers, &txn->timeout);
    list_remove(&txn->finished);
    table_remove(&t->table, &txn->by_key);
    t->by_kind[txn->kind]--;
    mem_free(txn->key);
    mem_free(txn->bytes);
    slots_free(&t->slots, txn->id);
}

int
commit(struct txns *t, struct txn *txn, enum txn_event event, const struct commit_input *input,
       struct txn_told *told)
{
    const struct txn_rule *rule = txn_rule(txn->kind, txn->state, event);
    uint64_t need;
    int err;

    *told = (struct txn_told){ TXN_QUIET, txn->id, txn->owner, txn->kind, txn->method };
    if (rule->next == TXN_NONE)
        return SIPD_ENOENT;
    err = write_bytes(t, txn, rule->actions, input);
    if (err != SIPD_OK)
        return err;
    if (rule->next != txn->state || rule->actions & A_SEND)
        txn->version++;
    txn->state = rule->next;
    tell(txn, rule, event, told);
    if (txn->state == TXN_GONE) {
        (void)note_change(t, txn);
        commit_end(t, txn);
        return SIPD_OK;
    }
    if (is_finished(txn) && list_empty(&txn->finished))
        list_push(&t->finished, &txn->finished);
    arm_repeat(t, txn, rule->actions);
    arm_timeout(t, txn, rule->letter);
    need = note_change(t, txn);
    send_bytes(t, txn, rule->actions, input, need);
    if (txn->bytes && !needs_bytes(txn)) {
        mem_free(txn->bytes);
        txn->bytes = NULL;
        txn->bytes_len = 0;
    }
    return SIPD_OK;
}
