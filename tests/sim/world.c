/*
 * Whole servers and phones in one process, on a virtual clock and a simulated network.
 */
#include "sim/world.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/mem.h"
#include "sim/doors.h"
#include "sim/modules.h"
#include "sim/passage.h"
#include "sim/pcap.h"
#include "sim/standby.h"
#include "sim/where.h"

enum { WORLD_BYTES = 64 << 20, TURN_BYTES = 64 << 20, LADDER_BYTES = 4 << 20, START_MS = 1000 };

void
world_init(struct world *w, uint64_t seed)
{
    memset(w, 0, sizeof *w);
    w->clock = (struct clock){ .now_ms = START_MS, .wall_s = 1800000000 };
    rand_seed(&w->rand, seed);
    wire_init(&w->wire, seed + 1, START_MS);
    timers_init(&w->errands, START_MS);
    counters_init(&w->counters);
    arena_init(&w->arena, WORLD_BYTES);
    arena_init(&w->turn, TURN_BYTES);
    list_init(&w->sipds);
    list_init(&w->peers);
    list_init(&w->names);
    BUG_ON(table_init(&w->ends) != SIPD_OK);
    w->passage = passage_new();
    buf_init(&w->ladder, LADDER_BYTES);
    buf_init(&w->fault, 4096);
}

static void
free_list(struct list *list)
{
    struct list *node;

    while ((node = list_shift(list)))
        mem_free(node); /* link is the first member of each */
}

static void
server_free(struct sim_sipd *s)
{
    list_remove(&s->link);
    sim_host_free(&s->host);
    standby_free(&s->standby);
    core_free(&s->core);
    free_list(&s->wheres);
    free_list(&s->gone);
    doors_fini(s);
    mem_free(s);
}

