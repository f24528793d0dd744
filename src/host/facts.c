/*
 * Facts of the core and of modules: shown in order to the module that watches, taken in for whom they are.
 */
#include "base/mem.h"
#include "core/core.h"
#include "host/state.h"

enum { BUSY_MS = 20 }; /* so long nothing is asked of a module that can do nothing now */

struct facts { /* a kind that somebody takes in */
    struct list link;
    const struct sipd_host *owner;
    const char *kind;
    const struct sipd_facts_ops *ops;
    void *self;
    bool begun, told; /* of what there was, to the one who watches */
    bool swept;       /* of what the other node did not name: nothing is left */
};

/* ---- noting */

/* Nothing can be told or ended now. */
static void
rest(struct host *host)
{
    host->facts_at_ms = host->ports.clock->now_ms + BUSY_MS;
}

static void
tell_anew(struct host *host)
{
    host->watch.again = true;
    host->watch.complete = false;
}

uint64_t
host_note(struct host *host, const struct fact *fact)
{
    const struct watch *watch = &host->watch;

    if (!watch->begun)
        return host->ports.note ? host->ports.note(host->ports.io, fact) : 0;
    watch->fn(watch->self, fact, ++host->noted);
    if (fact->lost) {
        tell_anew(host);
        rest(host); /* there may be memory then */
    }
    return host->noted;
}

uint64_t
sipd_note(struct sipd_host *host, const char *kind, uint32_t version, uint64_t id,
          struct span bytes)
{
    struct fact fact = { .kind = kind, .version = version, .id = id, .bytes = bytes };

    return host_note(host->host, &fact);
}

bool
sipd_is_watched(const struct sipd_host *host)
{
    return host->host->watch.begun || host->host->ports.note;
}

/* ---- watching */

static void
end_watch(struct host *host)
{
    bool begun = host->watch.begun;

    host->watch = (struct watch){ .fn = NULL };
    if (begun)
        core_watch(host->core, false);
}

int
sipd_watch_facts(struct sipd_host *module, sipd_watch_fn *fn, void *self)
{
    struct host *host = module->host;

    if (host->watch.fn && host->watch.owner != module)
        return SIPD_EEXIST;
    end_watch(host);
    if (!fn || !host->core)
        return SIPD_OK;
    host->watch = (struct watch){ .fn = fn, .self = self, .owner = module };
    return SIPD_OK;
}

static struct facts *
first_untold(struct host *host)
{
    list_each (node, after, &host->facts) {
        struct facts *facts = container_of(node, struct facts, link);

        if (!facts->told && facts->ops->snapshot)
            return facts;
    }
    return NULL;
}

/* What is left of it goes on in the next turn, or, if its module is busy, in a while. True: nothing is left. */
static bool
is_done(struct host *host, enum sipd_left left)
{
    if (left == SIPD_LEFT_BUSY)
        rest(host);
    return left == SIPD_LEFT_NONE;
}

static bool
is_telling(const struct host *host)
{
    return host->watch.fn && !host->watch.complete;
}

static void
begin(struct host *host)
{
    struct fact first = { .kind = FACT_BEGIN };

    host->watch.begun = true;
    host->watch.again = false;
    list_each (node, after, &host->facts) {
        struct facts *facts = container_of(node, struct facts, link);

        facts->begun = facts->told = false;
    }
    (void)host_note(host, &first);
    core_watch(host->core, true);
}

/* What there is is told in pieces, one a turn, and what changes in between. */
static void
tell_some(struct host *host)
{
    struct fact all = { .kind = FACT_ALL };
    struct facts *facts;

    if (!host->watch.begun || host->watch.again)
        begin(host);
    facts = first_untold(host);
    if (!facts && !core_is_told(host->core))
        return;
    if (facts) {
        bool begin = !facts->begun;

        facts->begun = true;
        facts->told = is_done(host, facts->ops->snapshot(facts->self, begin));
        return;
    }
    host->watch.complete = true;
    (void)host_note(host, &all);
}

/* ---- taking in */

