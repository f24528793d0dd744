/*
 * What tests of connections have in common: a request and an answer, peers that connect or are connected to, one that does not
 * read.
 */
#ifndef LIVE_TCP_RIG_H
#define LIVE_TCP_RIG_H

#include "live/net_rig.h"

#define TCP_REQUEST "OPTIONS sip:example.com SIP/2.0\r\nContent-Length: 4\r\n\r\nbody"
#define TCP_ANSWER  "SIP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n"

enum { TCP_LARGE = 60000 };

/* Limits that nobody reaches in a test. */
extern const struct net_conf tcp_plain;
/* A message of TCP_LARGE bytes, when tcp_fill() was called. */
extern char tcp_large[TCP_LARGE + 1];

/* For rig.on_message: sends what came back; answers it. */
void tcp_echo(struct rig *r, const struct hop *from, struct span bytes);
void tcp_answer(struct rig *r, const struct hop *from, struct span bytes);

/* A listener of ours, and a connection to it that has said something. */
int tcp_talking(struct hop *flow);
/* A listening peer. */
int tcp_listening(struct hop *at);
/* Runs until a connection comes to it. */
int tcp_accepted(int listening);
/*
 * Sends until something waits, and goes on waiting: the kernel makes its room larger as acknowledgements come, which may be late.
 * Returns how many messages were sent.
 */
uint64_t tcp_fill(const struct hop *to);

#endif
