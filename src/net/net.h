/*
 * The network as the daemon sees it: listeners, connections, one loop; whole messages in, bytes out
 * (RFC 3261 §18).
 *
 * One thread. What arrives is told by the ports, lent until the end of the turn. What is sent is
 * queued as spans of memory that lives until the turn's end and leaves together; what cannot leave
 * then is copied into bounded queues in here. No call comes back before it returns: failures are
 * told at the end of the turn.
 */
#ifndef NET_NET_H
#define NET_NET_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/count.h"
#include "base/log.h"
#include <sipd/transport.h>

#include "sip/hop.h"
#include "sip/way.h"

struct event_base;
struct net;

struct net_ports {
    /*
     * A whole message came. fault: 0, or the status that frame found it deserves (frame.h), with
     * its words. False: where it ends is in doubt, so a stream ends behind the answer.
     */
    bool (*bytes)(void *io, const struct hop *from, struct span bytes, uint16_t fault,
                  const char *fault_reason);
    /* A whole message of who reads none of our answers came and is dropped: is it in doubt where it ends? NULL: never. */
    bool (*doubts)(void *io, const struct hop *from, struct span bytes);
    /*
     * What was sent with this token could not leave or be delivered (connect failed, connection
     * gone, ICMP). Not 0.
     */
    void (*gone)(void *io, uint64_t token, int err);
    /*
     * The network gave back the start of a datagram that we sent to this hop: ICMP unreachable or
     * parameter problem (RFC 3261 §18.4). Anybody can forge one: to be believed only if the bytes
     * hold a live branch of ours. They may be few, or end within a line.
     */
    void (*bounced)(void *io, const struct hop *to, struct span bytes);
    /*
     * A connection ended; whoever kept its flow id may forget it. Told after `gone` for what was
     * waiting there.
     */
    void (*flow_gone)(void *io, uint64_t flow);
    /* Timers may be due: the clock has been read anew. Called each turn after the messages. */
    void (*tick)(void *io);
    /* When the next timer is due on clock.now_ms; UINT64_MAX: never. */
    uint64_t (*next_ms)(void *io);
    void *io;
};

struct net_conf {
    uint32_t connections;   /* most connections alive; more are closed at accept */
    uint32_t message_bytes; /* largest message */
    uint32_t idle_ms;       /* a connection without traffic is closed after this */
    uint32_t message_ms;    /* a begun message must be whole after this (slow drip) */
    uint32_t connect_ms;    /* a connect must be done after this */
    uint32_t queue_bytes;   /* most bytes waiting on one connection or socket */
    uint64_t held_bytes; /* … and, with messages that have not come whole, on all; 0: no limit */
    uint32_t source_conns;     /* most connections alive that one source made; 0: no limit */
    uint32_t first_byte_ms;    /* who connects says something within this time; 0: no limit */
    uint32_t first_message_ms; /* … and a whole message, or a keep-alive */
    uint32_t keepalive_ms; /* a connection silent for so long is asked to answer (CRLF); 0: never */
};

enum net_rport { NET_RPORT_ASKED, NET_RPORT_PRIVATE, NET_RPORT_ALWAYS };

struct net_listen {        /* one address and port, wildcards already expanded (net_expand) */
    struct hop at;         /* transport, ip, port (0: any free), scope_id */
    struct span advertise; /* "host[:port]" or empty; copied */
    uint8_t rport;         /* enum net_rport */
    bool freebind;         /* the address need not be there (yet) */
    bool trains;           /* datagrams of one length to one peer may leave as one (train.h) */
    bool alias;            /* connections may be aliases without a proof (net_alias) */
};

struct net_listener_info { /* for lists and for core's Via rules */
    uint16_t id;
    struct hop at;           /* with the port really bound */
    struct span advertise;   /* lent for the turn */
    struct span sent_by;     /* for Via: advertise with a port (if it has none, ours); or ip:port */
    uint8_t rport;           /* enum net_rport */
    uint64_t received, sent; /* messages */
    uint64_t dropped;        /* datagrams the kernel had no room for; net_each_listener() only */
};

struct net_load {
    uint32_t lag_ms;        /* that a turn took */
    uint32_t queue_percent; /* how full the fullest queue of datagrams was */
};

struct net_conn_info {
    uint64_t flow;
    struct hop peer; /* listener: the one it came by, or the one that opened it */
    bool inbound, connecting;
    uint64_t since_ms, last_ms;
    uint32_t queued_bytes;
    struct sipd_session_about about; /* what its transport says; lent until return */
};

/*
 * Makes the loop. Lent for its life: ports, counters, log; clock is written by the loop at each
 * wake. SIPD_ENOMEM, SIPD_EIO.
 */
int net_new(struct net **net, const struct net_ports *ports, struct clock *clock,
            struct counters *counters, const struct log *log) MUST_USE;
/* Closes everything, nulls the pointer. NULL inside is fine. */
void net_free(struct net **net);
/* Sets limits; connections alive stay. Before the first call modest defaults hold. */
void net_set_conf(struct net *net, const struct net_conf *conf);
/* Who took no connection when one was merely tried (hop.connect_ms) is left alone for so long from now on; 0: for 30 s. */
void net_set_rest(struct net *net, uint32_t ms);

/*
 * Calls fn once for each concrete address that spec stands for: itself, or for the wildcard 0.0.0.0
 * or :: every address of that family of the machine's interfaces that are up, loopback too.
 * Link-local IPv6 addresses only if spec->at.scope_id names their interface. Port 0 stays 0. The
 * first result of fn that is not SIPD_OK ends the walk and is returned; SIPD_EIO if the interfaces
 * could not be read, SIPD_ENOENT if there is no such address.
 */
