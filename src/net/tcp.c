/*
 * TCP: accepted, connected, read and written (RFC 3261 §18).
 */
#include "net/tcp.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <linux/tcp.h>
#include <unistd.h>

#include "net/conn.h"
#include "net/listen.h"
#include "net/sock.h"
#include "net/state.h"
#include "net/turn.h"

enum {
    ACCEPT_MOST = 64, /* a turn, of one listener */
    BACKLOG = 4096,
    PAUSE_MS = 100,            /* when nothing can be accepted nor turned away */
    UNACKNOWLEDGED_MS = 32000, /* 64*T1: by then nobody waits for an answer */
    UNSENT_BYTES = 32 << 10,
};

/*
 * Messages are small and whole; a peer that vanished is found out before its transactions have all
 * died.
 */
static void
set_options(int fd)
{
    sock_set(fd, IPPROTO_TCP, TCP_NODELAY, 1);
    sock_set(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, UNACKNOWLEDGED_MS);
    /* More would not leave sooner. What waits, waits where we see and bound it, not in megabytes of the kernel's. */
    sock_set(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, UNSENT_BYTES);
}

/* ---------------------------------------------------------------- accepted */

void
tcp_spare(struct net *net)
{
    net->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

static int
accept_one(const struct listener *listener, union sock_addr *addr)
{
    socklen_t len = sizeof *addr;

    return accept4(listener->fd, &addr->any, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
}

static void
admit(struct listener *listener, int fd, const union sock_addr *addr)
{
    struct net *net = listener->net;
    struct hop peer = { .transport = listener->at.transport, .listener = listener->at.listener };
    struct conn *conn;

    sock_addr_read(addr, &peer);
    if (!quota_take(net, &peer)) {
        ++*net->count.conns_over_source;
        close(fd);
        return;
    }
    set_options(fd);
    conn = conn_new(net, fd, &peer, true, CONN_OPEN);
    if (conn) {
        conn->counted = true;
        return;
    }
    quota_give(net, &peer);
    ++*net->count.conns_over_limit;
    close(fd);
}

/*
 * No descriptor is left: the spare one is given up, so that the peer hears at once instead of
 * waiting in the backlog.
 */
static bool
turn_away(struct listener *listener)
{
    struct net *net = listener->net;
    union sock_addr addr;
    int fd;

    if (net->spare_fd < 0)
        return false;
    close(net->spare_fd);
    fd = accept_one(listener, &addr);
    if (fd >= 0)
        close(fd);
    tcp_spare(net);
    if (fd < 0)
        return false;
    ++*net->count.conns_no_descriptor;
    return true;
}

static void acceptable(evutil_socket_t fd, short what, void *arg);

static int
listen_on(struct listener *listener)
{
    event_assign(&listener->readable, listener->net->base, listener->fd, EV_READ | EV_PERSIST,
                 acceptable, listener);
    return event_add(&listener->readable, NULL) == 0 ? SIPD_OK : SIPD_ENOMEM;
}

static void pause_over(evutil_socket_t fd, short what, void *arg);

/* What cannot be accepted keeps the socket readable: without a pause the loop would spin. */
static void
pause_listening(struct listener *listener)
{
    struct timeval a_while = { .tv_usec = PAUSE_MS * 1000 };

    log_event(listener->net->log, LOG_LVL_WARN, "accept_paused", "why", strerror(errno), NULL);
    event_del(&listener->readable);
    event_assign(&listener->readable, listener->net->base, -1, 0, pause_over, listener);
    event_add(&listener->readable, &a_while);
}

static void
pause_over(evutil_socket_t fd, short what, void *arg)
{
    struct listener *listener = arg;

    (void)fd;
    (void)what;
    turn_begin(listener->net);
    if (listener->net->spare_fd < 0)
        tcp_spare(listener->net);
    if (listen_on(listener) != SIPD_OK)
        pause_listening(listener);
}

/*
 * Errors of a connection that ended before it was accepted, or of the network, concern only that
 * one (accept(2)).
 */
static bool
concerns_one(int err)
{
    return err == EINTR || err == ECONNABORTED || err == ENETDOWN || err == EPROTO ||
           err == ENOPROTOOPT || err == EHOSTDOWN || err == ENONET || err == EHOSTUNREACH ||
           err == ENETUNREACH;
}

static void
acceptable(evutil_socket_t ready_fd, short what, void *arg)
{
    struct listener *listener = arg;

    (void)ready_fd;
    (void)what;
    turn_begin(listener->net);
    for (int i = 0; i < ACCEPT_MOST; i++) {
        union sock_addr addr;
        int fd = accept_one(listener, &addr);

        if (fd >= 0) {
            admit(listener, fd, &addr);
            continue;
        }
        if (errno == EAGAIN || errno == EWOULDBLOCK)
            return;
        if (concerns_one(errno))
            continue;
        if ((errno == EMFILE || errno == ENFILE) && turn_away(listener))
            continue;
        pause_listening(listener);
        return;
    }
}

int
tcp_start(struct listener *listener)
{
    if (listen(listener->fd, BACKLOG) != 0)
        return SIPD_EIO;
    return listen_on(listener);
}

/* ---------------------------------------------------------------- connected */

/* From the listener's address, any port; it is chosen at connect, so one port serves many peers. */
static bool
begin_connect(int fd, const struct listener *from, const struct hop *to)
{
    struct hop source = from->at;
    union sock_addr addr;
    socklen_t len;

    set_options(fd);
    sock_set(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1);
    source.port = 0;
    len = sock_addr_write(&source, &addr);
    if (bind(fd, &addr.any, len) != 0)
        return false;
    len = sock_addr_write(to, &addr);
    return connect(fd, &addr.any, len) == 0 || errno == EINPROGRESS;
}

int
tcp_connect(struct net *net, struct listener *from, const struct hop *to, struct conn **conn)
{
    struct hop peer = *to;
    int fd = sock_new(sock_family(to), SOCK_STREAM);

    if (fd < 0)
        return SIPD_EFULL;
    peer.listener = from->at.listener;
    if (!begin_connect(fd, from, to)) {
        ++*net->count.conns_failed;
        if (to->connect_ms)
            rest_begin(net, to);
        close(fd);
        return SIPD_EIO;
    }
    *conn = conn_new(net, fd, &peer, false, CONN_CONNECTING);
    if (*conn)
        return SIPD_OK;
    close(fd);
    return SIPD_EFULL;
}

void
tcp_connected(struct conn *conn)
{
    int err = 0;
    socklen_t len = sizeof err;

    if (getsockopt(conn->fd, SOL_SOCKET, SO_ERROR, &err, &len) != 0 || err != 0)
        conn_die(conn, conn->net->count.conns_failed);
    else
        conn_connected(conn);
}

/* ---------------------------------------------------------------- bytes */

ssize_t
tcp_read(struct conn *conn, char *to, size_t room)
{
    return recv(conn->fd, to, room, MSG_DONTWAIT);
}

ssize_t
tcp_write(struct conn *conn, struct iovec *parts, size_t n)
{
    struct msghdr message = { .msg_iov = parts, .msg_iovlen = n };

    return sendmsg(conn->fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
}

uint32_t
tcp_acked(const struct conn *conn)
{
    struct tcp_info info = { 0 };
    socklen_t len = sizeof info;

    (void)getsockopt(conn->fd, IPPROTO_TCP, TCP_INFO, &info, &len);
    return (uint32_t)info.tcpi_bytes_acked;
}

bool
tcp_shut(struct conn *conn)
{
    return shutdown(conn->fd, SHUT_WR) == 0;
}
