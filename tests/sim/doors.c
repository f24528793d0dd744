/*
 * The doors of a simulated sipd, which the daemon would fill: way, path_mtu, send, resolve, ours; and what comes in by them.
 */
#include "sim/doors.h"

#include "base/mem.h"
#include "core/fixer.h"
#include "core/state.h"
#include "sim/modules.h"
#include "sim/passage.h"
#include "sim/rehearse.h"
#include "sim/standby.h"
#include "sip/frame.h"

enum { FLOWS_MAX = 1 << 20, BOUNCE_BYTES = 520, BACK_MOST = 64 };

/* ------------------------------------------------------------------ connections */

static bool
is_with(const struct table_node *node, const void *peer)
{
    return hop_eq(&container_of_const(node, struct sim_flow, by_peer)->peer, peer);
}

static struct sim_flow *
flow_with(const struct sim_sipd *s, const struct hop *peer)
{
    struct table_node *node = table_find(&s->flows_by_peer, world_hop_hash(peer), is_with, peer);

    return node ? container_of(node, struct sim_flow, by_peer) : NULL;
}

static struct sim_flow *
add_flow(struct sim_sipd *s, const struct hop *peer, uint16_t listener)
{
    uint64_t id;
    struct sim_flow *flow = slots_new(&s->flows, &id);

    BUG_ON(!flow);
    flow->peer = *peer;
    flow->peer.listener = listener;
    flow->peer.flow = id;
    table_insert(&s->flows_by_peer, &flow->by_peer, world_hop_hash(peer));
    return flow;
}

static void
end_flow(struct sim_sipd *s, struct sim_flow *flow)
{
    table_remove(&s->flows_by_peer, &flow->by_peer);
    slots_free(&s->flows, flow->peer.flow);
}

/* Whoever made one makes another at once. */
void
doors_lose_flows(struct sim_sipd *s)
{
    struct hop back[BACK_MOST];
    uint64_t cursor = 0;
    struct sim_flow *flow;
    unsigned n = 0;

    while ((flow = slots_next(&s->flows, &cursor))) {
        if (flow->theirs && n < BACK_MOST && world_is_there(s->world, &flow->peer))
            back[n++] = flow->peer;
        end_flow(s, flow);
    }
    while (n-- > 0) {
        back[n].flow = 0;
        add_flow(s, &back[n], back[n].listener)->theirs = true;
    }
}

bool
sim_cut(struct sim_sipd *s, const struct hop *peer)
{
    struct sim_flow *flow = flow_with(s, peer);

    if (flow)
        end_flow(s, flow);
    return flow != NULL;
}

uint64_t
doors_flow_id(const struct sim_sipd *s, const struct hop *peer)
{
    const struct sim_flow *flow = flow_with(s, peer);

    return flow ? flow->peer.flow : HOP_FLOW_DEAD;
}

/* ------------------------------------------------------------------ way and send */

static uint16_t
listener_for(const struct sim_sipd *s, const struct hop *to)
{
    for (unsigned i = 0; i < s->listeners_len; i++) {
        const struct hop *at = &s->listeners[i].at;

        if (at->transport == to->transport && hop_is_v4(at) == hop_is_v4(to) &&
            (to->listener == 0 || to->listener == i + 1))
            return (uint16_t)(i + 1);
    }
    return 0;
}

static int
find_way(struct sim_sipd *s, const struct hop *to, struct way *out)
{
    struct sim_flow *flow;
    struct hop any = *to;

    out->to = *to;
    if (hop_is_reliable(to->transport)) {
        flow = to->flow ? slots_find(&s->flows, to->flow) : flow_with(s, to);
        if (to->flow && !flow)
            return SIPD_ECLOSED;
        any.listener = flow ? flow->peer.listener : 0;
        if (!flow && listener_for(s, &any) != 0)
            flow = add_flow(s, to, listener_for(s, &any));
        out->to.flow = flow ? flow->peer.flow : 0;
    }
    out->to.listener = listener_for(s, &any);
    if (out->to.listener == 0) {
        any.listener = 0;
        out->to.listener = listener_for(s, &any);
    }
    if (out->to.listener == 0)
        return SIPD_ENOENT;
    out->sent_by.at = s->listeners[out->to.listener - 1].sent_by;
    out->sent_by.len = s->listeners[out->to.listener - 1].sent_by_len;
    return SIPD_OK;
}

