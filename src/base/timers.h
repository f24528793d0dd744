/*
 * A hierarchical timing wheel of (deadline, kind, id): arming and disarming cost the same whatever
 * the number.
 *
 * Timers are data: what is due is handed out one by one, and who armed it looks its id up. The node
 * lies in its owner, so arming cannot fail. Resolution 1 ms; a timer never fires early.
 *
 * Beside the wheel are lanes, for those who all wait for the same time: who comes last is due last, so nobody needs to be placed
 * anew, and none is touched before its time has come.
 */
#ifndef BASE_TIMERS_H
#define BASE_TIMERS_H

#include "base/def.h"
#include "base/list.h"

#define TIMERS_LEVELS 5
#define TIMERS_SLOTS  64
#define TIMERS_LANES  4

struct timer {
    struct list link;     /* unlinked when not armed */
    uint64_t deadline_ms; /* on the clock's now_ms */
    uint64_t id;          /* whose it is */
    uint32_t kind;        /* the owner's word for what is due */
    uint16_t level, slot; /* where it lies in the wheel, or in which lane */
};

struct timers {
    uint64_t now_ms;                /* everything before this was handed out */
    uint64_t filled[TIMERS_LEVELS]; /* one bit a slot that has timers */
    struct list wheel[TIMERS_LEVELS][TIMERS_SLOTS];
    struct list lane[TIMERS_LANES]; /* each in order of deadline */
    struct list due;                /* expired, not yet handed out */
    struct list entered;            /* of a slot that time has entered, not yet placed anew … */
    /* … all of which are due before this, or in a later turn of the ring */
    uint64_t entered_until_ms;
    size_t armed;
};

/* An empty wheel that starts at now_ms. */
void timers_init(struct timers *t, uint64_t now_ms);
/* Makes a node ready; call once before its first arming. */
static inline void
timer_init(struct timer *node)
{
    *node = (struct timer){ .kind = 0 };
    list_init(&node->link);
}
static inline bool
timer_armed(const struct timer *node)
{
    return !list_empty(&node->link);
}
/* Arms node, or arms it anew, for deadline_ms; if that is past, the next timers_due() has it. */
void timers_arm(struct timers *t, struct timer *node, uint64_t deadline_ms, uint32_t kind,
                uint64_t id);
/* The same at the end of a lane, none of which is due later; if one is, node waits for it. */
void timers_queue(struct timers *t, struct timer *node, unsigned lane, uint64_t deadline_ms,
                  uint32_t kind, uint64_t id);
/* Brings a lane in order that was filled in any. */
void timers_sort(struct timers *t, unsigned lane);
/* Who is the first in all lanes to be due; NULL: they are empty. */
struct timer *timers_first(const struct timers *t);
/* The lane that node waits in, or did until it was disarmed; -1: none. */
int timers_lane(const struct timer *node);
/* Who is first in a lane; NULL: it is empty. */
struct timer *timers_head(const struct timers *t, unsigned lane);
/* Who is behind node, which waits in a lane; NULL: nobody. */
struct timer *timers_after(const struct timers *t, const struct timer *node);
/* As timers_disarm(), of one that is armed. */
void timers_disarm_it(struct timers *t, struct timer *node);
/* Disarms; harmless if not armed. */
static inline void
timers_disarm(struct timers *t, struct timer *node)
{
    if (timer_armed(node))
        timers_disarm_it(t, node);
}
/*
 * The next timer due at now_ms, disarmed; NULL if there is none. In order of deadline, those of one
 * ms in order of arming; who is in a lane comes behind those of the wheel. When very many of these have to be sorted first it does
 * not wait for them, so that no call takes long: timers_next_ms() is not after now_ms then, and the next call goes on.
 */
struct timer *timers_due(struct timers *t, uint64_t now_ms);
/* No timer is due before this; UINT64_MAX if none is armed. May be early, never late. */
uint64_t timers_next_ms(const struct timers *t);

#endif
