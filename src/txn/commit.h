/*
 * The only writer of a transaction's state.
 */
#ifndef TXN_COMMIT_H
#define TXN_COMMIT_H

#include "txn/txns.h"

struct commit_input {
    struct span bytes; /* for A_SEND: what to keep and send; lives until the turn's end … */
    struct span tail;  /* … and its end, if that need not be kept (txns_request) */
    const struct reply_with *with; /* … one of our own making: all that its request does not say */
    const struct gist *response;   /* for A_ACK: what is acknowledged */
    uint16_t status;               /* of the response that is sent, or came; 0: a request */
};

/*
 * Performs the rule of the transaction's cell for this event, in a fixed order: write, arm, note, send. Fills told, unless it is
 * NULL, with what its user must hear; when the next state is TXN_GONE the transaction has ended and its id is stale.
 * SIPD_ENOENT: the cell ignores the event. SIPD_ENOMEM: nothing was changed but what is unavoidable.
 */
int commit(struct txns *t, struct txn *txn, enum txn_event event, const struct commit_input *input,
           struct txn_told *told) MUST_USE;
/* Its timer fired: performs the rule of what is due. told->news may be TXN_QUIET. */
void commit_due(struct txns *t, struct txn *txn, struct txn_told *told);
/* Keeps a copy of the last message sent instead of the one before; empty: none. SIPD_ENOMEM: nothing was changed. */
int commit_keep(struct txn *txn, struct span bytes) MUST_USE;
/* What is lent of the last message becomes its own. Without memory nothing is left to be sent. */
void commit_own(struct txns *t, struct txn *txn);
/* One that only absorbs repeats may make room for others, and no state keeps bytes that it will not send again. */
void commit_file(struct txns *t, struct txn *txn);
/* Arms the timers of one that was taken in dormant; what was to be repeated before alive_ms was. */
void commit_wake(struct txns *t, struct txn *txn, uint64_t alive_ms);
/* All were: those that are finished are brought in order. */
void commit_awake(struct txns *t);
/* Its answer takes another way than the one that Timer J was armed for: J begins again. */
void commit_stay(struct txns *t, struct txn *txn);
/* Sends its last message once more, if it has one. */
void commit_resend(struct txns *t, struct txn *txn);
/* As commit_note() when somebody watches. */
uint64_t commit_note_it(struct txns *t, struct txn *txn) COLD;
/* Notes a change. Returns the fact's number; 0: nobody watches, and then that was one compare. */
static inline uint64_t
commit_note(struct txns *t, struct txn *txn)
{
    return IS_WATCHED(t) ? commit_note_it(t, txn) : 0;
}
/* Ends it without a rule. */
void commit_end(struct txns *t, struct txn *txn);

#endif
