/*
 * One branch of a forked request: its hops, the attempt at hand, how it ends (RFC 3261 §16.6 steps 7 and 10, §16.9).
 */
#include "core/branch.h"

#include "core/cancel.h"
#include "core/dry.h"
#include "core/fact.h"
#include "core/forward.h"
#include "core/large.h"
#include "core/mark.h"
#include "core/note.h"
#include "core/scheme.h"
#include "core/silence.h"
#include "core/state.h"
#include "core/timer_c.h"
#include "sip/addr.h"

enum {
    HOPS_MAX = UINT8_MAX, /* branch->attempt counts them */
    STREAM_TRY_MS = 500,  /* for a connection that there need not be */
};

/* A slot becomes a branch. */
static struct branch *
begin(struct trip *trip, struct branch *branch, uint64_t id)
{
    if (!branch)
        return NULL;
    branch->id = id;
    branch->trip = trip;
    timer_init(&branch->timer);
    list_push(&trip->branches, &branch->link);
    return branch;
}

static struct branch *
branch_new(struct trip *trip, struct target *target)
{
    uint64_t id = 0;
    struct branch *branch = slots_new(&trip->core->branches, &id);

    if (!begin(trip, branch, id))
        return NULL;
    branch->target = target;
    trip->pending++;
    return branch;
}

/* What its parameters say of the hop, if it has any. */
static void
read_params(const struct uri *uri, struct hop *hop, struct span *host)
{
    struct span maddr, transport;

    if (uri_param(uri, SPAN("transport"), &transport)) {
        hop->transport = hop_transport_read(transport);
        hop->by_rule = false;
    }
    if (uri->scheme == URI_SIPS && hop->transport != HOP_NONE)
        hop->transport = HOP_TLS;
    if (uri_param(uri, SPAN("maddr"), &maddr) && maddr.len > 0)
        *host = maddr;
}

/* §16.6 step 7 for addresses that need no look-up (RFC 3263 §4.1, §4.2). False: a name, or nothing that we can reach. */
static bool
literal_hop(const struct uri *uri, struct hop *hop)
{
    struct span host = uri->host;

    *hop = (struct hop){ .transport = uri->scheme == URI_SIPS ? HOP_TLS : HOP_UDP,
                         .by_rule = uri->scheme == URI_SIP };
    if (uri->params.len > 0)
        read_params(uri, hop, &host);
    hop->port = uri->port ? uri->port : hop_default_port(hop->transport);
    return hop->transport != HOP_NONE && hop_ip_read(host, hop);
}

/* There is one hop, which lives as long as the branch. */
static void
set_hop(struct branch *branch, const struct hop *hop)
{
    branch->located = false;
    branch->hops = hop;
    branch->hops_len = 1;
    branch->attempt = 0;
    branch->large = LARGE_NO;
}

/*
 * The URI that says where to: the topmost Route left, the target's Path (RFC 3327 §5.4), else its own (§16.6 step 7). read: where it
 * is read if it was not before. NULL: it cannot be.
 */
static const struct uri *
next_uri(const struct branch *branch, struct uri *read)
{
    struct span route = branch->trip->next_route, path = branch->target->is.path;
    struct addr first;

    if (route.len == 0 && path.len == 0)
        return &branch->target->uri;
    if (route.len == 0)
        route = addr_next(&path, &first) == SIPD_OK ? first.uri : SPAN("");
    if (uri_read(route, read) != SIPD_OK)
        return NULL;
    if (read->scheme == URI_SIP && branch->target->uri.scheme == URI_SIPS)
        read->scheme = URI_SIPS; /* whatever the Route says */
    return read;
}

/* It ends so, unless the device has another flow. */
static void
failed(struct branch *branch, uint16_t status)
{
    if (branch_other_flow(branch))
        return;
    silence_failed(branch);
    branch_done(branch, status);
}

static bool
has_answer(const struct trip *trip)
{
    return trip->gist.method != METHOD_ACK && trip->gist.method != METHOD_CANCEL;
}

/*
 * Does it go where another request went without state (RFC 3263 §4.4)? With state an ACK is one of a 2xx, and so it is without,
 * mostly, if it comes by our Record-Route.
 */
static bool
follows_another(const struct trip *trip)
{
    if (trip->gist.method == METHOD_ACK)
        return trip->core->conf->mode == CORE_STATELESS && !trip->by_token;
    return !has_answer(trip);
}

