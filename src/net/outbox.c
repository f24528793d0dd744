/*
 * What leaves by a connection: the turn's messages together, then, in order, what the kernel had no
 * room for.
 */
#include "net/outbox.h"

#include <errno.h>
#include <sys/uio.h>

#include "net/conn.h"
#include "net/listen.h"
#include "net/state.h"
#include "net/tcp.h"
#include "net/xport.h"

enum { PARTS = 64 }; /* messages in one write */

struct outgoing { /* in the turn's arena */
    struct outgoing *next;
    struct span bytes;
    uint64_t token;
};

void
outbox_send(struct conn *conn, struct span bytes, uint64_t token)
{
    struct net *net = conn->net;
    struct outgoing *out;

    turn_work(net, bytes.len);
    if (queue_holds(net, &conn->queue, bytes, token)) {
        ++*net->count.dropped_repeat;
        return;
    }
    out = arena_alloc(&net->turn.arena, sizeof *out);
    if (!out) {
        ++*net->count.dropped_memory;
        tell(net, token, SIPD_ENOMEM);
        return;
    }
    *out = (struct outgoing){ .bytes = bytes, .token = token };
    if (conn->last_out)
        conn->last_out->next = out;
    else
        conn->first_out = out;
    conn->last_out = out;
    conn_touch(conn);
}

static void
take_first(struct conn *conn)
{
    conn->first_out = conn->first_out->next;
    if (!conn->first_out)
        conn->last_out = NULL;
}

/* Pings and their answers (RFC 5626 §4.4.1) leave by here too, but are no messages. */
static void
count_sent(struct conn *conn, size_t len)
{
    if (len <= 4)
        return;
    listener_find(conn->net, conn->peer.listener)->sent++;
    ++*conn->net->count.sent;
}

/*
 * The kernel's verdict on a write: bytes taken, 0 when it has no room. The connection may have
 * died.
 */
static size_t
written(struct conn *conn, ssize_t len)
{
    if (len < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR)
        conn_die(conn, NULL);
    if (len <= 0)
        return 0;
    if (!conn->asks)
        conn->last_ms = conn->net->clock->now_ms;
    conn->asks = false;
    return (size_t)len;
}

static ssize_t
write_parts(struct conn *conn, struct iovec *parts, size_t n)
{
    return conn->wire ? xport_write(conn, parts, n) : tcp_write(conn, parts, n);
}

/* ---------------------------------------------------------------- the turn's messages */

/* Copies what is left of the turn's messages; `sent` bytes of the first have left. */
static void
put_rest_in_queue(struct conn *conn, size_t sent)
{
    struct net *net = conn->net;

    for (struct outgoing *out; (out = conn->first_out); sent = 0) {
        int err = queue_put(net, &conn->queue, NULL, out->bytes, sent, out->token);

        take_first(conn);
        if (!err)
            continue;
        ++*net->count.dropped_full;
        tell(net, out->token, err);
        if (sent > 0) {
            conn_die(conn, NULL); /* nothing can follow half a message */
            return;
        }
    }
    if (conn->moved_ms == 0)
        conn_moved(conn);
    conn_watch(conn);
}

/* Takes off what has left. Returns how many bytes of the first one left have left too. */
static size_t
take_sent(struct conn *conn, size_t len)
{
    while (conn->first_out && len >= conn->first_out->bytes.len) {
        len -= conn->first_out->bytes.len;
        count_sent(conn, conn->first_out->bytes.len);
        take_first(conn);
    }
    return len;
}

static void
flush(struct conn *conn)
{
    struct iovec parts[PARTS];

    while (conn->first_out) {
        size_t n = 0, all = 0, len, partly;

        for (struct outgoing *out = conn->first_out; out && n < PARTS; out = out->next) {
            parts[n++] = (struct iovec){ (void *)(uintptr_t)out->bytes.at, out->bytes.len };
            all += out->bytes.len;
        }
        len = written(conn, write_parts(conn, parts, n));
        if (conn->state == CONN_DEAD)
            return;
        partly = take_sent(conn, len);
        if (len < all) {
            put_rest_in_queue(conn, partly);
            return;
        }
    }
    if (conn->wire)
        conn_watch(conn); /* what the session made of it may wait */
}

static bool
writes_now(const struct conn *conn)
{
    return conn->state != CONN_CONNECTING && conn->state != CONN_GREETING &&
           queue_empty(&conn->queue) && !xport_waits(conn);
}

void
outbox_flush_all(struct net *net)
{
    list_each (node, after, &net->conns.touched) {
        struct conn *conn = container_of(node, struct conn, touched_link);

        if (conn->state == CONN_DEAD)
            outbox_fail(conn);
        else if (!writes_now(conn))
            put_rest_in_queue(conn, 0);
        else
            flush(conn);
    }
}

/* ---------------------------------------------------------------- what waits */

static void
take_waiting(struct conn *conn, size_t len)
{
    for (struct waiting *w; len > 0 && (w = queue_first(&conn->queue));) {
        size_t left = w->len - w->sent;

        if (len < left) {
            w->sent += (uint32_t)len;
            return;
        }
        len -= left;
        count_sent(conn, w->len);
        queue_done(conn->net, &conn->queue, w);
    }
}

void
outbox_write(struct conn *conn)
{
    struct iovec parts[PARTS];
    size_t n = 0, len;

    if (!xport_flush(conn) || conn->state == CONN_GREETING) {
        if (conn->state != CONN_DEAD)
            conn_watch(conn);
        return;
    }
    for (struct waiting *w = queue_first(&conn->queue); w && n < PARTS;
         w = queue_next(&conn->queue, w))
        parts[n++] = (struct iovec){ w->bytes + w->sent, w->len - w->sent };
    if (n > 0 && (len = written(conn, write_parts(conn, parts, n))) > 0) {
        take_waiting(conn, len);
        conn_moved(conn);
    }
    if (conn->state != CONN_DEAD && queue_empty(&conn->queue) && !xport_waits(conn))
        conn_flushed(conn);
    if (conn->state != CONN_DEAD)
        conn_watch(conn);
}

void
outbox_fail(struct conn *conn)
{
    struct net *net = conn->net;

    while (!queue_empty(&conn->queue))
        queue_fail(net, &conn->queue, queue_first(&conn->queue), SIPD_ECLOSED);
    for (; conn->first_out; take_first(conn))
        tell(net, conn->first_out->token, SIPD_ECLOSED);
}
