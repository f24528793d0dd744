/*
 * Watches of another node whose facts are taken in: what was here before, and is not told of any more, is no more.
 */
#ifndef CORE_EPOCH_H
#define CORE_EPOCH_H

#include "core/state.h"

/* A watch begins, from which on all that there is is told: what is here and is not told is old … */
void epoch_begin(struct core *core);
/* … and ends when all is told … */
void epoch_end(struct core *core);
/* … so many places looked at in one call. True: there is more. */
bool epoch_sweep(struct core *core, uint32_t places);
/* A trip of an earlier watch, which a fact of this one is in the way of, gives way. NULL: there is none. */
void epoch_end_stale(struct trip *trip);

#endif
