/*
 * A response arrives, or the news that none will (RFC 3261 §16.7 steps 1 to 5, §16.9).
 */
#include "core/answer.h"

#include "core/branch.h"
#include "core/cancel.h"
#include "core/explain.h"
#include "core/recurse.h"
#include "core/silence.h"
#include "core/state.h"
#include "core/stateless.h"
#include "core/timer_c.h"
#include "core/upstream.h"

#define ELSEWHERE SPAN("SIP;cause=200;text=\"Call completed elsewhere\"") /* RFC 3326 §2 */

static void
ask_hooks(struct branch *branch, unsigned status)
{
    struct core *core = branch->trip->core;
    struct sipd_req req;
    uint16_t at = 0;

    if (!chain_has(&core->chain, SIPD_ON_RESPONSE))
        return;
    req = (struct sipd_req){
        .core = core, .trip = branch->trip, .branch = branch, .status = (uint16_t)status
    };
    (void)chain_ask(&core->chain, &req, SIPD_ON_RESPONSE, &at);
}

/* Somebody is there: he is waited for as long as Timer C lets him, not as long as he may be silent. */
static void
heard_first(struct branch *branch)
{
    branch_tried(branch, SIPD_TRIED_ANSWERED, 0);
    silence_broken(branch);
    if (branch->state == BRANCH_PENDING && branch->trip->gist.method == METHOD_INVITE)
        timer_c_arm(branch);
}

/*
 * Step 2 and 5: Timer C starts anew, and the response goes up unless one of ours already ended the search. Other requests than
 * INVITE are told nothing but 100 (RFC 4320 §4.1).
 */
static void
heard_provisional(struct branch *branch, const struct intake *in)
{
    struct trip *trip = branch->trip;
    bool first = !branch->provisional;

    if (first)
        heard_first(branch);
    branch->provisional = true;
    cancel_if_waiting(branch);
    if (in->msg->status == 100 || branch->state == BRANCH_DONE ||
        trip->gist.method != METHOD_INVITE)
        return;
    if (!first && !branch->cancel_sent)
        timer_c_arm(branch);
    ask_hooks(branch, in->msg->status);
    if (trip->final == 0)
        upstream_response(trip, in->msg, in->gist);
}

static void
heard_success(struct branch *branch, const struct intake *in)
{
    branch_done(branch, in->msg->status);
    upstream_response(branch->trip, in->msg, in->gist);
    cancel_branches(branch->trip, 487, ELSEWHERE);
}

/* RFC 3263 §4.3: a 503 or a silence at one hop is a reason to try the next, unless a 6xx ended the search (§16.7 step 5). */
static bool
tries_next_hop(struct branch *branch, uint16_t status)
{
    struct trip *trip = branch->trip;

    if (!branch_has_hop(branch) || branch->cancelled_as != 0 || trip->declined || trip->final != 0)
        return false;
    txns_disown(&trip->core->txns, branch->client, 0);
    branch->client = 0;
    branch_try(branch, status);
    return true;
}

/* RFC 5626 §7: silence and 430 say that the flow failed; every other answer is the device's own. */
static bool
tries_other_flow(struct branch *branch)
{
    if (branch->left || !branch_has_other_flow(branch))
        return false;
    txns_disown(&branch->trip->core->txns, branch->client, 0);
    branch->client = 0;
    return branch_other_flow(branch);
}

/* Step 4: it joins the answers among which the best is chosen. */
static void
heard_failure(struct branch *branch, const struct intake *in)
{
    struct trip *trip = branch->trip;
    struct span answer = { NULL, 0 };

    if (in->msg->status == 503 && tries_next_hop(branch, 503))
        return;
    if ((in->msg->status == 408 || in->msg->status == 430) && tries_other_flow(branch))
        return;
    if (in->msg->status == 503)
        silence_failed(branch);
    else
        silence_broken(branch);
    branch_done(branch, in->msg->status);
    if (in->msg->status < 400 && recurse(trip, in->msg, &answer) && answer.len == 0)
        branch->status = 0; /* it is no answer any more */
    else if (branch->status == in->msg->status)
        branch->response = arena_copy(&trip->arena, answer.len > 0 ? answer : msg_bytes(in->msg));
    if (in->msg->status >= 600) {
        trip->declined = true;
        cancel_branches(trip, 487, (struct span){ NULL, 0 });
    }
}

