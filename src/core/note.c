/*
 * What changed in a turn is noted when it ends, and what was sent in it leaves then.
 */
#include "core/note.h"

#include "core/explain.h"
#include "core/fact.h"
#include "txn/answered.h"
#include "txn/commit.h"

struct outgoing { /* of a watched turn; in its memory */
    struct outgoing *next;
    struct hop to;
    struct span bytes;
    uint64_t token;
};

enum {
    RECORD_BYTES = 4 << 20, /* more than a request with all its targets, or a response */
    TOLD_A_TURN = 200,      /* of what there was, to one who has begun to watch */
    PLACES_A_TURN =
        16384, /* … and so many are looked at for them: a table may have been much larger */
};

static void
new_key(struct core *core)
{
    core->digest_key = (struct prf_key){ rand_u64(core->ports.rand), rand_u64(core->ports.rand) };
}

void
note_init(struct core *core)
{
    list_init(&core->touched);
    core->outgoing_end = &core->outgoing;
    buf_init(&core->record, RECORD_BYTES);
    new_key(core);
}

/* ------------------------------------------------------------------ what is sent */

/* In a watched turn it leaves behind what the turn has changed. */
COLD static void
send_later(struct core *core, const struct hop *to, struct span bytes, uint64_t token)
{
    struct outgoing *out = arena_alloc(core->ports.turn, sizeof *out);

    if (!out) {
        ++*core->count.unsent; /* as if the network had lost it */
        return;
    }
    *out = (struct outgoing){ .to = *to, .bytes = bytes, .token = token };
    *core->outgoing_end = out;
    core->outgoing_end = &out->next;
}

void
note_send(struct core *core, const struct hop *to, struct span bytes, uint64_t token)
{
    if (EXPLAIN_ON(core))
        explain_sent(core, to, bytes);
    if (IS_WATCHED(core))
        send_later(core, to, bytes, token);
    else
        core->ports.send(core->ports.io, to, bytes, token, 0);
}

static void
let_go(struct core *core)
{
    const struct core_ports *ports = &core->ports;

    for (const struct outgoing *out = core->outgoing; out; out = out->next)
        ports->send(ports->io, &out->to, out->bytes, out->token, core->newest_fact);
    core->outgoing = NULL;
    core->outgoing_end = &core->outgoing;
}

static void
send_of_txn(void *io, const struct hop *to, struct span bytes, uint64_t id, uint64_t need)
{
    (void)need; /* the turn's newest fact is newer */
    note_send(io, to, bytes, id);
}

/* ------------------------------------------------------------------ what changed */

static uint64_t
note(void *io, const struct fact *fact)
{
    struct core *core = io;

    core->newest_fact = core->ports.note(core->ports.io, fact);
    return core->newest_fact;
}

void
note_fill_txn_ports(struct core *core, struct txn_ports *ports)
{
    *ports = (struct txn_ports){ .send = send_of_txn, .note = note, .io = core };
}

/* What passes without state is nobody's business but its sender's. */
static bool
is_worth_noting(const struct trip *trip)
{
    return trip->server != 0;
}

void
note_trip_it(struct trip *trip)
{
    if (is_worth_noting(trip) && list_empty(&trip->touched))
        list_push(&trip->core->touched, &trip->touched);
}

void
note_trip_end_it(struct trip *trip)
{
    struct fact fact = { .kind = TRIP_FACT, .version = trip->version + 1, .id = trip->id };

    if (trip->version > 0)
        (void)note(trip->core, &fact);
}

/* What it is now, in numbers that do not change with time. */
static uint64_t
digest(struct core *core, void (*write)(const void *what, uint64_t now_ms, struct buf *b),
       const void *what)
{
    struct buf *b = &core->record;

    buf_clear(b);
    write(what, 0, b);
    return b->err == SIPD_OK ? prf_hash(&core->digest_key, buf_span(b)) | 1 : 0;
}

static void
write_trip(const void *trip, uint64_t now_ms, struct buf *b)
{
    trip_fact_write(trip, now_ms, b);
}

static void
write_branch(const void *branch, uint64_t now_ms, struct buf *b)
{
    branch_fact_write(branch, now_ms, b);
}

struct noting { /* one of the two that change: a trip or a branch */
    const char *kind;
    uint64_t id;
    uint32_t *version;
    uint64_t *digest;
    const void *what;
    void (*write)(const void *what, uint64_t now_ms, struct buf *b);
};

