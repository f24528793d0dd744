/*
 * All bindings written anew into another file, while changes of them go on.
 */
#include "registrar/rewrite.h"

#include <stdio.h>

#include "unit/heap.h"
#include "unit/jobs_rig.h"
#include "unit/text.h"

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
register_one(struct jobs_rig *rig, unsigned user, unsigned port, uint64_t asker, uint32_t expires_s)
{
    char aor[32], contact[40];
    struct job *job;

    snprintf(aor, sizeof aor, "sip:%u@h", user);
    snprintf(contact, sizeof contact, "sip:phone@192.0.2.1:%u", port);
    must(jobs_rig_enter(rig, span_of(aor), asker, contact, expires_s, &job) == SIPD_OK);
    return job;
}

static void
register_many(struct jobs_rig *rig)
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
make(struct jobs_rig *rig, int err)
{
    if (err == SIPD_OK)
        take_anew(rig->writes[0]);
    jobs_rig_written(rig, err);
    rig->told_len = 0;
}

START_TEST(all_is_written_anew)
{
    struct jobs_rig rig;
    unsigned writes = 0;

    jobs_rig_init(&rig);
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
    jobs_rig_fini(&rig);
}
END_TEST

/* Whatever changes meanwhile, and fails, in the end the store has what memory has. */
START_TEST(changes_go_on_meanwhile)
{
    struct jobs_rig rig;
    unsigned fails = 0;

    jobs_rig_init(&rig);
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
    jobs_rig_fini(&rig);
}
END_TEST

START_TEST(without_memory_it_is_tried_again)
{
    struct jobs_rig rig;

    jobs_rig_init(&rig);
    register_many(&rig);
    rewrite_begin(&rig.rewrite);
    mem_fail_after(0);
    rewrite_step(&rig.rewrite);
    mem_fail_never();
    must(rig.writes_len == 0 && rewrite_is_wanted(&rig.rewrite));
    rewrite_step(&rig.rewrite);
    must(rig.writes_len == 1);
    jobs_rig_fini(&rig);
}
END_TEST

Suite *
suite_registrar_rewrite(void)
{
    Suite *suite = suite_create("registrar_rewrite");
    TCase *all = heap_case("all");

    tcase_add_test(all, all_is_written_anew);
    tcase_add_test(all, changes_go_on_meanwhile);
    tcase_add_test(all, without_memory_it_is_tried_again);
    suite_add_tcase(suite, all);
    return suite;
}
