/*
 * Steady time: UTC, less all that the clock was set by since the file was begun. It goes on as the clock that never goes back does,
 * over restarts too, so that what was granted lasts as long as was said, whatever is done to the clock (RFC 3261 §10.2.1.1).
 *
 * A row tells UTC as it was when it was written, and by how much the clock had been set by then; the file tells by how much it has
 * been set since it was begun. So a step is one number that changes, with whatever is written next, all or nothing with it; no row
 * is written anew for it.
 */
#ifndef REGISTRAR_STEADY_H
#define REGISTRAR_STEADY_H

#include <stdbool.h>
#include <stddef.h>

#include "store.h"

#define STEADY_ID      (UINT64_MAX - 3) /* id of our writes; one at a time is under way */
#define STEADY_SLACK_S 3 /* what is not more is no step: two clocks are read, leap seconds come */

struct steady {
    int64_t base_s; /* steady time where the clock that never goes back is 0 */
    int64_t step_s; /* what UTC is ahead of steady time */
    int64_t kept_s; /* … as the file has it */
    int64_t told_s; /* … as people were told */
    bool unsure;    /* … or perhaps not: some other write may have told it something else since */
    bool known;     /* the file has said what it has */
    bool under_way;
    struct store_write write; /* of no change: its time is all there is to it */
};

/* No clock was ever set. */
void steady_init(struct steady *steady, uint64_t now_ms, int64_t wall_s);
/* Goes on where the file was written last. doubted: the clock was set while nobody watched. */
void steady_begin(struct steady *steady, const struct store_time *written, bool doubted,
                  uint64_t now_ms, int64_t wall_s);
/* Steady time at a moment of the clock that never goes back, seconds. */
int64_t steady_at(const struct steady *steady, uint64_t at_ms);
/* Looks whether the clock was set. Both are of one moment. */
void steady_look(struct steady *steady, uint64_t now_ms, int64_t wall_s);
/* By how much it was set since this was asked last, seconds; 0: it was not. */
int64_t steady_news(struct steady *steady);
/* What goes with a write. */
struct store_time steady_time(struct steady *steady, uint64_t now_ms, int64_t wall_s);
/* Tells the file, if nothing else has been written since. Tried again by a later step. */
void steady_step(struct steady *steady, const struct store_ops *ops, void *store);
/* The store has answered. */
void steady_written(struct steady *steady, int err);

#endif
