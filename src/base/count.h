/*
 * Named counters: each is found once by its name and then is one increment.
 */
#ifndef BASE_COUNT_H
#define BASE_COUNT_H

#include "base/def.h"
#include "base/span.h"

struct counter;

struct counters {
    struct counter *first; /* owned, in the order of their names */
    uint64_t spare;        /* what is counted when there was no memory for a name */
};

void counters_init(struct counters *c);
void counters_fini(struct counters *c);
/*
 * The cell of a name, made at 0 when new; never NULL: when memory is out it is a spare one, shared.
 * Lent until fini.
 */
uint64_t *counters_get(struct counters *c, const char *name);
/* Calls fn for each, in the order of names. */
void counters_each(const struct counters *c,
                   void (*fn)(const char *name, uint64_t value, void *arg), void *arg);

#endif
