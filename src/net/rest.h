/*
 * Who took no connection when one was merely tried (hop.connect_ms; RFC 3261 §18.1.1): not tried again for a while.
 */
#ifndef NET_REST_H
#define NET_REST_H

#include "sip/hop.h"

struct net;

struct rests {
    uint32_t rest_ms; /* as net_set_rest() said; 0: nobody did */
    struct rest {
        struct hop who;
        uint64_t until_ms; /* 0: nobody */
    } at[256];             /* by hash; who collides is tried again sooner */
};

/* A try failed there. */
void rest_begin(struct net *net, const struct hop *who);
/* Did one, lately? */
bool rest_holds(const struct net *net, const struct hop *who);

#endif
