/*
 * The module that knows where names lead: asked for the core, and its answers handed over at the next tick, so that none
 * comes back before the question has returned.
 */
#include "base/mem.h"
#include "core/core.h"
#include "host/state.h"

enum { HOPS_MAX = UINT8_MAX };

struct asking {
    struct list link;  /* of host->resolved once it is answered, else of host->asked */
    uint64_t slot, of; /* its own id; whose question it is: the core's id */
    bool answered;
    bool for_answer;
    int err;
    struct hop *hops; /* owned */
    size_t len;
};

void
resolver_init(struct host *host)
{
    list_init(&host->asked);
    list_init(&host->resolved);
    slots_init(&host->askings, sizeof(struct asking), RESOLVER_ASKED_MAX);
}

static void
asking_free(struct host *host, struct asking *a)
{
    list_remove(&a->link);
    mem_free(a->hops);
    slots_free(&host->askings, a->slot);
}

void
resolver_fini(struct host *host)
{
    uint64_t cursor = 0;
    struct asking *a;

    while ((a = slots_next(&host->askings, &cursor)))
        asking_free(host, a);
    slots_fini(&host->askings);
}

int
sipd_offer_resolver(struct sipd_host *host, const struct sipd_resolver_ops *ops, void *self)
{
    struct resolver *resolver = &host->host->resolver;

    if (resolver->ops) {
        sipd_complain(host, "%s finds the hops of names already; load one of the two",
                      resolver->owner->is->name);
        return SIPD_EEXIST;
    }
    *resolver = (struct resolver){ ops, self, host };
    return SIPD_OK;
}

int
host_resolve(struct host *host, const struct sipd_place *place, uint64_t id)
{
    const struct resolver *resolver = &host->resolver;
    struct asking *a;
    uint64_t slot;
    int err;

    if (!resolver->ops)
        return SIPD_ENOENT;
    a = slots_new(&host->askings, &slot);
    if (!a)
        return SIPD_EFULL;
    a->slot = slot;
    a->of = id;
    a->for_answer = place->for_answer;
    list_push(&host->asked, &a->link);
    err = resolver->ops->ask(resolver->self, place, slot);
    if (err != SIPD_OK)
        asking_free(host, a);
    return err;
}

void
host_tried(const struct host *host, const struct hop *hop, enum sipd_tried how,
           uint32_t retry_after_s)
{
    const struct resolver *resolver = &host->resolver;

    if (resolver->ops && resolver->ops->tried)
        resolver->ops->tried(resolver->self, hop, how, retry_after_s);
}

static void
set_answer(struct host *host, struct asking *a, int err)
{
    a->answered = true;
    a->err = err;
    list_remove(&a->link);
    list_push(&host->resolved, &a->link);
}

void
sipd_resolved(struct sipd_host *host, uint64_t id, const struct hop *hops, size_t len, int err)
{
    struct asking *a = slots_find(&host->host->askings, id);

    if (!a || a->answered || host->host->resolver.owner != host)
        return;
    if (len > HOPS_MAX)
        len = HOPS_MAX;
    a->hops = len > 0 ? mem_new(len * sizeof *hops) : NULL;
    if (a->hops) {
        memcpy(a->hops, hops, len * sizeof *hops);
        a->len = len;
    } else if (len > 0) {
        err = SIPD_ENOMEM;
    }
    set_answer(host->host, a, err);
}

bool
sipd_can_send(struct sipd_host *host, const struct hop *to)
{
    const struct host_ports *ports = &host->host->ports;

    return ports->can_send && ports->can_send(ports->io, to);
}

static void
tell(struct host *host, const struct asking *a)
{
    if (!host->core)
        return;
    if (a->for_answer)
        core_resolved_answer(host->core, a->of, a->hops, a->len);
    else
        core_resolved(host->core, a->of, a->hops, a->len, a->err);
}

/* A trial stands beside the host that serves, and on the same ports. */
static void
set_rest(struct sipd_host *module, uint32_t ms)
{
    const struct host_ports *ports = &module->host->ports;

    if (ports->set_rest && !sipd_is_trial(module))
        ports->set_rest(ports->io, ms);
}

void
sipd_set_rest(struct sipd_host *host, uint32_t ms)
{
    if (host->host->resolver.owner == host)
        set_rest(host, ms);
}

/* What the core asks anew in here is told at the next tick. */
void
resolver_tick(struct host *host)
{
    struct list due, *node;

    list_init(&due);
    list_join(&due, &host->resolved);
    while ((node = list_shift(&due))) {
        struct asking *a = container_of(node, struct asking, link);

        tell(host, a);
        asking_free(host, a);
    }
}

void
resolver_forget(struct host *host, struct sipd_host *owner)
{
    if (host->resolver.owner != owner)
        return;
    host->resolver = (struct resolver){ 0 };
    set_rest(owner, 0);
    list_each (node, after, &host->asked)
        set_answer(host, container_of(node, struct asking, link), SIPD_ECLOSED);
    resolver_tick(host);
}
