/*
 * Transports that modules bring, and the filter that stands in each of their connections.
 */
#include "net/xport.h"

#include <errno.h>
#include <event2/event.h>

#include "base/mem.h"
#include "net/conn.h"
#include "net/name.h"
#include "net/outbox.h"
#include "net/state.h"
#include "net/stream.h"
#include "net/tcp.h"
#include "net/turn.h"

enum {
    GATHER_BYTES = 64 << 10,
    OUT_MOST_BYTES = 512 << 10,
    OUT_READ_BYTES = 64 << 10, /* with more waiting, nothing is read that could make us say more */
    PARTS_MOST = 64,
    GREET_US = 4000, /* of processor, for the hands shaken in one turn */
};

bool
xport_is_filtered(uint8_t transport)
{
    return transport != HOP_NONE && transport != HOP_UDP && transport != HOP_TCP;
}

int
xports_init(struct net *net)
{
    list_init(&net->xports.steps);
    net->xports.gathered = mem_new(GATHER_BYTES);
    return net->xports.gathered ? SIPD_OK : SIPD_ENOMEM;
}

void
xports_fini(struct net *net)
{
    mem_free(net->xports.gathered);
    net->xports.gathered = NULL;
}

static struct xport *
xport_of(const struct conn *conn)
{
    return &conn->net->xports.of[conn->peer.transport];
}

/* ---------------------------------------------------------------- offers */

int
net_offer_transport(struct net *net, uint8_t transport, const struct sipd_transport_ops *ops,
                    void *self)
{
    if (transport >= HOP_TRANSPORTS || !xport_is_filtered(transport))
        return SIPD_EINVAL;
    if (net->xports.of[transport].ops)
        return SIPD_EEXIST;
    net->xports.of[transport].ops = ops;
    net->xports.of[transport].self = self;
    return SIPD_OK;
}

static void
end_conns_of(struct net *net, uint8_t transport)
{
    uint64_t cursor = 0;

    for (struct conn *conn; (conn = slots_next(&net->conns.slots, &cursor));)
        if (conn->peer.transport == transport)
            conn_die(conn, NULL);
}

void
net_withdraw_transport(struct net *net, uint8_t transport)
{
    if (transport >= HOP_TRANSPORTS || !net->xports.of[transport].ops)
        return;
    turn_begin(net);
    end_conns_of(net, transport);
    net->xports.of[transport].ops = NULL;
    net->xports.of[transport].self = NULL;
}

uint32_t
net_transport_conns(const struct net *net, uint8_t transport)
{
    return transport < HOP_TRANSPORTS ? net->xports.of[transport].sessions : 0;
}

/* ---------------------------------------------------------------- the life of a filter */

int
xport_begin(struct conn *conn)
{
    struct xport *xport = xport_of(conn);

    if (!xport_is_filtered(conn->peer.transport))
        return SIPD_OK;
    if (!xport->ops)
        return SIPD_ENOENT;
    conn->wire = mem_new(sizeof *conn->wire);
    if (!conn->wire)
        return SIPD_ENOMEM;
    conn->wire->conn = conn;
    list_init(&conn->wire->step_link);
    buf_init(&conn->wire->out, OUT_MOST_BYTES);
    xport->sessions++;
    return SIPD_OK;
}

void
xport_end(struct conn *conn)
{
    struct xport *xport = xport_of(conn);
    struct sipd_wire *wire = conn->wire;

    if (!wire)
        return;
    if (wire->session)
        xport->ops->end(wire->session);
    list_remove(&wire->step_link);
    conn->net->held_bytes -= wire->out.len;
    buf_fini(&wire->out);
    xport->sessions--;
    mem_free(wire);
    conn->wire = NULL;
}

/* A session begins with the first bytes, or when we have connected: who only connects costs little. */
static bool
session_begin(struct conn *conn)
{
    struct sipd_session_of of = { .wire = conn->wire,
                                  .peer = &conn->peer,
                                  .inbound = conn->inbound };
    const struct xport *xport = xport_of(conn);
    char text[HOP_TEXT_BYTES];

    if (!conn->inbound && conn->peer.name == 0)
        of.name = hop_ip_write(&conn->peer, text);
    else if (!conn->inbound && !name_text(conn->net, conn->peer.name, &of.name))
        return false;
    conn->wire->session = xport->ops->begin(xport->self, &of);
    return conn->wire->session != NULL;
}

/* ---------------------------------------------------------------- the wire, as its session sees it */

