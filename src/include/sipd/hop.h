/*
 * Where a message comes from or goes to: transport, remote address, listener and flow, as a value.
 *
 * A hop names addresses, never sockets, so it may be kept, compared, written to disk and sent to another machine. A flow
 * id names a connection of this process (RFC 5626 §3); 0 means any that leads there.
 */
#ifndef SIPD_HOP_H
#define SIPD_HOP_H

#include <sipd/err.h>
#include <sipd/span.h>

enum hop_transport { HOP_NONE, HOP_UDP, HOP_TCP, HOP_TLS, HOP_TRANSPORTS };

#define HOP_FLOW_DEAD  UINT64_MAX /* a flow of an earlier process: never alive */
#define HOP_TEXT_BYTES 80         /* room that hop_write needs at most */

struct hop {
    uint8_t ip[16];    /* network order; IPv4 as ::ffff:a.b.c.d */
    uint32_t scope_id; /* of a link-local IPv6 address; never written into a message */
    uint16_t port;     /* host order */
    uint16_t listener; /* 1…: the listener it came to or shall leave by; 0: any that fits */
    uint8_t transport; /* enum hop_transport */
    /* RFC 3263 chose UDP and no URI named it: what is large may go over TCP (RFC 3261 §18.1.1) */
    bool by_rule;
    uint16_t connect_ms; /* a connection for this one must be made within; 0: as configured */
    /* whom it must prove to be, where the transport has proofs: a number of net's; 0: its address */
    uint32_t name;
    uint64_t flow; /* the connection; 0: none in particular */
};

struct hop_net {
    uint8_t ip[16]; /* as in struct hop: IPv4 within ::ffff:0:0/96 */
    unsigned bits;  /* of the 128 that must agree */
};

#pragma GCC visibility push(default)

/* "UDP", "TCP", "TLS" as in Via (RFC 3261 §20.42). Lent for ever. */
struct span hop_transport_via(uint8_t transport);
/* "udp", "tcp", "tls" as in a URI's transport parameter (RFC 3261 §19.1.1). Lent for ever. */
struct span hop_transport_uri(uint8_t transport);
/* The transport of a name, without case; HOP_NONE if we know none such. */
uint8_t hop_transport_read(struct span name);
/* Does it bring every message once and in order (RFC 3261 §17)? */
static inline bool
hop_is_reliable(uint8_t transport)
{
    return transport == HOP_TCP || transport == HOP_TLS;
}
/* RFC 3261 §19.1.2: 5060, or 5061 for TLS. */
uint16_t hop_default_port(uint8_t transport);

/* Is the address IPv4? */
bool hop_is_v4(const struct hop *hop);
/* Reads an IPv4 address, an IPv6 address, or an IPv6 reference in brackets into hop->ip. False if it is none. */
bool hop_ip_read(struct span text, struct hop *hop);
/* Writes the bare address, IPv6 without brackets. Returns a span over `to`. */
struct span hop_ip_write(const struct hop *hop, char to[HOP_TEXT_BYTES]);
/* Writes the address as a host (RFC 3261 §25.1): IPv6 in brackets, no scope id. Returns a span over `to`. */
struct span hop_host_write(const struct hop *hop, char to[HOP_TEXT_BYTES]);
/* Writes host:port. Returns a span over `to`. */
struct span hop_write(const struct hop *hop, char to[HOP_TEXT_BYTES]);
/* Same transport, address and port? */
bool hop_eq(const struct hop *a, const struct hop *b);
/* Is the address that of a group (RFC 1112, RFC 4291 §2.7)? */
bool hop_is_multicast(const struct hop *hop);
/* Is the address one that no other network can reach: private, loopback, link-local (RFC 1918, 4193, 6598)? */
bool hop_is_private(const struct hop *hop);

/*
 * Reads a network: "10.0.0.0/8", "2001:db8::/32", or an address alone. False if it is none; *why then says so in words
 * that go on behind the text ("192.0.2.1/24 " …). Lent for ever.
 */
bool hop_net_read(struct span text, struct hop_net *out, const char **why);
/* Is the address in it? Its port and scope do not matter. */
bool hop_net_has(const struct hop_net *net, const struct hop *hop);

#pragma GCC visibility pop

#endif
