/*
 * A simulated network: datagrams and connections between addresses, late, lost, doubled or out of order as a seed says.
 */
#ifndef SIM_WIRE_H
#define SIM_WIRE_H

#include "base/list.h"
#include "base/rand.h"
#include "sip/hop.h"

struct wire_conf {
    uint32_t delay_ms, jitter_ms;  /* one way */
    uint32_t loss, doubled;        /* of 1000 datagrams; connections lose nothing */
};

struct wire_packet {
    struct list link;
    uint64_t due_ms;
    uint64_t order;
    struct hop from, to;           /* transport, address, port; flow: the connection, the same number at both ends */
    char *bytes;
    size_t len;
};

struct wire {
    struct wire_conf conf;
    struct rand rand;
    struct list packets;           /* by due_ms, then order */
    uint64_t order;
    uint64_t sent;
};

void wire_init(struct wire *w, uint64_t seed);
void wire_fini(struct wire *w);
/* Puts bytes on the wire at now_ms. */
void wire_send(struct wire *w, uint64_t now_ms, const struct hop *from, const struct hop *to, struct span bytes);
/* The next packet due at now_ms, unlinked; end it with wire_packet_free(). NULL: none. */
struct wire_packet *wire_due(struct wire *w, uint64_t now_ms);
void wire_packet_free(struct wire_packet *packet);
/* When the next packet is due; UINT64_MAX: none under way. */
uint64_t wire_next_ms(const struct wire *w);

#endif
