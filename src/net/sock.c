/*
 * Hops as the system's socket addresses, and sockets that are born right.
 */
#include "net/sock.h"

#include <unistd.h>

enum { V4_AT = 12 }; /* ::ffff:a.b.c.d: where a stands */

int
sock_family(const struct hop *hop)
{
    return hop_is_v4(hop) ? AF_INET : AF_INET6;
}

socklen_t
sock_addr_write(const struct hop *hop, union sock_addr *to)
{
    if (hop_is_v4(hop)) {
        to->v4 = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons(hop->port) };
        memcpy(&to->v4.sin_addr, hop->ip + V4_AT, sizeof to->v4.sin_addr);
        return sizeof to->v4;
    }
    to->v6 = (struct sockaddr_in6){ .sin6_family = AF_INET6, .sin6_port = htons(hop->port) };
    memcpy(&to->v6.sin6_addr, hop->ip, sizeof to->v6.sin6_addr);
    to->v6.sin6_scope_id = hop->scope_id;
    return sizeof to->v6;
}

void
sock_addr_read(const union sock_addr *from, struct hop *hop)
{
    static const uint8_t mapped[V4_AT] = { [10] = 0xff, [11] = 0xff };

    if (from->any.sa_family == AF_INET) {
        memcpy(hop->ip, mapped, sizeof mapped);
        memcpy(hop->ip + V4_AT, &from->v4.sin_addr, sizeof from->v4.sin_addr);
        hop->port = ntohs(from->v4.sin_port);
        hop->scope_id = 0;
        return;
    }
    memcpy(hop->ip, &from->v6.sin6_addr, sizeof hop->ip);
    hop->port = ntohs(from->v6.sin6_port);
    hop->scope_id = from->v6.sin6_scope_id;
}

bool
sock_set(int fd, int level, int option, int value)
{
    return setsockopt(fd, level, option, &value, sizeof value) == 0;
}

int
sock_new(int family, int type)
{
    int fd = socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd >= 0 && family == AF_INET6 && !sock_set(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1)) {
        close(fd);
        return -1;
    }
    return fd;
}

bool
sock_is_loopback(const struct hop *hop)
{
    static const uint8_t one[16] = { [15] = 1 };

    return hop_is_v4(hop) ? hop->ip[V4_AT] == 127 : memcmp(hop->ip, one, sizeof one) == 0;
}

bool
sock_is_link_local(const struct hop *hop)
{
    return hop->ip[0] == 0xfe && (hop->ip[1] & 0xc0) == 0x80;
}

bool
sock_is_wildcard(const struct hop *hop)
{
    static const uint8_t zero[16];

    return hop_is_v4(hop) ? memcmp(hop->ip + V4_AT, zero, 4) == 0
                          : memcmp(hop->ip, zero, sizeof zero) == 0;
}

bool
sock_same_ip(const struct hop *a, const struct hop *b)
{
    return memcmp(a->ip, b->ip, sizeof a->ip) == 0 &&
           (a->scope_id == b->scope_id || a->scope_id == 0 || b->scope_id == 0);
}
