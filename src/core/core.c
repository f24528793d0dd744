/*
 * The proxy core: what it holds, when it ticks (RFC 3261 §16).
 */
#include "core/core.h"

#include "base/mem.h"
#include "core/answer.h"
#include "core/branch.h"
#include "core/cancel.h"
#include "core/mark.h"
#include "core/state.h"
#include "core/timer_c.h"

enum { SCRATCH_BYTES = 1 << 20 };

void
core_conf_default(struct core_conf *conf)
{
    *conf = (struct core_conf){
        .record_route = true,
        .fork = CORE_FORK_PARALLEL,
        .relay = CORE_RELAY_OURS,
        .no_answer_ms = 120000,
        .timer_c_ms = 185000,
        .trying_ms = 200,
        .transactions = 2000000,
        .max_targets = 32,
        .max_breadth = 60,
        .trip_bytes = 1 << 20,
    };
}

static void
get_counters(struct core *core)
{
    struct counters *counters = core->ports.counters;

    core->count.requests = counters_get(counters, "core_requests");
    core->count.responses = counters_get(counters, "core_responses");
    core->count.dropped = counters_get(counters, "core_dropped");
    core->count.refused = counters_get(counters, "core_refused");
    core->count.strays = counters_get(counters, "core_stray_responses");
    core->count.trips = counters_get(counters, "core_trips");
    core->count.forged_routes = counters_get(counters, "core_forged_routes");
    core->count.unsent = counters_get(counters, "core_unsent");
}

static void
derive_keys(struct core *core)
{
    const struct prf_key *key = &core->ports.key;

    core->branch_key = prf_derive(key, SPAN("branch"));
    core->proof_key = prf_derive(key, SPAN("branch proof"));
    core->tag_key = prf_derive(key, SPAN("to-tag"));
    core->route_key = prf_derive(key, SPAN("record-route"));
}

int
core_new(struct core **out, const struct core_ports *ports, const struct core_conf *conf)
{
    struct core *core = mem_new(sizeof *core);
    struct txn_ports txn_ports = { .send = ports->send, .note = ports->note, .io = ports->io };
    struct prf_key hash_key = { rand_u64(ports->rand), rand_u64(ports->rand) };
    int err;

    *out = NULL;
    if (!core)
        return SIPD_ENOMEM;
    core->ports = *ports;
    core->conf = conf;
    chain_init(&core->chain);
    slots_init(&core->trips, sizeof(struct trip), conf->transactions);
    slots_init(&core->branches, sizeof(struct branch), conf->transactions);
    timers_init(&core->timers, ports->clock->now_ms);
    list_init(&core->resumed);
    buf_init(&core->scratch, SCRATCH_BYTES);
    get_counters(core);
    derive_keys(core);
    err = txns_init(&core->txns, &txn_ports, ports->clock, ports->turn, &hash_key,
                    conf->transactions);
    if (err == SIPD_OK)
        *out = core;
    else
        core_free(&core);
    return err;
}

void
core_free(struct core **ref)
{
    struct core *core = *ref;
    uint64_t cursor = 0;
    struct trip *trip;

    if (!core)
        return;
    while ((trip = slots_next(&core->trips, &cursor)))
        trip_end(trip);
    txns_fini(&core->txns);
    slots_fini(&core->trips);
    slots_fini(&core->branches);
    chain_fini(&core->chain);
    buf_fini(&core->scratch);
    mem_free(core);
    *ref = NULL;
}

void
core_set_conf(struct core *core, const struct core_conf *conf)
{
    core->conf = conf;
    core->txns.slots.limit = conf->transactions;
    core->trips.limit = conf->transactions;
    core->branches.limit = conf->transactions;
}

void
core_drain(struct core *core, bool on, uint32_t retry_after_s)
{
    core->draining = on;
    core->retry_after_s = retry_after_s;
}

void
core_gone(struct core *core, uint64_t token, int err)
{
    struct txn_told told;

    (void)err;
    txns_gone(&core->txns, token, &told);
    answer_told(core, &told);
}

void
core_bounced(struct core *core, const struct hop *to, struct span bytes)
{
    struct gist gist;
    struct msg msg;
    struct txn *txn;
    uint64_t loop;

    if (msg_read(bytes, core->ports.turn, &msg) != SIPD_OK || !msg_is_request(&msg))
        return;
    gist_read(&msg, &gist);
    if (!mark_branch_is_ours(core, &gist.via, &loop))
        return;
    gist.method = msg.method;
    txn = txns_find_client(&core->txns, &gist);
    if (txn && hop_eq(&txn->hop, to))
        core_gone(core, txn->id, SIPD_ECLOSED);
}

void
core_resume(struct core *core, uint64_t id)
{
    struct trip *trip = slots_find(&core->trips, id);

    /* A hook may hear its answer before it has returned SIPD_WAIT. */
    if (trip && (trip->state == TRIP_WAITING || trip->state == TRIP_ASKING) &&
        list_empty(&trip->link))
        list_push(&core->resumed, &trip->link);
}

/* The targets at hand rang long enough: the next group's turn, or in the end 408 (proxy.no_answer_s). */
static void
no_answer(struct trip *trip)
{
    cancel_branches(trip, 408, (struct span){ NULL, 0 });
    trip_settle(trip);
}

static void
fire(struct core *core, const struct timer *timer)
{
    enum core_timer kind = (enum core_timer)timer->kind;

    if (kind == TIMER_BRANCH) {
        struct branch *branch = slots_find(&core->branches, timer->id);
        struct trip *trip = branch->trip;

        timer_c_fired(branch);
        trip_settle(trip);
    } else if (kind == TIMER_NO_ANSWER) {
        no_answer(slots_find(&core->trips, timer->id));
    } else if (kind == TIMER_SILENT) {
        trip_settle(slots_find(&core->trips, timer->id));
    } else {
        trip_trying(core, timer->id);
    }
}

void
core_tick(struct core *core)
{
    const struct timer *timer;
    struct txn_told told;
    struct list *node;

    while ((timer = timers_due(&core->timers, core->ports.clock->now_ms)))
        fire(core, timer);
    while (txns_due(&core->txns, &told))
        answer_told(core, &told);
    while ((node = list_shift(&core->resumed))) {
        struct trip *trip = container_of(node, struct trip, link);

        if (trip->state == TRIP_WAITING)
            trip_go(trip);
    }
}

uint64_t
core_next_ms(const struct core *core)
{
    uint64_t trips = timers_next_ms(&core->timers);
    uint64_t txns = txns_next_ms(&core->txns);

    if (!list_empty(&core->resumed))
        return core->ports.clock->now_ms;
    return trips < txns ? trips : txns;
}

void
core_stats(const struct core *core, struct core_stats *out)
{
    *out = (struct core_stats){
        .trips = core->trips.used,
        .branches = core->branches.used,
        .transactions = core->txns.slots.used,
        .pending = core->pending,
    };
}

const struct txns *
core_txns(const struct core *core)
{
    return &core->txns;
}

struct chain *
core_chain(struct core *core)
{
    return &core->chain;
}