/* RFC 3261 §20.33: seconds, perhaps with a comment and parameters behind them. 0: none. */
static uint32_t
retry_after(const struct msg *msg)
{
    struct span value;
    size_t digits = 0;
    uint32_t seconds;

    if (!msg_get(msg, HDR_RETRY_AFTER, &value))
        return 0;
    while (digits < value.len && value.at[digits] >= '0' && value.at[digits] <= '9')
        digits++;
    return span_u32(span_head(value, digits), UINT32_MAX, &seconds) ? seconds : 0;
}

/* §21.5.4: a 503 without Retry-After is as good as a 500. */
static void
tell_resolver(const struct branch *branch, const struct msg *msg)
{
    uint32_t wait_s = msg->status == 503 ? retry_after(msg) : 0;

    if (wait_s > 0)
        branch_tried(branch, SIPD_TRIED_BUSY, wait_s);
    else if (!branch->provisional)
        branch_tried(branch, SIPD_TRIED_ANSWERED, 0);
}

static void
heard_final(struct branch *branch, const struct intake *in)
{
    if (branch->state == BRANCH_PENDING)
        tell_resolver(branch, in->msg);
    branch_heard(branch);
    ask_hooks(branch, in->msg->status);
    if (in->msg->status < 300)
        heard_success(branch, in);
    else if (branch->state != BRANCH_DONE)
        heard_failure(branch, in);
}

void
answer_heard(struct core *core, const struct intake *in)
{
    struct txn *txn = in->gist->fault == 0 ? txns_find_client(&core->txns, in->gist) : NULL;
    struct branch *branch;
    struct trip *trip;

    ++*core->count.responses;
    if (!txn) {
        stateless_answer(core, in);
        return;
    }
    if (txns_heard(&core->txns, txn, in->msg->status, in->gist) != TXN_RESPONSE)
        return;
    if (txn->owner == 0) {
        if (txn->peer != 0 && in->msg->status / 100 == 2)
            upstream_late(core, txn->peer, in->msg, in->gist);
        return;
    }
    branch = slots_find(&core->branches, txn->owner);
    if (!branch || branch->client != txn->id)
        return;
    trip = branch->trip;
    if (in->msg->status < 200)
        heard_provisional(branch, in);
    else
        heard_final(branch, in);
    trip_settle(trip);
}

/* RFC 3263 §4.3: a hop has failed that could not be reached, or that never said anything. */
static bool
has_failed(struct branch *branch, bool unreachable)
{
    EXPLAIN_BRANCH(branch, .step = STEP_FAILED,
                   .hop = branch->attempt > 0 ? &branch->hops[branch->attempt - 1] : NULL,
                   .why = unreachable           ? SPAN("cannot be reached")
                          : branch->provisional ? SPAN("never said how it ends")
                                                : SPAN("never answered"));
    if (!unreachable)
        branch_heard(branch);
    if (unreachable || (!branch->provisional && !branch->silent))
        branch_tried(branch, unreachable ? SIPD_TRIED_FAILED : SIPD_TRIED_SILENT, 0);
    return unreachable || !branch->provisional;
}

/* §16.7: a time-out counts as 408; §16.9: a transport failure counts as 503. */
void
answer_told(struct core *core, const struct txn_told *told)
{
    bool failed = told->news == TXN_FAILED;
    uint16_t status = failed ? 503 : 408;
    struct branch *branch;

    if ((told->news != TXN_TIMEOUT && !failed) ||
        (told->kind != TXN_ICT && told->kind != TXN_NICT) || told->owner == 0)
        return;
    branch = slots_find(&core->branches, told->owner);
    if (!branch || branch->client != told->id || branch->state != BRANCH_PENDING)
        return; /* one that is done has lost an ACK, no more */
    if ((!has_failed(branch, failed) || !tries_next_hop(branch, status)) &&
        !tries_other_flow(branch)) {
        branch->client = 0;
        silence_failed(branch);
        branch_done(branch, status);
    }
    trip_settle(branch->trip);
}
