/*
 * Hops as the system's socket addresses, and sockets that are born right.
 */
#ifndef NET_SOCK_H
#define NET_SOCK_H

#include <netinet/in.h>
#include <sys/socket.h>

#include "base/def.h"
#include "sip/hop.h"

union sock_addr {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

/* AF_INET or AF_INET6. */
int sock_family(const struct hop *hop);
/* The length that the system wants to hear. */
static inline socklen_t
sock_addr_len(const union sock_addr *addr)
{
    return addr->any.sa_family == AF_INET ? sizeof addr->v4 : sizeof addr->v6;
}
/* Writes a hop's address and port. Returns the length that the system wants to hear. */
socklen_t sock_addr_write(const struct hop *hop, union sock_addr *to);
/* Reads address, port and scope id into the hop; the rest of it stays. */
void sock_addr_read(const union sock_addr *from, struct hop *hop);

/*
 * An IPv6 socket never takes IPv4 (house rule 17); never blocks, never inherited. A descriptor, or
 * -1 with errno.
 */
int sock_new(int family, int type) MUST_USE;
/* Sets an option to a number; false with errno. */
bool sock_set(int fd, int level, int option, int value);

/* 127.0.0.0/8 or ::1: reaches and is reached by this machine only. */
bool sock_is_loopback(const struct hop *hop);
/* fe80::/10: says nothing without its scope id. */
bool sock_is_link_local(const struct hop *hop);
/* 0.0.0.0 or ::. */
bool sock_is_wildcard(const struct hop *hop);
/* Same address, and the same link where both name one. */
bool sock_same_ip(const struct hop *a, const struct hop *b);

#endif
