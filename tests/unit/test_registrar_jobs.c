/*
 * One change of an AoR after the other, through a store that answers when the test wants it; and rows purged behind it.
 */
#include "registrar/jobs.h"

#include <stdio.h>

#include "base/def.h"
#include "unit/heap.h"
#include "unit/jobs_rig.h"
#include "unit/text.h"

#define BOB SPAN("sip:bob@example.com")

static size_t
count(const struct jobs_rig *rig)
{
    return bindings_count(rig->index);
}

START_TEST(seen_when_written_not_before)
{
    struct jobs_rig rig;
    struct job *job;
    const struct binding *b;
    const struct store_row *row;

    jobs_rig_init(&rig);
    must(jobs_rig_enter(&rig, BOB, 1, "sip:bob@phone", 60, &job) == SIPD_OK);
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
    must(row->expires_s == 1700000000 + 1000 + 60 && row->granted_s == 60 && row->cseq == 1);
    must(row->reach == HOP_TCP && row->source.port == 4711);
    rig.now_ms += 500;
    jobs_rig_written(&rig, SIPD_OK);
    must(job->state == JOB_DONE && job->answer.status == 200 && job->changed == 1);
    must(rig.told_len == 1 && rig.told[0] == 1 && count(&rig) == 1);
    b = bindings_find(rig.index, BOB)->first;
    must(b->deadline_ms == 1000000 + 60000 && b->source.flow == 99);
    jobs_take(&rig.jobs, &job);
    must(!job && rig.jobs.count == 0);

    /* a store that answers at once */
    rig.answer = STORE_NOW;
    must(jobs_rig_enter(&rig, BOB, 2, "sip:bob@phone", 0, &job) == SIPD_OK);
    must(job->state == JOB_DONE && job->changed == 1 && count(&rig) == 0 && rig.told_len == 1);
    jobs_take(&rig.jobs, &job);
    must(!bindings_find(rig.index, BOB));
    jobs_rig_fini(&rig);
}
END_TEST

/* RFC 3261 §10.3 step 7: what could not be stored leaves no trace. */
START_TEST(a_failed_write_changes_nothing)
{
    struct jobs_rig rig;
    struct job *job;

    jobs_rig_init(&rig);
    must(jobs_rig_enter(&rig, BOB, 1, "sip:bob@phone", 60, &job) == SIPD_OK);
    jobs_rig_written(&rig, SIPD_OK);
    jobs_take(&rig.jobs, &job);
    must(jobs_rig_enter(&rig, BOB, 2, "sip:bob@other", 60, &job) == SIPD_OK);
    jobs_rig_written(&rig, SIPD_EIO);
    must(job->answer.status == 500 && job->again && job->changed == 0 && count(&rig) == 1);
    jobs_take(&rig.jobs, &job);
    must(jobs_rig_enter(&rig, BOB, 3, "*", 0, &job) == SIPD_OK);
    jobs_rig_written(&rig, SIPD_EIO);
    must(job->answer.status == 500 && count(&rig) == 1);
    jobs_take(&rig.jobs, &job);

    rig.answer = SIPD_EFULL; /* refused at once */
    must(jobs_rig_enter(&rig, BOB, 4, "sip:bob@other", 60, &job) == SIPD_OK);
    must(job->state == JOB_DONE && job->answer.status == 503 && job->again);
    jobs_take(&rig.jobs, &job);
    must(rig.jobs.coming == 0);
    jobs_rig_fini(&rig);
}
END_TEST

