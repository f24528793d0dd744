/*
 * Blocks cut from the front of a chunk, and all ended at once.
 *
 * Chunks double up to 64 KiB or to what was asked for, from 4 KiB or from what is expected, so a small trip is cheap and a
 * busy turn soon needs no heap. A block too large for the next chunk gets one of its own behind the one in use, whose rest is thus not lost.
 */
#include "base/arena.h"

#include <stdint.h>

#include "base/mem.h"

enum {
    CHUNK_MIN_BYTES = 2 << 10,
    CHUNK_FIRST_BYTES = 4 << 10,
    CHUNK_MAX_BYTES = 64 << 10,
    SPARE_MOST = 256, /* chunks of a size */
    ALIGN = ARENA_ALIGN,
    GAP_BYTES = POISON_WORKS * ALIGN, /* poisoned, behind each block: trips who overruns it */
};

struct arena_chunk {
    struct arena_chunk *next;
    size_t bytes; /* with this head */
    alignas(max_align_t) char room[];
};

void
arena_init(struct arena *a, size_t limit_bytes)
{
    arena_init_large(a, limit_bytes, CHUNK_MAX_BYTES);
}

void
arena_init_large(struct arena *a, size_t limit_bytes, size_t chunk_bytes)
{
    *a = (struct arena){
        .limit_bytes = limit_bytes,
        .first_bytes = CHUNK_FIRST_BYTES,
        .chunk_bytes = chunk_bytes,
    };
}

static size_t
aligned(size_t bytes)
{
    return (bytes + ALIGN - 1) & ~(size_t)(ALIGN - 1);
}

static size_t
room_bytes(const struct arena_chunk *chunk)
{
    return chunk->bytes - sizeof *chunk;
}

/* Makes chunk, empty, the one that blocks are cut from. */
static void
begin(struct arena *a, struct arena_chunk *chunk)
{
    poison(chunk->room, room_bytes(chunk));
    a->at = chunk->room;
    a->end = chunk->room + room_bytes(chunk);
}

/* Which of the sizes that are left to others; ARENA_SIZES: none of them. */
static unsigned
size_of(size_t bytes)
{
    unsigned size = 0;

    while (size < ARENA_SIZES && bytes != (size_t)CHUNK_MIN_BYTES << size)
        size++;
    return size;
}

static struct arena_chunk *
take_spare(struct arena_spare *spare, unsigned size)
{
    struct arena_chunk *chunk = spare && size < ARENA_SIZES ? spare->of[size].chunks : NULL;

    if (!chunk)
        return NULL;
    spare->of[size].chunks = chunk->next;
    spare->of[size].count--;
    return chunk;
}

void
arena_init_by(struct arena *a, size_t limit_bytes, size_t expected_bytes, struct arena_spare *spare)
{
    unsigned size = 0;

    while (size < ARENA_SIZES - 1 &&
           ((size_t)CHUNK_MIN_BYTES << size) - sizeof(struct arena_chunk) < expected_bytes)
        size++;
    arena_init(a, limit_bytes);
    a->spare = spare;
    a->first_bytes = (size_t)CHUNK_MIN_BYTES << size;
    if (a->first_bytes > limit_bytes)
        return;
    a->chunks = take_spare(spare, size);
    if (!a->chunks)
        return;
    a->chunks->next = NULL;
    a->held_bytes = a->first_bytes;
    begin(a, a->chunks);
}

static bool
leave_spare(struct arena_spare *spare, struct arena_chunk *chunk)
{
    unsigned size = size_of(chunk->bytes);

    if (!spare || size == ARENA_SIZES || spare->of[size].count >= SPARE_MOST)
        return false;
    poison(chunk->room, room_bytes(chunk));
    chunk->next = spare->of[size].chunks;
    spare->of[size].chunks = chunk;
    spare->of[size].count++;
    return true;
}

static struct arena_chunk *
chunk_new(struct arena *a, size_t bytes)
{
    struct arena_chunk *chunk;

    if (bytes > a->limit_bytes - a->held_bytes)
        return NULL;
    chunk = take_spare(a->spare, size_of(bytes));
    if (!chunk)
        chunk = mem_grow(NULL, bytes);
    if (!chunk)
        return NULL;
    chunk->bytes = bytes;
    a->held_bytes += bytes;
    return chunk;
}

