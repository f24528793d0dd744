/*
 * Datagrams that come (RFC 3261 §18.3).
 *
 * They are read a datagram a call, so that those of a batch lie one behind the other and few lines of the cache and few pages are
 * touched: recvmmsg wants room for the longest of each beforehand. A turn reads one batch of each socket; what is left is for the
 * next, which does not sleep before.
 */
#include <errno.h>
#include <event2/event.h>
#include <linux/sock_diag.h>

#include "base/poison.h"
#include "net/icmp.h"
#include "net/state.h"
#include "net/turn.h"
#include "net/udp_socket.h"
#include "sip/frame.h"

enum {
    DATAGRAM_BYTES = 65536, /* none is longer */
    ALIGN = 64,             /* each begins with a line of the cache */
    MANY = UDP_BATCH / 2,   /* so many at once: the socket is busy … */
    FEW = UDP_BATCH / 8,    /* … until fewer come */
    AGAIN_MS = 10,          /* until one that no poll waits for is asked again */
};

/*
 * A message is handed on; keep-alives (RFC 5626 §3.5.1 has STUN for datagrams) and noise are not.
 */
static void
hand_on(struct listener *listener, const struct hop *from, struct span bytes)
{
    struct net *net = listener->net;
    struct frame frame;

    frame_datagram(bytes, &frame);
    if (frame.kind == FRAME_PING || frame.kind == FRAME_BLANK) {
        ++*net->count.dropped_keepalive;
        return;
    }
    if (frame.kind == FRAME_MORE || frame.kind == FRAME_BAD) {
        ++*net->count.dropped_noise;
        return;
    }
    if (frame.len > net->conf.message_bytes) {
        frame.fault = 413;
        frame.fault_reason = "Request Entity Too Large";
    }
    listener->received++;
    ++*net->count.received;
    (void)net->ports->bytes(net->ports->io, from, (struct span){ bytes.at + frame.skip, frame.len },
                            frame.fault, frame.fault_reason);
}

static void
hand_on_one(struct listener *listener, const struct arrived *in)
{
    struct hop from = { .transport = HOP_UDP, .listener = listener->at.listener };

    turn_work(listener->net, in->bytes.len);
    sock_addr_read(&in->from, &from);
    if (from.port != 0)
        hand_on(listener, &from, in->bytes);
    else
        ++*listener->net->count.dropped_noise;
}

/* As many of the batch as this turn takes; the others stay where they are until the next one. */
static void
hand_on_batch(struct udp *udp)
{
    struct net *net = udp->listener->net;

    while (udp->at < udp->len) {
        hand_on_one(udp->listener, &udp->in[udp->at++]);
        if (udp->at < udp->len &&
            !turn_goes_on(net, &udp->hungry, &udp->listener->readable, EV_READ))
            return;
    }
}

/*
 * There was more the last time: how many wait in the kernel's queue? It counts their memory against its buffer. Each
 * turn is asked, also one that goes on with a batch or has no time for this socket.
 */
static void
look_at_queue(const struct udp *udp)
{
    uint32_t info[SK_MEMINFO_VARS] = { 0 };
    socklen_t len = sizeof info;

    if (udp->more && getsockopt(udp->listener->fd, SOL_SOCKET, SO_MEMINFO, info, &len) == 0 &&
        info[SK_MEMINFO_RCVBUF] > 0)
        strain_queue(
            &udp->listener->net->turn.strain,
            (uint32_t)((uint64_t)info[SK_MEMINFO_RMEM_ALLOC] * 100 / info[SK_MEMINFO_RCVBUF]));
}

/* False: nothing to read, or an error. */
static bool
read_one(struct udp *udp, char **room)
{
    struct arrived *in = &udp->in[udp->len];
    socklen_t from_bytes = sizeof in->from;
    ssize_t len = recvfrom(udp->listener->fd, *room, DATAGRAM_BYTES, MSG_DONTWAIT, &in->from.any,
                           &from_bytes);

    if (len < 0) {
        udp->errors |= errno != EAGAIN && errno != EWOULDBLOCK;
        return false;
    }
    in->bytes = (struct span){ *room, (size_t)len };
    udp->len++;
    *room += ((size_t)len + ALIGN - 1) & ~(size_t)(ALIGN - 1);
    return true;
}

/* False: nothing to read. */
static bool
read_batch(struct udp *udp)
{
    char *room = udp->room, *last = room + UDP_ROOM_BYTES - DATAGRAM_BYTES;
    bool came;

    udp->at = udp->len = 0;
    do
        came = read_one(udp, &room);
    while (came && udp->len < UDP_BATCH && room <= last);
    udp->more = came || udp->errors;
    return udp->len > 0;
}

/* A poll waits for it again. If none can (no memory, no watches left) it is asked after a while. */
static void
wait_for(struct udp *udp)
{
    const struct timeval a_while = { .tv_usec = AGAIN_MS * 1000 };
    struct listener *listener = udp->listener;
    struct event *readable = &listener->readable;

    event_assign(readable, listener->net->base, listener->fd, EV_READ | EV_PERSIST, udp_readable,
                 udp);
    udp->busy = event_add(readable, NULL) != 0;
    if (!udp->busy)
        return;
    event_assign(readable, listener->net->base, -1, 0, udp_readable, udp);
    event_add(readable, &a_while);
}

/*
 * A socket that a poll waits for tells it of each datagram that has left, too, which takes the kernel a twentieth of all that a
 * datagram costs. So one that is busy is asked in each turn, and not waited for; those that were passed over come before it.
 */
static void
go_on_reading(struct udp *udp)
{
    struct net *net = udp->listener->net;
    struct event *readable = &udp->listener->readable;

    if (!udp->busy && udp->len >= MANY)
        udp->busy = event_del(readable) == 0;
    else if (udp->busy && udp->len < FEW)
        wait_for(udp);
    if (udp->busy && !event_pending(readable, EV_TIMEOUT, NULL))
        hungry_wait(&net->turn.hungries, &udp->hungry, readable, EV_READ, net->turn.watch.began_ns);
}

void
udp_readable(evutil_socket_t fd, short what, void *arg)
{
    struct udp *udp = arg;
    struct net *net = udp->listener->net;
    bool came;

    (void)fd;
    turn_begin(net);
    /*
     * libevent polls again within a turn when a callback activates another: what was read is
     * lent.
     */
    if (!list_empty(&udp->read_link))
        return;
    look_at_queue(udp);
    if (!turn_serves(net, &udp->hungry, &udp->listener->readable, what))
        return;
    list_push(&net->udp_read, &udp->read_link);
    unpoison(udp->room, UDP_ROOM_BYTES);
    came = udp->at < udp->len || read_batch(udp);
    hand_on_batch(udp);
    if (udp->listener->fd < 0)
        return;
    go_on_reading(udp);
    /*
     * Nothing to read: then it was an error that woke us, this one's or one that a send has taken
     * the word of.
     */
    if (!came || udp->errors)
        udp->errors = icmp_drain(udp->listener);
}

void
udp_end_turn(struct net *net)
{
    for (struct list *node; (node = list_shift(&net->udp_read));)
        poison(container_of(node, struct udp, read_link)->room, UDP_ROOM_BYTES);
}
