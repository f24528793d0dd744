/*
 * Core, net and host joined by their ports. There is no decision here: each function hands on what it was given.
 */
#include "daemon/wire.h"

#include "daemon/ctl.h"
#include "daemon/fds.h"
#include "daemon/names.h"
#include "daemon/teller.h"

/* ---- net tells */

static bool
net_bytes(void *io, const struct hop *from, struct span bytes, uint16_t fault,
          const char *fault_reason)
{
    const struct daemon *d = io;

    return core_bytes(d->core, from, bytes, fault, fault_reason);
}

static bool
net_doubts(void *io, const struct hop *from, struct span bytes)
{
    const struct daemon *d = io;

    return core_doubts(d->core, from, bytes);
}

static void
net_gone(void *io, uint64_t token, int err)
{
    const struct daemon *d = io;

    core_gone(d->core, token, err);
}

static void
net_bounced(void *io, const struct hop *to, struct span bytes)
{
    const struct daemon *d = io;

    core_bounced(d->core, to, bytes);
}

/* A flow id that is gone is found out when it is used, and stores keep none across a restart: nobody needs to be told. */
static void
net_flow_gone(void *io, uint64_t flow)
{
    (void)io;
    (void)flow;
}

/* Modules first: who they wake is served in the core's tick. */
static void
net_tick(void *io)
{
    struct daemon *d = io;

    host_tick(d->host);
    core_tick(d->core);
    daemon_tick(d);
}