/* Asks for the hops of a name. A repeat of what passes without state must find the same (RFC 3263 §4.4). */
static int
ask_resolver(const struct branch *branch, const struct uri *uri)
{
    const struct trip *trip = branch->trip;
    const struct core_ports *ports = &trip->core->ports;
    struct sipd_place place = {
        .uri = uri,
        .seed = mark_seed(&trip->mark),
        .in_order = follows_another(trip),
        .stateless = has_answer(trip) && !trip_has_state(trip),
        .one_way = !has_answer(trip) || trip->dry != 0,
    };

    return ports->resolve ? ports->resolve(ports->io, &place, branch->id) : SIPD_ENOENT;
}

/* Finds the hops of the branch's URI: at once when it is an address, else asked for. */
static void
find_hops(struct branch *branch)
{
    struct uri read;
    const struct uri *uri = next_uri(branch, &read);

    if (!uri) {
        failed(branch, 503);
        return;
    }
    /* No Route is left, and nobody knows an address for such a URI (RFC 3263 §4). */
    if (!scheme_is_sip(uri)) {
        failed(branch, 416);
        return;
    }
    if (literal_hop(uri, &branch->literal)) {
        set_hop(branch, &branch->literal);
        branch_try(branch, 503);
    } else if (ask_resolver(branch, uri) == SIPD_OK) {
        branch->state = BRANCH_RESOLVING;
        EXPLAIN_BRANCH(branch, .step = STEP_LOOKUP, .uri = uri->whole);
    } else {
        EXPLAIN_BRANCH(branch, .step = STEP_LOST, .why = SPAN("nobody looks up names"));
        failed(branch, 503);
    }
}

static void
start(struct branch *branch)
{
    branch->located = false;
    EXPLAIN_BRANCH(branch, .step = STEP_BRANCH, .uri = branch->target->is.uri);
    if (branch->target->is.hop.transport == HOP_NONE) {
        find_hops(branch);
        return;
    }
    set_hop(branch, &branch->target->is.hop);
    branch_try(branch, 503);
}

void
branch_start(struct trip *trip, struct target *target, uint32_t breadth)
{
    struct branch *branch = branch_new(trip, target);

    if (!branch)
        return;
    branch->breadth = breadth;
    start(branch);
}

bool
branch_has_other_flow(const struct branch *branch)
{
    const struct trip *trip = branch->trip;

    return branch->target->other && branch->cancelled_as == 0 && !trip->cancelled &&
           !trip->declined && trip->final == 0 && !silence_went_on(branch);
}

bool
branch_other_flow(struct branch *branch)
{
    if (!branch_has_other_flow(branch))
        return false;
    branch->target = branch->target->other;
    start(branch);
    return true;
}

/*
 * §16.1: a sender over a stream never repeats what a datagram may lose, and one over datagrams stops to repeat when it has heard
 * anything: between the two somebody must keep transactions. And so where a hop may fail, or stands in for one that did: its
 * repeats must not go to the other (RFC 3263 §4.4).
 */
static bool
needs_state(const struct branch *branch, const struct way *way)
{
    const struct trip *trip = branch->trip;

    return trip->server == 0 && has_answer(trip) &&
           (branch->unsure ||
            hop_is_reliable(trip->source.transport) != hop_is_reliable(way->to.transport));
}

/* RFC 5922 §4: what must be proved is the domain that was asked for, not the host that it led to. */
static const struct hop *
named(const struct branch *branch, const struct hop *hop, struct hop *other)
{
    const struct core_ports *ports = &branch->trip->core->ports;
    const struct uri *uri;
    struct uri read;

    if (hop->transport != HOP_TLS || hop->flow != 0 || hop->name != 0 || !ports->name)
        return hop;
    uri = next_uri(branch, &read);
    *other = *hop;
    other->name = uri ? ports->name(ports->io, uri->host) : 0;
    return other;
}

/* Is it ours to choose between UDP and TCP, and have we not chosen yet? */
static bool
may_go_by_stream(const struct branch *branch, const struct hop *hop)
{
    return branch->large == LARGE_NO && hop->by_rule && hop->transport == HOP_UDP && hop->flow == 0;
}

/*
 * §18.1.1: what might be cut into fragments goes over TCP, if nobody named the transport; over UDP all the same where no
 * connection can be had soon. The other way is tried by the same hop when this one has failed.
 */
static bool
write_by_stream(struct branch *branch, const struct hop *hop, struct forward_result *out)
{
    struct hop stream = *hop;
    struct forward_result result;

    stream.transport = HOP_TCP;
    stream.listener = 0;
    stream.connect_ms = STREAM_TRY_MS;
    if (forward_write(branch, &stream, &result) != SIPD_OK)
        return false;
    branch->large = LARGE_BY_STREAM;
    *out = result;
    return true;
}

