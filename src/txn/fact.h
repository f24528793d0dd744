/*
 * A transaction as a flat record, taken in dormant on another node, and woken there.
 *
 * A record names addresses, never sockets: a flow of another process is dead here. Timers are written as the time that is
 * left, so that no clock needs to be shared.
 */
#ifndef TXN_FACT_H
#define TXN_FACT_H

#include "base/record.h"
#include "txn/txns.h"

#define TXN_FACT "txn" /* fact.kind; without bytes: it has ended */

/* A hop within a record; hop_restored() of what was read. */
extern const struct record_field fact_hop_fields[];
/*
 * A hop that another process noted. Its flow is none of ours, and the number of a name neither: where somebody must prove who
 * he is, there is no way before the name was looked up anew.
 */
struct hop fact_hop(const struct hop *noted);

/* Versions go round. */
static inline bool
fact_is_older(uint32_t version, uint32_t known)
{
    return (int32_t)(version - known) < 0;
}

/* What is left of a timer, plus one; 0: it is not armed. */
uint64_t fact_left_ms(const struct timer *timer, uint64_t now_ms);
/* Makes ready what fact_wake() will arm: a timer with so much left, counted from now. */
void fact_sleep(struct timer *timer, uint64_t left_ms, uint64_t now_ms);
/* Arms a timer that fact_sleep() made ready, if it was armed where it comes from. */
void fact_wake(struct timers *timers, struct timer *timer, uint32_t kind, uint64_t id);

/* Appends its record. */
void txn_fact_write(const struct txns *t, const struct txn *txn, struct buf *b);
/*
 * Takes in what another node noted: that transaction under the same id, or what has become of it, or its end; or one of
 * txn/answered. It is dormant:
 * no timer is armed, and no event may come before txns_wake(). What is older than what is known is ignored; but what was known
 * of another epoch (t->epoch) gives way to anything. SIPD_ESYNTAX, SIPD_EINVAL: no such record; SIPD_EFULL; SIPD_ENOMEM.
 */
int txns_restore(struct txns *t, const struct fact *fact) MUST_USE;
/*
 * Ends what is of another epoch, in slices: looks at *places from *cursor (0: the beginning) on, and takes them off. True: there
 * are more.
 */
bool txns_sweep(struct txns *t, uint64_t *cursor, uint32_t *places);
/*
 * All that is dormant goes on: timers fire when their time is over, and what its peer may have missed, and neither of
 * them would repeat, is sent again: an INVITE of which nothing but 100 was heard, the last response to one that is pending.
 * The other node has been silent for so long: what was due by A, E or G before that it has said (repeats are no facts, but follow
 * from the time); what was due since then is said now. Units: silent_ms.
 */
void txns_wake(struct txns *t, uint64_t silent_ms);

#endif
