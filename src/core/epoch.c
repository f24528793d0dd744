/*
 * Watches of another node, one after another: what the last of them does not name is ended, in slices.
 */
#include "core/epoch.h"

#include "core/trip.h"
#include "txn/fact.h"

void
epoch_end_stale(struct trip *trip)
{
    if (trip && trip->epoch != trip->core->epoch)
        trip_forget(trip);
}

void
epoch_begin(struct core *core)
{
    core->txns.epoch = ++core->epoch;
    core->sweeping = TELLING_NOTHING;
}

void
epoch_end(struct core *core)
{
    core->sweeping = TELLING_TRIPS;
    core->swept = 0;
}

static bool
sweep_trips(struct core *core, uint32_t *places)
{
    struct trip *trip;

    while ((trip = slots_next_within(&core->trips, &core->swept, places)))
        epoch_end_stale(trip);
    return *places == 0;
}

bool
epoch_sweep(struct core *core, uint32_t places)
{
    if (core->sweeping == TELLING_TRIPS && !sweep_trips(core, &places)) {
        core->sweeping = TELLING_TXNS;
        core->swept = 0;
    }
    if (core->sweeping == TELLING_TXNS && !txns_sweep(&core->txns, &core->swept, &places))
        core->sweeping = TELLING_NOTHING;
    return core->sweeping != TELLING_NOTHING;
}
