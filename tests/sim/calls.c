/*
 * Random calls from a seed: the world they happen in, when they begin and end, and what must be left when all
 * is quiet.
 */
#include "sim/calls.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/mem.h"
#include "sim/judge.h"
#include "sim/passage.h"
#include "sim/strict.h"
#include "sim/ua.h"

enum {
    CALL_BYTES = 4 << 20,
    CALLS_MAX = 1 << 20,
    SCRATCH_BYTES = 1 << 18,
    /* a call is closed when nobody said anything for so long: longer than any repeat takes */
    LINGER_MS = 40000,
    LATEST_MS = 4000000, /* a call that is open so long after the last one began never ends */
    QUIET_MS = 70000,    /* what is left of transactions is gone then */
    /* unless something illegal began what nobody ends: Timer C, group for group */
    BUSY_MS = 3600000,
    SILENCE_MS = 600000, /* and nothing more is said for so long */
    STEP_MS = 10000,
    LADDER_LINES = 200,
};

/* ------------------------------------------------------------------ calls */

void
call_fail(struct call *call, const char *format, ...)
{
    struct calls *c = call->calls;
    char text[4096];
    va_list args;

    if (c->world.fault.len > 0)
        return;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    world_fail(&c->world, "%s", text);
    c->failed = arena_copy(&c->world.arena, call->call_id);
}

struct span
call_text(struct call *call, const char *format, ...)
{
    struct span text = { NULL, 0 };
    va_list args, again;
    char *to;

    va_start(args, format);
    va_copy(again, args);
    text.len = (size_t)vsnprintf(NULL, 0, format, args);
    text.at = to = arena_alloc(&call->arena, text.len + 1);
    BUG_ON(!to);
    (void)vsnprintf(to, text.len + 1, format, again);
    va_end(again);
    va_end(args);
    return text;
}

struct span
call_keep(struct call *call, struct span s)
{
    struct span kept = arena_copy(&call->arena, s);

    BUG_ON(!kept.at);
    return kept;
}

void
call_arm(struct call *call, struct timer *timer, uint32_t after_ms, enum ua_timer kind)
{
    struct calls *c = call->calls;

    timers_arm(&c->timers, timer, c->world.clock.now_ms + after_ms, kind, call->id);
}

struct call *
call_new(struct calls *c)
{
    struct list *spare = list_shift(&c->spare);
    struct call *call = spare ? container_of(spare, struct call, link) : mem_new(sizeof *call);
    struct call **slot;

    BUG_ON(!call);
    if (!spare)
        arena_init(&call->arena, CALL_BYTES);
    slot = slots_new(&c->ids, &call->id);
    BUG_ON(!slot);
    *slot = call;
    call->calls = c;
    call->busy = call->serial = 0;
    call->tainted = c->conf->memory_fails;
    call->style = upto(c, STYLES - 1);
    call->last_ms = c->world.clock.now_ms;
    call->call_id = (struct span){ call->call_id_text, 0 };
    call->call_id.len = (size_t)snprintf(call->call_id_text, sizeof call->call_id_text, "%llx@sim",
                                         (unsigned long long)call->id);
    list_init(&call->link);
    list_init(&call->deals);
    list_init(&call->legs);
    list_init(&call->servers);
    timer_init(&call->close);
    c->begun++;
    c->open++;
    return call;
}

static uint64_t
read_hex(struct span digits)
{
    uint64_t value = 0;

    for (size_t i = 0; i < digits.len && i < 16; i++)
        value = value << 4 |
                (uint64_t)(digits.at[i] <= '9' ? digits.at[i] - '0' : digits.at[i] - 'a' + 10);
    return value;
}

struct call *
call_find(const struct calls *c, struct span call_id)
{
    struct call **slot = slots_find(&c->ids, read_hex(span_head(call_id, span_find(call_id, '@'))));

    return slot && span_eq((*slot)->call_id, call_id) ? *slot : NULL;
}

void
call_rests(struct call *call)
{
    if (call->busy == 0)
        call_arm(call, &call->close, LINGER_MS, TIMER_CLOSE);
}

static void
end_deals(struct call *call)
{
    list_each (node, after, &call->deals)
        deal_end(container_of(node, struct deal, link));
    list_each (node, after, &call->legs)
        leg_end(container_of(node, struct leg, link));
}

static void
call_end(struct call *call)
{
    struct calls *c = call->calls;

    end_deals(call);
    timers_disarm(&c->timers, &call->close);
    judge_close(c->judge, call);
    slots_free(&c->ids, call->id);
    arena_reset(&call->arena);
    list_push(&c->spare, &call->link);
    c->open--;
}

