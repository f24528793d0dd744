/*
 * CANCEL, both ways: the caller gives up, or we give up a branch (RFC 3261 §9, §16.10).
 */
#ifndef CORE_CANCEL_H
#define CORE_CANCEL_H

#include "core/intake.h"
#include "core/trip.h"

/* A CANCEL came. */
void cancel_heard(struct core *core, const struct intake *in);
/*
 * We want this branch to end; then it counts as status. An INVITE gets a CANCEL as soon as a provisional response came (§9.1), with
 * `reason` as the value of a Reason field (RFC 3326) unless empty.
 */
void cancel_branch(struct branch *branch, uint16_t status, struct span reason);
/* As cancel_branch, for each branch that is not done. */
void cancel_branches(struct trip *trip, uint16_t status, struct span reason);
/* A provisional response came: a CANCEL that waited for it leaves. */
void cancel_if_waiting(struct branch *branch);

#endif
