/*
 * One change of an AoR after the other, through a store that answers when the test wants it; and rows purged behind it.
 */
#include "registrar/jobs.h"

#include <stdio.h>

#include "base/def.h"
#include "registrar/purge.h"
#include "registrar/rewrite.h"
#include "unit/heap.h"
#include "unit/text.h"

#define BOB SPAN("sip:bob@example.com")

/* A store whose answers are given by hand, and all that jobs ask of the world. */
struct rig {
    struct jobs jobs;
    struct purge purge;
    struct rewrite rewrite;
    struct bindings *index;
    uint64_t now_ms;
    int answer;                      /* of write() */
    struct store_write *writes[256]; /* that wait for an answer, oldest first */
    size_t writes_len;
    uint64_t told[256]; /* askers, in order */
    size_t told_len;
    bool take; /* take what is told of, as a command does */
};

static int
rig_write(void *store, struct store_write *write)
{
    struct rig *rig = store;

    if (rig->answer == STORE_LATER)
        rig->writes[rig->writes_len++] = write;
    return rig->answer;
}

static const struct store_ops rig_ops = { .write = rig_write };

static uint64_t
rig_now_ms(void *self)
{
    return ((struct rig *)self)->now_ms;
}

static int64_t
rig_wall_s(void *self)
{
    return (int64_t)(((struct rig *)self)->now_ms / 1000 + 1700000000);
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
    struct rig *rig = self;

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

static void
rig_init(struct rig *rig)
{
    struct bindings_port port = { rig, rig_note, rig_watched, rig_listener };
    const uint8_t key[16] = { 0 };

    *rig = (struct rig){ .now_ms = 1000000, .answer = STORE_LATER };
    rig->index = bindings_new(&port, key, rig->now_ms);
    must(rig->index);
    jobs_init(&rig->jobs);
    rig->jobs.port = (struct jobs_port){ rig, rig_now_ms, rig_wall_s, rig_listener, rig_tell };
    rig->jobs.limits = (struct jobs_limits){ 3, 100, 0, 1000 };
    rig->jobs.index = rig->purge.index = rig->rewrite.index = rig->index;
    rig->jobs.ops = rig->purge.ops = rig->rewrite.ops = &rig_ops;
    rig->jobs.store = rig->purge.store = rig->rewrite.store = rig;
}

static void
rig_fini(struct rig *rig)
{
    jobs_fini(&rig->jobs);
    rewrite_fini(&rig->rewrite);
    bindings_free(&rig->index);
}

/* The store answers its oldest write. */
static void
written(struct rig *rig, int err)
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

/* A REGISTER of one Contact by this asker, with its number as CSeq; NULL: a fetch; "*": all go. */
static int
enter(struct rig *rig, struct span aor, uint64_t asker, const char *contact, uint32_t expires_s,
      struct job **job)
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

    if (contact && !rules_contact_uri(&one, span_of(contact)))
        one.uri = span_of(contact);
    ask.reg.star = contact && span_eq(one.uri, SPAN("*"));
    ask.reg.len = contact && !ask.reg.star;
    return jobs_enter(&rig->jobs, &ask, job);
}

static size_t
count(const struct rig *rig)
{
    return bindings_count(rig->index);
}

