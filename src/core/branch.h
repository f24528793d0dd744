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
/* Is there another one, or another way to the one at hand? */
bool branch_has_hop(const struct branch *branch);
/* Somebody was reached by the way at hand: another one to the same hop helps nobody. */
void branch_heard(struct branch *branch);
/* Has the same device another flow that none of this search went on to, and is the search still on (RFC 5626 §7)? */
bool branch_has_other_flow(const struct branch *branch);
/* The flow at hand failed: begins anew with the other one. False: there is none. */
bool branch_other_flow(struct branch *branch);
/* The id of the first of the branches that try the hops of this one's target. */
uint64_t branch_search(const struct branch *branch);
/*
 * Its hop is silent: another branch takes the hops that are left, and the first of them is tried. False: none could be. It
 * keeps the hop at hand.
 */
bool branch_go_beside(struct branch *branch);
/* How the hop at hand fared, for the one who found it by name. retry_after_s: of a 503, else 0. */
void branch_tried(const struct branch *branch, enum sipd_tried how, uint32_t retry_after_s);
/* It is over with this final status. Its trip is not settled yet. */
void branch_done(struct branch *branch, uint16_t status);
/* One that another node has under this id, with nothing in it; NULL: there is no room. */
struct branch *branch_put(struct trip *trip, uint64_t id);
/* Such a one has ended there. */
void branch_forget(struct branch *branch);
/* Its timer goes on, and it asks again what it was waiting to hear. Its trip is not settled yet. */
void branch_wake(struct branch *branch);
/* Unlinks and ends it; its client transaction lives on and sends late 2xx up (RFC 6026 §7.2). */
void branch_free(struct branch *branch);

#endif
