/*
 * The one way in from another thread: calls that run in the next turn.
 */
#ifndef NET_POST_H
#define NET_POST_H

#include <event2/event_struct.h>
#include <stdatomic.h>

#include "base/def.h"

struct net;
struct post;

struct posts {
    _Atomic(struct post *) newest; /* pushed by any thread; taken whole by the loop's */
    int fd;                        /* eventfd: wakes the loop; -1: not there */
    struct event readable;
};

/* SIPD_EIO, SIPD_ENOMEM. */
int posts_init(struct net *net) MUST_USE;
/* What was not run will not be. No other thread may call any more. */
void posts_fini(struct posts *posts);

#endif
