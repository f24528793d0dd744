/*
 * Datagrams that leave, by the batch: with one call, whose view of them is written once, for it names places and not datagrams.
 * What the kernel has no room for waits on the heap.
 */
#include <errno.h>
#include <event2/event.h>

#include "net/state.h"
#include "net/tell.h"
#include "net/turn.h"
#include "net/udp_socket.h"

enum { RETRY_MS = 2 }; /* after ENOBUFS: the socket is writable, the device's queue is full */

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

/*
 * What begins with datagram `at`, the i-th that leaves: how many left? 0: that one was refused, and errno says why. Where fewer left
 * than could have, the next one was refused for an error that may be another's; it is cleared now, and only the error queue has it.
 */
static unsigned
send_some(struct udp *udp, struct outgoing *out, unsigned at, const struct leaving *l, unsigned i)
{
    int n;

    if (out != &udp->out)
        return send_train(udp, out, at, l->len[i]);
    n = sendmmsg(udp->listener->fd, &udp->out_view[at], l->count - i, MSG_DONTWAIT);
    udp->errors |= n > 0 && (unsigned)n < l->count - i;
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
            udp->errors = true;
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

void
udp_flush(struct udp *udp)
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
        udp_flush(udp);
}

void
udp_flush_all(struct net *net)
{
    list_each (node, after, &net->udp_out)
        udp_flush(container_of(node, struct udp, out_link));
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

void
udp_out_begin(struct udp *udp)
{
    list_init(&udp->out_link);
    queue_init(&udp->queue);
    event_assign(&udp->retry, udp->listener->net->base, -1, 0, retry, udp);
    udp->trains = udp->listener->trains;
    write_view(udp);
    allow_fragments(udp, false);
}
