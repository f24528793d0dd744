/*
 * A turn: one wake of the loop. The clock is read, what came is handed on, timers are told, what
 * was queued leaves together, failures are told, and all that was lent ends.
 *
 * libevent may dispatch several descriptors in one pass; the turn ends once, after all of them.
 */
#include "net/turn.h"

#include <event2/event.h>
#include <time.h>

#include "net/conn.h"
#include "net/listen.h"
#include "net/outbox.h"
#include "net/state.h"
#include "net/tell.h"
#include "net/udp.h"

enum {
    ARENA_MOST_BYTES = 256 << 20,
    TELL_ROUNDS = 16, /* of telling and sending again in one turn; the rest is told in the next */
};

/* ---------------------------------------------------------------- time */

/* Counts while the machine sleeps: registrations run out then too. */
static uint64_t
now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_BOOTTIME, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static uint64_t
read_clock(struct net *net)
{
    uint64_t ns = now_ns();

    net->clock->now_ms = ns / 1000000 + 1; /* never 0, not even on a machine just born */
    net->clock->wall_s = time(NULL);
    return ns;
}

static void
wake(evutil_socket_t fd, short what, void *arg)
{
    struct net *net = arg;

    (void)fd;
    (void)what;
    net->turn.timer_ms = UINT64_MAX;
    turn_begin(net);
}

void
turn_init(struct net *net)
{
    arena_init(&net->turn.arena, ARENA_MOST_BYTES);
    event_assign(&net->turn.timer, net->base, -1, 0, wake, net);
    net->turn.timer_ms = UINT64_MAX;
    read_clock(net);
}

void
turn_fini(struct turn *turn)
{
    event_del(&turn->timer);
    arena_fini(&turn->arena);
}

/* ---------------------------------------------------------------- the turn */

void
turn_begin(struct net *net)
{
    if (net->turn.open)
        return;
    net->turn.open = true;
    watch_begin(&net->turn.watch, read_clock(net));
}

static void
send_all(struct net *net)
{
    udp_flush_all(net);
    outbox_flush_all(net);
    conns_shut(net);
}

static bool
have_tellings(const struct net *net)
{
    return !list_empty(&net->tellings) || !list_empty(&net->conns.gone);
}

/* A failure that is told may make its hearer send by another way, which may fail at once. */
static void
settle(struct net *net)
{
    send_all(net);
    for (int round = 0; round < TELL_ROUNDS && have_tellings(net); round++) {
        tell_all(net);
        conns_tell_gone(net);
        send_all(net);
    }
}

static void
end_what_was_lent(struct net *net)
{
    conns_reap(net);
    listeners_reap(net);
    udp_end_turn(net);
    stream_end_turn(net);
    arena_reset(&net->turn.arena);
}

static void
turn_end(struct net *net)
{
    unsigned verdict;

    turn_begin(net);
    conns_expire(net);
    net->ports->tick(net->ports->io);
    settle(net);
    end_what_was_lent(net);
    net->turn.open = false;
    verdict = watch_end(&net->turn.watch, now_ns());
    if (verdict & WATCH_LATE)
        ++*net->count.turn_late;
    if (verdict & WATCH_SLEPT)
        ++*net->count.turn_slept;
}

/* ---------------------------------------------------------------- the loop */

/*
 * Sets the timer for what is due next. One that is set for earlier stays: waking once for nothing
 * costs less than setting it anew each turn.
 */
static bool
set_timer(struct net *net, uint64_t due_ms, uint64_t now_ms)
{
    uint64_t wait_ms = due_ms - now_ms, most_ms = UINT64_C(3600000);
    struct timeval wait;

    if (due_ms == UINT64_MAX || net->turn.timer_ms <= due_ms)
        return true;
    if (wait_ms > most_ms)
        wait_ms = most_ms;
    wait.tv_sec = (time_t)(wait_ms / 1000);
    wait.tv_usec = (suseconds_t)(wait_ms % 1000 * 1000);
    net->turn.timer_ms = now_ms + wait_ms;
    return event_add(&net->turn.timer, &wait) == 0;
}

/* How the next poll waits: not at all when something is due or left over. */
static int
poll_flags(struct net *net)
{
    uint64_t due_ms = net->ports->next_ms(net->ports->io);
    uint64_t conns_ms = conns_next_ms(net);
    uint64_t now_ms = net->clock->now_ms;

    if (conns_ms < due_ms)
        due_ms = conns_ms;
    if (net->turn.open || have_tellings(net) || due_ms <= now_ms || !set_timer(net, due_ms, now_ms))
        return EVLOOP_ONCE | EVLOOP_NONBLOCK;
    return EVLOOP_ONCE;
}

int
net_run(struct net *net)
{
    while (!net->turn.stop) {
        if (event_base_loop(net->base, poll_flags(net)) < 0)
            return SIPD_EIO;
        turn_end(net);
    }
    net->turn.stop = false;
    return SIPD_OK;
}

void
net_stop(struct net *net)
{
    net->turn.stop = true;
}

void
net_wake(struct net *net)
{
    turn_begin(net);
}

struct arena *
net_turn_arena(struct net *net)
{
    return &net->turn.arena;
}

struct event_base *
net_event_base(struct net *net)
{
    return net->base;
}
