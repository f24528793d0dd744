/*
 * Records of a response context and its branches, taken in on another node.
 */
#include "core/branch.h"
#include "core/epoch.h"
#include "core/fact.h"
#include "core/fact_record.h"
#include "core/mark.h"
#include "core/route.h"
#include "core/target.h"

/* ------------------------------------------------------------------ a trip */

/* Copies a span; an empty one stays what it was not to be: none. */
static int
keep(struct arena *arena, struct span from, struct span *to)
{
    *to = (struct span){ NULL, 0 };
    if (from.len == 0)
        return SIPD_OK;
    *to = arena_copy(arena, from);
    return to->at ? SIPD_OK : SIPD_ENOMEM;
}

/* A target with all that it holds in the trip's arena. */
static int
keep_target(struct trip *trip, const struct target *noted, struct target **out)
{
    struct target *target = arena_zalloc(&trip->arena, sizeof *target);
    int err = target ? SIPD_OK : SIPD_ENOMEM;

    *out = target;
    if (err != SIPD_OK)
        return err;
    target->is = noted->is;
    target->is.hop = fact_hop(&noted->is.hop);
    target->else_by_uri = noted->else_by_uri;
    list_init(&target->link);
    err = keep(&trip->arena, noted->is.uri, &target->is.uri);
    if (err == SIPD_OK)
        err = keep(&trip->arena, noted->is.path, &target->is.path);
    if (err == SIPD_OK)
        err = keep(&trip->arena, noted->is.instance, &target->is.instance);
    if (err == SIPD_OK)
        err = uri_read(target->is.uri, &target->uri);
    return err;
}

static int
take_target(struct trip *trip, struct span bytes)
{
    struct target noted, *target;
    int err = record_read(bytes, fact_target_fields, &noted);

    if (err == SIPD_OK)
        err = keep_target(trip, &noted, &target);
    if (err == SIPD_OK)
        list_push(&trip->targets, &target->link);
    return err;
}

/* Another flow of the device of the last target; a chain ends where `*last` is. */
static int
take_other(struct trip *trip, struct span bytes, struct target **last)
{
    struct target noted;
    int err = record_read(bytes, fact_target_fields, &noted);

    if (err == SIPD_OK && !*last)
        err = SIPD_EINVAL;
    if (err == SIPD_OK)
        err = keep_target(trip, &noted, &(*last)->other);
    if (err != SIPD_OK && *last)
        (*last)->other = NULL;
    *last = *last ? (*last)->other : NULL;
    return err;
}

static struct target *
last_target(const struct trip *trip)
{
    return list_empty(&trip->targets) ? NULL
                                      : container_of(trip->targets.prev, struct target, link);
}

static int
take_edit(struct trip *trip, struct span bytes)
{
    const struct msg_field *drop = NULL;
    struct edit_record noted;
    int err = record_read(bytes, fact_edit_fields, &noted);

    if (err != SIPD_OK)
        return err;
    if (noted.drop > trip->msg.fields_len)
        return SIPD_EINVAL;
    if (noted.drop > 0)
        drop = &trip->msg.fields[noted.drop - 1];
    return trip_add_edit(trip, noted.name, noted.value, drop, noted.branch);
}

static int
take_lists(struct trip *trip, struct span bytes)
{
    struct target *last = NULL;
    struct tlv tlv;
    int err;

    list_init(&trip->targets); /* the old ones lie in the arena */
    trip->edits = NULL;
    trip->edits_end = &trip->edits;
    while ((err = tlv_next(&bytes, &tlv)) == SIPD_OK) {
        if (tlv.tag == TARGET) {
            err = take_target(trip, tlv.value);
            last = last_target(trip);
        } else if (tlv.tag == OTHER)
            err = take_other(trip, tlv.value, &last);
        else if (tlv.tag == EDIT)
            err = take_edit(trip, tlv.value);
        if (err != SIPD_OK)
            return err;
    }
    return SIPD_OK;
}

