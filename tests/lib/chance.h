/*
 * Chance for tests of properties: SIPD_RUNS says how many runs, SIPD_SEED the first seed; a run that fails tells its own.
 */
#ifndef LIB_CHANCE_H
#define LIB_CHANCE_H

#include <stdlib.h>

#include "base/poison.h"
#include "base/rand.h"
#include "base/span.h"

static inline uint64_t
chance_setting(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);
    uint64_t n;

    return text && span_u64(span_of(text), UINT64_MAX, &n) ? n : otherwise;
}

/* So many runs, a tenth of them where every byte is watched, or as many as asked for. */
static inline uint64_t
chance_runs(uint64_t runs)
{
    return chance_setting("SIPD_RUNS", POISON_WORKS ? runs / 10 : runs);
}

static inline uint64_t
chance_seed(void)
{
    return chance_setting("SIPD_SEED", 1);
}

static inline bool
chance(struct rand *rand, unsigned percent)
{
    return rand_below(rand, 100) < percent;
}

static inline unsigned
chance_below(struct rand *rand, size_t below)
{
    return (unsigned)rand_below(rand, below);
}

#endif
