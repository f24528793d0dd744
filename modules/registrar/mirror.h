/*
 * What another node's registrar noted, taken in: in memory at once, in the store behind it.
 *
 * The other one had it stored before it answered; here the store follows, in order, and if it fails memory is right all the same,
 * and what is still true is written when the store works again.
 */
#ifndef REGISTRAR_MIRROR_H
#define REGISTRAR_MIRROR_H

#include <sipd/ring.h>

#include "bindings.h"
#include "fact.h"
#include "store.h"

#define MIRROR_ID_MAX UINT32_MAX /* ids of its writes are 1 … this; those of jobs are higher */

struct mirror {
    struct bindings *index;
    const struct store_ops *ops;
    void *store;
    uint32_t max_waiting, waiting; /* writes that the store has */
    uint32_t last_id;
    struct ring writes;  /* … in order, as they are answered */
    struct ring failed;  /* those that the store could not do … */
    uint32_t failed_len; /* … max_waiting of them at most */
    /* … and there were more: what is put is not among them. Whoever sees it has all written anew, and clears it */
    bool overflown;
};

void mirror_init(struct mirror *mirror);
/* The store has been closed: it lends nothing any more. */
void mirror_fini(struct mirror *mirror);
/*
 * A binding is here, or gone. source: the row's, as it is on this node. What is older than what is known is ignored.
 * But a binding of an earlier epoch gives way to any version. SIPD_EFULL, SIPD_ENOMEM: nothing happened. Lent: fact and source.
 */
int mirror_take(struct mirror *mirror, const struct binding_fact *fact, const struct hop *source,
                uint32_t version, uint64_t now_ms);
/* Takes out a binding that the other node does not have. The AoR may be gone after. SIPD_EFULL, SIPD_ENOMEM: nothing happened. */
int mirror_drop(struct mirror *mirror, struct aor *aor, const struct binding *binding);
/* The store has answered the write of this id. */
void mirror_written(struct mirror *mirror, uint64_t id, int err);
/* Writes some of what failed once more, if it is still true. To be asked now and then. */
void mirror_again(struct mirror *mirror);

#endif
