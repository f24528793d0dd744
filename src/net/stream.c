/*
 * Bytes of a connection to messages (RFC 3261 §18.3, RFC 5626 §4.4.1).
 *
 * All connections are read into one room that starts anew each turn; only the beginning of a
 * message that has not come whole is copied, and the rest of it read behind it. So a connection at
 * rest holds no buffer, and a turn no more than the room: who finds none is read in the next turn.
 */
#include "net/stream.h"

#include <errno.h>
#include <event2/event.h>
#include <sys/types.h>

#include "base/mem.h"
#include "base/poison.h"
#include "net/conn.h"
#include "net/listen.h"
#include "net/outbox.h"
#include "net/state.h"
#include "net/tcp.h"
#include "net/xport.h"
#include "sip/frame.h"

enum {
    ROOM_BYTES = 512 << 10,
    READ_LEAST_BYTES = 4 << 10,
    READ_MOST_BYTES = 64 << 10,
};

int
stream_init(struct net *net)
{
    net->room.bytes = mem_new(ROOM_BYTES);
    if (!net->room.bytes)
        return SIPD_ENOMEM;
    poison(net->room.bytes, ROOM_BYTES);
    return SIPD_OK;
}

void
stream_fini(struct stream_room *room)
{
    if (room->bytes)
        unpoison(room->bytes, ROOM_BYTES);
    mem_free(room->bytes);
    *room = (struct stream_room){ 0 };
}

void
stream_end_turn(struct net *net)
{
    poison(net->room.bytes, net->room.used);
    net->room.used = 0;
}

/* ---------------------------------------------------------------- messages */

/* False: its end is in doubt. */
static bool
hand_on(struct conn *conn, struct span message, uint16_t fault, const char *reason)
{
    struct net *net = conn->net;

    ++listener_find(net, conn->peer.listener)->received;
    ++*net->count.received;
    return net->ports->bytes(net->ports->io, &conn->peer, message, fault, reason);
}

/* Where the next message begins nobody can tell, or another may tell otherwise (§18.3): no more is read. */
static void
end_in_doubt(struct conn *conn)
{
    ++*conn->net->count.conns_bad;
    conn_end(conn, false);
}

/*
 * Who does not read our answers may ask as much as he likes. Answers and ACKs of theirs are taken: they end what others wait for,
 * and make us say nothing.
 */
static bool
is_heard(const struct conn *conn, struct span message)
{
    return !conn_is_deaf(conn) || span_starts(message, SPAN("SIP/2.0 ")) ||
           span_starts(message, SPAN("ACK "));
}

static bool
hear(struct conn *conn, struct span message, uint16_t fault, const char *reason)
{
    const struct net *net = conn->net;

    if (is_heard(conn, message))
        return hand_on(conn, message, fault, reason);
    ++*net->count.dropped_deaf;
    return !net->ports->doubts || !net->ports->doubts(net->ports->io, &conn->peer, message);
}

/* Nobody can tell where the next message begins: what can be answered is, then it ends. */
static void
refuse(struct conn *conn, struct span bytes, const struct frame *frame)
{
    if (frame->head_len > 0)
        (void)hand_on(conn, span_head(bytes, frame->head_len), frame->fault, frame->fault_reason);
    end_in_doubt(conn);
}

/* Hands on each whole message. Returns how many bytes are done with. */
static size_t
hand_on_all(struct conn *conn, struct span bytes)
{
    struct net *net = conn->net;
    struct frame frame = { .kind = FRAME_BLANK };
    size_t done = 0, seen = conn->seen;
    bool pinged = false;

    conn->behind = false;
    while (conn->state == CONN_OPEN) {
        struct span rest = span_skip(bytes, done);

        frame_stream(rest, net->conf.message_bytes, &seen, &frame);
        if (frame.kind == FRAME_MORE)
            break;
        seen = 0;
        if (done > 0 && !turn_goes_on(net, &conn->hungry, &conn->ready, EV_READ)) {
            conn->behind = true;
            break;
        }
        if (frame.kind == FRAME_BAD) {
            refuse(conn, rest, &frame);
            return bytes.len;
        }
        if (frame.kind == FRAME_MESSAGE &&
            !hear(conn, (struct span){ rest.at + frame.skip, frame.len }, frame.fault,
                  frame.fault_reason)) {
            end_in_doubt(conn);
            return bytes.len;
        }
        if (frame.kind == FRAME_MESSAGE || frame.kind == FRAME_PING)
            conn_said(conn);
        pinged |= frame.kind == FRAME_PING;
        done += frame.skip + frame.len;
    }
    conn->seen = (uint32_t)seen;
    /* The answer to our keep-alive looks like the first half of one of theirs (RFC 5626 §4.4.1). */
    if (conn->asked && span_eq(span_skip(bytes, done), SPAN("\r\n")))
        done = bytes.len;
    if (bytes.len > 0)
        conn->asked = false;
    /*
     * One answer for all pings that came together: more would let two bytes be had for four,
     * without end.
     */
    if (pinged)
        outbox_send(conn, SPAN("\r\n"), 0);
    if (bytes.len - done <= frame.skip || conn->state != CONN_OPEN)
        conn_begun(conn, 0);
    else if (done > 0 || !conn->begun_ms)
        conn_begun(conn, net->clock->now_ms);
    return done;
}

