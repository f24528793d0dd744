/*
 * A strict router: a proxy of RFC 2543 in the row, without state. What its first Route says becomes the Request-URI, and
 * that is where the request goes.
 */
#include "sim/strict.h"

#include <stdio.h>

#include "base/mem.h"
#include "lib/fnv.h"
#include "sip/addr.h"
#include "sip/draft.h"

enum { VALUE_BYTES = 256 };

struct strict {
    struct world *world;
    struct span address;
    struct sim_end udp, tcp;
    uint64_t passed;
};

static const struct sim_end *
end_of(const struct strict *strict, uint8_t transport)
{
    return hop_is_reliable(transport) ? &strict->tcp : &strict->udp;
}

/* Where a URI leads: a literal address, or the surest of those that its name has. */
static bool
find_hop(const struct strict *strict, struct span text, struct hop *to)
{
    struct span transport;
    struct uri uri;

    *to = (struct hop){ .transport = HOP_UDP };
    if (uri_read(text, &uri) != SIPD_OK)
        return false;
    if (uri_param(&uri, SPAN("transport"), &transport))
        to->transport = hop_transport_read(transport);
    to->port = uri.port ? uri.port : 5060;
    if (hop_ip_read(uri.host, to))
        return to->transport != HOP_NONE;
    list_each (node, after, &strict->world->names) {
        const struct sim_name *name = container_of(node, struct sim_name, link);

        if (span_ieq(name->host, uri.host) && name->hops_len > 0) {
            *to = name->hops[name->hops_len - 1];
            return true;
        }
    }
    return false;
}

/* A hash stands for the branch beneath: a repeat, its CANCEL and its ACK leave with the same one. */
static void
push_via(const struct strict *strict, struct draft *draft, const struct gist *gist,
         uint8_t transport)
{
    char value[VALUE_BYTES];
    int len = snprintf(value, sizeof value, "SIP/2.0/%.*s %.*s;branch=z9hG4bKs%016llx",
                       SPAN_ARG(hop_transport_via(transport)), SPAN_ARG(strict->address),
                       (unsigned long long)(fnv(gist->via.branch) ^ fnv(gist->via.sent_by) * 3));

    draft_push_via(draft, gist, (struct span){ value, (size_t)len });
}

/* Without lr: whoever comes next must route strictly towards us. */
static void
record(const struct strict *strict, struct draft *draft)
{
    char value[VALUE_BYTES];
    int len = snprintf(value, sizeof value, "<sip:%.*s>", SPAN_ARG(strict->address));

    draft_push_record_route(draft, (struct span){ value, (size_t)len });
}

static void
send_draft(const struct strict *strict, const struct draft *draft, const struct hop *to)
{
    struct span bytes;

    if (draft_render(draft, &strict->world->turn, &bytes) == SIPD_OK)
        world_send(strict->world, &end_of(strict, to->transport)->at, to, bytes);
}

static void
forward(const struct strict *strict, const struct msg *msg, const struct gist *gist)
{
    struct span uri = msg_span(msg, msg->uri), routes;
    struct draft draft;
    struct addr addr;
    struct hop to;

    if (gist->has_max_forwards && gist->max_forwards == 0)
        return;
    draft_init(&draft, msg, &strict->world->turn);
    if (msg_get(msg, HDR_ROUTE, &routes) && addr_next(&routes, &addr) == SIPD_OK) {
        uri = addr.uri;
        draft_set_uri(&draft, uri);
        draft_drop_routes(&draft, 1);
    }
    if (!find_hop(strict, uri, &to))
        return;
    draft_lower_max_forwards(&draft, gist);
    push_via(strict, &draft, gist, to.transport);
    if (msg->method != METHOD_ACK && msg->method != METHOD_CANCEL)
        record(strict, &draft);
    send_draft(strict, &draft, &to);
}

static bool
second_via(const struct msg *msg, const struct gist *gist, struct via *via)
{
    struct span rest = gist->vias_below;
    const struct msg_field *field;

    if (via_next(&rest, via) == SIPD_OK)
        return true;
    field = msg_find(msg, HDR_VIA, gist->via_field);
    rest = field ? msg_value(msg, field) : (struct span){ NULL, 0 };
    return via_next(&rest, via) == SIPD_OK;
}

static void
answer(const struct strict *strict, const struct msg *msg, const struct gist *gist)
{
    struct draft draft;
    struct via via;
    struct hop to;

    if (!second_via(msg, gist, &via))
        return;
    to = (struct hop){ .transport = via.transport, .port = via.port ? via.port : 5060 };
    if (to.transport == HOP_NONE || !hop_ip_read(via.host, &to))
        return;
    draft_init(&draft, msg, &strict->world->turn);
    draft_pop_via(&draft, gist);
    send_draft(strict, &draft, &to);
}

static void
hear(struct strict *strict, struct span bytes)
{
    struct msg msg;
    struct gist gist;

    if (msg_read(bytes, &strict->world->turn, &msg) != SIPD_OK)
        return;
    gist_read(&msg, &gist);
    if (gist.fault != 0)
        return;
    strict->passed++;
    if (msg_is_request(&msg))
        forward(strict, &msg, &gist);
    else
        answer(strict, &msg, &gist);
}

static void
hear_udp(struct sim_end *end, const struct hop *from, struct span bytes)
{
    (void)from;
    hear(container_of(end, struct strict, udp), bytes);
}

static void
hear_tcp(struct sim_end *end, const struct hop *from, struct span bytes)
{
    (void)from;
    hear(container_of(end, struct strict, tcp), bytes);
}

struct strict *
strict_new(struct world *w, struct span address)
{
    struct strict *strict = mem_new(sizeof *strict);
    struct hop at = { .port = 5060 };

    BUG_ON(!strict || !hop_ip_read(span_head(address, span_find(address, ':')), &at));
    strict->world = w;
    strict->address = address;
    strict->udp = (struct sim_end){ .at = at, .name = SPAN("strict"), .hear = hear_udp };
    strict->udp.at.transport = HOP_UDP;
    strict->tcp = (struct sim_end){ .at = at, .name = SPAN("strict"), .hear = hear_tcp };
    strict->tcp.at.transport = HOP_TCP;
    world_add_end(w, &strict->udp);
    world_add_end(w, &strict->tcp);
    return strict;
}

void
strict_free(struct strict **strict)
{
    mem_free(*strict);
    *strict = NULL;
}

uint64_t
strict_passed(const struct strict *strict)
{
    return strict->passed;
}

struct span
strict_address(const struct strict *strict)
{
    return strict->address;
}