START_TEST(one_after_the_other)
{
    static const uint64_t order[] = { 1, 7, 2, 3, 2, 9, 10 };
    struct jobs_rig rig;
    struct job *jobs[6], *other;

    jobs_rig_init(&rig);
    for (uint64_t i = 0; i < 3; i++)
        must(jobs_rig_enter(&rig, BOB, i + 1, "sip:bob@phone", 60, &jobs[i]) == SIPD_OK);
    must(jobs_rig_enter(&rig, BOB, 2, "sip:bob@phone", 60, &jobs[3]) == SIPD_OK); /* out of order */
    must(jobs_rig_enter(&rig, BOB, 9, NULL, 0, &jobs[4]) == SIPD_OK);             /* a fetch */
    must(jobs_rig_enter(&rig, BOB, 10, "*", 0, &jobs[5]) == SIPD_OK);
    must(jobs_rig_enter(&rig, SPAN("sip:alice@example.com"), 7, "sip:alice@phone", 60, &other) ==
         SIPD_OK);
    must(rig.writes_len == 2); /* other users do not wait */
    must(jobs[1]->state == JOB_QUEUED && jobs[5]->state == JOB_QUEUED);

    jobs_rig_written(&rig, SIPD_OK);
    must(jobs[0]->state == JOB_DONE && jobs[1]->state == JOB_WRITING &&
         jobs[2]->state == JOB_QUEUED);
    jobs_rig_written(&rig, SIPD_OK); /* alice's */
    jobs_rig_written(&rig, SIPD_EIO);
    must(jobs[1]->answer.status == 500 && jobs[2]->state == JOB_WRITING);
    jobs_rig_written(&rig, SIPD_OK);
    must(jobs[3]->state == JOB_DONE && jobs[3]->answer.status == 500 && !jobs[3]->again);
    must(jobs[4]->state == JOB_DONE && jobs[4]->answer.status == 200 && jobs[4]->changed == 0);
    must(jobs[5]->state == JOB_WRITING && count(&rig) == 2);
    jobs_rig_written(&rig, SIPD_OK);
    must(count(&rig) == 1);
    must(rig.told_len == countof(order));
    must(memcmp(rig.told, order, sizeof order) == 0);
    jobs_rig_fini(&rig);
}
END_TEST

/* Commands are taken when they are told of; the AoR may end with the last. */
START_TEST(taken_when_told)
{
    struct jobs_rig rig;
    struct job *job;

    jobs_rig_init(&rig);
    rig.take = true;
    for (uint64_t i = 1; i <= 3; i++)
        must(jobs_rig_enter(&rig, BOB, i, "sip:bob@phone", 60, &job) == SIPD_OK);
    must(jobs_rig_enter(&rig, BOB, 1, "sip:bob@phone", 60, &job) == SIPD_OK);
    must(jobs_rig_enter(&rig, BOB, 9, "*", 0, &job) == SIPD_OK);
    must(jobs_rig_enter(&rig, BOB, 10, NULL, 0, &job) == SIPD_OK);
    while (rig.writes_len > 0)
        jobs_rig_written(&rig, SIPD_OK);
    must(rig.told_len == 6 && rig.jobs.count == 0 && !bindings_find(rig.index, BOB));
    jobs_rig_fini(&rig);
}
END_TEST

/* Who asked may have gone: its result goes too, and holds nobody up. */
START_TEST(results_that_nobody_takes)
{
    struct jobs_rig rig;
    struct job *job;
    uint64_t id;

    jobs_rig_init(&rig);
    must(jobs_rig_enter(&rig, BOB, 1, "sip:bob@phone", 60, &job) == SIPD_OK);
    must(jobs_rig_enter(&rig, BOB, 2, "sip:bob@phone", 60, &job) == SIPD_OK);
    id = job->id;
    jobs_rig_written(&rig, SIPD_OK);
    jobs_sweep(&rig.jobs);
    must(rig.jobs.count == 2);
    rig.now_ms += JOBS_KEEP_MS;
    jobs_sweep(&rig.jobs);
    must(rig.jobs.count == 1);
    jobs_rig_written(&rig, SIPD_OK);
    rig.now_ms += JOBS_KEEP_MS;
    jobs_sweep(&rig.jobs);
    must(rig.jobs.count == 0 && count(&rig) == 1);
    jobs_written(&rig.jobs, id, SIPD_OK); /* one from before */
    jobs_written(&rig.jobs, 0, SIPD_OK);
    jobs_written(&rig.jobs, UINT64_MAX, SIPD_OK);
    jobs_rig_fini(&rig);
}
END_TEST

