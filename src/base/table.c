/*
 * Chains of nodes that double their buckets a few at a time, when half of them could be full: most
 * searches for what is not there then end at an empty bucket, and touch no node.
 *
 * While it grows, a node's one home is its old bucket until that was moved, and its new one from
 * then on; so nothing is ever looked for twice. Old bucket i splits into the new buckets i and i +
 * old size, both empty before, in order.
 */
#include "base/table.h"

#include "base/err.h"
#include "base/mem.h"

enum {
    FIRST_BITS = 6,
    MOVES = 4, /* old buckets moved by an insertion; with 2 it would be done just in time */
};

static size_t
size(uint32_t bits)
{
    return (size_t)1 << bits;
}

int
table_init(struct table *t)
{
    *t = (struct table){ .bits = FIRST_BITS };
    t->buckets = mem_new(size(t->bits) * sizeof(struct table_node *));
    return t->buckets ? SIPD_OK : SIPD_ENOMEM;
}

void
table_fini(struct table *t)
{
    mem_free(t->buckets);
    mem_free(t->old_buckets);
    *t = (struct table){ 0 };
}

/* The bucket where nodes of this hash are now. */
static inline struct table_node **
home(const struct table *t, uint64_t hash)
{
    if (t->old_buckets) {
        size_t old = hash & (size(t->old_bits) - 1);

        if (old >= t->moved)
            return &t->old_buckets[old];
    }
    return &t->buckets[hash & (size(t->bits) - 1)];
}

static void
split(struct table *t, size_t old)
{
    struct table_node **low = &t->buckets[old];
    struct table_node **high = &t->buckets[old + size(t->old_bits)];

    for (struct table_node *node = t->old_buckets[old]; node; node = node->next) {
        struct table_node ***tail = node->hash & size(t->old_bits) ? &high : &low;

        **tail = node;
        *tail = &node->next;
    }
    *low = *high = NULL;
}

static void
move_some(struct table *t)
{
    for (int i = 0; i < MOVES && t->moved < size(t->old_bits); i++)
        split(t, t->moved++);
    if (t->moved < size(t->old_bits))
        return;
    mem_free(t->old_buckets);
    t->old_buckets = NULL;
}

static void
begin_growth(struct table *t)
{
    struct table_node **buckets = mem_new(size(t->bits + 1) * sizeof *buckets);

    if (!buckets)
        return; /* longer chains are slower, not wrong; the next insertion tries again */
    t->old_buckets = t->buckets;
    t->old_bits = t->bits;
    t->moved = 0;
    t->buckets = buckets;
    t->bits++;
}

void
table_insert(struct table *t, struct table_node *node, uint64_t hash)
{
    struct table_node **bucket;

    if (t->old_buckets)
        move_some(t);
    else if (t->used >= size(t->bits) / 2)
        begin_growth(t);
    bucket = home(t, hash);
    node->hash = hash;
    node->next = *bucket;
    *bucket = node;
    t->used++;
}

struct table_node *
table_find(const struct table *t, uint64_t hash, table_eq_fn *eq, const void *key)
{
    for (struct table_node *node = *home(t, hash); node; node = node->next)
        if (node->hash == hash && eq(node, key))
            return node;
    return NULL;
}

void
table_remove(struct table *t, struct table_node *node)
{
    struct table_node **link = home(t, node->hash);

    while (*link != node) {
        BUG_ON(!*link);
        link = &(*link)->next;
    }
    *link = node->next;
    node->next = NULL;
    t->used--;
}

static void
each_of(struct table_node *node, void (*fn)(struct table_node *node, void *arg), void *arg)
{
    for (struct table_node *next; node; node = next) {
        next = node->next;
        fn(node, arg);
    }
}

void
table_each(struct table *t, void (*fn)(struct table_node *node, void *arg), void *arg)
{
    if (t->old_buckets)
        for (size_t i = t->moved; i < size(t->old_bits); i++)
            each_of(t->old_buckets[i], fn, arg);
    for (size_t i = 0; i < size(t->bits); i++)
        each_of(t->buckets[i], fn, arg);
}
