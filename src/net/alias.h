/*
 * Connections that their makers want to be reached by, too: under the port that they listen on (RFC 5923).
 *
 * Over TLS it is used for whom its certificate proves only; over TCP, which proves nothing, where the listener was told to.
 */
#ifndef NET_ALIAS_H
#define NET_ALIAS_H

#include "base/table.h"
#include "sip/hop.h"

struct conn;
struct net;

struct alias {
    struct table_node node; /* in conns.by_alias */
    struct conn *conn;
    uint16_t port;
};

/* The newest connection that suits, takes messages, and was made from this address by who listens on this port; or NULL. */
struct conn *alias_find(const struct net *net, const struct hop *to);
/* The connection is dead. Harmless without an alias. */
void alias_end(struct conn *conn);

#endif
