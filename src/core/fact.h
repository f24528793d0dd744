/*
 * A response context and its branches (RFC 3261 §16.6, §16.7) as flat records, taken in dormant on another node, and woken.
 *
 * What the request says, and what its Routes tell with the shared key, is read anew there; a record holds the rest. A branch
 * follows its trip; what became of the transactions is told by their own facts.
 */
#ifndef CORE_FACT_H
#define CORE_FACT_H

#include "core/state.h"
#include "txn/fact.h"

#define TRIP_FACT   "trip" /* fact.kind; without bytes: it has ended, and its branches with it */
#define BRANCH_FACT "branch"

/* Append a record. Timers count from now_ms. */
void trip_fact_write(const struct trip *trip, uint64_t now_ms, struct buf *b);
void branch_fact_write(const struct branch *branch, uint64_t now_ms, struct buf *b);

/* Take one in. What is older than what is known is ignored. SIPD_ESYNTAX, SIPD_EINVAL: no such record; SIPD_EFULL, SIPD_ENOMEM. */
int trip_fact_take(struct core *core, const struct fact *fact) MUST_USE;
int branch_fact_take(struct core *core, const struct fact *fact) MUST_USE;

#endif
