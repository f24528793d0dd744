/*
 * A second core for each sipd, which takes in the facts of the first one, and takes its place when that one is killed.
 */
#include "sim/standby.h"

#include "base/mem.h"
#include "core/note.h"
#include "sim/doors.h"
#include "sim/modules.h"
#include "sim/where.h"
#include "txn/answered.h"

enum {
    REPEATS_MS = 4000, /* T2 … */
    /* … but who waits for the end of what is no INVITE repeats that long (RFC 3261 §17.1.2.2) */
    ASKS_MS = 32000,
    PARTED_TURNS = 40,
    SLICES = 10000, /* more than any telling or sweeping takes */
};

struct kept { /* a fact of the turn at hand */
    struct list link;
    struct fact fact;
    char bytes[];
};

struct standby {
    struct sim_sipd *sipd;
    struct core *core;     /* the second one … */
    struct sim_host *host; /* … and its modules */
    struct list turn;      /* facts since the last turn ended */
    uint64_t facts; /* heard so far, but for those that say that a watch begins or has told all */
    bool news;      /* there is more than those in the turn at hand */
    uint64_t kill_after, part_after;
    bool dying;
    bool parted;         /* the second one hears nothing any more … */
    unsigned parted_for; /* … for so many turns; then it is told anew … */
    bool untold;         /* … and not all yet */
};

/* ------------------------------------------------------------------ what the first one notes */

static void
keep_fact(struct standby *b, const struct fact *fact)
{
    struct kept *kept = mem_new(sizeof *kept + fact->bytes.len);

    BUG_ON(!kept);
    kept->fact = *fact;
    if (fact->bytes.len > 0)
        memcpy(kept->bytes, fact->bytes.at, fact->bytes.len);
    kept->fact.bytes.at = kept->bytes;
    list_init(&kept->link);
    list_push(&b->turn, &kept->link);
}

/*
 * It may die when the second one knows all that there is, and not twice in one millisecond, or a long turn never ends. Or the
 * two are parted for a while before.
 */
static void
arm(struct standby *b)
{
    struct world *w = b->sipd->world;
    bool armed = b->kill_after > 0 || b->part_after > 0;
    uint64_t n;

    if (w->kill_within == 0 || armed || b->untold || w->clock.now_ms <= w->killed_ms ||
        !core_is_told(b->sipd->core))
        return;
    n = 1 + rand_below(&w->rand, w->kill_within);
    if (rand_below(&w->rand, 2) == 0)
        standby_part_after(b, n, 1 + (unsigned)rand_below(&w->rand, PARTED_TURNS));
    else
        standby_kill_after(b, n);
}

/* A whole turn is there: the second one takes it in. */
static void
take_turn(struct standby *b)
{
    struct world *w = b->sipd->world;
    struct list *node;

    while ((node = list_shift(&b->turn))) {
        struct kept *kept = container_of(node, struct kept, link);
        int err =
            b->host ? sim_host_restore(b->host, &kept->fact) : core_restore(b->core, &kept->fact);

        if (err != SIPD_OK)
            world_fail(w, "%.*s noted a %s that cannot be taken in: %s", SPAN_ARG(b->sipd->name),
                       kept->fact.kind, err_words(err));
        mem_free(kept);
    }
    arm(b);
}

/* Behind the last of what there was stands that this was all. */
static void
end_turn(struct standby *b)
{
    struct fact all = { .kind = FACT_ALL };

    if (b->untold && core_is_told(b->sipd->core)) {
        keep_fact(b, &all);
        b->untold = false;
    }
    take_turn(b);
}

static void
drop_turn(struct standby *b)
{
    struct list *node;

    while ((node = list_shift(&b->turn)))
        mem_free(container_of(node, struct kept, link));
}

/* What came of the turn at hand is not whole. */
static void
part(struct standby *b)
{
    drop_turn(b);
    b->news = false;
    b->parted = true;
    b->part_after = 0;
    b->sipd->world->parts++;
}

uint64_t
standby_note(struct sim_sipd *s, const struct fact *fact)
{
    struct standby *b = s->standby;

    bool ends = span_eq(span_of(fact->kind), SPAN(FACT_TURN));

    if (!b || b->dying || b->parted)
        return 0;
    if (ends && list_empty(&b->turn) && !b->untold)
        return b->facts;
    b->news = b->news || !ends;
    b->facts += b->news;
    world_leave(s->world);
    if (ends)
        end_turn(b);
    else
        keep_fact(b, fact);
    b->dying = b->news && b->facts == b->kill_after;
    if (b->news && b->facts == b->part_after)
        part(b);
    b->news = b->news && !ends;
    world_enter(s->world);
    return b->facts;
}

