/*
 * One change of an address-of-record after the other, through the store into memory (RFC 3261 §10.3).
 */
#include "jobs.h"

#include <sipd/module.h>

#include "row.h"

#define SLOTS_FIRST 64u

/* ---------------------------------------------------------------- by id */

static int
add_slots(struct jobs *jobs)
{
    uint32_t len = jobs->slots_len ? 2 * jobs->slots_len : SLOTS_FIRST;
    struct job_slot *slots = sipd_realloc(jobs->slots, len * sizeof *slots);

    if (!slots)
        return SIPD_ENOMEM;
    jobs->slots = slots;
    while (jobs->slots_len < len) {
        slots[jobs->slots_len] = (struct job_slot){ .free = jobs->slots_free };
        jobs->slots_free = ++jobs->slots_len;
    }
    return SIPD_OK;
}

static int
give_id(struct jobs *jobs, struct job *job)
{
    struct job_slot *slot;

    if (jobs->slots_free == 0 && add_slots(jobs) != SIPD_OK)
        return SIPD_ENOMEM;
    slot = &jobs->slots[jobs->slots_free - 1];
    slot->job = job;
    job->id = (uint64_t)++slot->turn << 32 | jobs->slots_free;
    jobs->slots_free = slot->free;
    jobs->count++;
    return SIPD_OK;
}

static struct job *
job_of(const struct jobs *jobs, uint64_t id)
{
    uint32_t at = (uint32_t)id;

    if (at == 0 || at > jobs->slots_len || jobs->slots[at - 1].turn != id >> 32)
        return NULL;
    return jobs->slots[at - 1].job;
}

static void
take_id(struct jobs *jobs, struct job *job)
{
    uint32_t at = (uint32_t)job->id;

    jobs->slots[at - 1].job = NULL;
    jobs->slots[at - 1].free = jobs->slots_free;
    jobs->slots_free = at;
    jobs->count--;
}

/* ---------------------------------------------------------------- a job's own copy */

/* The job, its Contacts and its texts in one block. */
static struct job *
job_new(struct aor *aor, const struct job_ask *ask)
{
    struct span agent = span_head(ask->user_agent, STORE_AGENT_BYTES);
    size_t text = ask->reg.call_id.len + agent.len + ask->reg.path.len;
    struct rules_contact *contacts;
    struct job *job;
    char *to;

    for (size_t i = 0; i < ask->reg.len; i++)
        text += ask->reg.contacts[i].uri.len + ask->reg.contacts[i].params.len;
    job = sipd_alloc(sizeof *job + ask->reg.len * sizeof *contacts + text);
    if (!job)
        return NULL;
    contacts = (struct rules_contact *)(void *)(job + 1);
    to = (char *)(contacts + ask->reg.len);
    job->aor = aor;
    job->ask = *ask;
    job->ask.aor = aor_text(aor);
    job->ask.reg.call_id = row_keep(&to, ask->reg.call_id);
    job->ask.user_agent = row_keep(&to, agent);
    for (size_t i = 0; i < ask->reg.len; i++) {
        contacts[i] = ask->reg.contacts[i];
        contacts[i].uri = row_keep(&to, contacts[i].uri);
        contacts[i].params = row_keep(&to, contacts[i].params);
        contacts[i].instance = binding_find_instance(contacts[i].params);
    }
    job->ask.reg.path = row_keep(&to, ask->reg.path);
    job->ask.reg.contacts = contacts;
    job->answer.status = 200;
    ring_init(&job->finished);
    return job;
}

/* Ends the plan; what was not put into the index goes with it. */
static void
plan_free(struct jobs *jobs, struct job *job)
{
    for (size_t i = 0; i < job->write.len; i++)
        if (job->fresh[i])
            binding_free(&job->fresh[i]);
    if (job->state == JOB_WRITING)
        jobs->coming -= job->changed;
    job->write.len = 0;
    if ((char *)job->changes != job->room)
        sipd_free(job->changes);
    job->changes = NULL;
}

static void
job_free(struct jobs *jobs, struct job *job)
{
    plan_free(jobs, job);
    ring_out(&job->finished);
    take_id(jobs, job);
    sipd_free(job);
}

