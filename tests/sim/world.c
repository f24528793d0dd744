/*
 * Whole servers and phones in one process, on a virtual clock and a simulated network.
 */
#include "sim/world.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/mem.h"
#include "core/trip.h"
#include "sim/modules.h"
#include "sip/frame.h"

enum { WORLD_BYTES = 64 << 20, TURN_BYTES = 64 << 20, LADDER_BYTES = 4 << 20, START_MS = 1000 };

void
world_init(struct world *w, uint64_t seed)
{
    memset(w, 0, sizeof *w);
    w->clock = (struct clock){ .now_ms = START_MS, .wall_s = 1800000000 };
    rand_seed(&w->rand, seed);
    wire_init(&w->wire, seed + 1);
    counters_init(&w->counters);
    arena_init(&w->arena, WORLD_BYTES);
    arena_init(&w->turn, TURN_BYTES);
    list_init(&w->sipds);
    list_init(&w->peers);
    buf_init(&w->ladder, LADDER_BYTES);
    buf_init(&w->fault, 4096);
}

static void
free_list(struct list *list)
{
    struct list *node;

    while ((node = list_shift(list)))
        mem_free(node);  /* link is the first member of each */
}

static void
server_free(struct sim_sipd *s)
{
    list_remove(&s->link);
    sim_host_free(&s->host);
    core_free(&s->core);
    free_list(&s->wheres);
    free_list(&s->flows);
    free_list(&s->gone);
    mem_free(s);
}

void
world_fini(struct world *w)
{
    list_each (node, after, &w->sipds)
        server_free(container_of(node, struct sim_sipd, link));
    list_each (node, after, &w->peers)
        peer_free(container_of(node, struct peer, link));
    wire_fini(&w->wire);
    counters_fini(&w->counters);
    arena_fini(&w->arena);
    arena_fini(&w->turn);
    buf_fini(&w->ladder);
    buf_fini(&w->fault);
}

void
world_fail(struct world *w, const char *format, ...)
{
    char text[1024];
    va_list args;

    if (w->fault.len > 0)
        return;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    buf_put(&w->fault, span_of(text));
}

bool
world_hop_read(struct span text, struct hop *out)
{
    struct span transport = span_cut(&text, ':');
    size_t colon = text.len;
    uint32_t port;

    while (colon > 0 && text.at[colon - 1] != ':')
        colon--;
    memset(out, 0, sizeof *out);
    out->transport = hop_transport_read(transport);
    if (colon == 0 || out->transport == HOP_NONE || !span_u32(span_skip(text, colon), 65535, &port))
        return false;
    out->port = (uint16_t)port;
    return hop_ip_read(span_head(text, colon - 1), out);
}

/* ------------------------------------------------------------------ the ladder */

static struct span
name_of(struct world *w, const struct hop *at, char text[HOP_TEXT_BYTES])
{
    list_each (node, after, &w->peers) {
        struct peer *p = container_of(node, struct peer, link);

        if (hop_eq(&p->seen, at))
            return p->name;
    }
    list_each (node, after, &w->sipds) {
        struct sim_sipd *s = container_of(node, struct sim_sipd, link);

        for (unsigned i = 0; i < s->listeners_len; i++)
            if (hop_eq(&s->listeners[i].at, at))
                return s->name;
    }
    return hop_write(at, text);
}

static void
draw(struct world *w, const char *arrow, const struct hop *from, const struct hop *to, struct span bytes)
{
    char a[HOP_TEXT_BYTES], b[HOP_TEXT_BYTES];
    struct span first = span_head(bytes, span_find(bytes, '\r'));

    buf_printf(&w->ladder, "%9.3f  %-8.*s %s %-8.*s %s %.*s\n", (double)(w->clock.now_ms - START_MS) / 1000.0,
               SPAN_ARG(name_of(w, from, a)), arrow, SPAN_ARG(name_of(w, to, b)),
               hop_is_reliable(to->transport) ? "tcp" : "udp", SPAN_ARG(first));
}

