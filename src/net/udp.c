/*
 * Datagrams: in and out by the batch (RFC 3261 §18).
 *
 * What comes is read a datagram a call, so that those of a batch lie one behind the other and few lines of the cache and
 * few pages are touched: recvmmsg wants room for the longest of each beforehand. What goes leaves with one call; the
 * kernel's view of it is written once, for it names places and not datagrams. A turn reads one batch of each socket: what
 * is left makes the next poll return at once.
 */
#include "net/udp.h"

#include <errno.h>
#include <event2/event.h>
#include <linux/sock_diag.h>

#include "base/mem.h"
#include "base/poison.h"
#include "net/icmp.h"
#include "net/listen.h"
#include "net/state.h"
#include "net/train.h"
#include "net/turn.h"
#include "sip/frame.h"

enum {
    BATCH = 64,             /* datagrams read at once */
    MANY = BATCH / 2,       /* so many at once: the socket is busy … */
    FEW = BATCH / 8,        /* … until fewer come */
    DATAGRAM_BYTES = 65536, /* none is longer */
    ROOM_BYTES = 256 << 10, /* for a batch, which ends when the longest would not fit any more */
    ALIGN = 64,             /* each begins with a line of the cache */
    RETRY_MS = 2,           /* after ENOBUFS: the socket is writable, the device's queue is full */
    BUFFER_BYTES = 8 << 20, /* of the kernel, each way; it gives what it may */
};

struct arrived {
    struct span bytes;
    union sock_addr from;
};

struct udp {
    struct listener *listener;
    char *room; /* owned; where the batch's datagrams lie */
    struct arrived in[BATCH];
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
    bool trains; /* are wished for, and the kernel has not refused any for good */
};

/* ---------------------------------------------------------------- in */

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
    char *room = udp->room, *last = room + ROOM_BYTES - DATAGRAM_BYTES;
    bool came;

    udp->at = udp->len = 0;
    do
        came = read_one(udp, &room);
    while (came && udp->len < BATCH && room <= last);
    udp->more = came || udp->errors;
    return udp->len > 0;
}

/*
 * A socket that a poll waits for tells it of each datagram that has left, too, which takes the kernel a twentieth of all that a
 * datagram costs. So one that is busy is asked and not waited for.
 */
static void
set_busy(struct udp *udp)
{
    struct event *readable = &udp->listener->readable;

    if (!udp->busy && udp->len >= MANY)
        udp->busy = event_del(readable) == 0;
    else if (udp->busy && udp->len < FEW)
        udp->busy = event_add(readable, NULL) != 0;
}

static void
readable(evutil_socket_t fd, short what, void *arg)
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
    unpoison(udp->room, ROOM_BYTES);
    came = udp->at < udp->len || read_batch(udp);
    set_busy(udp);
    hand_on_batch(udp);
    /*
     * Nothing to read: then it was an error that woke us, this one's or one that a send has taken
     * the word of.
     */
    if ((!came || udp->errors) && udp->listener->fd >= 0) {
        udp->errors = false;
        icmp_drain(udp->listener);
    }
}

void
udp_end_turn(struct net *net)
{
    for (struct list *node; (node = list_shift(&net->udp_read));) {
        struct udp *udp = container_of(node, struct udp, read_link);

        poison(udp->room, ROOM_BYTES);
        if (udp->busy && udp->listener->fd >= 0)
            event_active(&udp->listener->readable, EV_READ, 0);
    }
}

/* ---------------------------------------------------------------- out */

static void
count_sent(struct udp *udp, unsigned n)
{
    udp->listener->sent += n;
    *udp->listener->net->count.sent += n;
}

/* The kernel has no room now, but will have. */
static bool
is_full(int err)
{
    return err == EAGAIN || err == EWOULDBLOCK || err == ENOBUFS || err == ENOMEM;
}

/*
 * Over IPv4 a datagram that fits the path leaves marked as never to be cut, so that the kernel need not
 * draw an identification for its fragments (RFC 6864 §4.1). One that does not fit comes back, and is cut.
 */
static void
allow_fragments(struct udp *udp, bool allowed)
{
    if (hop_is_v4(&udp->listener->at))
        sock_set(udp->listener->fd, IPPROTO_IP, IP_MTU_DISCOVER,
                 allowed ? IP_PMTUDISC_WANT : IP_PMTUDISC_DO);
    udp->in_fragments = allowed;
}

/* Too long to leave whole, and that was not tried otherwise yet? Now it is. */
static bool
needs_fragments(struct udp *udp, int err)
{
    if (err != EMSGSIZE || udp->in_fragments)
        return false;
    allow_fragments(udp, true);
    udp->errors = true; /* the kernel has noted it there, too */
    return true;
}

static void
whole_again(struct udp *udp)
{
    if (udp->in_fragments)
        allow_fragments(udp, false);
}

static void retry(evutil_socket_t fd, short what, void *arg);

