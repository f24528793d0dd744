/*
 * What tests of connections have in common.
 */
#include "live/tcp_rig.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

const struct net_conf tcp_plain = {
    .connections = 100,
    .message_bytes = 65535,
    .idle_ms = 60000,
    .message_ms = 60000,
    .connect_ms = 60000,
    .queue_bytes = 1 << 20,
};

char tcp_large[TCP_LARGE + 1];

void
tcp_echo(struct rig *r, const struct hop *from, struct span bytes)
{
    net_send(r->net, from, bytes, 0);
}

void
tcp_answer(struct rig *r, const struct hop *from, struct span bytes)
{
    (void)bytes;
    net_send(r->net, from, SPAN(TCP_ANSWER), 0);
}

int
tcp_talking(struct hop *flow)
{
    struct hop at = rig_at(rig_listen(HOP_TCP, "127.0.0.1"));
    int fd = peer_connect(&at);

    peer_write(fd, SPAN(TCP_REQUEST));
    rig_run_messages(1);
    *flow = rig.messages[0].from;
    return fd;
}

static bool
connection_waits(struct rig *r)
{
    int fd = accept4(r->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

    if (fd < 0)
        return false;
    *(int *)r->arg = fd;
    return true;
}

int
tcp_listening(struct hop *at)
{
    uint16_t port;
    int fd = peer_new(SOCK_STREAM, "127.0.0.1", &port);

    ck_assert_int_eq(listen(fd, 10), 0);
    *at = rig_hop(HOP_TCP, "127.0.0.1", port);
    return fd;
}

int
tcp_accepted(int listening)
{
    int fd = -1;

    rig.fd = listening;
    rig.arg = &fd;
    rig_run(connection_waits);
    return fd;
}

static void
make_large(void)
{
    int head = snprintf(tcp_large, sizeof tcp_large,
                        "MESSAGE sip:a SIP/2.0\r\nContent-Length: 59900\r\n\r\n");

    memset(tcp_large + head, 'x', sizeof tcp_large - 1 - (size_t)head);
}

uint64_t
tcp_fill(const struct hop *to)
{
    enum { SETTLED_TURNS = 30 };
    uint64_t token = 0;

    make_large();
    for (unsigned settled = 0; settled < SETTLED_TURNS;) {
        if (rig_count("net_sent") == token) {
            rig_send(to, tcp_large, ++token);
            ck_assert_uint_lt(token, 1000);
            settled = 0;
        }
        rig_run_turns(1);
        settled++;
    }
    return token;
}