START_TEST(seen_when_written_not_before)
{
    struct rig rig;
    struct job *job;
    const struct binding *b;
    const struct store_row *row;

    rig_init(&rig);
    must(enter(&rig, BOB, 1, "sip:bob@phone", 60, &job) == SIPD_OK);
    must(job->state == JOB_WRITING && rig.writes_len == 1 && count(&rig) == 0);
    must(jobs_find(bindings_find(rig.index, BOB), JOB_REGISTER, 1) == job);
    must(!jobs_find(bindings_find(rig.index, BOB), JOB_COMMAND, 1));
    row = &rig.writes[0]->changes[0].row;
    must(rig.writes[0]->len == 1 && rig.writes[0]->changes[0].verb == STORE_PUT);
    must_text(row->aor, "sip:bob@example.com");
    must_text(row->contact, "sip:bob@phone");
    must_text(row->call_id, "call");
    must_text(row->user_agent, "Phone");
    must_text(row->listener, "udp:192.0.2.1:5060");
    must(row->expires_wall_s == 1700000000 + 1000 + 60 && row->granted_s == 60 && row->cseq == 1);
    must(row->reach == HOP_TCP && row->source.port == 4711);
    rig.now_ms += 500;
    written(&rig, SIPD_OK);
    must(job->state == JOB_DONE && job->answer.status == 200 && job->changed == 1);
    must(rig.told_len == 1 && rig.told[0] == 1 && count(&rig) == 1);
    b = bindings_find(rig.index, BOB)->first;
    must(b->deadline_ms == 1000000 + 60000 && b->source.flow == 99);
    jobs_take(&rig.jobs, &job);
    must(!job && rig.jobs.count == 0);

    /* a store that answers at once */
    rig.answer = STORE_NOW;
    must(enter(&rig, BOB, 2, "sip:bob@phone", 0, &job) == SIPD_OK);
    must(job->state == JOB_DONE && job->changed == 1 && count(&rig) == 0 && rig.told_len == 1);
    jobs_take(&rig.jobs, &job);
    must(!bindings_find(rig.index, BOB));
    rig_fini(&rig);
}
END_TEST

/* RFC 3261 §10.3 step 7: what could not be stored leaves no trace. */
START_TEST(a_failed_write_changes_nothing)
{
    struct rig rig;
    struct job *job;

    rig_init(&rig);
    must(enter(&rig, BOB, 1, "sip:bob@phone", 60, &job) == SIPD_OK);
    written(&rig, SIPD_OK);
    jobs_take(&rig.jobs, &job);
    must(enter(&rig, BOB, 2, "sip:bob@other", 60, &job) == SIPD_OK);
    written(&rig, SIPD_EIO);
    must(job->answer.status == 500 && job->again && job->changed == 0 && count(&rig) == 1);
    jobs_take(&rig.jobs, &job);
    must(enter(&rig, BOB, 3, "*", 0, &job) == SIPD_OK);
    written(&rig, SIPD_EIO);
    must(job->answer.status == 500 && count(&rig) == 1);
    jobs_take(&rig.jobs, &job);

    rig.answer = SIPD_EFULL; /* refused at once */
    must(enter(&rig, BOB, 4, "sip:bob@other", 60, &job) == SIPD_OK);
    must(job->state == JOB_DONE && job->answer.status == 503 && job->again);
    jobs_take(&rig.jobs, &job);
    must(rig.jobs.coming == 0);
    rig_fini(&rig);
}
END_TEST

START_TEST(one_after_the_other)
{
    static const uint64_t order[] = { 1, 7, 2, 3, 2, 9, 10 };
    struct rig rig;
    struct job *jobs[6], *other;

    rig_init(&rig);
    for (uint64_t i = 0; i < 3; i++)
        must(enter(&rig, BOB, i + 1, "sip:bob@phone", 60, &jobs[i]) == SIPD_OK);
    must(enter(&rig, BOB, 2, "sip:bob@phone", 60, &jobs[3]) == SIPD_OK); /* out of order */
    must(enter(&rig, BOB, 9, NULL, 0, &jobs[4]) == SIPD_OK);             /* a fetch */
    must(enter(&rig, BOB, 10, "*", 0, &jobs[5]) == SIPD_OK);
    must(enter(&rig, SPAN("sip:alice@example.com"), 7, "sip:alice@phone", 60, &other) == SIPD_OK);
    must(rig.writes_len == 2); /* other users do not wait */
    must(jobs[1]->state == JOB_QUEUED && jobs[5]->state == JOB_QUEUED);

    written(&rig, SIPD_OK);
    must(jobs[0]->state == JOB_DONE && jobs[1]->state == JOB_WRITING &&
         jobs[2]->state == JOB_QUEUED);
    written(&rig, SIPD_OK); /* alice's */
    written(&rig, SIPD_EIO);
    must(jobs[1]->answer.status == 500 && jobs[2]->state == JOB_WRITING);
    written(&rig, SIPD_OK);
    must(jobs[3]->state == JOB_DONE && jobs[3]->answer.status == 500 && !jobs[3]->again);
    must(jobs[4]->state == JOB_DONE && jobs[4]->answer.status == 200 && jobs[4]->changed == 0);
    must(jobs[5]->state == JOB_WRITING && count(&rig) == 2);
    written(&rig, SIPD_OK);
    must(count(&rig) == 1);
    must(rig.told_len == countof(order));
    must(memcmp(rig.told, order, sizeof order) == 0);
    rig_fini(&rig);
}
END_TEST

