/*
 * Long lists for sipctl, some rows in each turn: nobody's call waits until they are all written (house rule 16).
 */
#ifndef DAEMON_SLICES_H
#define DAEMON_SLICES_H

#include "daemon/daemon.h"

/* Puts the next row; false: there is none. *cursor is 0 at first, and the function's own then. */
typedef bool slices_fn(const struct daemon *d, uint64_t *cursor, struct sipd_answer *answer);

/* Answers with at most so many rows, at once if they are few. */
void slices_answer(struct daemon *d, struct sipd_answer *answer, slices_fn *fn, uint64_t most);
/* Each turn: goes on with all that are under way. */
void slices_tick(struct daemon *d);
/* Ends them without a word. */
void slices_fini(struct daemon *d);

#endif