static uint64_t
port_note(void *io, const struct fact *fact)
{
    return standby_note(io, fact);
}

/* ------------------------------------------------------------------ the second one */

static void
port_send(void *io, const struct hop *to, struct span bytes, uint64_t token, uint64_t need)
{
    struct sim_sipd *s = io;

    (void)to;
    (void)token;
    (void)need;
    world_fail(s->world, "%.*s's standby sends what it should not:\n%.*s", SPAN_ARG(s->name),
               SPAN_ARG(bytes));
}

static void
begin_watch(struct standby *b)
{
    struct fact first = { .kind = FACT_BEGIN };

    keep_fact(b, &first);
    b->untold = true;
    core_watch(b->sipd->core, true);
    sim_host_note_all(b->sipd->host);
}

void
standby_start(struct sim_sipd *s)
{
    struct standby *b = mem_new(sizeof *b);
    struct core_ports ports;

    BUG_ON(!b);
    b->sipd = s;
    list_init(&b->turn);
    doors_fill(s, &ports);
    ports.send = port_send;
    BUG_ON(core_new(&b->core, &ports, &s->conf) != SIPD_OK);
    where_start(s, b->core);
    b->host = sim_host_twin(s->host, b->core);
    s->core->ports.note = port_note;
    s->standby = b;
    begin_watch(b);
}

void
standby_free(struct standby **ref)
{
    struct standby *b = *ref;

    if (!b)
        return;
    drop_turn(b);
    sim_host_free(&b->host);
    core_free(&b->core);
    mem_free(b);
    *ref = NULL;
}

struct core *
standby_core(struct standby *standby)
{
    return standby->core;
}

struct sim_host *
standby_host(struct standby *standby)
{
    return standby->host;
}

void
standby_kill_after(struct standby *standby, uint64_t n)
{
    standby->kill_after = standby->facts + n;
}

void
standby_part_after(struct standby *standby, uint64_t n, unsigned turns)
{
    standby->part_after = standby->facts + n;
    standby->parted_for = turns;
}

bool
standby_is_dying(const struct sim_sipd *s)
{
    return s->standby && s->standby->dying;
}

/* ------------------------------------------------------------------ a turn ends */

/* What passes without state is in no fact. */
static uint32_t
trips_with_state(const struct core *core)
{
    uint64_t cursor = 0;
    uint32_t n = 0;
    const struct trip *trip;

    while ((trip = slots_next(&core->trips, &cursor)))
        n += trip->server != 0;
    return n;
}

/* For as long at least? */
static bool
has_answered(const struct txns *t, const struct answered *a)
{
    const struct answered *same = answered_find(t, a->entry.node.hash, a->digest);

    return same && same->deadline_ms >= a->deadline_ms;
}

/* Has the second one what the first one has, under the same ids? */
static bool
has_all(const struct core *first, const struct core *second)
{
    const struct trip *trip;
    const struct txn *txn;
    uint64_t cursor = 0;

    for (const struct answered *a = answered_first(&first->txns); a;
         a = row_next(&first->txns.answered, a))
        if (!has_answered(&second->txns, a))
            return false;

    while ((txn = slots_next(&first->txns.slots, &cursor)))
        if (!slots_find(&second->txns.slots, txn->id))
            return false;
    for (cursor = 0; (trip = slots_next(&first->trips, &cursor));)
        if (trip->server != 0 && !slots_find(&second->trips, trip->id))
            return false;
    return true;
}

static bool
is_behind(const struct standby *b)
{
    return b->parted || b->untold || b->core->sweeping != TELLING_NOTHING;
}

static void
compare(const struct sim_sipd *s)
{
    const struct core *first = s->core, *second = s->standby->core;
    uint32_t trips;

    if (is_behind(s->standby))
        return;
    trips = trips_with_state(first);
    if (s->world->kill_within == 0 && !note_is_complete(s->core))
        world_fail(s->world, "%.*s changed something and did not note it", SPAN_ARG(s->name));
    if (first->txns.slots.used != second->txns.slots.used || trips != second->trips.used)
        world_fail(s->world, "%.*s holds %u transactions, %u trips, its standby %u and %u",
                   SPAN_ARG(s->name), first->txns.slots.used, trips, second->txns.slots.used,
                   second->trips.used);
    if (!has_all(first, second))
        world_fail(s->world, "%.*s holds what its standby does not know", SPAN_ARG(s->name));
}

static void
rejoin(struct sim_sipd *s)
{
    s->standby->parted = false;
    world_enter(s->world);
    begin_watch(s->standby);
    core_tick(s->core); /* begins to tell */
    world_leave(s->world);
}