/* Commands are taken when they are told of; the AoR may end with the last. */
START_TEST(taken_when_told)
{
    struct rig rig;
    struct job *job;

    rig_init(&rig);
    rig.take = true;
    for (uint64_t i = 1; i <= 3; i++)
        must(enter(&rig, BOB, i, "sip:bob@phone", 60, &job) == SIPD_OK);
    must(enter(&rig, BOB, 1, "sip:bob@phone", 60, &job) == SIPD_OK);
    must(enter(&rig, BOB, 9, "*", 0, &job) == SIPD_OK);
    must(enter(&rig, BOB, 10, NULL, 0, &job) == SIPD_OK);
    while (rig.writes_len > 0)
        written(&rig, SIPD_OK);
    must(rig.told_len == 6 && rig.jobs.count == 0 && !bindings_find(rig.index, BOB));
    rig_fini(&rig);
}
END_TEST

/* Who asked may have gone: its result goes too, and holds nobody up. */
START_TEST(results_that_nobody_takes)
{
    struct rig rig;
    struct job *job;
    uint64_t id;

    rig_init(&rig);
    must(enter(&rig, BOB, 1, "sip:bob@phone", 60, &job) == SIPD_OK);
    must(enter(&rig, BOB, 2, "sip:bob@phone", 60, &job) == SIPD_OK);
    id = job->id;
    written(&rig, SIPD_OK);
    jobs_sweep(&rig.jobs);
    must(rig.jobs.count == 2);
    rig.now_ms += JOBS_KEEP_MS;
    jobs_sweep(&rig.jobs);
    must(rig.jobs.count == 1);
    written(&rig, SIPD_OK);
    rig.now_ms += JOBS_KEEP_MS;
    jobs_sweep(&rig.jobs);
    must(rig.jobs.count == 0 && count(&rig) == 1);
    jobs_written(&rig.jobs, id, SIPD_OK); /* one from before */
    jobs_written(&rig.jobs, 0, SIPD_OK);
    jobs_written(&rig.jobs, UINT64_MAX, SIPD_OK);
    rig_fini(&rig);
}
END_TEST

START_TEST(ceilings)
{
    struct rig rig;
    struct job *job;
    char aor[48];

    rig_init(&rig);
    for (uint64_t i = 1; i <= JOBS_OF_AOR_MAX; i++)
        must(enter(&rig, BOB, i, "sip:bob@phone", 60, &job) == SIPD_OK);
    must(enter(&rig, BOB, 99, "sip:bob@phone", 60, &job) == SIPD_EFULL && !job);
    must(enter(&rig, SPAN("sip:a@h"), 1, "sip:a@phone", 60, &job) == SIPD_OK);
    rig.jobs.limits.max_waiting = JOBS_OF_AOR_MAX + 1;
    must(enter(&rig, SPAN("sip:b@h"), 1, "sip:b@phone", 60, &job) == SIPD_EFULL);
    must(!bindings_find(rig.index, SPAN("sip:b@h")));
    rig.take = true;
    while (rig.writes_len > 0)
        written(&rig, SIPD_OK);

    rig.jobs.limits.max_bindings = 10;
    rig.told_len = 0;
    for (int i = 0; i < 8; i++) { /* two are there */
        snprintf(aor, sizeof aor, "sip:%d@h", i);
        must(enter(&rig, span_of(aor), 1, "sip:1@phone", 60, &job) == SIPD_OK);
        must(job->state == JOB_WRITING);
    }
    rig.take = false;
    must(enter(&rig, SPAN("sip:new@h"), 1, "sip:1@phone", 60, &job) == SIPD_OK);
    must(job->state == JOB_DONE && job->answer.status == 503 && job->again);
    jobs_take(&rig.jobs, &job);
    rig.take = true;
    while (rig.writes_len > 0)
        written(&rig, SIPD_OK);
    must(count(&rig) == 10 && rig.jobs.coming == 0);
    must(enter(&rig, SPAN("sip:0@h"), 2, "sip:1@phone", 60, &job) ==
         SIPD_OK); /* no more than it was */
    must(job->state == JOB_WRITING);
    written(&rig, SIPD_OK);
    rig_fini(&rig);
}
END_TEST

