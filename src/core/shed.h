/*
 * Overload: new work is refused before the server collapses under it, dialogs under way come last (RFC 3261 §21.5.4).
 *
 * Two things say that it is too much. More than half of the transactions that may be held are pending: then all new
 * requests are refused, until clearly fewer are. Or the loop does not keep up, by its turns or by the queue of
 * datagrams before it: then a share of them is, which grows while that lasts and shrinks when it is over.
 */
#ifndef CORE_SHED_H
#define CORE_SHED_H

#include "base/def.h"

struct core;
struct core_stats;
struct gist;

enum { SHED_ALL = 16 };

struct shed {
    bool full; /* too much is pending */
    /* of SHED_ALL new requests so many are refused, because the loop does not keep up */
    uint32_t share;
    uint64_t asked_ms; /* when the load was asked for last */
};

/* Shall this new request outside of dialogs be refused? The same request again hears the same, while nothing changes. */
bool shed_refuses(struct core *core, const struct gist *gist, bool dry);
/* Fills in what is shed now: full, shed_percent, lag_ms, queue_percent. */
void shed_stats(const struct core *core, struct core_stats *out);

#endif
