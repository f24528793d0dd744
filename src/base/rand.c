/*
 * xoshiro256** 1.0 of Blackman and Vigna, seeded by their splitmix64.
 */
#include "base/rand.h"

#define ROTATED(word, bits) ((word) << (bits) | (word) >> (64 - (bits)))

static uint64_t
splitmix(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

void
rand_seed(struct rand *r, uint64_t seed)
{
    for (size_t i = 0; i < countof(r->s); i++)
        r->s[i] = splitmix(&seed);
}

uint64_t
rand_u64(struct rand *r)
{
    uint64_t five = r->s[1] * 5;
    uint64_t out = ROTATED(five, 7) * 9;
    uint64_t shifted = r->s[1] << 17;

    r->s[2] ^= r->s[0];
    r->s[3] ^= r->s[1];
    r->s[1] ^= r->s[2];
    r->s[0] ^= r->s[3];
    r->s[2] ^= shifted;
    r->s[3] = ROTATED(r->s[3], 45);
    return out;
}

uint64_t
rand_below(struct rand *r, uint64_t below)
{
    uint64_t uneven, n;

    BUG_ON(below == 0);
    uneven = -below % below; /* 2^64 mod below: so many of the lowest would be too likely */
    do
        n = rand_u64(r);
    while (n < uneven);
    return n % below;
}
