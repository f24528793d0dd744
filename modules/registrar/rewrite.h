/*
 * All bindings in memory written to the store anew, a few at a time: when its file was lost.
 */
#ifndef REGISTRAR_REWRITE_H
#define REGISTRAR_REWRITE_H

#include "bindings.h"
#include "store.h"

#define REWRITE_ROWS 64               /* in one write, or one AoR's */
#define REWRITE_ID   (UINT64_MAX - 2) /* id of our writes; one at a time is under way */

struct rewrite {
    struct bindings *index;
    const struct store_ops *ops;
    void *store;
    bool walking; /* from `place` on; the index does not rearrange itself */
    bool again;   /* from the beginning once more */
    bool under_way;
    size_t place;
    struct store_write write;
    struct store_change *changes; /* owned, with the texts behind them, while it is under way */
};

/* All of it, from the beginning. */
void rewrite_begin(struct rewrite *rewrite);
/* A write failed, and part of ours with it: if there is something to be rewritten it begins anew. */
void rewrite_again(struct rewrite *rewrite);
/* Writes what is next, unless a write is under way or nothing is wanted. */
void rewrite_step(struct rewrite *rewrite);
/* The store has answered. A later step goes on. */
void rewrite_written(struct rewrite *rewrite, int err);
bool rewrite_is_wanted(const struct rewrite *rewrite);
/* Ends it. The store has been closed: it lends nothing any more. */
void rewrite_fini(struct rewrite *rewrite);

#endif
