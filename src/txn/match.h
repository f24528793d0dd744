/*
 * The keys by which requests and responses find their transactions (RFC 3261 §17.1.3, §17.2.3, RFC 2543 peers too).
 */
#ifndef TXN_MATCH_H
#define TXN_MATCH_H

#include "base/arena.h"
#include "base/table.h"
#include "sip/gist.h"
#include "txn/txns.h"

/*
 * The key of a server transaction. as: the method to look for: METHOD_INVITE for an ACK or for what a CANCEL is about, else
 * the request's own. Lies in the arena; .at is NULL if there was no memory.
 */
struct span match_server_key(struct arena *arena, const struct gist *gist, struct span as) MUST_USE;
/* The key of a client transaction: its branch and the method of CSeq. */
struct span match_client_key(struct arena *arena, struct span branch, struct span method) MUST_USE;

/*
 * A client's branch ends with our own mark, which nobody else can choose (core/mark), and behind it stands the method: that is
 * enough to spread them, however little else of a long key differs.
 */
static inline struct span
match_telling_part(struct span key)
{
    enum { TELLING_BYTES = 24 };
    bool client = key.at[0] == 'C' && key.len > TELLING_BYTES;

    return client ? span_skip(key, key.len - TELLING_BYTES) : key;
}

/* With its hash. Lent: key. */
static inline struct txn_key
match_hashed(const struct txns *t, struct span key)
{
    return (struct txn_key){ key, key.at ? prf_hash(&t->hash_key, match_telling_part(key)) : 0 };
}

/* What there is under this key, or NULL. What has no key any more is found by the hash alone (txn/answered). */
struct txn_entry *match_find(const struct txns *t, const struct txn_key *key);

#endif