static void
chunk_free(struct arena *a, struct arena_chunk *chunk)
{
    a->held_bytes -= chunk->bytes;
    if (leave_spare(a->spare, chunk))
        return;
    unpoison(chunk->room, room_bytes(chunk));
    mem_free(chunk);
}

/* The size of the next ordinary chunk: twice the one in use, or what the ceiling leaves. */
static size_t
next_bytes(const struct arena *a)
{
    size_t bytes = a->chunks ? a->chunks->bytes * 2 : a->first_bytes;
    size_t most = a->limit_bytes - a->held_bytes;

    bytes = bytes < a->chunk_bytes ? bytes : a->chunk_bytes;
    return (bytes < most ? bytes : most) & ~(size_t)(ALIGN - 1);
}

static size_t
left_bytes(const struct arena *a)
{
    return (size_t)(a->end - a->at);
}

static void *
cut(struct arena *a, size_t bytes)
{
    char *block = a->at;
    size_t whole = aligned(bytes) + GAP_BYTES;

    if (GAP_BYTES > 0 && whole > left_bytes(a))
        whole = left_bytes(a); /* the chunk's end needs no gap */
    a->at += whole;
    unpoison(block, bytes);
    return block;
}

/* A block that the chunk in use has no room for. */
static void *
alloc_more(struct arena *a, size_t bytes)
{
    struct arena_chunk *chunk;
    size_t need, next = next_bytes(a);
    bool alone;

    if (bytes > SIZE_MAX / 2)
        return NULL; /* or the sum below might wrap around */
    need = sizeof *chunk + aligned(bytes);
    alone = need > next;
    chunk = chunk_new(a, alone ? need : next);
    if (!chunk)
        return NULL;
    if (alone && a->chunks) {
        chunk->next = a->chunks->next;
        a->chunks->next = chunk;
        return chunk->room;
    }
    chunk->next = a->chunks;
    a->chunks = chunk;
    begin(a, chunk);
    return cut(a, bytes);
}

void *
arena_alloc_it(struct arena *a, size_t bytes)
{
    return bytes <= left_bytes(a) ? cut(a, bytes) : alloc_more(a, bytes);
}

void *
arena_zalloc(struct arena *a, size_t bytes)
{
    void *block = arena_alloc(a, bytes);

    return block ? memset(block, 0, bytes) : NULL;
}

void
arena_shrink(struct arena *a, const void *block, size_t bytes)
{
    uintptr_t from = (uintptr_t)block, at = (uintptr_t)a->at;
    size_t whole = aligned(bytes + !bytes) + GAP_BYTES;

    if (from < (uintptr_t)a->chunks->room || from > at || whole >= at - from)
        return; /* it has a chunk of its own, or there is no rest */
    a->at -= at - from - whole;
    poison((const char *)block + bytes, at - from - bytes);
}

/* The chunk worth keeping: the newest, as they grow, that is not oversized. */
static struct arena_chunk *
chunk_to_keep(const struct arena *a)
{
    struct arena_chunk *chunk = a->chunks;

    while (chunk && chunk->bytes > a->chunk_bytes)
        chunk = chunk->next;
    return chunk;
}

void
arena_reset(struct arena *a)
{
    struct arena_chunk *kept = chunk_to_keep(a);

    for (struct arena_chunk *chunk = a->chunks, *next; chunk; chunk = next) {
        next = chunk->next;
        if (chunk != kept)
            chunk_free(a, chunk);
    }
    a->chunks = kept;
    a->at = a->end = NULL;
    if (!kept)
        return;
    kept->next = NULL;
    begin(a, kept);
}

void
arena_fini_it(struct arena *a)
{
    for (struct arena_chunk *chunk = a->chunks, *next; chunk; chunk = next) {
        next = chunk->next;
        chunk_free(a, chunk);
    }
    a->chunks = NULL;
    a->at = a->end = NULL;
}

void
arena_take(struct arena *a, struct arena *from)
{
    *a = *from;
    from->chunks = NULL;
    from->at = from->end = NULL;
    from->limit_bytes = from->held_bytes;
}

void
arena_spare_fini(struct arena_spare *spare)
{
    struct arena_chunk *chunk;

    for (unsigned size = 0; size < ARENA_SIZES; size++)
        while ((chunk = take_spare(spare, size))) {
            unpoison(chunk->room, room_bytes(chunk));
            mem_free(chunk);
        }
}
