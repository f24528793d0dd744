/*
 * Our addresses: bound, named, numbered, given up (RFC 3261 §18.1.1, §18.2.1).
 */
#include "net/listen.h"

#include <errno.h>
#include <event2/event.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "net/inherit.h"
#include "net/sock.h"
#include "net/source.h"
#include "net/state.h"
#include "net/tcp.h"
#include "net/udp.h"

enum {
    LISTENERS_MOST = 4096,
    TEXT_MOST_BYTES = 512, /* of a sent-by: any host name and port */
};

void
listeners_init(struct listeners *all)
{
    *all = (struct listeners){ 0 };
    list_init(&all->all);
    list_init(&all->closed);
}

struct listener *
listener_find(const struct net *net, uint16_t id)
{
    return id < net->listeners.ids ? net->listeners.by_id[id] : NULL;
}

/* ---------------------------------------------------------------- numbers */

/* Numbers go up, so that a hop kept from an earlier listener does not name a new one soon. */
static uint16_t
next_id(const struct listeners *all)
{
    uint16_t id = all->last_id;

    do
        id = id == UINT16_MAX ? 1 : (uint16_t)(id + 1);
    while (id < all->ids && all->by_id[id]);
    return id;
}

static int
number(struct listeners *all, struct listener *listener)
{
    uint16_t id = next_id(all);

    if (id >= all->ids) {
        uint32_t ids = ((uint32_t)id + 16) & ~UINT32_C(15);
        struct listener **by_id = mem_grow(all->by_id, ids * sizeof *by_id);

        if (!by_id)
            return SIPD_ENOMEM;
        memset(by_id + all->ids, 0, (ids - all->ids) * sizeof *by_id);
        all->by_id = by_id;
        all->ids = ids;
    }
    all->by_id[id] = listener;
    all->last_id = id;
    all->count++;
    listener->at.listener = id;
    return SIPD_OK;
}

static void
unnumber(struct listeners *all, struct listener *listener)
{
    if (listener->at.listener == 0)
        return;
    all->by_id[listener->at.listener] = NULL;
    all->count--;
}

/* ---------------------------------------------------------------- names */

/* A port behind the host, IPv6 reference or not? */
static bool
has_port(struct span advertise)
{
    struct span tail = span_skip(advertise, span_find(advertise, ']'));

    return span_find(tail.len ? tail : advertise, ':') < (tail.len ? tail : advertise).len;
}

static int
name(struct listener *listener, struct span advertise)
{
    char text[HOP_TEXT_BYTES];
    struct buf sent_by;

    buf_init(&sent_by, TEXT_MOST_BYTES);
    buf_put(&sent_by, advertise.len ? advertise : hop_write(&listener->at, text));
    if (advertise.len && !has_port(advertise)) {
        buf_put_char(&sent_by, ':');
        buf_put_u64(&sent_by, listener->at.port);
    }
    listener->advertise = mem_copy(advertise);
    listener->sent_by = sent_by.err ? NULL : mem_copy(buf_span(&sent_by));
    buf_fini(&sent_by);
    return listener->advertise && listener->sent_by ? SIPD_OK : SIPD_ENOMEM;
}

/* ---------------------------------------------------------------- birth and end */

static int
refuse(struct buf *why, const char *what)
{
    int err = errno;

    buf_printf(why, "%s: %s", what, strerror(err));
    return err == EADDRINUSE ? SIPD_EEXIST : err == EMFILE || err == ENFILE ? SIPD_EFULL : SIPD_EIO;
}

/* The port that the system chose, when it was asked for any. */
static bool
read_port(struct listener *listener)
{
    union sock_addr addr;
    socklen_t len = sizeof addr;
    struct hop bound;

    if (getsockname(listener->fd, &addr.any, &len) != 0)
        return false;
    sock_addr_read(&addr, &bound);
    listener->at.port = bound.port;
    return true;
}

/* Lets the address be one that this machine does not have (ip(7)). */
static bool
set_freebind(const struct listener *listener)
{
    return hop_is_v4(&listener->at) ? sock_set(listener->fd, IPPROTO_IP, IP_FREEBIND, 1)
                                    : sock_set(listener->fd, IPPROTO_IPV6, IPV6_FREEBIND, 1);
}

/* A socket bound to its address. */
static int
bind_new(struct listener *listener, bool freebind, struct buf *why)
{
    bool udp = listener->at.transport == HOP_UDP;
    union sock_addr addr;
    socklen_t len = sock_addr_write(&listener->at, &addr);

    listener->fd = sock_new(sock_family(&listener->at), udp ? SOCK_DGRAM : SOCK_STREAM);
    if (listener->fd < 0)
        return refuse(why, "socket");
    /*
     * Connections of a process that ended do not keep the port; for datagrams it would share it
     * (house rule 17).
     */
    if (!udp && !sock_set(listener->fd, SOL_SOCKET, SO_REUSEADDR, 1))
        return refuse(why, "SO_REUSEADDR");
    if (freebind && !set_freebind(listener))
        return refuse(why, "freebind");
    if (bind(listener->fd, &addr.any, len) != 0)
        return refuse(why, "bind");
    return SIPD_OK;
}

static int
bind_to(struct listener *listener, bool freebind, struct buf *why)
{
    int err = SIPD_OK;

    listener->fd = inherit_take(listener->net, &listener->at);
    if (listener->fd < 0)
        err = bind_new(listener, freebind, why);
    if (err == SIPD_OK && !read_port(listener))
        err = refuse(why, "getsockname");
    return err;
}

