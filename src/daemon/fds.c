/*
 * Descriptors that modules own, on the loop's event base.
 */
#include "daemon/fds.h"

#include <event2/event.h>
#include <event2/event_struct.h>
#include <sipd/module.h>

#include "base/mem.h"

struct watch {
    struct event event;
    struct net *net;
    void (*fn)(void *arg, unsigned ready);
    void *arg;
};

static void
on_event(evutil_socket_t fd, short what, void *arg)
{
    const struct watch *w = arg;
    unsigned ready = (what & EV_READ ? SIPD_FD_READ : 0u) | (what & EV_WRITE ? SIPD_FD_WRITE : 0u);

    (void)fd;
    net_wake(w->net);
    w->fn(w->arg, ready);
}

int
fds_watch(struct net *net, int fd, unsigned what, void (*fn)(void *arg, unsigned ready), void *arg,
          void **watch)
{
    short events = (short)(EV_PERSIST | (what & SIPD_FD_READ ? EV_READ : 0) |
                           (what & SIPD_FD_WRITE ? EV_WRITE : 0));
    struct watch *w = mem_new(sizeof *w);

    *watch = NULL;
    if (!w)
        return SIPD_ENOMEM;
    w->net = net;
    w->fn = fn;
    w->arg = arg;
    event_assign(&w->event, net_event_base(net), fd, events, on_event, w);
    if (event_add(&w->event, NULL) != 0) {
        mem_free(w);
        return SIPD_ENOMEM;
    }
    *watch = w;
    return SIPD_OK;
}

void
fds_unwatch(void *watch)
{
    struct watch *w = watch;

    event_del(&w->event);
    mem_free(w);
}
