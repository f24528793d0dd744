/*
 * Bytes of a connection to messages (RFC 3261 §18.3, RFC 5626 §4.4.1).
 */
#ifndef NET_STREAM_H
#define NET_STREAM_H

#include "base/def.h"

struct conn;
struct net;

struct stream_room { /* where connections are read into; starts anew each turn */
    char *bytes;     /* owned */
    size_t used;     /* handed out this turn */
};

/* SIPD_ENOMEM. */
int stream_init(struct net *net) MUST_USE;
void stream_fini(struct stream_room *room);
/*
 * Reads once and hands on each whole message. The connection may begin its end, or die, by what it
 * finds.
 */
void stream_read(struct conn *conn);
/* Reads and throws away; at the peer's end the connection dies. */
void stream_discard(struct conn *conn);
/* The turn ends: what was handed on out of the connection's own buffer goes. */
void stream_forget(struct conn *conn);
/* The turn ends: the room is empty again. */
void stream_end_turn(struct net *net);

#endif
