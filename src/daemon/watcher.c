/*
 * Watches the machine's addresses by rtnetlink(7): what a message says is not read, only that there was one.
 */
#include "daemon/watcher.h"

#include <event2/event.h>
#include <event2/event_struct.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "daemon/listening.h"

enum {
    SETTLE_MS = 200
}; /* addresses come in groups, and IPv6 ones are checked for duplicates first */

struct watcher {
    int fd;
    struct event readable, settled;
};

static void
on_settled(evutil_socket_t fd, short what, void *arg)
{
    struct daemon *d = arg;

    (void)fd;
    (void)what;
    net_wake(d->net);
    listening_follow(d);
}

static void
on_readable(evutil_socket_t fd, short what, void *arg)
{
    const struct daemon *d = arg;
    const struct timeval soon = { .tv_usec = SETTLE_MS * 1000 };
    char news[8192];

    (void)what;
    while (recv(fd, news, sizeof news, MSG_DONTWAIT) > 0)
        ;
    if (!event_pending(&d->watcher->settled, EV_TIMEOUT, NULL))
        event_add(&d->watcher->settled, &soon);
}

static int
open_socket(void)
{
    struct sockaddr_nl at = {
        .nl_family = AF_NETLINK,
        .nl_groups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR,
    };
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);

    if (fd >= 0 && bind(fd, (const struct sockaddr *)&at, sizeof at) != 0) {
        close(fd);
        fd = -1;
    }
    return fd;
}

int
watcher_open(struct daemon *d)
{
    struct watcher *w = mem_new(sizeof *w);
    struct event_base *base = net_event_base(d->net);

    if (!w)
        return SIPD_ENOMEM;
    w->fd = open_socket();
    if (w->fd < 0) {
        mem_free(w);
        return SIPD_EIO;
    }
    event_assign(&w->readable, base, w->fd, EV_READ | EV_PERSIST, on_readable, d);
    evtimer_assign(&w->settled, base, on_settled, d);
    d->watcher = w;
    return event_add(&w->readable, NULL) == 0 ? SIPD_OK : SIPD_ENOMEM;
}

void
watcher_close(struct daemon *d)
{
    struct watcher *w = d->watcher;

    d->watcher = NULL;
    if (!w)
        return;
    event_del(&w->readable);
    event_del(&w->settled);
    close(w->fd);
    mem_free(w);
}
