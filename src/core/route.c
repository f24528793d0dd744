/*
 * Route and Request-URI put right, loose and strict (RFC 3261 §16.4), and the token that our own Route carries.
 */
#include "core/route.h"

#include "core/scheme.h"
#include "core/state.h"
#include "core/token.h"
#include "sip/addr.h"
#include "sip/request_uri.h"
#include "sip/uri.h"

static bool
is_ours(const struct core *core, const struct uri *uri)
{
    const struct core_ports *ports = &core->ports;

    return scheme_is_sip(uri) && ports->ours(ports->io, uri->host, uri->port);
}

static bool
has_maddr(const struct uri *uri, struct span *maddr)
{
    return uri->params.len > 0 && scheme_is_sip(uri) && uri_param(uri, SPAN("maddr"), maddr) &&
           maddr->len > 0;
}

static bool
is_our_maddr(const struct core *core, const struct uri *uri, struct span maddr)
{
    return core->ports.ours(core->ports.io, maddr, uri->port);
}

/* §16.4: does a Route indicate us? A maddr says where it leads, whatever its host (§19.1.1). */
static bool
leads_to_us(const struct core *core, const struct uri *uri)
{
    struct span maddr;

    return has_maddr(uri, &maddr) ? is_our_maddr(core, uri, maddr) : is_ours(core, uri);
}

/* A walk over the Route elements, each looked at once: a message holds thousands. */
struct walk {
    const struct msg *msg;
    const struct msg_field *field; /* the one at hand */
    struct span rest;              /* of its value */
    unsigned n;                    /* elements taken */
};

/* Does it stand at an element? False: past the last one. */
static bool
walk_stands(struct walk *w)
{
    for (;;) {
        while (w->rest.len > 0 && (w->rest.at[0] == ',' || span_is_lws(w->rest.at[0])))
            w->rest = span_skip(w->rest, 1);
        if (w->rest.len > 0)
            return true;
        w->field = w->field ? msg_next(w->msg, HDR_ROUTE, w->field) : msg_first(w->msg, HDR_ROUTE);
        if (!w->field)
            return false;
        w->rest = msg_value(w->msg, w->field);
    }
}

/* Takes the element where it stands. False: no address with a URI in < >. */
static bool
walk_read(struct walk *w, struct addr *addr, struct uri *uri)
{
    w->n++;
    return addr_next(&w->rest, addr) == SIPD_OK && addr->brackets &&
           uri_read(addr->uri, uri) == SIPD_OK;
}

static bool
take(struct span *rest, struct span head)
{
    if (!span_starts(*rest, head))
        return false;
    *rest = span_skip(*rest, head.len);
    return true;
}

/*
 * Takes an element that is as our Record-Route was written (forward.c), byte for byte, which nearly all of ours are: nobody
 * need read it as a URI. It names the listener that its token does, and that is one of ours.
 */
static bool
walk_read_ours(struct walk *w, const struct core *core, struct span call_id, struct token *token)
{
    struct span rest = w->rest, text;
    struct core_side side;

    if (!take(&rest, SPAN("<sip:")) && !take(&rest, SPAN("<sips:")))
        return false;
    text = span_head(rest, token_len(rest));
    rest = span_skip(rest, text.len);
    if (!take(&rest, SPAN("@")) || !token_read(core, call_id, text, token) ||
        !core->ports.side(core->ports.io, token->listener, &side) || !take(&rest, side.sent_by))
        return false;
    if (take(&rest, SPAN(";transport=")) && !take(&rest, hop_transport_uri(side.transport)))
        return false;
    if (!take(&rest, SPAN(";lr>")) || (rest.len > 0 && rest.at[0] != ','))
        return false;
    w->rest = rest;
    w->n++;
    return true;
}

/* RFC 5626 §5.3: whoever has it may send to that flow, and nowhere else. */
static void
use_path(struct trip *trip, const struct token *token)
{
    trip->by_token = trip->by_path = trip->bound = true;
    trip->among_ours = trip->from_ours = false;
    trip->has_flow = token->has_flow;
    trip->flow = token->flow;
}

/*
 * A token is worth something within its dialog only. The first one tells who sends, the last one where to; and one that is
 * bound binds all but those of ours.
 */
static void
use_token(struct trip *trip, const struct token *token)
{
    if (token->path)
        use_path(trip, token);
    if (token->path || !trip->gist.has_to_tag)
        return;
    if (!trip->by_token) {
        trip->from_ours = token->ours && token->has_flow && hop_eq(&token->flow, &trip->source);
        trip->among_ours = true;
    }
    trip->by_token = true;
    trip->among_ours = trip->among_ours && !token->bound;
    trip->bound = !trip->among_ours && !trip->from_ours;
    trip->has_flow = trip->bound ? token->has_flow : token->by_flow;
    trip->flow = token->flow;
}

