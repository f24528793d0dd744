/*
 * Nonces that carry their own proof, and a bounded memory of the counts each was used with (RFC 7616 §3.3, §3.4, §5.4, §5.5).
 *
 * A nonce says when it was made and for which address, under a key, so nothing is kept of one until its first right answer.
 * Time is a clock in milliseconds that never goes back and is about the same on a node that shares the key.
 */
#ifndef AUTH_NONCE_H
#define AUTH_NONCE_H

#include <sipd/hop.h>
#include <sipd/span.h>

#define NONCE_BYTES      24 /* 6 time, 6 salt, 12 mac */
#define NONCE_TEXT_BYTES (2 * NONCE_BYTES)

struct nonce {
    uint64_t made_ms;
    uint8_t bytes[NONCE_BYTES];
};

enum nonce_verdict {
    NONCE_GOOD,
    NONCE_FOREIGN, /* not made by us for this address, or not a nonce at all */
    NONCE_OLD,     /* past its life, or made after now */
    NONCE_USED, /* this count, or more than 64 later ones, came before; or we may have forgotten that it did */
    NONCE_REPEATED /* the very request that used this count, sent again by a transport that loses some */
};

struct nonces;

/*
 * An empty memory of at most `limit` nonces; NULL when memory is out. A nonce made before now_ms is used: another process
 * may have seen it. Copied: key. Owns: the caller.
 */
struct nonces *nonces_new(const uint8_t key[16], uint32_t lifetime_s, uint32_t limit,
                          uint64_t now_ms);
/* Ends it and nulls the pointer. */
void nonces_free(struct nonces **nonces);
/* Another life, for nonces already made too. */
void nonces_set_lifetime(struct nonces *nonces, uint32_t lifetime_s);
/* The limit it was made with. */
uint32_t nonces_limit(const struct nonces *nonces);

/* Writes a nonce for this source, its port left out: a NAT may change it. Salt tells apart those of one millisecond. */
struct span nonce_write(const struct nonces *nonces, const struct hop *source, uint64_t now_ms,
                        uint64_t salt, char to[NONCE_TEXT_BYTES]);

/* Reads one that came back: NONCE_GOOD, NONCE_FOREIGN or NONCE_OLD. Whether its count is new is for nonce_use(). */
enum nonce_verdict nonce_read(const struct nonces *nonces, struct span text,
                              const struct hop *source, uint64_t now_ms, struct nonce *out);

/*
 * Uses a count of a good nonce, after its response was found right: NONCE_GOOD, NONCE_USED or NONCE_REPEATED. Counts may
 * come in any order within 64. When the memory is full the nonce first used longest ago is forgotten, and nonces as old as
 * it that we do not remember are NONCE_USED from then on. mark: what tells this request from every other, or 0 for none;
 * the same mark again within 32 s (64*T1) is NONCE_REPEATED.
 */
enum nonce_verdict nonce_use(struct nonces *nonces, const struct nonce *nonce, uint32_t nc,
                             uint64_t mark, uint64_t now_ms);

#endif
