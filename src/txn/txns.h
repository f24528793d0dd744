/*
 * All transactions, by id and by key (RFC 3261 §17.1.3, §17.2.3), and the events that move them.
 */
#ifndef TXN_TXNS_H
#define TXN_TXNS_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/prf.h"
#include "base/row.h"
#include "base/slots.h"
#include "base/table.h"
#include "base/timers.h"
#include "sip/gist.h"
#include "sip/hop.h"
#include "sip/reply.h"
#include "txn/machine.h"
#include "txn/ports.h"

#define TXN_T1_MS 500u  /* §17.1.1.1: round-trip estimate */
#define TXN_T2_MS 4000u /* longest interval of E and G */
#define TXN_T4_MS 5000u /* a message stays in the network at most this long */

#define TXN_NEVER    UINT64_MAX
#define TXN_KEY_ROOM 64 /* most keys fit, so that finding a transaction touches it alone */

enum txn_form {
    TXN_PENDING,        /* a struct txn, finished perhaps */
    TXN_ANSWERED_WITH,  /* what is left of one (txn/answered): what its answer has besides … */
    TXN_ANSWERED_WHOLE, /* … or all of it */
};

/* What a key finds. */
struct txn_entry {
    struct table_node node;
    uint32_t key_len;
    uint8_t form; /* enum txn_form */
};

struct txn {
    struct txn_entry entry;
    uint32_t version;    /* counts its facts */
    uint8_t kind, state; /* enum txn_kind, enum txn_state */
    uint8_t method;      /* enum method */
    bool cancel;         /* a CANCEL's transaction: other key than its INVITE's */
    union {
        char short_key[TXN_KEY_ROOM];
        char *long_key; /* owned: of one for which that is no room */
    };
    struct timer
        timer; /* armed for what comes first of …; in a lane once it only absorbs repeats */
    uint64_t repeat_at_ms;  /* … A, E, G, TXN_NEVER when off … */
    uint64_t timeout_at_ms; /* … and the others */
    uint64_t id;
    uint64_t owner; /* whose it is: a trip (server) or a branch (client); 0: nobody's any more */
    /* an INVITE's client: the server transaction that its late 2xx go up by; 0: none */
    uint64_t peer;
    uint16_t status; /* last status sent (server) or received (client), 0: none */
    /* a server's: where it sends when the connection of the request is gone (§18.2.2) */
    uint16_t sent_by_port;
    uint32_t interval_ms; /* of A, E or G */
    uint32_t epoch;       /* txns->epoch, when it was last restored */
    struct hop hop;       /* where it sends */
    bool filed;           /* counted among the finished */
    uint8_t backup;       /* enum txn_backup: a server's, of RFC 3263 §5 */
    uint8_t backups_at;   /* which of them is next */
    uint8_t backups_len;
    uint32_t bytes_len;
    struct hop *backups; /* owned; behind them where the request came from */
    /* owned: the last message it sent; a client's request until the ACK replaces it … */
    char *bytes;
    /* … without its end, which many share: lent by its owner until txns_disown(); empty: there is no more */
    struct span tail;
};

/* What a transaction is found by. */
struct txn_key {
    struct span bytes; /* .at is NULL: there is none */
    uint64_t hash;
};

/* What happened that the user of a transaction must hear. */
enum txn_news {
    TXN_QUIET,    /* absorbed or answered by the transaction itself */
    TXN_RESPONSE, /* a response for the user: the message at hand */
    TXN_TIMEOUT,  /* client: B or F fired. IST: H fired, the ACK never came */
    TXN_FAILED,   /* the transport failed */
    TXN_ENDED,    /* the transaction is gone; its id is stale */
    TXN_ASTRAY, /* server: its response has no way left over a stream: txns_backup() gives others (RFC 3263 §5) */
    TXN_UNHEARD, /* server: the request came again and nothing was sent yet: a 100 would help now (§17.2.1) */
};

struct txn_told {
    enum txn_news news;
    uint64_t id, owner;
    uint8_t kind, method;
};

enum txn_backup { TXN_BACKUP_NONE, TXN_BACKUP_ASKED, TXN_BACKUP_GIVEN };