/* The request, and what follows from it with our settings and key (§16.4). */
static int
take_request(struct trip *trip, const struct trip_record *r)
{
    struct msg msg;
    int err = msg_read(r->request, trip->core->ports.turn, &msg);

    if (err == SIPD_OK)
        err = msg_keep(&msg, &trip->arena, &trip->msg);
    if (err != SIPD_OK)
        return err;
    gist_read(&trip->msg, &trip->gist);
    (void)uri_read(msg_span(&trip->msg, trip->msg.uri), &trip->uri);
    mark_begin(trip->core, &trip->gist, &trip->mark);
    trip->source = fact_hop(&r->source);
    trip->reply_to = fact_hop(&r->reply_to);
    (void)route_prepare(trip); /* what it refuses was refused where it came from */
    return keep(&trip->arena, r->received, &trip->received);
}

static int
take_members(struct trip *trip, const struct trip_record *r)
{
    struct core *core = trip->core;
    uint64_t now_ms = core->ports.clock->now_ms;
    int err = span_eq(r->uri, trip->uri_text) ? SIPD_OK : route_set_uri(trip, r->uri);

    if (err == SIPD_OK && !span_eq(r->user, trip->user))
        err = keep(&trip->arena, r->user, &trip->user);
    if (err == SIPD_OK && !span_eq(r->reply_fields, trip->reply_fields))
        err = keep(&trip->arena, r->reply_fields, &trip->reply_fields);
    trip->state = (enum trip_state)r->state;
    trip->stage = (enum sipd_stage)r->stage;
    trip->hook_at = r->hook_at;
    trip->rport = r->rport;
    trip->final = r->final;
    trip->targets_len = r->targets_len;
    trip->breadth = r->breadth;
    trip->began_ms = now_ms > r->age_ms ? now_ms - r->age_ms : 0;
    trip->server = r->server;
    trip->natted = r->natted;
    trip->trusted = r->trusted;
    trip->insecure = r->insecure;
    trip->up = r->up;
    trip->cancelled = r->cancelled;
    trip->declined = r->declined;
    fact_sleep(&trip->trying, r->trying_ms, now_ms);
    fact_sleep(&trip->no_answer, r->no_answer_ms, now_ms);
    return err;
}

static bool
is_sound_trip(const struct trip_record *r)
{
    return r->state <= TRIP_SILENT && r->stage < CHAIN_STAGES && r->server != 0 &&
           r->source.transport < HOP_TRANSPORTS && r->reply_to.transport < HOP_TRANSPORTS;
}

static int
put_trip(struct core *core, uint64_t id, const struct trip_record *r, struct trip **out)
{
    struct trip *trip = trip_put(core, id, r->request.len);

    *out = trip;
    if (!trip)
        return SIPD_EFULL;
    trip->epoch = core->epoch;
    return take_request(trip, r);
}

int
trip_fact_take(struct core *core, const struct fact *fact)
{
    struct trip_record r;
    struct trip *trip;
    int err;

    epoch_end_stale(slots_holder(&core->trips, fact->id));
    trip = slots_find(&core->trips, fact->id);
    if (trip && fact_is_older(fact->version, trip->version))
        return SIPD_OK;
    if (fact->bytes.len == 0) {
        if (trip)
            trip_forget(trip);
        return SIPD_OK;
    }
    err = record_read(fact->bytes, fact_trip_fields, &r);
    if (err == SIPD_OK && !is_sound_trip(&r))
        err = SIPD_EINVAL;
    if (err == SIPD_OK && !trip)
        err = put_trip(core, fact->id, &r, &trip);
    if (err == SIPD_OK)
        err = take_members(trip, &r);
    if (err == SIPD_OK)
        err = take_lists(trip, fact->bytes);
    if (err == SIPD_OK)
        trip->version = fact->version;
    else if (trip)
        trip_forget(trip);
    return err;
}

/* ------------------------------------------------------------------ a branch */

static uint32_t
count_hops(struct span bytes)
{
    struct tlv tlv;
    uint32_t n = 0;

    while (tlv_next(&bytes, &tlv) == SIPD_OK)
        n += tlv.tag == HOP;
    return n;
}