/* A Contact of other text but equal (§19.1.4) takes the place of the old one, in the store too. */
START_TEST(another_text_for_the_same_uri)
{
    struct rig rig;
    struct job *job;

    rig_init(&rig);
    must(enter(&rig, BOB, 1, "sip:bob@phone.example.com", 60, &job) == SIPD_OK);
    written(&rig, SIPD_OK);
    must(enter(&rig, BOB, 2, "sip:bob@PHONE.example.com", 60, &job) == SIPD_OK);
    must(rig.writes[0]->len == 2);
    must(rig.writes[0]->changes[0].verb == STORE_DROP &&
         rig.writes[0]->changes[1].verb == STORE_PUT);
    must_text(rig.writes[0]->changes[0].row.contact, "sip:bob@phone.example.com");
    written(&rig, SIPD_OK);
    must(count(&rig) == 1);
    must_text(binding_contact(bindings_find(rig.index, BOB)->first), "sip:bob@PHONE.example.com");
    rig_fini(&rig);
}
END_TEST

/* What expires while its refresh is written is refreshed, and its old row is left to the newer one. */
START_TEST(expiry_during_a_write)
{
    struct rig rig;
    struct job *job;
    bool more;

    rig_init(&rig);
    must(enter(&rig, BOB, 1, "sip:bob@phone", 60, &job) == SIPD_OK);
    written(&rig, SIPD_OK);
    jobs_take(&rig.jobs, &job);
    rig.now_ms += 59999;
    must(enter(&rig, BOB, 2, "sip:bob@phone", 60, &job) == SIPD_OK);
    rig.now_ms += 5000;
    must(bindings_sweep(rig.index, rig.now_ms, 10, &more) == 1 && count(&rig) == 0);
    purge_step(&rig.purge);
    must(rig.writes_len == 2 && rig.writes[1]->changes[0].verb == STORE_PURGE);
    must(rig.writes[1]->changes[0].row.cseq == 1);
    must(rig.writes[1]->changes[0].row.expires_wall_s == 1700000000 + 1000 + 60);
    written(&rig, SIPD_OK);
    must(count(&rig) == 1);
    jobs_take(&rig.jobs, &job);
    written(&rig, SIPD_OK);
    must(bindings_held(rig.index) == 1);

    /* overdue but not swept yet: gone for a REGISTER that comes */
    rig.now_ms += 55000;
    must(enter(&rig, BOB, 1, "sip:bob@phone", 60, &job) == SIPD_OK);
    must(job->state == JOB_WRITING && count(&rig) == 0);
    written(&rig, SIPD_OK);
    must(count(&rig) == 1 && bindings_held(rig.index) == 2);
    rig_fini(&rig);
}
END_TEST

START_TEST(purging)
{
    struct rig rig;
    struct job *job;
    char aor[48];
    bool more;

    rig_init(&rig);
    rig.jobs.limits.max_bindings = 1000;
    rig.answer = STORE_NOW;
    for (int i = 0; i < 3 * PURGE_ROWS; i++) {
        snprintf(aor, sizeof aor, "sip:%d@h", i);
        must(enter(&rig, span_of(aor), 1, "sip:1@phone", 60, &job) == SIPD_OK);
        jobs_take(&rig.jobs, &job);
    }
    rig.now_ms += 70000;
    bindings_sweep(rig.index, rig.now_ms, 1000, &more);
    rig.answer = STORE_LATER;
    purge_step(&rig.purge);
    purge_step(&rig.purge); /* one at a time */
    must(rig.writes_len == 1 && rig.writes[0]->len == PURGE_ROWS);
    written(&rig, SIPD_EIO);
    must(bindings_held(rig.index) == 3 * PURGE_ROWS);
    purge_step(&rig.purge);
    written(&rig, SIPD_OK);
    must(bindings_held(rig.index) == 2 * PURGE_ROWS);
    rig.answer = SIPD_EFULL;
    purge_step(&rig.purge);
    must(bindings_held(rig.index) == 2 * PURGE_ROWS);
    rig.answer = STORE_NOW;
    purge_step(&rig.purge);
    must(bindings_held(rig.index) == 0);
    rig_fini(&rig);
}
END_TEST

