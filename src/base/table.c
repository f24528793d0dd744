/*
 * Buckets of one cache line each, which knows of its nodes enough to find one and to move all without a look at any other:
 * nodes lie about in memory that has long left the caches. The few that find no place in their line hang behind it as a chain.
 *
 * Buckets double one at a time. While they do, a node's one home is its old bucket until that was moved, and its new one from
 * then on; so nothing is ever looked for twice. Old bucket i splits into the new buckets i and i + old size, neither of
 * which is read before, so that no growth has a large piece of memory to clear.
 */
#include "base/table.h"

#include "base/err.h"
#include "base/heap.h"
#include "base/mem.h"

enum {
    FIRST_BITS = 3,
    MOST_BITS = FIRST_BITS + 32, /* a tag knows no more */
    PLACES = 4,
    FULL = 3, /* nodes a bucket when growth begins; it ends before there are 4 */
    LINE_BYTES = 64,
};

struct table_bucket {
    struct table_node *place[PLACES]; /* the oldest first */
    struct table_node *more;          /* that came when all places were taken; the newest first */
    uint32_t tag[PLACES];             /* of each node tag_of its hash */
    uint32_t len;                     /* places taken */
};

_Static_assert(sizeof(struct table_bucket) == LINE_BYTES, "a bucket is a cache line");

static size_t
size(uint32_t bits)
{
    return (size_t)1 << bits;
}

/* Behind the bits that choose one of the first buckets those that choose one of the later ones. */
static uint32_t
tag_of(uint64_t hash)
{
    return (uint32_t)(hash >> FIRST_BITS);
}

/* Buckets that hold anything, and where they lie. */
static struct table_bucket *
buckets_new(uint32_t bits, void **room)
{
    uintptr_t at;

    *room = mem_grow(NULL, (size(bits) + 1) * LINE_BYTES);
    if (*room)
        heap_scattered(*room, (size(bits) + 1) * LINE_BYTES);
    at = (uintptr_t)*room;
    return *room ? (struct table_bucket *)((at + LINE_BYTES - 1) / LINE_BYTES * LINE_BYTES) : NULL;
}

int
table_init(struct table *t)
{
    *t = (struct table){ .bits = FIRST_BITS };
    t->buckets = buckets_new(t->bits, &t->room);
    if (!t->buckets)
        return SIPD_ENOMEM;
    memset(t->buckets, 0, size(t->bits) * sizeof *t->buckets);
    return SIPD_OK;
}

void
table_fini(struct table *t)
{
    mem_free(t->room);
    mem_free(t->old_room);
    *t = (struct table){ 0 };
}

/* The bucket where nodes of this hash are now. */
static inline struct table_bucket *
home(const struct table *t, uint64_t hash)
{
    if (t->old_buckets) {
        size_t old = hash & (size(t->old_bits) - 1);

        if (old >= t->moved)
            return &t->old_buckets[old];
    }
    return &t->buckets[hash & (size(t->bits) - 1)];
}

static inline void
add_newest(struct table_bucket *b, struct table_node *node, uint32_t tag)
{
    if (b->len < PLACES) {
        b->place[b->len] = node;
        b->tag[b->len++] = tag;
    } else {
        node->next = b->more;
        b->more = node;
    }
}

static struct table_node *
reversed(struct table_node *chain)
{
    struct table_node *result = NULL;

    for (struct table_node *node = chain, *next; node; node = next) {
        next = node->next;
        node->next = result;
        result = node;
    }
    return result;
}

/* In the order in which they came, into two buckets that hold anything. */
static void
split(struct table *t, size_t old)
{
    const struct table_bucket *from = &t->old_buckets[old];
    struct table_bucket *to[] = { &t->buckets[old], &t->buckets[old + size(t->old_bits)] };
    unsigned bit = t->old_bits - FIRST_BITS;

    *to[0] = *to[1] = (struct table_bucket){ .len = 0 };
    for (uint32_t i = 0; i < from->len; i++)
        add_newest(to[from->tag[i] >> bit & 1], from->place[i], from->tag[i]);
    for (struct table_node *node = reversed(from->more), *next; node; node = next) {
        uint32_t tag = tag_of(node->hash);

        next = node->next;
        add_newest(to[tag >> bit & 1], node, tag);
    }
}

