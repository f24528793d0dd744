/*
 * CANCEL, both ways: the caller gives up, or we give up a branch (RFC 3261 §9, §16.10).
 */
#include "core/cancel.h"

#include "core/branch.h"
#include "core/check.h"
#include "core/explain.h"
#include "core/refuse.h"
#include "core/state.h"
#include "core/upstream.h"
#include "sip/derive.h"

static const struct span none;

static struct span
write_cancel(struct core *core, const struct txn *invite, struct span reason, struct gist *gist)
{
    struct buf *b = &core->scratch;
    struct msg msg;

    if (msg_read(txns_sent(&core->txns, invite), core->ports.turn, &msg) != SIPD_OK)
        return none;
    gist_read(&msg, gist);
    buf_clear(b);
    derive_cancel(b, &msg, gist, reason);
    return core_text(core);
}

/* Out of memory, it is tried again with the next provisional response, and Timer C watches over all. */
static void
send_cancel(struct branch *branch)
{
    struct core *core = branch->trip->core;
    const struct txn *invite = txns_find(&core->txns, branch->client);
    struct txn_key key;
    struct gist gist;
    struct span bytes;
    uint64_t id;

    if (!invite || !invite->bytes)
        return;
    bytes = write_cancel(core, invite, branch->cancel_reason, &gist);
    if (!bytes.at)
        return;
    key = txns_client_key(&core->txns, METHOD_CANCEL, gist.via.branch);
    if (txns_request(&core->txns, METHOD_CANCEL, &key, &invite->hop, bytes, none, 0, &id) !=
        SIPD_OK)
        return;
    branch->cancel_sent = true;
    timers_arm(&core->timers, &branch->timer, core->ports.clock->now_ms + 64 * TXN_T1_MS,
               TIMER_BRANCH, branch->id);
}

void
cancel_if_waiting(struct branch *branch)
{
    if (branch->cancelled_as != 0 && !branch->cancel_sent && branch->provisional)
        send_cancel(branch);
}

void
cancel_branch(struct branch *branch, uint16_t status, struct span reason)
{
    if (branch->state == BRANCH_DONE || branch->trip->gist.method != METHOD_INVITE)
        return;
    if (branch->cancelled_as != 0) {
        if (!branch->cancel_sent && reason.len > 0)
            branch->cancel_reason =
                reason; /* what came after says more than that it rang long enough */
        return;
    }
    branch->cancelled_as = status;
    branch->cancel_reason = reason;
    EXPLAIN_BRANCH(branch, .step = STEP_CANCEL,
                   .why = reason.len > 0            ? reason
                          : branch->trip->cancelled ? SPAN("the caller gave up")
                          : status == 408           ? SPAN("it rang long enough")
                                                    : SPAN("the search is over"));
    if (branch->state == BRANCH_RESOLVING)
        branch_done(branch, status);
    else
        cancel_if_waiting(branch);
}

void
cancel_branches(struct trip *trip, uint16_t status, struct span reason)
{
    if (trip->pending == 0)
        return;
    list_each (node, after, &trip->branches)
        cancel_branch(container_of(node, struct branch, link), status, reason);
}

/* RFC 3326 §2: why the caller gives up is for the callee to know. */
static struct span
reason_of(struct trip *trip, const struct msg *cancel)
{
    const struct msg_field *field = NULL;
    struct buf *b = &trip->core->scratch;

    buf_clear(b);
    while ((field = msg_find(cancel, HDR_REASON, field))) {
        buf_put(b, b->len > 0 ? SPAN(", ") : none);
        buf_put(b, msg_value(cancel, field));
    }
    return b->len > 0 && b->err == SIPD_OK ? arena_copy(&trip->arena, buf_span(b)) : none;
}

/* §16.10: the search ends; what is pending downstream is cancelled, and when it has ended the best answer goes up, mostly its 487. */
static void
give_up(struct trip *trip, const struct msg *cancel)
{
    trip->cancelled = true;
    EXPLAIN_TRIP(trip, .step = STEP_CANCEL, .why = SPAN("the caller gives up"));
    cancel_branches(trip, 487, reason_of(trip, cancel));
    if (trip->state != TRIP_FORKING)
        upstream_status(trip, 487);
    trip_settle(trip);
}

/* The INVITE went by without state, or by another node: its CANCEL goes the same way (§16.10, §16.11). Else it is 481. */
static void
cancel_unknown(struct core *core, const struct intake *in)
{
    bool passes = core->conf->mode == CORE_STATELESS || core->conf->stray == CORE_STRAY_VERIFIED;
    struct check_result bad = { .status = 481 };

    if (passes && check_request(core, in, &bad))
        trip_begin(core, in);
    else
        refuse(core, in, bad.status, bad.phrase, bad.headers);
}

/*
 * §9.2: 200 to the CANCEL whether or not it comes in time, with the To-tag that our own answer to the INVITE would have. It is
 * answered without a transaction: the same CANCEL again gets the same answer again.
 */
void
cancel_heard(struct core *core, const struct intake *in)
{
    const struct txn *invite = txns_find_cancelled(&core->txns, in->gist);
    struct trip *trip;

    if (!invite) {
        cancel_unknown(core, in);
        return;
    }
    trip = invite->owner ? slots_find(&core->trips, invite->owner) : NULL;
    refuse(core, in, 200, none, none);
    if (trip && trip->final == 0 && !trip->cancelled)
        give_up(trip, in->msg);
}
