/*
 * A connection's life: found by its flow id or its far end, reused, ended (RFC 3261 §18).
 *
 * A connection dies at once but is freed, and its death told, when the turn ends: so pointers to it
 * are good for the turn.
 */
#include "net/conn.h"

#include <event2/event.h>
#include <unistd.h>

#include "base/mem.h"
#include "net/alias.h"
#include "net/deadline.h"
#include "net/outbox.h"
#include "net/state.h"
#include "net/stream.h"
#include "net/tcp.h"
#include "net/turn.h"
#include "net/xport.h"

/* Of the turn's work that an end costs: shutdown() and close() come with the turn's end. */
enum { END_BYTES = 8 << 10 };

int
conns_init(struct net *net)
{
    struct conns *conns = &net->conns;

    slots_init(&conns->slots, sizeof(struct conn), net->conf.connections);
    timers_init(&conns->timers, net->clock->now_ms);
    list_init(&conns->touched);
    list_init(&conns->ending);
    list_init(&conns->gone);
    list_init(&conns->dead);
    return table_init(&conns->by_peer) == SIPD_OK ? table_init(&conns->by_alias) : SIPD_ENOMEM;
}

/* ---------------------------------------------------------------- found */

static bool
takes_messages(const struct conn *conn)
{
    return conn->state == CONN_CONNECTING || conn->state == CONN_GREETING ||
           conn->state == CONN_OPEN;
}

/* One that is not there yet fails with its deadline, so who merely tries (hop.connect_ms) and who must connect do not share it. */
static bool
comes_in_time(const struct conn *conn, const struct hop *to)
{
    return conn->state != CONN_CONNECTING || (conn->peer.connect_ms != 0) == (to->connect_ms != 0);
}

static bool
leads_to(const struct table_node *node, const void *key)
{
    const struct conn *conn = container_of_const(node, struct conn, node);
    const struct hop *to = key;

    return takes_messages(conn) && hop_eq(&conn->peer, to) && sock_same_ip(&conn->peer, to) &&
           xport_suits(conn, to->name) && comes_in_time(conn, to);
}

uint64_t
conn_hash(const struct net *net, const struct hop *peer)
{
    char bytes[sizeof peer->ip + sizeof peer->port + sizeof peer->transport];

    memcpy(bytes, peer->ip, sizeof peer->ip);
    memcpy(bytes + sizeof peer->ip, &peer->port, sizeof peer->port);
    bytes[sizeof bytes - 1] = (char)peer->transport;
    return prf_hash(&net->key, (struct span){ bytes, sizeof bytes });
}

struct conn *
conn_to(const struct net *net, const struct hop *to)
{
    struct table_node *node = table_find(&net->conns.by_peer, conn_hash(net, to), leads_to, to);

    return node ? container_of(node, struct conn, node) : alias_find(net, to);
}

static bool
in_table(const struct conn *conn)
{
    return takes_messages(conn) || conn->state == CONN_ENDING;
}

struct conn *
conn_find(const struct net *net, uint64_t flow)
{
    struct conn *conn = slots_find(&net->conns.slots, flow);

    return conn && in_table(conn) ? conn : NULL;
}

struct conn *
conn_of(const struct net *net, const struct hop *hop)
{
    struct conn *conn = conn_find(net, hop->flow);

    return conn && hop_eq(&conn->peer, hop) ? conn : NULL;
}

/* ---------------------------------------------------------------- readiness */

static short
wanted(const struct conn *conn)
{
    short write = queue_empty(&conn->queue) && !xport_waits(conn) ? 0 : EV_WRITE;
    short read = xport_may_read(conn) && conn->looks == 0 ? EV_READ : 0;

    switch ((enum conn_state)conn->state) {
    case CONN_CONNECTING: return EV_WRITE;
    case CONN_GREETING: return EV_READ | (xport_waits(conn) ? EV_WRITE : 0);
    case CONN_OPEN: return read | write;
    case CONN_LINGERING: return EV_READ;
    case CONN_ENDING:
    case CONN_FLUSHING: return write;
    case CONN_DEAD: break;
    }
    return 0;
}

static void
readable(struct conn *conn)
{
    if (conn->wire)
        xport_readable(conn);
    else
        stream_read(conn);
}

static void
ready(evutil_socket_t fd, short what, void *arg)
{
    struct conn *conn = arg;

    (void)fd;
    turn_begin(conn->net);
    if (conn->state == CONN_CONNECTING) {
        tcp_connected(conn);
        return;
    }
    if (!turn_serves(conn->net, &conn->hungry, &conn->ready, what))
        return;
    if (what & EV_READ && (conn->state == CONN_OPEN || conn->state == CONN_GREETING))
        readable(conn);
    else if (what & EV_READ && conn->state == CONN_LINGERING)
        stream_discard(conn);
    if (what & EV_WRITE && conn->state != CONN_DEAD)
        outbox_write(conn);
    else if (conn->wire && conn->state != CONN_DEAD)
        conn_watch(conn);
}

