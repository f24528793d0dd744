/*
 * The wheel: five levels of 64 slots, a slot of one level as long as the whole level beneath.
 *
 * A timer lies at the level of the highest 6-bit digit in which its deadline differs from now:
 * level 0 holds what is due in this block of 64 ms, level 1 what is due later in this block of 4096
 * ms, and so on. When time enters a slot its timers are placed anew, further down or, their ms come,
 * on the due list. So the lowest level that has timers has the earliest, a slot is found by its bit,
 * and time jumps from one to the next however far that is. All timers of a ms lie in one slot at any
 * moment, which keeps them in the order of arming.
 *
 * The top level is a ring of 2^30 ms. Who is due in a later turn of it is placed into the same slot
 * again as long as time passes by.
 */
#include "base/timers.h"

enum {
    DIGIT_BITS = 6,
    TOP = TIMERS_LEVELS - 1,
    DUE = TIMERS_LEVELS, /* the level of a timer on the due list … */
    LANE,                /* … or in a lane */
    /* by one call, of a slot that was entered: a busy server has many more in one */
    PLACED_MOST = 4096,
};

/* The number of a ms's slot, counted at this level from the start of time. */
static uint64_t
slot_number(uint64_t ms, unsigned level)
{
    return ms >> level * DIGIT_BITS;
}

void
timers_init(struct timers *t, uint64_t now_ms)
{
    t->now_ms = now_ms;
    t->armed = 0;
    list_init(&t->due);
    list_init(&t->entered);
    for (unsigned lane = 0; lane < TIMERS_LANES; lane++)
        list_init(&t->lane[lane]);
    t->entered_until_ms = now_ms;
    for (unsigned level = 0; level < TIMERS_LEVELS; level++) {
        t->filled[level] = 0;
        for (unsigned slot = 0; slot < TIMERS_SLOTS; slot++)
            list_init(&t->wheel[level][slot]);
    }
}

/* The level of the highest digit in which a deadline differs from now. */
static unsigned
level_for(uint64_t now_ms, uint64_t deadline_ms)
{
    unsigned highest_bit = 63 - (unsigned)__builtin_clzll(now_ms ^ deadline_ms);
    unsigned level = highest_bit / DIGIT_BITS;

    return level < TOP ? level : TOP;
}

/* Links a node where it belongs, seen from now. */
static void
place(struct timers *t, struct timer *node)
{
    if (node->deadline_ms <= t->now_ms) {
        node->level = DUE;
        list_push(&t->due, &node->link);
        return;
    }
    node->level = (uint16_t)level_for(t->now_ms, node->deadline_ms);
    node->slot = slot_number(node->deadline_ms, node->level) % TIMERS_SLOTS;
    list_push(&t->wheel[node->level][node->slot], &node->link);
    t->filled[node->level] |= UINT64_C(1) << node->slot;
}

/* Behind those that were armed for the same ms before it. The level says that its bit is no business of its end. */
static void
join_entered(struct timers *t, struct timer *node)
{
    node->level = DUE;
    list_push(&t->entered, &node->link);
}

/* Takes it out of where it is. */
static void
renew(struct timers *t, struct timer *node, uint64_t deadline_ms, uint32_t kind, uint64_t id)
{
    timers_disarm(t, node);
    node->deadline_ms = deadline_ms;
    node->kind = kind;
    node->id = id;
    t->armed++;
}

void
timers_arm(struct timers *t, struct timer *node, uint64_t deadline_ms, uint32_t kind, uint64_t id)
{
    renew(t, node, deadline_ms, kind, id);
    if (!list_empty(&t->entered) && deadline_ms < t->entered_until_ms)
        join_entered(t, node);
    else
        place(t, node);
}

void
timers_queue(struct timers *t, struct timer *node, unsigned lane, uint64_t deadline_ms,
             uint32_t kind, uint64_t id)
{
    renew(t, node, deadline_ms, kind, id);
    node->level = LANE;
    node->slot = (uint16_t)lane;
    list_push(&t->lane[lane], &node->link);
}

static bool
is_sooner(const struct list *link, const struct list *other)
{
    return container_of_const(link, struct timer, link)->deadline_ms <
           container_of_const(other, struct timer, link)->deadline_ms;
}

int
timers_lane(const struct timer *node)
{
    return node->level == LANE ? node->slot : -1;
}

struct timer *
timers_head(const struct timers *t, unsigned lane)
{
    const struct list *all = &t->lane[lane];

    return list_empty(all) ? NULL : container_of(all->next, struct timer, link);
}

