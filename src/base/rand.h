/*
 * A seedable source of random numbers (xoshiro256**): the same seed gives the same server.
 *
 * Not for secrets.
 */
#ifndef BASE_RAND_H
#define BASE_RAND_H

#include "base/def.h"

struct rand {
    uint64_t s[4];
};

/* Starts the sequence of this seed. */
void rand_seed(struct rand *r, uint64_t seed);
uint64_t rand_u64(struct rand *r);
/* Evenly from 0 to below - 1; below is at least 1. */
uint64_t rand_below(struct rand *r, uint64_t below);

#endif
