/*
 * A simulated network: datagrams and connections between addresses; datagrams come late, lost, doubled or out
 * of order as a seed says, connections only late, and what stands between two addresses can be cut for a time.
 */
#include "sim/wire.h"

#include "base/mem.h"

enum { TIMER_PACKET, TIMER_CUT }; /* timer.kind */

struct wire_end {
    struct table_node node;
    struct hop at;
    uint32_t slow_ms;
    uint32_t mtu;
    bool spared;
};

struct wire_cut {
    struct list link;
    struct timer timer;
    struct hop a, b;
    struct list held; /* packets of connections, by their timers' links, as they were sent */
};

void
wire_init(struct wire *w, uint64_t seed, uint64_t now_ms)
{
    memset(w, 0, sizeof *w);
    w->conf.delay_ms = 1;
    w->least_mtu = 1500;
    rand_seed(&w->rand, seed);
    timers_init(&w->timers, now_ms);
    list_init(&w->cuts);
    BUG_ON(table_init(&w->ends) != SIPD_OK);
}

static struct wire_packet *
packet_of(struct list *link)
{
    return container_of(container_of(link, struct timer, link), struct wire_packet, timer);
}

static void
cut_free(struct wire_cut *cut)
{
    struct list *link;

    list_remove(&cut->link);
    while ((link = list_shift(&cut->held)))
        wire_packet_free(packet_of(link));
    mem_free(cut);
}

static void
end_free(struct table_node *node, void *arg)
{
    struct table *ends = arg;

    table_remove(ends, node);
    mem_free(container_of(node, struct wire_end, node));
}

void
wire_fini(struct wire *w)
{
    struct timer *timer;

    while ((timer = timers_due(&w->timers, UINT64_MAX)))
        if (timer->kind == TIMER_PACKET)
            wire_packet_free(container_of(timer, struct wire_packet, timer));
    list_each (link, after, &w->cuts)
        cut_free(container_of(link, struct wire_cut, link));
    table_each(&w->ends, end_free, &w->ends);
    table_fini(&w->ends);
}

/* ------------------------------------------------------------------ addresses with manners of their own */

static uint64_t
hash_of(const struct hop *at)
{
    uint64_t halves[2];

    memcpy(halves, at->ip, sizeof halves);
    return (halves[0] * 31 + halves[1] + at->port) * 0x9e3779b97f4a7c15u;
}

static bool
is_same(const struct hop *a, const struct hop *b)
{
    return a->port == b->port && memcmp(a->ip, b->ip, sizeof a->ip) == 0;
}

static bool
is_end(const struct table_node *node, const void *at)
{
    return is_same(&container_of_const(node, struct wire_end, node)->at, at);
}

static const struct wire_end *
find_end(const struct wire *w, const struct hop *at)
{
    static const struct wire_end plain;
    struct table_node *node =
        w->ends.used > 0 ? table_find(&w->ends, hash_of(at), is_end, at) : NULL;

    return node ? container_of(node, struct wire_end, node) : &plain;
}

static struct wire_end *
get_end(struct wire *w, const struct hop *at)
{
    struct table_node *node = table_find(&w->ends, hash_of(at), is_end, at);
    struct wire_end *end;

    if (node)
        return container_of(node, struct wire_end, node);
    end = mem_new(sizeof *end);
    BUG_ON(!end);
    end->at = *at;
    table_insert(&w->ends, &end->node, hash_of(at));
    return end;
}

void
wire_slow(struct wire *w, const struct hop *at, uint32_t ms)
{
    get_end(w, at)->slow_ms = ms;
}

void
wire_narrow(struct wire *w, const struct hop *at, uint32_t mtu)
{
    get_end(w, at)->mtu = mtu;
    if (mtu < w->least_mtu)
        w->least_mtu = mtu;
}

uint32_t
wire_mtu(const struct wire *w, const struct hop *at)
{
    return find_end(w, at)->mtu;
}

void
wire_spare(struct wire *w, const struct hop *at)
{
    get_end(w, at)->spared = true;
}

/* ------------------------------------------------------------------ cuts */

void
wire_cut(struct wire *w, const struct hop *a, const struct hop *b, uint64_t until_ms)
{
    struct wire_cut *cut = mem_new(sizeof *cut);

    BUG_ON(!cut);
    cut->a = *a;
    cut->b = *b;
    list_init(&cut->held);
    list_init(&cut->link);
    list_push(&w->cuts, &cut->link);
    timer_init(&cut->timer);
    if (until_ms != UINT64_MAX)
        timers_arm(&w->timers, &cut->timer, until_ms, TIMER_CUT, 0);
}

