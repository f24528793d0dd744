/*
 * What the network says about datagrams that we sent (RFC 3261 §18.4, RFC 792, RFC 4443).
 *
 * Whether to believe it is for whoever knows what was sent: an ICMP message is easily forged, a
 * live branch is not.
 */
#include "net/icmp.h"

#include <netinet/icmp6.h>
#include <netinet/ip_icmp.h>
#include <time.h> /* errqueue.h needs it */

#include <linux/errqueue.h>

#include "net/listen.h"
#include "net/sock.h"
#include "net/state.h"

enum {
    ERRORS_MOST = 64,      /* a turn */
    RETURNED_BYTES = 1500, /* of the datagram; ICMP brings less */
};

/*
 * Host, network, port, protocol unreachable, parameter problem. A packet too big will be fragmented
 * next time, and a time exceeded is to be ignored.
 */
static bool
is_failure(const struct sock_extended_err *error)
{
    if (error->ee_origin == SO_EE_ORIGIN_ICMP)
        return error->ee_type == ICMP_PARAMETERPROB ||
               (error->ee_type == ICMP_DEST_UNREACH && error->ee_code != ICMP_FRAG_NEEDED);
    if (error->ee_origin == SO_EE_ORIGIN_ICMP6)
        return error->ee_type == ICMP6_DST_UNREACH || error->ee_type == ICMP6_PARAM_PROB;
    return false;
}

static bool
tells_failure(struct msghdr *message)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c)) {
        struct sock_extended_err error;

        if (!(c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_RECVERR) &&
            !(c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_RECVERR))
            continue;
        if (c->cmsg_len < CMSG_LEN(sizeof error))
            continue;
        memcpy(&error, CMSG_DATA(c), sizeof error);
        return is_failure(&error);
    }
    return false;
}

static void
hand_on(struct listener *listener, const union sock_addr *addr, struct span returned)
{
    struct net *net = listener->net;
    struct hop to = { .transport = HOP_UDP, .listener = listener->at.listener };
    struct span bytes = arena_copy(&net->turn.arena, returned);

    ++*net->count.bounced;
    if (!bytes.at)
        return;
    sock_addr_read(addr, &to);
    net->ports->bounced(net->ports->io, &to, bytes);
}

bool
icmp_drain(struct listener *listener)
{
    char returned[RETURNED_BYTES];
    _Alignas(struct cmsghdr) char control[512];
    union sock_addr addr;
    ssize_t len;

    for (int i = 0; i < ERRORS_MOST && listener->fd >= 0; i++) {
        struct iovec part = { returned, sizeof returned };
        struct msghdr message = {
            .msg_name = &addr,
            .msg_namelen = sizeof addr,
            .msg_iov = &part,
            .msg_iovlen = 1,
            .msg_control = control,
            .msg_controllen = sizeof control,
        };

        len = recvmsg(listener->fd, &message, MSG_ERRQUEUE | MSG_DONTWAIT);
        if (len < 0)
            return false;
        if (message.msg_namelen > 0 && tells_failure(&message))
            hand_on(listener, &addr, (struct span){ returned, (size_t)len });
    }
    return true;
}