/* Does anybody hear of changes? A build in which nobody can (scripts/bench-notes) shows what it costs to ask. */
#ifdef SIPD_WITHOUT_NOTES
#define IS_WATCHED(of) ((void)(of), false)
#else
#define IS_WATCHED(of) __builtin_expect((of)->watched, 0)
#endif

/* Where in a lane one looks ahead (scout.h). */
struct scout {
    uint64_t id; /* the transaction that was asked for last; 0, or one that has ended: none */
    uint64_t deadline_ms; /* when that one ends */
    uint32_t ahead;       /* how many are to end until then, with it */
};

struct answered;

struct txns {
    struct slots slots;
    struct row
        answered; /* what is left of those that were answered over datagrams (txn/answered) … */
    struct answered *ahead; /* … the last of which was asked for that end next; NULL: nobody … */
    uint32_t ahead_len;     /* … and how many do until then, with it */
    struct table table;
    struct prf_key hash_key, digest_key;
    struct timers timers; /* of transactions only; the finished are in lanes */
    struct scout scout[TIMERS_LANES];
    const struct clock *clock; /* lent */
    struct txn_ports ports;
    struct arena *arena;         /* lent: the turn's, for parsing kept bytes and rendering ACKs */
    uint32_t finished_len;       /* they make room when the ceiling is reached */
    uint32_t keeps[TXN_KINDS];   /* one bit a state that may send its last message again */
    uint64_t by_kind[TXN_KINDS]; /* alive */
    uint64_t evicted;            /* finished ones that ended before their time */
    uint64_t repeats;            /* messages sent again */
    uint32_t answers;            /* facts of txn/answered */
    bool watched;                /* changes are noted */
    struct buf record;           /* a fact is written here */
    uint32_t epoch;              /* watches of another node that have begun */
};

/*
 * An empty pool. Lent: clock, arena. limit: most transactions held; at the ceiling the finished one goes that would be the first
 * to, and when all are pending new ones are refused. key: secret, and the same of all nodes that take over from each other.
 * SIPD_ENOMEM.
 */
int txns_init(struct txns *t, const struct txn_ports *ports, const struct clock *clock,
              struct arena *arena, const struct prf_key *key, uint32_t limit) MUST_USE;
void txns_fini(struct txns *t);

/*
 * Opens the server transaction of a request (not an ACK). hop: where its responses go; key: of txns_key(), or NULL.
 * Lent: all.
 * SIPD_ENOMEM, SIPD_EFULL (the ceiling).
 */
int txns_serve(struct txns *t, const struct gist *gist, const struct txn_key *key,
               const struct hop *hop, uint64_t owner, uint64_t *id) MUST_USE;
/*
 * What the server transaction of this request is found by, in the turn's memory: its bucket is on the way to the cache from now
 * on. Without any transactions there is none.
 */
struct txn_key txns_key(const struct txns *t, const struct gist *gist);
/* The server transaction this request (or ACK, or repeated request) belongs to, or what is left of it; NULL: none. RFC 2543 peers too. */
struct txn_entry *txns_find_by(const struct txns *t, const struct txn_key *key);
/* The INVITE server transaction that a CANCEL is about (§9.2); NULL: none. */
struct txn *txns_find_cancelled(const struct txns *t, const struct gist *cancel);
/*
 * The request came again, by another connection of the same host: what answers it goes there from now on (RFC 3261 §18.2.2: while
 * the first one is open, by that; but its sender would not ask by a second one then). True: it did.
 */
bool txns_move(struct txns *t, struct txn *txn, const struct hop *to);
/* The request came again, or its ACK came. */
enum txn_news txns_heard_again(struct txns *t, struct txn *txn, bool is_ack);
/*
 * The user answers; a server transaction that is past it ignores that. Lent: bytes, until the turn's end.
 * SIPD_ENOENT: gone, or past it; SIPD_ENOMEM.
 */
