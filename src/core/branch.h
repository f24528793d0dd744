/*
 * One branch of a forked request: its hops, the attempt at hand, how it ends (RFC 3261 §16.6 steps 7 and 10, §16.9).
 */
#ifndef CORE_BRANCH_H
#define CORE_BRANCH_H

#include "core/trip.h"

/* Makes a branch for this target, with its share of Max-Breadth, and sends it, or asks for its hops. What fails at once is a branch that is done. */
void branch_start(struct trip *trip, struct target *target, uint32_t breadth);
/* Sends it to the next of its hops; without one left it fails as `status`. */
void branch_try(struct branch *branch, uint16_t status);
/* It is over with this final status. Its trip is not settled yet. */
void branch_done(struct branch *branch, uint16_t status);
/* Unlinks and ends it; its client transaction lives on and sends late 2xx up (RFC 6026 §7.2). */
void branch_free(struct branch *branch);

#endif
