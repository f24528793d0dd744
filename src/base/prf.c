/*
 * SipHash (Aumasson and Bernstein, "SipHash: a fast short-input PRF", 2012) in two sizes.
 *
 * Both read little-endian words of 8 bytes, the last one filled up with the message's length in its
 * top byte.
 */
#include "base/prf.h"

#define ROTATED(word, bits) ((word) << (bits) | (word) >> (64 - (bits)))

/* The words "somepseudorandomlygeneratedbytes", mixed with the key. */
static struct prf
keyed(const struct prf_key *key)
{
    return (struct prf){
        .v0 = key->k0 ^ UINT64_C(0x736f6d6570736575),
        .v1 = key->k1 ^ UINT64_C(0x646f72616e646f6d),
        .v2 = key->k0 ^ UINT64_C(0x6c7967656e657261),
        .v3 = key->k1 ^ UINT64_C(0x7465646279746573),
    };
}

/* The paper's figure 2.1. */
static inline void
rounds(struct prf *p, int n)
{
    for (int i = 0; i < n; i++) {
        p->v0 += p->v1;
        p->v2 += p->v3;
        p->v1 = ROTATED(p->v1, 13) ^ p->v0;
        p->v3 = ROTATED(p->v3, 16) ^ p->v2;
        p->v0 = ROTATED(p->v0, 32);
        p->v2 += p->v1;
        p->v0 += p->v3;
        p->v1 = ROTATED(p->v1, 17) ^ p->v2;
        p->v3 = ROTATED(p->v3, 21) ^ p->v0;
        p->v2 = ROTATED(p->v2, 32);
    }
}

static inline void
absorb(struct prf *p, uint64_t word, int n)
{
    p->v3 ^= word;
    rounds(p, n);
    p->v0 ^= word;
}

static uint64_t
folded(const struct prf *p)
{
    return p->v0 ^ p->v1 ^ p->v2 ^ p->v3;
}

/* Up to 8 bytes as a little-endian word, zeros above. */
static inline uint64_t
word_at(const char *at, size_t bytes)
{
    uint64_t word = 0;

    memcpy(&word, at, bytes);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    word = __builtin_bswap64(word);
#endif
    return word;
}

void
prf_init(struct prf *p, const struct prf_key *key)
{
    *p = keyed(key);
    p->v1 ^= 0xee;
}

/* Adds the lowest `bytes` (1 to 8) bytes of a word whose others are 0. */
static void
put_word(struct prf *p, uint64_t word, unsigned bytes)
{
    unsigned held = p->len_bytes % 8;

    p->len_bytes += bytes;
    p->tail |= word << held * 8;
    if (held + bytes < 8)
        return;
    absorb(p, p->tail, 2);
    p->tail = held ? word >> (8 - held) * 8 : 0;
}

void
prf_put(struct prf *p, struct span s)
{
    for (; s.len >= 8; s = span_skip(s, 8))
        put_word(p, word_at(s.at, 8), 8);
    if (s.len > 0)
        put_word(p, word_at(s.at, s.len), (unsigned)s.len);
}

void
prf_put_u64(struct prf *p, uint64_t n)
{
    put_word(p, n, 8);
}

void
prf_put_field(struct prf *p, struct span s)
{
    prf_put_u64(p, s.len);
    prf_put(p, s);
}

struct prf_out
prf_done(struct prf *p)
{
    struct prf_out out;

    absorb(p, p->tail | p->len_bytes << 56, 2);
    p->v2 ^= 0xee;
    rounds(p, 4);
    out.lo = folded(p);
    p->v1 ^= 0xdd;
    rounds(p, 4);
    out.hi = folded(p);
    return out;
}

struct prf_key
prf_derive(const struct prf_key *key, struct span use)
{
    struct prf_out out;
    struct prf p;

    prf_init(&p, key);
    prf_put_field(&p, SPAN("derived key"));
    prf_put_field(&p, use);
    out = prf_done(&p);
    return (struct prf_key){ out.lo, out.hi };
}

/* Eight bytes at once: those from A to Z get bit 0x20; no sum carries into the next byte. */
static uint64_t
lower_word(uint64_t word)
{
    const uint64_t each = UINT64_C(0x0101010101010101);
    uint64_t low = word & each * 0x7f;
    uint64_t from_a = low + each * (0x80 - 'A');
    uint64_t past_z = low + each * (0x7f - 'Z');
    uint64_t upper = (from_a & ~past_z) & ~word & each * 0x80;

    return word | upper >> 2;
}

static inline uint64_t
hashed(const struct prf_key *key, struct span s, bool lower)
{
    struct prf p = keyed(key);
    uint64_t length = (uint64_t)s.len << 56, word;

    for (; s.len >= 8; s = span_skip(s, 8)) {
        word = word_at(s.at, 8);
        absorb(&p, lower ? lower_word(word) : word, 1);
    }
    word = s.len > 0 ? word_at(s.at, s.len) : 0;
    absorb(&p, length | (lower ? lower_word(word) : word), 1);
    p.v2 ^= 0xff;
    rounds(&p, 3);
    return folded(&p);
}

uint64_t
prf_hash(const struct prf_key *key, struct span s)
{
    return hashed(key, s, false);
}

uint64_t
prf_ihash(const struct prf_key *key, struct span s)
{
    return hashed(key, s, true);
}

void
prf_write32(struct prf_out v, char *to, unsigned digits)
{
    BUG_ON(digits > 26);
    while (digits-- > 0) {
        to[digits] = "0123456789abcdefghijklmnopqrstuv"[v.lo & 31];
        v.lo = v.lo >> 5 | v.hi << 59;
        v.hi >>= 5;
    }
}
