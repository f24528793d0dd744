/*
 * Keyed pseudo-random functions, each of them SipHash with other numbers of rounds.
 */
#include "base/prf.h"

#include "base/siphash.h"
#include "base/word.h"

static struct siphash
wide_begin(const struct prf_key *key)
{
    struct siphash p = siphash_begin(key);

    p.v1 ^= 0xee;
    return p;
}

static struct prf_out
wide_end(struct siphash *p)
{
    struct prf_out out = { .lo = siphash_end(p, 0xee, 4) };

    p->v1 ^= 0xdd;
    out.hi = siphash_end(p, 0, 4);
    return out;
}

struct prf_out
prf_wide(const struct prf_key *key, struct span s)
{
    struct siphash p = wide_begin(key);

    siphash_put_whole(&p, s, 2);
    siphash_put(&p, siphash_last(s, s.len), 2);
    return wide_end(&p);
}

uint64_t
prf_mac(const struct prf_key *key, struct span head, struct span tail)
{
    struct siphash p = siphash_begin(key);

    BUG_ON(head.len % 8 != 0);
    siphash_put_whole(&p, head, 2);
    siphash_put_whole(&p, tail, 2);
    siphash_put(&p, siphash_last(tail, head.len + tail.len), 2);
    return siphash_end(&p, 0xff, 4);
}

/* Its length and its bytes, filled up to a word. Returns how many bytes that is. */
static size_t
put_field(struct siphash *p, struct span s)
{
    siphash_put(p, s.len, 2);
    siphash_put_whole(p, s, 2);
    if (s.len % 8 > 0)
        siphash_put(p, siphash_rest(s), 2);
    return 8 + (s.len + 7) / 8 * 8;
}

struct prf_key
prf_derive(const struct prf_key *key, struct span use)
{
    struct siphash p = wide_begin(key);
    size_t len = put_field(&p, SPAN("derived key"));
    struct prf_out out;

    len += put_field(&p, use);
    siphash_put(&p, (uint64_t)len << 56, 2);
    out = wide_end(&p);
    return (struct prf_key){ out.lo, out.hi };
}

uint64_t
prf_hash(const struct prf_key *key, struct span s)
{
    struct siphash p = siphash_begin(key);

    siphash_put_whole(&p, s, 1);
    siphash_put(&p, siphash_last(s, s.len), 1);
    return siphash_end(&p, 0xff, 3);
}

uint64_t
prf_ihash(const struct prf_key *key, struct span s)
{
    struct siphash p = siphash_begin(key);

    for (size_t at = 0; at + 8 <= s.len; at += 8)
        siphash_put(&p, word_lower(word_read(s.at + at)), 1);
    siphash_put(&p, (uint64_t)s.len << 56 | word_lower(siphash_rest(s)), 1);
    return siphash_end(&p, 0xff, 3);
}

__extension__ typedef unsigned __int128 wide_t;

/* Both halves of the product. */
static inline uint64_t
multiplied(uint64_t a, uint64_t b)
{
    wide_t product = (wide_t)a * b;

    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/* Two sums, neither of which waits for the other. */
static inline void
fold_words(const struct prf_key *key, const char *at, uint64_t sum[2])
{
    sum[0] = multiplied(word_read(at) ^ key->k1, word_read(at + 8) ^ sum[0]);
    sum[1] = multiplied(word_read(at + 16) ^ key->k0, word_read(at + 24) ^ sum[1]);
}

uint64_t
prf_fold(const struct prf_key *key, struct span s)
{
    char last[4 * sizeof(uint64_t)] = { 0 };
    uint64_t sum[2] = { key->k0, key->k1 };
    const char *at = s.at;
    size_t left = s.len;

    for (; left > sizeof last; left -= sizeof last, at += sizeof last)
        fold_words(key, at, sum);
    if (left > 0)
        memcpy(last, at, left);
    fold_words(key, last, sum);
    return multiplied(sum[0] ^ key->k1, sum[1] ^ key->k0 ^ s.len);
}
