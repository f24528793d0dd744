/*
 * Sockets from one program to the next: as descriptors that stay open, whose addresses they tell themselves.
 */
#include "net/inherit.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/mem.h"
#include "net/sock.h"
#include "net/state.h"

void
net_bequeath(const struct net *net, struct buf *fds)
{
    list_each (node, after, &net->listeners.all) {
        const struct listener *listener = container_of(node, struct listener, link);
        int copy = fcntl(listener->fd, F_DUPFD, 0); /* which an exec leaves open */

        if (copy < 0)
            continue;
        buf_put_u64(fds, (uint64_t)copy);
        buf_put_char(fds, ' ');
    }
}

static bool
is_socket(int fd, int type)
{
    int its = 0;
    socklen_t len = sizeof its;

    return getsockopt(fd, SOL_SOCKET, SO_TYPE, &its, &len) == 0 && (type == 0 || its == type);
}

int
net_inherit(struct net *net, struct span fds)
{
    struct inherited *in = &net->inherited;
    uint32_t fd;

    while ((fds = span_trim(fds)).len > 0) {
        int *grown = mem_grow(in->fds, (in->len + 1) * sizeof *grown);

        if (!grown)
            return SIPD_ENOMEM;
        in->fds = grown;
        if (span_u32(span_cut(&fds, ' '), INT32_MAX, &fd) && is_socket((int)fd, 0) &&
            fcntl((int)fd, F_SETFD, FD_CLOEXEC) == 0)
            in->fds[in->len++] = (int)fd;
    }
    return SIPD_OK;
}

static bool
is_at(int fd, const struct hop *at)
{
    struct hop bound = { .port = 0 };
    union sock_addr addr;
    socklen_t len = sizeof addr;

    if (getsockname(fd, &addr.any, &len) != 0 || addr.any.sa_family != sock_family(at))
        return false;
    sock_addr_read(&addr, &bound);
    return bound.port == at->port && sock_same_ip(&bound, at) &&
           is_socket(fd, at->transport == HOP_UDP ? SOCK_DGRAM : SOCK_STREAM);
}

int
inherit_take(struct net *net, const struct hop *at)
{
    struct inherited *in = &net->inherited;

    for (size_t i = 0; i < in->len; i++)
        if (in->fds[i] >= 0 && is_at(in->fds[i], at)) {
            int fd = in->fds[i];

            in->fds[i] = -1;
            return fd;
        }
    return -1;
}

void
inherit_fini(struct net *net)
{
    for (size_t i = 0; i < net->inherited.len; i++)
        if (net->inherited.fds[i] >= 0)
            close(net->inherited.fds[i]);
    mem_free(net->inherited.fds);
    net->inherited = (struct inherited){ NULL, 0 };
}

void
net_disinherit(struct net *net)
{
    inherit_fini(net);
}