START_TEST(ceilings)
{
    struct jobs_rig rig;
    struct job *job;
    char aor[48];

    jobs_rig_init(&rig);
    for (uint64_t i = 1; i <= JOBS_OF_AOR_MAX; i++)
        must(jobs_rig_enter(&rig, BOB, i, "sip:bob@phone", 60, &job) == SIPD_OK);
    must(jobs_rig_enter(&rig, BOB, 99, "sip:bob@phone", 60, &job) == SIPD_EFULL && !job);
    must(jobs_rig_enter(&rig, SPAN("sip:a@h"), 1, "sip:a@phone", 60, &job) == SIPD_OK);
    rig.jobs.limits.max_waiting = JOBS_OF_AOR_MAX + 1;
    must(jobs_rig_enter(&rig, SPAN("sip:b@h"), 1, "sip:b@phone", 60, &job) == SIPD_EFULL);
    must(!bindings_find(rig.index, SPAN("sip:b@h")));
    rig.take = true;
    while (rig.writes_len > 0)
        jobs_rig_written(&rig, SIPD_OK);

    rig.jobs.limits.max_bindings = 10;
    rig.told_len = 0;
    for (int i = 0; i < 8; i++) { /* two are there */
        snprintf(aor, sizeof aor, "sip:%d@h", i);
        must(jobs_rig_enter(&rig, span_of(aor), 1, "sip:1@phone", 60, &job) == SIPD_OK);
        must(job->state == JOB_WRITING);
    }
    rig.take = false;
    must(jobs_rig_enter(&rig, SPAN("sip:new@h"), 1, "sip:1@phone", 60, &job) == SIPD_OK);
    must(job->state == JOB_DONE && job->answer.status == 503 && job->again);
    jobs_take(&rig.jobs, &job);
    rig.take = true;
    while (rig.writes_len > 0)
        jobs_rig_written(&rig, SIPD_OK);
    must(count(&rig) == 10 && rig.jobs.coming == 0);
    must(jobs_rig_enter(&rig, SPAN("sip:0@h"), 2, "sip:1@phone", 60, &job) ==
         SIPD_OK); /* no more than it was */
    must(job->state == JOB_WRITING);
    jobs_rig_written(&rig, SIPD_OK);
    jobs_rig_fini(&rig);
}
END_TEST

/* A Contact of other text but equal (§19.1.4) takes the place of the old one, in the store too. */
START_TEST(another_text_for_the_same_uri)
{
    struct jobs_rig rig;
    struct job *job;

    jobs_rig_init(&rig);
    must(jobs_rig_enter(&rig, BOB, 1, "sip:bob@phone.example.com", 60, &job) == SIPD_OK);
    jobs_rig_written(&rig, SIPD_OK);
    must(jobs_rig_enter(&rig, BOB, 2, "sip:bob@PHONE.example.com", 60, &job) == SIPD_OK);
    must(rig.writes[0]->len == 2);
    must(rig.writes[0]->changes[0].verb == STORE_DROP &&
         rig.writes[0]->changes[1].verb == STORE_PUT);
    must_text(rig.writes[0]->changes[0].row.contact, "sip:bob@phone.example.com");
    jobs_rig_written(&rig, SIPD_OK);
    must(count(&rig) == 1);
    must_text(binding_contact(bindings_find(rig.index, BOB)->first), "sip:bob@PHONE.example.com");
    jobs_rig_fini(&rig);
}
END_TEST

/* What expires while its refresh is written is refreshed, and its old row is left to the newer one. */
START_TEST(expiry_during_a_write)
{
    struct jobs_rig rig;
    struct job *job;
    bool more;

    jobs_rig_init(&rig);
    must(jobs_rig_enter(&rig, BOB, 1, "sip:bob@phone", 60, &job) == SIPD_OK);
    jobs_rig_written(&rig, SIPD_OK);
    jobs_take(&rig.jobs, &job);
    rig.now_ms += 59999;
    must(jobs_rig_enter(&rig, BOB, 2, "sip:bob@phone", 60, &job) == SIPD_OK);
    rig.now_ms += 5000;
    must(bindings_sweep(rig.index, rig.now_ms, 10, &more) == 1 && count(&rig) == 0);
    purge_step(&rig.purge);
    must(rig.writes_len == 2 && rig.writes[1]->changes[0].verb == STORE_PURGE);
    must(rig.writes[1]->changes[0].row.cseq == 1);
    must(rig.writes[1]->changes[0].row.expires_s == 1700000000 + 1000 + 60);
    jobs_rig_written(&rig, SIPD_OK);
    must(count(&rig) == 1);
    jobs_take(&rig.jobs, &job);
    jobs_rig_written(&rig, SIPD_OK);
    must(bindings_held(rig.index) == 1);

    /* overdue but not swept yet: gone for a REGISTER that comes */
    rig.now_ms += 55000;
    must(jobs_rig_enter(&rig, BOB, 1, "sip:bob@phone", 60, &job) == SIPD_OK);
    must(job->state == JOB_WRITING && count(&rig) == 0);
    jobs_rig_written(&rig, SIPD_OK);
    must(count(&rig) == 1 && bindings_held(rig.index) == 2);
    jobs_rig_fini(&rig);
}
END_TEST

