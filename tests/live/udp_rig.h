/*
 * What tests of datagrams have in common.
 */
#ifndef LIVE_UDP_RIG_H
#define LIVE_UDP_RIG_H

#include "live/net_rig.h"

#define UDP_REQUEST "OPTIONS sip:example.com SIP/2.0\r\nCall-ID: 1\r\n\r\n"
#define UDP_ANSWER  "SIP/2.0 200 OK\r\nCall-ID: 1\r\n\r\n"

/* For rig.on_message: sends what came back. */
void udp_echo(struct rig *r, const struct hop *from, struct span bytes);
/* A message of this length. Owns: the caller, by mem_free(). */
struct span udp_long_message(size_t len);
/* A port at which nobody is. */
uint16_t udp_closed_port(const char *ip);
/* A loopback of this process alone, whose packets are short; false where that is not allowed. */
bool udp_shorten_loopback(int mtu);
/* The same once more, for the loopback that is there. */
bool udp_set_loopback(int mtu);

#endif
