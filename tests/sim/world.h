/*
 * Whole servers and phones in one process, on a virtual clock and a simulated network.
 *
 * A world is a function of its script and seed: the same ones give the same packets at the same milliseconds.
 */
#ifndef SIM_WORLD_H
#define SIM_WORLD_H

#include <stdio.h>

#include "base/clock.h"
#include "base/count.h"
#include "base/slots.h"
#include "core/core.h"
#include "sim/peer.h"
#include "sim/wire.h"

struct passage;
struct rehearsals;
struct sim_host; /* modules of a sipd; NULL: none */

struct sim_listener {
    struct hop at;
    char sent_by[HOP_TEXT_BYTES];
    size_t sent_by_len;
    uint8_t rport;
};

struct sim_flow { /* a connection that is alive */
    struct table_node by_peer;
    struct hop peer; /* transport, address, port; listener: ours; flow: its id */
    bool theirs;     /* the peer made it */
};

struct sim_where { /* a scripted place of a user: the target set of a Request-URI */
    struct list link;
    struct span aor;
    struct sipd_target target;
    bool by_flow; /* over the connection that this address has with us, dead or alive */
};

struct sim_gone {
    struct list link;
    uint64_t token;
};

struct errand { /* something that comes to a sipd later */
    struct timer timer;
    struct sim_sipd *sipd;
    void (*run)(struct errand *errand); /* owns it */
};

struct sim_name { /* a name of the world's DNS */
    struct list link;
    struct span host;
    uint32_t answer_ms; /* how long an answer takes */
    struct hop hops[4]; /* best first; none: it does not exist */
    unsigned hops_len;
};

struct sim_sipd {
    struct list link;
    struct world *world;
    struct span name;
    struct core *core;
    /* takes its place when it is killed (standby.h); NULL: there is none */
    struct standby *standby;
    struct core_conf conf;
    struct sim_host *host;
    struct span domains[4], known[8];
    unsigned domains_len, known_len;
    struct sim_listener listeners[8];
    unsigned listeners_len;
    struct list wheres, gone;
    struct core_load load; /* of the loop that it would run in */
    uint32_t thinks_ms;    /* its places are found at once, or within so long */
    struct list thoughts;  /* of places, under way */
    struct slots flows;
    struct table flows_by_peer;
};

/* Something at an address that is neither a sipd nor a peer of a script. The node is its owner's. */
struct sim_end {
    struct table_node node;
    struct hop at;    /* transport, address, port */
    struct span name; /* for the ladder */
    bool off;         /* switched off: connections are refused, datagrams lost */
    void (*hear)(struct sim_end *end, const struct hop *from, struct span bytes);
};

/* One who listens at every sipd's doors. Lent: all. */
struct world_tap {
    /* A datagram of its came back: it may hold what the sipd now takes for undeliverable. */
    void (*bounced)(void *self, struct sim_sipd *s, const struct msg *msg, const struct gist *gist);
    void (*heard)(void *self, struct sim_sipd *s, const struct hop *from, const struct msg *msg,
                  const struct gist *gist);
    void (*done)(void *self, struct sim_sipd *s); /* with what it heard */
    /* left: it is on the wire; else its connection is gone, and the sipd will be told. */
    void (*sent)(void *self, struct sim_sipd *s, const struct hop *to, const struct msg *msg,
                 const struct gist *gist, bool left);
    void *self;
};

/* One who does things by the clock. */
struct world_driver {
    uint64_t (*next_ms)(void *self);
    void (*tick)(void *self);
    void *self;
};

struct world {
    struct clock clock;
    struct rand rand;
    struct wire wire;
    struct counters counters;
    struct log log;
    struct arena arena; /* what lives as long as the world */
    struct arena turn;
    struct list sipds, peers, names;
    struct table ends; /* struct sim_end */
    struct timers errands;
    uint64_t bounced, thoughts; /* how many there were */
    bool standbys;              /* every sipd gets one (standby.h) … */
    bool killed;                /* … and one of them is in its place */
    /* each dies within so many facts, again and again; 0: standby_kill_after() says */
    unsigned kill_within;
    uint64_t kills, killed_ms;         /* how many, and when the last one */
    uint64_t parts;                    /* how often one was parted from its standby */
    bool bounces;                      /* a datagram to nobody comes back (ICMP) */
    const struct world_tap *tap;       /* NULL: nobody listens */
    const struct world_driver *driver; /* NULL: none */
    struct passage *passage;           /* what is passed on leaves as it came */
    bool naughty;    /* responses come broken, and go up so: a proxy reads only what it needs */
    bool one_a_turn; /* a turn ends behind every message, not behind all of one ms */
    /* every request is run dry before it is heard (rehearse.h); NULL: none is */
    struct rehearsals *rehearsals;
    FILE *pcap;            /* every packet too; NULL: no such file. Lent */
    struct buf ladder;     /* every packet, for whoever reads a failure */
    struct span ladder_of; /* only those with this Call-ID; empty: all */
    unsigned ladder_max;   /* only the last lines; 0: all, but nothing when ladder_off */
    unsigned ladder_lines;
    bool ladder_off;
    struct buf fault;  /* what went wrong; empty: nothing */
    bool memory_fails; /* the sipds', by world_fail_memory(); what is simulated has its own */
    uint32_t outage_ms;
    uint64_t outage_until_ms; /* UINT64_MAX: it has not begun */
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
/* Sends an errand off, whose heap block begins with it. */
void sim_later(struct sim_sipd *s, struct errand *errand, uint32_t after_ms,
               void (*run)(struct errand *errand));
/* A place of a user; spans are copied. */
void sim_add_where(struct sim_sipd *s, struct span aor, const struct sipd_target *target,
                   bool by_flow);

struct peer *world_add_peer(struct world *w, struct span name, const struct hop *at,
                            struct span domain);
struct peer *world_peer(struct world *w, struct span name);
/* A name that a sipd may look up. Fill the hops. */
struct sim_name *world_add_name(struct world *w, struct span host);
/* Lent: end, until world_fini. */
void world_add_end(struct world *w, struct sim_end *end);
/* Is anybody at this address, and switched on? */
bool world_is_there(struct world *w, const struct hop *at);
/* The peer sends to an address. */
void world_say(struct world *w, struct peer *p, const struct hop *to, struct span bytes);
/* Somebody sends to an address. */
void world_send(struct world *w, const struct hop *from, const struct hop *to, struct span bytes);
/*
 * Lets time pass until nothing more is due before until_ms, or, if `waiting` is not NULL, until it has heard
 * something.
 */
void world_run(struct world *w, uint64_t until_ms, const struct peer *waiting);
/* Notes a failure, the first one only. */
void world_fail(struct world *w, const char *format, ...) PRINTF_LIKE(2, 3);

/*
 * The n-th allocation of the sipds from now on fails, and all that follow for outage_ms (0: until that call of
 * theirs returns). n from 0.
 */
void world_fail_memory(struct world *w, uint64_t n, uint32_t outage_ms);
/* Memory is there again. Did an allocation fail? */
bool world_mend_memory(struct world *w);
/* Around every call into a sipd, and the other way round inside its ports. */
void world_enter(struct world *w);
void world_leave(struct world *w);

/* "udp:192.0.2.1:5060", "tcp:[2001:db8::1]:5060". False if it is none. */
bool world_hop_read(struct span text, struct hop *out);
/* A hash of transport, address and port. */
uint64_t world_hop_hash(const struct hop *hop);

#endif
