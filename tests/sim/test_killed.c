/*
 * Every scenario, with its modules, again and again, each time with a sipd killed behind another fact; its standby finishes
 * the script: behind the first three and some more; where CI is set, a tenth of them behind every fact (SIPD_SEED chooses),
 * the others behind the first ten and some more. What is excepted is counted (sim/killed.c).
 * And every scenario while sipd and standby are parted for a while, once behind each of some facts.
 * And random calls whose sipds die again and again: nobody hears nothing, no 200 stays without its ACK, and in the end no
 * state is left.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "lib/chance.h"
#include "sim/calls.h"
#include "sim/killed.h"
#include "sim/scenarios.h"

Suite *suite_killed(void);

enum { TENTH = 10, LAST_BYTES = 2000 }; /* Check takes no long text */

enum { WORLDS = 4, CALLS = 40, FACTS = 300 }; /* from one death to the next, at most */

static uint64_t seed; /* which scenarios are killed behind every fact */

static enum killed_often
how_often(int scenario)
{
    struct rand rand;

    if (!getenv("CI"))
        return KILLED_SELDOM;
    rand_seed(&rand, seed + (uint64_t)scenario);
    return rand_below(&rand, TENTH) == 0 ? KILLED_ALWAYS : KILLED_OFTEN;
}

/* Nothing in it is kept, so there is no fact behind which to kill. */
static bool
is_without_state(const char *path)
{
    return strstr(path, "/rfc3666_3_8.sim") || strstr(path, "/srv_stateless");
}

START_TEST(a_standby_finishes_the_script)
{
    const char *path = scenarios_path(_i), *why_not = killed_why_not(path);
    uint64_t live = mem_live();
    unsigned kills = 0;
    struct buf out;
    bool ok;

    bug_doubt_fatal();
    buf_init(&out, 8 << 20);
    ok = killed_scenario(path, why_not ? KILLED_OFTEN : how_often(_i), &kills, &out);
    buf_put_char(&out, '\0');
    ck_assert_msg(ok != (why_not != NULL), "SIPD_SEED=%llu: %.1000s\n…%s", (unsigned long long)seed,
                  why_not ? "it can be finished, and is no exception: " : out.bytes,
                  why_not ? path : out.bytes + (out.len > LAST_BYTES ? out.len - LAST_BYTES : 0));
    ck_assert_msg((kills == 0) == is_without_state(path), "%s: %u kills", path, kills);
    buf_fini(&out);
    ck_assert_uint_eq(mem_live(), live);
}
END_TEST

/* Whatever was between the two: in the end both know the same. */
START_TEST(a_standby_that_was_parted_catches_up)
{
    const char *path = scenarios_path(_i);
    uint64_t live = mem_live();
    unsigned parts = 0;
    struct buf out;
    bool ok;

    bug_doubt_fatal();
    buf_init(&out, 8 << 20);
    ok = killed_parted(path, &parts, &out);
    buf_put_char(&out, '\0');
    ck_assert_msg(ok, "%.1000s\n…%s", out.bytes,
                  out.bytes + (out.len > LAST_BYTES ? out.len - LAST_BYTES : 0));
    ck_assert_msg((parts == 0) == is_without_state(path), "%s: %u times", path, parts);
    buf_fini(&out);
    ck_assert_uint_eq(mem_live(), live);
}
END_TEST

/* Seven are about one machine's load, four about connections through a NAT. One more needs a reason as good. */
START_TEST(the_exceptions_are_eleven)
{
    unsigned there = 0;

    for (int i = 0; i < scenarios_count(); i++)
        there += killed_why_not(scenarios_path(i)) != NULL;
    ck_assert_uint_eq(there, 11);
    ck_assert_uint_eq(killed_exceptions(), 11);
    ck_assert_int_ge(scenarios_count() - (int)there, 101);
}
END_TEST

/* What nobody is killed in proves nothing. */
START_TEST(a_call_is_killed_often)
{
    unsigned kills = 0;
    struct buf out;

    buf_init(&out, 8 << 20);
    ck_assert(killed_scenario("tests/scenarios/answered.sim", KILLED_ALWAYS, &kills, &out));
    ck_assert_uint_gt(kills, 20);
    buf_fini(&out);
}
END_TEST

START_TEST(calls_outlive_their_sipds)
{
    struct calls_conf conf = { .seed = 1000 + (unsigned)_i, .calls = CALLS, .killed = FACTS };
    struct calls_figures figures = { .calls = 0 };
    struct buf out;
    bool ok;

    bug_doubt_fatal();
    buf_init(&out, 8 << 20);
    ok = calls_run(&conf, &figures, &out);
    buf_put_char(&out, '\0');
    ck_assert_msg(ok, "%s", out.bytes);
    ck_assert_uint_eq(figures.unanswered, 0);
    ck_assert_uint_gt(figures.kills, 0);
    buf_fini(&out);
}
END_TEST

Suite *
suite_killed(void)
{
    Suite *suite = suite_create("killed");
    TCase *tcase = tcase_create("killed");

    seed = chance_seed();
    printf("killed: SIPD_SEED=%llu\n", (unsigned long long)seed);
    tcase_set_timeout(tcase, 240);
    scenarios_add(tcase, a_standby_finishes_the_script);
    scenarios_add(tcase, a_standby_that_was_parted_catches_up);
    tcase_add_test(tcase, the_exceptions_are_eleven);
    tcase_add_test(tcase, a_call_is_killed_often);
    tcase_add_loop_test(tcase, calls_outlive_their_sipds, 0, WORLDS);
    suite_add_tcase(suite, tcase);
    return suite;
}
