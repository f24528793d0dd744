/*
 * One request's life in the proxy: begun, decided upon, forked to targets, answered, ended (RFC 3261 §16.2).
 */
#include "core/trip.h"

#include "core/branch.h"
#include "core/breadth.h"
#include "core/cancel.h"
#include "core/decide.h"
#include "core/dry.h"
#include "core/explain.h"
#include "core/fact.h"
#include "core/intake.h"
#include "core/note.h"
#include "core/refuse.h"
#include "core/route.h"
#include "core/state.h"
#include "core/target.h"
#include "core/upstream.h"

static const struct span none;

/* RFC 4320 §4.1: other requests hear 100 when their client's Timer E has come to T2. */
enum { TRYING_LATE_MS = 7 * TXN_T1_MS };

bool
trip_follows_an_invite(const struct trip *trip)
{
    return trip->gist.method == METHOD_ACK || trip->gist.method == METHOD_CANCEL;
}

/* Does it pass without transactions (§16.11)? */
static bool
is_stateless(const struct trip *trip)
{
    return trip_follows_an_invite(trip) || trip->core->conf->mode == CORE_STATELESS;
}

/* Beside the request: its index, a target, a branch and its hops. */
enum { ONE_BRANCH_BYTES = 800 };

void
trip_room(struct core *core, struct arena *room, size_t bytes)
{
    arena_init_by(room, core->conf->trip_bytes, bytes + ONE_BRANCH_BYTES, &core->spare);
}

/* A slot becomes a trip, but for its memory. */
static void
begin(struct core *core, struct trip *trip, uint64_t id)
{
    trip->id = id;
    trip->core = core;
    trip->began_ms = core->ports.clock->now_ms;
    list_init(&trip->link);
    list_init(&trip->touched);
    list_init(&trip->targets);
    list_init(&trip->branches);
    trip->edits_end = &trip->edits;
    timer_init(&trip->trying);
    timer_init(&trip->no_answer);
}

static struct trip *
trip_new(struct core *core, const struct intake *in)
{
    uint64_t id = 0;
    struct trip *trip = slots_new(&core->trips, &id);

    if (!trip)
        return NULL;
    begin(core, trip, id);
    if (in->room)
        arena_take(&trip->arena, in->room);
    else
        trip_room(core, &trip->arena, in->msg->len);
    return trip;
}

static void
trip_free(struct trip *trip)
{
    struct core *core = trip->core;

    timers_disarm(&core->timers, &trip->trying);
    timers_disarm(&core->timers, &trip->no_answer);
    list_remove(&trip->link);
    list_remove(&trip->touched);
    arena_fini(&trip->arena);
    slots_free(&core->trips, trip->id);
}

static void
arm_trying(struct trip *trip)
{
    struct core *core = trip->core;
    uint32_t after_ms = trip->gist.method == METHOD_INVITE ? core->conf->trying_ms : TRYING_LATE_MS;

    timers_arm(&core->timers, &trip->trying, core->ports.clock->now_ms + after_ms, TIMER_TRYING,
               trip->id);
}

bool
trip_has_state(const struct trip *trip)
{
    return trip->server != 0 || (trip->dry != 0 && !is_stateless(trip));
}

/* Opens the server transaction. */
static int
serve(struct trip *trip, const struct txn_key *key)
{
    struct core *core = trip->core;
    int err;

    if (trip->dry != 0)
        return SIPD_OK;
    err = txns_serve(&core->txns, &trip->gist, key, &trip->reply_to, trip->id, &trip->server);
    if (err != SIPD_OK)
        return err;
    core->pending++;
    return SIPD_OK;
}

int
trip_serve(struct trip *trip)
{
    int err = serve(trip, NULL);

    if (trip->server != 0)
        arm_trying(trip);
    return err;
}

void
trip_coming(struct core *core, struct intake *in)
{
    struct trip *trip = slots_coming(&core->trips);

    if (!trip)
        return;
    in->msg = &trip->msg;
    in->gist = &trip->gist;
    in->uri = &trip->uri;
    in->mark = &trip->mark;
}

