/*
 * What becomes of a request that passed the checks: asked about by hooks, answered, refused, or given targets (RFC 3261 §16.3 to
 * §16.5).
 */
#include "core/decide.h"

#include "core/explain.h"
#include "core/flood.h"
#include "core/note.h"
#include "core/path.h"
#include "core/refuse.h"
#include "core/scheme.h"
#include "core/state.h"
#include "core/target.h"
#include "core/upstream.h"

static const struct span none;

/* Hooks never see an ACK to a failure nor a CANCEL as requests: they follow their INVITE, and need its targets only. */
enum sipd_stage
decide_first_stage(const struct trip *trip)
{
    return trip_follows_an_invite(trip) ? CHAIN_SCHEME : SIPD_ON_REQUEST;
}

/* A request that is answered later gets a server transaction, in stateless mode too: its repeats must not ask again. */
static void
wait(struct trip *trip)
{
    if (trip->server == 0 && !trip_follows_an_invite(trip) && trip_serve(trip) != SIPD_OK)
        upstream_status(trip, 503);
    else
        trip->state = TRIP_WAITING;
    note_trip(trip);
}

static bool
ask_hooks(struct trip *trip)
{
    struct sipd_req req = { .core = trip->core, .trip = trip };

    switch (chain_ask(&trip->core->chain, &req, trip->stage, &trip->hook_at)) {
    case SIPD_WAIT: wait(trip); return false;
    case SIPD_FAIL: upstream_status(trip, 500); return false;
    case SIPD_DONE:
    case SIPD_PASS: break;
    }
    return true;
}

/* Asks a stage's hooks, if there are any. True: the request goes on. */
static bool
ask(struct trip *trip, enum sipd_stage stage)
{
    trip->stage = stage;
    if (chain_has(&trip->core->chain, stage) && !ask_hooks(trip))
        return false;
    trip->hook_at = 0;
    return trip->final == 0;
}

/*
 * A request leaves for another's domain only if its sender is known or its Route carries our token; what From says grants nothing
 * (proxy.relay).
 */
static bool
may_leave(const struct trip *trip)
{
    return trip->core->conf->relay == CORE_RELAY_ANY || trip->for_us || trip->by_token ||
           trip->trusted || trip->user.len > 0;
}

/* §16.3 step 3; whoever answers it himself need not mind. */
static bool
is_at_last_hop(const struct trip *trip)
{
    return trip->gist.has_max_forwards && trip->gist.max_forwards == 0;
}

static bool
is_for_server(const struct trip *trip)
{
    return (trip->for_us && !trip->uri.has_user) ||
           (trip->gist.method == METHOD_OPTIONS && is_at_last_hop(trip));
}

/* Nobody to send it to: 480 for a user that somebody knows, else 404 (§16.5, §21.4.18). */
static unsigned
status_of_absence(const struct trip *trip)
{
    const struct core_ports *ports = &trip->core->ports;
    size_t room = trip->uri.whole.len + 8;
    char *aor = arena_alloc(ports->turn, room);
    int len = aor ? uri_aor_write(&trip->uri, aor, room) : SIPD_ENOMEM;

    return len > 0 && ports->knows(ports->io, (struct span){ aor, (size_t)len }) ? 480 : 404;
}

/* … and 480 with a reason for one who is there, but not for a sips request (RFC 5630 §5.3). */
APART static void
refuse_absence(struct trip *trip)
{
    struct reply_with with = {
        .lines = trip->insecure ? SPAN("Warning: 380 sipd \"SIPS Not Allowed\"\r\n") : none,
    };
    unsigned status = trip->insecure ? 480 : status_of_absence(trip);

    EXPLAIN_TRIP(trip, .step = STEP_NOBODY,
                 .why = trip->insecure  ? SPAN("sips was asked for, and there are sip ones only")
                        : status == 480 ? SPAN("the user is known, and is nowhere")
                                        : SPAN("nobody knows the user"));
    *trip->core->count.unsent += trip_reply(trip, status, &with) != SIPD_OK;
}

/* §16.5: another's domain, or Routes that are left, make the Request-URI the only target; else the hooks say. */
static bool
find_targets(struct trip *trip)
{
    if (!trip->for_us && target_add_uri(trip) != SIPD_OK) {
        upstream_status(trip, 500);
        return false;
    }
    if (trip->for_us && !ask(trip, SIPD_ON_TARGETS))
        return false;
    if (list_empty(&trip->targets)) {
        refuse_absence(trip);
        return false;
    }
    return true;
}

/* A scheme that no Route carries is its module's business: it names targets, or the SIP URI that is meant. */
static bool
ask_scheme(struct trip *trip)
{
    if (scheme_is_sip(&trip->uri) || trip->next_route.len > 0 || !list_empty(&trip->targets) ||
        is_for_server(trip))
        return true;
    if (!ask(trip, CHAIN_SCHEME))
        return false;
    if (scheme_is_sip(&trip->uri) || !list_empty(&trip->targets))
        return true;
    EXPLAIN_TRIP(trip, .step = STEP_NOBODY, .why = SPAN("no module knows an address for it"));
    upstream_status(trip, scheme_find(&trip->core->chain, trip->uri.scheme_text)
                              ? status_of_absence(trip)
                              : 416);
    return false;
}

/* Is it for others, and may it leave? If not it is answered. */
static bool
may_go_on(struct trip *trip)
{
    bool for_server = is_for_server(trip);

    if (!for_server && is_at_last_hop(trip)) {
        EXPLAIN_TRIP(trip, .step = STEP_REFUSED, .who = SPAN("Max-Forwards"), .status = 483);
        upstream_status(trip, 483);
        return false;
    }
    if (!for_server && may_leave(trip))
        return true;
    if (for_server)
        EXPLAIN_TRIP(trip, .step = STEP_SERVER);
    else
        EXPLAIN_TRIP(trip, .step = STEP_RELAY,
                     .why = SPAN("another's domain, and its sender is not known"));
    if (decide_first_stage(trip) != SIPD_ON_REQUEST)
        upstream_status(trip, 481);
    else if (!for_server)
        upstream_status(trip, 403);
    else if (refuse_for_server(trip) != SIPD_OK)
        upstream_status(trip, 500);
    return false;
}

bool
decide(struct trip *trip)
{
    if (trip->stage == SIPD_ON_REQUEST) {
        if (!ask(trip, SIPD_ON_REQUEST))
            return false;
        trip->stage = CHAIN_SCHEME;
        if (trip->user.len > 0 && trip->dry == 0 && flood_refuses_user(trip->core, trip->user)) {
            EXPLAIN_TRIP(trip, .step = STEP_REFUSED, .who = SPAN("limits.user_per_s"),
                         .status = 503);
            upstream_status(trip, 503);
            return false;
        }
    }
    if (trip->stage == CHAIN_SCHEME) {
        if (!ask_scheme(trip) || !may_go_on(trip))
            return false;
        trip->stage = list_empty(&trip->targets) ? SIPD_ON_TARGETS : SIPD_ON_BRANCH;
    }
    if (trip->stage != SIPD_ON_BRANCH && !find_targets(trip))
        return false;
    return !path_refuses(trip);
}
