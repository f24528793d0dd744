/*
 * TCP: accepted, connected, read and written (RFC 3261 §18).
 *
 * tcp_read and tcp_write are the only places where a connection's bytes meet its descriptor.
 */
#ifndef NET_TCP_H
#define NET_TCP_H

#include <sys/types.h>
#include <sys/uio.h>

#include "base/def.h"
#include "sip/hop.h"

struct conn;
struct listener;
struct net;

/* Begins to accept on a bound listener. SIPD_ENOMEM, SIPD_EIO (errno tells). */
int tcp_start(struct listener *listener) MUST_USE;
/* Begins to connect from a listener's address. SIPD_EFULL, SIPD_EIO. */
int tcp_connect(struct net *net, struct listener *from, const struct hop *to,
                struct conn **conn) MUST_USE;
/* The connect has ended: well or not. */
void tcp_connected(struct conn *conn);
/* As read() and writev(), without SIGPIPE. */
ssize_t tcp_read(struct conn *conn, char *to, size_t room);
ssize_t tcp_write(struct conn *conn, struct iovec *parts, size_t n);
/* The bytes that the peer has acknowledged, their lower half: enough to see that there are more. */
uint32_t tcp_acked(const struct conn *conn);
/* Says to the peer that no more comes. False if it could not be said. */
bool tcp_shut(struct conn *conn);
/* Opens, or opens anew, the descriptor that is given up when there are no others. */
void tcp_spare(struct net *net);

#endif
