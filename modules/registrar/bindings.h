/*
 * The index in memory: each address-of-record and its bindings, found in one step, expiring second by second
 * (RFC 3261 §10.3 steps 5 to 8).
 *
 * The only place that changes bindings, and where each change is noted as a fact. Nothing here can fail but
 * making things: what was made before a write is put in after it, whatever memory is left.
 */
#ifndef REGISTRAR_BINDINGS_H
#define REGISTRAR_BINDINGS_H

#include <sipd/hop.h>
#include <sipd/span.h>

#include "ring.h"
#include "store.h"

#define BINDINGS_FACT         "binding" /* the kind of our facts */
#define BINDINGS_FACT_VERSION 1

struct job;

/* One allocation; the texts stand behind it. */
struct binding {
    struct ring ring;       /* in the ring of its second, or among the dead */
    struct binding *next;   /* of the same AoR, the oldest first */
    uint64_t deadline_ms;   /* on the clock that never goes back, whatever the wall's does */
    int64_t expires_wall_s; /* the same moment for stores and other machines */
    struct hop source;      /* where the REGISTER came from, with listener and flow */
    uint32_t cseq;
    uint16_t q; /* thousandths, or STORE_NO_Q */
    uint16_t aor_len, contact_len, call_id_len;
    uint8_t agent_len;
    uint8_t reach; /* as store_row's */
    char text[];
};

struct aor {
    struct aor *chain;     /* the next of its bucket */
    struct binding *first; /* its bindings */
    struct job *jobs;      /* what waits for it or to be answered, in order */
    uint32_t hash;
    uint16_t len;
    char text[];
};

/* What the index asks of the world. */
struct bindings_port {
    void *self;
    /* As sipd_note() without the kind: a change of a binding. */
    void (*note)(void *self, uint64_t id, struct span bytes);
    /* As sipd_listener_text(). */
    struct span (*listener)(void *self, uint16_t listener);
};

struct bindings;

/* An empty index, or NULL. port is copied; what it points to must outlive the index. key seeds the hash. */
struct bindings *bindings_new(const struct bindings_port *port, const uint8_t key[16],
                              uint64_t now_ms);
/* Ends it with all that it holds. */
void bindings_free(struct bindings **index);

/* The AoR if it has bindings or jobs, else NULL. */
struct aor *bindings_find(const struct bindings *index, struct span aor);
/* The AoR, made if it was not there; NULL when memory is out. */
struct aor *bindings_get(struct bindings *index, struct span aor);
/* Ends an AoR that has neither bindings nor jobs. */
void bindings_release(struct bindings *index, struct aor *aor);

/* A binding that is in no index, or NULL. Owns: the caller. row's texts keep to the limits of store.h. */
struct binding *binding_new(const struct store_row *row, uint64_t deadline_ms);
/* Ends one that is in no index. */
void binding_free(struct binding **binding);
/* Its texts. Lent as long as the binding. */
struct span binding_aor(const struct binding *binding);
struct span binding_contact(const struct binding *binding);
struct span binding_call_id(const struct binding *binding);
struct span binding_agent(const struct binding *binding);

/* Puts *binding in, instead of what has the same contact text; takes it over. */
void bindings_put(struct bindings *index, struct aor *aor, struct binding **binding,
                  uint64_t now_ms);
/*
 * As bindings_put for what a store kept: not noted, for it is no change. An overdue one joins the dead.
 * SIPD_ENOMEM.
 */
int bindings_restore(struct bindings *index, struct binding **binding, uint64_t now_ms);
/* Takes out what has this contact text. False if there is none. */
bool bindings_drop(struct bindings *index, struct aor *aor, struct span contact);

/* Takes out the overdue ones of one AoR; returns how many. */
size_t bindings_expire(struct bindings *index, struct aor *aor, uint64_t now_ms);
/* Takes out overdue ones, looking at most at `most`; returns how many went. *more: some are left. */
size_t bindings_sweep(struct bindings *index, uint64_t now_ms, size_t most, bool *more);
/* The next that expired and whose row may still be in the store; NULL if none. Owns: the caller. */
struct binding *bindings_take_dead(struct bindings *index);
/* Gives one back that was taken: its row could not be purged now. */
void bindings_give_dead(struct bindings *index, struct binding **binding);

/* How many bindings are in it, and how many it holds with the dead. */
size_t bindings_count(const struct bindings *index);
size_t bindings_held(const struct bindings *index);

/*
 * A walk over all AoRs in slices. Begin with a zeroed place; each call gives the AoRs of one bucket, chained,
 * or false at the end. Between walk_begin and walk_end the index does not rearrange itself, so that none is met
 * twice.
 */
void bindings_walk_begin(struct bindings *index);
bool bindings_walk(const struct bindings *index, size_t *place, const struct aor **bucket);
void bindings_walk_end(struct bindings *index);

static inline struct span
aor_text(const struct aor *aor)
{
    return (struct span){ aor->text, aor->len };
}

#endif
