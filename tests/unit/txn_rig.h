/*
 * Transactions on a virtual clock: what they send, note and tell is written down with its time.
 */
#ifndef UNIT_TXN_RIG_H
#define UNIT_TXN_RIG_H

#include "txn/txns.h"

enum { TXN_RIG_SENT = 64, TXN_RIG_TEXT = 2048 };

struct txn_rig_sent {
    uint64_t at_ms;
    uint64_t id, need;
    struct hop to;
    char text[TXN_RIG_TEXT];
};

struct txn_rig {
    struct txns t;
    struct clock clock;
    struct arena turn;
    struct txn_rig_sent sent[TXN_RIG_SENT];
    unsigned sent_len;
    uint64_t base_ms;   /* when time was counted from last */
    uint64_t notes;     /* facts noted: the last one's number */
    char fact_kind[16]; /* of the last fact */
    uint32_t fact_version;
    uint64_t fact_id;
    struct txns *mirror; /* takes in every fact; NULL: nobody does */
    char told[512];      /* "TIMEOUT@32000 ENDED@37000 ": news with their times */
    char times[512];     /* for txn_rig_times */
};

/* An empty pool at time 0. limit: most transactions. */
void txn_rig_init(struct txn_rig *r, uint32_t limit);
void txn_rig_fini(struct txn_rig *r);
/* Lets ms pass, firing what is due at its time. */
void txn_rig_pass(struct txn_rig *r, uint64_t ms);
/* "0 500 1500": when each message was sent. */
const char *txn_rig_times(struct txn_rig *r);
/* Forgets what was sent and told, and counts time anew. */
void txn_rig_forget(struct txn_rig *r);

/* A hop: "udp:192.0.2.1:5060" and so on; before it "flow:": by a connection that is there. The listener is 1. */
struct hop txn_rig_hop(const char *text);
/* A request with this method and top Via. To has no tag; CSeq is 1. Static text, good until the fourth next call. */
const char *txn_rig_request(const char *method, const char *via);
/* What txns_request() wants for this branch. Lent until the next call. */
const struct txn_key *txn_rig_key(const struct txns *t, enum method method, struct span branch);
/* The server transaction of a request; NULL: none, or what is left of one. */
struct txn *txn_rig_server(const struct txns *t, const struct gist *gist);
/* A client transaction that just sent its request to this hop, with this branch in its Via. Returns its id; its owner is 77. */
uint64_t txn_rig_ask(struct txn_rig *r, const char *branch, const char *method, const char *to);
/* A response with this status to a request whose top Via had this branch; to_tag: of To, or "". */
const char *txn_rig_response(unsigned status, const char *method, const char *branch,
                             const char *to_tag);

#endif
