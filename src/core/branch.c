/*
 * One branch of a forked request: its hops, the attempt at hand, how it ends (RFC 3261 §16.6 steps 7 and 10, §16.9).
 */
#include "core/branch.h"

#include "core/forward.h"
#include "core/scheme.h"
#include "core/state.h"
#include "core/timer_c.h"

enum { HOPS_MAX = UINT8_MAX }; /* branch->attempt counts them */

static struct branch *
branch_new(struct trip *trip, struct target *target)
{
    struct core *core = trip->core;
    uint64_t id;
    struct branch *branch = slots_new(&core->branches, &id);

    if (!branch)
        return NULL;
    branch->id = id;
    branch->trip = trip;
    branch->target = target;
    timer_init(&branch->timer);
    list_push(&trip->branches, &branch->link);
    trip->pending++;
    return branch;
}

/* §16.6 step 7 for addresses that need no look-up (RFC 3263 §4.1, §4.2). False: a name, or nothing that we can reach. */
static bool
literal_hop(const struct uri *uri, struct hop *hop)
{
    struct span maddr, transport;
    struct span host = uri->host;

    memset(hop, 0, sizeof *hop);
    hop->transport = uri->scheme == URI_SIPS ? HOP_TLS : HOP_UDP;
    if (uri_param(uri, SPAN("transport"), &transport))
        hop->transport = hop_transport_read(transport);
    if (uri->scheme == URI_SIPS && hop->transport != HOP_NONE)
        hop->transport = HOP_TLS;
    if (uri_param(uri, SPAN("maddr"), &maddr) && maddr.len > 0)
        host = maddr;
    hop->port = uri->port ? uri->port : hop_default_port(hop->transport);
    return hop->transport != HOP_NONE && hop_ip_read(host, hop);
}

static void
set_hop(struct branch *branch, const struct hop *hop)
{
    struct hop *kept = arena_alloc(&branch->trip->arena, sizeof *kept);

    branch->hops = kept;
    branch->hops_len = kept != NULL;
    branch->attempt = 0;
    if (kept)
        *kept = *hop;
}

/* The URI that says where to: the topmost Route left, else the target's own (§16.6 step 7). */
static bool
next_uri(const struct branch *branch, struct uri *uri)
{
    const struct trip *trip = branch->trip;

    if (trip->next_route.len > 0)
        return uri_read(trip->next_route, uri) == SIPD_OK;
    *uri = branch->target->uri;
    return true;
}

/* Finds the hops of the branch's URI: at once when it is an address, else asked for. */
static void
find_hops(struct branch *branch)
{
    const struct core_ports *ports = &branch->trip->core->ports;
    struct uri uri;
    struct hop hop;

    if (!next_uri(branch, &uri)) {
        branch_done(branch, 503);
        return;
    }
    if (!scheme_is_sip(&uri)) { /* no Route is left, and nobody knows an address for such a URI (RFC 3263 §4) */
        branch_done(branch, 416);
        return;
    }
    if (branch->target->uri.scheme == URI_SIPS)
        uri.scheme = URI_SIPS; /* §16.6 step 7: whatever the Route says */
    if (literal_hop(&uri, &hop)) {
        set_hop(branch, &hop);
        branch_try(branch, 503);
    } else if (ports->resolve && ports->resolve(ports->io, &uri, branch->id) == SIPD_OK) {
        branch->state = BRANCH_RESOLVING;
    } else {
        branch_done(branch, 503);
    }
}

void
branch_start(struct trip *trip, struct target *target, uint32_t breadth)
{
    struct branch *branch = branch_new(trip, target);

    if (!branch)
        return;
    branch->breadth = breadth;
    if (target->is.hop.transport == HOP_NONE) {
        find_hops(branch);
        return;
    }
    set_hop(branch, &target->is.hop);
    branch_try(branch, 503);
}

/*
 * §16.1: a sender over a stream never repeats what a datagram may lose, and one over datagrams stops to repeat when it has heard
 * anything: between the two somebody must keep transactions.
 */
static bool
needs_state(const struct trip *trip, const struct way *way)
{
    return trip->server == 0 && trip->gist.method != METHOD_ACK &&
           trip->gist.method != METHOD_CANCEL &&
           hop_is_reliable(trip->source.transport) != hop_is_reliable(way->to.transport);
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
    int err = hop_is_multicast(hop) ? SIPD_EINVAL : forward_write(branch, hop, &out);

    if (err == SIPD_OK && needs_state(trip, &out.way))
        err = trip_serve(trip);
    if (err != SIPD_OK)
        return err;
    if (trip->server == 0) {
        core->ports.send(core->ports.io, &out.way.to, out.bytes, 0, 0);
        branch_done(branch, 200);
        trip->state = TRIP_ANSWERED; /* whoever answers, the answer finds its way by Via (§16.11) */
        return SIPD_OK;
    }
    err = txns_request(&core->txns, trip->gist.method, out.branch, &out.way.to, out.bytes,
                       branch->id, &branch->client);
    if (err != SIPD_OK)
        return err;
    branch->state = BRANCH_PENDING;
    branch->provisional = false; /* what another hop said says nothing of this one */
    if (trip->gist.method == METHOD_INVITE)
        timer_c_arm(branch);
    return SIPD_OK;
}

/* A flow that is dead and has no other way is 430, which never goes up (RFC 5626 §5.3.1, §11.6). */
static uint16_t
status_of(int err)
{
    return err == SIPD_ECLOSED ? 430 : err == SIPD_ENOMEM ? 500 : 503;
}

void
branch_try(struct branch *branch, uint16_t status)
{
    while (branch->attempt < branch->hops_len) {
        const struct hop *hop = &branch->hops[branch->attempt++];
        int err = attempt(branch, hop);

        if (err == SIPD_OK)
            return;
        if (err == SIPD_ECLOSED && branch->target->else_by_uri) {
            branch->target->else_by_uri = false;
            find_hops(branch);
            return;
        }
        status = status_of(err);
    }
    branch_done(branch, status);
}

/* What only says that our CANCEL worked, or that nobody was there to answer it, counts as the reason for the CANCEL. */
static uint16_t
counts_as(const struct branch *branch, uint16_t status)
{
    return branch->cancelled_as != 0 && (status == 487 || status == 408) ? branch->cancelled_as
                                                                         : status;
}

void
branch_done(struct branch *branch, uint16_t status)
{
    if (branch->state == BRANCH_DONE)
        return;
    branch->state = BRANCH_DONE;
    branch->status = counts_as(branch, status);
    branch->trip->pending--;
    timers_disarm(&branch->trip->core->timers, &branch->timer);
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
    branch->hops = kept;
    branch->hops_len = kept ? (uint32_t)hops_len : 0;
    branch->attempt = 0;
    if (kept && hops_len > 0)
        memcpy(kept, hops, hops_len * sizeof *hops);
    if (branch->trip->cancelled || branch->trip->declined || branch->trip->final != 0)
        branch_done(branch, 487);
    else
        branch_try(branch, err == SIPD_ENOENT ? 404 : 503);
    trip_settle(branch->trip);
}
