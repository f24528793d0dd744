/*
 * A connection's life: found by its flow id or its far end, reused, watched over by one deadline,
 * ended (RFC 3261 §18).
 *
 * A connection dies at once but is freed, and its death told, when the turn ends: so pointers to it
 * are good for the turn.
 */
#include "net/conn.h"

#include <event2/event.h>
#include <unistd.h>

#include "base/mem.h"
#include "net/alias.h"
#include "net/outbox.h"
#include "net/state.h"
#include "net/stream.h"
#include "net/tcp.h"
#include "net/turn.h"
#include "net/xport.h"

enum {
    LINGER_MS = 2000,
    END_BYTES =
        8
        << 10, /* of the turn's work that an end costs: shutdown() and close() come with the turn's end */
};

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

static bool
leads_to(const struct table_node *node, const void *key)
{
    const struct conn *conn = container_of_const(node, struct conn, node);
    const struct hop *to = key;

    return takes_messages(conn) && hop_eq(&conn->peer, to) && sock_same_ip(&conn->peer, to) &&
           xport_suits(conn, to->name);
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

/* ---------------------------------------------------------------- the deadline */

static uint64_t
sooner(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* Who connected owes us a first byte, and a first message. */
static uint64_t
first_deadline_ms(const struct conn *conn)
{
    const struct net_conf *conf = &conn->net->conf;
    uint64_t at_ms = UINT64_MAX;

    if (!conn->inbound || conn->said)
        return at_ms;
    if (conf->first_message_ms)
        at_ms = conn->since_ms + conf->first_message_ms;
    if (conf->first_byte_ms && !conn->spoke)
        at_ms = sooner(at_ms, conn->since_ms + conf->first_byte_ms);
    return at_ms;
}

/* When a connection that bore messages is asked whether it lives. */
static uint64_t
ask_ms(const struct conn *conn)
{
    uint32_t every_ms = conn->net->conf.keepalive_ms;

    if (every_ms == 0 || conn->state != CONN_OPEN || (conn->inbound && !conn->said))
        return UINT64_MAX;
    return (conn->asked_ms > conn->last_ms ? conn->asked_ms : conn->last_ms) + every_ms;
}

/* When an open one is at its end. */
static uint64_t
end_ms(const struct conn *conn)
{
    const struct net_conf *conf = &conn->net->conf;
    uint64_t at_ms = sooner(conn->last_ms + conf->idle_ms, first_deadline_ms(conn));

    if (conn->moved_ms)
        at_ms = sooner(at_ms, conn->moved_ms + conf->message_ms);
    return conn->begun_ms ? sooner(at_ms, conn->begun_ms + conf->message_ms) : at_ms;
}

static uint64_t
deadline_ms(const struct conn *conn)
{
    const struct net_conf *conf = &conn->net->conf;

    switch ((enum conn_state)conn->state) {
    case CONN_CONNECTING:
    case CONN_GREETING:
        return conn->since_ms + (conn->peer.connect_ms ? conn->peer.connect_ms : conf->connect_ms);
    case CONN_FLUSHING: return conn->begun_ms + conf->message_ms;
    case CONN_LINGERING: return conn->begun_ms + LINGER_MS;
    case CONN_OPEN:
    case CONN_ENDING:
    case CONN_DEAD: break;
    }
    return sooner(end_ms(conn), ask_ms(conn));
}

/* A deadline that has moved away is not armed anew: when it comes, it is looked at. */
static void
arm(struct conn *conn)
{
    uint64_t at_ms = deadline_ms(conn);

    if (!timer_armed(&conn->deadline) || at_ms < conn->deadline.deadline_ms)
        timers_arm(&conn->net->conns.timers, &conn->deadline, at_ms, 0, conn->peer.flow);
}

/* RFC 5626 §4.4.1, the other way: whoever is there answers, and whoever is not is found out by the kernel. */
static void
ask(struct conn *conn)
{
    conn->asked_ms = conn->net->clock->now_ms;
    conn->asks = conn->asked = true;
    outbox_send(conn, SPAN("\r\n\r\n"), 0);
    arm(conn);
}

/* The kernel says that there is room when much of it has become free: a slow reader is known by what it has acknowledged. */
static void
expire_waiting(struct conn *conn)
{
    uint32_t acked = tcp_acked(conn);

    if (acked == conn->acked) {
        conn_die(conn, conn->net->count.conns_deaf);
        return;
    }
    conn->acked = acked;
    conn_moved(conn);
    arm(conn);
}

static void
expire_open(struct conn *conn)
{
    struct net_count *count = &conn->net->count;
    uint64_t now_ms = conn->net->clock->now_ms;

    if (end_ms(conn) > now_ms)
        ask(conn);
    else if (first_deadline_ms(conn) <= now_ms)
        conn_die(conn, count->conns_silent);
    else if (conn->begun_ms && conn->begun_ms + conn->net->conf.message_ms <= now_ms)
        conn_die(conn, count->conns_slow);
    else if (conn->moved_ms && conn->moved_ms + conn->net->conf.message_ms <= now_ms)
        expire_waiting(conn);
    else
        conn_die(conn, count->conns_idle);
}

/* Its time is up: which one? */
static void
expire(struct conn *conn)
{
    struct net_count *count = &conn->net->count;

    if (conn->state == CONN_CONNECTING)
        conn_die(conn, count->conns_failed);
    else if (conn->state == CONN_GREETING)
        conn_die(conn, count->conns_ungreeted);
    else if (conn->state == CONN_OPEN)
        expire_open(conn);
    else
        conn_die(conn, NULL);
}

void
conns_expire(struct net *net)
{
    struct timers *timers = &net->conns.timers;

    for (struct timer *timer; (timer = timers_due(timers, net->clock->now_ms));) {
        struct conn *conn = container_of(timer, struct conn, deadline);

        if (deadline_ms(conn) <= net->clock->now_ms)
            expire(conn);
        else
            arm(conn);
    }
}

uint64_t
conns_next_ms(const struct net *net)
{
    return timers_next_ms(&net->conns.timers);
}

/* ---------------------------------------------------------------- readiness */

static short
wanted(const struct conn *conn)
{
    short write = queue_empty(&conn->queue) && !xport_waits(conn) ? 0 : EV_WRITE;
    short read = xport_may_read(conn) ? EV_READ : 0;

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
    arm(conn);
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
    arm(conn);
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

    conn->moved_ms = has_waiting(conn) ? conn->net->clock->now_ms : 0;
    if (conn->moved_ms && !waited && conn->state == CONN_OPEN)
        arm(conn);
}

bool
conn_is_deaf(const struct conn *conn)
{
    return conn->queue.bytes > conn->net->conf.queue_bytes / 2;
}

void
conn_said(struct conn *conn)
{
    if (conn->said)
        return;
    conn->said = true;
    arm(conn);
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
        arm(conn);
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
    arm(conn);
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