void
conn_watch(struct conn *conn)
{
    short what = wanted(conn);

    if (what == conn->watched)
        return;
    event_del(&conn->ready);
    conn->watched = what;
    if (what == 0)
        return;
    event_assign(&conn->ready, conn->net->base, conn->fd, (short)(what | EV_PERSIST), ready, conn);
    if (event_add(&conn->ready, NULL) != 0)
        conn_die(conn, conn->net->count.conns_failed);
}

/* ---------------------------------------------------------------- birth */

static void
log_conn(const struct conn *conn, const char *event)
{
    struct span transport = hop_transport_via(conn->peer.transport);
    char text[HOP_TEXT_BYTES];
    struct span peer;

    if (!log_on(conn->net->log, LOG_LVL_DEBUG))
        return;
    peer = hop_write(&conn->peer, text);
    log_spans(conn->net->log, LOG_LVL_DEBUG, event, "transport", &transport, "peer", &peer, NULL);
}

struct conn *
conn_new(struct net *net, int fd, const struct hop *peer, bool inbound, enum conn_state state)
{
    uint64_t flow;
    struct conn *conn = slots_new(&net->conns.slots, &flow);

    if (!conn)
        return NULL;
    conn->net = net;
    conn->peer = *peer;
    conn->peer.flow = flow;
    conn->fd = fd;
    conn->state = (uint8_t)state;
    conn->inbound = inbound;
    conn->since_ms = conn->last_ms = net->clock->now_ms;
    if (xport_begin(conn) != SIPD_OK) {
        slots_free(&net->conns.slots, flow);
        return NULL;
    }
    event_assign(&conn->ready, net->base, fd, 0, ready, conn);
    timer_init(&conn->deadline);
    hungry_init(&conn->hungry);
    queue_init(&conn->queue);
    list_init(&conn->touched_link);
    list_init(&conn->end_link);
    listener_find(net, peer->listener)->conns++;
    table_insert(&net->conns.by_peer, &conn->node, conn_hash(net, peer));
    ++*(inbound ? net->count.conns_accepted : net->count.conns_opened);
    if (conn->wire && conn->state == CONN_OPEN)
        conn->state = CONN_GREETING;
    log_conn(conn, "conn_begin");
    deadline_arm(conn);
    conn_watch(conn);
    return conn;
}

void
conn_connected(struct conn *conn)
{
    if (!conn->wire) {
        conn_opened(conn);
        return;
    }
    conn->state = CONN_GREETING;
    xport_step(conn);
    conn_watch(conn);
}

void
conn_opened(struct conn *conn)
{
    conn->state = CONN_OPEN;
    conn->peer.connect_ms = 0;
    conn->spoke |= conn->wire != NULL; /* whoever shook hands has said something */
    conn->last_ms = conn->net->clock->now_ms;
    deadline_arm(conn);
    outbox_write(conn);
    if (conn->state == CONN_OPEN)
        conn_moved(conn);
}

static bool
has_waiting(const struct conn *conn)
{
    return !queue_empty(&conn->queue) || xport_waits(conn);
}

void
conn_moved(struct conn *conn)
{
    bool waited = conn->moved_ms != 0;

    conn->looks = 0;
    conn->moved_ms = has_waiting(conn) ? conn->net->clock->now_ms : 0;
    if (conn->moved_ms && !waited && conn->state == CONN_OPEN)
        deadline_arm(conn);
}

/*
 * Who reads nothing is pushed back, and costs next to nothing: his bytes stay in the kernel. Two who both wait for the other to
 * read would wait for ever, so now and then there is a look.
 */
void
conn_look(struct conn *conn)
{
    if (conn->looks < UINT16_MAX)
        conn->looks++;
    conn_watch(conn);
    if (conn->state == CONN_OPEN && xport_may_read(conn))
        event_active(&conn->ready, EV_READ, 0);
}

bool
conn_is_deaf(const struct conn *conn)
{
    return conn->looks > 0 || conn->queue.bytes > conn->net->conf.queue_bytes / 2;
}

void
conn_said(struct conn *conn)
{
    if (conn->said)
        return;
    conn->said = true;
    deadline_arm(conn);
}

void
conn_touch(struct conn *conn)
{
    if (list_empty(&conn->touched_link))
        list_push(&conn->net->conns.touched, &conn->touched_link);
}

void
conn_begun(struct conn *conn, uint64_t began_ms)
{
    conn->begun_ms = began_ms;
    if (began_ms)
        deadline_arm(conn);
}

/* ---------------------------------------------------------------- end */

void
conn_end(struct conn *conn, bool abrupt)
{
    if (!in_table(conn))
        return;
    conn->abrupt |= abrupt || conn->state == CONN_CONNECTING;
    if (conn->state == CONN_ENDING)
        return;
    turn_work(conn->net, END_BYTES);
    conn->state = CONN_ENDING;
    list_push(&conn->net->conns.ending, &conn->end_link);
    conn_watch(conn);
}

static void
go_on_ending(struct conn *conn, enum conn_state state)
{
    conn->state = (uint8_t)state;
    conn->begun_ms = conn->net->clock->now_ms;
    timers_disarm(&conn->net->conns.timers, &conn->deadline);
    deadline_arm(conn);
    conn_watch(conn);
}

