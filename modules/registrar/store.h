/*
 * What keeps bindings when the process ends: rows read at the start, changes written while it runs.
 *
 * A store may answer at once or in a later turn, in both directions: what is asked carries an id, and an answer
 * that comes later comes by that id. So a store may have a thread, or be another machine.
 */
#ifndef REGISTRAR_STORE_H
#define REGISTRAR_STORE_H

#include <sipd/hop.h>
#include <sipd/span.h>

#define STORE_NO_Q          UINT16_MAX /* no q was given */
#define STORE_AOR_BYTES     512        /* longest address-of-record */
#define STORE_CONTACT_BYTES 1024       /* longest Contact URI */
#define STORE_CALL_ID_BYTES 512        /* longest Call-ID */
#define STORE_AGENT_BYTES   128        /* of User-Agent; what is longer is cut */
#define STORE_WORDS_BYTES   320        /* room for words about what went wrong */

/* A binding (RFC 3261 §10.3) as it outlives the process. */
struct store_row {
    struct span aor;     /* as uri_aor_write makes it, scheme sip */
    struct span contact; /* the URI as registered; with aor the key, byte by byte */
    struct span call_id;
    struct span user_agent; /* empty if there was none */
    struct span listener;   /* that the REGISTER came to, as text: numbers are of one process */
    struct hop source;      /* where the REGISTER came from; listener and flow are not kept */
    int64_t expires_wall_s; /* UTC, since 1970 */
    uint32_t granted_s;     /* interval that was granted */
    uint32_t cseq;
    uint16_t q;    /* thousandths, or STORE_NO_Q */
    uint8_t reach; /* enum hop_transport: to the source by this; HOP_NONE: as the URI says */
};

enum store_verb {
    STORE_PUT,   /* the row replaces what has its AoR and contact */
    STORE_DROP,  /* what has this AoR and contact goes */
    STORE_PURGE, /* it goes if Call-ID, CSeq and expiry are the same too: a newer row stays */
};

struct store_change {
    enum store_verb verb;
    struct store_row row;
};

/* Changes that happen all or not at all. Lent to the store, spans and all, until it has answered. */
struct store_write {
    uint64_t id;
    const struct store_change *changes;
    size_t len;
    /* the store's own, while it has not answered */
    struct store_write *next;
    int err;
};

/* How a store speaks; all on the loop but post(), which is for a thread of the store's. */
struct store_port {
    void *self;
    /*
     * A row, while rows are read. Lent until return. SIPD_OK to go on; SIPD_ESYNTAX if it makes no sense;
     * SIPD_ENOMEM.
     */
    int (*row)(void *self, const struct store_row *row);
    /*
     * What was asked under this id is done, or failed and nothing of it was. Never from within the call that
     * asked.
     */
    void (*done)(void *self, uint64_t id, int err);
    /* What went wrong, for people. Lent until return. */
    void (*trouble)(void *self, const char *words);
    /* Runs fn(store, NULL) on the loop in a later turn; may be called by another thread. */
    int (*post)(void *self, void (*fn)(void *store, void *none), void *store);
};

enum store_answer { STORE_NOW, STORE_LATER };

struct store_ops {
    /* A look at what open() would find, that makes and changes nothing. SIPD_OK, or an error after trouble(). */
    int (*look)(const struct store_port *port, const char *path);
    /*
     * Makes ready; `port` must outlive the store. SIPD_OK, or an error after trouble(). Owns: the caller, ended
     * by close().
     */
    int (*open)(const struct store_port *port, const char *path, void **store);
    /*
     * Tells every row. STORE_NOW: told; STORE_LATER: done(id) will say so; or an error, after trouble(). Once,
     * before writes.
     */
    int (*read)(void *store, uint64_t id);
    /* STORE_NOW: written; STORE_LATER: done(write->id) will say; or an error, and nothing was. */
    int (*write)(void *store, struct store_write *write);
    /* Finishes and answers what was begun, then ends the store and nulls *store. */
    void (*close)(void **store);
};

extern const struct store_ops store_ram_ops;    /* keeps nothing */
extern const struct store_ops store_sqlite_ops; /* a file, by SQLite; answers after it is on disk */

#endif
