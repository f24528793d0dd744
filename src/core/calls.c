/*
 * The calls under way: trips of INVITEs, and what has gone up of each (RFC 3261 §16.7).
 */
#include "core/calls.h"

#include "core/state.h"

static const char *const names[] = {
    [CALL_DECIDING] = "deciding", [CALL_TRYING] = "trying",   [CALL_RINGING] = "ringing",
    [CALL_ANSWERED] = "answered", [CALL_REFUSED] = "refused", [CALL_CANCELLED] = "cancelled",
};

const char *
call_state_name(enum call_state state)
{
    BUG_ON((size_t)state >= countof(names));
    return names[state];
}

static enum call_state
state_of(const struct trip *trip)
{
    if (trip->final != 0)
        return trip->final < 300 ? CALL_ANSWERED : CALL_REFUSED;
    if (trip->cancelled)
        return CALL_CANCELLED;
    if (trip->up)
        return CALL_RINGING;
    return trip->state == TRIP_FORKING ? CALL_TRYING : CALL_DECIDING;
}

static void
describe(const struct trip *trip, struct call *out)
{
    const struct txn *server = txns_find(&trip->core->txns, trip->server);

    *out = (struct call){
        .call_id = trip->gist.call_id,
        .from = trip->gist.from,
        .to = trip->gist.to,
        .state = state_of(trip),
        .status = server ? server->status : 0,
        .in_dialog = trip->gist.has_to_tag,
        .branches = trip->pending,
        .since_ms = trip->began_ms,
        .source = &trip->source,
    };
}

bool
calls_next(const struct core *core, uint64_t *cursor, uint32_t *places, struct call *out)
{
    const struct trip *trip;

    while ((trip = slots_next_within(&core->trips, cursor, places)))
        if (trip->gist.method == METHOD_INVITE && trip->dry == 0) {
            describe(trip, out);
            return true;
        }
    return false;
}