/* ---------------------------------------------------------------- reading */

/* Reads once. 0: nothing came; the connection may have begun its end, or died. */
static size_t
take(struct conn *conn, char *to, size_t room)
{
    ssize_t len = conn->wire ? xport_read(conn, to, room) : tcp_read(conn, to, room);

    if (len > 0) {
        turn_work(conn->net, (size_t)len);
        conn->last_ms = conn->net->clock->now_ms;
        conn->spoke = true;
        return (size_t)len;
    }
    if (len < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
        return 0;
    if (conn->begun_ms)
        ++*conn->net->count.conns_cut;
    if (len < 0) {
        conn_die(conn, NULL);
    } else {
        conn->peer_ended = true;
        conn_end(conn, false);
    }
    return 0;
}

/* Room for one read this turn; NULL: in the next. */
static char *
room_for(struct net *net, size_t *bytes)
{
    size_t left = ROOM_BYTES - net->room.used;

    if (left < READ_LEAST_BYTES)
        return NULL;
    *bytes = left < READ_MOST_BYTES ? left : READ_MOST_BYTES;
    unpoison(net->room.bytes + net->room.used, *bytes);
    return net->room.bytes + net->room.used;
}

/* Keeps the beginning of a message. */
static void
keep(struct conn *conn, struct span rest)
{
    struct net *net = conn->net;

    if (rest.len == 0 || conn->state != CONN_OPEN)
        return;
    buf_init(&conn->in, (size_t)net->conf.message_bytes + READ_MOST_BYTES);
    if (!queue_is_full(net, rest.len))
        buf_put(&conn->in, rest);
    if (conn->in.len > 0) {
        net->held_bytes += rest.len;
        return;
    }
    ++*net->count.dropped_memory;
    conn_die(conn, NULL);
}

static void
read_fresh(struct conn *conn)
{
    struct net *net = conn->net;
    size_t room, done;
    char *to = room_for(net, &room);
    struct span bytes;

    if (!to) {
        if (conn->wire)
            xport_step(conn); /* what lies in the session makes no descriptor ready */
        return;
    }
    bytes = (struct span){ to, take(conn, to, room) };
    done = hand_on_all(conn, bytes);
    net->room.used += done;
    keep(conn, span_skip(bytes, done));
    poison(net->room.bytes + net->room.used, room - done);
}

static void
take_messages(struct conn *conn)
{
    conn->taken = (uint32_t)hand_on_all(conn, buf_span(&conn->in));
    if (conn->taken > 0)
        conn_touch(conn);
}

/*
 * Reads behind the beginning that was kept; as much again each time, so that a large one is not
 * moved often.
 */
static void
read_more(struct conn *conn)
{
    size_t room = conn->in.len > READ_LEAST_BYTES ? conn->in.len : READ_LEAST_BYTES;
    size_t len;
    char *to;

    if (conn->taken > 0) {
        if (conn->wire)
            xport_step(conn);
        return;
    }
    if (conn->behind) {
        take_messages(conn);
        if (conn->wire && !conn->behind)
            xport_step(conn); /* more may lie in the session */
        return;
    }
    room = room < READ_MOST_BYTES ? room : READ_MOST_BYTES;
    to = queue_is_full(conn->net, room) ? NULL : buf_reserve(&conn->in, room);
    if (!to) {
        ++*conn->net->count.dropped_memory;
        conn_die(conn, NULL);
        return;
    }
    len = take(conn, to, room);
    conn->in.len += len;
    conn->net->held_bytes += len;
    if (conn->state == CONN_OPEN)
        take_messages(conn);
}

/* A transport that yields whole messages: each read is one. */
static void
read_message(struct conn *conn)
{
    struct net *net = conn->net;
    size_t room = net->conf.message_bytes, len;
    char *to = net->room.bytes + net->room.used;

    if (ROOM_BYTES - net->room.used < room) {
        xport_step(conn);
        return;
    }
    unpoison(to, room);
    len = take(conn, to, room);
    if (len > 0) {
        conn_said(conn);
        (void)hear(conn, (struct span){ to, len }, 0, NULL);
    }
    net->room.used += len;
    poison(net->room.bytes + net->room.used, room - len);
}

void
stream_read(struct conn *conn)
{
    if (xport_yields_messages(conn))
        read_message(conn);
    else if (conn->in.len > 0)
        read_more(conn);
    else
        read_fresh(conn);
}

void
stream_discard(struct conn *conn)
{
    char scrap[4096];
    ssize_t len = tcp_read(conn, scrap, sizeof scrap);

    if (len == 0 || (len < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR))
        conn_die(conn, NULL);
}

void
stream_forget(struct conn *conn)
{
    size_t taken = conn->taken;

    conn->taken = 0;
    conn->net->held_bytes -= taken;
    buf_drop(&conn->in, taken);
    if (conn->in.len == 0)
        buf_fini(&conn->in);
}