/* ---------------------------------------------------------------- the plan */

/* Room for two changes a step, what they bring, and the texts that a store needs until it has answered. */
static int
plan_new(struct job *job, const struct rules_step *steps, size_t len, char **text)
{
    size_t bytes = 2 * len * (sizeof *job->changes + sizeof(struct binding *)) + HOP_TEXT_BYTES;

    for (size_t i = 0; i < len; i++)
        bytes += steps[i].old ? (size_t)steps[i].old->contact_len + steps[i].old->instance_len : 0;
    job->changes =
        job->room && bytes <= JOBS_ROOM_BYTES ? memset(job->room, 0, bytes) : sipd_alloc(bytes);
    if (!job->changes)
        return SIPD_ENOMEM;
    job->fresh = (struct binding **)(void *)(job->changes + 2 * len);
    *text = (char *)(job->fresh + 2 * len);
    return SIPD_OK;
}

static struct store_change *
add_change(struct job *job, enum store_verb verb, const struct binding_key *key)
{
    struct store_change *change = &job->changes[job->write.len++];

    change->verb = verb;
    change->row.aor = job->ask.aor;
    change->row.contact = key->contact;
    change->row.instance = key->instance;
    change->row.reg_id = key->reg_id;
    return change;
}

static struct binding_key
key_of(const struct rules_contact *want)
{
    return (struct binding_key){ want->uri, want->instance, want->reg_id };
}

static int
plan_put(struct jobs *jobs, struct job *job, const struct rules_step *step, struct span listener)
{
    const struct rules_contact *want = step->want;
    struct binding_key key = key_of(want);
    struct store_row *row = &add_change(job, STORE_PUT, &key)->row;
    uint64_t deadline_ms = jobs->port.now_ms(jobs->port.self) + (uint64_t)want->expires_s * 1000;
    struct binding *b;

    row->params = want->params;
    row->path = job->ask.reg.path;
    row->call_id = job->ask.reg.call_id;
    row->user_agent = job->ask.user_agent;
    row->listener = listener;
    row->source = job->ask.source;
    row->expires_s = jobs->port.steady_s(jobs->port.self, deadline_ms);
    row->granted_s = want->expires_s;
    row->cseq = job->ask.reg.cseq;
    row->q = want->q;
    row->reach = job->ask.relayed || row->path.len > 0 ? HOP_NONE : want->reach;
    b = binding_new_hashed(row, want->uri_hash, deadline_ms);
    job->fresh[job->write.len - 1] = b;
    return b ? SIPD_OK : SIPD_ENOMEM;
}

/* A store that forgets need not be told by which listener. */
static struct span
listener_of(const struct jobs *jobs, const struct job *job)
{
    return jobs->ops->forgets ? SPAN("")
                              : jobs->port.listener(jobs->port.self, job->ask.source.listener);
}

/* Makes all that the change needs, so that nothing can fail once it is stored. */
static int
plan(struct jobs *jobs, struct job *job, const struct rules_step *steps, size_t len)
{
    struct span listener;
    char *text;
    int err = plan_new(job, steps, len, &text);

    if (err)
        return err;
    listener = row_keep(&text, span_head(listener_of(jobs, job), HOP_TEXT_BYTES));
    for (size_t i = 0; i < len && !err; i++) {
        const struct rules_step *step = &steps[i];
        struct binding_key new = step->want ? key_of(step->want) : (struct binding_key){ 0 }, old;

        if (step->old && (!step->want || !binding_has_key(step->old, &new))) {
            old = binding_key(step->old);
            old.contact = row_keep(&text, old.contact);
            old.instance = row_keep(&text, old.instance);
            add_change(job, STORE_DROP, &old);
        }
        if (step->want)
            err = plan_put(jobs, job, step, listener);
    }
    job->changed = len;
    return err;
}

static void
drop(struct jobs *jobs, struct aor *aor, const struct store_row *row)
{
    struct binding_key key = { row->contact, row->instance, row->reg_id };

    bindings_drop(jobs->index, aor, &key);
}

