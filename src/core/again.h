/*
 * A request came again (RFC 3261 §17.2).
 */
#ifndef CORE_AGAIN_H
#define CORE_AGAIN_H

#include "core/intake.h"

/* It belongs to a transaction, or to what is left of one. False: it has no more than the name in common with that, and is new. */
bool again_heard(struct core *core, struct txn_entry *entry, const struct intake *in) MUST_USE;

#endif
