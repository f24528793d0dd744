/*
 * A core that fuzz targets speak to.
 */
#include "fuzz/node.h"

enum { UDP = 1, TCP, TURN_BYTES = 16 << 20, HOURS_MS = 8 * 3600000, STEPS = 100000 };

/* No connection lasts: what went by one takes another. */
static int
way(void *io, const struct hop *to, size_t bytes, struct way *out)
{
    (void)io;
    (void)bytes;
    if (to->flow == HOP_FLOW_DEAD)
        return SIPD_ECLOSED;
    *out = (struct way){ .to = *to, .sent_by = SPAN("192.0.2.1:5060") };
    out->to.listener = hop_is_reliable(to->transport) ? TCP : UDP;
    return SIPD_OK;
}

static void
take_send(void *io, const struct hop *to, struct span bytes, uint64_t token, uint64_t need)
{
    struct node *n = io;

    (void)token;
    (void)need;
    BUG_ON(bytes.len == 0);
    if (n->sent)
        n->sent(n, to, bytes);
}

static bool
ours(void *io, struct span host, uint16_t port)
{
    (void)io;
    (void)port;
    return span_ieq(host, SPAN("example.com")) || span_eq(host, SPAN("192.0.2.1"));
}

static bool
side(void *io, uint16_t listener, struct core_side *out)
{
    (void)io;
    *out = (struct core_side){ .sent_by = SPAN("192.0.2.1:5060"),
                               .transport = listener == TCP ? HOP_TCP : HOP_UDP };
    return listener == UDP || listener == TCP;
}

static bool
knows(void *io, struct span aor)
{
    (void)io;
    return aor.len > 20;
}

void
node_begin(struct node *n, uint32_t limit)
{
    struct core_ports ports = {
        .way = way,
        .send = take_send,
        .ours = ours,
        .side = side,
        .knows = knows,
        .io = n,
        .clock = &n->clock,
        .rand = &n->rand,
        .turn = &n->turn,
        .counters = &n->counters,
        .log = &n->log,
        .key = { 1, 2 },
    };

    memset(n, 0, sizeof *n);
    n->clock.now_ms = HOURS_MS;
    rand_seed(&n->rand, 1);
    arena_init(&n->turn, TURN_BYTES);
    counters_init(&n->counters);
    core_conf_default(&n->conf);
    n->conf.transactions = limit;
    BUG_ON(core_new(&n->core, &ports, &n->conf) != SIPD_OK);
}

void
node_end(struct node *n)
{
    core_free(&n->core);
    counters_fini(&n->counters);
    arena_fini(&n->turn);
}

void
node_pass(struct node *n, uint64_t ms)
{
    uint64_t until_ms = n->clock.now_ms + ms, next_ms;

    core_tick(n->core);
    arena_reset(&n->turn);
    for (int step = 0; step < STEPS && (next_ms = core_next_ms(n->core)) <= until_ms; step++) {
        if (next_ms > n->clock.now_ms)
            n->clock.now_ms = next_ms;
        core_tick(n->core);
        arena_reset(&n->turn);
    }
    n->clock.now_ms = until_ms;
}

void
node_live(struct node *n)
{
    node_pass(n, HOURS_MS);
}