/* ------------------------------------------------------------------ a sipd's ports */

static struct sim_flow *
find_flow(struct sim_sipd *s, uint64_t id)
{
    list_each (node, after, &s->flows) {
        struct sim_flow *flow = container_of(node, struct sim_flow, link);

        if (flow->id == id)
            return flow;
    }
    return NULL;
}

static struct sim_flow *
flow_with(struct sim_sipd *s, const struct hop *peer)
{
    list_each (node, after, &s->flows) {
        struct sim_flow *flow = container_of(node, struct sim_flow, link);

        if (flow->alive && hop_eq(&flow->peer, peer))
            return flow;
    }
    return NULL;
}

static struct sim_flow *
add_flow(struct sim_sipd *s, const struct hop *peer, uint16_t listener)
{
    struct sim_flow *flow = mem_new(sizeof *flow);

    BUG_ON(!flow);
    flow->id = ++s->next_flow;
    flow->peer = *peer;
    flow->peer.listener = listener;
    flow->peer.flow = flow->id;
    flow->alive = true;
    list_init(&flow->link);
    list_push(&s->flows, &flow->link);
    return flow;
}

static uint16_t
listener_for(const struct sim_sipd *s, const struct hop *to)
{
    for (unsigned i = 0; i < s->listeners_len; i++) {
        const struct hop *at = &s->listeners[i].at;

        if (at->transport == to->transport && hop_is_v4(at) == hop_is_v4(to)
            && (to->listener == 0 || to->listener == i + 1))
            return (uint16_t)(i + 1);
    }
    return 0;
}

