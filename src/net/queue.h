/*
 * Messages that could not leave in their turn: copied, in order, up to a ceiling.
 */
#ifndef NET_QUEUE_H
#define NET_QUEUE_H

#include "base/table.h"
#include "net/sock.h"
#include "net/tell.h"

struct waiting { /* on the heap; when its way dies it becomes the telling that it begins with */
    struct telling told;    /* told.link: in queue.waiting */
    struct table_node node; /* in net->repeats if it has a token */
    const struct queue *queue;
    union sock_addr to; /* of a datagram; where it goes */
    uint32_t len, sent; /* bytes, and how many of them have left */
    char bytes[];
};

struct queue {           /* one for each connection and datagram socket */
    struct list waiting; /* oldest first */
    size_t bytes;        /* held by all of them */
};

void queue_init(struct queue *q);
/* Does as much of everything wait already as may (net_conf.held_bytes)? */
bool queue_is_full(const struct net *net, size_t bytes);
/* Gives back what waits; nobody hears of it. */
void queue_fini(struct net *net, struct queue *q);
static inline bool
queue_empty(const struct queue *q)
{
    return list_empty(&q->waiting);
}
/* The oldest, or NULL. */
struct waiting *queue_first(const struct queue *q);
/* The one behind w, or NULL. */
struct waiting *queue_next(const struct queue *q, const struct waiting *w);
/*
 * Does the same message with the same token wait there? Then it is a retransmission that helps
 * nobody.
 */
bool queue_holds(const struct net *net, const struct queue *q, struct span bytes, uint64_t token);
/*
 * Copies a message to the end; `to` may be NULL for a stream. sent: bytes of it that have left;
 * such a message is taken whatever the ceiling says, for a stream cannot be cut in its middle.
 * SIPD_EFULL, SIPD_ENOMEM.
 */
int queue_put(struct net *net, struct queue *q, const union sock_addr *to, struct span bytes,
              size_t sent, uint64_t token) MUST_USE;
/* Takes one off that has left. */
void queue_done(struct net *net, struct queue *q, struct waiting *w);
/* Takes one off that will not leave: its sender is told. */
void queue_fail(struct net *net, struct queue *q, struct waiting *w, int err);

#endif
