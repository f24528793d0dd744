/*
 * The way a message takes, and its sending (RFC 3261 §18.1.1, §18.2.2; RFC 5626 §5.3 for flows).
 */
#include "net/conn.h"
#include "net/listen.h"
#include "net/outbox.h"
#include "net/source.h"
#include "net/state.h"
#include "net/tcp.h"
#include "net/turn.h"
#include "net/udp.h"

/* A flow is a connection; so is what leads to a peer over a stream. */
static bool
is_stream(const struct hop *to)
{
    return to->flow != 0 || hop_is_reliable(to->transport);
}

/* The listener asked for if it fits, else the one whose address the kernel would send from. */
static struct listener *
listener_for(struct net *net, const struct hop *to)
{
    struct listener *asked = listener_find(net, to->listener);

    if (asked && asked->fd >= 0 && asked->at.transport == to->transport &&
        hop_is_v4(&asked->at) == hop_is_v4(to))
        return asked;
    return source_pick(net, to);
}

static void
way_by(const struct listener *listener, struct way *out)
{
    out->to.listener = listener->at.listener;
    out->sent_by = span_of(listener->sent_by);
}

static int
way_of_conn(const struct conn *conn, size_t bytes, struct way *out)
{
    out->to = conn->peer;
    way_by(listener_find(conn->net, conn->peer.listener), out);
    if (queue_empty(&conn->queue) && !xport_waits(conn))
        return SIPD_OK;
    return conn->queue.bytes + bytes > conn->net->conf.queue_bytes ||
                   queue_is_full(conn->net, bytes)
               ? SIPD_EFULL
               : SIPD_OK;
}

int
net_way(struct net *net, const struct hop *to, size_t bytes, struct way *out)
{
    const struct listener *listener;
    const struct conn *conn = NULL;

    turn_begin(net);
    *out = (struct way){ .to = *to };
    if (is_stream(to))
        conn = to->flow ? conn_of(net, to) : conn_to(net, to);
    if (conn)
        return way_of_conn(conn, bytes, out);
    if (to->flow)
        return SIPD_ECLOSED;
    listener = listener_for(net, to);
    if (!listener)
        return SIPD_ENOENT;
    way_by(listener, out);
    if (to->connect_ms && rest_holds(net, to))
        return SIPD_ECLOSED;
    if (is_stream(to))
        return net->conns.slots.used < net->conns.slots.limit ? SIPD_OK : SIPD_EFULL;
    return bytes <= (hop_is_v4(to) ? UDP_MOST_V4 : UDP_MOST_V6) ? SIPD_OK : SIPD_ETOOBIG;
}

static int
send_datagram(struct net *net, const struct hop *to, struct span bytes, uint64_t token)
{
    struct listener *listener = listener_for(net, to);

    if (!listener || !listener->udp)
        return SIPD_ENOENT;
    udp_send(listener->udp, to, bytes, token);
    return SIPD_OK;
}

static int
open_conn(struct net *net, const struct hop *to, struct conn **conn)
{
    struct listener *from = listener_for(net, to);

    return from ? tcp_connect(net, from, to, conn) : SIPD_ENOENT;
}

static int
send_stream(struct net *net, const struct hop *to, struct span bytes, uint64_t token)
{
    struct conn *conn = to->flow ? conn_of(net, to) : conn_to(net, to);
    int err = SIPD_OK;

    if (!conn)
        err = to->flow ? SIPD_ECLOSED : open_conn(net, to, &conn);
    if (!err)
        outbox_send(conn, bytes, token);
    return err;
}

void
net_send(struct net *net, const struct hop *to, struct span bytes, uint64_t token)
{
    int err;

    turn_begin(net);
    if (DOUBT(bytes.len == 0))
        return;
    err = is_stream(to) ? send_stream(net, to, bytes, token) : send_datagram(net, to, bytes, token);
    if (!err)
        return;
    ++*net->count.dropped_nowhere;
    tell(net, token, err);
}