/* A full socket says when it has room again; a full device does not. */
static void
arm_retry(struct udp *udp, int err)
{
    struct timeval soon = { .tv_usec = RETRY_MS * 1000 };
    struct net *net = udp->listener->net;

    if (err == EAGAIN || err == EWOULDBLOCK) {
        event_assign(&udp->retry, net->base, udp->listener->fd, EV_WRITE, retry, udp);
        event_add(&udp->retry, NULL);
    } else {
        event_assign(&udp->retry, net->base, -1, 0, retry, udp);
        event_add(&udp->retry, &soon);
    }
}

static void
put_in_queue(struct udp *udp, const union sock_addr *to, struct span bytes, uint64_t token)
{
    struct net *net = udp->listener->net;
    int err = queue_put(net, &udp->queue, to, bytes, 0, token);

    if (err) {
        ++*net->count.dropped_full;
        tell(net, token, err);
    }
}

static void
put_rest_in_queue(struct udp *udp, const struct outgoing *out, unsigned from)
{
    for (unsigned i = from; i < out->len; i++)
        put_in_queue(udp, &out->to[i], (struct span){ out->part[i].iov_base, out->part[i].iov_len },
                     out->token[i]);
}

static void
write_view(struct udp *udp)
{
    struct outgoing *out = &udp->out;
    union sock_addr any;
    socklen_t addr_len = sock_addr_write(&udp->listener->at, &any);

    for (size_t i = 0; i < OUTGOING_MOST; i++)
        udp->out_view[i].msg_hdr = (struct msghdr){
            .msg_name = &out->to[i],
            .msg_namelen = addr_len,
            .msg_iov = &out->part[i],
            .msg_iovlen = 1,
        };
}

/* A train, or one that leaves singly between trains. */
static bool
send_train(const struct udp *udp, struct outgoing *out, unsigned at, uint8_t len)
{
    const struct iovec *part = &out->part[at];
    struct train_message train;

    if (len == 1)
        return sendto(udp->listener->fd, part->iov_base, part->iov_len, MSG_DONTWAIT,
                      &out->to[at].any, sock_addr_len(&out->to[at])) >= 0;
    train_write(out, at, len, &train);
    return sendmsg(udp->listener->fd, &train.head, MSG_DONTWAIT) >= 0;
}

/* What begins with datagram `at`, the i-th that leaves: how many left? 0: that one was refused, and errno says why. */
static unsigned
send_some(struct udp *udp, struct outgoing *out, unsigned at, const struct leaving *l, unsigned i)
{
    int n;

    if (out != &udp->out)
        return send_train(udp, out, at, l->len[i]);
    n = sendmmsg(udp->listener->fd, &udp->out_view[at], l->count - i, MSG_DONTWAIT);
    return n > 0 ? (unsigned)n : 0;
}

/*
 * Sends what it can. A refusal may be the late error of another datagram, which the attempt has
 * cleared: so each is tried twice (house rule 17), and the next ones leave whatever became of it.
 * Of a train nobody knows which of its datagrams was refused: from there on they leave singly.
 */
static void
send_all(struct udp *udp, struct outgoing *out, struct leaving *l)
{
    struct net *net = udp->listener->net;
    bool again = false;

    for (unsigned at = 0, i = 0; i < l->count;) {
        unsigned sent = send_some(udp, out, at, l, i);

        if (sent > 0) {
            unsigned datagrams = leaving_datagrams(l, i, sent);

            count_sent(udp, datagrams);
            at += datagrams;
            i += sent;
            again = false;
        } else if (is_full(errno)) {
            int err = errno;

            put_rest_in_queue(udp, out, at);
            if (!queue_empty(&udp->queue))
                arm_retry(udp, err);
            break;
        } else if (l->len[i] > 1) {
            udp->trains = udp->trains && errno != EIO && errno != ENOPROTOOPT;
            leaving_singly(out, at, l);
            i = 0;
        } else if (!needs_fragments(udp, errno)) {
            udp->errors = true;
            if (again) {
                ++*net->count.dropped_refused;
                tell(net, out->token[at++], SIPD_EIO);
                i++;
            }
            again = !again;
        }
    }
}

static void
flush(struct udp *udp)
{
    struct outgoing sorted;
    struct leaving leaving;

    if (udp->trains && udp->out.len > 1) {
        leaving_in_trains(&udp->out, &sorted, &leaving);
        send_all(udp, &sorted, &leaving);
    } else {
        leaving_singly(&udp->out, 0, &leaving);
        send_all(udp, &udp->out, &leaving);
    }
    whole_again(udp);
    udp->out.len = 0;
    list_remove(&udp->out_link);
}

/* The system's struct has no const, and only reads. */
static void *
unconst(const char *at)
{
    return (void *)(uintptr_t)at;
}

