/*
 * Keyed pseudo-random functions: SipHash-2-4 with 128 bits for what others may see (branches, tags,
 * tokens), SipHash-1-3 with 64 bits for hash tables.
 */
#ifndef BASE_PRF_H
#define BASE_PRF_H

#include "base/def.h"
#include "base/span.h"

struct prf_key {
    uint64_t k0, k1;
};

struct prf_out {
    uint64_t lo, hi;
};

/* A running SipHash-2-4-128: init, any number of puts, done. */
struct prf {
    uint64_t v0, v1, v2, v3;
    uint64_t tail;      /* bytes not yet a whole word */
    uint64_t len_bytes; /* put so far */
};

/* Begins a message under key. */
void prf_init(struct prf *p, const struct prf_key *key);
/* Adds bytes. */
void prf_put(struct prf *p, struct span s);
/*
 * Fields begin and end with a whole word, filled up with zeros, for words that need no shifting cost less: so nothing but
 * numbers and whole words may have been put before.
 *
 * Adds the length and the bytes of one field, so that ("ab", "c") differs from ("a", "bc").
 */
void prf_put_field(struct prf *p, struct span s);
/* Two fields at the price of one: their lengths share a word. Units: below 4 GiB each. */
void prf_put_pair(struct prf *p, struct span a, struct span b);
/* A number that holds the field's length, or tells it, and the field. */
void prf_put_word_and(struct prf *p, uint64_t word, struct span s);
/* Adds a number, as 8 bytes, the lowest first. */
void prf_put_u64(struct prf *p, uint64_t n);
/* The 128 bits, or their lower half alone. p stays as it is: one beginning may have many ends. */
struct prf_out prf_done(const struct prf *p);
uint64_t prf_done_lo(const struct prf *p);
/* A key derived from another for one named use. */
struct prf_key prf_derive(const struct prf_key *key, struct span use);

/* 64-bit table hash (SipHash-1-3). */
uint64_t prf_hash(const struct prf_key *key, struct span s);
/* As prf_hash over the lower-case form (ASCII) of s. */
uint64_t prf_ihash(const struct prf_key *key, struct span s);

/*
 * Writes the lowest bits of (hi:lo), five a character, the highest first, in [0-9a-v]; digits at
 * most 26. No NUL.
 */
void prf_write32(struct prf_out v, char *to, unsigned digits);

#endif