START_TEST(closing)
{
    struct rig rig;
    struct job *first, *second, *third;

    rig_init(&rig);
    must(enter(&rig, BOB, 1, "sip:bob@phone", 60, &first) == SIPD_OK);
    must(enter(&rig, BOB, 2, "sip:bob@phone", 60, &second) == SIPD_OK);
    jobs_close(&rig.jobs);
    must(enter(&rig, BOB, 3, "sip:bob@phone", 60, &third) == SIPD_EFULL);
    written(&rig, SIPD_OK);
    must(first->answer.status == 200 && count(&rig) == 1);
    must(second->state == JOB_DONE && second->answer.status == 503);
    rig_fini(&rig);

    rig_init(&rig); /* and one that the store never answered */
    must(enter(&rig, BOB, 1, "sip:bob@phone", 60, &first) == SIPD_OK);
    rig_fini(&rig);
}
END_TEST

/* Wherever memory runs out, a REGISTER is done as a whole or not at all. */
START_TEST(without_memory)
{
    struct rig rig;
    struct job *job;
    unsigned n, failures = 0;

    for (n = 0; n < 100; n++) {
        int err;

        rig_init(&rig);
        rig.answer = STORE_NOW;
        mem_fail_after(n);
        err = enter(&rig, BOB, 1, "sip:bob@phone", 60, &job);
        if (!mem_failed())
            break;
        mem_fail_never();
        failures++;
        must(err == SIPD_ENOMEM || (job->answer.status == 500 && job->again) ||
             job->answer.status == 200); /* only its source is not counted */
        must(count(&rig) == (err == SIPD_OK && job->answer.status == 200));
        rig_fini(&rig);
    }
    mem_fail_never();
    must(failures >= 4 && job->answer.status == 200 && count(&rig) == 1);
    rig_fini(&rig);
}
END_TEST

/* ---------------------------------------------------------------- all of it anew */

enum { MANY = 300, PORT = 1000 };

/* A file that is not the one the jobs wrote to: which of two Contacts it has of each user, by their ports. */
static bool anew[MANY][2];

static void
take_anew(const struct store_write *write)
{
    for (size_t i = 0; i < write->len; i++) {
        const struct store_change *change = &write->changes[i];
        unsigned user, port;

        must(sscanf(change->row.aor.at, "sip:%u@", &user) == 1 && user < MANY);
        must(sscanf(change->row.contact.at, "sip:phone@192.0.2.1:%u", &port) == 1);
        anew[user][port - PORT] = change->verb == STORE_PUT;
    }
}

static struct job *
register_one(struct rig *rig, unsigned user, unsigned port, uint64_t asker, uint32_t expires_s)
{
    char aor[32], contact[40];
    struct job *job;

    snprintf(aor, sizeof aor, "sip:%u@h", user);
    snprintf(contact, sizeof contact, "sip:phone@192.0.2.1:%u", port);
    must(enter(rig, span_of(aor), asker, contact, expires_s, &job) == SIPD_OK);
    return job;
}

static void
register_many(struct rig *rig)
{
    memset(anew, 0, sizeof anew);
    rig->jobs.limits.max_bindings = 10 * MANY;
    rig->jobs.limits.max_waiting = 10 * MANY;
    rig->answer = STORE_NOW;
    for (unsigned user = 0; user < MANY; user++) {
        struct job *job = register_one(rig, user, PORT, user + 1, 3600);

        jobs_take(&rig->jobs, &job);
    }
    rig->answer = STORE_LATER;
    rig->take = true;
    rig->told_len = 0;
}

/* The store makes its oldest write, or fails it. */
static void
make(struct rig *rig, int err)
{
    if (err == SIPD_OK)
        take_anew(rig->writes[0]);
    written(rig, err);
    rig->told_len = 0;
}