static int
write_for(struct branch *branch, const struct hop *hop, struct forward_result *out)
{
    const struct core_ports *ports = &branch->trip->core->ports;
    struct hop other;
    const struct hop *to = named(branch, hop, &other);
    int err = hop_is_multicast(hop) ? SIPD_EINVAL : forward_write(branch, to, out);

    if (!may_go_by_stream(branch, to))
        return err;
    if (err == SIPD_ETOOBIG || (err == SIPD_OK && large_is(ports, &out->way.to, out->bytes.len)))
        return write_by_stream(branch, to, out) ? SIPD_OK : err;
    return err;
}

/*
 * One attempt is one client transaction, or without state one message (§16.6 step 10, §16.11). None goes to a group: many could
 * answer for one who asked, and only one would be heard (§18.1.1).
 */
static int
attempt(struct branch *branch, const struct hop *hop)
{
    struct trip *trip = branch->trip;
    struct core *core = trip->core;
    struct forward_result out;
    int err = write_for(branch, hop, &out);

    if (err == SIPD_OK)
        EXPLAIN_BRANCH(branch, .step = STEP_HOP, .hop = &out.way.to, .count = branch->attempt);
    if (err == SIPD_OK && trip->dry != 0) {
        dry_attempt(branch);
        return SIPD_OK;
    }
    if (err == SIPD_OK && needs_state(branch, &out.way)) {
        err = trip_serve(trip);
        out.key = txns_client_key(&core->txns, trip->gist.method, out.branch);
    }
    if (err != SIPD_OK)
        return err;
    if (trip->server == 0) {
        note_send(core, &out.way.to, out.bytes, 0);
        if (has_answer(trip))
            branch_tried(branch, SIPD_TRIED_PASSED, 0);
        branch_done(branch, 200);
        trip->state = TRIP_ANSWERED; /* whoever answers, the answer finds its way by Via (§16.11) */
        return SIPD_OK;
    }
    err = txns_request(&core->txns, trip->gist.method, &out.key, &out.way.to, out.bytes, out.tail,
                       branch->id, &branch->client);
    if (err != SIPD_OK)
        return err;
    branch->state = BRANCH_PENDING;
    branch->provisional = false; /* what another hop said says nothing of this one */
    if (trip->gist.method == METHOD_INVITE)
        silence_arm(branch);
    return SIPD_OK;
}

/* A flow that is dead and has no other way is 430, which never goes up (RFC 5626 §5.3.1, §11.6). */
static uint16_t
status_of(int err)
{
    return err == SIPD_ECLOSED ? 430 : err == SIPD_ENOMEM ? 500 : 503;
}

/* The next to be tried, or the one at hand once more. */
static const struct hop *
next_hop(struct branch *branch)
{
    if (branch->large == LARGE_BY_STREAM) {
        branch->large = LARGE_BY_DATAGRAM;
        return &branch->hops[branch->attempt - 1];
    }
    branch->large = LARGE_NO;
    return &branch->hops[branch->attempt++];
}

bool
branch_has_hop(const struct branch *branch)
{
    return branch->attempt < branch->hops_len || branch->large == LARGE_BY_STREAM;
}

void
branch_heard(struct branch *branch)
{
    if (branch->large == LARGE_BY_STREAM)
        branch->large = LARGE_NO;
}

void
branch_try(struct branch *branch, uint16_t status)
{
    while (branch_has_hop(branch)) {
        const struct hop *hop = next_hop(branch);
        int err = attempt(branch, hop);

        if (err != SIPD_OK)
            EXPLAIN_BRANCH(branch, .step = STEP_NO_WAY, .hop = hop, .why = span_of(err_words(err)));
        if (err == SIPD_OK)
            return;
        if (err == SIPD_ECLOSED && branch->target->else_by_uri) {
            branch->target->else_by_uri = false;
            find_hops(branch);
            return;
        }
        status = status_of(err);
    }
    failed(branch, status);
}

uint64_t
branch_search(const struct branch *branch)
{
    return branch->first != 0 ? branch->first : branch->id;
}

/*
 * Its share of Max-Breadth goes with the hops: who says nothing, spreads nothing. It stays, too, for the device's other flow, which
 * none may reach with a share of 0 (RFC 5393 §5.3.1).
 */
bool
branch_go_beside(struct branch *branch)
{
    struct branch *next = branch_new(branch->trip, branch->target);

    if (!next)
        return false;
    next->first = branch_search(branch);
    next->breadth = branch->breadth;
    next->located = branch->located;
    next->hops = branch->hops;
    next->hops_len = branch->hops_len;
    next->attempt = branch->attempt;
    next->large = branch->large;
    branch->hops_len = branch->attempt;
    branch->large = LARGE_NO;
    branch_try(next, 408);
    return next->state != BRANCH_DONE;
}