int net_expand(const struct net_listen *spec, int (*fn)(void *arg, const struct net_listen *one),
               void *arg);
/*
 * Binds. *id becomes the listener's number; numbers are not used again soon. SIPD_EIO, SIPD_EEXIST
 * (taken), SIPD_EFULL, SIPD_ENOMEM, SIPD_EINVAL (a wildcard, or a transport that net does not
 * have); `why` then tells in words.
 */
int net_listen(struct net *net, const struct net_listen *spec, uint16_t *id,
               struct buf *why) MUST_USE;
/*
 * For a process that is about to become another program: copies of all listening sockets that stay open over an exec, appended
 * as numbers with blanks behind them …
 */
void net_bequeath(const struct net *net, struct buf *fds);
/* … for the other one, before it listens: net_listen() takes the socket of its address, if it is among these. SIPD_ENOMEM. */
int net_inherit(struct net *net, struct span fds) MUST_USE;
/* Closes those that nobody has taken. */
void net_disinherit(struct net *net);
/*
 * Closes the listening socket at once, so the address can be bound anew in the same turn; its
 * connections stay, and net_listener() knows it until the last of them has ended.
 */
void net_unlisten(struct net *net, uint16_t id);
/* The listener; false if there is none such. */
bool net_listener(const struct net *net, uint16_t id, struct net_listener_info *out);
/*
 * Is this one of our listening addresses (any transport when to->transport is HOP_NONE; port 0: any
 * of ours)?
 */
bool net_is_local(const struct net *net, const struct hop *to);

/*
 * Picks how a message of `bytes` to this hop would leave: which listener, which connection. With a
 * flow, out->to is that connection's far end, whatever `to` says besides. sent_by is lent for the
 * turn. Opens nothing. SIPD_ENOENT: no listener of that transport and family; SIPD_ECLOSED:
 * to->flow is not alive, or there (with to->connect_ms) a connection was tried in vain a short while ago; SIPD_EFULL: no room for one more connection or byte; SIPD_ETOOBIG: no
 * datagram is that large.
 */
int net_way(struct net *net, const struct hop *to, size_t bytes, struct way *out) MUST_USE;
/*
 * The MTU of the path to there, in bytes of IP, as the kernel knows it: of the device, the route, or what routers said. An
 * answer is kept for a few seconds. 0: unknown.
 */
uint32_t net_path_mtu(struct net *net, const struct hop *to);
/*
 * Queues bytes for a way's hop; opens the connection if there is none. Lent: bytes, until the end
 * of the turn. token: given back by `gone` when this could not leave; 0: nobody asks. A
 * retransmission (same token, same bytes) of what still waits in here is dropped.
 */
void net_send(struct net *net, const struct hop *to, struct span bytes, uint64_t token);
/* Ends a connection at the end of the turn. False if there is none such. */
bool net_close(struct net *net, uint64_t flow);
/*
 * The sender of this message wants to be reached by its connection, as who listens on that port of its address (RFC 5923 §4).
 * Taken of connections with a proof, and used for whom they prove to be; of others where the listener says so.
 */
void net_alias(struct net *net, const struct hop *from, uint16_t port);
/* Is this connection alive? */
bool net_flow_alive(const struct net *net, uint64_t flow);

/*
 * A number for whom a connection must lead to, for hop.name; 0: no room, or no name of at most 255 bytes. Good while it is
 * used now and then (ten minutes).
 */
uint32_t net_name(struct net *net, struct span text);
/*
 * What a module brings: listeners of this transport accept from now on, and hops are reached. SIPD_EINVAL: net's own, or
 * unknown; SIPD_EEXIST. Lent: ops, self, until withdrawn, which ends the transport's connections at once.
 */
int net_offer_transport(struct net *net, uint8_t transport, const struct sipd_transport_ops *ops,
                        void *self) MUST_USE;
void net_withdraw_transport(struct net *net, uint8_t transport);
/* Connections of it that are alive. */
uint32_t net_transport_conns(const struct net *net, uint8_t transport);

/* Memory of the turn; what lies there is gone when the turn ends. */
struct arena *net_turn_arena(struct net *net);
/* libevent's base, for descriptors that others own. Their callbacks call net_wake() first. */
struct event_base *net_event_base(struct net *net);
/*
 * Begins the turn, if no callback before did: the clock is read anew. What the callback sends
 * leaves at this turn's end.
 */
void net_wake(struct net *net);
/* Runs fn(arg) in the next turn. The one call that another thread may make. SIPD_ENOMEM. */
int net_post(struct net *net, void (*fn)(void *arg), void *arg) MUST_USE;

/* Has this turn done enough of what is due? The rest may wait for the next one, which comes at once (house rule 16). */
bool net_turn_spent(struct net *net);
/* Does the loop keep up? What all of the last turns had at least, over a tenth of a second; 0 when it had to wait for work. */
void net_load(const struct net *net, struct net_load *out);

/* Runs turns until net_stop(). Returns SIPD_OK, or SIPD_EIO when the loop itself broke. */
int net_run(struct net *net);
void net_stop(struct net *net);

/* Walks listeners and connections; fn may not change them. */
void net_each_listener(const struct net *net,
                       void (*fn)(void *arg, const struct net_listener_info *info), void *arg);
void net_each_conn(const struct net *net, void (*fn)(void *arg, const struct net_conn_info *info),
                   void *arg);
/* The same over several turns: the next connection, from *cursor 0 on; false: there is none. Texts are lent for the turn. */
bool net_next_conn(const struct net *net, uint64_t *cursor, struct net_conn_info *out);

#endif
