/*
 * Bytes of a connection to messages (RFC 3261 §18.3, RFC 5626 §4.4.1).
 *
 * All connections are read into one room that starts anew each turn; only the beginning of a
 * message that has not come whole is copied, and the rest of it read behind it. So a connection at
 * rest holds no buffer, and a turn no more than the room: who finds none is read in the next turn.
 */
#include "net/stream.h"

#include <errno.h>
#include <sys/types.h>

#include "base/mem.h"
#include "base/poison.h"
#include "net/conn.h"
#include "net/listen.h"
#include "net/outbox.h"
#include "net/state.h"
#include "net/tcp.h"
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

static void
hand_on(struct conn *conn, struct span message, uint16_t fault, const char *reason)
{
    struct net *net = conn->net;

    ++listener_find(net, conn->peer.listener)->received;
    ++*net->count.received;
    net->ports->bytes(net->ports->io, &conn->peer, message, fault, reason);
}

/* Nobody can tell where the next message begins: what can be answered is, then it ends. */
static void
refuse(struct conn *conn, struct span bytes, const struct frame *frame)
{
    ++*conn->net->count.conns_bad;
    if (frame->head_len > 0)
        hand_on(conn, span_head(bytes, frame->head_len), frame->fault, frame->fault_reason);
    conn_end(conn, false);
}

/* Hands on each whole message. Returns how many bytes are done with. */
static size_t
hand_on_all(struct conn *conn, struct span bytes)
{
    struct net *net = conn->net;
    struct frame frame = { .kind = FRAME_BLANK };
    bool pinged = false;
    size_t done = 0;

    while (conn->state == CONN_OPEN) {
        struct span rest = span_skip(bytes, done);

        frame_stream(rest, net->conf.message_bytes, &conn->seen, &frame);
        if (frame.kind == FRAME_MORE)
            break;
        conn->seen = 0;
        if (frame.kind == FRAME_BAD) {
            refuse(conn, rest, &frame);
            return bytes.len;
        }
        if (frame.kind == FRAME_MESSAGE)
            hand_on(conn, (struct span){ rest.at + frame.skip, frame.len }, frame.fault,
                    frame.fault_reason);
        pinged |= frame.kind == FRAME_PING;
        done += frame.skip + frame.len;
    }
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
    ssize_t len = tcp_read(conn, to, room);

    if (len > 0) {
        conn->last_ms = conn->net->clock->now_ms;
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
    buf_put(&conn->in, rest);
    if (!conn->in.err)
        return;
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

    if (!to)
        return;
    bytes = (struct span){ to, take(conn, to, room) };
    done = hand_on_all(conn, bytes);
    net->room.used += done;
    keep(conn, span_skip(bytes, done));
    poison(net->room.bytes + net->room.used, room - done);
}

/*
 * Reads behind the beginning that was kept; as much again each time, so that a large one is not
 * moved often.
 */
static void
read_more(struct conn *conn)
{
    size_t room = conn->in.len > READ_LEAST_BYTES ? conn->in.len : READ_LEAST_BYTES;
    char *to;

    if (conn->taken > 0)
        return;
    room = room < READ_MOST_BYTES ? room : READ_MOST_BYTES;
    to = buf_reserve(&conn->in, room);
    if (!to) {
        ++*conn->net->count.dropped_memory;
        conn_die(conn, NULL);
        return;
    }
    conn->in.len += take(conn, to, room);
    if (conn->state != CONN_OPEN)
        return;
    conn->taken = hand_on_all(conn, buf_span(&conn->in));
    if (conn->taken > 0)
        conn_touch(conn);
}

void
stream_read(struct conn *conn)
{
    if (conn->in.len > 0)
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
    buf_drop(&conn->in, taken);
    if (conn->in.len == 0)
        buf_fini(&conn->in);
}
