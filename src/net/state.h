/*
 * What the files of this floor share: one struct, of which several may live in a process.
 */
#ifndef NET_STATE_H
#define NET_STATE_H

#include "base/list.h"
#include "base/prf.h"
#include "base/table.h"
#include "net/conn.h"
#include "net/inherit.h"
#include "net/listen.h"
#include "net/name.h"
#include "net/net.h"
#include "net/post.h"
#include "net/queue.h"
#include "net/quota.h"
#include "net/rest.h"
#include "net/source.h"
#include "net/stream.h"
#include "net/turn.h"
#include "net/xport.h"

struct net_count { /* cells of the counters; what each counts: net.c */
    uint64_t *received, *sent;
    uint64_t *dropped_keepalive, *dropped_noise, *dropped_memory;
    uint64_t *dropped_full, *dropped_refused, *dropped_repeat, *dropped_nowhere;
    uint64_t *bounced, *untold;
    uint64_t *conns_accepted, *conns_opened, *conns_closed, *conns_failed;
    uint64_t *conns_idle, *conns_slow, *conns_cut, *conns_bad;
    uint64_t *conns_silent, *conns_deaf, *conns_over_source, *dropped_deaf;
    uint64_t *conns_greeted, *conns_ungreeted;
    uint64_t *conns_over_limit, *conns_no_descriptor;
    uint64_t *turns, *turn_late, *turn_slept;
};

struct net {
    const struct net_ports *ports;
    struct clock *clock;
    const struct log *log;
    struct net_count count;
    struct net_conf conf;
    struct prf_key key; /* of hash tables */
    struct event_base *base;
    struct turn turn;
    struct posts posts;
    struct list tellings; /* struct telling: for the turn's end */
    struct table repeats; /* struct waiting that have a token, of all queues */
    struct listeners listeners;
    struct inherited inherited; /* sockets that were ours before an exec */
    struct sources sources;
    struct list udp_read; /* struct udp whose room was filled this turn */
    struct list udp_out;  /* struct udp that have datagrams to send */
    struct conns conns;
    struct names names; /* whom we connect to */
    struct xports xports;
    struct rests rests;
    struct quotas quotas;
    uint64_t held_bytes;     /* what waits, and what has not come whole, of all */
    struct stream_room room; /* what connections were read into this turn */
    int spare_fd;            /* given up for a moment when descriptors run out; -1: none */
};

#endif
