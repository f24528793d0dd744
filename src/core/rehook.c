/*
 * The chain changes while requests wait in it. A request remembers the place of the hook that it waits for, so places are put
 * right here, at once and in one walk; between two reloads nobody asks.
 */
#include "core/rehook.h"

#include "core/note.h"
#include "core/upstream.h"

/* Where a hook of this order would stand. */
static uint16_t
place_of(const struct chain *chain, enum sipd_stage stage, int order)
{
    uint16_t at = 0;

    while (at < chain->len[stage] && chain->stages[stage][at].order < order)
        at++;
    return at;
}

int
rehook_add(struct core *core, enum sipd_stage stage, const struct chain_hook *hook)
{
    uint16_t at = place_of(&core->chain, stage, hook->order);
    int err = chain_add(&core->chain, stage, hook);
    uint64_t cursor = 0;
    struct trip *trip;

    while (err == SIPD_OK && (trip = slots_next(&core->trips, &cursor)))
        if (trip->state == TRIP_WAITING && trip->stage == stage && trip->hook_at >= at) {
            trip->hook_at++;
            note_trip(trip);
        }
    return err;
}

/* Hooks of this owner that stand before a place. */
static unsigned
count_before(const struct chain *chain, enum sipd_stage stage, uint16_t place, const void *owner)
{
    unsigned count = 0;

    for (uint16_t at = 0; at < place; at++)
        count += chain->stages[stage][at].owner == owner;
    return count;
}

void
rehook_remove(struct core *core, const void *owner)
{
    const struct chain *chain = &core->chain;
    uint64_t cursor = 0;
    struct list orphans, *node;
    struct trip *trip;

    list_init(&orphans);
    while ((trip = slots_next(&core->trips, &cursor))) {
        if (trip->state != TRIP_WAITING)
            continue;
        if (chain->stages[trip->stage][trip->hook_at].owner == owner) {
            list_remove(&trip->link); /* it may have been resumed already */
            list_push(&orphans, &trip->link);
        } else {
            trip->hook_at =
                (uint16_t)(trip->hook_at - count_before(chain, trip->stage, trip->hook_at, owner));
            note_trip(trip);
        }
    }
    chain_remove(&core->chain, owner);
    while ((node = list_shift(&orphans))) {
        trip = container_of(node, struct trip, link);
        upstream_status(trip, 503);
        trip_settle(trip);
    }
}
