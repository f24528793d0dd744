/*
 * Route and Request-URI put right, loose and strict (RFC 3261 §16.4), and the token that our own Route carries.
 */
#include "core/route.h"

#include "core/state.h"
#include "core/token.h"
#include "sip/addr.h"
#include "sip/uri.h"

static bool
is_ours(const struct trip *trip, const struct uri *uri)
{
    const struct core_ports *ports = &trip->core->ports;

    return (uri->scheme == URI_SIP || uri->scheme == URI_SIPS) && ports->ours(ports->io, uri->host, uri->port);
}

/* The n-th Route element; false past the last one. *bad: what stands there is no address with a URI. */
static bool
route_at(const struct trip *trip, unsigned n, struct addr *addr, struct uri *uri, bool *bad)
{
    const struct msg_field *field = NULL;

    while ((field = msg_find(&trip->msg, HDR_ROUTE, field))) {
        struct span rest = msg_value(&trip->msg, field);
        int err;

        while ((err = addr_next(&rest, addr)) == SIPD_OK)
            if (n-- == 0) {
                *bad = !addr->brackets || uri_read(addr->uri, uri) != SIPD_OK;
                return !*bad;
            }
        if (err != SIPD_ENOENT) {
            *bad = true;
            return false;
        }
    }
    return false;
}

/* §16.4: a strict router before us put our Record-Route into the Request-URI, and the true one at the end of Route. */
static bool
undo_strict_routing(struct trip *trip)
{
    struct hop flow;
    bool has_flow, bad = false;
    struct addr addr;
    struct uri uri;
    unsigned n = 0;

    if (trip->uri.user.len == 0 || !is_ours(trip, &trip->uri)
        || !token_read(trip->core, trip->gist.call_id, trip->uri.user, &has_flow, &flow))
        return true;
    while (route_at(trip, n, &addr, &uri, &bad))
        n++;
    if (bad)
        return false;
    trip->by_token = true;
    trip->has_flow = has_flow;
    trip->flow = flow;
    if (n == 0)
        return true;
    (void)route_at(trip, n - 1, &addr, &uri, &bad);
    trip->last_route_is_uri = true;
    trip->routes = n - 1;
    trip->uri_text = addr.uri;
    trip->uri = uri;
    return true;
}

/* Is the n-th element left, when a strict router's last one is not counted? */
static bool
left_at(const struct trip *trip, unsigned n, struct addr *addr, struct uri *uri, bool *bad)
{
    return (!trip->last_route_is_uri || n < trip->routes) && route_at(trip, n, addr, uri, bad);
}

/*
 * §16.4: our own elements on top go: two of them when listeners differed (RFC 5658). The topmost shows whether we let the
 * dialog be made; the last one names the flow to where the request goes. A user part that is not our token is a forgery.
 */
static uint16_t
drop_own_routes(struct trip *trip)
{
    bool bad = false;
    struct addr addr;
    struct uri uri;

    while (left_at(trip, trip->own_routes, &addr, &uri, &bad) && is_ours(trip, &uri)) {
        if (uri.user.len > 0) {
            if (!token_read(trip->core, trip->gist.call_id, uri.user, &trip->has_flow, &trip->flow))
                return 403;
            trip->by_token = true;
        }
        trip->own_routes++;
    }
    return bad ? 400 : 0;
}

/* §16.6 steps 6 and 7: where it goes next, if Routes are left. */
static uint16_t
find_next(struct trip *trip)
{
    bool bad = false;
    struct span lr;
    struct addr addr;
    struct uri uri;

    if (!left_at(trip, trip->own_routes, &addr, &uri, &bad))
        return bad ? 400 : 0;
    trip->next_route = addr.uri;
    trip->strict_next = !uri_param(&uri, SPAN("lr"), &lr);
    trip->has_flow = false;
    return 0;
}

uint16_t
route_prepare(struct trip *trip)
{
    uint16_t status;

    trip->uri_text = msg_span(&trip->msg, trip->msg.uri);
    if (uri_read(trip->uri_text, &trip->uri) != SIPD_OK)
        return 400;
    if (!undo_strict_routing(trip))
        return 400;
    status = drop_own_routes(trip);
    if (status == 0)
        status = find_next(trip);
    trip->for_us = is_ours(trip, &trip->uri) && trip->next_route.len == 0;
    return status;
}