static int
port_way(void *io, const struct hop *to, size_t bytes, struct way *out)
{
    struct sim_sipd *s = io;
    int err;

    (void)bytes;
    world_leave(s->world);
    err = find_way(s, to, out);
    world_enter(s->world);
    return err;
}

static uint32_t
port_path_mtu(void *io, const struct hop *to)
{
    const struct sim_sipd *s = io;

    return wire_mtu(&s->world->wire, to);
}

static void
put_gone(struct sim_sipd *s, uint64_t token)
{
    struct sim_gone *gone = mem_new(sizeof *gone);

    BUG_ON(!gone);
    gone->token = token;
    list_init(&gone->link);
    list_push(&s->gone, &gone->link);
}

/* What its rules refuse is a fault, what they mend is mended; fixing: those of its modules, too. */
static void
read_gist(struct world *w, struct fixing *fixing, struct msg *msg, struct gist *gist)
{
    struct repair_policy policy;
    struct repair_done done;
    struct arena work;

    gist_read(msg, gist);
    if (fixing && fixers_find(fixing->fixers, fixing->from, msg, gist))
        gist->odd |= deviation_bit(DEV_FIXER);
    if (gist->fault != 0 || gist->odd == 0)
        return;
    arena_init(&work, 16 << 20);
    repair_policy_default(&policy);
    BUG_ON(repair(&policy, fixing ? fixers_mend : NULL, fixing, &work, &w->turn, msg, gist,
                  &done) != SIPD_OK);
    arena_fini(&work);
}

/*
 * Whatever a sipd sends must be what another SIP element reads without complaint; a 400 copies what it
 * complains of.
 */
static void
check_sent(struct sim_sipd *s, const struct hop *to, struct span bytes, bool left)
{
    struct world *w = s->world;
    struct msg msg;
    struct gist gist;

    if (msg_read(bytes, &w->turn, &msg) != SIPD_OK) {
        world_fail(w, "%.*s sent what is no SIP message", SPAN_ARG(s->name));
        return;
    }
    read_gist(w, NULL, &msg, &gist);
    if (gist.fault != 0 && msg.status != 400 && (msg_is_request(&msg) || !w->naughty))
        world_fail(w, "%.*s sent a message with a fault: %s\n%.*s", SPAN_ARG(s->name),
                   gist.fault_reason, SPAN_ARG(bytes));
    passage_sent(w->passage, s, &msg, &gist);
    if (w->tap)
        w->tap->sent(w->tap->self, s, to, &msg, &gist, left);
}

/* The connection that a message leaves by; without one in particular that with the peer, or a new one. */
static struct sim_flow *
flow_for(struct sim_sipd *s, const struct hop *to)
{
    struct sim_flow *flow;

    if (to->flow != 0 || !hop_is_reliable(to->transport))
        return to->flow ? slots_find(&s->flows, to->flow) : NULL;
    flow = flow_with(s, to);
    return flow ? flow : add_flow(s, to, to->listener ? to->listener : listener_for(s, to));
}

struct bounce {
    struct errand errand;
    struct hop to;
    size_t len;
    char bytes[BOUNCE_BYTES];
};

static void
bounce(struct errand *errand)
{
    struct bounce *b = container_of(errand, struct bounce, errand);
    struct sim_sipd *s = errand->sipd;
    struct world *w = s->world;
    struct span bytes = { b->bytes, b->len };
    struct msg msg;
    struct gist gist;

    if (w->tap && msg_read(bytes, &w->turn, &msg) == SIPD_OK) {
        read_gist(w, NULL, &msg, &gist);
        w->tap->bounced(w->tap->self, s, &msg, &gist);
    }
    world_enter(w);
    core_bounced(s->core, &b->to, bytes);
    world_leave(w);
    mem_free(b);
}

/* The network gives back the start of what it could not deliver (RFC 1122 §4.1.3.3). */
static void
let_bounce(struct sim_sipd *s, const struct hop *to, struct span bytes)
{
    struct bounce *b = mem_new(sizeof *b);

    BUG_ON(!b);
    s->world->bounced++;
    b->to = *to;
    b->len = bytes.len < sizeof b->bytes ? bytes.len : sizeof b->bytes;
    memcpy(b->bytes, bytes.at, b->len);
    sim_later(s, &b->errand, s->world->wire.conf.delay_ms * 2, bounce);
}

