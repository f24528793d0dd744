/*
 * What was answered over datagrams: all that is left of a non-INVITE's server transaction in Completed, until Timer J
 * (RFC 3261 §17.2.2, figure 8).
 *
 * Each lasts 64*T1 from its answer on, so they lie in a row (base/row). Of an answer of our own only that is kept which its request
 * does not say: a request that comes again brings the rest along (sip/reply). Not even its key is kept then: it is found by the hash of
 * that, and what proves that it is the same request, key and all, is the digest of what is made of it.
 */
#ifndef TXN_ANSWERED_H
#define TXN_ANSWERED_H

#include "base/buf.h"
#include "sip/reply.h"
#include "txn/txns.h"

#define ANSWERED_FACT "answered" /* fact.kind; it has no end: that follows from its time */

struct answered {
    struct txn_entry entry;
    uint64_t deadline_ms; /* none behind it has an earlier one */
    uint64_t digest;      /* of all its bytes: is what is made of a repeat the same? */
    uint8_t ip[16];       /* where the answer went: a datagram's hop */
    uint32_t scope_id;
    uint16_t port, listener;
    /* what the answer has besides; or the key, and all of the answer as the body (entry.form) */
    uint16_t phrase_len, lines_len, type_len, body_len;
    uint16_t status;
    uint8_t method; /* enum method */
    char text[];
};

struct commit_input;

/*
 * The final answer of a transaction: in the pool's row, and for the transaction's place in the table (table_replace). Copied: all.
 * NULL: it cannot be held so (its way is no datagram's, it is too long, or memory is out).
 */
struct answered *answered_join(struct txns *t, const struct txn *txn,
                               const struct commit_input *input);
/* The key of one that is kept whole. Lent as long as it is there. */
struct span answered_key(const struct answered *a);
/* Where it went. */
struct hop answered_hop(const struct answered *a);
/* What of it is kept. Lent as long as it is there; entry.form says whether that is what is in it besides, or its bytes. */
struct reply_with answered_with(const struct answered *a);
struct span answered_bytes(const struct answered *a);

/* Is there one of this hash and digest? */
const struct answered *answered_find(const struct txns *t, uint64_t hash, uint64_t digest);
/* Are these the bytes of its answer? */
bool answered_is(const struct txns *t, const struct answered *a, struct span bytes);

/* Whose time is over first; NULL: there are none. */
struct answered *answered_first(const struct txns *t);
/* Ends that one. */
void answered_leave(struct txns *t);
/* Ends the first if it is due; false: nobody is. */
bool answered_due(struct txns *t);

/* Appends its record. */
void answered_fact_write(const struct txns *t, const struct answered *a, struct buf *b);
/* Notes it; somebody watches. Returns the fact's number. */
uint64_t answered_note(struct txns *t, const struct answered *a);
/* Takes in what another node noted, unless it is here. SIPD_ESYNTAX, SIPD_EINVAL: no such record; SIPD_ENOMEM. */
int answered_restore(struct txns *t, const struct fact *fact) MUST_USE;

#endif
