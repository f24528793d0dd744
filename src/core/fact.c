/*
 * A response context and its branches as flat records.
 */
#include "core/fact.h"

#include "core/branch.h"
#include "core/mark.h"
#include "core/route.h"

/* ------------------------------------------------------------------ records */

static const struct record_field sipd_target_fields[] = {
    RECORD_SPAN(1, struct sipd_target, uri),
    RECORD_PART(2, struct sipd_target, hop, fact_hop_fields),
    RECORD_NUMBER(3, struct sipd_target, q),
    RECORD_NUMBER(4, struct sipd_target, tag),
    RECORD_NUMBER(5, struct sipd_target, expires_s),
    RECORD_SPAN(6, struct sipd_target, path),
    RECORD_SPAN(7, struct sipd_target, instance),
    RECORD_END,
};

static const struct record_field target_fields[] = {
    RECORD_PART(1, struct target, is, sipd_target_fields),
    RECORD_BOOL(2, struct target, else_by_uri),
    RECORD_END,
};

struct edit_record {
    struct span name, value;
    uint32_t drop; /* the field's place in the request, plus one; 0: add */
    uint64_t branch;
};

static const struct record_field edit_fields[] = {
    RECORD_SPAN(1, struct edit_record, name),
    RECORD_SPAN(2, struct edit_record, value),
    RECORD_NUMBER(3, struct edit_record, drop),
    RECORD_NUMBER(4, struct edit_record, branch),
    RECORD_END,
};

struct trip_record {
    uint8_t state, stage;
    uint16_t hook_at, rport, final;
    uint32_t targets_len, breadth;
    uint64_t age_ms, server;
    struct span request, received, uri, user, reply_fields;
    struct hop source, reply_to;
    bool natted, trusted, insecure, up, cancelled, declined;
    uint64_t trying_ms, no_answer_ms; /* as fact_left_ms() has it */
};

/* Tags of what there is any number of; another flow follows the one of the same device (RFC 5626 §7). */
enum { TARGET = 40, EDIT = 41, HOP = 42, OTHER = 43 };

static const struct record_field trip_fields[] = {
    RECORD_NUMBER(1, struct trip_record, state),
    RECORD_NUMBER(2, struct trip_record, stage),
    RECORD_NUMBER(3, struct trip_record, hook_at),
    RECORD_NUMBER(4, struct trip_record, rport),
    RECORD_NUMBER(5, struct trip_record, final),
    RECORD_NUMBER(6, struct trip_record, targets_len),
    RECORD_NUMBER(7, struct trip_record, breadth),
    RECORD_NUMBER(8, struct trip_record, age_ms),
    RECORD_NUMBER(9, struct trip_record, server),
    RECORD_SPAN(10, struct trip_record, request),
    RECORD_SPAN(11, struct trip_record, received),
    RECORD_SPAN(12, struct trip_record, uri),
    RECORD_SPAN(13, struct trip_record, user),
    RECORD_PART(14, struct trip_record, source, fact_hop_fields),
    RECORD_PART(15, struct trip_record, reply_to, fact_hop_fields),
    RECORD_BOOL(16, struct trip_record, natted),
    RECORD_BOOL(17, struct trip_record, trusted),
    RECORD_BOOL(18, struct trip_record, insecure),
    RECORD_BOOL(19, struct trip_record, up),
    RECORD_BOOL(20, struct trip_record, cancelled),
    RECORD_BOOL(21, struct trip_record, declined),
    RECORD_NUMBER(22, struct trip_record, trying_ms),
    RECORD_NUMBER(23, struct trip_record, no_answer_ms),
    RECORD_SPAN(24, struct trip_record, reply_fields),
    RECORD_END,
};

struct branch_record {
    uint8_t state, attempt;
    uint16_t cancelled_as, status;
    bool cancel_sent, provisional, silent, left;
    uint32_t breadth;
    uint64_t trip, client, first;
    struct span cancel_reason, response;
    struct target target;
    uint64_t timer_ms; /* as fact_left_ms() has it */
    bool located, hooked;
    uint8_t large;
};

static const struct record_field branch_fields[] = {
    RECORD_NUMBER(1, struct branch_record, state),
    RECORD_NUMBER(2, struct branch_record, attempt),
    RECORD_NUMBER(3, struct branch_record, cancelled_as),
    RECORD_NUMBER(4, struct branch_record, status),
    RECORD_BOOL(5, struct branch_record, cancel_sent),
    RECORD_BOOL(6, struct branch_record, provisional),
    RECORD_NUMBER(7, struct branch_record, breadth),
    RECORD_NUMBER(8, struct branch_record, trip),
    RECORD_NUMBER(9, struct branch_record, client),
    RECORD_SPAN(10, struct branch_record, cancel_reason),
    RECORD_SPAN(11, struct branch_record, response),
    RECORD_PART(12, struct branch_record, target, target_fields),
    RECORD_NUMBER(13, struct branch_record, timer_ms),
    RECORD_BOOL(14, struct branch_record, silent),
    RECORD_BOOL(15, struct branch_record, left),
    RECORD_NUMBER(16, struct branch_record, first),
    RECORD_BOOL(17, struct branch_record, located),
    RECORD_BOOL(18, struct branch_record, hooked),
    RECORD_NUMBER(19, struct branch_record, large),
    RECORD_END,
};

