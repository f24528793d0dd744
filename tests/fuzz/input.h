/*
 * What fuzz targets share: input in blocks that a sanitizer guards to the byte, and chance that depends on the input only,
 * so that a seed is a plain message and a finding replays.
 */
#ifndef FUZZ_INPUT_H
#define FUZZ_INPUT_H

#include "base/def.h"
#include "base/mem.h"
#include "base/rand.h"
#include "base/span.h"

static inline struct rand
input_rand(const uint8_t *data, size_t size)
{
    uint64_t hash = 0xcbf29ce484222325; /* FNV-1a */
    struct rand rand;

    for (size_t i = 0; i < size; i++)
        hash = (hash ^ data[i]) * 0x100000001b3;
    rand_seed(&rand, hash);
    return rand;
}

/* A copy without a byte to spare; ends with input_free(). */
static inline struct span
input_copy(const void *data, size_t size)
{
    char *copy = mem_grow(NULL, size);

    BUG_ON(!copy);
    if (size > 0)
        memcpy(copy, data, size);
    return (struct span){ copy, size };
}

static inline void
input_free(struct span *copy)
{
    mem_free((char *)(uintptr_t)copy->at);
    *copy = (struct span){ NULL, 0 };
}

/* Does inner lie within outer? An empty span may be anywhere. */
static inline bool
input_holds(struct span outer, struct span inner)
{
    return inner.len == 0 || (inner.at >= outer.at && inner.at + inner.len <= outer.at + outer.len);
}

#endif
