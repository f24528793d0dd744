/*
 * Datagrams: in and out by the batch (RFC 3261 §18).
 *
 * Short messages lie side by side in slots, so that a batch stays in the cache; the rare long one
 * is put together in the turn's arena. A turn reads one batch of each socket: what is left makes
 * the next poll return at once.
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
#include "net/turn.h"
#include "sip/frame.h"

enum {
    BATCH = 64,           /* datagrams read at once */
    SLOT_BYTES = 35 * 64, /* an odd number of cache lines: messages begin in different sets */
    TAIL_BYTES = 65536 - SLOT_BYTES,
    OUT_MOST = 128,         /* datagrams sent at once */
    RETRY_MS = 2,           /* after ENOBUFS: the socket is writable, the device's queue is full */
    BUFFER_BYTES = 8 << 20, /* of the kernel, each way; it gives what it may */
};

struct udp {
    struct listener *listener;
    char *slots; /* owned; BATCH times SLOT_BYTES */
    struct mmsghdr in[BATCH];
    struct iovec in_parts[BATCH][2]; /* slot, then tail */
    union sock_addr from[BATCH];
    struct list read_link; /* in net->udp_read: slots are in use until the turn's end */
    unsigned out_len;
    struct mmsghdr out[OUT_MOST];
    struct iovec out_part[OUT_MOST];
    union sock_addr to[OUT_MOST];
    uint64_t token[OUT_MOST];
    struct list out_link; /* in net->udp_out while out_len is not 0 */
    struct queue queue;   /* what the kernel had no room for */
    struct event retry;   /* armed while something waits there */
    bool errors;          /* the error queue may hold some */
};

/* ---------------------------------------------------------------- in */

/* All receive batches share the tails: a long message is moved before the next batch is read. */
static bool
tails_ready(struct net *net)
{
    if (!net->udp_tails)
        net->udp_tails = mem_new((size_t)BATCH * TAIL_BYTES);
    return net->udp_tails != NULL;
}

static void
prepare_in(struct udp *udp)
{
    struct net *net = udp->listener->net;

    for (size_t i = 0; i < BATCH; i++) {
        udp->in_parts[i][0] = (struct iovec){ udp->slots + i * SLOT_BYTES, SLOT_BYTES };
        udp->in_parts[i][1] = (struct iovec){ net->udp_tails + i * TAIL_BYTES, TAIL_BYTES };
        udp->in[i].msg_hdr = (struct msghdr){
            .msg_name = &udp->from[i],
            .msg_iov = udp->in_parts[i],
            .msg_iovlen = 2,
        };
    }
}

/* The bytes of the i-th datagram in one piece; empty when memory is out. */
static struct span
bytes_of(struct udp *udp, size_t i)
{
    const struct iovec *parts = udp->in_parts[i];
    size_t len = udp->in[i].msg_len;
    char *whole;

    if (len <= SLOT_BYTES)
        return (struct span){ parts[0].iov_base, len };
    whole = arena_alloc(&udp->listener->net->turn.arena, len);
    if (!whole)
        return (struct span){ NULL, 0 };
    memcpy(whole, parts[0].iov_base, SLOT_BYTES);
    memcpy(whole + SLOT_BYTES, parts[1].iov_base, len - SLOT_BYTES);
    return (struct span){ whole, len };
}

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
    net->ports->bytes(net->ports->io, from, (struct span){ bytes.at + frame.skip, frame.len },
                      frame.fault, frame.fault_reason);
}

static void
hand_on_all(struct udp *udp, size_t len)
{
    struct listener *listener = udp->listener;
    struct hop from = { .transport = HOP_UDP, .listener = listener->at.listener };

    for (size_t i = 0; i < len; i++) {
        struct span bytes = bytes_of(udp, i);

        sock_addr_read(&udp->from[i], &from);
        if (bytes.at && from.port != 0)
            hand_on(listener, &from, bytes);
        else
            ++*(bytes.at ? listener->net->count.dropped_noise
                         : listener->net->count.dropped_memory);
    }
}

static int
read_batch(struct udp *udp)
{
    for (size_t i = 0; i < BATCH; i++)
        udp->in[i].msg_hdr.msg_namelen = sizeof udp->from[i];
    return recvmmsg(udp->listener->fd, udp->in, BATCH, MSG_DONTWAIT, NULL);
}

static void
readable(evutil_socket_t fd, short what, void *arg)
{
    struct udp *udp = arg;
    struct net *net = udp->listener->net;
    int len;

    (void)fd;
    (void)what;
    turn_begin(net);
    /*
     * libevent polls again within a turn when a callback activates another: what the slots hold is
     * lent.
     */
    if (!list_empty(&udp->read_link))
        return;
    list_push(&net->udp_read, &udp->read_link);
    unpoison(udp->slots, (size_t)BATCH * SLOT_BYTES);
    len = read_batch(udp);
    if (len > 0)
        hand_on_all(udp, (size_t)len);
    /*
     * Nothing to read: then it was an error that woke us, this one's or one that a send has taken
     * the word of.
     */
    if ((len <= 0 || udp->errors) && udp->listener->fd >= 0) {
        udp->errors = false;
        icmp_drain(udp->listener);
    }
}

