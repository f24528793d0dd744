/*
 * A connection's life: found by its flow id or its far end, reused, ended (RFC 3261 §18).
 */
#ifndef NET_CONN_H
#define NET_CONN_H

#include <event2/event_struct.h>

#include "base/buf.h"
#include "base/slots.h"
#include "base/table.h"
#include "base/timers.h"
#include "net/queue.h"
#include "net/turn.h"
#include "sip/hop.h"

struct net;
struct outgoing;
struct sipd_wire;
struct alias;

enum conn_state {
    CONN_CONNECTING, /* what is sent waits */
    CONN_GREETING,   /* connected; a module's session shakes hands, and what is sent waits */
    CONN_OPEN,
    CONN_ENDING,    /* reads no more; what this turn sends still leaves */
    CONN_FLUSHING,  /* no longer alive for others; what waits leaves before the end */
    CONN_LINGERING, /* all has left; waits for the peer's end, lest a reset eats our last words */
    CONN_DEAD,      /* descriptor closed; the turn's end frees it */
};

struct conn {
    struct net *net;
    struct hop peer; /* with its flow, and the listener that it came by or was opened for */
    int fd;
    short watched;       /* EV_READ, EV_WRITE: what `ready` is armed for */
    uint8_t state;       /* enum conn_state */
    bool inbound : 1;    /* one bit each: there are many connections, mostly at rest */
    bool counted : 1;    /* in its source's quota */
    bool spoke : 1;      /* any byte came … */
    bool said : 1;       /* … and a whole message, or a keep-alive */
    bool asks : 1;       /* a keep-alive of ours is on its way: no sign of life */
    bool asked : 1;      /* … and its answer has not come */
    bool peer_ended : 1; /* the peer said that no more comes */
    bool abrupt : 1;     /* ends with the turn, whatever waits */
    bool told : 1;       /* ports.flow_gone was called */
    bool behind : 1;     /* whole messages may lie in `in` that no turn had room for */
    uint16_t looks; /* seconds in which nothing waiting has left, and he acknowledged nothing */
    uint32_t seen;  /* frame_stream's memory of what lies in `in` … */
    uint32_t taken; /* … of which so many bytes were handed on and go with the turn */
    uint32_t acked; /* tcp_acked() when it was last asked whether the peer reads */
    struct alias *alias;    /* owned; NULL: none */
    struct sipd_wire *wire; /* the filter of a transport that a module brought; NULL: none. Owned */
    struct event ready;
    struct table_node node; /* in conns.by_peer while CONNECTING, GREETING, OPEN or ENDING */
    struct timer deadline;  /* armed no later than what deadline.c says it is */
    uint64_t since_ms;      /* when it began */
    uint64_t last_ms;       /* when bytes last moved */
    uint64_t asked_ms;      /* when we last sent a keep-alive; 0: not since bytes moved */
    /* when what waits to leave last got shorter, or began to wait; 0: nothing waits */
    uint64_t moved_ms;
    uint64_t begun_ms; /* when the message at hand, or FLUSHING, or LINGERING began; 0: none */
    struct buf in;     /* the beginning of a message; holds no memory while there is none */
    struct hungry hungry;
    struct outgoing *first_out, *last_out; /* what the turn sends */
    struct queue queue;                    /* what the kernel had no room for */
    struct list touched_link;              /* in conns.touched */
    struct list end_link;                  /* in conns.ending, gone or dead */
};

struct conns {
    struct slots slots; /* of struct conn; their ids are the flow ids */
    struct table by_peer, by_alias;
    struct timers timers;
    struct list touched; /* have something to flush, or to forget when the turn ends */
    struct list ending;  /* CONN_ENDING */
    struct list gone;    /* ports.flow_gone is due */
    struct list dead;    /* CONN_DEAD, told: freed when the turn ends */
};

/* SIPD_ENOMEM. Before: the clock was read. */
int conns_init(struct net *net) MUST_USE;
/* Closes all without a word. */
void conns_fini(struct net *net);

/*
 * A connection over this descriptor, which it owns from now on. peer: with its listener; the flow
 * is filled in. NULL when there is no room or memory: then the descriptor is still the caller's.
 */
struct conn *conn_new(struct net *net, int fd, const struct hop *peer, bool inbound,
                      enum conn_state state) MUST_USE;
/* The connection of a flow if messages can still be sent by it; NULL otherwise. */
struct conn *conn_find(const struct net *net, uint64_t flow);
/*
 * The connection that this hop's flow names, or NULL. A number says little to a process that did not give it (it may stand
 * in a Route from before a restart), so the peer must be the one that the hop says.
 */
struct conn *conn_of(const struct net *net, const struct hop *hop);
/*
 * The newest that leads to this address, takes messages, and suits whom the hop names, whoever opened it (RFC 3261 §18,
 * RFC 5923); NULL if there is none.
 */
struct conn *conn_to(const struct net *net, const struct hop *to);

/* Of transport, address and port, for tables. */
uint64_t conn_hash(const struct net *net, const struct hop *peer);

/* Connected: hands are shaken, or messages may move. */
void conn_connected(struct conn *conn);
/* Messages may move. */
void conn_opened(struct conn *conn);
/* Arms the descriptor for what its state and queue ask for. It may die of that. */
void conn_watch(struct conn *conn);
/* It has something to do when the turn ends. */
void conn_touch(struct conn *conn);
/* Something waits to leave, or some of it has left, or all. */
void conn_moved(struct conn *conn);
/* Another second has passed in which the peer did not read: of what it sends there is a look, and no more for a second. */
void conn_look(struct conn *conn);
/* Does the peer not read, so that what it asks would be answered in vain? */
bool conn_is_deaf(const struct conn *conn);
/* A whole message came, or a keep-alive. */
void conn_said(struct conn *conn);
/* A message has begun, or none is at hand (began_ms 0): its deadline. */
void conn_begun(struct conn *conn, uint64_t began_ms);
/* All that waited has left: goes on with the end if that is under way. */
void conn_flushed(struct conn *conn);
/* Ends it with the turn: gracefully, or abruptly. */
void conn_end(struct conn *conn, bool abrupt);
/*
 * It is over: what waited is told, the descriptor closed. `counter` is one of net->count; NULL:
 * none besides conns_closed.
 */
void conn_die(struct conn *conn, uint64_t *counter);

/* The turn's end: shuts those that are ending, tells of those gone, frees those dead. */
void conns_shut(struct net *net);
void conns_tell_gone(struct net *net);
void conns_reap(struct net *net);

#endif