static int
port_way(void *io, const struct hop *to, size_t bytes, struct way *out)
{
    struct sim_sipd *s = io;
    struct sim_flow *flow;
    struct hop any = *to;

    (void)bytes;
    out->to = *to;
    if (hop_is_reliable(to->transport)) {
        flow = to->flow ? find_flow(s, to->flow) : flow_with(s, to);
        if (to->flow && (!flow || !flow->alive))
            return SIPD_ECLOSED;
        any.listener = flow ? flow->peer.listener : 0;
        if (!flow && listener_for(s, &any) != 0)
            flow = add_flow(s, to, listener_for(s, &any));
        out->to.flow = flow ? flow->id : 0;
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

static void
put_gone(struct sim_sipd *s, uint64_t token)
{
    struct sim_gone *gone = mem_new(sizeof *gone);

    BUG_ON(!gone);
    gone->token = token;
    list_init(&gone->link);
    list_push(&s->gone, &gone->link);
}

static bool
is_there(struct world *w, const struct hop *to)
{
    char text[HOP_TEXT_BYTES], bare[HOP_TEXT_BYTES];

    return !span_eq(name_of(w, to, text), hop_write(to, bare));
}

/* Whatever a sipd sends must be what another SIP element reads without complaint; a 400 copies what it complains of. */
static void
check_sent(struct sim_sipd *s, struct span bytes)
{
    struct msg msg;
    struct gist gist;

    if (msg_read(bytes, &s->world->turn, &msg) != SIPD_OK) {
        world_fail(s->world, "%.*s sent what is no SIP message", SPAN_ARG(s->name));
        return;
    }
    gist_read(&msg, &gist);
    if (gist.fault != 0 && msg.status != 400)
        world_fail(s->world, "%.*s sent a message with a fault: %s", SPAN_ARG(s->name), gist.fault_reason);
}

static void
port_send(void *io, const struct hop *to, struct span bytes, uint64_t token, uint64_t need)
{
    struct sim_sipd *s = io;
    struct world *w = s->world;
    struct sim_flow *flow = to->flow ? find_flow(s, to->flow) : NULL;
    struct hop from;

    (void)need;
    check_sent(s, bytes);
    if (hop_is_reliable(to->transport) && (!flow || !flow->alive || !is_there(w, to))) {
        if (flow)
            flow->alive = false;
        if (token != 0)
            put_gone(s, token);
        return;
    }
    BUG_ON(to->listener == 0 || to->listener > s->listeners_len);
    from = s->listeners[to->listener - 1].at;
    draw(w, "->", &from, to, bytes);
    wire_send(&w->wire, w->clock.now_ms, &from, to, bytes);
}

static bool
port_ours(void *io, struct span host, uint16_t port)
{
    const struct sim_sipd *s = io;
    struct hop hop = { .port = 0 };
    bool literal = hop_ip_read(host, &hop);
    bool our_port = port == 0;

    for (unsigned i = 0; i < s->listeners_len; i++) {
        our_port |= s->listeners[i].at.port == port;
        if (literal && memcmp(s->listeners[i].at.ip, hop.ip, sizeof hop.ip) == 0
            && (port == 0 ? 5060 : port) == s->listeners[i].at.port)
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
    out->sent_by = (struct span){ s->listeners[listener - 1].sent_by, s->listeners[listener - 1].sent_by_len };
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

/* The scripted places of users: a hook like a registrar's. */
static enum sipd_verdict
where_on_targets(struct sipd_req *req, void *self)
{
    struct sim_sipd *s = self;
    char aor[256];
    int len = uri_aor_write(&req->trip->uri, aor, sizeof aor);

    list_each (node, after, &s->wheres) {
        struct sim_where *where = container_of(node, struct sim_where, link);
        struct sipd_target target = where->target;

        if (len < 0 || !span_eq(where->aor, (struct span){ aor, (size_t)len }))
            continue;
        if (where->by_flow) {
            struct sim_flow *flow = flow_with(s, &target.hop);

            target.hop.flow = flow ? flow->id : HOP_FLOW_DEAD;
        }
        if (trip_add_target(req->trip, &target) != SIPD_OK)
            return SIPD_FAIL;
    }
    return SIPD_PASS;
}

/* ------------------------------------------------------------------ sipds and peers */

struct sim_sipd *
world_add_sipd(struct world *w, struct span name)
{
    struct sim_sipd *s = mem_new(sizeof *s);

    BUG_ON(!s);
    s->world = w;
    s->name = arena_copy(&w->arena, name);
    core_conf_default(&s->conf);
    list_init(&s->wheres);
    list_init(&s->flows);
    list_init(&s->gone);
    list_init(&s->link);
    list_push(&w->sipds, &s->link);
    return s;
}

void
sim_listen(struct sim_sipd *s, const struct hop *at, uint8_t rport)
{
    struct sim_listener *listener = &s->listeners[s->listeners_len++];

    BUG_ON(s->listeners_len > countof(s->listeners));
    listener->at = *at;
    listener->at.listener = (uint16_t)s->listeners_len;
    listener->rport = rport;
    listener->sent_by_len = hop_write(at, listener->sent_by).len;
}

void
sim_start(struct sim_sipd *s)
{
    struct core_ports ports = {
        .way = port_way,
        .send = port_send,
        .ours = port_ours,
        .side = port_side,
        .knows = port_knows,
        .io = s,
        .clock = &s->world->clock,
        .rand = &s->world->rand,
        .turn = &s->world->turn,
        .counters = &s->world->counters,
        .log = &s->world->log,
        .key = { 1, s->listeners[0].at.ip[15] },
    };
    struct chain_hook hook = { .order = 600, .fn = where_on_targets, .self = s, .owner = s, .name = "script" };

    BUG_ON(core_new(&s->core, &ports, &s->conf) != SIPD_OK);
    BUG_ON(chain_add(core_chain(s->core), SIPD_ON_TARGETS, &hook) != SIPD_OK);
    sim_host_start(s);
}

bool
sim_cut(struct sim_sipd *s, const struct hop *peer)
{
    struct sim_flow *flow = flow_with(s, peer);

    if (flow)
        flow->alive = false;
    return flow != NULL;
}

struct peer *
world_add_peer(struct world *w, struct span name, const struct hop *at, struct span domain)
{
    struct peer *p = peer_new(name, at, domain);

    list_push(&w->peers, &p->link);
    return p;
}

struct peer *
world_peer(struct world *w, struct span name)
{
    list_each (node, after, &w->peers) {
        struct peer *p = container_of(node, struct peer, link);

        if (span_eq(p->name, name))
            return p;
    }
    return NULL;
}

void
world_say(struct world *w, struct peer *p, const struct hop *to, struct span bytes)
{
    struct hop dest = *to;

    dest.transport = p->at.transport;
    p->last_to = dest;
    draw(w, "->", &p->seen, &dest, bytes);
    wire_send(&w->wire, w->clock.now_ms, &p->seen, &dest, bytes);
}

/* ------------------------------------------------------------------ time */

static bool
deliver_to_sipd(struct world *w, struct sim_sipd *s, const struct wire_packet *packet)
{
    for (unsigned i = 0; i < s->listeners_len; i++) {
        struct hop from = packet->from;
        struct sim_flow *flow;
        struct frame frame;

        if (!hop_eq(&s->listeners[i].at, &packet->to))
            continue;
        from.listener = (uint16_t)(i + 1);
        from.flow = 0;
        if (hop_is_reliable(from.transport)) {
            flow = flow_with(s, &from);
            from.flow = (flow ? flow : add_flow(s, &from, from.listener))->id;
        }
        frame_datagram((struct span){ packet->bytes, packet->len }, &frame);
        if (frame.kind == FRAME_MESSAGE)
            core_bytes(s->core, &from, (struct span){ packet->bytes + frame.skip, frame.len }, frame.fault,
                       frame.fault_reason);
        (void)w;
        return true;
    }
    return false;
}

static void
deliver(struct world *w, const struct wire_packet *packet)
{
    list_each (node, after, &w->sipds)
        if (deliver_to_sipd(w, container_of(node, struct sim_sipd, link), packet))
            return;
    list_each (node, after, &w->peers) {
        struct peer *p = container_of(node, struct peer, link);

        if (hop_eq(&p->seen, &packet->to) && !p->deaf)
            peer_hear(p, &packet->from, (struct span){ packet->bytes, packet->len }, w->clock.now_ms);
    }
}

static void
tick(struct world *w)
{
    list_each (node, after, &w->sipds) {
        struct sim_sipd *s = container_of(node, struct sim_sipd, link);
        struct list *gone;

        sim_host_tick(s->host);
        core_tick(s->core);
        while ((gone = list_shift(&s->gone))) {
            core_gone(s->core, container_of(gone, struct sim_gone, link)->token, SIPD_ECLOSED);
            mem_free(gone);
        }
    }
    arena_reset(&w->turn);
}

static uint64_t
next_ms(struct world *w)
{
    uint64_t next = wire_next_ms(&w->wire);

    list_each (node, after, &w->sipds) {
        struct sim_sipd *s = container_of(node, struct sim_sipd, link);
        uint64_t core = core_next_ms(s->core), host = sim_host_next_ms(s->host);

        next = core < next ? core : next;
        next = host < next ? host : next;
        if (!list_empty(&s->gone))
            next = w->clock.now_ms;
    }
    return next;
}

static void
pass_time(struct world *w, uint64_t to_ms)
{
    static const uint64_t second = 1000;

    if (to_ms <= w->clock.now_ms)
        return;
    w->clock.wall_s += (int64_t)(to_ms / second - w->clock.now_ms / second);
    w->clock.now_ms = to_ms;
}

void
world_run(struct world *w, uint64_t until_ms, const struct peer *waiting)
{
    uint64_t next;

    while ((!waiting || list_empty(&waiting->inbox)) && (next = next_ms(w)) <= until_ms) {
        struct wire_packet *packet;

        pass_time(w, next);
        while ((packet = wire_due(&w->wire, w->clock.now_ms))) {
            deliver(w, packet);
            wire_packet_free(packet);
        }
        tick(w);
    }
    if (!waiting || list_empty(&waiting->inbox))
        pass_time(w, until_ms);
}
