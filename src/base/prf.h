/*
 * Keyed pseudo-random functions: SipHash-2-4 for what others may see and must not be able to make, SipHash-1-3 for hash
 * tables.
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

/* SipHash-2-4 of 128 bits. */
struct prf_out prf_wide(const struct prf_key *key, struct span s);
/*
 * A message authentication code: SipHash-2-4 over head and tail, one behind the other. The head's length is a multiple of 8,
 * and can be told from its bytes, or is always the same: so no other two make the same message.
 */
uint64_t prf_mac(const struct prf_key *key, struct span head, struct span tail);
/* A key derived from another for one named use. */
struct prf_key prf_derive(const struct prf_key *key, struct span use);

/* 64-bit table hash (SipHash-1-3). */
uint64_t prf_hash(const struct prf_key *key, struct span s);
/* As prf_hash over the lower-case form (ASCII) of s. */
uint64_t prf_ihash(const struct prf_key *key, struct span s);
/*
 * 64 bits to know long bytes again by, for an eighth of what SipHash takes: sixteen bytes a multiplication. Only where nobody who
 * may choose bytes sees what comes out.
 */
uint64_t prf_fold(const struct prf_key *key, struct span s);

#endif
