/*
 * Overload: new work is refused before the server collapses under it, dialogs under way come last (RFC 3261 §21.5.4).
 */
#include "core/shed.h"

#include <stdio.h>

#include "core/state.h"

enum { STEP_MS = 100, RISE = SHED_ALL / 4 };

/* ---------------------------------------------------------------- what is pending */

/* Above half of the ceiling; once there, until it is a sixteenth less. */
static bool
is_full(const struct core *core)
{
    uint32_t half = core->conf->transactions / 2;
    uint32_t from = core->shed.full ? half - core->conf->transactions / 16 : half;

    return txns_pending(&core->txns) >= from;
}

/* ---------------------------------------------------------------- whether the loop keeps up */

static bool
is_above(const struct core_conf *conf, const struct core_load *load, uint32_t part)
{
    return load->lag_ms * part > conf->shed_lag_ms ||
           load->queue_percent * part > conf->shed_queue_percent;
}

static void
ask(const struct core *core, struct core_load *load)
{
    *load = (struct core_load){ 0, 0 };
    if (core->ports.load)
        core->ports.load(core->ports.io, load);
}

/* Rises while it is too much, falls below half of that; between the two it stays. */
static uint32_t
next_share(const struct core *core, const struct core_load *load)
{
    uint64_t steps = (core->ports.clock->now_ms - core->shed.asked_ms) / STEP_MS;
    uint32_t share = core->shed.share;

    if (is_above(core->conf, load, 1))
        return share + RISE < SHED_ALL ? share + RISE : SHED_ALL;
    if (is_above(core->conf, load, 2))
        return share;
    return steps < share ? share - (uint32_t)steps : 0;
}

static bool
is_due(const struct core *core)
{
    return core->ports.clock->now_ms - core->shed.asked_ms >= STEP_MS;
}

static void
tell(const struct core *core, const struct core_load *load, bool begins)
{
    char lag_ms[16], queue_percent[16];

    snprintf(lag_ms, sizeof lag_ms, "%u", load->lag_ms);
    snprintf(queue_percent, sizeof queue_percent, "%u", load->queue_percent);
    log_event(core->ports.log, begins ? LOG_LVL_WARN : LOG_LVL_INFO,
              begins ? "overloaded" : "not-overloaded", "lag_ms", lag_ms, "queue_percent",
              queue_percent, NULL);
}

APART static void
update_share(struct core *core)
{
    struct core_load load;
    uint32_t before = core->shed.share;

    ask(core, &load);
    core->shed.share = next_share(core, &load);
    core->shed.asked_ms = core->ports.clock->now_ms;
    if ((before == 0) != (core->shed.share == 0))
        tell(core, &load, before == 0);
}

/* ---------------------------------------------------------------- who is refused */

/* By what its repeats have too, so that nobody is refused who was let in a moment ago. */
static bool
is_in_share(const struct core *core, const struct gist *gist)
{
    uint64_t lot = prf_hash(&core->mark_key, gist->call_id) + gist->cseq * 0x9e3779b97f4a7c15u;

    return (lot >> 32) % SHED_ALL < core->shed.share;
}

bool
shed_refuses(struct core *core, const struct gist *gist, bool dry)
{
    core->shed.full = is_full(core);
    if (is_due(core))
        update_share(core);
    if (core->shed.full)
        *core->count.shed_full += !dry;
    else if (core->shed.share > 0 && is_in_share(core, gist))
        *core->count.shed_load += !dry;
    else
        return false;
    return true;
}

void
shed_stats(const struct core *core, struct core_stats *out)
{
    struct core_load load;
    uint32_t share;

    ask(core, &load);
    share = is_due(core) ? next_share(core, &load) : core->shed.share;
    out->full = is_full(core);
    out->shed_percent = out->full ? 100 : share * 100 / SHED_ALL;
    out->lag_ms = load.lag_ms;
    out->queue_percent = load.queue_percent;
}
