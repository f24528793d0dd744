/*
 * Signals become events of the loop: SIGHUP reloads, SIGTERM and SIGINT stop.
 */
#include "daemon/signals.h"

#include <event2/event.h>
#include <event2/event_struct.h>

#include "base/mem.h"
#include "daemon/reload.h"

struct signals {
    struct event hup, term, interrupt;
};

static void
on_hup(evutil_socket_t number, short what, void *arg)
{
    struct daemon *d = arg;

    (void)number;
    (void)what;
    net_wake(d->net);
    reload_by_signal(d);
}

static void
on_stop(evutil_socket_t number, short what, void *arg)
{
    struct daemon *d = arg;

    (void)number;
    (void)what;
    net_wake(d->net);
    daemon_stop(d);
}

static int
watch(struct daemon *d, struct event *event, int number, event_callback_fn fn)
{
    evsignal_assign(event, net_event_base(d->net), number, fn, d);
    return evsignal_add(event, NULL) == 0 ? SIPD_OK : SIPD_ENOMEM;
}

int
signals_open(struct daemon *d)
{
    struct signals *s = mem_new(sizeof *s);
    struct sigaction ignore = { .sa_handler = SIG_IGN };

    d->signals = s;
    if (!s)
        return SIPD_ENOMEM;
    sigaction(SIGPIPE, &ignore, NULL);
    /* a file at its limit is an error of write(), and no reason to end */
    sigaction(SIGXFSZ, &ignore, NULL);
    if (watch(d, &s->hup, SIGHUP, on_hup) != SIPD_OK ||
        watch(d, &s->term, SIGTERM, on_stop) != SIPD_OK ||
        watch(d, &s->interrupt, SIGINT, on_stop) != SIPD_OK)
        return SIPD_ENOMEM;
    return SIPD_OK;
}

void
signals_close(struct daemon *d)
{
    struct signals *s = d->signals;

    d->signals = NULL;
    if (!s)
        return;
    event_del(&s->hup);
    event_del(&s->term);
    event_del(&s->interrupt);
    mem_free(s);
}

void
signals_block(sigset_t *old)
{
    sigset_t all;

    sigfillset(&all);
    sigdelset(&all, SIGBUS); /* nobody else can have it */
    pthread_sigmask(SIG_SETMASK, &all, old);
}

void
signals_unblock(const sigset_t *old)
{
    pthread_sigmask(SIG_SETMASK, old, NULL);
}
