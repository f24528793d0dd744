/*
 * Datagrams: in and out by the batch, errors of the network read beside them (RFC 3261 §18, house
 * rule 17).
 */
#ifndef NET_UDP_H
#define NET_UDP_H

#include "base/def.h"
#include "base/span.h"
#include "sip/hop.h"

struct listener;
struct net;
struct udp;

/* A datagram's payload over IPv4 and IPv6 at most. */
enum { UDP_MOST_V4 = 65507, UDP_MOST_V6 = 65487 };

/* Begins to read from a bound listener. SIPD_ENOMEM, SIPD_EIO (errno tells). */
int udp_start(struct listener *listener) MUST_USE;
/* Queues for the turn's end. Lent: bytes, until then. What fails is told by token. */
void udp_send(struct udp *udp, const struct hop *to, struct span bytes, uint64_t token);
/* Hands what all sockets have queued to the kernel; what it has no room for waits on the heap. */
void udp_flush_all(struct net *net);
/* Sends what was queued, gives up what waits, stops: the descriptor is about to be closed. */
void udp_close(struct udp *udp);
/* Ends it without a word; nulls the pointer. NULL inside is fine. */
void udp_free(struct udp **udp);
/* What was handed out this turn must not be touched any more (address sanitizer watches). */
void udp_end_turn(struct net *net);
/* Datagrams that the kernel dropped for want of room since it was bound. */
uint64_t udp_dropped(const struct udp *udp);

#endif
