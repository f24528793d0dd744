/*
 * What time it is: one value a turn, written by whoever drives the loop, read by all others.
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

struct clock {
    uint64_t now_ms; /* monotonic; never 0 */
    int64_t wall_s;  /* since 1970 UTC: for Date, Expires on disk, logs; never for timers */
};

#endif
