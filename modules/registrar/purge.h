/*
 * Rows of bindings that expired: taken out of the store in the background, a few at a time.
 */
#ifndef REGISTRAR_PURGE_H
#define REGISTRAR_PURGE_H

#include "bindings.h"
#include "store.h"

#define PURGE_ROWS   64               /* in one write */
#define PURGE_ROUNDS 32               /* writes in one step, if the store answers at once */
#define PURGE_ID     (UINT64_MAX - 1) /* id of our writes; one at a time is under way */

struct purge {
    struct bindings *index;
    const struct store_ops *ops;
    void *store;
    bool under_way;
    struct store_write write;
    struct store_change changes[PURGE_ROWS];
    struct binding *dead[PURGE_ROWS];
};

/* Writes what is to be purged, unless a write is under way. */
void purge_step(struct purge *purge);
/* The store has answered. What failed is tried again by a later step, for which it is time now. */
void purge_written(struct purge *purge, int err);

#endif
