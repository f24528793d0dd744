/*
 * A walk over the index that puts each binding into the store.
 *
 * Changes go on meanwhile. What is handed to the store first is written first, so a change that begins after us is newer
 * than what we put; and what a write under way is about to change is left to it. If any write fails, ours or another, the
 * walk begins anew.
 */
#include "rewrite.h"

#include <sipd/module.h>

#include "jobs.h"
#include "row.h"

#define BUCKETS 4096 /* looked at in one step */

void
rewrite_begin(struct rewrite *rewrite)
{
    if (!rewrite->walking)
        bindings_walk_begin(rewrite->index);
    rewrite->walking = true;
    rewrite->again = false;
    rewrite->place = 0;
}

void
rewrite_again(struct rewrite *rewrite)
{
    rewrite->again = rewrite->walking;
}

bool
rewrite_is_wanted(const struct rewrite *rewrite)
{
    return rewrite->walking;
}

static void
end(struct rewrite *rewrite)
{
    if (rewrite->walking)
        bindings_walk_end(rewrite->index);
    rewrite->walking = false;
}

/* ---------------------------------------------------------------- what is to be written */

/* Does a write that is under way put or drop it? */
static bool
is_being_changed(const struct aor *aor, const struct binding *b)
{
    struct job *job = aor->jobs;

    while (job && job->state != JOB_WRITING)
        job = job->next;
    for (size_t i = 0; job && i < job->write.len; i++) {
        const struct store_row *row = &job->changes[i].row;
        struct binding_key key = { row->contact, row->instance, row->reg_id };

        if (binding_has_key(b, &key))
            return true;
    }
    return false;
}

static size_t
text_bytes(const struct binding *b)
{
    return (size_t)b->aor_len + b->contact_len + b->call_id_len + b->params_len + b->path_len +
           b->agent_len + HOP_TEXT_BYTES;
}

/* Counts what an AoR has to be written, and the bytes of it. */
static void
measure(const struct aor *aor, size_t *rows, size_t *bytes)
{
    for (const struct binding *b = aor->first; b; b = b->next)
        if (!is_being_changed(aor, b)) {
            ++*rows;
            *bytes += text_bytes(b);
        }
}

static void
put(struct rewrite *rewrite, const struct binding *b, char **text)
{
    struct store_change *change = &rewrite->changes[rewrite->write.len++];
    struct span params = row_keep(text, binding_params(b));

    change->verb = STORE_PUT;
    change->row = (struct store_row){
        .aor = row_keep(text, binding_aor(b)),
        .contact = row_keep(text, binding_contact(b)),
        .instance = binding_find_instance(params),
        .reg_id = b->reg_id,
        .params = params,
        .path = row_keep(text, binding_path(b)),
        .call_id = row_keep(text, binding_call_id(b)),
        .user_agent = row_keep(text, binding_agent(b)),
        .listener = row_keep(text, span_head(bindings_listener(rewrite->index, b), HOP_TEXT_BYTES)),
        .source = b->source,
        .expires_s = b->expires_s,
        .granted_s = b->granted_s,
        .cseq = b->cseq,
        .q = b->q,
        .reach = b->reach,
    };
}

/* The buckets from `place` on whose bindings make one write; *place is behind them. */
static void
measure_buckets(struct rewrite *rewrite, size_t *place, size_t *rows, size_t *bytes)
{
    const struct aor *aor;

    for (int n = 0; n < BUCKETS && *rows < REWRITE_ROWS; n++) {
        if (!bindings_walk(rewrite->index, place, &aor)) {
            if (*rows == 0)
                end(rewrite);
            return;
        }
        for (; aor; aor = bindings_after(aor))
            measure(aor, rows, bytes);
    }
}

static void
put_buckets(struct rewrite *rewrite, size_t to, char *text)
{
    const struct aor *aor;

    while (rewrite->place < to && bindings_walk(rewrite->index, &rewrite->place, &aor))
        for (; aor; aor = bindings_after(aor))
            for (const struct binding *b = aor->first; b; b = b->next)
                if (!is_being_changed(aor, b))
                    put(rewrite, b, &text);
}

/* ---------------------------------------------------------------- writing */

void
rewrite_written(struct rewrite *rewrite, int err)
{
    sipd_free(rewrite->changes);
    rewrite->changes = NULL;
    rewrite->under_way = false;
    if (err)
        rewrite_again(rewrite);
}

static void
write_changes(struct rewrite *rewrite)
{
    int answer;

    rewrite->under_way = true;
    answer = rewrite->ops->write(rewrite->store, &rewrite->write);
    if (answer != STORE_LATER)
        rewrite_written(rewrite, answer);
}

/* Without memory a later step tries again. */
void
rewrite_step(struct rewrite *rewrite)
{
    size_t place, rows = 0, bytes = 0;

    if (!rewrite->walking || rewrite->under_way)
        return;
    if (rewrite->again)
        rewrite_begin(rewrite);
    place = rewrite->place;
    measure_buckets(rewrite, &place, &rows, &bytes);
    if (!rewrite->walking)
        return;
    rewrite->changes = sipd_alloc(rows * sizeof *rewrite->changes + bytes + 1);
    if (!rewrite->changes)
        return;
    rewrite->write = (struct store_write){ .id = REWRITE_ID, .changes = rewrite->changes };
    put_buckets(rewrite, place, (char *)(rewrite->changes + rows));
    write_changes(rewrite);
}

void
rewrite_fini(struct rewrite *rewrite)
{
    end(rewrite);
    sipd_free(rewrite->changes);
    rewrite->changes = NULL;
}