struct timer *
timers_after(const struct timers *t, const struct timer *node)
{
    struct list *next = node->link.next;

    return next == &t->lane[node->slot] ? NULL : container_of(next, struct timer, link);
}

void
timers_sort(struct timers *t, unsigned lane)
{
    list_sort(&t->lane[lane], is_sooner);
}

struct timer *
timers_first(const struct timers *t)
{
    struct list *first = NULL;

    for (unsigned lane = 0; lane < TIMERS_LANES; lane++) {
        struct list *link = t->lane[lane].next;

        if (!list_empty(&t->lane[lane]) && (!first || is_sooner(link, first)))
            first = link;
    }
    return first ? container_of(first, struct timer, link) : NULL;
}

void
timers_disarm_it(struct timers *t, struct timer *node)
{
    list_remove(&node->link);
    t->armed--;
    if (node->level < DUE && list_empty(&t->wheel[node->level][node->slot]))
        t->filled[node->level] &= ~(UINT64_C(1) << node->slot);
}

/* The lowest level with timers, which has the earliest; TIMERS_LEVELS if the wheel is empty. */
static unsigned
lowest_filled(const struct timers *t)
{
    unsigned level = 0;

    while (level < TIMERS_LEVELS && !t->filled[level])
        level++;
    return level;
}

/* When time will enter the next filled slot of a level that has one. */
static uint64_t
next_entry_ms(const struct timers *t, unsigned level)
{
    uint64_t after_now = slot_number(t->now_ms, level) + 1;
    unsigned turn = after_now % TIMERS_SLOTS;
    uint64_t ring = t->filled[level];
    uint64_t ahead = ring >> turn | ring << (TIMERS_SLOTS - turn) % TIMERS_SLOTS;

    /* Bit n of `ahead` is the slot n after the next one. */
    return (after_now + (unsigned)__builtin_ctzll(ahead)) << level * DIGIT_BITS;
}

/* Moves time to the next filled slot, if that is not after now_ms, and places its timers anew. */
static bool
enter_next(struct timers *t, uint64_t now_ms)
{
    unsigned level = lowest_filled(t), slot;

    if (level == TIMERS_LEVELS || next_entry_ms(t, level) > now_ms) {
        t->now_ms = now_ms;
        return false;
    }
    t->now_ms = next_entry_ms(t, level);
    slot = slot_number(t->now_ms, level) % TIMERS_SLOTS;
    t->filled[level] &= ~(UINT64_C(1) << slot);
    t->entered_until_ms = t->now_ms + (UINT64_C(1) << level * DIGIT_BITS);
    /* as a timer of a later turn goes back into this very slot */
    list_join(&t->entered, &t->wheel[level][slot]);
    return true;
}

/* Places some of those in the slot that was entered; false if there are more. */
static bool
place_entered(struct timers *t)
{
    struct list *link;

    for (int n = 0; n < PLACED_MOST && (link = list_shift(&t->entered)); n++)
        place(t, container_of(link, struct timer, link));
    return list_empty(&t->entered);
}

/* The next one of the wheel that is due. */
static struct timer *
wheel_due(struct timers *t, uint64_t now_ms)
{
    if (!place_entered(t))
        return NULL; /* the first of them may lie behind the others */
    while (list_empty(&t->due))
        if (!enter_next(t, now_ms) || !place_entered(t))
            return NULL;
    return container_of(t->due.next, struct timer, link);
}

static struct timer *
lanes_due(const struct timers *t, uint64_t now_ms)
{
    struct timer *node = timers_first(t);

    return node && node->deadline_ms <= now_ms ? node : NULL;
}

struct timer *
timers_due(struct timers *t, uint64_t now_ms)
{
    struct timer *node;

    if (now_ms < t->now_ms)
        return NULL; /* not yet again: never early */
    node = wheel_due(t, now_ms);
    if (!node)
        node = lanes_due(t, now_ms);
    if (node)
        timers_disarm(t, node);
    return node;
}

static uint64_t
wheel_next_ms(const struct timers *t)
{
    unsigned level = lowest_filled(t);

    if (!list_empty(&t->due) || !list_empty(&t->entered))
        return t->now_ms;
    return level < TIMERS_LEVELS ? next_entry_ms(t, level) : UINT64_MAX;
}

uint64_t
timers_next_ms(const struct timers *t)
{
    const struct timer *first = timers_first(t);
    uint64_t wheel_ms = wheel_next_ms(t);

    return first && first->deadline_ms < wheel_ms ? first->deadline_ms : wheel_ms;
}
