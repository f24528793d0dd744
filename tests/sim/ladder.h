/*
 * The allocation ladder: a run in which the first allocation fails, then one in which the second does, and so
 * on until none is left to fail. Whatever is refused or lost then: no crash, no state, no memory left, and it
 * ends.
 */
#ifndef SIM_LADDER_H
#define SIM_LADDER_H

#include "base/buf.h"

enum ladder_outage { LADDER_ONE_CALL, LADDER_SECONDS }; /* how long memory stays away */

/*
 * Climbs with a scenario. True if all was well; else `out` tells. *steps: how many allocations failed, one a
 * run.
 */
bool ladder_scenario(const char *path, enum ladder_outage outage, unsigned *steps, struct buf *out);
/* Climbs with random calls from a seed. */
bool ladder_calls(uint64_t seed, unsigned calls, enum ladder_outage outage, unsigned *steps,
                  struct buf *out);

#endif
