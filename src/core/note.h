/*
 * What changed in a turn is noted when the turn ends, all of it or nothing, and only then leaves what was sent in it.
 *
 * So whoever takes the facts in sees the states between turns only, and nobody has heard of a state that he does not know.
 * While nobody watches, all this is one compare.
 */
#ifndef CORE_NOTE_H
#define CORE_NOTE_H

#include "core/state.h"

/* Sends, as core_ports has it; all that the core says leaves by here. */
void note_send(struct core *core, const struct hop *to, struct span bytes, uint64_t token);
/* What the next three are when somebody watches. */
void note_trip_it(struct trip *trip) COLD;
void note_trip_end_it(struct trip *trip) COLD;
void note_turn_it(struct core *core) COLD;

/* The trip has changed, or one of its branches. */
static inline void
note_trip(struct trip *trip)
{
    if (IS_WATCHED(trip->core))
        note_trip_it(trip);
}

/* The trip ends. */
static inline void
note_trip_end(struct trip *trip)
{
    if (IS_WATCHED(trip->core))
        note_trip_end_it(trip);
}

/* The turn ends. */
static inline void
note_turn(struct core *core)
{
    if (IS_WATCHED(core))
        note_turn_it(core);
}

/* Is everything noted that a standby must know? For tests. */
bool note_is_complete(struct core *core);

void note_init(struct core *core);
/* For txns: their facts and what they send are the core's. */
void note_fill_txn_ports(struct core *core, struct txn_ports *ports);

#endif
