/*
 * Whole servers and phones in one process, on a virtual clock and a simulated network.
 *
 * A world is a function of its script and seed: the same ones give the same packets at the same milliseconds.
 */
#ifndef SIM_WORLD_H
#define SIM_WORLD_H

#include "base/clock.h"
#include "base/count.h"
#include "core/core.h"
#include "sim/peer.h"
#include "sim/wire.h"

struct sim_host;  /* modules of a sipd; NULL: none */

struct sim_listener {
    struct hop at;
    char sent_by[HOP_TEXT_BYTES];
    size_t sent_by_len;
    uint8_t rport;
};

struct sim_flow {
    struct list link;
    uint64_t id;
    struct hop peer;             /* transport, address, port; listener: ours */
    bool alive;
};

struct sim_where {               /* a scripted place of a user: the target set of a Request-URI */
    struct list link;
    struct span aor;
    struct sipd_target target;
    bool by_flow;                /* over the connection that this address has with us, dead or alive */
};

struct sim_gone {
    struct list link;
    uint64_t token;
};

struct sim_sipd {
    struct list link;
    struct world *world;
    struct span name;
    struct core *core;
    struct core_conf conf;
    struct sim_host *host;
    struct span domains[4], known[8];
    unsigned domains_len, known_len;
    struct sim_listener listeners[8];
    unsigned listeners_len;
    struct list wheres, flows, gone;
    uint64_t next_flow;
};

struct world {
    struct clock clock;
    struct rand rand;
    struct wire wire;
    struct counters counters;
    struct log log;
    struct arena arena;          /* what lives as long as the world */
    struct arena turn;
    struct list sipds, peers;
    struct buf ladder;           /* every packet, for whoever reads a failure */
    struct buf fault;            /* what went wrong; empty: nothing */
};

void world_init(struct world *w, uint64_t seed);
void world_fini(struct world *w);

struct sim_sipd *world_add_sipd(struct world *w, struct span name);
/* Binds; at.listener becomes its number. */
void sim_listen(struct sim_sipd *s, const struct hop *at, uint8_t rport);
/* Starts it: its settings are complete. */
void sim_start(struct sim_sipd *s);
/* Ends its flow with the peer at this address; false: there is none. */
bool sim_cut(struct sim_sipd *s, const struct hop *peer);

struct peer *world_add_peer(struct world *w, struct span name, const struct hop *at, struct span domain);
struct peer *world_peer(struct world *w, struct span name);
/* The peer sends to an address. */
void world_say(struct world *w, struct peer *p, const struct hop *to, struct span bytes);
/* Lets time pass until nothing more is due before until_ms, or, if `waiting` is not NULL, until it has heard something. */
void world_run(struct world *w, uint64_t until_ms, const struct peer *waiting);
/* Notes a failure, the first one only. */
void world_fail(struct world *w, const char *format, ...) PRINTF_LIKE(2, 3);

/* "udp:192.0.2.1:5060", "tcp:[2001:db8::1]:5060". False if it is none. */
bool world_hop_read(struct span text, struct hop *out);

#endif
