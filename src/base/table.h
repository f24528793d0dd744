/*
 * Hash table of intrusive nodes: the hash finds, bytes decide.
 *
 * The caller hashes (prf_hash under a secret key) and compares; the table links. It grows a bucket
 * an insertion, so no insertion pays for all; when memory is out it grows no further and still
 * works.
 */
#ifndef BASE_TABLE_H
#define BASE_TABLE_H

#include "base/def.h"
#include "base/span.h"

struct table_node {
    struct table_node *next; /* of those for which their bucket had no place */
    uint64_t hash;
};

struct table_bucket;

struct table {
    struct table_bucket *buckets;     /* 1 << bits of them */
    struct table_bucket *old_buckets; /* being moved, or NULL */
    void *room, *old_room;            /* owned: where they lie */
    uint32_t bits, old_bits;
    size_t moved; /* old buckets emptied so far */
    size_t used;  /* nodes linked */
};

/* True if node is the one meant by key (any struct of the caller's). */
typedef bool table_eq_fn(const struct table_node *node, const void *key);

/* An empty table. SIPD_ENOMEM if not even the first buckets could be had. */
int table_init(struct table *t) MUST_USE;
/* Gives the table's memory back; the nodes are the caller's. */
void table_fini(struct table *t);
/* Links node under hash; equal keys may stand side by side, the newest is found first. */
void table_insert(struct table *t, struct table_node *node, uint64_t hash);
/* The newest node with this hash for which eq says yes, or NULL. */
struct table_node *table_find(const struct table *t, uint64_t hash, table_eq_fn *eq,
                              const void *key);
/* Somebody will be looked for under this hash: meanwhile his bucket may come to the cache. */
void table_warm(const struct table *t, uint64_t hash);
/* Links node where another one of the same hash is, which is unlinked. */
void table_replace(struct table *t, struct table_node *old, struct table_node *node);
/* Unlinks a node that is linked. */
void table_remove(struct table *t, struct table_node *node);
/* Calls fn for each node, in no order; fn may unlink the node it is given and no other. */
void table_each(struct table *t, void (*fn)(struct table_node *node, void *arg), void *arg);

#endif
