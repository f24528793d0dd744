/*
 * What the network says about datagrams that we sent: ICMP errors out of a socket's error queue
 * (RFC 3261 §18.4).
 */
#ifndef NET_ICMP_H
#define NET_ICMP_H

#include "base/def.h"

struct listener;

/*
 * Reads the error queue of a datagram socket and hands what speaks of an unreachable peer to
 * ports.bounced. True: there may be more, for the next turn.
 */
bool icmp_drain(struct listener *listener);

#endif
