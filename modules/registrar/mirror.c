/*
 * Bindings that another node noted, into memory and the store.
 */
#include "mirror.h"

#include <sipd/module.h>

#include "row.h"
#include "rules.h"

struct mirrored { /* a write that the store has, with its texts */
    struct ring ring;
    struct store_write write;
    struct store_change change;
    char text[];
};

/* ---------------------------------------------------------------- into the store */

static struct mirrored *
mirrored_new(const struct binding_fact *fact)
{
    const struct store_row *from = &fact->row;
    struct mirrored *m = sipd_alloc(sizeof *m + row_text_bytes(from));
    char *to;

    if (!m)
        return NULL;
    ring_init(&m->ring);
    to = m->text;
    m->change = (struct store_change){ fact->here ? STORE_PUT : STORE_DROP, row_copy(from, &to) };
    return m;
}

/* What fails is told by the store itself. */
static void
write_through(struct mirror *mirror, struct mirrored *m)
{
    mirror->last_id = mirror->last_id == MIRROR_ID_MAX ? 1 : mirror->last_id + 1;
    m->write = (struct store_write){ .id = mirror->last_id, .changes = &m->change, .len = 1 };
    if (mirror->ops->write(mirror->store, &m->write) != STORE_LATER) {
        sipd_free(m);
        return;
    }
    ring_put(&mirror->writes, &m->ring);
    mirror->waiting++;
}

static void
end_first(struct mirror *mirror)
{
    struct mirrored *m = RING_OF(mirror->writes.next, struct mirrored, ring);

    ring_out(&m->ring);
    mirror->waiting--;
    sipd_free(m);
}

/* Stores answer in order. */
void
mirror_written(struct mirror *mirror, uint64_t id)
{
    if (!ring_is_empty(&mirror->writes) &&
        RING_OF(mirror->writes.next, struct mirrored, ring)->write.id == id)
        end_first(mirror);
}

/* ---------------------------------------------------------------- into memory */

/* Versions go round. */
static bool
is_older(uint32_t version, uint32_t known)
{
    return (int32_t)(version - known) < 0;
}

static const struct binding *
find(const struct aor *aor, const struct binding_key *key, size_t *of_aor)
{
    const struct binding *found = NULL;

    *of_aor = 0;
    for (const struct binding *b = aor ? aor->first : NULL; b; b = b->next) {
        ++*of_aor;
        if (binding_has_key(b, key))
            found = b;
    }
    return found;
}

static int
put(struct mirror *mirror, const struct binding_fact *fact, const struct hop *source,
    uint32_t version, uint64_t now_ms)
{
    struct binding *b = binding_new(&fact->row, now_ms + fact->left_ms);
    int err;

    if (!b)
        return SIPD_ENOMEM;
    b->source = *source;
    b->version = version;
    err = bindings_restore(mirror->index, &b, now_ms);
    if (err != SIPD_OK)
        binding_free(&b);
    return err;
}

int
mirror_take(struct mirror *mirror, const struct binding_fact *fact, const struct hop *source,
            uint32_t version, uint64_t now_ms)
{
    struct binding_key key = { fact->row.contact, fact->row.instance, fact->row.reg_id };
    struct aor *aor = bindings_find(mirror->index, fact->row.aor);
    struct mirrored *m;
    size_t of_aor;
    const struct binding *known = find(aor, &key, &of_aor);
    int err = SIPD_OK;

    if (known && is_older(version, known->version))
        return SIPD_OK;
    if (mirror->waiting >= mirror->max_waiting ||
        (fact->here && !known && of_aor >= RULES_BINDINGS_MAX))
        return SIPD_EFULL;
    m = mirrored_new(fact);
    if (!m)
        return SIPD_ENOMEM;
    if (fact->here)
        err = put(mirror, fact, source, version, now_ms);
    else if (known)
        bindings_forget(mirror->index, aor, &key);
    if (err == SIPD_OK)
        write_through(mirror, m);
    else
        sipd_free(m);
    return err;
}

void
mirror_init(struct mirror *mirror)
{
    *mirror = (struct mirror){ .last_id = 0 };
    ring_init(&mirror->writes);
}

void
mirror_fini(struct mirror *mirror)
{
    while (mirror->writes.next && !ring_is_empty(&mirror->writes))
        end_first(mirror);
}