/* What was read of the request is in its place, or gets there. */
static void
keep_read(struct trip *trip, const struct intake *in)
{
    if (in->msg == &trip->msg)
        return;
    trip->msg = *in->msg;
    trip->gist = *in->gist;
    trip->uri = *in->uri;
    trip->mark = *in->mark;
}

/* What lies in the turn's memory is copied to the trip's. */
APART static int
copy_request(struct trip *trip)
{
    struct msg turns = trip->msg;
    int err = msg_keep(&turns, &trip->arena, &trip->msg);

    if (err != SIPD_OK)
        return err;
    gist_keep(&trip->gist, &turns, &trip->msg, &trip->gist);
    uri_move(&trip->uri, turns.bytes, trip->msg.bytes, &trip->uri);
    return SIPD_OK;
}

static int
keep(struct trip *trip, const struct intake *in)
{
    int err;

    keep_read(trip, in);
    if (!in->room && (err = copy_request(trip)) != SIPD_OK)
        return err;
    trip->dry = in->dry;
    trip->source = *in->from;
    trip->reply_to = in->reply_to;
    trip->breadth = breadth_read(trip);
    trip->natted = in->natted;
    trip->rport = in->rport;
    trip->received = in->received;
    if (!in->room && in->received.len > 0)
        trip->received = arena_copy(&trip->arena, in->received);
    if (!trip->received.at)
        return SIPD_ENOMEM;
    return is_stateless(trip) ? SIPD_OK : serve(trip, &in->key);
}

/* There was no room for it. */
static void
refuse_trip(struct core *core, const struct intake *in)
{
    if (in->dry != 0)
        dry_refuse(core, in->gist, in->dry, 503);
    else if (in->gist->method != METHOD_ACK)
        refuse(core, in, 503, none, refuse_retry_after(core));
}

static void
ask_and_decide(struct trip *trip)
{
    trip->state = TRIP_ASKING;
    if (decide(trip))
        trip->state = TRIP_FORKING;
}

/* … and then it waits for a hook, is forked, or ends. */
static void
go_on(struct trip *trip)
{
    if (trip->state != TRIP_WAITING)
        trip_settle(trip);
}

void
trip_begin(struct core *core, const struct intake *in)
{
    struct trip *trip = trip_new(core, in);
    uint16_t status;

    if (!trip || keep(trip, in) != SIPD_OK) {
        refuse_trip(core, in);
        if (trip)
            trip_free(trip);
        return;
    }
    *core->count.trips += in->dry == 0;
    status = route_prepare(trip);
    if (status == 403)
        *core->count.forged_routes += in->dry == 0;
    trip->stage = decide_first_stage(trip);
    EXPLAIN_TRIP(trip, .step = status == 0 ? STEP_ROUTE : STEP_REFUSED, .who = SPAN("Route"),
                 .uri = trip->uri_text, .count = trip->own_routes, .status = status,
                 .why = status != 0    ? SPAN("")
                        : trip->for_us ? SPAN("ours")
                                       : SPAN("not ours"));
    if (status == 0)
        ask_and_decide(trip);
    else
        upstream_refuse(trip, status, status == 400 ? SPAN("Bad Route") : SPAN(""));
    if (trip->server != 0 && !trip->up) /* nobody has answered it at once */
        arm_trying(trip);
    go_on(trip);
}

void
trip_go(struct trip *trip)
{
    ask_and_decide(trip);
    go_on(trip);
}

/* May more targets be tried: nothing final yet, nobody gave up, nobody declined for all (§16.7 step 5)? */
static bool
may_try_more(const struct trip *trip)
{
    return trip->state == TRIP_FORKING && !trip->cancelled && !trip->declined &&
           !list_empty(&trip->targets);
}

/* Its client's Timer F fires at the latest so long after the request came, and what it said last takes at most T4. */
static bool
waits_silently(struct trip *trip)
{
    struct core *core = trip->core;
    uint64_t until_ms = trip->began_ms + 64 * TXN_T1_MS + TXN_T4_MS;

    if (until_ms <= core->ports.clock->now_ms)
        return false;
    timers_arm(&core->timers, &trip->no_answer, until_ms, TIMER_SILENT, trip->id);
    return true;
}