START_TEST(all_is_written_anew)
{
    struct rig rig;
    unsigned writes = 0;

    rig_init(&rig);
    register_many(&rig);
    rewrite_step(&rig.rewrite);
    must(rig.writes_len == 0); /* unless it is wanted */
    rewrite_begin(&rig.rewrite);
    for (rewrite_step(&rig.rewrite); rewrite_is_wanted(&rig.rewrite); rewrite_step(&rig.rewrite)) {
        must(rig.writes_len == 1 && rig.writes[0]->len < REWRITE_ROWS + 30);
        rewrite_step(&rig.rewrite); /* one at a time */
        must(rig.writes_len == 1);
        make(&rig, SIPD_OK);
        writes++;
    }
    must(writes >= MANY / (REWRITE_ROWS + 30) && rig.writes_len == 0);
    for (unsigned user = 0; user < MANY; user++)
        must(anew[user][0] && !anew[user][1]);
    rig_fini(&rig);
}
END_TEST

/* Whatever changes meanwhile, and fails, in the end the store has what memory has. */
START_TEST(changes_go_on_meanwhile)
{
    struct rig rig;
    unsigned fails = 0;

    rig_init(&rig);
    register_many(&rig);
    for (unsigned user = 0; user < MANY; user += 3) /* under way when it begins */
        register_one(&rig, user, PORT, 1000 + user, 0);
    rewrite_begin(&rig.rewrite);
    for (unsigned n = 0; rewrite_is_wanted(&rig.rewrite); n++) {
        unsigned user = n * 7 % MANY;

        rewrite_step(&rig.rewrite);
        if (rig.writes_len < 200 && n < 400) /* one more Contact, or the first one goes */
            register_one(&rig, user, PORT + (n + 1) % 2, 2000 + n, n % 2 ? 0 : 3600);
        if (rig.writes_len == 0)
            continue;
        if (n % 50 == 49 && fails < 5) {
            fails++;
            make(&rig, SIPD_EIO);
            rewrite_again(&rig.rewrite);
        } else {
            make(&rig, SIPD_OK);
        }
    }
    while (rig.writes_len > 0)
        make(&rig, SIPD_OK);
    must(fails == 5);
    for (unsigned user = 0; user < MANY; user++) {
        const struct aor *aor;
        bool there[2] = { false, false };
        unsigned port;
        char text[32];

        snprintf(text, sizeof text, "sip:%u@h", user);
        aor = bindings_find(rig.index, span_of(text));
        for (const struct binding *b = aor ? aor->first : NULL; b; b = b->next) {
            must(sscanf(binding_contact(b).at, "sip:phone@192.0.2.1:%u", &port) == 1);
            there[port - PORT] = true;
        }
        must_for(span_of(text), anew[user][0] == there[0] && anew[user][1] == there[1]);
    }
    rig_fini(&rig);
}
END_TEST

START_TEST(without_memory_it_is_tried_again)
{
    struct rig rig;

    rig_init(&rig);
    register_many(&rig);
    rewrite_begin(&rig.rewrite);
    mem_fail_after(0);
    rewrite_step(&rig.rewrite);
    mem_fail_never();
    must(rig.writes_len == 0 && rewrite_is_wanted(&rig.rewrite));
    rewrite_step(&rig.rewrite);
    must(rig.writes_len == 1);
    rig_fini(&rig);
}
END_TEST

Suite *
suite_registrar_jobs(void)
{
    Suite *suite = suite_create("registrar_jobs");
    TCase *all = heap_case("all");

    tcase_add_test(all, seen_when_written_not_before);
    tcase_add_test(all, a_failed_write_changes_nothing);
    tcase_add_test(all, one_after_the_other);
    tcase_add_test(all, taken_when_told);
    tcase_add_test(all, results_that_nobody_takes);
    tcase_add_test(all, ceilings);
    tcase_add_test(all, another_text_for_the_same_uri);
    tcase_add_test(all, expiry_during_a_write);
    tcase_add_test(all, purging);
    tcase_add_test(all, closing);
    tcase_add_test(all, without_memory);
    tcase_add_test(all, all_is_written_anew);
    tcase_add_test(all, changes_go_on_meanwhile);
    tcase_add_test(all, without_memory_it_is_tried_again);
    suite_add_tcase(suite, all);
    return suite;
}
