/*
 * Memory that ends all at once: the turn's, a trip's, the configuration's.
 *
 * Blocks are aligned for any type and not zeroed. Nothing is freed alone. Under AddressSanitizer a
 * reset arena is poisoned, so a pointer kept past its life traps.
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stdalign.h>
#include <string.h>

#include "base/def.h"
#include "base/poison.h"
#include "base/span.h"

struct arena_chunk;

enum {
    ARENA_SIZES = 3, /* of chunks that are left to others: 2, 4 and 8 KiB */
    ARENA_ALIGN = alignof(max_align_t),
};

/* Chunks that arenas of short life leave to each other, by size; the last one left is still in the cache. */
struct arena_spare {
    struct {
        struct arena_chunk *chunks; /* owned */
        unsigned count;
    } of[ARENA_SIZES];
};

struct arena {
    struct arena_spare *spare;  /* lent; NULL: the heap alone */
    struct arena_chunk *chunks; /* owned; the one in use first */
    char *at, *end;             /* what is free of it; a multiple of ARENA_ALIGN */
    size_t first_bytes;         /* of its first chunk */
    size_t chunk_bytes;         /* of its largest ordinary ones, of which a reset keeps one */
    size_t held_bytes;          /* heap bytes in chunks */
    size_t limit_bytes;         /* ceiling on held_bytes */
};

/* An empty arena; takes no memory yet. Units: limit_bytes, the ceiling on what it may hold. */
void arena_init(struct arena *a, size_t limit_bytes);
/* As arena_alloc() where it is not that simple. bytes: not 0. */
void *arena_alloc_it(struct arena *a, size_t bytes) MUST_USE;

/* Memory until the next reset, or NULL at the ceiling or when memory is out. */
MUST_USE static inline void *
arena_alloc(struct arena *a, size_t bytes)
{
    char *block = a->at;

    bytes += !bytes; /* blocks of nothing have addresses of their own too */
    if (POISON_WORKS || __builtin_expect(bytes > (size_t)(a->end - block), 0))
        return arena_alloc_it(a, bytes);
    a->at = block + ((bytes + ARENA_ALIGN - 1) & ~(size_t)(ARENA_ALIGN - 1));
    return block;
}

/* As arena_alloc, zeroed. */
void *arena_zalloc(struct arena *a, size_t bytes) MUST_USE;
/* The block that was taken last turns out to need only so many bytes: the rest is for others. */
void arena_shrink(struct arena *a, const void *block, size_t bytes);
/* A copy of s with the arena's life and a NUL behind it; .at is NULL if there was no memory. */
MUST_USE static inline struct span
arena_copy(struct arena *a, struct span s)
{
    char *copy = arena_alloc(a, s.len + 1);

    if (!copy)
        return (struct span){ NULL, 0 };
    if (s.len > 0)
        memcpy(copy, s.at, s.len);
    copy[s.len] = '\0';
    return (struct span){ copy, s.len };
}
/* Ends every block; keeps one chunk of modest size for what comes next. */
void arena_reset(struct arena *a);
/* As arena_fini(), of one that has memory. */
void arena_fini_it(struct arena *a);
/* Ends every block and gives all memory back. */
static inline void
arena_fini(struct arena *a)
{
    if (a->chunks)
        arena_fini_it(a);
}
/* All that is in `from` is in a now, which is no arena yet; `from` has no room any more, and can be ended. */
void arena_take(struct arena *a, struct arena *from);

/*
 * As arena_init, for one that is filled and reset again and again: the chunk that a reset keeps is of chunk_bytes at most
 * (otherwise 64 KiB), so that what is often needed costs no heap and touches no new page.
 */
void arena_init_large(struct arena *a, size_t limit_bytes, size_t chunk_bytes);

/*
 * As arena_init, for one of many: chunks of the small sizes come from `spare` and go back there. Lent: spare, for its life.
 * Units: expected_bytes, what it will be asked for in all, as a guess: its first chunk has room for that, if one of a
 * small size has, and is taken at once if there is a spare one.
 */
void arena_init_by(struct arena *a, size_t limit_bytes, size_t expected_bytes,
                   struct arena_spare *spare);
/* Gives back what is spare; no arena needs it any more. */
void arena_spare_fini(struct arena_spare *spare);

#endif
