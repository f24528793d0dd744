/*
 * A hash that grows one bucket at a time: things found by a seeded hash, without a turn that moves them all.
 *
 * It holds nodes that stand in the things themselves, and knows nothing of their keys: whoever looks compares bytes.
 */
#ifndef REGISTRAR_SPREAD_H
#define REGISTRAR_SPREAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct spread_node {
    struct spread_node *next; /* of its bucket */
    uint32_t hash;
};

struct spread {
    struct spread_node ***segments; /* owned */
    size_t segments_len;
    size_t buckets; /* in use */
    size_t half;    /* the largest power of two that is at most `buckets` */
    size_t len;     /* nodes in it */
    unsigned walks; /* under way: it does not rearrange itself */
};

/* Begins in place. SIPD_ENOMEM. */
int spread_init(struct spread *spread);
/* Ends it; its nodes are the caller's business. */
void spread_fini(struct spread *spread);
/* The first node of the bucket that this hash lives in; go on by next. NULL: empty. */
struct spread_node *spread_at(const struct spread *spread, uint32_t hash);
/* Puts a node in, under its hash. Cannot fail: without memory to grow the chains become longer. */
void spread_put(struct spread *spread, struct spread_node *node);
/* Takes a node out that is in it. */
void spread_out(struct spread *spread, struct spread_node *node);

/*
 * A walk in slices. Begin with a zeroed place; each call gives the chain of one bucket (NULL if it is empty), or is false
 * at the end. Between walk_begin and walk_end none is met twice.
 */
void spread_walk_begin(struct spread *spread);
bool spread_walk(const struct spread *spread, size_t *place, struct spread_node **chain);
void spread_walk_end(struct spread *spread);

#endif
