/*
 * How long a connection may take for what it is about: to connect, for its first byte and message, for each message, to read
 * what waits for it, and at rest (RFC 3261 §18, RFC 5626 §4.4.1).
 */
#ifndef NET_DEADLINE_H
#define NET_DEADLINE_H

#include <stdint.h>

struct conn;
struct net;

/* Something has changed by which its deadline may be nearer. */
void deadline_arm(struct conn *conn);
/* Ends those whose time is up, and asks those that have long been silent. */
void deadlines_expire(struct net *net);
/* When deadlines_expire() has work; UINT64_MAX: never. */
uint64_t deadlines_next_ms(const struct net *net);

#endif
