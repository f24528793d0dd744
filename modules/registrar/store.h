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
#define STORE_PARAMS_BYTES  1024       /* longest Contact parameters */
#define STORE_PATH_BYTES    1024       /* longest Path */
#define STORE_AGENT_BYTES   128        /* of User-Agent; what is longer is cut */
#define STORE_WORDS_BYTES   640        /* room for words about what went wrong */

/* A binding (RFC 3261 §10.3) as it outlives the process. */
struct store_row {
    struct span aor; /* as uri_aor_write makes it, scheme sip */
    /* the URI as registered; with aor, instance and reg_id the key, byte by byte */
    struct span contact;
    struct span instance; /* the instance-id that stands in params; a store tells it to nobody */
    uint32_t reg_id;      /* 0: none */
    /* of the Contact as they came, q and expires among them; empty: no others */
    struct span params;
    struct span path; /* Path as it came, several fields joined by ", " (RFC 3327 §5.3) */
    struct span call_id;
    struct span user_agent; /* empty if there was none */
    struct span listener;   /* that the REGISTER came to, as text: numbers are of one process */
    struct hop source;      /* where the REGISTER came from; listener and flow are not kept */
    int64_t expires_s;      /* in steady time (steady.h) */
    uint32_t granted_s;     /* interval that was granted */
    uint32_t cseq;
    uint16_t q;    /* thousandths, or STORE_NO_Q */
    uint8_t reach; /* enum hop_transport: to the source by this; HOP_NONE: as the URI says */
};

enum store_verb {
    STORE_PUT,   /* the row replaces what has its key */
    STORE_DROP,  /* what has this key goes */
    STORE_PURGE, /* it goes if Call-ID, CSeq and expiry are the same too: a newer row stays */
};

struct store_change {
    enum store_verb verb;
    struct store_row row;
};

/* A moment, as a file that outlives the setting of clocks has to know it (steady.h). */
struct store_time {
    int64_t wall_s; /* UTC since 1970; 0: not known */
    int64_t step_s; /* what that is ahead of steady time */
};

/* Changes that happen all or not at all. Lent to the store, spans and all, until it has answered. */
struct store_write {
    uint64_t id;
    const struct store_change *changes;
    size_t len;
    /* the store's own, while it has not answered */
    struct store_time at; /* when it was asked for */
    struct store_write *next;
    int err;
};

/* How a store speaks; all on the loop but post(), which is for a thread of the store's. */
struct store_port {
    void *self;
    /* A row, while rows are read. Lent until return. SIPD_ENOMEM: it will be told again. */
    int (*row)(void *self, const struct store_row *row);
    /*
     * What was asked under this id is done, or failed and nothing of it was. Never from within the call that
     * asked.
     */
    void (*done)(void *self, uint64_t id, int err);
    /* Before any row: when the store was last written. Lent until return. May be NULL. */
    void (*written)(void *self, const struct store_time *at);
    /*
     * The file was damaged or gone, and is a new and empty one: all that shall be in it is to be written again. Behind all
     * rows of a read, or before it had any. May be NULL.
     */
    void (*lost)(void *self);
    /* What happened and is no failure, for people. Lent until return. May be NULL. */
    void (*news)(void *self, const char *words);
    /* The time now, for open(), read() and each write. May be NULL. */
    struct store_time (*time)(void *self);
    /* What went wrong, for people. Lent until return. */
    void (*trouble)(void *self, const char *words);
    /* Runs fn(store, NULL) on the loop in a later turn; may be called by another thread. */
    int (*post)(void *self, void (*fn)(void *store, void *none), void *store);
};

enum store_answer { STORE_NOW, STORE_LATER };

struct store_ops {
    bool forgets; /* it keeps nothing: a change need not wait for it, nor be told to it */
    /* A look at what open() would find, that makes and changes nothing. SIPD_OK, or an error after trouble(). */
    int (*look)(const struct store_port *port, const char *path);
    /*
     * Makes ready; `port` must outlive the store. SIPD_OK, or an error after trouble(). Owns: the caller, ended
     * by close().
     */
    int (*open)(const struct store_port *port, const char *path, void **store);
    /*
     * Tells every row, in the order of their AoRs, byte by byte. STORE_NOW: told; STORE_LATER: done(id) will say so, and
     * until then writes may touch only AoRs before that of the last row told; or an error, after trouble(). Once, before
     * writes. What fails later is tried again; what makes no sense is passed over, and news() says so.
     */
    int (*read)(void *store, uint64_t id);
    /* STORE_NOW: written; STORE_LATER: done(write->id) will say; or an error, and nothing was. */
    int (*write)(void *store, struct store_write *write);
    /* Looks, in its own time, whether what it has is still there as it was; lost() says if it is not. Behind a read. May be NULL. */
    void (*watch)(void *store);
    /*
     * The loop stands still until that was looked at, too, and all that was begun is answered: done() and lost() are called from
     * within. Behind a read. May be NULL: it has nothing to wait for.
     */
    void (*settle)(void *store);
    /* Finishes and answers what was begun, then ends the store and nulls *store. */
    void (*close)(void **store);
};

extern const struct store_ops store_ram_ops;    /* keeps nothing */
extern const struct store_ops store_sqlite_ops; /* a file, by SQLite; answers after it is on disk */

#endif
