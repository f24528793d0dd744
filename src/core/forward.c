/*
 * The request as it leaves on one branch, one function a step (RFC 3261 §16.6).
 */
#include "core/forward.h"

#include "core/breadth.h"
#include "core/mark.h"
#include "core/path.h"
#include "core/state.h"
#include "core/stateless.h"
#include "core/token.h"
#include "sip/addr.h"
#include "sip/draft_body.h"
#include "sip/request_uri.h"

#define SIDE_PARAM ";" STATELESS_SIDE "="

enum { HEAD_ROOM = 512 }; /* what the edits add at most, for the choice of a way by size */

static const struct span none;

/* A URI in angle brackets, as Route and Record-Route want it. */
static struct span
in_brackets(struct core *core, struct span uri)
{
    char *text = arena_alloc(core->ports.turn, uri.len + 2);

    if (!text)
        return none;
    return span_between(text, span_write(span_write(span_write(text, SPAN("<")), uri), SPAN(">")));
}

/* Step 2: the target becomes the Request-URI; who asked for a sip resource gets none of sips, but TLS (RFC 5630 §5.3). */
static struct span
target_text(const struct branch *branch)
{
    const struct trip *trip = branch->trip;
    unsigned changes = trip->uri.scheme == URI_SIP ? REQUEST_URI_SIP : 0;

    return request_uri(&branch->target->uri, changes, trip->core->ports.turn);
}

/* Does it go on as a sips resource, or to one? */
static bool
is_secure(const struct trip *trip)
{
    return trip->uri.scheme == URI_SIPS || span_ieq(span_head(trip->next_route, 5), SPAN("sips:"));
}

/* Step 4: at the edge between TLS and none; RFC 6157 §3.1: between IPv4 and IPv6. */
static bool
must_stay(const struct trip *trip, const struct way *way)
{
    return is_secure(trip) != (trip->source.transport == HOP_TLS) ||
           hop_is_v4(&trip->source) != hop_is_v4(&way->to);
}

/* Which dialogs must come back through us: all that these methods can make or refresh (§16.6 step 4). */
static bool
wants_record_route(const struct trip *trip, const struct way *way)
{
    static const bool makes_dialogs[METHODS] = {
        [METHOD_INVITE] = true, [METHOD_SUBSCRIBE] = true, [METHOD_NOTIFY] = true,
        [METHOD_REFER] = true,  [METHOD_UPDATE] = true,    [METHOD_OTHER] = true,
    };

    return makes_dialogs[trip->gist.method] &&
           (trip->core->conf->record_route || must_stay(trip, way));
}

/* "<sip:TOKEN@host:port;transport=tcp;lr>", or "<sips:TOKEN@host:port;lr>" */
static struct span
record_route(struct trip *trip, const struct token *token, struct span sent_by, uint8_t transport)
{
    const struct span most = SPAN("<sips:@;transport=;lr>"), name = hop_transport_uri(transport);
    struct core *core = trip->core;
    bool sips = transport == HOP_TLS && is_secure(trip);
    char *text = arena_alloc(core->ports.turn, most.len + TOKEN_BYTES + sent_by.len + name.len);
    char *end;

    if (!text)
        return none;
    end = span_write(text, SPAN("<sip"));
    end = span_write(end, sips ? SPAN("s:") : SPAN(":"));
    end += token_write(core, trip->gist.call_id, token, end).len;
    end = span_write(span_write(end, SPAN("@")), sent_by);
    if (!sips && transport != HOP_UDP)
        end = span_write(span_write(end, SPAN(";transport=")), name);
    return span_between(text, span_write(end, SPAN(";lr>")));
}

/*
 * Is this a dialog of people we know on both sides? Else its tokens are bound: requests within it go to where its first one
 * came from and went to, so that nobody gets more of us than that dialog (proxy.relay).
 */
static bool
is_among_ours(const struct trip *trip)
{
    bool known = trip->user.len > 0 || trip->trusted;

    return trip->core->conf->relay == CORE_RELAY_ANY ||
           (trip->by_token ? trip->among_ours : known && trip->for_us);
}

/* Must requests back to the caller take the way that this one came: a connection, or through a NAT? */
static bool
caller_needs_flow(const struct trip *trip)
{
    return trip->natted || hop_is_reliable(trip->source.transport);
}

/*
 * Step 4, with one Record-Route for each side when the sides differ or a side is reached by its flow: which of them a Route
 * ends with tells the direction (RFC 5658 §3).
 */
