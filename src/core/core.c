/*
 * The proxy core: what it holds, when it ticks (RFC 3261 §16).
 */
#include "core/core.h"

#include "base/mem.h"
#include "core/answer.h"
#include "core/backup.h"
#include "core/branch.h"
#include "core/cancel.h"
#include "core/epoch.h"
#include "core/explain.h"
#include "core/fact.h"
#include "core/mark.h"
#include "core/note.h"
#include "core/silence.h"
#include "core/state.h"
#include "core/stateless.h"
#include "core/timer_c.h"
#include "txn/answered.h"

enum {
    SCRATCH_BYTES = 1 << 20,
    REPAIR_BYTES = 16 << 20,
    SWEEP_PLACES = 4096,
    DUE_LEAST = 16, /* of each kind a turn, however long it took: so none of them waits for ever */
};

void
core_conf_default(struct core_conf *conf)
{
    *conf = (struct core_conf){
        .record_route = true,
        .path = true,
        .fork = CORE_FORK_PARALLEL,
        .relay = CORE_RELAY_OURS,
        .no_answer_ms = 120000,
        .timer_c_ms = 185000,
        .trying_ms = 200,
        .silent_ms = 4000,
        .transactions = 2000000,
        .max_targets = 32,
        .max_breadth = 60,
        .trip_bytes = 1 << 20,
        .shed_lag_ms = 100,
        .shed_queue_percent = 50,
        .flood = { .burst_s = 5, .places = 16384 },
        .repair_rows = 4096,
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
    core->count.shed_full = counters_get(counters, "core_shed_full");
    core->count.shed_load = counters_get(counters, "core_shed_load");
    core->count.flood_source = counters_get(counters, "core_flood_source");
    core->count.flood_user = counters_get(counters, "core_flood_user");
}

static void
derive_keys(struct core *core)
{
    const struct prf_key *key = &core->ports.key;

    core->mark_key = prf_derive(key, SPAN("branch"));
    core->proof_key = prf_derive(key, SPAN("branch proof"));
    core->route_key = prf_derive(key, SPAN("record-route"));
}

int
core_new(struct core **out, const struct core_ports *ports, const struct core_conf *conf)
{
    struct core *core = mem_new(sizeof *core);
    struct txn_ports txn_ports;
    struct prf_key hash_key = { rand_u64(ports->rand), rand_u64(ports->rand) };
    int err;

    *out = NULL;
    if (!core)
        return SIPD_ENOMEM;
    core->ports = *ports;
    core->conf = conf;
    note_init(core);
    chain_init(&core->chain);
    slots_init_head(&core->trips, sizeof(struct trip), TRIP_HEAD_BYTES, conf->transactions);
    slots_init_head(&core->branches, sizeof(struct branch), BRANCH_HEAD_BYTES, conf->transactions);
    timers_init(&core->timers, ports->clock->now_ms);
    list_init(&core->resumed);
    buf_init(&core->scratch, SCRATCH_BYTES);
    arena_init(&core->repair_work, REPAIR_BYTES);
    fixers_init(&core->fixers);
    get_counters(core);
    derive_keys(core);
    note_fill_txn_ports(core, &txn_ports);
    err = repairs_init(&core->repairs, ports->clock, ports->log, ports->counters, hash_key,
                       conf->repair_rows);
    if (err == SIPD_OK)
        err = txns_init(&core->txns, &txn_ports, ports->clock, ports->turn, &ports->key,
                        conf->transactions);
    flood_resize(core);
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
    core->watched = core->txns.watched = false; /* nobody dies who only ends here */
    while ((trip = slots_next(&core->trips, &cursor)))
        trip_end(trip);
    txns_fini(&core->txns);
    slots_fini(&core->trips);
    arena_spare_fini(&core->spare);
    slots_fini(&core->branches);
    flood_fini(core);
    chain_fini(&core->chain);
    buf_fini(&core->scratch);
    arena_fini(&core->repair_work);
    repairs_fini(&core->repairs);
    buf_fini(&core->record);
    mem_free(core);
    *ref = NULL;
}

void
core_set_conf(struct core *core, const struct core_conf *conf)
{
    core->conf = conf;
    flood_resize(core);
    core->txns.slots.limit = conf->transactions;
    core->trips.limit = conf->transactions;
    core->branches.limit = conf->transactions;
    core->repairs.slots.limit = conf->repair_rows;
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
    if (told.news == TXN_ASTRAY)
        backup_find(core, token);
    else
        answer_told(core, &told);
    /* it may be told behind the tick, and what it made us send must not stay for another turn */
    note_turn(core);
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
    else if (!txn)
        stateless_seen(core, to, SIPD_TRIED_BOUNCED);
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

int
core_restore(struct core *core, const struct fact *fact)
{
    struct span kind = span_of(fact->kind);

    if (span_eq(kind, SPAN(TXN_FACT)) || span_eq(kind, SPAN(ANSWERED_FACT)))
        return txns_restore(&core->txns, fact);
    if (span_eq(kind, SPAN(TRIP_FACT)))
        return trip_fact_take(core, fact);
    if (span_eq(kind, SPAN(BRANCH_FACT)))
        return branch_fact_take(core, fact);
    if (span_eq(kind, SPAN(FACT_BEGIN)))
        epoch_begin(core);
    else if (span_eq(kind, SPAN(FACT_ALL)))
        epoch_end(core);
    else if (!span_eq(kind, SPAN(FACT_TURN)))
        return SIPD_ENOENT;
    return SIPD_OK;
}

bool
core_sweep(struct core *core)
{
    return epoch_sweep(core, SWEEP_PLACES);
}

void
core_wake(struct core *core, uint64_t silent_ms)
{
    uint64_t cursor = 0;
    struct trip *trip;

    while (core_sweep(core))
        continue;
    slots_settle(&core->trips);
    slots_settle(&core->branches);
    txns_wake(&core->txns, silent_ms);
    while ((trip = slots_next(&core->trips, &cursor)))
        trip_wake(trip);
}

/* The targets at hand rang long enough: the next group's turn, or in the end 408 (proxy.no_answer_s). */
static void
no_answer(struct trip *trip)
{
    EXPLAIN_TRIP(trip, .step = STEP_TIMER, .who = SPAN("proxy.no_answer_s"));
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

        if (!silence_ends(branch))
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

/* May there be an n-th one in this turn? */
static bool
may_go_on(const struct core *core, unsigned n)
{
    return n < DUE_LEAST || !core->ports.spent || !core->ports.spent(core->ports.io);
}

void
core_tick(struct core *core)
{
    const struct timer *timer;
    struct txn_told told;
    struct list *node;

    for (unsigned n = 0;
         may_go_on(core, n) && (timer = timers_due(&core->timers, core->ports.clock->now_ms)); n++)
        fire(core, timer);
    for (unsigned n = 0; may_go_on(core, n) && txns_due(&core->txns, &told); n++)
        answer_told(core, &told);
    for (unsigned n = 0; may_go_on(core, n) && (node = list_shift(&core->resumed)); n++) {
        struct trip *trip = container_of(node, struct trip, link);

        if (trip->state == TRIP_WAITING) {
            EXPLAIN_TRIP(trip, .step = STEP_RESUMED);
            trip_go(trip);
        }
    }
    note_turn(core);
}

uint64_t
core_next_ms(const struct core *core)
{
    uint64_t trips = timers_next_ms(&core->timers);
    uint64_t txns = txns_next_ms(&core->txns);

    if (!list_empty(&core->resumed) || !core_is_told(core))
        return core->ports.clock->now_ms;
    return trips < txns ? trips : txns;
}

void
core_stats(const struct core *core, struct core_stats *out)
{
    *out = (struct core_stats){
        .trips = core->trips.used,
        .branches = core->branches.used,
        .transactions = (uint32_t)txns_held(&core->txns),
        .pending = core->pending,
        .pending_transactions = txns_pending(&core->txns),
    };
    shed_stats(core, out);
}

const struct txns *
core_txns(const struct core *core)
{
    return &core->txns;
}

const struct repairs *
core_repairs(const struct core *core)
{
    return &core->repairs;
}

struct fixers *
core_fixers(struct core *core)
{
    return &core->fixers;
}

struct chain *
core_chain(struct core *core)
{
    return &core->chain;
}
