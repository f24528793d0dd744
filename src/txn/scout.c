/*
 * A step at a time: each looks at no more than what an earlier one has asked for.
 */
#include "txn/scout.h"

enum {
    LINE_BYTES = 64,
    FAR = 256, /* transactions from the first to end; what they touch has room in a second cache */
    NEAR = 4,  /* … when less joins than ends */
};

static void
ask_for(const struct txn *txn)
{
    const char *at = (const char *)txn - sizeof(struct slot), *end = (const char *)(txn + 1);

    for (; at < end; at += LINE_BYTES)
        __builtin_prefetch(at);
}

/* It has come: what it points at may follow. Memory that is freed is looked at on both sides. */
static void
look_at(const struct txns *t, const struct txn *txn)
{
    table_warm(&t->table, txn->entry.node.hash);
    if (!txn->bytes)
        return;
    __builtin_prefetch(txn->bytes - 2 * sizeof(size_t));
    __builtin_prefetch(txn->bytes + txn->bytes_len);
}

/* Where it stands, if that one still waits in this lane. */
static struct txn *
standing(const struct txns *t, unsigned lane)
{
    struct txn *txn = slots_find(&t->slots, t->scout[lane].id);

    return txn && timer_armed(&txn->timer) && timers_lane(&txn->timer) == (int)lane ? txn : NULL;
}

/* The one behind where it stands; else it begins with the first of all. */
static struct timer *
next_of(struct txns *t, unsigned lane)
{
    const struct txn *here = standing(t, lane);

    if (!here) {
        t->scout[lane].ahead = 0;
        return timers_head(&t->timers, lane);
    }
    look_at(t, here);
    return timers_after(&t->timers, &here->timer);
}

static void
go_on(struct txns *t, unsigned lane, uint32_t most)
{
    struct scout *scout = &t->scout[lane];
    struct timer *next;

    if (scout->ahead >= most)
        return;
    next = next_of(t, lane);
    if (!next)
        return;
    scout->id = next->id;
    scout->deadline_ms = next->deadline_ms;
    scout->ahead++;
    ask_for(container_of_const(next, struct txn, timer));
}

/* A second step wins back what was lost while less joined than ended. */
void
scout_joined(struct txns *t, unsigned lane)
{
    go_on(t, lane, FAR);
    go_on(t, lane, FAR);
}

/* Of those that end in the scout's own ms nobody says which are behind it: they count as before it. */
void
scout_left(struct txns *t, const struct txn *txn)
{
    int lane = timers_lane(&txn->timer);
    struct scout *scout;

    if (lane < 0)
        return;
    scout = &t->scout[lane];
    if (scout->ahead > 0 && txn->timer.deadline_ms <= scout->deadline_ms)
        scout->ahead--;
    go_on(t, (unsigned)lane, NEAR);
}