int txns_answer(struct txns *t, uint64_t id, unsigned status, struct span bytes) MUST_USE;
/* The same with one of our own making, by reply_write(); with: what was given to that. Lent until return. */
int txns_reply(struct txns *t, uint64_t id, unsigned status, struct span bytes,
               const struct reply_with *with) MUST_USE;

/* What a request with this branch will have its client transaction found by; as txns_key(). .bytes.at is NULL: SIPD_ENOMEM. */
struct txn_key txns_client_key(const struct txns *t, enum method method, struct span branch);
/*
 * Opens a client transaction and sends its request. bytes: the request rendered, its top Via with the branch that together
 * with the method is the key. tail: what it ends with, if its owner holds that as long as it owns the transaction, which then
 * keeps no copy of it; empty: it keeps all. Lent: bytes until the turn's end, tail until txns_disown(), the rest until return.
 * SIPD_ENOMEM, SIPD_EFULL, SIPD_EEXIST.
 */
int txns_request(struct txns *t, enum method method, const struct txn_key *key,
                 const struct hop *hop, struct span bytes, struct span tail, uint64_t owner,
                 uint64_t *id) MUST_USE;
/* The last message it sent, in the turn's memory or as it lies; .at is NULL when it keeps none, or memory is out. */
struct span txns_sent(const struct txns *t, const struct txn *txn);
/* The client transaction that a response belongs to (§17.1.3); NULL: none. */
struct txn *txns_find_client(const struct txns *t, const struct gist *response);
/* A response came for it. TXN_RESPONSE: its user shall hear it. */
enum txn_news txns_heard(struct txns *t, struct txn *txn, unsigned status, const struct gist *gist);

/* Is it what is left of one? */
static inline bool
txn_is_answered(const struct txn_entry *entry)
{
    return entry && entry->form != TXN_PENDING;
}
/* The transaction that was found; NULL: none, or that is only what is left of one. */
static inline struct txn *
txn_of(struct txn_entry *entry)
{
    return entry && entry->form == TXN_PENDING ? container_of(entry, struct txn, entry) : NULL;
}
/* What it is found by. Lent as long as it lives. */
static inline struct span
txn_key(const struct txn *txn)
{
    bool is_long = txn->entry.key_len > sizeof txn->short_key;

    return (struct span){ is_long ? txn->long_key : txn->short_key, txn->entry.key_len };
}
/* By id; NULL when it is gone. */
struct txn *txns_find(const struct txns *t, uint64_t id);
/* What it sent could not leave. Fills told when its user must hear. */
void txns_gone(struct txns *t, uint64_t id, struct txn_told *told);
/*
 * Other ways for a response that went astray, best first: its last one leaves by the first of them. None: it has failed. Hops are
 * copied. Fills told as txns_gone().
 */
void txns_backup(struct txns *t, uint64_t id, const struct hop *hops, size_t len,
                 struct txn_told *told);
/* Ends it now, silently. A stale id is ignored. */
void txns_end(struct txns *t, uint64_t id);
/*
 * The user has no more interest: the transaction lives on by its timers, absorbing repeats; one that has still to send what its
 * user lent keeps a copy. peer: the server transaction by which 2xx that still come go up (RFC 6026 §7.2), or 0.
 */
void txns_disown(struct txns *t, uint64_t id, uint64_t peer);

/* Fires what is due, one timer a call; false when nothing is left. told->news may be TXN_QUIET. */
bool txns_due(struct txns *t, struct txn_told *told);
/* How many there are, with what is left of the answered. */
size_t txns_held(const struct txns *t);
/* How many are not finished: something is awaited from its user or its peer. */
uint32_t txns_pending(const struct txns *t);
/* When the next timer fires. */
uint64_t txns_next_ms(const struct txns *t);
/*
 * One that another pool has under this id, for txns_restore() to fill: by key, nothing else set. Copied: key.
 * SIPD_EFULL, SIPD_ENOMEM.
 */
int txns_put(struct txns *t, uint64_t id, enum txn_kind kind, const struct txn_key *key,
             struct txn **out) MUST_USE;
/* Walks all but what is left of the answered: as slots_next_within. */
struct txn *txns_next_within(const struct txns *t, uint64_t *cursor, uint32_t *places);

#endif