static void
move_one(struct table *t)
{
    split(t, t->moved++);
    if (t->moved < size(t->old_bits))
        return;
    mem_free(t->old_room);
    t->old_buckets = NULL;
    t->old_room = NULL;
}

static void
begin_growth(struct table *t)
{
    void *room;
    struct table_bucket *buckets = t->bits < MOST_BITS ? buckets_new(t->bits + 1, &room) : NULL;

    if (!buckets)
        return; /* longer chains are slower, not wrong; the next insertion tries again */
    t->old_buckets = t->buckets;
    t->old_room = t->room;
    t->old_bits = t->bits;
    t->moved = 0;
    t->buckets = buckets;
    t->room = room;
    t->bits++;
}

void
table_insert(struct table *t, struct table_node *node, uint64_t hash)
{
    if (t->old_buckets)
        move_one(t);
    else if (t->used >= FULL * size(t->bits))
        begin_growth(t);
    node->hash = hash;
    node->next = NULL;
    add_newest(home(t, hash), node, tag_of(hash));
    t->used++;
}

void
table_warm(const struct table *t, uint64_t hash)
{
    __builtin_prefetch(home(t, hash));
}

struct table_node *
table_find(const struct table *t, uint64_t hash, table_eq_fn *eq, const void *key)
{
    const struct table_bucket *b = home(t, hash);
    uint32_t tag = tag_of(hash);

    for (struct table_node *node = b->more; node; node = node->next)
        if (node->hash == hash && eq(node, key))
            return node;
    for (uint32_t i = b->len; i-- > 0;)
        if (b->tag[i] == tag && b->place[i]->hash == hash && eq(b->place[i], key))
            return b->place[i];
    return NULL;
}

static void
unlink_more(struct table_bucket *b, const struct table_node *node)
{
    struct table_node **link = &b->more;

    while (*link != node) {
        BUG_ON(!*link);
        link = &(*link)->next;
    }
    *link = node->next;
}

/* A place is free again: the oldest of those that had found none takes it. */
static void
fill_place(struct table_bucket *b)
{
    struct table_node *oldest = b->more;

    while (oldest && oldest->next)
        oldest = oldest->next;
    if (!oldest)
        return;
    unlink_more(b, oldest);
    add_newest(b, oldest, tag_of(oldest->hash));
}

static void
unlink_place(struct table_bucket *b, uint32_t at)
{
    for (b->len--; at < b->len; at++) {
        b->place[at] = b->place[at + 1];
        b->tag[at] = b->tag[at + 1];
    }
    fill_place(b);
}

void
table_remove(struct table *t, struct table_node *node)
{
    struct table_bucket *b = home(t, node->hash);
    uint32_t at = 0;

    while (at < b->len && b->place[at] != node)
        at++;
    if (at < b->len)
        unlink_place(b, at);
    else
        unlink_more(b, node);
    t->used--;
}

void
table_replace(struct table *t, struct table_node *old, struct table_node *node)
{
    struct table_bucket *b = home(t, old->hash);
    uint32_t at = 0;

    *node = *old;
    while (at < b->len && b->place[at] != old)
        at++;
    if (at < b->len) {
        b->place[at] = node;
    } else {
        struct table_node **link = &b->more;

        while (*link != old) {
            BUG_ON(!*link);
            link = &(*link)->next;
        }
        *link = node;
    }
}

/* The newest first: one that moves up when another leaves was met before. */
static void
each_of(const struct table_bucket *b, void (*fn)(struct table_node *node, void *arg), void *arg)
{
    for (struct table_node *node = b->more, *next; node; node = next) {
        next = node->next;
        fn(node, arg);
    }
    for (uint32_t i = b->len; i-- > 0;)
        fn(b->place[i], arg);
}

void
table_each(struct table *t, void (*fn)(struct table_node *node, void *arg), void *arg)
{
    if (t->old_buckets)
        for (size_t i = t->moved; i < size(t->old_bits); i++)
            each_of(&t->old_buckets[i], fn, arg);
    for (size_t i = 0; i < size(t->bits); i++) {
        bool is_made = !t->old_buckets || (i & (size(t->old_bits) - 1)) < t->moved;

        if (is_made)
            each_of(&t->buckets[i], fn, arg);
    }
}