static void
try_to_close(struct call *call)
{
    struct calls *c = call->calls;

    if (call->busy > 0)
        return; /* its rest will arm the timer again */
    if (c->world.clock.now_ms < call->last_ms + LINGER_MS || !judge_is_settled(call))
        call_arm(call, &call->close, LINGER_MS, TIMER_CLOSE);
    else
        call_end(call);
}

/* ------------------------------------------------------------------ the driver */

static void
begin_call(struct calls *c)
{
    uint32_t n = upto(c, 99);

    c->next_call_ms = c->world.clock.now_ms + upto(c, c->apart_ms);
    caller_begin(c, any_ua(c),
                 n < 70                        ? CALL_INVITE
                 : n < 88 || c->world.standbys ? CALL_ASK
                                               : CALL_REGISTER);
    c->figures.calls++;
}

static uint64_t
driver_next_ms(void *self)
{
    struct calls *c = self;
    uint64_t next = timers_next_ms(&c->timers);

    if (c->begun < c->conf->calls && c->next_call_ms < next)
        next = c->next_call_ms;
    if (c->stormy && c->open > 0 && c->next_weather_ms < next)
        next = c->next_weather_ms;
    return next;
}

static void
fire(struct timer *timer)
{
    switch ((enum ua_timer)timer->kind) {
    case TIMER_REPEAT: deal_timer(container_of(timer, struct deal, repeat), timer); break;
    case TIMER_TIMEOUT: deal_timer(container_of(timer, struct deal, timeout), timer); break;
    case TIMER_NEXT: deal_timer(container_of(timer, struct deal, next), timer); break;
    case TIMER_LEG: leg_timer(container_of(timer, struct leg, next)); break;
    case TIMER_CLOSE: try_to_close(container_of(timer, struct call, close)); break;
    }
}

static void
driver_tick(void *self)
{
    struct calls *c = self;
    struct timer *timer;

    while ((timer = timers_due(&c->timers, c->world.clock.now_ms)))
        fire(timer);
    if (c->stormy && c->next_weather_ms <= c->world.clock.now_ms)
        scene_change_weather(c);
    while (c->begun < c->conf->calls && c->next_call_ms <= c->world.clock.now_ms)
        begin_call(c);
}

/* ------------------------------------------------------------------ begin and end */

static void
calls_init(struct calls *c, const struct calls_conf *conf)
{
    memset(c, 0, sizeof *c);
    c->conf = conf;
    world_init(&c->world, conf->seed);
    rand_seed(&c->rand, conf->seed + 2);
    slots_init(&c->ids, sizeof(struct call *), CALLS_MAX);
    list_init(&c->spare);
    BUG_ON(table_init(&c->deals) != SIPD_OK);
    timers_init(&c->timers, c->world.clock.now_ms);
    buf_init(&c->scratch, SCRATCH_BYTES);
    buf_init(&c->odd, SCRATCH_BYTES);
    for (unsigned i = 0; i < OLD; i++)
        buf_init(&c->old[i], SCRATCH_BYTES);
    c->judge = judge_new(c);
    c->driver = (struct world_driver){ driver_next_ms, driver_tick, c };
    c->world.driver = &c->driver;
    c->world.ladder_off = true;
    c->world.ladder_max = LADDER_LINES;
    c->next_call_ms = c->next_weather_ms = c->world.clock.now_ms;
    c->world.pcap = conf->pcap;
    scene_build(c);
}

static void
calls_fini(struct calls *c)
{
    struct call **slot;
    struct list *spare;
    uint64_t cursor = 0;

    while ((slot = slots_next(&c->ids, &cursor)))
        call_end(*slot);
    while ((spare = list_shift(&c->spare))) {
        struct call *call = container_of(spare, struct call, link);

        arena_fini(&call->arena);
        mem_free(call);
    }
    judge_free(&c->judge);
    slots_fini(&c->ids);
    table_fini(&c->deals);
    buf_fini(&c->scratch);
    buf_fini(&c->odd);
    for (unsigned i = 0; i < OLD; i++)
        buf_fini(&c->old[i]);
    strict_free(&c->strict);
    world_fini(&c->world);
}

/* ------------------------------------------------------------------ from the first call to the last */

static void
check_all_ended(struct calls *c)
{
    struct call **slot;
    uint64_t cursor = 0;

    while ((slot = slots_next(&c->ids, &cursor)))
        call_fail(*slot, "a call never ends: %u of its transactions and dialogs are alive%s",
                  (*slot)->busy,
                  judge_is_settled(*slot) ? "" : ", and a sipd never answered its INVITE");
}