/*
 * Nobody waits for branches that were left, unless the caller gave up: nobody hurries then, and a 2xx that crosses his CANCEL is to
 * find his transaction (§9.1, §16.10).
 */
static uint32_t
awaited(const struct trip *trip)
{
    return trip->cancelled ? trip->pending : trip->pending - trip->left;
}

/* Who was called off and never said anything can hear no CANCEL yet (§9.1): the choice waits for him, the next group does not. */
static bool
holds_up_the_next(const struct branch *branch)
{
    return branch->state != BRANCH_DONE && !branch->left &&
           (branch->cancelled_as == 0 || branch->provisional);
}

static bool
group_is_over(const struct trip *trip)
{
    list_each (node, after, &trip->branches)
        if (holds_up_the_next(container_of(node, struct branch, link)))
            return false;
    return true;
}

void
trip_settle(struct trip *trip)
{
    while (may_try_more(trip) && group_is_over(trip))
        target_start_group(trip);
    note_trip(trip);
    if (awaited(trip) > 0)
        return;
    if (trip->state == TRIP_FORKING && trip->dry_hops == 0) {
        upstream_best(trip);
        cancel_branches(trip, 487, none); /* of those that were left: should they ever speak */
    }
    if (trip->pending > 0)
        return;
    if (trip->state != TRIP_SILENT || !waits_silently(trip))
        trip_end(trip);
}

void
trip_trying(struct core *core, uint64_t id)
{
    struct trip *trip = slots_find(&core->trips, id);

    if (!trip || trip->up || trip->final != 0)
        return;
    timers_disarm(&core->timers, &trip->trying);
    EXPLAIN_TRIP(trip, .step = STEP_TIMER, .who = SPAN("the one for 100 Trying"));
    upstream_status(trip, 100);
    note_trip(trip);
}

void
trip_moved(struct core *core, uint64_t id, const struct hop *from, const struct hop *reply_to)
{
    struct trip *trip = slots_find(&core->trips, id);

    if (!trip)
        return;
    trip->source = *from;
    trip->reply_to = *reply_to;
    note_trip(trip);
}

/* What nobody answered in the end is forgotten: a non-INVITE gets no late 408 (RFC 4320 §4.2). */
static void
leave_server(struct trip *trip)
{
    if (trip->server == 0)
        return;
    if (trip->final == 0) {
        trip->core->pending--;
        txns_end(&trip->core->txns, trip->server);
    } else {
        txns_disown(&trip->core->txns, trip->server, 0);
    }
}

void
trip_end(struct trip *trip)
{
    list_each (node, after, &trip->branches)
        branch_free(container_of(node, struct branch, link));
    leave_server(trip);
    if (trip->dry != 0)
        dry_end(trip);
    note_trip_end(trip);
    trip_free(trip);
}

/* ------------------------------------------------------------------ on another node */

struct trip *
trip_put(struct core *core, uint64_t id, size_t bytes)
{
    struct trip *trip = slots_put(&core->trips, id);

    if (!trip)
        return NULL;
    memset((char *)trip + TRIP_HEAD_BYTES, 0, sizeof *trip - TRIP_HEAD_BYTES);
    begin(core, trip, id);
    trip_room(core, &trip->arena, bytes);
    return trip;
}

void
trip_forget(struct trip *trip)
{
    list_each (node, after, &trip->branches)
        branch_forget(container_of(node, struct branch, link));
    trip_free(trip);
}

void
trip_wake(struct trip *trip)
{
    struct core *core = trip->core;
    bool silent = trip->state == TRIP_SILENT;

    core->pending += trip->server != 0 && trip->final == 0;
    fact_wake(&core->timers, &trip->trying, TIMER_TRYING, trip->id);
    fact_wake(&core->timers, &trip->no_answer, silent ? TIMER_SILENT : TIMER_NO_ANSWER, trip->id);
    list_each (node, after, &trip->branches)
        branch_wake(container_of(node, struct branch, link));
    if (trip->state == TRIP_WAITING)
        core_resume(core, trip->id);
    else if (!silent)
        trip_settle(trip);
}
