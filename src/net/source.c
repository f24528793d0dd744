/*
 * Which of our addresses a message leaves by when nobody said, and how long a packet may be on its way: the kernel is asked, its
 * answers are kept for a while.
 *
 * A connect() of a datagram socket sends nothing but makes the kernel choose route and source. With the route comes its MTU, or
 * the smaller one that a router has told of (RFC 1191, RFC 8201).
 */
#include "net/source.h"

#include <unistd.h>

#include "net/sock.h"
#include "net/state.h"

enum { KEEP_MS = 5000 };

void
sources_forget(struct sources *sources)
{
    *sources = (struct sources){ 0 };
}

/* 0: unknown. */
static uint32_t
mtu_of(int fd, bool v4)
{
    int mtu = 0;
    socklen_t len = sizeof mtu;

    if (getsockopt(fd, v4 ? IPPROTO_IP : IPPROTO_IPV6, v4 ? IP_MTU : IPV6_MTU, &mtu, &len) != 0)
        return 0;
    return mtu > 0 ? (uint32_t)mtu : 0;
}

/* The address that the kernel would send from, and the path's MTU. False if it has no route. */
static bool
ask_kernel(const struct hop *to, struct hop *from, uint32_t *mtu)
{
    union sock_addr addr;
    socklen_t len = sock_addr_write(to, &addr), room = sizeof addr;
    int fd = sock_new(sock_family(to), SOCK_DGRAM);
    bool told =
        fd >= 0 && connect(fd, &addr.any, len) == 0 && getsockname(fd, &addr.any, &room) == 0;

    *mtu = told ? mtu_of(fd, hop_is_v4(to)) : 0;
    if (told)
        sock_addr_read(&addr, from);
    if (fd >= 0)
        close(fd);
    return told;
}

/*
 * Has it a socket that can reach the destination at all? The kernel lets nothing out from a
 * loopback address.
 */
static bool
reaches(const struct listener *listener, const struct hop *to)
{
    return listener->at.transport == to->transport && hop_is_v4(&listener->at) == hop_is_v4(to) &&
           (sock_is_loopback(to) || !sock_is_loopback(&listener->at));
}

/* How well a listener suits: the kernel's choice, else loopback for loopback, else any. */
static int
suits(const struct listener *listener, const struct hop *to, const struct hop *from)
{
    if (!reaches(listener, to))
        return 0;
    if (from && sock_same_ip(&listener->at, from))
        return 3;
    return sock_is_loopback(&listener->at) == sock_is_loopback(to) ? 2 : 1;
}

static struct listener *
pick(struct net *net, const struct hop *to, uint32_t *mtu)
{
    struct hop from;
    bool told = ask_kernel(to, &from, mtu);
    struct listener *best = NULL;
    int best_suits = 0;

    list_each (node, after, &net->listeners.all) {
        struct listener *listener = container_of(node, struct listener, link);
        int now = suits(listener, to, told ? &from : NULL);

        if (now > best_suits) {
            best = listener;
            best_suits = now;
        }
    }
    return best;
}

/* Mixed with the key by two products. Who makes two destinations meet has won no more than that the kernel is asked again. */
static struct source *
place(struct net *net, const struct hop *to)
{
    uint64_t half[2];

    memcpy(half, to->ip, sizeof half);
    half[0] = (half[0] ^ net->key.k0) * UINT64_C(0x9e3779b97f4a7c15);
    half[1] = (half[1] + to->transport) * (net->key.k1 | 1);
    return &net->sources.at[(half[0] ^ half[1]) >> 32 & (SOURCES - 1)];
}

/* What is kept of the kernel's answer, or it is asked anew. NULL: no listener reaches there. */
static const struct source *
find(struct net *net, const struct hop *to)
{
    struct source *kept = place(net, to);
    struct listener *listener;
    uint32_t mtu;

    if (kept->listener && kept->until_ms > net->clock->now_ms && kept->transport == to->transport &&
        kept->scope_id == to->scope_id && memcmp(kept->ip, to->ip, sizeof kept->ip) == 0)
        return kept;
    listener = pick(net, to, &mtu);
    if (!listener)
        return NULL;
    *kept = (struct source){
        .scope_id = to->scope_id,
        .listener = listener->at.listener,
        .transport = to->transport,
        .mtu = mtu,
        .until_ms = net->clock->now_ms + KEEP_MS,
    };
    memcpy(kept->ip, to->ip, sizeof kept->ip);
    return kept;
}

struct listener *
source_pick(struct net *net, const struct hop *to)
{
    const struct source *source = find(net, to);

    return source ? listener_find(net, source->listener) : NULL;
}

uint32_t
net_path_mtu(struct net *net, const struct hop *to)
{
    const struct source *source;

    turn_begin(net);
    source = find(net, to);
    return source ? source->mtu : 0;
}