static void
check_nothing_left(struct calls *c)
{
    list_each (node, after, &c->world.sipds) {
        struct sim_sipd *s = container_of(node, struct sim_sipd, link);
        struct core_stats stats;

        core_stats(s->core, &stats);
        if (stats.trips + stats.branches + stats.transactions + stats.pending > 0)
            world_fail(
                &c->world, "%.*s still holds %u trips, %u branches, %u transactions, %u pending",
                SPAN_ARG(s->name), stats.trips, stats.branches, stats.transactions, stats.pending);
    }
}

static bool
is_busy(const struct calls *c)
{
    list_each (node, after, &c->world.sipds)
        if (core_next_ms(container_of(node, struct sim_sipd, link)->core) != UINT64_MAX)
            return true;
    return false;
}

static void
wait_for_quiet(struct calls *c)
{
    struct world *w = &c->world;
    uint64_t latest_ms = w->clock.now_ms + BUSY_MS;

    world_run(w, w->clock.now_ms + QUIET_MS, NULL);
    while (is_busy(c) && (c->naughty || c->conf->memory_fails) && w->clock.now_ms < latest_ms)
        world_run(w, w->clock.now_ms + STEP_MS, NULL);
}

static void
run(struct calls *c)
{
    struct world *w = &c->world;
    uint64_t sent, latest_ms = UINT64_MAX;

    while (w->fault.len == 0 && (c->begun < c->conf->calls || c->open > 0) &&
           w->clock.now_ms < latest_ms) {
        world_run(w, w->clock.now_ms + STEP_MS, NULL);
        if (c->begun == c->conf->calls && latest_ms == UINT64_MAX)
            latest_ms = w->clock.now_ms + LATEST_MS;
    }
    check_all_ended(c);
    wait_for_quiet(c);
    check_nothing_left(c);
    sent = w->wire.sent;
    world_run(w, w->clock.now_ms + SILENCE_MS, NULL);
    if (w->wire.sent != sent)
        world_fail(w, "something was said after all had ended");
}

static void
sum_up(struct calls *c, struct calls_figures *figures)
{
    figures->calls += c->figures.calls;
    figures->requests += c->figures.requests;
    figures->responses += c->figures.responses;
    figures->answered += c->figures.answered;
    figures->refused += c->figures.refused;
    figures->cancelled += c->figures.cancelled;
    figures->unanswered += c->figures.unanswered;
    figures->mischief += c->figures.mischief;
    figures->by_strict += c->strict ? strict_passed(c->strict) : 0;
    figures->shed += *counters_get(&c->world.counters, "core_shed_load");
    figures->kills += c->world.kills;
    figures->bounced += c->world.bounced;
    figures->thoughts += c->world.thoughts;
    figures->held += c->world.wire.held;
    figures->passed += passage_compared(c->world.passage);
    figures->lost += c->world.wire.lost;
    figures->doubled += c->world.wire.doubled;
    figures->world_s += c->world.clock.now_ms / 1000;
}

/* Once; of: the call whose ladder is wanted. True: all was well. */
static bool
run_once(const struct calls_conf *conf, struct calls_figures *figures, struct span of,
         struct buf *call_id, struct buf *out)
{
    uint64_t live = mem_live();
    struct calls c;
    bool ok;

    calls_init(&c, conf);
    c.world.ladder_of = of;
    c.world.ladder_off = of.len == 0;
    if (conf->memory_fails)
        world_fail_memory(&c.world, conf->fail_after, conf->outage_ms);
    run(&c);
    figures->memory_failed = world_mend_memory(&c.world);
    sum_up(&c, figures);
    ok = c.world.fault.len == 0;
    if (!ok) {
        buf_clear(out);
        buf_printf(out, "%.*s\n%.*s", SPAN_ARG(buf_span(&c.world.fault)),
                   SPAN_ARG(buf_span(&c.world.ladder)));
        buf_clear(call_id);
        buf_put(call_id, c.failed);
    }
    calls_fini(&c);
    if (ok && mem_live() != live)
        buf_printf(out, "%llu blocks of memory are left\n",
                   (unsigned long long)(mem_live() - live));
    return ok && mem_live() == live;
}

bool
calls_run(const struct calls_conf *conf, struct calls_figures *figures, struct buf *out)
{
    struct calls_figures again = { .calls = 0 };
    struct buf call_id, second_id;

    buf_init(&call_id, 4096);
    buf_init(&second_id, 4096);
    if (run_once(conf, figures, (struct span){ NULL, 0 }, &call_id, out)) {
        buf_fini(&call_id);
        return true;
    }
    if (call_id.len > 0)
        (void)run_once(conf, &again, buf_span(&call_id), &second_id, out);
    buf_printf(out, "seed %llu, %u calls, Call-ID %.*s\n", (unsigned long long)conf->seed,
               conf->calls, SPAN_ARG(buf_span(&call_id)));
    buf_fini(&call_id);
    buf_fini(&second_id);
    return false;
}
