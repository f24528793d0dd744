/*
 * The registrar as a standby, and before one: facts of bindings are taken in, and all told to one who begins to watch.
 */
#include "registrar.h"

#define TELL_BUCKETS 256 /* in a turn */

static int
restore(void *self, const struct fact *fact)
{
    struct registrar *r = self;
    uint64_t now_ms = sipd_now_ms(r->host);
    struct binding_fact binding;
    struct hop source;
    int err = binding_fact_read(fact->bytes, &binding);

    if (err != SIPD_OK)
        return err;
    if (!r->ready)
        return SIPD_EFULL; /* what is being read is older, and must not come behind it */
    source = registrar_source(r, &binding.row);
    if (binding.here) /* two nodes have two clocks: what is left counts */
        binding.row.expires_s = steady_at(&r->steady, now_ms + binding.left_ms);
    return mirror_take(&r->mirror, &binding, &source, fact->version, now_ms);
}

static void
end_telling(struct registrar *r)
{
    if (r->telling)
        bindings_walk_end(r->index);
    r->telling = false;
}

/* What the store has not told yet comes as it is read: until then there is more. */
static enum sipd_left
snapshot(void *self, bool begin)
{
    struct registrar *r = self;
    const struct aor *aor;

    if (begin) {
        end_telling(r);
        bindings_walk_begin(r->index);
        r->telling = true;
        r->told = 0;
    }
    if (!r->ready)
        return SIPD_LEFT_BUSY;
    for (unsigned n = 0; n < TELL_BUCKETS; n++) {
        if (!bindings_walk(r->index, &r->told, &aor)) {
            end_telling(r);
            return SIPD_LEFT_NONE;
        }
        for (; aor; aor = bindings_after(aor))
            bindings_tell(r->index, aor, sipd_now_ms(r->host));
    }
    return SIPD_LEFT_SOME;
}

static void
end_sweeping(struct registrar *r)
{
    if (r->sweeping)
        bindings_walk_end(r->index);
    r->sweeping = false;
}

static void
begin(void *self)
{
    struct registrar *r = self;

    end_sweeping(r);
    bindings_begin_epoch(r->index);
}

/* False: the store lags, or memory is out. */
static bool
sweep_aor(struct registrar *r, struct aor *aor)
{
    const struct binding *next;
    bool all = true;

    for (const struct binding *b = aor->first; all && b; b = next) {
        next = b->next;
        if (b->epoch != bindings_epoch(r->index))
            all = mirror_drop(&r->mirror, aor, b) == SIPD_OK;
    }
    return all;
}

/* False: some of it is left, and it is to be looked at again. */
static bool
sweep_bucket(struct registrar *r, const struct aor *bucket)
{
    const struct aor *next;
    bool all = true;

    for (const struct aor *aor = bucket; all && aor; aor = next) {
        next = bindings_after(aor);
        all = !jobs_are_under_way(aor) && sweep_aor(r, bindings_find(r->index, aor_text(aor)));
    }
    return all;
}

static enum sipd_left
sweep(void *self)
{
    struct registrar *r = self;
    const struct aor *aor;
    size_t place;

    if (!r->ready)
        return SIPD_LEFT_BUSY; /* what is being read may be old, too */
    if (!r->sweeping) {
        bindings_walk_begin(r->index);
        r->sweeping = true;
        r->swept = 0;
    }
    for (unsigned n = 0; n < TELL_BUCKETS; n++, r->swept = place) {
        place = r->swept;
        if (!bindings_walk(r->index, &place, &aor)) {
            end_sweeping(r);
            return SIPD_LEFT_NONE;
        }
        if (!sweep_bucket(r, aor))
            return SIPD_LEFT_BUSY;
    }
    return SIPD_LEFT_SOME;
}

static const struct sipd_facts_ops ops = {
    .restore = restore, .snapshot = snapshot, .begin = begin, .sweep = sweep
};

int
registrar_facts(struct registrar *r)
{
    return sipd_offer_facts(r->host, BINDING_FACT, &ops, r);
}