static void
add_record_route(struct branch *branch, const struct way *way, struct draft *draft)
{
    struct trip *trip = branch->trip;
    const struct core_ports *ports = &trip->core->ports;
    bool bound = !is_among_ours(trip);
    struct token in = { .listener = trip->source.listener,
                        .bound = bound,
                        .by_flow = caller_needs_flow(trip),
                        .flow = trip->natted ? trip->source : trip->reply_to,
                        .ours = trip->user.len > 0 || trip->trusted || trip->from_ours };
    struct token out = { .listener = way->to.listener,
                         .bound = bound,
                         .by_flow = branch->target->is.hop.transport != HOP_NONE,
                         .flow = way->to,
                         .ours = trip->for_us };
    struct core_side side;

    in.has_flow = bound || in.by_flow;
    out.has_flow = bound || out.by_flow;
    if ((in.has_flow || out.has_flow || in.listener != out.listener) &&
        ports->side(ports->io, in.listener, &side))
        draft_push_record_route(draft, record_route(trip, &in, side.sent_by, side.transport));
    draft_push_record_route(draft, record_route(trip, &out, way->sent_by, way->to.transport));
}

/* Step 5: what modules wished. */
static void
add_edits(struct branch *branch, struct draft *draft)
{
    for (const struct edit *edit = branch->trip->edits; edit; edit = edit->next) {
        if (edit->branch != 0 && edit->branch != branch->id)
            continue;
        if (edit->drop)
            draft_drop_field(draft, edit->drop);
        else
            draft_add_header(draft, edit->name, edit->value);
    }
}

/* Does the target's Path lead, no Route being left? */
static bool
has_path(const struct branch *branch)
{
    return branch->target->is.path.len > 0 && branch->trip->next_route.len == 0;
}

/* A Path that begins with a strict router: that one's URI, and what stands behind it. False: a loose one, or none. */
static bool
is_strict_path(const struct branch *branch, struct span *first, struct span *rest)
{
    struct addr addr;
    struct span lr;
    struct uri uri;

    *rest = branch->target->is.path;
    if (!has_path(branch) || addr_next(rest, &addr) != SIPD_OK ||
        uri_read(addr.uri, &uri) != SIPD_OK || uri_param(&uri, SPAN("lr"), &lr))
        return false;
    *first = request_uri(&uri, 0, branch->trip->core->ports.turn);
    *rest = span_trim(*rest);
    if (rest->len > 0 && rest->at[0] == ',')
        *rest = span_trim(span_skip(*rest, 1));
    return true;
}

/* The strict router that is next, without what may not stand in a Request-URI (§19.1.1); it was read before. */
static struct span
strict_text(const struct trip *trip)
{
    struct uri uri;

    return uri_read(trip->next_route, &uri) == SIPD_OK
               ? request_uri(&uri, 0, trip->core->ports.turn)
               : trip->next_route;
}

/* Where it is aimed: its Request-URI, and what comes behind its Routes. */
struct aim {
    struct span uri;
    struct span routes, last; /* both may be empty */
};

/*
 * §16.4 and step 6: a strict router next gets its URI as Request-URI and ours at the end of Route. The Path of a target is its
 * Route (RFC 3327 §5.4).
 */
static int
take_aim(const struct branch *branch, struct aim *aim)
{
    const struct trip *trip = branch->trip;
    struct span target = target_text(branch), first, rest;
    bool strict_path = is_strict_path(branch, &first, &rest);

    if (!target.at)
        return SIPD_ENOMEM;
    *aim = (struct aim){ .uri = target };
    if (strict_path || trip->strict_next) {
        aim->uri = strict_path ? first : strict_text(trip);
        aim->routes = strict_path ? rest : none;
        aim->last = in_brackets(trip->core, target);
        return aim->last.at ? SIPD_OK : SIPD_ENOMEM;
    }
    if (has_path(branch))
        aim->routes = branch->target->is.path;
    return SIPD_OK;
}

static void
append_routes(const struct aim *aim, struct draft *draft)
{
    if (aim->routes.len > 0)
        draft_append_route(draft, aim->routes);
    if (aim->last.len > 0)
        draft_append_route(draft, aim->last);
}

/* Our own go, and a strict router's that is the Request-URI now, and one that was it (§16.4). */
static void
drop_routes(const struct trip *trip, struct draft *draft)
{
    draft_drop_routes(draft, trip->own_routes + (trip->strict_next ? 1u : 0u));
    if (trip->last_route_is_uri)
        draft_drop_last_route(draft);
}

/*
 * RFC 5923 §4: over a connection of ours, on which both sides prove who they are, we may be reached, too. It says nothing on
 * one that the peer made.
 */
static bool
asks_for_alias(const struct hop *hop, const struct way *way)
{
    return hop->flow == 0 && way->to.transport == HOP_TLS && way->to.name != 0;
}

/*
 * Without transactions nothing but our Via can tell which of our listeners the request came to, and from which the response
 * must leave (RFC 3581 §4). A CANCEL and an ACK have the same Via as their INVITE (§9.1, §17.1.1.3).
 */
