/*
 * The index in memory: each address-of-record and its bindings, found in one step, expiring second by second
 * (RFC 3261 §10.3 steps 5 to 8).
 *
 * The only place that changes bindings, and where each change is noted as a fact. Nothing here can fail but
 * making things: what was made before a write is put in after it, whatever memory is left.
 */
#ifndef REGISTRAR_BINDINGS_H
#define REGISTRAR_BINDINGS_H

#include <sipd/span.h>

#include "binding.h"
#include "spread.h"
#include "store.h"

struct fact;
struct job;

struct aor {
    struct spread_node node; /* first: a node is its AoR */
    uint16_t len;
    struct binding *first; /* its bindings */
    struct job *jobs;      /* what waits for it or to be answered, in order */
    char text[];
};

/* What the index asks of the world. */
struct bindings_port {
    void *self;
    /* A change of a binding, as sipd_note(); asked only when somebody watches. */
    void (*note)(void *self, const struct fact *fact);
    bool (*is_watched)(void *self);
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
struct aor *bindings_find(struct bindings *index, struct span aor);
/* The AoR, made if it was not there; NULL when memory is out. */
struct aor *bindings_get(struct bindings *index, struct span aor);
/* Ends an AoR that has neither bindings nor jobs. */
void bindings_release(struct bindings *index, struct aor *aor);

/* Puts *binding in before all others of its AoR, instead of what has the same key; takes it over. */
void bindings_put(struct bindings *index, struct aor *aor, struct binding **binding,
                  uint64_t now_ms);
/* Puts one that is in it before all others of its AoR, with other times. */
void bindings_refresh(struct bindings *index, struct aor *aor, struct binding *binding,
                      const struct binding_again *again, uint64_t now_ms);
/*
 * As bindings_put for what a store kept, or another node told: not noted, for it is no change, and in the order of their refreshing. An overdue
 * one joins the dead. SIPD_ENOMEM.
 */
int bindings_restore(struct bindings *index, struct binding **binding, uint64_t now_ms);
/*
 * Epochs: a new one begins, and what is in the index is of an earlier one until it is put in or refreshed again, here or by
 * bindings_restore() with this number.
 */
void bindings_begin_epoch(struct bindings *index);
uint32_t bindings_epoch(const struct bindings *index);
/* Takes out what has this key and is there: not noted. The AoR may be gone after. */
void bindings_forget(struct bindings *index, struct aor *aor, const struct binding_key *key);
/* Notes all bindings of an AoR as they are, for one who has begun to watch. */
void bindings_tell(const struct bindings *index, const struct aor *aor, uint64_t now_ms);
/* Takes out what has this key. False if there is none. */
bool bindings_drop(struct bindings *index, struct aor *aor, const struct binding_key *key);

/* Takes out the overdue ones of one AoR; returns how many. */
size_t bindings_expire(struct bindings *index, struct aor *aor, uint64_t now_ms);
/* Takes out overdue ones, looking at most at `most`; returns how many went. *more: some are left. */
size_t bindings_sweep(struct bindings *index, uint64_t now_ms, size_t most, bool *more);
/* The next that expired and whose row may still be in the store; NULL if none. Owns: the caller. */
struct binding *bindings_take_dead(struct bindings *index);
/* Gives one back that was taken: its row could not be purged now. */
void bindings_give_dead(struct bindings *index, struct binding **binding);

/* The listener that a binding came to, as text. Lent: as the port says. */
struct span bindings_listener(const struct bindings *index, const struct binding *binding);

/* How many bindings were registered from this address, whatever its port. */
uint32_t bindings_from(const struct bindings *index, const struct hop *source);

/* How many bindings are in it, and how many it holds with the dead. */
size_t bindings_count(const struct bindings *index);
size_t bindings_held(const struct bindings *index);

/*
 * A walk over all AoRs in slices. Begin with a zeroed place; each call gives the AoRs of one bucket (the first, NULL if it
 * is empty; go on with bindings_after()), or false at the end. Between walk_begin and walk_end none is met twice.
 */
void bindings_walk_begin(struct bindings *index);
bool bindings_walk(const struct bindings *index, size_t *place, const struct aor **bucket);
const struct aor *bindings_after(const struct aor *aor);
void bindings_walk_end(struct bindings *index);

static inline struct span
aor_text(const struct aor *aor)
{
    return (struct span){ aor->text, aor->len };
}

#endif
