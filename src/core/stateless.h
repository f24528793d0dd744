/*
 * What passes without a transaction (RFC 3261 §16.11, §18.1.2; RFC 6026 §7.3).
 */
#ifndef CORE_STATELESS_H
#define CORE_STATELESS_H

#include "core/intake.h"
#include "core/trip.h"

/* The parameter of our Via that names the listener to which a request came that passed without a transaction, by its number. */
#define STATELESS_SIDE "in"

/*
 * A response that no transaction here waits for: passed on by its Vias when we work without state, or when strays may pass
 * (proxy.stray) and its topmost Via proves to be ours; else dropped and counted.
 */
void stateless_answer(struct core *core, const struct intake *in);
/* Without state, the resolver is told of what is seen of a hop: of any, for whose it was nobody knows. */
void stateless_seen(struct core *core, const struct hop *hop, enum sipd_tried how);
/* Leaves one target of all: without state there is no forking, and a repeat must go the same way. */
void stateless_choose(struct trip *trip);

#endif