/* ------------------------------------------------------------------ writing */

static void
write_others(const struct target *target, struct buf *b)
{
    while ((target = target->other))
        record_put(b, OTHER, target_fields, target);
}

static void
write_targets(const struct trip *trip, struct buf *b)
{
    for (const struct list *node = trip->targets.next; node != &trip->targets; node = node->next) {
        const struct target *target = container_of_const(node, struct target, link);

        record_put(b, TARGET, target_fields, target);
        write_others(target, b);
    }
}

static void
write_edits(const struct trip *trip, struct buf *b)
{
    for (const struct edit *edit = trip->edits; edit; edit = edit->next) {
        struct edit_record record = {
            .name = edit->name,
            .value = edit->value,
            .drop = edit->drop ? (uint32_t)(edit->drop - trip->msg.fields) + 1 : 0,
            .branch = edit->branch,
        };

        record_put(b, EDIT, edit_fields, &record);
    }
}

void
trip_fact_write(const struct trip *trip, uint64_t now_ms, struct buf *b)
{
    struct trip_record record = {
        .state = (uint8_t)trip->state,
        .stage = (uint8_t)trip->stage,
        .hook_at = trip->hook_at,
        .rport = trip->rport,
        .final = trip->final,
        .targets_len = trip->targets_len,
        .breadth = trip->breadth,
        .age_ms = now_ms > trip->began_ms ? now_ms - trip->began_ms : 0,
        .server = trip->server,
        .request = msg_bytes(&trip->msg),
        .received = trip->received,
        .uri = trip->uri_text,
        .user = trip->user,
        .reply_fields = trip->reply_fields,
        .source = trip->source,
        .reply_to = trip->reply_to,
        .natted = trip->natted,
        .trusted = trip->trusted,
        .insecure = trip->insecure,
        .up = trip->up,
        .cancelled = trip->cancelled,
        .declined = trip->declined,
        .trying_ms = fact_left_ms(&trip->trying, now_ms),
        .no_answer_ms = fact_left_ms(&trip->no_answer, now_ms),
    };

    record_write(b, trip_fields, &record);
    write_targets(trip, b);
    write_edits(trip, b);
}

void
branch_fact_write(const struct branch *branch, uint64_t now_ms, struct buf *b)
{
    struct branch_record record = {
        .state = (uint8_t)branch->state,
        .attempt = branch->attempt,
        .cancelled_as = branch->cancelled_as,
        .status = branch->status,
        .cancel_sent = branch->cancel_sent,
        .provisional = branch->provisional,
        .silent = branch->silent,
        .left = branch->left,
        .first = branch->first,
        .breadth = branch->breadth,
        .trip = branch->trip->id,
        .client = branch->client,
        .cancel_reason = branch->cancel_reason,
        .response = branch->response,
        .target = *branch->target,
        .timer_ms = fact_left_ms(&branch->timer, now_ms),
        .located = branch->located,
        .hooked = branch->hooked,
        .large = branch->large,
    };

    record_write(b, branch_fields, &record);
    write_others(branch->target, b);
    for (uint32_t i = 0; i < branch->hops_len; i++)
        record_put(b, HOP, fact_hop_fields, &branch->hops[i]);
}

/* ------------------------------------------------------------------ taking in a trip */

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
    return err == SIPD_OK ? uri_read(target->is.uri, &target->uri) : err;
}

static int
take_target(struct trip *trip, struct span bytes)
{
    struct target noted, *target;
    int err = record_read(bytes, target_fields, &noted);

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
    int err = record_read(bytes, target_fields, &noted);

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
    int err = record_read(bytes, edit_fields, &noted);

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

/* Of an earlier watch, and not named by this one: it gives way. */
static void
end_stale(struct trip *trip)
{
    if (trip && trip->epoch != trip->core->epoch)
        trip_forget(trip);
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

    end_stale(slots_holder(&core->trips, fact->id));
    trip = slots_find(&core->trips, fact->id);
    if (trip && fact_is_older(fact->version, trip->version))
        return SIPD_OK;
    if (fact->bytes.len == 0) {
        if (trip)
            trip_forget(trip);
        return SIPD_OK;
    }
    err = record_read(fact->bytes, trip_fields, &r);
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

/* ------------------------------------------------------------------ taking in a branch */

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

    end_stale(branch ? branch->trip : NULL);
    branch = slots_find(&core->branches, fact->id);
    if (branch && fact_is_older(fact->version, branch->version))
        return SIPD_OK;
    err = record_read(fact->bytes, branch_fields, &r);
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

/* ------------------------------------------------------------------ what a new watch does not name */

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
        end_stale(trip);
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