static struct wire_cut *
cut_between(const struct wire *w, const struct hop *from, const struct hop *to)
{
    list_each (link, after, &w->cuts) {
        struct wire_cut *cut = container_of(link, struct wire_cut, link);

        if ((is_same(&cut->a, from) && is_same(&cut->b, to)) ||
            (is_same(&cut->a, to) && is_same(&cut->b, from)))
            return cut;
    }
    return NULL;
}

/* ------------------------------------------------------------------ packets */

static struct wire_packet *
packet_new(const struct hop *from, const struct hop *to, struct span bytes)
{
    struct wire_packet *packet = mem_grow(NULL, sizeof *packet + bytes.len);

    BUG_ON(!packet);
    timer_init(&packet->timer);
    packet->from = *from;
    packet->to = *to;
    packet->len = bytes.len;
    memcpy(packet->bytes, bytes.at, bytes.len);
    return packet;
}

void
wire_packet_free(struct wire_packet *packet)
{
    mem_free(packet);
}

static bool
happens(struct wire *w, uint32_t of_1000)
{
    return of_1000 > 0 && rand_below(&w->rand, 1000) < of_1000;
}

/* Everything on a connection takes the same time, so that it keeps its order. */
static uint64_t
delay(struct wire *w, const struct hop *from, const struct hop *to, bool faulty)
{
    uint64_t ms = w->conf.delay_ms;

    if (w->ends.used > 0)
        ms += find_end(w, from)->slow_ms + find_end(w, to)->slow_ms;
    if (faulty && w->conf.jitter_ms > 0)
        ms += rand_below(&w->rand, w->conf.jitter_ms + 1);
    if (faulty && happens(w, w->conf.late))
        ms += rand_below(&w->rand, w->conf.late_ms + 1);
    return ms;
}

static void
put(struct wire *w, uint64_t now_ms, struct wire_packet *packet, bool faulty)
{
    uint64_t ms = delay(w, &packet->from, &packet->to, faulty);

    timers_arm(&w->timers, &packet->timer, now_ms + ms, TIMER_PACKET, 0);
}

unsigned
wire_send(struct wire *w, uint64_t now_ms, const struct hop *from, const struct hop *to,
          struct span bytes)
{
    bool reliable = hop_is_reliable(to->transport);
    bool faulty = !reliable &&
                  (w->ends.used == 0 || (!find_end(w, from)->spared && !find_end(w, to)->spared));
    struct wire_cut *cut = list_empty(&w->cuts) ? NULL : cut_between(w, from, to);

    w->sent++;
    if (cut && reliable) {
        w->held++;
        list_push(&cut->held, &packet_new(from, to, bytes)->timer.link);
        return 1;
    }
    if (cut || (faulty && happens(w, w->conf.loss))) {
        w->lost++;
        return 0;
    }
    put(w, now_ms, packet_new(from, to, bytes), faulty);
    if (!faulty || !happens(w, w->conf.doubled))
        return 1;
    w->doubled++;
    put(w, now_ms, packet_new(from, to, bytes), faulty);
    return 2;
}

/* What waited goes on as it was sent, before anything that is sent later. */
static void
heal(struct wire *w, struct wire_cut *cut, uint64_t now_ms)
{
    struct list *link;

    timers_disarm(&w->timers, &cut->timer);
    while ((link = list_shift(&cut->held)))
        put(w, now_ms, packet_of(link), false);
    cut_free(cut);
}

void
wire_heal(struct wire *w, uint64_t now_ms)
{
    list_each (link, after, &w->cuts)
        heal(w, container_of(link, struct wire_cut, link), now_ms);
}

struct wire_packet *
wire_due(struct wire *w, uint64_t now_ms)
{
    struct timer *timer;

    while ((timer = timers_due(&w->timers, now_ms))) {
        if (timer->kind == TIMER_PACKET)
            return container_of(timer, struct wire_packet, timer);
        heal(w, container_of(timer, struct wire_cut, timer), timer->deadline_ms);
    }
    return NULL;
}

uint64_t
wire_next_ms(const struct wire *w)
{
    return timers_next_ms(&w->timers);
}
