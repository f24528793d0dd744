/*
 * Our addresses: each a number, a bound socket, and the name it wears in Via (RFC 3261 §18.1.1).
 */
#ifndef NET_LISTEN_H
#define NET_LISTEN_H

#include <event2/event_struct.h>

#include "base/list.h"
#include "sip/hop.h"

struct net;
struct udp;

struct listener {
    struct net *net;
    struct list link; /* in listeners.all, or listeners.closed */
    struct hop at;    /* with the port really bound; at.listener is its number */
    int fd;           /* -1: closed, and known only because connections name it */
    uint8_t rport;
    bool alias, trains;
    uint32_t conns;  /* connections that came by it or were opened in its name */
    struct udp *udp; /* NULL: takes connections */
    struct event readable;
    char *advertise; /* "" if there is none */
    char *sent_by;
    uint64_t received, sent;
};

struct listeners {
    struct listener **by_id; /* owned; [id], NULL where there is none */
    uint32_t ids;            /* entries of by_id */
    uint32_t count;          /* listeners alive or closed */
    uint16_t last_id;        /* given last */
    struct list all;         /* bound, oldest first */
    struct list closed;
};

void listeners_init(struct listeners *all);
/* Closes all; nobody hears of what waited. */
void listeners_fini(struct net *net);
/* The listener of a number, closed or not; NULL if there is none. */
struct listener *listener_find(const struct net *net, uint16_t id);
/* Ends those closed ones that no connection names any more. Only when the turn ends. */
void listeners_reap(struct net *net);

#endif