/* Ends, in pieces as well, what another node's watch did not name. */
static void
sweep_some(struct host *host)
{
    bool more = host->core && core_sweep(host->core);

    list_each (node, after, &host->facts) {
        struct facts *facts = container_of(node, struct facts, link);

        facts->swept =
            facts->swept || !facts->ops->sweep || is_done(host, facts->ops->sweep(facts->self));
        more = more || !facts->swept;
    }
    host->sweeping = more;
}

uint64_t
facts_next_ms(const struct host *host)
{
    uint64_t now_ms = host->ports.clock->now_ms;

    if (!is_telling(host) && !host->sweeping)
        return UINT64_MAX;
    return host->facts_at_ms > now_ms ? host->facts_at_ms : now_ms;
}

void
facts_tick(struct host *host)
{
    if (host->facts_at_ms > host->ports.clock->now_ms)
        return;
    if (is_telling(host))
        tell_some(host);
    if (host->sweeping)
        sweep_some(host);
}

static struct facts *
find(struct host *host, struct span kind)
{
    list_each (node, after, &host->facts) {
        struct facts *facts = container_of(node, struct facts, link);

        if (span_eq(span_of(facts->kind), kind))
            return facts;
    }
    return NULL;
}

int
sipd_offer_facts(struct sipd_host *module, const char *kind, const struct sipd_facts_ops *ops,
                 void *self)
{
    struct host *host = module->host;
    struct facts *facts;

    if (find(host, span_of(kind)))
        return SIPD_EEXIST;
    facts = mem_new(sizeof *facts);
    if (!facts)
        return SIPD_ENOMEM;
    *facts = (struct facts){ .owner = module, .kind = kind, .ops = ops, .self = self };
    list_init(&facts->link);
    list_push(&host->facts, &facts->link);
    tell_anew(host);
    return SIPD_OK;
}

static void
epoch_begins(struct host *host)
{
    host->sweeping = false;
    host->facts_at_ms = 0;
    list_each (node, after, &host->facts) {
        struct facts *facts = container_of(node, struct facts, link);

        if (facts->ops->begin)
            facts->ops->begin(facts->self);
    }
}

static void
epoch_ends(struct host *host)
{
    host->sweeping = true;
    list_each (node, after, &host->facts) {
        struct facts *facts = container_of(node, struct facts, link);

        facts->swept = false;
    }
}

int
host_restore(struct host *host, const struct fact *fact)
{
    struct span kind = span_of(fact->kind);
    const struct facts *facts = find(host, kind);

    if (facts)
        return facts->ops->restore(facts->self, fact);
    if (span_eq(kind, SPAN(FACT_BEGIN)))
        epoch_begins(host);
    else if (span_eq(kind, SPAN(FACT_ALL)))
        epoch_ends(host);
    return host->core ? core_restore(host->core, fact) : SIPD_ENOENT;
}

/* Modules first: whom the core asks shall be awake. */
void
host_wake(struct host *host, uint64_t silent_ms)
{
    list_each (node, after, &host->facts) {
        const struct facts *facts = container_of(node, struct facts, link);

        if (facts->ops->wake)
            facts->ops->wake(facts->self);
    }
    if (host->core)
        core_wake(host->core, silent_ms);
}

void
host_note_all(struct host *host)
{
    list_each (node, after, &host->facts) {
        const struct facts *facts = container_of(node, struct facts, link);
        enum sipd_left left =
            facts->ops->snapshot ? facts->ops->snapshot(facts->self, true) : SIPD_LEFT_NONE;

        while (left == SIPD_LEFT_SOME)
            left = facts->ops->snapshot(facts->self, false);
    }
}

int
sipd_restore_fact(struct sipd_host *host, const struct fact *fact)
{
    return host_restore(host->host, fact);
}

void
sipd_wake_facts(struct sipd_host *host, uint64_t silent_ms)
{
    host_wake(host->host, silent_ms);
}

void
facts_forget(struct host *host, const struct sipd_host *owner)
{
    if (host->watch.fn && host->watch.owner == owner)
        end_watch(host);
    list_each (node, after, &host->facts) {
        struct facts *facts = container_of(node, struct facts, link);

        if (facts->owner != owner)
            continue;
        list_remove(&facts->link);
        mem_free(facts);
    }
}
