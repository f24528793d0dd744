/*
 * What must be told to whoever sent: kept until the turn's end, so that no call comes back before
 * it returns (house rule 5).
 */
#ifndef NET_TELL_H
#define NET_TELL_H

#include "base/list.h"

struct net;

struct telling { /* a heap block that begins with this */
    struct list link;
    uint64_t token; /* 0: nobody asks */
    int err;
};

/* Takes the block; it is told at the end of the turn and given back to the heap. */
void tell_take(struct net *net, struct telling *telling, int err);
/*
 * As tell_take, for a message that has no block. When memory is out nobody hears; the sender's
 * timers know.
 */
void tell(struct net *net, uint64_t token, int err);
/* Tells all that is waiting to be told; what comes of that waits for the next call. */
void tell_all(struct net *net);
/* Gives back what nobody will hear. */
void tell_fini(struct net *net);

#endif