void
udp_end_turn(struct net *net)
{
    for (struct list *node; (node = list_shift(&net->udp_read));)
        poison(container_of(node, struct udp, read_link)->slots, (size_t)BATCH * SLOT_BYTES);
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
put_rest_in_queue(struct udp *udp, unsigned from)
{
    for (unsigned i = from; i < udp->out_len; i++) {
        struct span bytes = { udp->out_part[i].iov_base, udp->out_part[i].iov_len };

        put_in_queue(udp, &udp->to[i], bytes, udp->token[i]);
    }
}

/*
 * Sends what it can. A refusal may be the late error of another datagram, which the attempt has
 * cleared: so each is tried twice (house rule 17), and the next ones leave whatever became of it.
 */
static void
flush(struct udp *udp)
{
    struct net *net = udp->listener->net;
    bool again = false;

    for (unsigned at = 0; at < udp->out_len;) {
        int n = sendmmsg(udp->listener->fd, udp->out + at, udp->out_len - at, MSG_DONTWAIT);

        if (n > 0) {
            count_sent(udp, (unsigned)n);
            at += (unsigned)n;
            again = false;
        } else if (is_full(errno)) {
            int err = errno;

            put_rest_in_queue(udp, at);
            if (!queue_empty(&udp->queue))
                arm_retry(udp, err);
            break;
        } else {
            udp->errors = true;
            if (again) {
                ++*net->count.dropped_refused;
                tell(net, udp->token[at++], SIPD_EIO);
            }
            again = !again;
        }
    }
    udp->out_len = 0;
    list_remove(&udp->out_link);
}

static void
prepare_out(struct udp *udp)
{
    for (size_t i = 0; i < OUT_MOST; i++)
        udp->out[i].msg_hdr = (struct msghdr){
            .msg_name = &udp->to[i],
            .msg_iov = &udp->out_part[i],
            .msg_iovlen = 1,
        };
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
    unsigned i = udp->out_len;

    if (!queue_empty(&udp->queue)) {
        union sock_addr addr;

        sock_addr_write(to, &addr);
        if (queue_holds(net, &udp->queue, bytes, token))
            ++*net->count.dropped_repeat;
        else
            put_in_queue(udp, &addr, bytes, token);
        return;
    }
    udp->out[i].msg_hdr.msg_namelen = sock_addr_write(to, &udp->to[i]);
    udp->out_part[i] = (struct iovec){ unconst(bytes.at), bytes.len };
    udp->token[i] = token;
    udp->out_len++;
    if (i == 0)
        list_push(&net->udp_out, &udp->out_link);
    if (udp->out_len == OUT_MOST)
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
    struct iovec part = { w->bytes, w->len };
    struct mmsghdr out = { .msg_hdr = {
                               .msg_name = &w->to,
                               .msg_namelen = w->to.any.sa_family == AF_INET ? sizeof w->to.v4
                                                                             : sizeof w->to.v6,
                               .msg_iov = &part,
                               .msg_iovlen = 1,
                           } };
    int err = 0;

    for (int attempt = 0; attempt < 2; attempt++) {
        if (sendmmsg(udp->listener->fd, &out, 1, MSG_DONTWAIT) == 1)
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
            return;
        }
        if (err) {
            ++*net->count.dropped_refused;
            queue_fail(net, &udp->queue, w, SIPD_EIO);
        } else {
            count_sent(udp, 1);
            queue_done(net, &udp->queue, w);
        }
    }
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
    list_init(&udp->read_link);
    list_init(&udp->out_link);
    queue_init(&udp->queue);
    event_assign(&udp->retry, net->base, -1, 0, retry, udp);
    udp->slots = mem_new((size_t)BATCH * SLOT_BYTES);
    if (!udp->slots || !tails_ready(net))
        return SIPD_ENOMEM;
    prepare_in(udp);
    prepare_out(udp);
    event_assign(&listener->readable, net->base, listener->fd, EV_READ | EV_PERSIST, readable, udp);
    return event_add(&listener->readable, NULL) == 0 ? SIPD_OK : SIPD_ENOMEM;
}

void
udp_close(struct udp *udp)
{
    struct net *net = udp->listener->net;

    flush(udp);
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
    if (old->slots)
        unpoison(old->slots, (size_t)BATCH * SLOT_BYTES);
    mem_free(old->slots);
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
