/*
 * Things of one size behind 64-bit ids that go stale when the thing ends.
 *
 * An id is (generation << 32 | index) and never 0. Addresses stay put as the table grows, so a
 * pointer is good within a turn; across turns one keeps the id and asks again. Items are aligned
 * for pointers and numbers of 64 bits, no more.
 */
#ifndef BASE_SLOTS_H
#define BASE_SLOTS_H

#include <string.h>

#include "base/def.h"
#include "base/poison.h"

enum { SLOTS_CHUNK = 256 };

/* An odd generation is that of a living item. */
struct slot {
    uint32_t generation;
    uint32_t next_free; /* index + 1; 0 ends the list */
    uint64_t item[];
};

struct slots {
    void **chunks; /* owned; each holds 256 items */
    uint32_t chunks_len;
    uint32_t item_bytes; /* with the generation in front */
    uint32_t head_bytes; /* of an item, zeroed when it is made */
    uint32_t used;       /* items alive */
    uint32_t made;       /* items ever made: indexes below this were used once */
    uint32_t limit;      /* ceiling on used */
    uint32_t free_head;  /* index + 1 of the first free item, 0: none */
};

/* An empty table. Units: item_bytes of the caller's struct; limit: most items alive. */
void slots_init(struct slots *s, size_t item_bytes, uint32_t limit);
/* As slots_init(), for items of which slots_new() and slots_put() zero so many bytes; the rest is its owner's to fill. */
void slots_init_head(struct slots *s, size_t item_bytes, size_t head_bytes, uint32_t limit);
/* Gives all memory back; every item ends. */
void slots_fini(struct slots *s);
/*
 * A zeroed item with an id that slots_new() of another table gave: what this table holds mirrors that one. NULL: it is taken,
 * no id of a living item, past the ceiling, or memory is out. Before the next slots_new() comes slots_settle().
 */
void *slots_put(struct slots *s, uint64_t id) MUST_USE;
/* The table stands on its own again, and gives ids of its own. Cost: one walk. */
void slots_settle(struct slots *s);

/* The slot of an index that was made. */
static inline struct slot *
slots_at(const struct slots *s, uint32_t index)
{
    char *chunk = s->chunks[index / SLOTS_CHUNK];

    return (struct slot *)(void *)(chunk + (size_t)(index % SLOTS_CHUNK) * s->item_bytes);
}

/* Brings a slot to life, its item zeroed. */
static inline void *
slots_begin(struct slots *s, struct slot *slot, uint32_t generation)
{
    slot->generation = generation;
    s->used++;
    unpoison(slot->item, s->item_bytes - sizeof *slot);
    return memset(slot->item, 0, s->head_bytes);
}

/* There are no free slots: makes one. False: memory is out. */
bool slots_make(struct slots *s) MUST_USE;
/* A zeroed item and its id, or NULL at the ceiling or when memory is out. */
MUST_USE static inline void *
slots_new(struct slots *s, uint64_t *id)
{
    struct slot *slot;
    uint32_t index;

    if (s->used >= s->limit || (!s->free_head && !slots_make(s)))
        return NULL;
    index = s->free_head - 1;
    slot = slots_at(s, index);
    s->free_head = slot->next_free;
    *id = (uint64_t)(slot->generation + 1) << 32 | index;
    return slots_begin(s, slot, slot->generation + 1);
}

/*
 * Where slots_new() will make its next item, if it makes one: nobody's yet, but what will not be zeroed may be filled before. NULL:
 * not where one has been before.
 */
MUST_USE static inline void *
slots_coming(const struct slots *s)
{
    struct slot *slot = s->free_head ? slots_at(s, s->free_head - 1) : NULL;

    if (!slot)
        return NULL;
    unpoison(slot->item, s->item_bytes - sizeof *slot);
    return slot->item;
}

/* The living slot of an id, or NULL. */
static inline struct slot *
slots_slot(const struct slots *s, uint64_t id)
{
    uint32_t index = (uint32_t)id, generation = (uint32_t)(id >> 32);
    struct slot *slot;

    if (index >= s->made || !(generation & 1))
        return NULL;
    slot = slots_at(s, index);
    return slot->generation == generation ? slot : NULL;
}

/* The item, or NULL when it has ended (or never was). */
static inline void *
slots_find(const struct slots *s, uint64_t id)
{
    struct slot *slot = slots_slot(s, id);

    return slot ? slot->item : NULL;
}

/* The item alive in the place that this id has, or had: another one perhaps. NULL: none. */
void *slots_holder(const struct slots *s, uint64_t id);
/* Ends the item; its id is stale from now on. BUG_ON a stale id. */
void slots_free(struct slots *s, uint64_t id);
/*
 * The next item alive after *cursor (start with 0), or NULL at the end; *cursor becomes its id. The
 * item may be freed.
 */
void *slots_next(const struct slots *s, uint64_t *cursor);
/*
 * The same in slices: a walk over a table that was large looks at many places where nothing lives. Looks at *places of them at
 * most, and takes off what it looked at. NULL with *places 0: go on from *cursor another time; else it was the end.
 */
void *slots_next_within(const struct slots *s, uint64_t *cursor, uint32_t *places);

#endif
