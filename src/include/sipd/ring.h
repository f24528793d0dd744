/*
 * Things in a ring of neighbours: in and out in one step, wherever they stand.
 */
#ifndef SIPD_RING_H
#define SIPD_RING_H

#include <stdbool.h>
#include <stddef.h>

struct ring {
    struct ring *prev, *next;
};

/* The struct that has `member` at `at`. */
#define RING_OF(at, type, member) ((type *)(void *)((char *)(at)-offsetof(type, member)))

/* An empty ring, or a thing that stands in none. */
static inline void
ring_init(struct ring *ring)
{
    ring->prev = ring->next = ring;
}

static inline bool
ring_is_empty(const struct ring *ring)
{
    return ring->next == ring;
}

/* Puts a thing last. It stands in no ring yet. */
static inline void
ring_put(struct ring *ring, struct ring *thing)
{
    thing->prev = ring->prev;
    thing->next = ring;
    ring->prev->next = thing;
    ring->prev = thing;
}

/* Takes a thing out of the ring that it stands in, if any. */
static inline void
ring_out(struct ring *thing)
{
    thing->prev->next = thing->next;
    thing->next->prev = thing->prev;
    ring_init(thing);
}

/* Moves all that is in `from` behind what is in `to`. */
static inline void
ring_splice(struct ring *to, struct ring *from)
{
    if (ring_is_empty(from))
        return;
    from->next->prev = to->prev;
    to->prev->next = from->next;
    from->prev->next = to;
    to->prev = from->prev;
    ring_init(from);
}

#endif
