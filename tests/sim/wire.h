/*
 * A simulated network: datagrams and connections between addresses; datagrams come late, lost, doubled or out
 * of order as a seed says, connections only late, and what stands between two addresses can be cut for a time.
 */
#ifndef SIM_WIRE_H
#define SIM_WIRE_H

#include "base/list.h"
#include "base/rand.h"
#include "base/table.h"
#include "base/timers.h"
#include "sip/hop.h"

struct wire_conf {
    uint32_t delay_ms, jitter_ms; /* one way; jitter lets a datagram overtake another */
    uint32_t loss, doubled, late; /* of 1000 datagrams; connections lose nothing */
    uint32_t late_ms;             /* those that are late are so by up to this */
};

struct wire_packet {
    struct timer timer;  /* when it is there; unarmed while it is held by a cut */
    struct hop from, to; /* transport, address, port */
    size_t len;
    char bytes[];
};

struct wire {
    struct wire_conf conf;
    struct rand rand;
    struct timers timers; /* of packets and cuts */
    struct table ends;    /* struct wire_end: addresses with manners of their own */
    struct list cuts;
    uint32_t least_mtu; /* of all paths: 1500, or the least that wire_narrow() said */
    uint64_t sent, lost, doubled, held;
};

void wire_init(struct wire *w, uint64_t seed, uint64_t now_ms);
void wire_fini(struct wire *w);

/*
 * What comes to this address or goes from there takes so much longer. Before anything was said: a connection
 * keeps its order.
 */
void wire_slow(struct wire *w, const struct hop *at, uint32_t ms);
/* The path to this address has packets of so many bytes at most, as whoever sends there knows. Nothing is cut for it. */
void wire_narrow(struct wire *w, const struct hop *at, uint32_t mtu);
/* 0: nobody said. */
uint32_t wire_mtu(const struct wire *w, const struct hop *at);
/* No datagram to or from this address is lost, doubled or late; a cut holds for it too. */
void wire_spare(struct wire *w, const struct hop *at);

/*
 * Parts two addresses (transports do not matter) until until_ms, UINT64_MAX: until healed. Datagrams between
 * them are lost, what goes over connections waits.
 */
void wire_cut(struct wire *w, const struct hop *a, const struct hop *b, uint64_t until_ms);
/* Ends every cut. */
void wire_heal(struct wire *w, uint64_t now_ms);

/* Puts bytes on the wire at now_ms. Returns how many copies will arrive; what a cut holds counts as one. */
unsigned wire_send(struct wire *w, uint64_t now_ms, const struct hop *from, const struct hop *to,
                   struct span bytes);
/* The next packet due at now_ms; end it with wire_packet_free(). NULL: none. */
struct wire_packet *wire_due(struct wire *w, uint64_t now_ms);
void wire_packet_free(struct wire_packet *packet);
static inline struct span
wire_bytes(const struct wire_packet *packet)
{
    return (struct span){ packet->bytes, packet->len };
}
/* Nothing is due before this; UINT64_MAX: nothing is under way. */
uint64_t wire_next_ms(const struct wire *w);

#endif
