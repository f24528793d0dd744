/*
 * A turn: one wake of the loop, from the reading of the clock to the end of all that was lent.
 */
#ifndef NET_TURN_H
#define NET_TURN_H

#include <event2/event_struct.h>

#include "base/arena.h"
#include "net/watch.h"

struct net;

struct turn {
    struct arena arena; /* poisoned when the turn ends */
    struct watch watch;
    struct event timer; /* wakes the loop; what is due is asked then */
    uint64_t timer_ms;  /* when it is set for; UINT64_MAX: not set */
    bool open;          /* between turn_begin() and the end */
    bool stop;          /* net_stop() was called */
};

/* Prepares turns and reads the clock for the first time. */
void turn_init(struct net *net);
void turn_fini(struct turn *turn);
/* The first call of a turn reads the clock; each callback of the loop begins with it. */
void turn_begin(struct net *net);

#endif