void
udp_send(struct udp *udp, const struct hop *to, struct span bytes, uint64_t token)
{
    struct net *net = udp->listener->net;
    struct outgoing *out = &udp->out;

    turn_work(net, bytes.len);
    if (!queue_empty(&udp->queue)) {
        union sock_addr addr;

        sock_addr_write(to, &addr);
        if (queue_holds(net, &udp->queue, bytes, token))
            ++*net->count.dropped_repeat;
        else
            put_in_queue(udp, &addr, bytes, token);
        return;
    }
    (void)sock_addr_write(to, &out->to[out->len]);
    out->part[out->len] = (struct iovec){ unconst(bytes.at), bytes.len };
    out->token[out->len] = token;
    if (out->len++ == 0)
        list_push(&net->udp_out, &udp->out_link);
    if (out->len == OUTGOING_MOST)
        flush(udp);
}

void
udp_flush_all(struct net *net)
{
    list_each (node, after, &net->udp_out)
        flush(container_of(node, struct udp, out_link));
}

/* Sends one that waited. 0, or the errno of its second refusal. */
static int
send_waiting(struct udp *udp, struct waiting *w)
{
    int err = 0;

    for (int attempt = 0; attempt < 2; attempt += !needs_fragments(udp, err)) {
        if (sendto(udp->listener->fd, w->bytes, w->len, MSG_DONTWAIT, &w->to.any,
                   sock_addr_len(&w->to)) >= 0)
            return 0;
        err = errno;
        if (is_full(err))
            return err;
        udp->errors = true;
    }
    return err;
}

static void
retry(evutil_socket_t fd, short what, void *arg)
{
    struct udp *udp = arg;
    struct net *net = udp->listener->net;
    struct waiting *w;

    (void)fd;
    (void)what;
    turn_begin(net);
    while ((w = queue_first(&udp->queue))) {
        int err = send_waiting(udp, w);

        if (err && is_full(err)) {
            arm_retry(udp, err);
            break;
        }
        if (err) {
            ++*net->count.dropped_refused;
            queue_fail(net, &udp->queue, w, SIPD_EIO);
        } else {
            count_sent(udp, 1);
            queue_done(net, &udp->queue, w);
        }
    }
    whole_again(udp);
}

/* ---------------------------------------------------------------- birth and end */

/*
 * Large buffers carry a burst over a slow moment; errors of the network shall come with what caused
 * them.
 */
static bool
set_options(int fd, bool v4)
{
    if (!sock_set(fd, SOL_SOCKET, SO_RCVBUFFORCE, BUFFER_BYTES))
        sock_set(fd, SOL_SOCKET, SO_RCVBUF, BUFFER_BYTES);
    if (!sock_set(fd, SOL_SOCKET, SO_SNDBUFFORCE, BUFFER_BYTES))
        sock_set(fd, SOL_SOCKET, SO_SNDBUF, BUFFER_BYTES);
    return v4 ? sock_set(fd, IPPROTO_IP, IP_RECVERR, 1)
              : sock_set(fd, IPPROTO_IPV6, IPV6_RECVERR, 1);
}

int
udp_start(struct listener *listener)
{
    struct net *net = listener->net;
    struct udp *udp;

    if (!set_options(listener->fd, hop_is_v4(&listener->at)))
        return SIPD_EIO;
    udp = mem_new(sizeof *udp);
    if (!udp)
        return SIPD_ENOMEM;
    listener->udp = udp;
    udp->listener = listener;
    hungry_init(&udp->hungry);
    list_init(&udp->read_link);
    list_init(&udp->out_link);
    queue_init(&udp->queue);
    event_assign(&udp->retry, net->base, -1, 0, retry, udp);
    udp->room = mem_grow(NULL, ROOM_BYTES);
    if (!udp->room)
        return SIPD_ENOMEM;
    udp->trains = listener->trains;
    write_view(udp);
    allow_fragments(udp, false);
    event_assign(&listener->readable, net->base, listener->fd, EV_READ | EV_PERSIST, readable, udp);
    return event_add(&listener->readable, NULL) == 0 ? SIPD_OK : SIPD_ENOMEM;
}

void
udp_close(struct udp *udp)
{
    struct net *net = udp->listener->net;

    flush(udp);
    hungry_end(&udp->hungry);
    udp->at = udp->len;
    event_del(&udp->retry);
    while (!queue_empty(&udp->queue))
        queue_fail(net, &udp->queue, queue_first(&udp->queue), SIPD_ECLOSED);
}

void
udp_free(struct udp **udp)
{
    struct udp *old = *udp;

    *udp = NULL;
    if (!old)
        return;
    event_del(&old->retry);
    queue_fini(old->listener->net, &old->queue);
    list_remove(&old->out_link);
    list_remove(&old->read_link);
    hungry_end(&old->hungry);
    if (old->room)
        unpoison(old->room, ROOM_BYTES);
    mem_free(old->room);
    mem_free(old);
}

uint64_t
udp_dropped(const struct udp *udp)
{
    uint32_t info[SK_MEMINFO_VARS] = { 0 };
    socklen_t len = sizeof info;

    if (getsockopt(udp->listener->fd, SOL_SOCKET, SO_MEMINFO, info, &len) != 0)
        return 0;
    return info[SK_MEMINFO_DROPS];
}
