/*
 * The target set: who may get the request, best first, each once (RFC 3261 §16.5).
 */
#ifndef CORE_TARGET_H
#define CORE_TARGET_H

#include "core/trip.h"

/*
 * What finding equal targets of one request may cost, in comparisons of so many bytes of a URI: whoever registers may choose many that
 * differ only in the last of many parameters. From there on only those are equal that are so byte by byte; the others are targets
 * each, up to limits.targets.
 */
enum { TARGET_COMPARED_MAX = 1024, TARGET_COMPARED_BYTES = 64 };

/* The Request-URI itself is the only target, by the flow that our Route named if it named one. */
int target_add_uri(struct trip *trip) MUST_USE;
/* Starts a branch for each target of the next group: all of them, or those of the highest q (proxy.fork). */
void target_start_group(struct trip *trip);

#endif
