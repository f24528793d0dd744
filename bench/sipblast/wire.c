/*
 * The caller's and the callee's UDP socket: a queue each that leaves by one sendmmsg, and recvmmsg that never sleeps.
 */
#include "blast.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#define BATCH 64
#define TRIES 1000 /* of a send that finds no room */

struct batch {
    struct mmsghdr messages[BATCH];
    struct iovec parts[BATCH];
    struct sockaddr_in peers[BATCH];
    char bytes[BATCH][MESSAGE_BYTES];
};

static struct end {
    int fd;
    unsigned queued;
    struct batch out;
} ends[2];
static struct batch in;

static void
batch_init(struct batch *batch)
{
    for (unsigned i = 0; i < BATCH; i++) {
        batch->parts[i] = (struct iovec){ batch->bytes[i], MESSAGE_BYTES };
        batch->messages[i].msg_hdr = (struct msghdr){ .msg_iov = &batch->parts[i],
                                                      .msg_iovlen = 1,
                                                      .msg_name = &batch->peers[i],
                                                      .msg_namelen = sizeof batch->peers[i] };
    }
}

static int
socket_open(const struct sockaddr_in *own)
{
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), room_bytes = 16 << 20;

    if (fd < 0)
        fail("socket: %s", strerror(errno));
    /* FORCE goes past net.core.rmem_max and needs CAP_NET_ADMIN. */
    if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room_bytes, sizeof room_bytes) != 0)
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room_bytes, sizeof room_bytes);
    if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &room_bytes, sizeof room_bytes) != 0)
        setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &room_bytes, sizeof room_bytes);
    if (bind(fd, (const struct sockaddr *)own, sizeof *own) != 0)
        fail("bind: %s", strerror(errno));
    return fd;
}

void
wire_open(void)
{
    batch_init(&in);
    for (unsigned side = CALLER; side <= CALLEE; side++) {
        batch_init(&ends[side].out);
        ends[side].fd = socket_open(side == CALLER ? &plan.caller : &plan.callee);
    }
}

static void
end_flush(struct end *end)
{
    unsigned sent = 0, tries = 0;

    while (sent < end->queued) {
        int n = sendmmsg(end->fd, end->out.messages + sent, end->queued - sent, 0);

        if (n > 0) {
            sent += (unsigned)n;
        } else if (errno != EINTR && ++tries > TRIES) {
            tally.unsent += end->queued - sent;
            break;
        }
    }
    end->queued = 0;
}

char *
wire_buffer(enum side side)
{
    if (ends[side].queued == BATCH)
        end_flush(&ends[side]);
    return ends[side].out.bytes[ends[side].queued];
}

void
wire_send(enum side side, const struct sockaddr_in *to, size_t len)
{
    struct end *end = &ends[side];

    end->out.peers[end->queued] = *to;
    end->out.parts[end->queued].iov_len = len;
    end->queued++;
    tally.sent++;
}

void
wire_flush(void)
{
    end_flush(&ends[CALLER]);
    end_flush(&ends[CALLEE]);
}

static unsigned
end_receive(enum side side, uint64_t now)
{
    int got = recvmmsg(ends[side].fd, in.messages, BATCH, MSG_DONTWAIT, NULL);

    for (int i = 0; i < got; i++) {
        struct message message;
        size_t len = in.messages[i].msg_len;

        in.messages[i].msg_hdr.msg_namelen = sizeof in.peers[i];
        tally.received++;
        if (!message_read(in.bytes[i], len, &message))
            tally.bad[BAD_SYNTAX]++;
        else if (message.has_length && message.content_length != len - message.head_bytes)
            tally.bad[BAD_LENGTH]++;
        else
            call_message(side, &in.peers[i], &message, now);
    }
    return got > 0 ? (unsigned)got : 0;
}

void
wire_wait(uint64_t ns)
{
    struct pollfd both[] = { { .fd = ends[CALLER].fd, .events = POLLIN },
                             { .fd = ends[CALLEE].fd, .events = POLLIN } };
    struct timespec time = { .tv_sec = (time_t)(ns / NS), .tv_nsec = (long)(ns % NS) };

    (void)!ppoll(both, 2, &time, NULL);
}

/* Returns how many messages there were. */
unsigned
wire_receive(uint64_t now)
{
    return end_receive(CALLER, now) + end_receive(CALLEE, now);
}