/*
 * A descriptor closed while bytes lie unread makes a reset, which may overtake what we said last.
 */
static void
linger(struct conn *conn)
{
    xport_close(conn);
    if (conn->peer_ended || !tcp_shut(conn))
        conn_die(conn, NULL);
    else
        go_on_ending(conn, CONN_LINGERING);
}

void
conn_flushed(struct conn *conn)
{
    if (conn->state == CONN_FLUSHING)
        linger(conn);
}

static void
leave_table(struct conn *conn)
{
    if (in_table(conn))
        table_remove(&conn->net->conns.by_peer, &conn->node);
}

static void
shut(struct conn *conn)
{
    if (conn->abrupt) {
        conn_die(conn, NULL);
        return;
    }
    leave_table(conn);
    conn->state = CONN_FLUSHING;
    list_push(&conn->net->conns.gone, &conn->end_link);
    if (queue_empty(&conn->queue) && !xport_waits(conn))
        linger(conn);
    else
        go_on_ending(conn, CONN_FLUSHING);
}

void
conns_shut(struct net *net)
{
    for (struct list *node; (node = list_shift(&net->conns.ending));)
        shut(container_of(node, struct conn, end_link));
}

void
conn_die(struct conn *conn, uint64_t *counter)
{
    struct net *net = conn->net;

    if (conn->state == CONN_DEAD)
        return;
    log_conn(conn, "conn_end");
    if (conn->state == CONN_CONNECTING && conn->peer.connect_ms)
        rest_begin(net, &conn->peer);
    leave_table(conn);
    if (conn->counted)
        quota_give(net, &conn->peer);
    conn->state = CONN_DEAD;
    hungry_end(&conn->hungry);
    event_del(&conn->ready);
    close(conn->fd);
    alias_end(conn);
    xport_end(conn);
    timers_disarm(&net->conns.timers, &conn->deadline);
    outbox_fail(conn);
    if (counter)
        ++*counter;
    ++*net->count.conns_closed;
    list_remove(&conn->end_link);
    list_push(conn->told ? &net->conns.dead : &net->conns.gone, &conn->end_link);
}

void
conns_tell_gone(struct net *net)
{
    struct list now;

    list_init(&now);
    list_join(&now, &net->conns.gone);
    for (struct list *node; (node = list_shift(&now));) {
        struct conn *conn = container_of(node, struct conn, end_link);

        conn->told = true;
        if (conn->state == CONN_DEAD)
            list_push(&net->conns.dead, &conn->end_link);
        net->ports->flow_gone(net->ports->io, conn->peer.flow);
    }
}

static void
free_dead(struct net *net, struct conn *conn)
{
    list_remove(&conn->touched_link);
    net->held_bytes -= conn->in.len;
    buf_fini(&conn->in);
    listener_find(net, conn->peer.listener)->conns--;
    slots_free(&net->conns.slots, conn->peer.flow);
}

void
conns_reap(struct net *net)
{
    for (struct list *node; (node = list_shift(&net->conns.touched));)
        stream_forget(container_of(node, struct conn, touched_link));
    for (struct list *node; (node = list_shift(&net->conns.dead));)
        free_dead(net, container_of(node, struct conn, end_link));
}

void
conns_fini(struct net *net)
{
    uint64_t cursor = 0;

    for (struct conn *conn; (conn = slots_next(&net->conns.slots, &cursor));) {
        event_del(&conn->ready);
        if (conn->state != CONN_DEAD)
            close(conn->fd);
        alias_end(conn);
        xport_end(conn);
        queue_fini(net, &conn->queue);
        buf_fini(&conn->in);
    }
    table_fini(&net->conns.by_alias);
    table_fini(&net->conns.by_peer);
    slots_fini(&net->conns.slots);
}

/* ---------------------------------------------------------------- the public doors */

bool
net_close(struct net *net, uint64_t flow)
{
    struct conn *conn = conn_find(net, flow);

    if (!conn)
        return false;
    turn_begin(net);
    conn_end(conn, true);
    return true;
}

bool
net_flow_alive(const struct net *net, uint64_t flow)
{
    return conn_find(net, flow) != NULL;
}

bool
net_next_conn(const struct net *net, uint64_t *cursor, struct net_conn_info *out)
{
    const struct conn *conn;

    do
        conn = slots_next(&net->conns.slots, cursor);
    while (conn && !in_table(conn));
    if (!conn)
        return false;
    *out = (struct net_conn_info){
        .flow = conn->peer.flow,
        .peer = conn->peer,
        .inbound = conn->inbound,
        .connecting = conn->state == CONN_CONNECTING || conn->state == CONN_GREETING,
        .since_ms = conn->since_ms,
        .last_ms = conn->last_ms,
        .queued_bytes = (uint32_t)conn->queue.bytes,
    };
    xport_about(conn, &out->about);
    return true;
}

void
net_each_conn(const struct net *net, void (*fn)(void *arg, const struct net_conn_info *info),
              void *arg)
{
    struct net_conn_info info;

    for (uint64_t cursor = 0; net_next_conn(net, &cursor, &info);)
        fn(arg, &info);
}
