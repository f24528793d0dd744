/*
 * The only writer of a transaction's state.
 */
#ifndef TXN_COMMIT_H
#define TXN_COMMIT_H

#include "txn/txns.h"

struct commit_input {
    struct span bytes;           /* for A_SEND: what to keep and send; lives until the turn's end */
    const struct gist *response; /* for A_ACK: what is acknowledged */
};

/*
 * Performs the rule of the transaction's cell for this event, in a fixed order: write, arm, note, send. Fills told with what its user
 * must hear; when the next state is TXN_GONE the transaction has ended and its id is stale.
 * SIPD_ENOENT: the cell ignores the event. SIPD_ENOMEM: nothing was changed but what is unavoidable.
 */
int commit(struct txns *t, struct txn *txn, enum txn_event event, const struct commit_input *input,
           struct txn_told *told) MUST_USE;
/* Ends it without a rule. */
void commit_end(struct txns *t, struct txn *txn);

#endif