void
branch_tried(const struct branch *branch, enum sipd_tried how, uint32_t retry_after_s)
{
    const struct core_ports *ports = &branch->trip->core->ports;

    if (branch->large == LARGE_BY_STREAM && (how == SIPD_TRIED_FAILED || how == SIPD_TRIED_SILENT))
        return; /* it took no connection that nobody had said it would take; the hop itself comes now */
    if (branch->located && branch->attempt > 0 && ports->tried)
        ports->tried(ports->io, &branch->hops[branch->attempt - 1], how, retry_after_s);
}

/*
 * What only says that our CANCEL worked, or that nobody was there to answer it, counts as the reason for the CANCEL; the caller's
 * own comes before ours.
 */
static uint16_t
counts_as(const struct branch *branch, uint16_t status)
{
    if (branch->cancelled_as == 0 || (status != 487 && status != 408))
        return status;
    return branch->trip->cancelled ? 487 : branch->cancelled_as;
}

void
branch_done(struct branch *branch, uint16_t status)
{
    if (branch->state == BRANCH_DONE)
        return;
    branch->state = BRANCH_DONE;
    branch->status = counts_as(branch, status);
    branch->trip->pending--;
    branch->trip->left -= branch->left;
    branch->left = false;
    timers_disarm(&branch->trip->core->timers, &branch->timer);
    if (branch->trip->dry != 0)
        return;
    EXPLAIN_BRANCH(branch, .step = STEP_DONE, .status = branch->status,
                   .why = branch->status != status ? SPAN("it was called off")
                          : branch->client == 0    ? SPAN("our own word")
                                                   : SPAN("its answer"));
}

void
branch_free(struct branch *branch)
{
    struct core *core = branch->trip->core;

    if (branch->client != 0)
        txns_disown(&core->txns, branch->client, branch->trip->server);
    timers_disarm(&core->timers, &branch->timer);
    list_remove(&branch->link);
    slots_free(&core->branches, branch->id);
}

/* ------------------------------------------------------------------ on another node */

struct branch *
branch_put(struct trip *trip, uint64_t id)
{
    return begin(trip, slots_put(&trip->core->branches, id), id);
}

void
branch_forget(struct branch *branch)
{
    list_remove(&branch->link);
    slots_free(&branch->trip->core->branches, branch->id);
}

void
branch_wake(struct branch *branch)
{
    struct core *core = branch->trip->core;

    if (branch->state == BRANCH_DONE)
        return;
    branch->trip->pending++;
    branch->trip->left += branch->left;
    fact_wake(&core->timers, &branch->timer, TIMER_BRANCH, branch->id);
    if (branch->state == BRANCH_RESOLVING)
        find_hops(branch);
    else if (!txns_find(&core->txns, branch->client))
        branch_done(branch, 503);
    else
        cancel_if_waiting(branch);
}

/* ------------------------------------------------------------------ names */

static void
explain_hops(const struct branch *branch, int err)
{
    for (uint32_t i = 0; i < branch->hops_len; i++)
        EXPLAIN_BRANCH(branch, .step = STEP_FOUND, .hop = &branch->hops[i], .count = i + 1);
    if (branch->hops_len == 0)
        EXPLAIN_BRANCH(branch, .step = STEP_LOST, .why = span_of(err_words(err)));
}

void
core_resolved(struct core *core, uint64_t id, const struct hop *hops, size_t hops_len, int err)
{
    struct branch *branch = slots_find(&core->branches, id);
    struct hop *kept;

    if (!branch || branch->state != BRANCH_RESOLVING)
        return;
    if (hops_len > HOPS_MAX)
        hops_len = HOPS_MAX;
    kept = arena_alloc(&branch->trip->arena, hops_len * sizeof *hops);
    branch->located = true;
    branch->unsure = err != SIPD_OK;
    branch->hops = kept;
    branch->hops_len = kept ? (uint32_t)hops_len : 0;
    branch->attempt = 0;
    branch->large = LARGE_NO;
    if (kept && hops_len > 0)
        memcpy(kept, hops, hops_len * sizeof *hops);
    if (EXPLAIN_ON(core))
        explain_hops(branch, err);
    if (branch->trip->cancelled || branch->trip->declined || branch->trip->final != 0)
        branch_done(branch, 487);
    else
        branch_try(branch, err == SIPD_ENOENT ? 404 : 503);
    trip_settle(branch->trip);
}
