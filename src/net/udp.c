/*
 * A socket for datagrams, from its birth to its end (RFC 3261 §18).
 */
#include <event2/event.h>
#include <linux/sock_diag.h>

#include "base/mem.h"
#include "base/poison.h"
#include "net/state.h"
#include "net/udp_socket.h"

enum { BUFFER_BYTES = 8 << 20 }; /* of the kernel, each way; it gives what it may */

/*
 * Large buffers carry a burst over a slow moment; errors of the network shall come with what caused
 * them.
 */
static bool
set_options(int fd, bool v4)
{
    if (!sock_set(fd, SOL_SOCKET, SO_RCVBUFFORCE, BUFFER_BYTES))
        sock_set(fd, SOL_SOCKET, SO_RCVBUF, BUFFER_BYTES);
    if (!sock_set(fd, SOL_SOCKET, SO_SNDBUFFORCE, BUFFER_BYTES))
        sock_set(fd, SOL_SOCKET, SO_SNDBUF, BUFFER_BYTES);
    return v4 ? sock_set(fd, IPPROTO_IP, IP_RECVERR, 1)
              : sock_set(fd, IPPROTO_IPV6, IPV6_RECVERR, 1);
}

int
udp_start(struct listener *listener)
{
    struct udp *udp;

    if (!set_options(listener->fd, hop_is_v4(&listener->at)))
        return SIPD_EIO;
    udp = mem_new(sizeof *udp);
    if (!udp)
        return SIPD_ENOMEM;
    listener->udp = udp;
    udp->listener = listener;
    hungry_init(&udp->hungry);
    list_init(&udp->read_link);
    udp_out_begin(udp);
    udp->room = mem_grow(NULL, UDP_ROOM_BYTES);
    if (!udp->room)
        return SIPD_ENOMEM;
    event_assign(&listener->readable, listener->net->base, listener->fd, EV_READ | EV_PERSIST,
                 udp_readable, udp);
    return event_add(&listener->readable, NULL) == 0 ? SIPD_OK : SIPD_ENOMEM;
}

void
udp_close(struct udp *udp)
{
    struct net *net = udp->listener->net;

    udp_flush(udp);
    hungry_end(&udp->hungry);
    udp->at = udp->len;
    event_del(&udp->retry);
    while (!queue_empty(&udp->queue))
        queue_fail(net, &udp->queue, queue_first(&udp->queue), SIPD_ECLOSED);
}

void
udp_free(struct udp **udp)
{
    struct udp *old = *udp;

    *udp = NULL;
    if (!old)
        return;
    event_del(&old->retry);
    queue_fini(old->listener->net, &old->queue);
    list_remove(&old->out_link);
    list_remove(&old->read_link);
    hungry_end(&old->hungry);
    if (old->room)
        unpoison(old->room, UDP_ROOM_BYTES);
    mem_free(old->room);
    mem_free(old);
}

uint64_t
udp_dropped(const struct udp *udp)
{
    uint32_t info[SK_MEMINFO_VARS] = { 0 };
    socklen_t len = sizeof info;

    if (getsockopt(udp->listener->fd, SOL_SOCKET, SO_MEMINFO, info, &len) != 0)
        return 0;
    return info[SK_MEMINFO_DROPS];
}
