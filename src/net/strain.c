/*
 * Does the loop keep up? What does not get less for a while: how long turns take, and how full the sockets' queues are.
 */
#include "net/strain.h"

enum {
    WINDOW_NS = 100000000, /* at least, and … */
    WINDOW_TURNS = 4,      /* … so many turns */
    REST_NS = 20000000,    /* who waits so long for work has kept up */
    MS_NS = 1000000,
};

static void
open_window(struct strain *s, uint64_t now_ns)
{
    s->until_ns = now_ns + WINDOW_NS;
    s->turns = 0;
    s->least_lag_ms = s->least_queue_percent = UINT32_MAX;
}

void
strain_begin(struct strain *s, uint64_t now_ns)
{
    s->queue_now_percent = 0;
    if (now_ns - s->ended_ns < REST_NS)
        return;
    s->lag_ms = s->queue_percent = 0;
    open_window(s, now_ns);
}

void
strain_queue(struct strain *s, uint32_t percent)
{
    if (percent > s->queue_now_percent)
        s->queue_now_percent = percent;
}

static uint32_t
least(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

void
strain_end(struct strain *s, uint64_t began_ns, uint64_t now_ns)
{
    uint64_t lag_ms = (now_ns - began_ns) / MS_NS;

    s->ended_ns = now_ns;
    s->turns++;
    s->least_lag_ms =
        least(s->least_lag_ms, lag_ms < UINT32_MAX ? (uint32_t)lag_ms : UINT32_MAX - 1);
    s->least_queue_percent = least(s->least_queue_percent, s->queue_now_percent);
    if (s->turns < WINDOW_TURNS || now_ns < s->until_ns)
        return;
    s->lag_ms = s->least_lag_ms;
    s->queue_percent = s->least_queue_percent;
    open_window(s, now_ns);
}