ptrdiff_t
sipd_wire_read(struct sipd_wire *wire, char *to, size_t room)
{
    ssize_t len;

    if (wire->drained)
        return 0;
    len = tcp_read(wire->conn, to, room);
    wire->drained = len < (ssize_t)room;
    if (len > 0)
        return len;
    if (len == 0)
        return SIPD_ECLOSED;
    return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR ? 0 : SIPD_EIO;
}

/* What could not leave is kept. */
static int
keep(struct sipd_wire *wire, struct span rest)
{
    buf_put(&wire->out, rest);
    if (wire->out.err)
        wire->broken = true;
    else
        wire->conn->net->held_bytes += rest.len;
    if (wire->conn->moved_ms == 0)
        conn_moved(wire->conn);
    return wire->broken ? SIPD_ENOMEM : SIPD_OK;
}

/* As much as the kernel takes; negative: the connection is broken. */
static ssize_t
push(struct conn *conn, struct span bytes)
{
    struct iovec part = { (void *)(uintptr_t)bytes.at, bytes.len };
    ssize_t len = tcp_write(conn, &part, 1);

    if (len < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
        return 0;
    return len;
}

/* Hands on what the session has written. */
static void
flush_gathered(struct sipd_wire *wire)
{
    struct xports *xports = &wire->conn->net->xports;
    struct span bytes = { xports->gathered, xports->gathered_len };
    ssize_t len = 0;

    xports->gathered_len = 0;
    if (bytes.len == 0 || wire->broken)
        return;
    if (wire->out.len == 0)
        len = push(wire->conn, bytes);
    if (len < 0)
        wire->broken = true;
    else if ((size_t)len < bytes.len)
        keep(wire, span_skip(bytes, (size_t)len));
}

int
sipd_wire_write(struct sipd_wire *wire, struct span bytes)
{
    struct xports *xports = &wire->conn->net->xports;

    if (!wire->at_work)
        return keep(wire, bytes);
    while (bytes.len > 0 && !wire->broken) {
        size_t room = GATHER_BYTES - xports->gathered_len;
        struct span now = span_head(bytes, room);

        memcpy(xports->gathered + xports->gathered_len, now.at, now.len);
        xports->gathered_len += now.len;
        bytes = span_skip(bytes, now.len);
        if (xports->gathered_len == GATHER_BYTES)
            flush_gathered(wire);
    }
    return wire->broken ? SIPD_ENOMEM : SIPD_OK;
}

bool
sipd_wire_open(const struct sipd_wire *wire)
{
    return wire->out.len == 0 && !wire->broken;
}

void
sipd_wire_again(struct sipd_wire *wire)
{
    xport_step(wire->conn);
}

static void
work_begin(struct sipd_wire *wire)
{
    wire->at_work = true;
    wire->conn->net->xports.gathered_len = 0;
}

static void
work_end(struct sipd_wire *wire)
{
    flush_gathered(wire);
    wire->at_work = false;
}

bool
xport_flush(struct conn *conn)
{
    struct sipd_wire *wire = conn->wire;
    ssize_t len;

    if (!wire || (wire->out.len == 0 && !wire->broken))
        return true;
    len = wire->broken ? -1 : push(conn, buf_span(&wire->out));
    if (len < 0) {
        conn_die(conn, NULL);
        return false;
    }
    buf_drop(&wire->out, (size_t)len);
    conn->net->held_bytes -= (size_t)len;
    if (len > 0)
        conn_moved(conn);
    if (wire->out.len > 0)
        return false;
    buf_fini(&wire->out);
    return true;
}

bool
xport_waits(const struct conn *conn)
{
    return conn->wire && conn->wire->out.len > 0;
}

bool
xport_may_read(const struct conn *conn)
{
    return !conn->wire || conn->wire->out.len <= OUT_READ_BYTES;
}

/* ---------------------------------------------------------------- plain bytes */

ssize_t
xport_read(struct conn *conn, char *to, size_t room)
{
    struct sipd_wire *wire = conn->wire;
    const struct sipd_transport_ops *ops = xport_of(conn)->ops;
    ptrdiff_t len;

    work_begin(wire);
    len = ops->read(wire->session, to, room);
    work_end(wire);
    if (len > 0) {
        if ((size_t)len == room || ops->messages)
            xport_step(conn);
        return len;
    }
    errno = len == 0 ? EAGAIN : EPIPE;
    return len == SIPD_ECLOSED ? 0 : -1;
}

ssize_t
xport_write(struct conn *conn, const struct iovec *parts, size_t n)
{
    struct sipd_wire *wire = conn->wire;
    struct span plain[PARTS_MOST];
    ptrdiff_t len;

    if (wire->broken) {
        errno = EPIPE;
        return -1;
    }
    if (!wire->session || !sipd_wire_open(wire) || queue_is_full(conn->net, 0))
        return 0;
    n = n < PARTS_MOST ? n : PARTS_MOST;
    for (size_t i = 0; i < n; i++)
        plain[i] = (struct span){ parts[i].iov_base, parts[i].iov_len };
    work_begin(wire);
    len = xport_of(conn)->ops->write(wire->session, plain, n);
    work_end(wire);
    errno = EPIPE;
    return len < 0 || wire->broken ? -1 : len;
}

bool
xport_yields_messages(const struct conn *conn)
{
    return conn->wire && xport_of(conn)->ops->messages;
}

void
xport_close(struct conn *conn)
{
    struct sipd_wire *wire = conn->wire;
    const struct sipd_transport_ops *ops = xport_of(conn)->ops;

    if (!wire || !wire->session || wire->broken || !ops->close)
        return;
    work_begin(wire);
    ops->close(wire->session);
    work_end(wire);
}

bool
xport_suits(const struct conn *conn, uint32_t name)
{
    const struct sipd_transport_ops *ops = xport_of(conn)->ops;
    struct span text;

    if (!conn->wire || (!conn->inbound && conn->peer.name == name))
        return true;
    if (!conn->wire->session || conn->state != CONN_OPEN || !name_text(conn->net, name, &text))
        return false;
    return conn->inbound ? ops->proven && ops->proven(conn->wire->session, text)
                         : ops->covers && ops->covers(conn->wire->session, text);
}

void
xport_about(const struct conn *conn, struct sipd_session_about *out)
{
    const struct sipd_transport_ops *ops = xport_of(conn)->ops;

    *out = (struct sipd_session_about){ 0 };
    if (conn->wire && conn->wire->session && ops->about)
        ops->about(conn->wire->session, out);
}

/* ---------------------------------------------------------------- steps */

/* Whoever only reads takes its place among all that read. */
void
xport_step(struct conn *conn)
{
    struct turn *turn = &conn->net->turn;

    if (conn->state != CONN_GREETING)
        hungry_wait(&turn->hungries, &conn->hungry, &conn->ready, EV_READ, turn->watch.began_ns);
    else if (list_empty(&conn->wire->step_link))
        list_push(&conn->net->xports.steps, &conn->wire->step_link);
}

void
xport_readable(struct conn *conn)
{
    conn->wire->drained = false;
    if (conn->state == CONN_GREETING)
        xport_step(conn);
    else
        stream_read(conn);
}

/* What waited is told at once; the end is gentle, for the peer shall read why. */
static void
ungreeted(struct conn *conn)
{
    ++*conn->net->count.conns_ungreeted;
    outbox_fail(conn);
    conn_end(conn, false);
}

static void
greet(struct conn *conn)
{
    struct sipd_wire *wire = conn->wire;
    int said;

    if (conn->state != CONN_GREETING)
        return;
    if (!wire->session && !session_begin(conn)) {
        conn_die(conn, conn->net->count.conns_ungreeted);
        return;
    }
    work_begin(wire);
    said = xport_of(conn)->ops->greet(wire->session);
    work_end(wire);
    if (said < 0 || wire->broken) {
        ungreeted(conn);
        return;
    }
    if (said > 0) {
        ++*conn->net->count.conns_greeted;
        conn_opened(conn);
        if (conn->state == CONN_OPEN)
            stream_read(conn); /* what came with the last of the hands */
    }
    if (conn->state != CONN_DEAD)
        conn_watch(conn);
}

/* A turn that has done enough still shakes one pair of hands, so that they all get done. */
void
xport_step_all(struct net *net)
{
    uint64_t until_us;
    struct list now;

    if (list_empty(&net->xports.steps))
        return;
    until_us = turn_cpu_us() + (net_turn_spent(net) ? 0 : GREET_US);
    list_init(&now);
    list_join(&now, &net->xports.steps);
    for (struct list *node; (node = list_shift(&now));) {
        greet(container_of(node, struct sipd_wire, step_link)->conn);
        if (turn_cpu_us() > until_us)
            break;
    }
    list_join(&now, &net->xports.steps); /* who waited goes before who came now */
    list_join(&net->xports.steps, &now);
}

bool
xport_has_steps(const struct net *net)
{
    return !list_empty(&net->xports.steps);
}
