/*
 * How long a connection may take for what it is about: one timer for all the reasons to end it, or to ask whether it lives.
 */
#include "net/deadline.h"

#include "net/conn.h"
#include "net/outbox.h"
#include "net/state.h"
#include "net/tcp.h"

enum { LINGER_MS = 2000, LOOK_MS = 1000 };

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

/* When is looked whether the peer has read any of what waits for it. */
static uint64_t
look_ms(const struct conn *conn)
{
    if (!conn->moved_ms || conn->state != CONN_OPEN)
        return UINT64_MAX;
    return conn->moved_ms + (conn->looks + 1ull) * LOOK_MS;
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
    return sooner(sooner(end_ms(conn), ask_ms(conn)), look_ms(conn));
}

/* One that has moved away is not armed anew: when it comes, it is looked at. */
void
deadline_arm(struct conn *conn)
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
    deadline_arm(conn);
}

/* The kernel says that there is room when much of it has become free: a slow reader is known by what it has acknowledged. */
static bool
has_read(struct conn *conn)
{
    uint32_t acked = tcp_acked(conn);
    bool read = acked != conn->acked;

    conn->acked = acked;
    return read;
}

static void
look(struct conn *conn)
{
    if (has_read(conn)) {
        conn_moved(conn);
        conn_watch(conn);
    } else {
        conn_look(conn);
    }
    if (conn->state == CONN_OPEN)
        deadline_arm(conn);
}

static void
expire_waiting(struct conn *conn)
{
    if (has_read(conn)) {
        conn_moved(conn);
        conn_watch(conn);
        deadline_arm(conn);
    } else {
        conn_die(conn, conn->net->count.conns_deaf);
    }
}

static void
expire_open(struct conn *conn)
{
    struct net_count *count = &conn->net->count;
    uint64_t now_ms = conn->net->clock->now_ms;

    if (end_ms(conn) > now_ms && look_ms(conn) <= now_ms)
        look(conn);
    else if (end_ms(conn) > now_ms)
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
deadlines_expire(struct net *net)
{
    struct timers *timers = &net->conns.timers;

    for (struct timer *timer; (timer = timers_due(timers, net->clock->now_ms));) {
        struct conn *conn = container_of(timer, struct conn, deadline);

        if (deadline_ms(conn) <= net->clock->now_ms)
            expire(conn);
        else
            deadline_arm(conn);
    }
}

uint64_t
deadlines_next_ms(const struct net *net)
{
    return timers_next_ms(&net->conns.timers);
}
