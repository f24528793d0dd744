/*
 * Descriptors that modules own, watched by the loop: one watch each, found by its number.
 */
#include "base/mem.h"
#include "host/state.h"

struct fd_watch {
    struct list link;
    const struct sipd_host *owner;
    int fd;
    unsigned what;
    sipd_fd_fn *fn;
    void *self;
    void *watch; /* the loop's */
};

static struct fd_watch *
find(const struct sipd_host *owner, int fd)
{
    list_each (node, after, &owner->host->fds) {
        struct fd_watch *w = container_of(node, struct fd_watch, link);

        if (w->owner == owner && w->fd == fd)
            return w;
    }
    return NULL;
}

static void
end(struct host *host, struct fd_watch *w)
{
    if (w->watch)
        host->ports.unwatch(host->ports.io, w->watch);
    list_remove(&w->link);
    mem_free(w);
}

/* The watch may be over before its function returns. */
static void
ready(void *arg, unsigned what)
{
    const struct fd_watch *w = arg;

    w->fn(w->self, w->fd, what);
}

static int
begin(struct host *host, struct fd_watch *w, unsigned what)
{
    if (w->watch)
        host->ports.unwatch(host->ports.io, w->watch);
    w->watch = NULL;
    w->what = what;
    return host->ports.watch(host->ports.io, w->fd, what, ready, w, &w->watch);
}

int
sipd_fd(struct sipd_host *host, int fd, unsigned what, sipd_fd_fn *fn, void *self)
{
    struct fd_watch *w = find(host, fd);
    int err = SIPD_OK;

    if (what == 0) {
        if (w)
            end(host->host, w);
        return SIPD_OK;
    }
    if (!host->host->ports.watch || sipd_is_trial(host))
        return SIPD_ECLOSED;
    if (!w) {
        w = mem_new(sizeof *w);
        if (!w)
            return SIPD_ENOMEM;
        w->owner = host;
        w->fd = fd;
        list_push(&host->host->fds, &w->link);
    }
    w->fn = fn;
    w->self = self;
    if (w->what != what)
        err = begin(host->host, w, what);
    if (err != SIPD_OK)
        end(host->host, w);
    return err;
}

void
fds_forget(struct host *host, const struct sipd_host *owner)
{
    list_each (node, after, &host->fds) {
        struct fd_watch *w = container_of(node, struct fd_watch, link);

        if (w->owner == owner)
            end(host, w);
    }
}
