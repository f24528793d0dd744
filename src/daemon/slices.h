/*
 * Long lists for sipctl, some rows in each turn: nobody's call waits until they are all written (house rule 16).
 */
#ifndef DAEMON_SLICES_H
#define DAEMON_SLICES_H

#include "daemon/daemon.h"

enum slice {
    SLICE_ROW,  /* a row was put */
    SLICE_NONE, /* none was found in SLICE_PLACES places of a walk: it goes on */
    SLICE_END,  /* there is no more */
};

enum {
    SLICE_PLACES = 64
}; /* a walk over a table that was large looks at many places where nothing lives */

/* Puts the next row. *cursor is slices_answer()'s `from` at first, and the function's own then. */
typedef enum slice slices_fn(const struct daemon *d, uint64_t *cursor, struct sipd_answer *answer);

/* Answers with at most so many rows, at once if they are few; then: goes on, from 0, when fn has no more; NULL: nobody does. */
void slices_answer(struct daemon *d, struct sipd_answer *answer, slices_fn *fn, slices_fn *then,
                   uint64_t from, uint64_t most);
/* Each turn: goes on with all that are under way. */
void slices_tick(struct daemon *d);
/* Ends them without a word. */
void slices_fini(struct daemon *d);

#endif