static void
send_bytes(struct sim_sipd *s, const struct hop *to, struct span bytes, uint64_t token)
{
    struct world *w = s->world;
    bool reliable = hop_is_reliable(to->transport);
    struct sim_flow *flow = flow_for(s, to);
    bool left = !reliable || (flow && world_is_there(w, to));
    uint16_t listener = to->listener ? to->listener : listener_for(s, to);
    struct hop from;

    check_sent(s, to, bytes, left);
    if (!left) {
        if (flow)
            end_flow(s, flow);
        if (token != 0)
            put_gone(s, token);
        return;
    }
    BUG_ON(listener == 0 || listener > s->listeners_len);
    from = s->listeners[listener - 1].at;
    world_send(w, &from, to, bytes);
    if (w->bounces && !reliable && !world_is_there(w, to))
        let_bounce(s, to, bytes);
}

static void
port_send(void *io, const struct hop *to, struct span bytes, uint64_t token, uint64_t need)
{
    struct sim_sipd *s = io;

    (void)need;
    if (standby_is_dying(s))
        return;
    world_leave(s->world);
    send_bytes(s, to, bytes, token);
    world_enter(s->world);
}

/* ------------------------------------------------------------------ names */

struct question {
    struct errand errand;
    const struct sim_name *name;
    uint8_t transport;
    uint64_t branch;
    bool for_answer;
};

static const struct sim_name *
find_name(const struct world *w, struct span host)
{
    list_each (node, after, &w->names) {
        const struct sim_name *name = container_of(node, struct sim_name, link);

        if (span_ieq(name->host, host))
            return name;
    }
    return NULL;
}

static void
answer(struct errand *errand)
{
    struct question *q = container_of(errand, struct question, errand);
    struct sim_sipd *s = errand->sipd;
    struct hop hops[countof(q->name->hops)];
    size_t n = 0;

    for (unsigned i = 0; i < q->name->hops_len; i++)
        if (q->transport == HOP_NONE || q->name->hops[i].transport == q->transport)
            hops[n++] = q->name->hops[i];
    world_enter(s->world);
    if (q->for_answer)
        core_resolved_answer(s->core, q->branch, hops, n);
    else
        core_resolved(s->core, q->branch, hops, n, n > 0 ? SIPD_OK : SIPD_ENOENT);
    world_leave(s->world);
    mem_free(q);
}

static int
port_resolve(void *io, const struct sipd_place *place, uint64_t id)
{
    struct sim_sipd *s = io;
    const struct uri *uri = place->uri;
    const struct sim_name *name = find_name(s->world, uri->host);
    struct question *q;
    struct span transport;

    if (!name)
        return sim_host_resolve(s->host, place, id);
    world_leave(s->world);
    q = mem_new(sizeof *q);
    BUG_ON(!q);
    q->name = name;
    q->branch = id;
    q->for_answer = place->for_answer;
    if (uri_param(uri, SPAN("transport"), &transport))
        q->transport = hop_transport_read(transport);
    sim_later(s, &q->errand, name->answer_ms, answer);
    world_enter(s->world);
    return SIPD_OK;
}

static void
port_tried(void *io, const struct hop *hop, enum sipd_tried how, uint32_t retry_after_s)
{
    const struct sim_sipd *s = io;

    sim_host_tried(s->host, hop, how, retry_after_s);
}

/* ------------------------------------------------------------------ what is ours */

static bool
port_ours(void *io, struct span host, uint16_t port)
{
    const struct sim_sipd *s = io;
    struct hop hop = { .port = 0 };
    bool literal = hop_ip_read(host, &hop);
    bool our_port = port == 0;

    for (unsigned i = 0; i < s->listeners_len; i++) {
        our_port |= s->listeners[i].at.port == port;
        if (literal && memcmp(s->listeners[i].at.ip, hop.ip, sizeof hop.ip) == 0 &&
            (port == 0 ? 5060 : port) == s->listeners[i].at.port)
            return true;
    }
    for (unsigned i = 0; our_port && i < s->domains_len; i++)
        if (span_ieq(s->domains[i], host))
            return true;
    return false;
}

static bool
port_side(void *io, uint16_t listener, struct core_side *out)
{
    const struct sim_sipd *s = io;

    if (listener == 0 || listener > s->listeners_len)
        return false;
    out->sent_by =
        (struct span){ s->listeners[listener - 1].sent_by, s->listeners[listener - 1].sent_by_len };
    out->transport = s->listeners[listener - 1].at.transport;
    out->rport = s->listeners[listener - 1].rport;
    return true;
}

