/*
 * Recursion: a callee's 3xx names other places, and we try them ourselves (RFC 3261 §16.7 step 4, §8.1.3.4).
 */
#ifndef CORE_RECURSE_H
#define CORE_RECURSE_H

#include "core/trip.h"

/*
 * Adds the Contacts of a 3xx to the target set when the configuration lets us. True if any was new: then `left` is the
 * response without those that are tried, in the turn's memory, and empty if no Contact is left, so that it is no answer.
 */
bool recurse(struct trip *trip, const struct msg *msg, struct span *left);

#endif
