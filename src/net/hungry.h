/*
 * Who still has something to read when a turn has done enough, and whose turn it is then (house rule 16).
 *
 * The kernel tells of ready sockets in an order of its own, always the same one: without this the first of them would be
 * served each time, and the last never.
 */
#ifndef NET_HUNGRY_H
#define NET_HUNGRY_H

#include <event2/event_struct.h>

#include "base/list.h"

struct hungry { /* one for each thing that reads */
    struct list link;
    struct event *event; /* lent until it is called or ended */
    short what;          /* what it is called with */
    uint64_t since_ns;   /* since which turn it waits */
    uint64_t served_ns;  /* the turn that served it last */
};

struct hungries {
    struct list passed_over; /* who waits longest comes first */
    struct list unfinished;  /* served in this turn, but not to the end: they come after those */
};

void hungries_init(struct hungries *all);
void hungry_init(struct hungry *hungry);
/* It is served in the turn that began then. */
void hungry_serve(struct hungry *hungry, uint64_t turn_ns);
/* It has to wait for the next turn, in which its event is called with `what`. Harmless when it waits already. */
void hungry_wait(struct hungries *all, struct hungry *hungry, struct event *event, short what,
                 uint64_t turn_ns);
/* It wants nothing any more. */
void hungry_end(struct hungry *hungry);
/* The turn is over: makes the events of all active, in their order. Returns since when one waits; UINT64_MAX: none does. */
uint64_t hungries_call(struct hungries *all);

#endif
