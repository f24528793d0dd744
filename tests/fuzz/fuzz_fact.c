/*
 * Any bytes as the facts of another node: what was taken is written and taken again as the same, and a core that wakes with
 * it comes to an end. The input is records of a kind, an id, a version and the fact's bytes.
 */
#include "core/note.h"
#include "fuzz/input.h"
#include "lib/told.h"

enum { TURN_BYTES = 16 << 20, HOURS_MS = 8 * 3600000, LIMIT = 64, FACTS = 200, STEPS = 100000 };

struct node {
    struct core *core;
    struct core_conf conf;
    struct clock clock;
    struct rand rand;
    struct arena turn;
    struct counters counters;
    struct log log;
};

int fuzz_fact(const uint8_t *data, size_t size);

/* ------------------------------------------------------------------ a node */

static int
way(void *io, const struct hop *to, size_t bytes, struct way *out)
{
    (void)io;
    (void)bytes;
    if (to->flow != 0)
        return SIPD_ECLOSED;
    *out = (struct way){ .to = *to, .sent_by = SPAN("192.0.2.1:5060") };
    out->to.listener = 1;
    return SIPD_OK;
}

static void
send(void *io, const struct hop *to, struct span bytes, uint64_t token, uint64_t need)
{
    (void)io;
    (void)to;
    (void)token;
    (void)need;
    BUG_ON(bytes.len == 0);
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
    *out = (struct core_side){ .sent_by = SPAN("192.0.2.1:5060"), .transport = HOP_UDP };
    return listener == 1;
}

static bool
knows(void *io, struct span aor)
{
    (void)io;
    return aor.len > 20;
}

static void
begin(struct node *n)
{
    struct core_ports ports = {
        .way = way,
        .send = send,
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
    n->conf.transactions = LIMIT;
    BUG_ON(core_new(&n->core, &ports, &n->conf) != SIPD_OK);
}

static void
end(struct node *n)
{
    core_free(&n->core);
    counters_fini(&n->counters);
    arena_fini(&n->turn);
}

/* ------------------------------------------------------------------ from one to the next */

static void
pass_on(struct node *to, const char *kind, uint64_t id, uint32_t version, const struct buf *b)
{
    struct fact fact = { .kind = kind, .id = id, .version = version, .bytes = buf_span(b) };

    BUG_ON(b->err != SIPD_OK || core_restore(to->core, &fact) != SIPD_OK);
}

/* What one node took is what the next one takes of it. */
static void
pass_all_on(struct node *from, struct node *to)
{
    uint64_t now_ms = from->clock.now_ms, cursor = 0;
    const struct trip *trip;
    const struct txn *txn;
    struct buf b;

    buf_init(&b, TURN_BYTES);
    while ((txn = slots_next(&from->core->txns.slots, &cursor))) {
        buf_clear(&b);
        txn_fact_write(&from->core->txns, txn, &b);
        pass_on(to, TXN_FACT, txn->id, txn->version, &b);
    }
    for (const struct answered *a = answered_first(&from->core->txns); a;
         a = row_next(&from->core->txns.answered, a)) {
        buf_clear(&b);
        answered_fact_write(&from->core->txns, a, &b);
        pass_on(to, ANSWERED_FACT, 0, 1, &b);
    }
    for (cursor = 0; (trip = slots_next(&from->core->trips, &cursor));) {
        buf_clear(&b);
        trip_fact_write(trip, now_ms, &b);
        pass_on(to, TRIP_FACT, trip->id, trip->version, &b);
        for (const struct list *node = trip->branches.next; node != &trip->branches;
             node = node->next) {
            const struct branch *branch = container_of_const(node, struct branch, link);

            buf_clear(&b);
            branch_fact_write(branch, now_ms, &b);
            pass_on(to, BRANCH_FACT, branch->id, branch->version, &b);
        }
    }
    buf_fini(&b);
}

static void
compare(const struct node *a, const struct node *b)
{
    BUG_ON(a->core->txns.slots.used != b->core->txns.slots.used);
    BUG_ON(a->core->txns.answered.len != b->core->txns.answered.len);
    BUG_ON(a->core->trips.used != b->core->trips.used);
    BUG_ON(a->core->branches.used != b->core->branches.used);
}

/* Until nothing is due any more, or for long enough. */
static void
live(struct node *n)
{
    uint64_t until_ms = n->clock.now_ms + HOURS_MS, next_ms;

    core_wake(n->core, 0);
    core_tick(n->core);
    for (int step = 0; step < STEPS && (next_ms = core_next_ms(n->core)) < until_ms; step++) {
        if (next_ms > n->clock.now_ms)
            n->clock.now_ms = next_ms;
        core_tick(n->core);
        arena_reset(&n->turn);
    }
}

int
fuzz_fact(const uint8_t *data, size_t size)
{
    struct span copy = input_copy(data, size), rest = copy;
    struct node first, second;
    struct tlv tlv;

    begin(&first);
    begin(&second);
    for (int facts = 0; facts < FACTS && tlv_next(&rest, &tlv) == SIPD_OK; facts++) {
        struct fact fact;

        if (told_read(tlv.value, &fact))
            (void)!core_restore(first.core, &fact);
    }
    pass_all_on(&first, &second);
    compare(&first, &second);
    live(&first);
    live(&second);
    end(&first);
    end(&second);
    input_free(&copy);
    return 0;
}
