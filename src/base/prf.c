/*
 * SipHash (Aumasson and Bernstein, "SipHash: a fast short-input PRF", 2012) in two sizes.
 *
 * Both read little-endian words of 8 bytes, the last one filled up with the message's length in its
 * top byte.
 */
#include "base/prf.h"

#define INLINE static inline __attribute__((always_inline))

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

/* Fewer than 8 bytes: two reads that may overlap cost less than a copy of unknown length. */
static inline uint64_t
short_word(struct span s)
{
    if (s.len >= 4)
        return word_at(s.at, 4) | word_at(s.at + s.len - 4, 4) << (s.len - 4) * 8;
    if (s.len == 0)
        return 0;
    return word_at(s.at, 1) | word_at(s.at + s.len / 2, 1) << s.len / 2 * 8 |
           word_at(s.at + s.len - 1, 1) << (s.len - 1) * 8;
}

void
prf_init(struct prf *p, const struct prf_key *key)
{
    *p = keyed(key);
    p->v1 ^= 0xee;
}

/*
 * Absorbs whole words of which `held` bits stand in the tail already; what is left of the last one is the tail then. The
 * state is a value, so that it stays in registers.
 */
INLINE struct prf
with_bytes(struct prf p, struct span s)
{
    unsigned held = p.len_bytes % 8 * 8;
    uint64_t word;

    p.len_bytes += s.len;
    for (; s.len >= 8; s = span_skip(s, 8)) {
        word = word_at(s.at, 8);
        absorb(&p, p.tail | word << held, 2);
        p.tail = word >> 1 >> (63 - held); /* in two steps: a shift by 64 is none */
    }
    if (s.len == 0)
        return p;
    word = short_word(s);
    p.tail |= word << held;
    held += (unsigned)s.len * 8;
    if (held >= 64) {
        absorb(&p, p.tail, 2);
        held -= 64;
        p.tail = word >> (s.len * 8 - held);
    }
    return p;
}

INLINE struct prf
with_number(struct prf p, uint64_t n)
{
    unsigned held = p.len_bytes % 8 * 8;

    p.len_bytes += 8;
    absorb(&p, p.tail | n << held, 2);
    p.tail = n >> 1 >> (63 - held);
    return p;
}

void
prf_put(struct prf *p, struct span s)
{
    *p = with_bytes(*p, s);
}

void
prf_put_u64(struct prf *p, uint64_t n)
{
    *p = with_number(*p, n);
}

/* From a whole word to a whole word: nothing is shifted. */
INLINE struct prf
with_words(struct prf p, struct span s)
{
    p.len_bytes += (s.len + 7) / 8 * 8;
    for (; s.len >= 8; s = span_skip(s, 8))
        absorb(&p, word_at(s.at, 8), 2);
    if (s.len > 0)
        absorb(&p, short_word(s), 2);
    return p;
}

INLINE struct prf
with_word(struct prf p, uint64_t word)
{
    p.len_bytes += 8;
    absorb(&p, word, 2);
    return p;
}

void
prf_put_word_and(struct prf *p, uint64_t word, struct span s)
{
    BUG_ON(p->len_bytes % 8 != 0);
    *p = with_words(with_word(*p, word), s);
}

void
prf_put_field(struct prf *p, struct span s)
{
    prf_put_word_and(p, s.len, s);
}

void
prf_put_pair(struct prf *p, struct span a, struct span b)
{
    BUG_ON(p->len_bytes % 8 != 0);
    *p = with_words(with_words(with_word(*p, (uint64_t)a.len << 32 ^ b.len), a), b);
}

/* The last word, and the first half of the output. */
static inline uint64_t
finished(struct prf *p)
{
    absorb(p, p->tail | p->len_bytes << 56, 2);
    p->v2 ^= 0xee;
    rounds(p, 4);
    return folded(p);
}

struct prf_out
prf_done(const struct prf *p)
{
    struct prf last = *p;
    struct prf_out out = { .lo = finished(&last) };

    last.v1 ^= 0xdd;
    rounds(&last, 4);
    out.hi = folded(&last);
    return out;
}

uint64_t
prf_done_lo(const struct prf *p)
{
    struct prf last = *p;

    return finished(&last);
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
    word = short_word(s);
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

/* The lowest 40 bits as eight characters; in memory the lowest five bits come last. */
static uint64_t
digits_of(uint64_t bits)
{
    const uint64_t each = UINT64_C(0x0101010101010101);
    uint64_t five, letters;

    five = (bits & 0xfffff) | (bits >> 20 & 0xfffff) << 32;
    five = (five & UINT64_C(0x000003ff000003ff)) | (five & UINT64_C(0x000ffc00000ffc00)) << 6;
    five = (five & UINT64_C(0x001f001f001f001f)) | (five & UINT64_C(0x03e003e003e003e0)) << 3;
    letters = (five + each * (0x80 - 10)) >> 7 & each; /* 1 in the byte of each digit above 9 */
    five += each * '0' + letters * ('a' - '0' - 10);
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    five = __builtin_bswap64(five);
#endif
    return five;
}

void
prf_write32(struct prf_out v, char *to, unsigned digits)
{
    BUG_ON(digits > 26);
    for (; digits >= 8; v.lo = v.lo >> 40 | v.hi << 24, v.hi >>= 40) {
        uint64_t text = digits_of(v.lo);

        digits -= 8;
        memcpy(to + digits, &text, sizeof text);
    }
    if (digits > 0) {
        uint64_t text = digits_of(v.lo);

        span_write(to, (struct span){ (const char *)&text + sizeof text - digits, digits });
    }
}
