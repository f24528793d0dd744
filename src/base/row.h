/*
 * A row of records of any size, which leave in the order in which they joined, and lie side by side in it.
 *
 * For what all lasts as long: none has a block of the heap for itself, and who ends them one after another walks through memory
 * as it lies. Addresses stay put. Records are aligned for pointers and numbers of 64 bits.
 */
#ifndef BASE_ROW_H
#define BASE_ROW_H

#include "base/def.h"

struct row_chunk;

struct row {
    struct row_chunk **chunks; /* owned; those in use are chunks_len from chunks_at on */
    uint32_t chunks_room, chunks_at, chunks_len;
    uint64_t chunks_left;    /* how many have been left behind: the number of the first */
    struct row_chunk *spare; /* owned: the one left last, or NULL */
    uint32_t first_at;       /* where the first record begins in its chunk */
    void *last;              /* record; NULL: there is none */
    size_t len;              /* records */
};

/* An empty row. */
void row_init(struct row *row);
/* Gives all memory back; every record ends. */
void row_fini(struct row *row);
/* A new last record, not zeroed. Units: bytes, under 2 GiB. NULL: memory is out. */
void *row_push(struct row *row, size_t bytes) MUST_USE;
/* The first record; NULL: there is none. */
void *row_first(const struct row *row);
/* Who stands behind a record; NULL: nobody. */
void *row_next(const struct row *row, const void *record);
/* Ends the first. BUG_ON an empty row. */
void row_shift(struct row *row);
/*
 * Walks all in slices, while others join and leave: the next one behind *cursor (start with 0), which becomes its place. NULL at the
 * end.
 */
void *row_after(const struct row *row, uint64_t *cursor);
/* What the cursor of a walk becomes with the record that is the last now: no later one has a lower. 0: there is none. */
uint64_t row_end(const struct row *row);

#endif
