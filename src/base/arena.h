/*
 * Memory that ends all at once: the turn's, a trip's, the configuration's.
 *
 * Blocks are aligned for any type and not zeroed. Nothing is freed alone. Under AddressSanitizer a
 * reset arena is poisoned, so a pointer kept past its life traps.
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include "base/def.h"
#include "base/span.h"

struct arena_chunk;

enum { ARENA_SIZES = 3 }; /* of chunks that are left to others: 2, 4 and 8 KiB */

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
    size_t first_bytes;         /* of its first chunk */
    size_t chunk_bytes;         /* of its largest ordinary ones, of which a reset keeps one */
    char *at;                   /* where it is free */
    size_t left_bytes;          /* free from there on */
    size_t held_bytes;          /* heap bytes in chunks */
    size_t limit_bytes;         /* ceiling on held_bytes */
};

/* An empty arena; takes no memory yet. Units: limit_bytes, the ceiling on what it may hold. */
void arena_init(struct arena *a, size_t limit_bytes);
/* Memory until the next reset, or NULL at the ceiling or when memory is out. */
void *arena_alloc(struct arena *a, size_t bytes) MUST_USE;
/* As arena_alloc, zeroed. */
void *arena_zalloc(struct arena *a, size_t bytes) MUST_USE;
/* The block that was taken last turns out to need only so many bytes: the rest is for others. */
void arena_shrink(struct arena *a, const void *block, size_t bytes);
/* A copy of s with the arena's life and a NUL behind it; .at is NULL if there was no memory. */
struct span arena_copy(struct arena *a, struct span s) MUST_USE;
/* Ends every block; keeps one chunk of modest size for what comes next. */
void arena_reset(struct arena *a);
/* Ends every block and gives all memory back. */
void arena_fini(struct arena *a);

/*
 * As arena_init, for one that is filled and reset again and again: the chunk that a reset keeps is of chunk_bytes at most
 * (otherwise 64 KiB), so that what is often needed costs no heap and touches no new page.
 */
void arena_init_large(struct arena *a, size_t limit_bytes, size_t chunk_bytes);

/*
 * As arena_init, for one of many: chunks of the small sizes come from `spare` and go back there. Lent: spare, for its life.
 * Units: expected_bytes, what it will be asked for in all, as a guess: its first chunk has room for that, if one of a
 * small size has.
 */
void arena_init_by(struct arena *a, size_t limit_bytes, size_t expected_bytes,
                   struct arena_spare *spare);
/* Gives back what is spare; no arena needs it any more. */
void arena_spare_fini(struct arena_spare *spare);

#endif
