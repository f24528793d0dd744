/*
 * Random calls from a seed: phones with transactions of their own (RFC 3261 §17) call each other through one
 * sipd or some in a row, perhaps with a strict router between, do anything that is legal and some things that are not, over a network that may lose,
 * double, delay and part.
 *
 * What must hold whatever they do is watched on the wire (judge.h) and at the end: no state is left, nothing more
 * is said.
 */
#ifndef SIM_CALLS_H
#define SIM_CALLS_H

#include <stdio.h>

#include "base/buf.h"

struct calls_conf {
    uint64_t seed;
    unsigned calls; /* how many begin */
    unsigned per_s; /* how many a second of the world's time; 0: the seed says */
    unsigned sipds; /* 1 to 3; 0: the seed says */
    bool sunny;     /* nothing is lost and everybody behaves */
    bool decent;    /* nobody does what is illegal */
    /* sipds die, each within so many facts again and again, and a standby goes on; sunny, by datagrams; 0: none dies */
    unsigned killed;
    FILE *pcap; /* gets all that is said; NULL: nobody wants it */
    /* The n-th allocation of the sipds fails, and all for outage_ms; only what is left in the end is looked at. */
    bool memory_fails;
    uint64_t fail_after;
    uint32_t outage_ms;
};

struct calls_figures {
    uint64_t calls, requests, responses;               /* requests and responses: what sipds sent */
    uint64_t answered, refused, cancelled, unanswered; /* INVITEs at their callers */
    uint64_t lost, doubled;                            /* datagrams */
    uint64_t mischief;                                 /* illegal things done */
    uint64_t by_strict;                                /* messages that went by a strict router */
    uint64_t shed, bounced,
        thoughts;     /* refused for load; datagrams to nobody; requests that waited for a hook */
    uint64_t held;    /* messages that a cut kept back */
    uint64_t passed;  /* messages that left as they came */
    uint64_t world_s; /* the world's time that passed */
    uint64_t kills;
    bool memory_failed; /* the n-th allocation came */
};

/*
 * Runs calls and adds to figures. True if all that must hold did; else `out` tells what did not, the seed, and
 * the ladder of the call in question, from a second run that is the same.
 */
bool calls_run(const struct calls_conf *conf, struct calls_figures *figures, struct buf *out);

#endif