static int
take_hops(struct branch *branch, struct span bytes)
{
    uint32_t len = count_hops(bytes), n = 0;
    struct hop *hops = arena_zalloc(&branch->trip->arena, len * sizeof *hops);
    struct tlv tlv;
    int err = hops ? SIPD_OK : SIPD_ENOMEM;

    while (err == SIPD_OK && tlv_next(&bytes, &tlv) == SIPD_OK)
        if (tlv.tag == HOP) {
            err = record_read(tlv.value, fact_hop_fields, &hops[n]);
            hops[n] = fact_hop(&hops[n]);
            n++;
        }
    branch->hops = hops;
    branch->hops_len = hops ? len : 0;
    return err;
}

/* Is it still on the same flow of its device? */
static bool
is_target(const struct target *target, const struct target *noted)
{
    struct hop hop = fact_hop(&noted->is.hop);

    return target && span_eq(target->is.uri, noted->is.uri) && hop_eq(&target->is.hop, &hop) &&
           target->is.hop.listener == hop.listener && span_eq(target->is.path, noted->is.path);
}

static int
take_its_target(struct branch *branch, const struct branch_record *r, struct span bytes)
{
    struct target *last;
    struct tlv tlv;
    int err;

    if (is_target(branch->target, &r->target))
        return SIPD_OK;
    err = keep_target(branch->trip, &r->target, &branch->target);
    last = branch->target;
    while (err == SIPD_OK && tlv_next(&bytes, &tlv) == SIPD_OK)
        if (tlv.tag == OTHER)
            err = take_other(branch->trip, tlv.value, &last);
    return err;
}

static int
take_branch(struct branch *branch, const struct branch_record *r, struct span bytes)
{
    struct arena *arena = &branch->trip->arena;
    int err = take_its_target(branch, r, bytes);

    if (err == SIPD_OK && !span_eq(r->cancel_reason, branch->cancel_reason))
        err = keep(arena, r->cancel_reason, &branch->cancel_reason);
    if (err == SIPD_OK && !span_eq(r->response, branch->response))
        err = keep(arena, r->response, &branch->response);
    if (err != SIPD_OK)
        return err;
    branch->target->else_by_uri = r->target.else_by_uri;
    branch->state = (enum branch_state)r->state;
    branch->attempt = r->attempt;
    branch->cancelled_as = r->cancelled_as;
    branch->status = r->status;
    branch->cancel_sent = r->cancel_sent;
    branch->provisional = r->provisional;
    branch->silent = r->silent;
    branch->left = r->left;
    branch->first = r->first;
    branch->breadth = r->breadth;
    branch->client = r->client;
    branch->located = r->located;
    branch->hooked = r->hooked;
    branch->large = r->large;
    fact_sleep(&branch->timer, r->timer_ms, branch->trip->core->ports.clock->now_ms);
    return SIPD_OK;
}

int
branch_fact_take(struct core *core, const struct fact *fact)
{
    struct branch *branch = slots_holder(&core->branches, fact->id);
    struct branch_record r;
    struct trip *trip;
    int err;

    epoch_end_stale(branch ? branch->trip : NULL);
    branch = slots_find(&core->branches, fact->id);
    if (branch && fact_is_older(fact->version, branch->version))
        return SIPD_OK;
    err = record_read(fact->bytes, fact_branch_fields, &r);
    trip = err == SIPD_OK ? slots_find(&core->trips, r.trip) : NULL;
    if (!trip || r.state > BRANCH_DONE || r.large > LARGE_BY_DATAGRAM ||
        (branch && branch->trip != trip))
        return err != SIPD_OK ? err : SIPD_EINVAL;
    if (!branch)
        branch = branch_put(trip, fact->id);
    if (!branch)
        return SIPD_EFULL;
    err = take_branch(branch, &r, fact->bytes);
    if (err == SIPD_OK)
        err = take_hops(branch, fact->bytes);
    if (err == SIPD_OK)
        branch->version = fact->version;
    else
        trip_forget(trip); /* half a trip is none: its caller asks again, or gives up */
    return err;
}