static void
apply(struct jobs *jobs, struct job *job)
{
    uint64_t now_ms = jobs->port.now_ms(jobs->port.self);

    for (size_t i = 0; i < job->write.len; i++)
        if (job->fresh[i])
            bindings_put(jobs->index, job->aor, &job->fresh[i], now_ms);
        else
            drop(jobs, job->aor, &job->changes[i].row);
}

/* ---------------------------------------------------------------- a job's turn */

static void
done(struct jobs *jobs, struct job *job)
{
    plan_free(jobs, job);
    job->state = JOB_DONE;
    job->done_ms = jobs->port.now_ms(jobs->port.self);
    ring_put(&jobs->finished, &job->finished);
}

/* RFC 3261 §10.3 step 7: a commit that fails is a 500. 503 if it is for lack of room. */
static void
fail(struct jobs *jobs, struct job *job, int err)
{
    job->answer = (struct rules_answer){ .status = err == SIPD_EFULL ? 503 : 500 };
    job->again = true;
    done(jobs, job);
    job->changed = 0;
}

static void
succeed(struct jobs *jobs, struct job *job)
{
    apply(jobs, job);
    done(jobs, job);
}

static size_t
added_by(const struct rules_step *steps, size_t len)
{
    size_t added = 0;

    for (size_t i = 0; i < len; i++)
        added += steps[i].want && !steps[i].old;
    return added;
}

static bool
is_full(const struct jobs *jobs, size_t added)
{
    return added > 0 &&
           bindings_held(jobs->index) + jobs->coming + added > jobs->limits.max_bindings;
}

/* Does this address have all the bindings that one may have? */
static bool
is_source_full(const struct jobs *jobs, const struct job *job, size_t added)
{
    return added > 0 && jobs->limits.max_source > 0 && job->ask.source.transport != HOP_NONE &&
           bindings_from(jobs->index, &job->ask.source) + added > jobs->limits.max_source;
}

static void
write_plan(struct jobs *jobs, struct job *job)
{
    int answer;

    job->state = JOB_WRITING;
    jobs->coming += job->changed;
    job->write.id = job->id;
    job->write.changes = job->changes;
    answer = jobs->ops->forgets ? STORE_NOW : jobs->ops->write(jobs->store, &job->write);
    if (answer == STORE_NOW)
        succeed(jobs, job);
    else if (answer != STORE_LATER)
        fail(jobs, job, answer);
}

static void
begin(struct jobs *jobs, struct aor *aor, struct job *job)
{
    struct rules_step steps[RULES_BINDINGS_MAX + RULES_CONTACTS_MAX];
    size_t len, added;
    int err;

    if (jobs->closing) {
        fail(jobs, job, SIPD_EFULL);
        return;
    }
    bindings_expire(jobs->index, aor, jobs->port.now_ms(jobs->port.self));
    job->answer = rules_decide(&job->ask.reg, aor->first, jobs->limits.max_contacts, steps, &len);
    added = added_by(steps, len);
    if (job->answer.status == 200 && is_source_full(jobs, job, added))
        job->answer =
            (struct rules_answer){ .status = 403,
                                   .phrase = SPAN("Too Many Bindings From This Address") };
    if (job->answer.status != 200 || len == 0)
        done(jobs, job);
    else if (is_full(jobs, added))
        fail(jobs, job, SIPD_EFULL);
    else if ((err = plan(jobs, job, steps, len)) != SIPD_OK)
        fail(jobs, job, err);
    else
        write_plan(jobs, job);
}

static struct job *
first_undone(const struct aor *aor)
{
    struct job *job = aor->jobs;

    while (job && job->state == JOB_DONE)
        job = job->next;
    return job;
}

/*
 * Begins what is next, and what is next after that if the store answers at once. Then says so; the AoR may be
 * gone after it.
 */
static void
go_on(struct jobs *jobs, struct aor *aor, struct job *was)
{
    struct job *next, *end;

    while ((next = first_undone(aor)) && next->state == JOB_QUEUED)
        begin(jobs, aor, next);
    end = next;
    for (struct job *job = was; job != end; job = next) {
        next = job->next;
        jobs->port.tell(jobs->port.self, job);
    }
}

