/*
 * A registrar's jobs over a store that answers when the test wants it.
 */
#include "unit/jobs_rig.h"

#include "unit/text.h"

static int
rig_write(void *store, struct store_write *write)
{
    struct jobs_rig *rig = store;

    if (rig->answer == STORE_LATER)
        rig->writes[rig->writes_len++] = write;
    return rig->answer;
}

static const struct store_ops rig_ops = { .write = rig_write };

static uint64_t
rig_now_ms(void *self)
{
    return ((struct jobs_rig *)self)->now_ms;
}

static int64_t
rig_steady_s(void *self, uint64_t at_ms)
{
    (void)self;
    return (int64_t)(at_ms / 1000 + 1700000000);
}

static struct span
rig_listener(void *self, uint16_t listener)
{
    (void)self;
    return listener ? SPAN("udp:192.0.2.1:5060") : SPAN("");
}

static void
rig_tell(void *self, struct job *job)
{
    struct jobs_rig *rig = self;

    must(job->state == JOB_DONE);
    rig->told[rig->told_len++] = job->ask.asker;
    if (rig->take)
        jobs_take(&rig->jobs, &job);
}

static void
rig_note(void *self, const struct fact *fact)
{
    (void)self;
    (void)fact;
}

static bool
rig_watched(void *self)
{
    (void)self;
    return true;
}

void
jobs_rig_init(struct jobs_rig *rig)
{
    struct bindings_port port = { rig, rig_note, rig_watched, rig_listener };
    const uint8_t key[16] = { 0 };

    *rig = (struct jobs_rig){ .now_ms = 1000000, .answer = STORE_LATER };
    rig->index = bindings_new(&port, key, rig->now_ms);
    must(rig->index);
    jobs_init(&rig->jobs);
    rig->jobs.port = (struct jobs_port){ rig, rig_now_ms, rig_steady_s, rig_listener, rig_tell };
    rig->jobs.limits = (struct jobs_limits){ 3, 100, 0, 1000 };
    rig->jobs.index = rig->purge.index = rig->rewrite.index = rig->index;
    rig->jobs.ops = rig->purge.ops = rig->rewrite.ops = &rig_ops;
    rig->jobs.store = rig->purge.store = rig->rewrite.store = rig;
}

void
jobs_rig_fini(struct jobs_rig *rig)
{
    jobs_fini(&rig->jobs);
    rewrite_fini(&rig->rewrite);
    bindings_free(&rig->index);
}

void
jobs_rig_written(struct jobs_rig *rig, int err)
{
    uint64_t id = rig->writes[0]->id;

    must(rig->writes_len > 0);
    memmove(rig->writes, rig->writes + 1, --rig->writes_len * sizeof rig->writes[0]);
    if (id == REWRITE_ID)
        rewrite_written(&rig->rewrite, err);
    else if (id == PURGE_ID)
        purge_written(&rig->purge, err);
    else
        jobs_written(&rig->jobs, id, err);
}

int
jobs_rig_enter(struct jobs_rig *rig, struct span aor, uint64_t asker, const char *contact,
               uint32_t expires_s, struct job **job)
{
    struct rules_contact one = { .expires_s = expires_s, .q = STORE_NO_Q };
    struct job_ask ask = {
        .kind = JOB_REGISTER,
        .asker = asker,
        .aor = aor,
        .reg = { .call_id = SPAN("call"), .cseq = (uint32_t)asker, .contacts = &one },
        .source = { .transport = HOP_TCP, .port = 4711, .listener = 1, .flow = 99 },
        .user_agent = SPAN("Phone"),
    };

    if (contact && !rules_contact_uri(&one, span_of(contact), &ask.source))
        one.uri = span_of(contact);
    ask.reg.star = contact && span_eq(one.uri, SPAN("*"));
    ask.reg.len = contact && !ask.reg.star;
    return jobs_enter(&rig->jobs, &ask, job);
}
