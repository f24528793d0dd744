/*
 * Connections that their makers want to be reached by, too: under the port that they listen on (RFC 5923).
 */
#include "net/alias.h"

#include "base/mem.h"
#include "net/conn.h"
#include "net/listen.h"
#include "net/state.h"

static struct hop
alias_of(const struct hop *peer, uint16_t port)
{
    struct hop hop = *peer;

    hop.port = port;
    return hop;
}

static bool
leads_to(const struct table_node *node, const void *key)
{
    const struct alias *alias = container_of_const(node, struct alias, node);
    const struct hop *to = key;
    struct hop hop = alias_of(&alias->conn->peer, alias->port);

    return alias->conn->state == CONN_OPEN && hop_eq(&hop, to) && sock_same_ip(&hop, to) &&
           xport_suits(alias->conn, to->name);
}

struct conn *
alias_find(const struct net *net, const struct hop *to)
{
    struct table_node *node = NULL;

    if (net->conns.by_alias.used > 0)
        node = table_find(&net->conns.by_alias, conn_hash(net, to), leads_to, to);
    return node ? container_of(node, struct alias, node)->conn : NULL;
}

/* §8: a transport that proves nothing lets anybody behind an address have what is meant for another one there. */
static bool
may_have(const struct net *net, const struct conn *conn)
{
    return conn->inbound && conn->state == CONN_OPEN &&
           (conn->wire || listener_find(net, conn->peer.listener)->alias);
}

void
net_alias(struct net *net, const struct hop *from, uint16_t port)
{
    struct conn *conn = conn_of(net, from);
    struct alias *alias;
    struct hop hop;

    if (!conn || conn->alias || !may_have(net, conn))
        return;
    alias = mem_new(sizeof *alias);
    if (!alias)
        return; /* then another connection is made */
    alias->conn = conn;
    alias->port = port;
    conn->alias = alias;
    hop = alias_of(&conn->peer, port);
    table_insert(&net->conns.by_alias, &alias->node, conn_hash(net, &hop));
}

void
alias_end(struct conn *conn)
{
    if (!conn->alias)
        return;
    table_remove(&conn->net->conns.by_alias, &conn->alias->node);
    mem_free(conn->alias);
    conn->alias = NULL;
}