/* False: memory was out, and it is to be noted once more. */
static bool
note_if_changed(struct core *core, const struct noting *n)
{
    uint64_t now = digest(core, n->write, n->what);
    struct fact fact = { .kind = n->kind, .id = n->id };

    if (now != 0 && now == *n->digest)
        return true;
    fact.version = ++*n->version;
    buf_clear(&core->record);
    n->write(n->what, core->ports.clock->now_ms, &core->record);
    fact.bytes = buf_span(&core->record);
    fact.lost = core->record.err != SIPD_OK;
    *n->digest = fact.lost ? 0 : now;
    (void)note(core, &fact);
    return !fact.lost;
}

static struct noting
noting_trip(struct trip *trip)
{
    return (struct noting){ TRIP_FACT, trip->id, &trip->version, &trip->digest, trip, write_trip };
}

static struct noting
noting_branch(struct branch *branch)
{
    return (struct noting){ BRANCH_FACT,     branch->id, &branch->version,
                            &branch->digest, branch,     write_branch };
}

static bool
note_all_of(struct trip *trip)
{
    struct noting n = noting_trip(trip);
    bool all = note_if_changed(trip->core, &n);

    list_each (node, after, &trip->branches) {
        n = noting_branch(container_of(node, struct branch, link));
        all = note_if_changed(trip->core, &n) && all;
    }
    return all;
}

/* The next of what is told now; false: this was the last, or it is enough for this turn. */
static bool
tell_next(struct core *core, uint32_t *places)
{
    void *next = NULL;

    switch (core->telling) {
    case TELLING_TRIPS:
        if ((next = slots_next_within(&core->trips, &core->told, places)))
            note_trip_it(next);
        break;
    case TELLING_TXNS:
        if ((next = slots_next_within(&core->txns.slots, &core->told, places)))
            (void)commit_note(&core->txns, next);
        break;
    case TELLING_ANSWERED:
        next = row_after(&core->txns.answered, &core->told);
        if (core->told > core->told_end)
            next = NULL;
        if (next)
            (void)answered_note(&core->txns, next);
        break;
    case TELLING_NOTHING: break;
    }
    return next != NULL;
}

/* Some of what there was when the watch began; what has changed since then has told itself. */
static void
tell_some(struct core *core)
{
    uint32_t places = PLACES_A_TURN;
    unsigned n = 0;

    while (n < TOLD_A_TURN && core->telling != TELLING_NOTHING && places > 0) {
        if (tell_next(core, &places)) {
            n++;
        } else if (places > 0) {
            core->told = 0;
            core->telling = core->telling == TELLING_TRIPS  ? TELLING_TXNS
                            : core->telling == TELLING_TXNS ? TELLING_ANSWERED
                                                            : TELLING_NOTHING;
        }
    }
}

void
note_turn_it(struct core *core)
{
    struct fact turn = { .kind = FACT_TURN };
    struct list touched;

    if (core->telling != TELLING_NOTHING)
        tell_some(core);
    list_init(&touched);
    list_join(&touched, &core->touched);
    list_each (node, after, &touched) {
        list_remove(node);
        if (!note_all_of(container_of(node, struct trip, touched)))
            list_push(&core->touched, node);
    }
    (void)note(core, &turn);
    let_go(core);
}

/* ------------------------------------------------------------------ who watches */

bool
core_is_told(const struct core *core)
{
    return core->telling == TELLING_NOTHING;
}

/* With a new key no digest of an earlier watch is the right one: so all will be noted, and nothing has to be walked over now. */
void
core_watch(struct core *core, bool on)
{
    if (!on) {
        let_go(core);
        while (list_shift(&core->touched))
            continue;
    }
    core->watched = core->txns.watched = on;
    core->telling =
        on && core->trips.used + txns_held(&core->txns) > 0 ? TELLING_TRIPS : TELLING_NOTHING;
    core->told = 0;
    core->told_end = row_end(&core->txns.answered);
    new_key(core);
}

bool
note_is_complete(struct core *core)
{
    uint64_t cursor = 0;
    struct trip *trip;

    while (core->watched && core_is_told(core) && (trip = slots_next(&core->trips, &cursor))) {
        if (!is_worth_noting(trip) || !list_empty(&trip->touched))
            continue;
        if (digest(core, write_trip, trip) != trip->digest)
            return false;
        list_each (node, after, &trip->branches) {
            struct branch *branch = container_of(node, struct branch, link);

            if (digest(core, write_branch, branch) != branch->digest)
                return false;
        }
    }
    return true;
}
