/*
 * The target set: who may get the request, best first, each once (RFC 3261 §16.5).
 */
#ifndef CORE_TARGET_H
#define CORE_TARGET_H

#include "core/trip.h"

/* The Request-URI itself is the only target, by the flow that our Route named if it named one. */
int target_add_uri(struct trip *trip) MUST_USE;
/* Starts a branch for each target of the next group: all of them, or those of the highest q (proxy.fork). */
void target_start_group(struct trip *trip);

#endif
