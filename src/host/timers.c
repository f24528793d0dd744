/*
 * Timers of modules: one wheel a host, on its clock, each by an id that goes stale when it has fired.
 */
#include "host/state.h"

/* A delay of nothing is a millisecond: what a timer arms anew waits for the next turn. */
uint64_t
sipd_timer(struct sipd_host *host, uint64_t delay_ms, sipd_timer_fn *fn, void *self, uint64_t arg)
{
    struct host *h = host->host;
    uint64_t id;
    struct module_timer *timer = slots_new(&h->timer_slots, &id);

    if (!timer)
        return 0;
    timer->owner = host;
    timer->fn = fn;
    timer->self = self;
    timer->arg = arg;
    timer_init(&timer->node);
    timers_arm(&h->timers, &timer->node, h->ports.clock->now_ms + (delay_ms ? delay_ms : 1), 0, id);
    return id;
}

static void
end(struct host *host, struct module_timer *timer, uint64_t id)
{
    timers_disarm(&host->timers, &timer->node);
    slots_free(&host->timer_slots, id);
}

void
sipd_timer_cancel(struct sipd_host *host, uint64_t timer_id)
{
    struct module_timer *timer = timer_id ? slots_find(&host->host->timer_slots, timer_id) : NULL;

    if (timer && timer->owner == host)
        end(host->host, timer, timer_id);
}

void
host_tick(struct host *host)
{
    struct timer *due;

    while ((due = timers_due(&host->timers, host->ports.clock->now_ms))) {
        struct module_timer fired = *container_of(due, struct module_timer, node);

        slots_free(&host->timer_slots, due->id);
        fired.fn(fired.self, fired.arg);
    }
    resolver_tick(host);
    facts_tick(host);
}

uint64_t
host_next_ms(const struct host *host)
{
    uint64_t timers = timers_next_ms(&host->timers), facts = facts_next_ms(host);

    if (!list_empty(&host->resolved))
        return host->ports.clock->now_ms;
    return timers < facts ? timers : facts;
}

void
timers_forget(struct host *host, const struct sipd_host *owner)
{
    uint64_t cursor = 0;
    struct module_timer *timer;

    while ((timer = slots_next(&host->timer_slots, &cursor)))
        if (timer->owner == owner)
            end(host, timer, cursor);
}
