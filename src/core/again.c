/*
 * A request came again: its transaction says its last word once more, or we say that we are at an INVITE (RFC 3261 §17.2.1, §17.2.2).
 */
#include "core/again.h"

#include "core/explain.h"
#include "core/note.h"
#include "core/refuse.h"
#include "core/state.h"
#include "core/trip.h"
#include "txn/answered.h"

static void
say_again(struct core *core, struct txn *txn, const struct intake *in)
{
    bool is_invite = txn->kind == TXN_IST;
    uint64_t trip = txn->owner;

    EXPLAIN(core, .step = STEP_AGAIN, .trip = trip, .gist = in->gist);
    if (txns_move(&core->txns, txn, &in->reply_to))
        trip_moved(core, trip, in->from, &in->reply_to);
    if (txns_heard_again(&core->txns, txn, false) == TXN_UNHEARD && is_invite)
        trip_trying(core, trip);
}

/* What it says besides is kept; the rest is what this one says. */
static struct span
write_again(struct core *core, const struct answered *answered, const struct intake *in)
{
    struct reply_with with = answered_with(answered);

    return refuse_write(core, in, answered->status, &with);
}

/* As its answer would be stamped if it came from where that went: where it really came from was not proved again. */
static struct intake
as_first(struct core *core, const struct hop *first, const struct intake *in)
{
    struct intake same = *in;

    if (hop_eq(first, &in->reply_to) && first->listener == in->from->listener)
        return same;
    same.from = first;
    intake_stamp(core, &same);
    return same;
}

/*
 * The answer goes where it went. Whoever knows a branch can make anything of the rest, and some peers use one branch for all: so
 * of another request than the one that was answered none is made.
 */
static bool
answer_again(struct core *core, const struct answered *answered, const struct intake *in)
{
    struct hop first = answered_hop(answered);
    struct intake same = as_first(core, &first, in);
    struct span bytes = answered->entry.form == TXN_ANSWERED_WHOLE
                            ? arena_copy(core->ports.turn, answered_bytes(answered))
                            : write_again(core, answered, &same);

    if (bytes.at && !answered_is(&core->txns, answered, bytes))
        return false;
    EXPLAIN(core, .step = STEP_AGAIN, .gist = in->gist);
    core->txns.repeats += bytes.at != NULL;
    if (bytes.at)
        note_send(core, &first, bytes, 0);
    return true;
}

bool
again_heard(struct core *core, struct txn_entry *entry, const struct intake *in)
{
    if (txn_is_answered(entry))
        return answer_again(core, container_of(entry, struct answered, entry), in);
    say_again(core, txn_of(entry), in);
    return true;
}