/* The link is down, and nobody watches; after a while it is up again. */
static void
be_parted(struct sim_sipd *s)
{
    struct standby *b = s->standby;

    world_enter(s->world);
    if (s->core->watched)
        core_watch(s->core, false);
    world_leave(s->world);
    if (b->parted_for-- == 0)
        rejoin(s);
}

static void
sweep(struct standby *b)
{
    if (b->host)
        sim_host_tick(b->host);
    else
        (void)core_sweep(b->core);
}

void
standby_catch_up(struct sim_sipd *s)
{
    struct standby *b = s->standby;

    if (b->parted)
        rejoin(s);
    for (unsigned n = 0; n < SLICES && is_behind(b); n++) {
        world_enter(s->world);
        core_tick(s->core);
        sweep(b);
        world_leave(s->world);
    }
    compare(s);
}

void
standby_compare_modules(const struct sim_sipd *s)
{
    struct sim_facts first, second;

    sim_host_count(s->host, &first);
    sim_host_count(s->standby->host, &second);
    if (first.len != second.len || first.all != second.all)
        world_fail(
            s->world, "the modules of %.*s have %llu things, those of its standby %llu, or others",
            SPAN_ARG(s->name), (unsigned long long)first.len, (unsigned long long)second.len);
}

static uint32_t
repeats_ms(struct span said)
{
    bool asks = !span_starts(said, SPAN("SIP/2.0 ")) && !span_starts(said, SPAN("INVITE ")) &&
                !span_starts(said, SPAN("ACK "));

    return asks ? ASKS_MS : REPEATS_MS;
}

/* Whoever waits for an answer asks again, and whoever owes one says it again: what he said last, a while ago at most. */
/* Who has called off repeats both. */
static void
repeat(struct world *w, struct peer *p)
{
    struct span last = p->last_sent;

    if (span_starts(last, SPAN("CANCEL ")))
        world_say(w, p, &p->last_to, p->invite);
    world_say(w, p, &p->last_to, last);
}

static bool
is_response(struct span said)
{
    return span_starts(said, SPAN("SIP/2.0 "));
}

static void
repeat_all(struct world *w, bool streams, bool responses)
{
    list_each (node, after, &w->peers) {
        struct peer *p = container_of(node, struct peer, link);

        if (hop_is_reliable(p->at.transport) == streams && is_response(p->last_sent) == responses &&
            !p->away && p->last_sent.len > 0 &&
            p->said_ms + repeats_ms(p->last_sent) > w->clock.now_ms)
            repeat(w, p);
    }
}

/* A phone that is registered over a connection does so again. */
static void
register_anew(struct world *w)
{
    list_each (node, after, &w->peers) {
        struct peer *p = container_of(node, struct peer, link);
        struct hop to = p->registered_to;
        struct span bytes = { NULL, 0 };
        struct span last = p->last_sent;

        if (hop_is_reliable(p->at.transport) && to.port != 0 && !p->deaf && !p->away)
            bytes = peer_come_back(p);
        if (bytes.len == 0)
            continue;
        world_send(w, &p->seen, &to, bytes);
        if (span_starts(last, SPAN("REGISTER ")))
            p->away = true; /* that was all that it had to say */
        else
            p->last_sent = last;
    }
}

/* Who had a connection sees at once that it is gone; a datagram is missed later, and a response follows its request. */
static void
let_peers_repeat(struct world *w)
{
    register_anew(w);
    repeat_all(w, true, false);
    repeat_all(w, false, false);
    repeat_all(w, true, true);
    repeat_all(w, false, true);
}

static void
take_over(struct sim_sipd *s)
{
    struct standby *b = s->standby;
    struct core_ports ports;

    doors_fill(s, &ports);
    sim_host_free(&s->host);
    core_free(&s->core);
    s->core = b->core;
    s->host = b->host;
    b->core = NULL;
    b->host = NULL;
    doors_lose_flows(s);
    s->core->ports.send = ports.send;
    standby_free(&s->standby);
    s->world->killed = true;
    s->world->killed_ms = s->world->clock.now_ms;
    s->world->kills++;
    world_enter(s->world);
    if (s->host)
        sim_host_wake(s->host);
    else
        core_wake(s->core, 0);
    core_tick(s->core);
    world_leave(s->world);
    let_peers_repeat(s->world);
}

bool
standby_turn(struct sim_sipd *s)
{
    if (!s->standby)
        return false;
    if (!s->standby->dying) {
        if (s->standby->parted)
            be_parted(s);
        if (!s->standby->host)
            sweep(s->standby);
        compare(s);
        return false;
    }
    take_over(s);
    standby_start(s);
    world_enter(s->world);
    core_tick(s->core); /* begins to tell the new one all that there is */
    world_leave(s->world);
    return true;
}
