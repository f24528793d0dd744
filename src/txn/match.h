/*
 * The keys by which requests and responses find their transactions (RFC 3261 §17.1.3, §17.2.3, RFC 2543 peers too).
 */
#ifndef TXN_MATCH_H
#define TXN_MATCH_H

#include "base/arena.h"
#include "base/table.h"
#include "sip/gist.h"

/*
 * The key of a server transaction. as: the method to look for: METHOD_INVITE for an ACK or for what a CANCEL is about, else
 * the request's own. Lies in the arena; .at is NULL if there was no memory.
 */
struct span match_server_key(struct arena *arena, const struct gist *gist, struct span as) MUST_USE;
/* The key of a client transaction: its branch and the method of CSeq. */
struct span match_client_key(struct arena *arena, struct span branch, struct span method) MUST_USE;

/* With its hash. Lent: key. */
struct txns;
struct txn_key match_hashed(const struct txns *t, struct span key);
/* The transaction under this key, or NULL. */
struct txn *match_find(const struct txns *t, const struct txn_key *key);

#endif
