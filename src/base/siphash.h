/*
 * SipHash (Aumasson and Bernstein, "SipHash: a fast short-input PRF", 2012), its state and its steps: inline, so that the
 * state stays in registers.
 */
#ifndef BASE_SIPHASH_H
#define BASE_SIPHASH_H

#include "base/prf.h"
#include "base/word.h"

struct siphash {
    uint64_t v0, v1, v2, v3;
};

static inline uint64_t
siphash_rotated(uint64_t word, int bits)
{
    return word << bits | word >> (64 - bits);
}

/* The words "somepseudorandomlygeneratedbytes", mixed with the key. */
static inline struct siphash
siphash_begin(const struct prf_key *key)
{
    return (struct siphash){
        .v0 = key->k0 ^ UINT64_C(0x736f6d6570736575),
        .v1 = key->k1 ^ UINT64_C(0x646f72616e646f6d),
        .v2 = key->k0 ^ UINT64_C(0x6c7967656e657261),
        .v3 = key->k1 ^ UINT64_C(0x7465646279746573),
    };
}

/* The paper's figure 2.1. */
static inline void
siphash_rounds(struct siphash *p, int n)
{
    for (int i = 0; i < n; i++) {
        p->v0 += p->v1;
        p->v2 += p->v3;
        p->v1 = siphash_rotated(p->v1, 13) ^ p->v0;
        p->v3 = siphash_rotated(p->v3, 16) ^ p->v2;
        p->v0 = siphash_rotated(p->v0, 32);
        p->v2 += p->v1;
        p->v0 += p->v3;
        p->v1 = siphash_rotated(p->v1, 17) ^ p->v2;
        p->v3 = siphash_rotated(p->v3, 21) ^ p->v0;
        p->v2 = siphash_rotated(p->v2, 32);
    }
}

static inline void
siphash_put(struct siphash *p, uint64_t word, int n)
{
    p->v3 ^= word;
    siphash_rounds(p, n);
    p->v0 ^= word;
}

/* The words of s that are whole. */
static inline void
siphash_put_whole(struct siphash *p, struct span s, int n)
{
    for (size_t at = 0; at + 8 <= s.len; at += 8)
        siphash_put(p, word_read(s.at + at), n);
}

/* The fewer than 8 bytes behind them, as a word, zeros above: read without a loop, some of them twice. */
static inline uint64_t
siphash_rest(struct span s)
{
    const unsigned char *at = (const unsigned char *)s.at;
    uint32_t first, last;

    if (s.len >= 8)
        return word_read(at + s.len - 8) >> 8 >> (56 - s.len % 8 * 8); /* a shift by 64 is none */
    if (s.len == 0)
        return 0;
    if (s.len < 4)
        return (uint64_t)at[0] | (uint64_t)at[s.len / 2] << s.len / 2 * 8 |
               (uint64_t)at[s.len - 1] << (s.len - 1) * 8;
    memcpy(&first, at, sizeof first);
    memcpy(&last, at + s.len - 4, sizeof last);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    first = __builtin_bswap32(first);
    last = __builtin_bswap32(last);
#endif
    return first | (uint64_t)last << (s.len - 4) * 8;
}

/* What a message of this length ends with, by the paper. */
static inline uint64_t
siphash_last(struct span s, size_t len)
{
    return (uint64_t)len << 56 | siphash_rest(s);
}

/* Ends, by so many rounds; `how` is the paper's 0xff, or 0xee of 128 bits. */
static inline uint64_t
siphash_end(struct siphash *p, uint64_t how, int n)
{
    p->v2 ^= how;
    siphash_rounds(p, n);
    return p->v0 ^ p->v1 ^ p->v2 ^ p->v3;
}

#endif