void
world_fini(struct world *w)
{
    struct timer *errand;

    (void)world_mend_memory(w);
    list_each (node, after, &w->sipds)
        server_free(container_of(node, struct sim_sipd, link));
    list_each (node, after, &w->peers)
        peer_free(container_of(node, struct peer, link));
    while ((errand = timers_due(&w->errands, UINT64_MAX)))
        mem_free(errand); /* the first member too */
    free_list(&w->names);
    table_fini(&w->ends);
    passage_free(&w->passage);
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
    char text[4000];
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

uint64_t
world_hop_hash(const struct hop *hop)
{
    uint64_t halves[2];

    memcpy(halves, hop->ip, sizeof halves);
    return (halves[0] * 31 + halves[1] + hop->port * 4u + hop->transport) * 0x9e3779b97f4a7c15u;
}

/* ------------------------------------------------------------------ memory that fails */

void
world_fail_memory(struct world *w, uint64_t n, uint32_t outage_ms)
{
    w->memory_fails = true;
    w->outage_ms = outage_ms;
    w->outage_until_ms = UINT64_MAX;
    mem_fail_hold(true);
    mem_fail_after(n);
}

bool
world_mend_memory(struct world *w)
{
    if (!w->memory_fails)
        return false;
    w->memory_fails = false;
    mem_fail_never();
    mem_fail_hold(false);
    return mem_failed();
}

void
world_enter(struct world *w)
{
    if (w->memory_fails)
        mem_fail_hold(false);
}

void
world_leave(struct world *w)
{
    if (w->memory_fails)
        mem_fail_hold(true);
}

static void
end_outage(struct world *w)
{
    if (!w->memory_fails || !mem_failed())
        return;
    if (w->outage_until_ms == UINT64_MAX)
        w->outage_until_ms = w->clock.now_ms + w->outage_ms;
    if (w->clock.now_ms >= w->outage_until_ms)
        mem_fail_never();
}

/* ------------------------------------------------------------------ who is where */

static bool
is_at(const struct table_node *node, const void *at)
{
    return hop_eq(&container_of_const(node, struct sim_end, node)->at, at);
}

static struct sim_end *
find_end(const struct world *w, const struct hop *at)
{
    struct table_node *node =
        w->ends.used > 0 ? table_find(&w->ends, world_hop_hash(at), is_at, at) : NULL;

    return node ? container_of(node, struct sim_end, node) : NULL;
}

static struct peer *
find_peer(const struct world *w, const struct hop *at)
{
    list_each (node, after, &w->peers) {
        struct peer *p = container_of(node, struct peer, link);

        if (hop_eq(&p->seen, at))
            return p;
    }
    return NULL;
}

static struct sim_sipd *
find_sipd(const struct world *w, const struct hop *at)
{
    list_each (node, after, &w->sipds) {
        struct sim_sipd *s = container_of(node, struct sim_sipd, link);

        for (unsigned i = 0; i < s->listeners_len; i++)
            if (hop_eq(&s->listeners[i].at, at))
                return s;
    }
    return NULL;
}

bool
world_is_there(struct world *w, const struct hop *at)
{
    const struct sim_end *end = find_end(w, at);

    return end ? !end->off : find_sipd(w, at) || find_peer(w, at);
}

static struct span
name_of(const struct world *w, const struct hop *at, char text[HOP_TEXT_BYTES])
{
    const struct sim_end *end = find_end(w, at);
    const struct sim_sipd *s = find_sipd(w, at);
    const struct peer *p = find_peer(w, at);

    return end ? end->name : p ? p->name : s ? s->name : hop_write(at, text);
}

/* ------------------------------------------------------------------ the ladder */

static bool
is_drawn(const struct world *w, struct span bytes)
{
    if (w->ladder_off || bytes.len == 0)
        return false;
    return w->ladder_of.len == 0 || memmem(bytes.at, bytes.len, w->ladder_of.at, w->ladder_of.len);
}

static void
drop_first_line(struct world *w)
{
    if (w->ladder_max == 0 || w->ladder_lines++ < w->ladder_max)
        return;
    buf_drop(&w->ladder, span_find(buf_span(&w->ladder), '\n') + 1);
}

static void
draw(struct world *w, const char *arrow, const struct hop *from, const struct hop *to,
     struct span bytes)
{
    char a[HOP_TEXT_BYTES], b[HOP_TEXT_BYTES];
    struct span first = span_head(bytes, span_find(bytes, '\r'));

    drop_first_line(w);
    buf_printf(&w->ladder, "%9.3f  %-8.*s %s %-8.*s %s %.*s\n",
               (double)(w->clock.now_ms - START_MS) / 1000.0, SPAN_ARG(name_of(w, from, a)), arrow,
               SPAN_ARG(name_of(w, to, b)), hop_is_reliable(to->transport) ? "tcp" : "udp",
               SPAN_ARG(first));
}

void
world_send(struct world *w, const struct hop *from, const struct hop *to, struct span bytes)
{
    unsigned copies = wire_send(&w->wire, w->clock.now_ms, from, to, bytes);

    if (w->pcap)
        pcap_put(w->pcap, w->clock.now_ms, from, to, bytes);
    if (is_drawn(w, bytes))
        draw(w, copies == 0 ? "-x" : copies > 1 ? "=>" : "->", from, to, bytes);
}

/* ------------------------------------------------------------------ sipds, peers, ends and names */

struct sim_sipd *
world_add_sipd(struct world *w, struct span name)
{
    struct sim_sipd *s = mem_new(sizeof *s);

    BUG_ON(!s);
    s->world = w;
    s->name = arena_copy(&w->arena, name);
    core_conf_default(&s->conf);
    list_init(&s->wheres);
    list_init(&s->thoughts);
    list_init(&s->gone);
    list_init(&s->link);
    doors_init(s);
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
    struct core_ports ports;

    doors_fill(s, &ports);
    BUG_ON(core_new(&s->core, &ports, &s->conf) != SIPD_OK);
    core_explain(s->core, s->world->rehearsals != NULL);
    where_start(s, s->core);
    sim_host_start(s);
    if (s->world->standbys)
        standby_start(s);
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

struct sim_name *
world_add_name(struct world *w, struct span host)
{
    struct sim_name *name = mem_new(sizeof *name);

    BUG_ON(!name);
    name->host = arena_copy(&w->arena, host);
    list_init(&name->link);
    list_push(&w->names, &name->link);
    return name;
}

void
world_add_end(struct world *w, struct sim_end *end)
{
    table_insert(&w->ends, &end->node, world_hop_hash(&end->at));
}

void
world_say(struct world *w, struct peer *p, const struct hop *to, struct span bytes)
{
    struct hop dest = *to;

    dest.transport = p->at.transport;
    dest.flow = 0;
    p->last_to = dest;
    if (span_starts(bytes, SPAN("REGISTER ")))
        p->registered_to = dest;
    p->said_ms = w->clock.now_ms;
    p->away = false;
    world_send(w, &p->seen, &dest, bytes);
}

/* ------------------------------------------------------------------ time */

static void
deliver(struct world *w, const struct wire_packet *packet)
{
    struct sim_end *end = find_end(w, &packet->to);
    struct peer *p;

    if (end) {
        if (!end->off)
            end->hear(end, &packet->from, wire_bytes(packet));
        return;
    }
    list_each (node, after, &w->sipds)
        if (doors_hear(container_of(node, struct sim_sipd, link), packet))
            return;
    p = find_peer(w, &packet->to);
    if (p && !p->deaf)
        peer_hear(p, &packet->from, wire_bytes(packet), w->clock.now_ms);
}

void
sim_later(struct sim_sipd *s, struct errand *errand, uint32_t after_ms,
          void (*run)(struct errand *errand))
{
    struct world *w = s->world;

    errand->sipd = s;
    errand->run = run;
    timer_init(&errand->timer);
    timers_arm(&w->errands, &errand->timer, w->clock.now_ms + after_ms, 0, 0);
}

static void
run_errands(struct world *w)
{
    struct timer *timer;

    while ((timer = timers_due(&w->errands, w->clock.now_ms))) {
        struct errand *errand = container_of(timer, struct errand, timer);

        errand->run(errand);
    }
}

static void
tick_sipd(struct world *w, struct sim_sipd *s)
{
    world_enter(w);
    sim_host_tick(s->host);
    core_tick(s->core);
    doors_tell_gone(s);
    if (s->standby)
        sim_host_tick(standby_host(s->standby));
    world_leave(w);
    (void)standby_turn(s);
}

static void
end_turn(struct world *w)
{
    run_errands(w);
    list_each (node, after, &w->sipds)
        tick_sipd(w, container_of(node, struct sim_sipd, link));
    end_outage(w);
    arena_reset(&w->turn);
}

static uint64_t
earlier(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static uint64_t
next_ms(struct world *w)
{
    uint64_t next = earlier(wire_next_ms(&w->wire), timers_next_ms(&w->errands));

    if (w->driver)
        next = earlier(next, w->driver->next_ms(w->driver->self));
    list_each (node, after, &w->sipds) {
        struct sim_sipd *s = container_of(node, struct sim_sipd, link);

        next = earlier(next, earlier(core_next_ms(s->core), sim_host_next_ms(s->host)));
        if (s->standby)
            next = earlier(next, sim_host_next_ms(standby_host(s->standby)));
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
        if (w->driver)
            w->driver->tick(w->driver->self);
        while ((packet = wire_due(&w->wire, w->clock.now_ms))) {
            deliver(w, packet);
            wire_packet_free(packet);
            if (w->one_a_turn)
                end_turn(w);
        }
        end_turn(w);
    }
    if (!waiting || list_empty(&waiting->inbox))
        pass_time(w, until_ms);
}
