/*
 * A response arrives, or the news that none will (RFC 3261 §16.7 steps 1 to 5, §16.9).
 */
#ifndef CORE_ANSWER_H
#define CORE_ANSWER_H

#include "core/intake.h"

/* A response came. */
void answer_heard(struct core *core, const struct intake *in);
/* A transaction told that its time is up, or that its transport failed. */
void answer_told(struct core *core, const struct txn_told *told);

#endif
