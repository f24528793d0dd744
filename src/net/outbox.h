/*
 * What leaves by a connection: the turn's messages together, then, in order, what the kernel had no
 * room for.
 */
#ifndef NET_OUTBOX_H
#define NET_OUTBOX_H

#include "base/span.h"

struct conn;
struct net;

/* Queues for the turn's end. Lent: bytes, until then. What fails is told by token. */
void outbox_send(struct conn *conn, struct span bytes, uint64_t token);
/* Hands what the turn queued to the kernel, of all connections. */
void outbox_flush_all(struct net *net);
/* The kernel may have room: sends what waits. */
void outbox_write(struct conn *conn);
/* The connection is dead: all that waited is told, oldest first. */
void outbox_fail(struct conn *conn);

#endif