static bool
has_side_in_via(const struct trip *trip)
{
    return trip->core->conf->mode == CORE_STATELESS && !hop_is_reliable(trip->source.transport);
}

/* The branch for this hop, in the memory of our Via. */
static struct span
write_branch(const struct branch *branch, const struct way *way, char *to)
{
    const struct trip *trip = branch->trip;
    struct span uri = branch->target->is.uri;
    struct mark_branch_of of = {
        .mark = &trip->mark,
        .uri = span_eq(uri, msg_span(&trip->msg, trip->msg.uri)) ? SPAN("") : uri,
        .routes = has_path(branch) ? branch->target->is.path : SPAN(""),
        .hop = &way->to,
        .attempt = branch->attempt,
        .loop = mark_loop(&trip->mark, &trip->msg),
        .sent_by = way->sent_by,
    };

    return mark_branch(trip->core, &of, to);
}

/* Step 8: our Via on top, the stamps on the one beneath it. Returns the branch. */
static struct span
add_via(struct branch *branch, const struct hop *hop, const struct way *way, struct draft *draft)
{
    const struct span most = SPAN("SIP/2.0/ ;alias" SIDE_PARAM "65535;branch=");
    struct trip *trip = branch->trip;
    struct span transport = hop_transport_via(way->to.transport), ours;
    char *text = arena_alloc(trip->core->ports.turn,
                             most.len + transport.len + way->sent_by.len + MARK_BRANCH_LEN);
    char *end;

    if (!text) {
        draft_push_via(draft, &trip->gist, none);
        return none;
    }
    end = span_write(span_write(text, SPAN("SIP/2.0/")), transport);
    end = span_write(span_write(end, SPAN(" ")), way->sent_by);
    if (asks_for_alias(hop, way))
        end = span_write(end, SPAN(";alias"));
    if (has_side_in_via(trip))
        end = span_write_u64(span_write(end, SPAN(SIDE_PARAM)), trip->source.listener);
    ours = write_branch(branch, way, span_write(end, SPAN(";branch=")));
    draft_push_via(draft, &trip->gist, span_between(text, span_end(ours)));
    draft_stamp_via(draft, &trip->gist, trip->received, trip->rport);
    return ours;
}

static void
add_length(struct draft *draft)
{
    char digits[SPAN_U64_BYTES];

    draft_add_header(draft, SPAN("Content-Length"),
                     span_between(digits, span_write_u64(digits, draft_body_len(draft))));
}

/* Step 9: a stream needs a Content-Length, which a datagram may lack (§18.3). */
void
forward_add_length(const struct msg *msg, uint8_t transport, struct draft *draft)
{
    struct span there;

    if (hop_is_reliable(transport) && !msg_get(msg, HDR_CONTENT_LENGTH, &there))
        add_length(draft);
}

/* ON_BRANCH hooks: what they wish holds for this branch only. */
static bool
ask_hooks(struct branch *branch)
{
    struct core *core = branch->trip->core;
    struct sipd_req req = { .core = core, .trip = branch->trip, .branch = branch };
    uint16_t at = 0;

    return chain_ask(&core->chain, &req, SIPD_ON_BRANCH, &at) != SIPD_FAIL;
}

int
forward_write(struct branch *branch, const struct hop *hop, struct forward_result *out)
{
    struct trip *trip = branch->trip;
    struct core *core = trip->core;
    struct draft draft;
    struct aim aim;
    int err = core->ports.way(core->ports.io, hop, trip->msg.len + HEAD_ROOM, &out->way);

    if (err != SIPD_OK)
        return err;
    if (!branch->hooked && chain_has(&core->chain, SIPD_ON_BRANCH) && !ask_hooks(branch))
        return SIPD_EINVAL;
    branch->hooked = true;
    if (take_aim(branch, &aim) != SIPD_OK)
        return SIPD_ENOMEM;
    draft_init(&draft, &trip->msg, core->ports.turn); /* in the order of the text, mostly */
    draft_set_uri(&draft, aim.uri);
    out->branch = add_via(branch, hop, &out->way, &draft);
    if (trip->server != 0) /* looked for later: it may lie in far memory */
        out->key = txns_client_key(&core->txns, trip->gist.method, out->branch);
    if (wants_record_route(trip, &out->way))
        add_record_route(branch, &out->way, &draft);
    append_routes(&aim, &draft);
    draft_lower_max_forwards(&draft, &trip->gist);
    drop_routes(trip, &draft);
    if (trip->gist.method == METHOD_REGISTER)
        path_write(branch, &out->way, is_secure(trip), &draft);
    breadth_write(branch, &draft);
    add_edits(branch, &draft);
    forward_add_length(&trip->msg, out->way.to.transport, &draft);
    out->tail = draft_tail(&draft);
    return draft_render(&draft, core->ports.turn, &out->bytes);
}
