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

/* It goes where it went, and says so, though this one may have come from elsewhere: its address was not proved again. */
static void
answer_again(struct core *core, const struct answered *answered, const struct intake *in)
{
    struct hop first = answered_hop(answered);
    struct intake as_first = *in;
    struct span bytes;

    EXPLAIN(core, .step = STEP_AGAIN, .gist = in->gist);
    if (!hop_eq(&first, &in->reply_to)) {
        as_first.from = &first;
        intake_stamp(core, &as_first);
    }
    bytes = answered->entry.form == TXN_ANSWERED_WHOLE
                ? arena_copy(core->ports.turn, answered_bytes(answered))
                : write_again(core, answered, &as_first);
    core->txns.repeats += bytes.at != NULL;
    if (bytes.at)
        note_send(core, &first, bytes, 0);
}

void
again_heard(struct core *core, struct txn_entry *entry, const struct intake *in)
{
    if (txn_is_answered(entry))
        answer_again(core, container_of(entry, struct answered, entry), in);
    else
        say_again(core, txn_of(entry), in);
}
