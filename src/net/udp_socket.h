/*
 * A socket for datagrams, as the files of net/udp see it.
 */
#ifndef NET_UDP_SOCKET_H
#define NET_UDP_SOCKET_H

#include <event2/event_struct.h>
#include <event2/util.h>

#include "net/hungry.h"
#include "net/listen.h"
#include "net/queue.h"
#include "net/sock.h"
#include "net/train.h"
#include "net/udp.h"

enum {
    UDP_BATCH = 64, /* datagrams read at once … */
    /* … into this room; a batch ends when the longest would not fit any more */
    UDP_ROOM_BYTES = 256 << 10,
};

struct arrived {
    struct span bytes;
    union sock_addr from;
};

struct udp {
    struct listener *listener;
    char *room; /* owned; where the batch's datagrams lie */
    struct arrived in[UDP_BATCH];
    unsigned at, len; /* of the batch, those from `at` on are not handed on yet */
    bool more;        /* it ended before the kernel had no more */
    bool busy;        /* it is read each turn, and no poll waits for it */
    struct hungry hungry;
    struct list read_link; /* in net->udp_read: the room is in use until the turn's end */
    struct outgoing out;
    struct mmsghdr out_view[OUTGOING_MOST]; /* the kernel's of it, each datagram for itself */
    struct list out_link;                   /* in net->udp_out while it holds any */
    struct queue queue;                     /* what the kernel had no room for */
    struct event retry;                     /* armed while something waits there */
    bool errors;                            /* the error queue may hold some */
    bool in_fragments;                      /* for the moment datagrams may leave in fragments */
    bool trains; /* are wished for, and the kernel refused none for good */
};

/* The event of a socket that has datagrams; arg: its struct udp. */
void udp_readable(evutil_socket_t fd, short what, void *arg);
/* What leaves is prepared once. */
void udp_out_begin(struct udp *udp);
/* Hands to the kernel what is queued. */
void udp_flush(struct udp *udp);

#endif