/* The last Route is the true Request-URI, if there is one. */
static bool
take_last_route(struct trip *trip)
{
    struct walk w = { .msg = &trip->msg };
    struct addr addr, last;
    struct uri uri, last_uri;

    while (walk_stands(&w)) {
        if (!walk_read(&w, &addr, &uri))
            return false;
        last = addr;
        last_uri = uri;
    }
    if (w.n == 0)
        return true;
    trip->last_route_is_uri = true;
    trip->routes = w.n - 1;
    trip->uri_text = last.uri;
    trip->uri = last_uri;
    return true;
}

/* §16.4: a strict router before us put our Record-Route into the Request-URI, and the true one at the end of Route. */
static bool
undo_strict_routing(struct trip *trip)
{
    struct token token;

    if (!token_read(trip->core, trip->gist.call_id, trip->uri.user, &token) ||
        !is_ours(trip->core, &trip->uri) || token.path)
        return true;
    if (!take_last_route(trip))
        return false;
    use_token(trip, &token);
    return true;
}

/* Does it stand at an element that is left, when a strict router's last one is not counted? */
static bool
walk_goes_on(struct walk *w, const struct trip *trip)
{
    return !(trip->last_route_is_uri && w->n >= trip->routes) && walk_stands(w);
}

/*
 * §16.4: our own elements on top go: two of them when listeners differed (RFC 5658). The topmost shows whether we let the
 * dialog be made; the last one names the flow to where the request goes. A user part that is not our token is a forgery.
 */
static uint16_t
drop_own(struct trip *trip, const struct uri *uri)
{
    struct token token;

    if (uri->user.len > 0) {
        if (!token_read(trip->core, trip->gist.call_id, uri->user, &token))
            return 403;
        use_token(trip, &token);
    }
    trip->own_routes++;
    return 0;
}

/* §16.6 steps 6 and 7: where it goes next. */
static void
set_next(struct trip *trip, const struct addr *addr, const struct uri *uri)
{
    struct span lr;

    trip->next_route = addr->uri;
    trip->strict_next = !uri_param(uri, SPAN("lr"), &lr);
    if (!trip->bound)
        trip->has_flow = false;
}

/* Our own elements on top, and the first that is left behind them. */
static uint16_t
read_routes(struct trip *trip)
{
    struct walk w = { .msg = &trip->msg };
    struct token token;
    struct addr addr;
    struct uri uri;
    uint16_t status = 0;

    while (status == 0 && walk_goes_on(&w, trip)) {
        if (walk_read_ours(&w, trip->core, trip->gist.call_id, &token)) {
            use_token(trip, &token);
            trip->own_routes++;
            continue;
        }
        if (!walk_read(&w, &addr, &uri))
            return 400;
        if (!leads_to_us(trip->core, &uri)) {
            set_next(trip, &addr, &uri);
            return 0;
        }
        status = drop_own(trip, &uri);
    }
    return status;
}

/* §16.5: with a maddr that is not ours the Request-URI is the only target, whatever its host. */
static void
set_for_us(struct trip *trip)
{
    struct span maddr;

    trip->for_us = trip->next_route.len == 0 && !trip->by_path && is_ours(trip->core, &trip->uri) &&
                   (!has_maddr(&trip->uri, &maddr) || is_our_maddr(trip->core, &trip->uri, maddr));
}

/* §16.4: a maddr of ours has led it here, and goes; whichever listener of ours it named. */
static uint16_t
drop_maddr(struct trip *trip)
{
    struct span maddr;

    if (!has_maddr(&trip->uri, &maddr) || !is_our_maddr(trip->core, &trip->uri, maddr))
        return 0;
    trip->uri_text = request_uri(&trip->uri, REQUEST_URI_NOWHERE, &trip->arena);
    return trip->uri_text.at && uri_read(trip->uri_text, &trip->uri) == SIPD_OK ? 0 : 500;
}

uint16_t
route_prepare(struct trip *trip)
{
    uint16_t status;

    trip->uri_text = trip->uri.whole;
    if (!undo_strict_routing(trip))
        return 400;
    status = read_routes(trip);
    if (status == 0 && trip->bound && !trip->has_flow)
        status = 403;
    if (status == 0)
        status = drop_maddr(trip);
    set_for_us(trip);
    return status;
}

bool
route_leads_on(const struct core *core, const struct msg *msg)
{
    struct walk w = { .msg = msg };
    struct addr addr;
    struct uri uri;

    while (walk_stands(&w))
        if (!walk_read(&w, &addr, &uri) || !leads_to_us(core, &uri))
            return true;
    return false;
}

int
route_set_uri(struct trip *trip, struct span uri)
{
    struct span copy = arena_copy(&trip->arena, uri);
    struct uri read;

    if (!copy.at)
        return SIPD_ENOMEM;
    if (uri_read(copy, &read) != SIPD_OK)
        return SIPD_ESYNTAX;
    trip->uri_text = copy;
    trip->uri = read;
    set_for_us(trip);
    return SIPD_OK;
}