static bool
port_knows(void *io, struct span aor)
{
    const struct sim_sipd *s = io;

    for (unsigned i = 0; i < s->known_len; i++)
        if (span_eq(s->known[i], aor))
            return true;
    return sim_host_knows(s->host, aor);
}

static void
port_load(void *io, struct core_load *out)
{
    *out = ((const struct sim_sipd *)io)->load;
}

void
doors_fill(struct sim_sipd *s, struct core_ports *ports)
{
    struct world *w = s->world;

    *ports = (struct core_ports){
        .way = port_way,
        .path_mtu = port_path_mtu,
        .send = port_send,
        .resolve = port_resolve,
        .tried = port_tried,
        .ours = port_ours,
        .side = port_side,
        .knows = port_knows,
        .load = port_load,
        .explain = w->rehearsals ? rehearse_hear : NULL,
        .io = s,
        .clock = &w->clock,
        .rand = &w->rand,
        .turn = &w->turn,
        .counters = &w->counters,
        .log = &w->log,
        .key = { 1, s->listeners[0].at.ip[15] },
    };
}

/* ------------------------------------------------------------------ what comes in */

static void
hear(struct sim_sipd *s, const struct hop *from, const struct frame *frame, struct span bytes)
{
    struct world *w = s->world;
    const struct world_tap *tap = w->tap;
    struct fixing fixing = { .fixers = &s->core->fixers, .from = from };
    struct msg msg;
    struct gist gist;
    bool is_read = msg_read(bytes, &w->turn, &msg) == SIPD_OK;

    if (is_read) {
        msg_trim(&msg);
        read_gist(w, &fixing, &msg, &gist);
        if (frame->fault != 0 && gist.fault == 0)
            gist.fault = frame->fault;
        passage_heard(w->passage, s, &msg, &gist);
        if (tap)
            tap->heard(tap->self, s, from, &msg, &gist);
        if (hop_is_reliable(
                from->transport)) /* a stream was cut there; where a datagram ends the core must see */
            bytes = msg_bytes(&msg);
    }
    if (w->rehearsals && frame->fault == 0)
        rehearse_before(s, from, bytes);
    world_enter(w);
    core_bytes(s->core, from, bytes, frame->fault, frame->fault_reason);
    world_leave(w);
    if (w->rehearsals)
        rehearse_after(s);
    if (tap && is_read)
        tap->done(tap->self, s);
}

/* The connection that it came on: the one we have, or a new one. */
static uint64_t
flow_from(struct sim_sipd *s, const struct hop *from)
{
    struct sim_flow *flow = hop_is_reliable(from->transport) ? flow_with(s, from) : NULL;

    if (!hop_is_reliable(from->transport))
        return 0;
    if (!flow) {
        flow = add_flow(s, from, from->listener);
        flow->theirs = true;
    }
    return flow->peer.flow;
}

bool
doors_hear(struct sim_sipd *s, const struct wire_packet *packet)
{
    for (unsigned i = 0; i < s->listeners_len; i++) {
        struct hop from = packet->from;
        struct frame frame;

        if (!hop_eq(&s->listeners[i].at, &packet->to))
            continue;
        from.listener = (uint16_t)(i + 1);
        from.flow = flow_from(s, &from);
        frame_datagram(wire_bytes(packet), &frame);
        if (frame.kind == FRAME_MESSAGE)
            hear(s, &from, &frame, (struct span){ packet->bytes + frame.skip, frame.len });
        return true;
    }
    return false;
}

void
doors_tell_gone(struct sim_sipd *s)
{
    struct list *gone;

    while ((gone = list_shift(&s->gone))) {
        core_gone(s->core, container_of(gone, struct sim_gone, link)->token, SIPD_ECLOSED);
        world_leave(s->world);
        mem_free(gone);
        world_enter(s->world);
    }
}

void
doors_init(struct sim_sipd *s)
{
    slots_init(&s->flows, sizeof(struct sim_flow), FLOWS_MAX);
    BUG_ON(table_init(&s->flows_by_peer) != SIPD_OK);
}

void
doors_fini(struct sim_sipd *s)
{
    table_fini(&s->flows_by_peer);
    slots_fini(&s->flows);
}
