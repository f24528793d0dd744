/*
 * Does the loop keep up? What does not get less for a while: how long turns take, and how full the sockets' queues are.
 *
 * One long turn, or a burst that is gone with the next, is no strain: what counts is the least of several turns in a row.
 */
#ifndef NET_STRAIN_H
#define NET_STRAIN_H

#include "base/def.h"

struct strain {
    uint64_t ended_ns;                          /* of the last turn */
    uint64_t until_ns;                          /* when the window at hand may close */
    uint32_t turns;                             /* in it */
    uint32_t least_lag_ms, least_queue_percent; /* in it */
    uint32_t lag_ms, queue_percent;             /* of the last one that closed */
    uint32_t queue_now_percent;                 /* the fullest queue seen in the turn at hand */
};

/* A turn begins: after a poll that waited, nothing is left of what was. */
void strain_begin(struct strain *s, uint64_t now_ns);
/* A socket's queue is so full. */
void strain_queue(struct strain *s, uint32_t percent);
/* The turn that began then ends. */
void strain_end(struct strain *s, uint64_t began_ns, uint64_t now_ns);

#endif