/* All but its number and its place in a list. */
static void
listener_free(struct listener *listener)
{
    udp_free(&listener->udp);
    event_del(&listener->readable);
    if (listener->fd >= 0)
        close(listener->fd);
    mem_free(listener->advertise);
    mem_free(listener->sent_by);
    mem_free(listener);
}

static int
start(struct listener *listener, struct buf *why)
{
    int err = listener->at.transport == HOP_UDP ? udp_start(listener) : tcp_start(listener);

    return err == SIPD_EIO ? refuse(why, "listen") : err;
}

static int
check(const struct net *net, const struct net_listen *spec, struct buf *why)
{
    if (spec->at.transport == HOP_NONE || spec->at.transport >= HOP_TRANSPORTS) {
        buf_printf(why, "no transport of this number: %u", spec->at.transport);
        return SIPD_EINVAL;
    }
    if (sock_is_wildcard(&spec->at)) {
        buf_printf(why, "a wildcard is no address to listen on");
        return SIPD_EINVAL;
    }
    if (net->listeners.count >= LISTENERS_MOST) {
        buf_printf(why, "more than %d listeners", LISTENERS_MOST);
        return SIPD_EFULL;
    }
    return SIPD_OK;
}

static void
log_listener(const struct listener *listener, const char *event)
{
    struct span transport = hop_transport_via(listener->at.transport);
    struct span sent_by = span_of(listener->sent_by);
    char text[HOP_TEXT_BYTES];
    struct span at = hop_write(&listener->at, text);

    log_spans(listener->net->log, LOG_LVL_INFO, event, "transport", &transport, "at", &at, "name",
              &sent_by, NULL);
}

/* Binds, names, numbers and starts; whatever of it was done is for the caller to undo. */
static int
open_up(struct listener *listener, const struct net_listen *spec, struct buf *why)
{
    int err = bind_to(listener, spec->freebind, why);

    if (!err)
        err = name(listener, spec->advertise);
    if (!err)
        err = number(&listener->net->listeners, listener);
    if (!err)
        err = start(listener, why);
    return err;
}

int
net_listen(struct net *net, const struct net_listen *spec, uint16_t *id, struct buf *why)
{
    struct listener *listener;
    int err = check(net, spec, why);

    if (err)
        return err;
    listener = mem_new(sizeof *listener);
    if (!listener) {
        buf_printf(why, "%s", err_words(SIPD_ENOMEM));
        return SIPD_ENOMEM;
    }
    *listener = (struct listener){
        .net = net,
        .at = spec->at,
        .rport = spec->rport,
        .alias = spec->alias,
        .trains = spec->trains,
        .fd = -1,
    };
    listener->at.flow = 0;
    listener->at.listener = 0;
    event_assign(&listener->readable, net->base, -1, 0, NULL, NULL); /* so that it may be deleted */
    err = open_up(listener, spec, why);
    if (err) {
        if (err == SIPD_ENOMEM)
            buf_printf(why, "%s", err_words(err));
        unnumber(&net->listeners, listener);
        listener_free(listener);
        return err;
    }
    list_push(&net->listeners.all, &listener->link);
    sources_forget(&net->sources);
    log_listener(listener, "listen");
    *id = listener->at.listener;
    return SIPD_OK;
}

void
net_unlisten(struct net *net, uint16_t id)
{
    struct listener *listener = listener_find(net, id);

    if (!listener || listener->fd < 0)
        return;
    log_listener(listener, "unlisten");
    if (listener->udp)
        udp_close(listener->udp);
    event_del(&listener->readable);
    close(listener->fd);
    listener->fd = -1;
    list_remove(&listener->link);
    list_push(&net->listeners.closed, &listener->link);
    sources_forget(&net->sources);
}

void
listeners_reap(struct net *net)
{
    list_each (node, after, &net->listeners.closed) {
        struct listener *listener = container_of(node, struct listener, link);

        if (listener->conns > 0)
            continue;
        list_remove(&listener->link);
        unnumber(&net->listeners, listener);
        listener_free(listener);
    }
}

void
listeners_fini(struct net *net)
{
    struct list all;

    list_init(&all);
    list_join(&all, &net->listeners.all);
    list_join(&all, &net->listeners.closed);
    for (struct list *node; (node = list_shift(&all));)
        listener_free(container_of(node, struct listener, link));
    mem_free(net->listeners.by_id);
    listeners_init(&net->listeners);
}

/* ---------------------------------------------------------------- questions */

static void
info_write(const struct listener *listener, struct net_listener_info *out)
{
    *out = (struct net_listener_info){
        .id = listener->at.listener,
        .at = listener->at,
        .advertise = span_of(listener->advertise),
        .sent_by = span_of(listener->sent_by),
        .rport = listener->rport,
        .received = listener->received,
        .sent = listener->sent,
    };
}

bool
net_listener(const struct net *net, uint16_t id, struct net_listener_info *out)
{
    const struct listener *listener = listener_find(net, id);

    if (!listener)
        return false;
    info_write(listener, out);
    return true;
}

bool
net_is_local(const struct net *net, const struct hop *to)
{
    list_each (node, after, &net->listeners.all) {
        const struct hop *at = &container_of(node, struct listener, link)->at;

        if ((to->transport == HOP_NONE || to->transport == at->transport) &&
            (to->port == 0 || to->port == at->port) && sock_same_ip(to, at))
            return true;
    }
    return false;
}

void
net_each_listener(const struct net *net,
                  void (*fn)(void *arg, const struct net_listener_info *info), void *arg)
{
    struct net_listener_info info;

    list_each (node, after, &net->listeners.all) {
        const struct listener *listener = container_of(node, struct listener, link);

        info_write(listener, &info);
        if (listener->udp)
            info.dropped = udp_dropped(listener->udp);
        fn(arg, &info);
    }
}
