/*
 * What passes without a transaction (RFC 3261 §16.11, §18.1.2; RFC 6026 §7.3).
 *
 * The branch is a function of the request and its target (mark.c), so a repeat, its CANCEL and its ACK leave with the same
 * one, and a response needs no more than its Vias.
 */
#include "core/stateless.h"

#include "core/mark.h"
#include "core/note.h"
#include "core/upstream.h"
#include "sip/num.h"
#include "sip/param.h"

static bool
may_pass(struct core *core, const struct intake *in)
{
    uint64_t loop;

    return in->gist->fault == 0 &&
           (core->conf->mode == CORE_STATELESS || core->conf->stray == CORE_STRAY_VERIFIED) &&
           mark_branch_is_ours(core, &in->gist->via, &loop);
}

/* On the connection that the request came on if it is still there; its port stands in our stamp (intake.c). */
static bool
by_connection(struct core *core, const struct via *via, size_t bytes, struct way *way)
{
    struct hop to = way->to;
    uint32_t port;

    if (!hop_is_reliable(to.transport) || !span_u32(via->rport, 65535, &port))
        return false;
    to.port = (uint16_t)port;
    return core->ports.way(core->ports.io, &to, bytes, way) == SIPD_OK && way->to.flow != 0;
}

/* The number of a listener, as forward.c puts it before all other parameters. 0: it does not stand there, or not as we write it. */
static uint16_t
side_in_front(struct span params)
{
    const struct span begin = SPAN(";" STATELESS_SIDE "=");
    struct span rest = span_skip(params, begin.len);
    const char *at = rest.at, *end = span_end(rest);
    uint16_t number = span_starts(params, begin) ? num_take_port(&at, end) : 0;

    return at == end || *at == ';' ? number : 0;
}

/* Where its request came to, as our own Via has it (RFC 3581 §4); 0: it does not say. One that does not fit is passed over. */
static uint16_t
side_of(const struct via *ours)
{
    uint16_t in_front = side_in_front(ours->params);
    struct span value;
    uint32_t number;

    if (in_front > 0)
        return in_front;
    return param_find(ours->params, SPAN(STATELESS_SIDE), &value) &&
                   span_u32(value, UINT16_MAX, &number)
               ? (uint16_t)number
               : 0;
}

/* §18.2.2: where the Via says. */
static bool
find_way(struct core *core, const struct via *ours, const struct via *via, size_t bytes,
         struct way *way)
{
    struct hop to = { .transport = via->transport, .listener = side_of(ours) };

    if (to.transport == HOP_NONE || !via_reply_hop(via, &to))
        return false;
    way->to = to;
    return by_connection(core, via, bytes, way) ||
           core->ports.way(core->ports.io, &to, bytes, way) == SIPD_OK;
}

/* Have we the request of this response ourselves? via: where that came from. */
static bool
has_request(struct core *core, const struct gist *gist, const struct via *via)
{
    struct gist asked = *gist;
    struct txn_key key;

    asked.via = *via;
    key = txns_key(&core->txns, &asked);
    return txns_find_by(&core->txns, &key) != NULL;
}

/*
 * A core with state passes on what another node began, but no 100, which is for us alone (§16.7 step 5), nothing of other requests
 * than INVITE and its CANCEL (RFC 4320 §4.2), and nothing late: of a request that it has itself it knows what went up (RFC 6026 §7.3).
 */
static bool
may_stray(struct core *core, const struct intake *in, const struct via *via)
{
    enum method method = in->gist->method;

    if (core->conf->mode == CORE_STATELESS)
        return true;
    return in->msg->status > 100 && (method == METHOD_INVITE || method == METHOD_CANCEL) &&
           !has_request(core, in->gist, via);
}

void
stateless_seen(struct core *core, const struct hop *hop, enum sipd_tried how)
{
    if (core->conf->mode == CORE_STATELESS && core->ports.tried)
        core->ports.tried(core->ports.io, hop, how, 0);
}

void
stateless_answer(struct core *core, const struct intake *in)
{
    struct span bytes;
    struct way way;
    struct via via;

    ++*core->count.strays;
    if (!may_pass(core, in))
        return;
    stateless_seen(core, in->from, SIPD_TRIED_SEEN);
    if (!upstream_second_via(in->msg, in->gist, &via) || !may_stray(core, in, &via))
        return;
    bytes = upstream_pop_via(core, in->msg, in->gist, &via, NULL);
    if (bytes.at && find_way(core, &in->gist->via, &via, bytes.len, &way))
        note_send(core, &way.to, bytes, 0);
}

/* Bytes decide between equals, for the order in which they were found may differ from one time to the next. */
static bool
comes_before(const struct target *a, const struct target *b)
{
    if (a->is.q != b->is.q)
        return a->is.q > b->is.q;
    return span_order(a->is.uri, b->is.uri) < 0;
}

void
stateless_choose(struct trip *trip)
{
    struct target *chosen = container_of(trip->targets.next, struct target, link);

    if (trip->targets.next == trip->targets.prev)
        return; /* it is alone */
    list_each (node, after, &trip->targets) {
        struct target *target = container_of(node, struct target, link);

        if (comes_before(target, chosen))
            chosen = target;
    }
    list_init(&trip->targets);
    list_init(&chosen->link);
    list_push(&trip->targets, &chosen->link);
}