static uint64_t
sooner(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static uint64_t
net_next_ms(void *io)
{
    const struct daemon *d = io;

    return sooner(sooner(host_next_ms(d->host), core_next_ms(d->core)), daemon_next_ms(d));
}

void
wire_net(struct daemon *d, struct net_ports *ports)
{
    *ports = (struct net_ports){
        .bytes = net_bytes,
        .doubts = net_doubts,
        .gone = net_gone,
        .bounced = net_bounced,
        .flow_gone = net_flow_gone,
        .tick = net_tick,
        .next_ms = net_next_ms,
        .io = d,
    };
}

/* ---- core asks */

static int
core_way(void *io, const struct hop *to, size_t bytes, struct way *out)
{
    const struct daemon *d = io;

    return net_way(d->net, to, bytes, out);
}

static uint32_t
core_path_mtu(void *io, const struct hop *to)
{
    const struct daemon *d = io;

    return net_path_mtu(d->net, to);
}

/* need: facts are acknowledged at once when nobody watches. */
static void
core_send(void *io, const struct hop *to, struct span bytes, uint64_t token, uint64_t need)
{
    const struct daemon *d = io;

    (void)need;
    net_send(d->net, to, bytes, token);
}

static int
core_resolve(void *io, const struct sipd_place *place, uint64_t id)
{
    const struct daemon *d = io;

    return d->host ? host_resolve(d->host, place, id) : SIPD_ENOENT;
}

static void
core_tried(void *io, const struct hop *hop, enum sipd_tried how, uint32_t retry_after_s)
{
    const struct daemon *d = io;

    if (d->host)
        host_tried(d->host, hop, how, retry_after_s);
}

static uint64_t
core_note(void *io, const struct fact *fact)
{
    const struct daemon *d = io;

    return d->host ? host_note(d->host, fact) : 0;
}

static bool
core_ours(void *io, struct span host, uint16_t port)
{
    return names_ours(io, host, port);
}

static bool
core_side(void *io, uint16_t listener, struct core_side *out)
{
    const struct daemon *d = io;
    struct net_listener_info info;

    if (!net_listener(d->net, listener, &info))
        return false;
    *out = (struct core_side){ .sent_by = info.sent_by,
                               .transport = info.at.transport,
                               .rport = info.rport };
    return true;
}

static uint32_t
core_name(void *io, struct span host)
{
    const struct daemon *d = io;

    return net_name(d->net, host);
}

/* Which listener of the file it came to is looked up by its number: only what is odd asks. */
static const struct repair_policy *
core_repair(void *io, const struct hop *from)
{
    const struct daemon *d = io;
    size_t listener = SIZE_MAX;

    for (size_t i = 0; i < d->listeners.len; i++)
        if (d->listeners.at[i].id == from->listener)
            listener = d->listeners.at[i].origin;
    return config_repair_find(d->config, from, listener, net_turn_arena(d->net));
}

static void
core_alias(void *io, const struct hop *from, uint16_t port)
{
    const struct daemon *d = io;

    net_alias(d->net, from, port);
}

static bool
core_knows(void *io, struct span aor)
{
    const struct daemon *d = io;

    return host_knows(d->host, aor);
}

static bool
core_spent(void *io)
{
    const struct daemon *d = io;

    return net_turn_spent(d->net);
}

static void
core_load(void *io, struct core_load *out)
{
    const struct daemon *d = io;
    struct net_load load;

    net_load(d->net, &load);
    *out = (struct core_load){ .lag_ms = load.lag_ms, .queue_percent = load.queue_percent };
}

static void
core_told(void *io, const struct explain_event *event)
{
    teller_event(io, event);
}

void
wire_core(struct daemon *d, struct core_ports *ports)
{
    *ports = (struct core_ports){
        .way = core_way,
        .path_mtu = core_path_mtu,
        .send = core_send,
        .resolve = core_resolve,
        .tried = core_tried,
        .note = core_note,
        .ours = core_ours,
        .side = core_side,
        .knows = core_knows,
        .repair = core_repair,
        .spent = core_spent,
        .load = core_load,
        .name = core_name,
        .alias = core_alias,
        .explain = core_told,
        .io = d,
        .clock = &d->clock,
        .rand = &d->rand,
        .turn = net_turn_arena(d->net),
        .counters = &d->counters,
        .log = &d->core_log,
        .key = d->key,
    };
}

/* ---- host asks */

static int
host_post(void *io, void (*fn)(void *arg), void *arg)
{
    const struct daemon *d = io;

    return net_post(d->net, fn, arg);
}

static bool
host_is_ours(void *io, struct span domain, uint16_t port)
{
    return names_ours(io, domain, port);
}

static struct span
host_domain(void *io, size_t n)
{
    const struct sipd_strs *domains = &((const struct daemon *)io)->config->text.domains;

    return n < domains->len ? domains->at[n] : (struct span){ NULL, 0 };
}

static struct span
host_listener_text(void *io, uint16_t listener)
{
    return names_listener_text(io, listener);
}

static uint16_t
host_listener_find(void *io, struct span text)
{
    return names_listener_find(io, text);
}

static int
host_watch(void *io, int fd, unsigned what, void (*fn)(void *arg, unsigned ready), void *arg,
           void **watch)
{
    const struct daemon *d = io;

    return fds_watch(d->net, fd, what, fn, arg, watch);
}

static void
host_unwatch(void *io, void *watch)
{
    (void)io;
    fds_unwatch(watch);
}

struct transport_search {
    uint8_t transport;
    bool found;
};

static void
look_for_transport(void *arg, const struct net_listener_info *info)
{
    struct transport_search *search = arg;

    search->found |= info->at.transport == search->transport;
}

/* No room for one more connection is no want of a listener. */
static bool
host_can_send(void *io, const struct hop *to)
{
    static const struct hop any;
    const struct daemon *d = io;
    struct transport_search search = { .transport = to->transport };
    struct way way;

    if (memcmp(to->ip, any.ip, sizeof to->ip) != 0)
        return net_way(d->net, to, 0, &way) != SIPD_ENOENT;
    net_each_listener(d->net, look_for_transport, &search);
    return search.found;
}

static void
host_set_rest(void *io, uint32_t ms)
{
    const struct daemon *d = io;

    net_set_rest(d->net, ms);
}

static void
host_answered(void *io, uint64_t answer_id, const struct sipd_answer *answer)
{
    const struct daemon *d = io;

    if (d->ctl)
        ctl_answered(d->ctl, answer_id, answer);
}

static int
host_offer_transport(void *io, uint8_t transport, const struct sipd_transport_ops *ops, void *self)
{
    const struct daemon *d = io;

    return net_offer_transport(d->net, transport, ops, self);
}

static void
host_withdraw_transport(void *io, uint8_t transport)
{
    const struct daemon *d = io;

    net_withdraw_transport(d->net, transport);
}

static uint32_t
host_transport_conns(void *io, uint8_t transport)
{
    const struct daemon *d = io;

    return net_transport_conns(d->net, transport);
}

void
wire_host(struct daemon *d, struct host_ports *ports)
{
    *ports = (struct host_ports){
        .post = host_post,
        .is_ours = host_is_ours,
        .domain = host_domain,
        .listener_text = host_listener_text,
        .listener_find = host_listener_find,
        .watch = host_watch,
        .unwatch = host_unwatch,
        .can_send = host_can_send,
        .set_rest = host_set_rest,
        .answered = host_answered,
        .offer_transport = host_offer_transport,
        .withdraw_transport = host_withdraw_transport,
        .transport_conns = host_transport_conns,
        .io = d,
        .clock = &d->clock,
        .rand = &d->rand,
        .counters = &d->counters,
        .log = &d->host_log,
        .state_dir = span_of(d->state_dir),
    };
}
