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
#include "net/deadline.h"
#include "net/listen.h"
#include "net/outbox.h"
#include "net/state.h"
#include "net/tell.h"
#include "net/udp.h"
#include "net/xport.h"

enum {
    ARENA_MOST_BYTES = 256 << 20,
    ARENA_KEPT_BYTES = 8 << 20, /* what a full turn writes: the next one finds it there */
    TELL_ROUNDS = 16, /* of telling and sending again in one turn; the rest is told in the next */
    LOOK_BYTES = 4 << 10, /* of work between two looks at the clock … */
    STEP_BYTES = 1 << 10, /* … for which anything counts at least so much */
};

/*
 * Sending comes last, a copy for each message, and a message may become many: so what is to be sent has bounds of its own.
 * All together, one message too much at each bound, stays below 10 ms.
 */
enum share { TURN_INTAKE, TURN_DUE }; /* what comes in; what is due */

static const struct {
    uint64_t ns, bytes;
} most[] = {
    [TURN_INTAKE] = { 2000000, 2 << 20 },
    [TURN_DUE] = { 4000000, 4 << 20 },
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

uint64_t
turn_cpu_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static uint64_t
sooner(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
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
    arena_init_large(&net->turn.arena, ARENA_MOST_BYTES, ARENA_KEPT_BYTES);
    hungries_init(&net->turn.hungries);
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
    net->turn.bytes = net->turn.seen_ns = 0;
    net->turn.look_bytes = LOOK_BYTES;
    watch_begin(&net->turn.watch, read_clock(net));
    strain_begin(&net->turn.strain, net->turn.watch.began_ns);
}

/* ---------------------------------------------------------------- how much a turn may do */

static void
use_up(uint64_t *left, size_t bytes)
{
    *left = bytes < *left ? *left - bytes : 0;
}

void
turn_work(struct net *net, size_t bytes)
{
    net->turn.bytes += bytes;
    use_up(&net->turn.look_bytes, bytes);
}

/* Is it enough? */
static bool
turn_spent(struct net *net, enum share share)
{
    struct turn *turn = &net->turn;

    use_up(&turn->look_bytes, STEP_BYTES);
    if (turn->look_bytes == 0) {
        turn->look_bytes = LOOK_BYTES;
        turn->seen_ns = now_ns() - turn->watch.began_ns;
    }
    return turn->seen_ns > most[share].ns || turn->bytes > most[share].bytes;
}

bool
net_turn_spent(struct net *net)
{
    return turn_spent(net, TURN_DUE);
}

bool
turn_goes_on(struct net *net, struct hungry *hungry, struct event *event, short what)
{
    struct turn *turn = &net->turn;

    if (!turn_spent(net, TURN_INTAKE))
        return true;
    hungry_wait(&turn->hungries, hungry, event, what, turn->watch.began_ns);
    return false;
}

bool
turn_serves(struct net *net, struct hungry *hungry, struct event *event, short what)
{
    if (!turn_goes_on(net, hungry, event, what))
        return false;
    hungry_serve(hungry, net->turn.watch.began_ns);
    return true;
}

/* ---------------------------------------------------------------- the end of a turn */

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
    uint64_t ns, waits_ns;
    unsigned verdict;

    turn_begin(net);
    xport_step_all(net);
    deadlines_expire(net);
    net->ports->tick(net->ports->io);
    settle(net);
    end_what_was_lent(net);
    waits_ns = hungries_call(&net->turn.hungries);
    net->turn.open = false;
    ns = now_ns();
    strain_end(&net->turn.strain, sooner(net->turn.watch.began_ns, waits_ns), ns);
    verdict = watch_end(&net->turn.watch, ns);
    ++*net->count.turns;
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

/* How the next poll waits: not at all when something is due or left over (who was passed over is active already). */
static int
poll_flags(struct net *net)
{
    uint64_t due_ms = net->ports->next_ms(net->ports->io);
    uint64_t conns_ms = deadlines_next_ms(net);
    uint64_t now_ms = net->clock->now_ms;

    if (conns_ms < due_ms)
        due_ms = conns_ms;
    if (net->turn.open || have_tellings(net) || xport_has_steps(net) || due_ms <= now_ms ||
        !set_timer(net, due_ms, now_ms))
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

void
net_load(const struct net *net, struct net_load *out)
{
    *out = (struct net_load){
        .lag_ms = net->turn.strain.lag_ms,
        .queue_percent = net->turn.strain.queue_percent,
    };
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
