/*
 * Listening sockets that a process had before it became another program: taken over as they are, so that nobody finds the port
 * shut in between, and what waits in them is read.
 */
#ifndef NET_INHERIT_H
#define NET_INHERIT_H

#include "base/def.h"
#include "sip/hop.h"

struct net;

struct inherited {
    int *fds; /* owned, and open; -1: taken */
    size_t len;
};

/* The one that is bound to this address, of this transport's kind, for the caller to own; -1: there is none. */
int inherit_take(struct net *net, const struct hop *at);
/* Closes what is left. */
void inherit_fini(struct net *net);

#endif