void
jobs_written(struct jobs *jobs, uint64_t id, int err)
{
    struct job *job = job_of(jobs, id);

    if (!job || job->state != JOB_WRITING)
        return;
    if (err)
        fail(jobs, job, err);
    else
        succeed(jobs, job);
    go_on(jobs, job->aor, job);
}

/* ---------------------------------------------------------------- coming and going */

static int
enter(struct jobs *jobs, struct aor *aor, const struct job_ask *ask, struct job **out)
{
    struct job **end = &aor->jobs, *job;
    unsigned ahead = 0;

    for (; *end; end = &(*end)->next)
        ahead++;
    if (ahead >= JOBS_OF_AOR_MAX || jobs->count >= jobs->limits.max_waiting || jobs->closing)
        return SIPD_EFULL;
    job = job_new(aor, ask);
    if (!job || give_id(jobs, job) != SIPD_OK) {
        sipd_free(job);
        return SIPD_ENOMEM;
    }
    *end = *out = job;
    return SIPD_OK;
}

int
jobs_enter(struct jobs *jobs, const struct job_ask *ask, struct job **out)
{
    struct aor *aor = bindings_get(jobs->index, ask->aor);
    int err;

    *out = NULL;
    if (!aor)
        return SIPD_ENOMEM;
    err = enter(jobs, aor, ask, out);
    if (err)
        bindings_release(jobs->index, aor);
    else if (first_undone(aor) == *out)
        begin(jobs, aor, *out);
    return err;
}

int
jobs_at_once(struct jobs *jobs, const struct job_ask *ask, struct job_at_once *once)
{
    struct aor *aor = bindings_get(jobs->index, ask->aor);
    struct job *job = &once->job;

    if (!aor)
        return SIPD_ENOMEM;
    *job = (struct job){ .aor = aor, .ask = *ask, .answer.status = 200, .room = once->room };
    job->ask.aor = aor_text(aor);
    ring_init(&job->finished);
    begin(jobs, aor, job);
    ring_out(&job->finished);
    return SIPD_OK;
}

void
jobs_leave(struct jobs *jobs, struct job_at_once *once)
{
    bindings_release(jobs->index, once->job.aor);
}

struct job *
jobs_find(const struct aor *aor, enum job_kind kind, uint64_t asker)
{
    struct job *job = aor ? aor->jobs : NULL;

    while (job && (job->ask.kind != kind || job->ask.asker != asker))
        job = job->next;
    return job;
}

bool
jobs_are_under_way(const struct aor *aor)
{
    return aor && first_undone(aor);
}

void
jobs_take(struct jobs *jobs, struct job **taken)
{
    struct job *job = *taken;
    struct aor *aor = job->aor;
    struct job **at = &aor->jobs;

    *taken = NULL;
    while (*at != job)
        at = &(*at)->next;
    *at = job->next;
    job_free(jobs, job);
    bindings_release(jobs->index, aor);
}

void
jobs_sweep(struct jobs *jobs)
{
    uint64_t now_ms = jobs->port.now_ms(jobs->port.self);

    while (!ring_is_empty(&jobs->finished)) {
        struct job *job = RING_OF(jobs->finished.next, struct job, finished);

        if (job->done_ms + JOBS_KEEP_MS > now_ms)
            return;
        jobs_take(jobs, &job);
    }
}

void
jobs_init(struct jobs *jobs)
{
    *jobs = (struct jobs){ .slots = NULL };
    ring_init(&jobs->finished);
}

void
jobs_close(struct jobs *jobs)
{
    jobs->closing = true;
}

void
jobs_fini(struct jobs *jobs)
{
    for (uint32_t i = 0; i < jobs->slots_len; i++) {
        struct job *job = jobs->slots[i].job;

        if (!job)
            continue;
        job->state = JOB_DONE;
        jobs_take(jobs, &job);
    }
    sipd_free(jobs->slots);
    jobs->slots = NULL;
    jobs->slots_len = jobs->slots_free = 0;
}
