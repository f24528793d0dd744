/*
 * Chunks are numbered as they come, so that a place, number and offset, tells whether its record has left already. One that all have
 * left is kept for the end of the row; more are given back.
 */
#include "base/row.h"

#include <stdalign.h>
#include <string.h>

#include "base/mem.h"
#include "base/poison.h"

enum { ALIGN = alignof(uint64_t), CHUNK_BYTES = (64 << 10) - 64, CHUNKS = 16 };

/* Behind it its bytes. */
struct record {
    uint32_t whole; /* bytes, with this */
    uint32_t at;    /* in its chunk */
};

struct row_chunk {
    uint64_t number;
    uint32_t len, room; /* bytes */
    char bytes[];
};

void
row_init(struct row *row)
{
    *row = (struct row){ .len = 0 };
}

static void
free_chunk(struct row_chunk *chunk)
{
    if (chunk)
        unpoison(chunk->bytes, chunk->room);
    mem_free(chunk);
}

void
row_fini(struct row *row)
{
    for (uint32_t i = 0; i < row->chunks_len; i++)
        free_chunk(row->chunks[row->chunks_at + i]);
    free_chunk(row->spare);
    mem_free(row->chunks);
    row_init(row);
}

/* ------------------------------------------------------------------ chunks */

/* Room for one more in the list of them: those in use move to its front, if at most half of it are. */
static bool
widen(struct row *row)
{
    struct row_chunk **chunks = row->chunks;

    if (row->chunks_at + row->chunks_len < row->chunks_room)
        return true;
    if (row->chunks_len > row->chunks_room / 2 || row->chunks_room == 0) {
        uint32_t room = row->chunks_room ? 2 * row->chunks_room : CHUNKS;

        chunks = mem_grow(chunks, room * sizeof(struct row_chunk *));
        if (!chunks)
            return false;
        row->chunks = chunks;
        row->chunks_room = room;
    }
    memmove(chunks, chunks + row->chunks_at, row->chunks_len * sizeof *chunks);
    row->chunks_at = 0;
    return true;
}

static struct row_chunk *
take_spare(struct row *row, size_t bytes)
{
    struct row_chunk *spare = row->spare;

    if (!spare || spare->room < bytes)
        return NULL;
    row->spare = NULL;
    return spare;
}

static struct row_chunk *
new_chunk(struct row *row, size_t bytes)
{
    size_t room = bytes > CHUNK_BYTES ? bytes : CHUNK_BYTES;
    struct row_chunk *chunk = take_spare(row, bytes);

    if (!chunk && (chunk = mem_grow(NULL, sizeof *chunk + room))) {
        chunk->room = (uint32_t)room;
        poison(chunk->bytes, room);
    }
    return chunk;
}

static bool
add_chunk(struct row *row, size_t bytes)
{
    struct row_chunk *chunk = widen(row) ? new_chunk(row, bytes) : NULL;

    if (!chunk)
        return false;
    chunk->number = row->chunks_left + row->chunks_len;
    chunk->len = 0;
    row->chunks[row->chunks_at + row->chunks_len++] = chunk;
    return true;
}

static struct row_chunk *
last_chunk(const struct row *row)
{
    return row->chunks_len > 0 ? row->chunks[row->chunks_at + row->chunks_len - 1] : NULL;
}

/* All have left the first one. */
static void
leave_chunk(struct row *row)
{
    struct row_chunk *chunk = row->chunks[row->chunks_at++];

    row->chunks_len--;
    row->chunks_left++;
    row->first_at = 0;
    free_chunk(row->spare);
    row->spare = chunk;
}

/* The one of a number; NULL: it was left, or has not come. */
static struct row_chunk *
chunk_of(const struct row *row, uint64_t number)
{
    return number >= row->chunks_left && number - row->chunks_left < row->chunks_len
               ? row->chunks[row->chunks_at + (uint32_t)(number - row->chunks_left)]
               : NULL;
}

/* ------------------------------------------------------------------ records */

static void *
record_at(struct row_chunk *chunk, uint32_t at)
{
    return chunk->bytes + at + sizeof(struct record);
}

static const struct record *
head_of(const void *record)
{
    return (const struct record *)record - 1;
}

static struct row_chunk *
chunk_with(const void *record)
{
    const struct record *head = head_of(record);
    uintptr_t bytes = (uintptr_t)head - head->at;

    return container_of(bytes, struct row_chunk, bytes);
}

void *
row_push(struct row *row, size_t bytes)
{
    size_t whole = (sizeof(struct record) + bytes + ALIGN - 1) / ALIGN * ALIGN;
    struct row_chunk *chunk = last_chunk(row);
    struct record *head;

    if (!chunk || chunk->room - chunk->len < whole) {
        if (!add_chunk(row, whole))
            return NULL;
        chunk = last_chunk(row);
    }
    head = (struct record *)(void *)(chunk->bytes + chunk->len);
    unpoison(head, whole);
    *head = (struct record){ (uint32_t)whole, chunk->len };
    chunk->len += (uint32_t)whole;
    row->len++;
    return row->last = head + 1;
}

void *
row_first(const struct row *row)
{
    return row->len > 0 ? record_at(row->chunks[row->chunks_at], row->first_at) : NULL;
}

/* The record at a place, or the first of the chunk behind it. */
static void *
record_from(const struct row *row, struct row_chunk *chunk, uint32_t at)
{
    if (at < chunk->len)
        return record_at(chunk, at);
    chunk = chunk_of(row, chunk->number + 1);
    return chunk ? record_at(chunk, 0) : NULL;
}

void *
row_next(const struct row *row, const void *record)
{
    const struct record *head = head_of(record);

    return record_from(row, chunk_with(record), head->at + head->whole);
}

void
row_shift(struct row *row)
{
    struct row_chunk *chunk;
    struct record *head;

    BUG_ON(row->len == 0);
    chunk = row->chunks[row->chunks_at];
    head = (struct record *)(void *)(chunk->bytes + row->first_at);
    row->first_at += head->whole;
    if (--row->len == 0)
        row->last = NULL;
    poison(head, head->whole);
    if (row->first_at == chunk->len)
        leave_chunk(row);
}

/* A place is the number of a chunk and where in it a record ends; so 0 is before all. */
static uint64_t
place_of(const void *record)
{
    const struct record *head = head_of(record);

    return chunk_with(record)->number << 32 | (head->at + head->whole);
}

uint64_t
row_end(const struct row *row)
{
    return row->last ? place_of(row->last) : 0;
}

void *
row_after(const struct row *row, uint64_t *cursor)
{
    uint64_t place = *cursor, front = row->chunks_left << 32 | row->first_at;
    struct row_chunk *chunk;
    void *record;

    if (place < front)
        place = front;
    chunk = chunk_of(row, place >> 32);
    record = chunk ? record_from(row, chunk, (uint32_t)place) : NULL;
    if (record)
        *cursor = place_of(record);
    return record;
}