START_TEST(purging)
{
    struct jobs_rig rig;
    struct job *job;
    char aor[48];
    bool more;

    jobs_rig_init(&rig);
    rig.jobs.limits.max_bindings = 1000;
    rig.answer = STORE_NOW;
    for (int i = 0; i < 3 * PURGE_ROWS; i++) {
        snprintf(aor, sizeof aor, "sip:%d@h", i);
        must(jobs_rig_enter(&rig, span_of(aor), 1, "sip:1@phone", 60, &job) == SIPD_OK);
        jobs_take(&rig.jobs, &job);
    }
    rig.now_ms += 70000;
    bindings_sweep(rig.index, rig.now_ms, 1000, &more);
    rig.answer = STORE_LATER;
    purge_step(&rig.purge);
    purge_step(&rig.purge); /* one at a time */
    must(rig.writes_len == 1 && rig.writes[0]->len == PURGE_ROWS);
    jobs_rig_written(&rig, SIPD_EIO);
    must(bindings_held(rig.index) == 3 * PURGE_ROWS);
    purge_step(&rig.purge);
    jobs_rig_written(&rig, SIPD_OK);
    must(bindings_held(rig.index) == 2 * PURGE_ROWS);
    rig.answer = SIPD_EFULL;
    purge_step(&rig.purge);
    must(bindings_held(rig.index) == 2 * PURGE_ROWS);
    rig.answer = STORE_NOW;
    purge_step(&rig.purge);
    must(bindings_held(rig.index) == 0);
    jobs_rig_fini(&rig);
}
END_TEST

START_TEST(closing)
{
    struct jobs_rig rig;
    struct job *first, *second, *third;

    jobs_rig_init(&rig);
    must(jobs_rig_enter(&rig, BOB, 1, "sip:bob@phone", 60, &first) == SIPD_OK);
    must(jobs_rig_enter(&rig, BOB, 2, "sip:bob@phone", 60, &second) == SIPD_OK);
    jobs_close(&rig.jobs);
    must(jobs_rig_enter(&rig, BOB, 3, "sip:bob@phone", 60, &third) == SIPD_EFULL);
    jobs_rig_written(&rig, SIPD_OK);
    must(first->answer.status == 200 && count(&rig) == 1);
    must(second->state == JOB_DONE && second->answer.status == 503);
    jobs_rig_fini(&rig);

    jobs_rig_init(&rig); /* and one that the store never answered */
    must(jobs_rig_enter(&rig, BOB, 1, "sip:bob@phone", 60, &first) == SIPD_OK);
    jobs_rig_fini(&rig);
}
END_TEST

/* Wherever memory runs out, a REGISTER is done as a whole or not at all. */
START_TEST(without_memory)
{
    struct jobs_rig rig;
    struct job *job;
    unsigned n, failures = 0;

    for (n = 0; n < 100; n++) {
        int err;

        jobs_rig_init(&rig);
        rig.answer = STORE_NOW;
        mem_fail_after(n);
        err = jobs_rig_enter(&rig, BOB, 1, "sip:bob@phone", 60, &job);
        if (!mem_failed())
            break;
        mem_fail_never();
        failures++;
        must(err == SIPD_ENOMEM || (job->answer.status == 500 && job->again) ||
             job->answer.status == 200); /* only its source is not counted */
        must(count(&rig) == (err == SIPD_OK && job->answer.status == 200));
        jobs_rig_fini(&rig);
    }
    mem_fail_never();
    must(failures >= 4 && job->answer.status == 200 && count(&rig) == 1);
    jobs_rig_fini(&rig);
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
    suite_add_tcase(suite, all);
    return suite;
}
