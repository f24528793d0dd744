/*
 * Bindings that another node noted, into memory and the store.
 */
#include "mirror.h"

#include <sipd/module.h>

#include "jobs.h"
#include "row.h"
#include "rules.h"

#define AGAIN_MOST 256 /* failed writes in one step */

struct mirrored { /* a write that the store has, or failed to do, with its texts */
    struct ring ring;
    uint32_t version, epoch; /* of what it puts */
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

static bool
is_put(const struct mirrored *m)
{
    return m->change.verb == STORE_PUT;
}

/* Puts make room, since all that there is will be written anew; of what is to be dropped memory knows nothing any more. */
static void
overflow(struct mirror *mirror)
{
    struct ring *next;

    mirror->overflown = true;
    for (struct ring *at = mirror->failed.next; at != &mirror->failed; at = next) {
        struct mirrored *m = RING_OF(at, struct mirrored, ring);

        next = at->next;
        if (!is_put(m))
            continue;
        ring_out(at);
        mirror->failed_len--;
        sipd_free(m);
    }
}

/* What fails is told by the store itself, and waits for another try, or for all that there is to be written anew. */
static void
set_aside(struct mirror *mirror, struct mirrored *m)
{
    if (mirror->failed_len >= mirror->max_waiting && !mirror->overflown)
        overflow(mirror);
    if ((mirror->overflown && is_put(m)) || mirror->failed_len >= mirror->max_waiting) {
        sipd_free(m);
        return;
    }
    ring_put(&mirror->failed, &m->ring);
    mirror->failed_len++;
}

/* False: it failed at once. */
static bool
write_through(struct mirror *mirror, struct mirrored *m)
{
    int answer;

    mirror->last_id = mirror->last_id == MIRROR_ID_MAX ? 1 : mirror->last_id + 1;
    m->write = (struct store_write){ .id = mirror->last_id, .changes = &m->change, .len = 1 };
    answer = mirror->ops->write(mirror->store, &m->write);
    if (answer == STORE_LATER) {
        ring_put(&mirror->writes, &m->ring);
        mirror->waiting++;
    } else if (answer == STORE_NOW) {
        sipd_free(m);
    } else {
        set_aside(mirror, m);
    }
    return answer >= 0;
}

static struct mirrored *
take_first(struct ring *ring)
{
    struct mirrored *m = RING_OF(ring->next, struct mirrored, ring);

    ring_out(&m->ring);
    return m;
}

/* Stores answer in order. */
void
mirror_written(struct mirror *mirror, uint64_t id, int err)
{
    struct mirrored *m;

    if (ring_is_empty(&mirror->writes) ||
        RING_OF(mirror->writes.next, struct mirrored, ring)->write.id != id)
        return;
    m = take_first(&mirror->writes);
    mirror->waiting--;
    if (err)
        set_aside(mirror, m);
    else
        sipd_free(m);
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

/* Is it still what is to be in the store? What came later was, or will be, written by itself. */
static bool
is_wanted(const struct mirrored *m, const struct aor *aor)
{
    const struct store_row *row = &m->change.row;
    struct binding_key key = { row->contact, row->instance, row->reg_id };
    size_t of_aor;
    const struct binding *known = find(aor, &key, &of_aor);

    if (m->change.verb == STORE_DROP)
        return !known;
    return known && known->version == m->version && known->epoch == m->epoch;
}

void
mirror_again(struct mirror *mirror)
{
    uint32_t most = mirror->failed_len < AGAIN_MOST ? mirror->failed_len : AGAIN_MOST;
    bool works = true;

    while (works && most-- > 0 && mirror->waiting < mirror->max_waiting) {
        struct mirrored *m = take_first(&mirror->failed);
        const struct aor *aor = bindings_find(mirror->index, m->change.row.aor);

        mirror->failed_len--;
        if (jobs_are_under_way(aor))
            set_aside(mirror, m); /* what they write is newer, and must not come before it */
        else if (is_wanted(m, aor))
            works = write_through(mirror, m);
        else
            sipd_free(m);
    }
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
    b->epoch = bindings_epoch(mirror->index);
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

    if (known && known->epoch == bindings_epoch(mirror->index) && is_older(version, known->version))
        return SIPD_OK;
    if (mirror->waiting >= mirror->max_waiting ||
        (fact->here && !known && of_aor >= RULES_BINDINGS_MAX))
        return SIPD_EFULL;
    m = mirrored_new(fact);
    if (!m)
        return SIPD_ENOMEM;
    m->version = version;
    m->epoch = bindings_epoch(mirror->index);
    if (fact->here)
        err = put(mirror, fact, source, version, now_ms);
    else if (known)
        bindings_forget(mirror->index, aor, &key);
    if (err == SIPD_OK)
        (void)write_through(mirror, m);
    else
        sipd_free(m);
    return err;
}

int
mirror_drop(struct mirror *mirror, struct aor *aor, const struct binding *b)
{
    struct binding_key key = binding_key(b);
    struct binding_fact fact = { .row = { .aor = aor_text(aor),
                                          .contact = key.contact,
                                          .instance = key.instance,
                                          .reg_id = key.reg_id } };
    struct mirrored *m;

    if (mirror->waiting >= mirror->max_waiting)
        return SIPD_EFULL;
    m = mirrored_new(&fact);
    if (!m)
        return SIPD_ENOMEM;
    (void)bindings_drop(mirror->index, aor, &key);
    bindings_release(mirror->index, aor);
    (void)write_through(mirror, m);
    return SIPD_OK;
}

void
mirror_init(struct mirror *mirror)
{
    *mirror = (struct mirror){ .last_id = 0 };
    ring_init(&mirror->writes);
    ring_init(&mirror->failed);
}

static void
free_all(struct ring *ring)
{
    while (ring->next && !ring_is_empty(ring))
        sipd_free(take_first(ring));
}

void
mirror_fini(struct mirror *mirror)
{
    free_all(&mirror->writes);
    free_all(&mirror->failed);
}
