/*
 * The scripted places of users: a hook that names targets, as a registrar's does, at once or after it has thought.
 */
#include "sim/where.h"

#include "base/mem.h"
#include "core/trip.h"
#include "sim/doors.h"

enum { HOOK_ORDER = 600, FORGET_MS = 1000 };

struct thought { /* of a request that waits */
    struct errand errand;
    struct list link; /* sipd->thoughts */
    uint64_t trip;
    bool ready;
};

void
sim_add_where(struct sim_sipd *s, struct span aor, const struct sipd_target *target, bool by_flow)
{
    struct sim_where *where = mem_new(sizeof *where);

    BUG_ON(!where);
    list_init(&where->link);
    where->aor = arena_copy(&s->world->arena, aor);
    where->target = *target;
    where->target.uri = arena_copy(&s->world->arena, target->uri);
    where->by_flow = by_flow;
    list_push(&s->wheres, &where->link);
}

/* ------------------------------------------------------------------ thinking */

static struct thought *
find_thought(const struct sim_sipd *s, uint64_t trip)
{
    list_each (node, after, &s->thoughts) {
        struct thought *thought = container_of(node, struct thought, link);

        if (thought->trip == trip)
            return thought;
    }
    return NULL;
}

/* Its request ended meanwhile, and nobody asked any more. */
static void
forget(struct errand *errand)
{
    struct thought *thought = container_of(errand, struct thought, errand);

    list_remove(&thought->link);
    mem_free(thought);
}

static void
be_ready(struct errand *errand)
{
    struct thought *thought = container_of(errand, struct thought, errand);
    struct sim_sipd *s = errand->sipd;

    thought->ready = true;
    sim_later(s, errand, FORGET_MS, forget);
    world_enter(s->world);
    core_resume(s->core, thought->trip);
    world_leave(s->world);
}

static void
think(struct sim_sipd *s, uint64_t trip)
{
    struct thought *thought;

    world_leave(s->world);
    thought = mem_new(sizeof *thought);
    BUG_ON(!thought);
    s->world->thoughts++;
    thought->trip = trip;
    list_init(&thought->link);
    list_push(&s->thoughts, &thought->link);
    sim_later(s, &thought->errand, (uint32_t)rand_below(&s->world->rand, s->thinks_ms), be_ready);
    world_enter(s->world);
}

/* True: it has not made up its mind yet. */
static bool
must_think(struct sim_sipd *s, uint64_t trip)
{
    struct thought *thought = find_thought(s, trip);

    if (!thought && (s->thinks_ms == 0 || rand_below(&s->world->rand, 2) == 0))
        return false;
    if (!thought) {
        think(s, trip);
        return true;
    }
    if (!thought->ready)
        world_fail(s->world, "%.*s asks a hook again that waits", SPAN_ARG(s->name));
    return false;
}

/* ------------------------------------------------------------------ the hook */

static enum sipd_verdict
on_targets(struct sipd_req *req, void *self)
{
    struct sim_sipd *s = self;
    char aor[256];
    int len = uri_aor_write(&req->trip->uri, aor, sizeof aor);

    if (must_think(s, req->trip->id))
        return SIPD_WAIT;
    list_each (node, after, &s->wheres) {
        struct sim_where *where = container_of(node, struct sim_where, link);
        struct sipd_target target = where->target;

        if (len < 0 || !span_eq(where->aor, (struct span){ aor, (size_t)len }))
            continue;
        if (where->by_flow)
            target.hop.flow = doors_flow_id(s, &target.hop);
        if (trip_add_target(req->trip, &target) != SIPD_OK)
            return SIPD_FAIL;
    }
    return SIPD_PASS;
}

void
where_start(struct sim_sipd *s, struct core *core)
{
    struct chain_hook hook = {
        .order = HOOK_ORDER, .fn = on_targets, .self = s, .owner = s, .name = "script"
    };

    BUG_ON(chain_add(core_chain(core), SIPD_ON_TARGETS, &hook) != SIPD_OK);
}
