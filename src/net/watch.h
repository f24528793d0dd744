/*
 * Does a turn compute for too long, or sleep outside of the poll (house rule 16)?
 */
#ifndef NET_WATCH_H
#define NET_WATCH_H

#include "base/def.h"

struct watch {         /* the thread's use of the processor when it was last asked for */
    uint64_t asked_ns; /* on the clock that the caller gives; 0: never */
    uint64_t began_ns; /* of the turn at hand */
    uint64_t cpu_us;
    long sleeps, faults;
    bool exact; /* asked for at the beginning of the turn at hand */
};

enum watch_verdict { WATCH_FINE = 0, WATCH_LATE = 1, WATCH_SLEPT = 2 };

/* The turn begins. */
void watch_begin(struct watch *w, uint64_t now_ns);
/* The turn ends. Returns WATCH_ bits. */
unsigned watch_end(struct watch *w, uint64_t now_ns);

#endif
