/*
 * A turn: one wake of the loop, from the reading of the clock to the end of all that was lent.
 */
#ifndef NET_TURN_H
#define NET_TURN_H

#include <event2/event_struct.h>

#include "base/arena.h"
#include "net/hungry.h"
#include "net/strain.h"
#include "net/watch.h"

struct net;

struct turn {
    struct arena arena; /* poisoned when the turn ends */
    struct watch watch;
    struct strain strain;
    struct event timer; /* wakes the loop; what is due is asked then */
    uint64_t timer_ms;  /* when it is set for; UINT64_MAX: not set */
    struct hungries hungries;
    uint64_t bytes;      /* taken in and handed out in this turn */
    uint64_t look_bytes; /* when so many are left to do, the clock is looked at again */
    uint64_t seen_ns;    /* how old the turn was then */
    bool open;           /* between turn_begin() and the end */
    bool stop;           /* net_stop() was called */
};

/* Prepares turns and reads the clock for the first time. */
void turn_init(struct net *net);
void turn_fini(struct turn *turn);
/* The first call of a turn reads the clock; each callback of the loop begins with it. */
void turn_begin(struct net *net);
/* The processor that this thread has used. */
uint64_t turn_cpu_us(void);
/* So many bytes came, or will be sent when the turn ends: work, whatever the clock says. */
void turn_work(struct net *net, size_t bytes);
/* Who reads begins with this. False: the turn has done enough, and its event will be called in the next one. */
bool turn_serves(struct net *net, struct hungry *hungry, struct event *event, short what);
/* Asked between two messages: false, as above, and the rest of what was read is to be kept. */
bool turn_goes_on(struct net *net, struct hungry *hungry, struct event *event, short what);

#endif
