/*
 * Steady time: it goes on as the clock that never goes back, over starts too, and each step of the other clock gets into the store.
 */
#include "registrar/steady.h"

#include "unit/must.h"
#include "unit/text.h"

enum { WALL_S = 1700000000 };

static struct steady steady;
static struct store_write *written;
static unsigned writes;
static int answer;

static int
take_write(void *store, struct store_write *write)
{
    (void)store;
    written = write;
    written->at = (struct store_time){ WALL_S, steady.step_s }; /* as a store does */
    writes++;
    return answer;
}

static const struct store_ops ops = { .write = take_write };

static void
begin(void)
{
    writes = 0;
    answer = STORE_LATER;
    steady_init(&steady, 5000, WALL_S);
    must(steady_at(&steady, 5000) == WALL_S && steady_at(&steady, 65000) == WALL_S + 60);
}

/* The clock shows that much more than the time that passed. */
static void
look(uint64_t now_ms, int64_t ahead_s)
{
    steady_look(&steady, now_ms, WALL_S + (int64_t)(now_ms - 5000) / 1000 + ahead_s);
    must(steady_at(&steady, now_ms) == WALL_S + (int64_t)(now_ms - 5000) / 1000);
}

START_TEST(steps_are_told_once)
{
    look(6000, 0);
    must(steady.step_s == 0 && steady_news(&steady) == 0);
    look(7000, 3600);
    must(steady.step_s == 3600 && steady_news(&steady) == 3600 && steady_news(&steady) == 0);
    look(8000, 3600);
    must(steady_news(&steady) == 0);
    look(9000, -50);
    must(steady.step_s == -50 && steady_news(&steady) == -3650);
}
END_TEST

/* The clocks were read at two moments: who hibernated in between sees a step, and in the next turn that there was none. */
START_TEST(a_step_that_is_none)
{
    look(6000, 900);
    must(steady.step_s == 900);
    look(906000, 0);
    must(steady.step_s == 0 && steady_news(&steady) == 0);
}
END_TEST

/* Leap seconds, and the seconds of two clocks that do not begin together. A clock that creeps gets there all the same. */
START_TEST(a_little_is_no_step)
{
    for (int64_t ahead_s = -STEADY_SLACK_S; ahead_s <= STEADY_SLACK_S; ahead_s++) {
        look(6000, ahead_s);
        must(steady.step_s == 0 && steady_news(&steady) == 0);
    }
    for (int64_t second = 0; second < 3600; second++)
        look(6000 + 1000 * (uint64_t)second, second / 100);
    must(steady.step_s > 35 - STEADY_SLACK_S - 1 && steady.step_s <= 35);
    must(steady_news(&steady) > 0);
}
END_TEST

START_TEST(it_goes_on_after_a_start)
{
    /* stopped for 100 s, after a machine's restart */
    steady_begin(&steady, &(struct store_time){ WALL_S + 3600, 3600 }, false, 2000, WALL_S + 3700);
    must(steady_at(&steady, 2000) == WALL_S + 100 && steady_news(&steady) == 0);
    steady_look(&steady, 3000, WALL_S + 3701);
    must(steady.step_s == 3600);
    /* a clock that stands before the last write: nobody knows how long it was, and not less than nothing */
    steady_begin(&steady, &(struct store_time){ WALL_S + 3600, 3600 }, true, 2000, WALL_S - 1000);
    must(steady_at(&steady, 2000) == WALL_S && steady.step_s == -1000);
    must(steady_news(&steady) == 0);        /* who starts says so himself */
    steady_look(&steady, 3000, WALL_S + 1); /* … and then it is set right */
    must(steady_news(&steady) == 1000 && steady_at(&steady, 3000) == WALL_S + 1);
    /* hardly before: no step */
    steady_begin(&steady, &(struct store_time){ WALL_S, 0 }, false, 2000, WALL_S - STEADY_SLACK_S);
    must(steady.step_s == 0);
}
END_TEST

/* Another write has told the file of a step that was taken back before anybody looked. */
START_TEST(what_another_write_told_is_taken_back)
{
    steady_begin(&steady, &(struct store_time){ WALL_S, 0 }, false, 5000, WALL_S);
    must(steady_time(&steady, 6000, WALL_S + 3601).step_s == 3600);
    look(7000, 0);
    steady_step(&steady, &ops, NULL);
    must(writes == 1);
    steady_written(&steady, SIPD_OK);
    steady_step(&steady, &ops, NULL);
    must(writes == 1);
    must(steady_time(&steady, 8000, 0).wall_s != 0); /* 1970 is a time, too */
}
END_TEST

START_TEST(the_store_is_told)
{
    look(6000, 3600);
    steady_step(&steady, &ops, NULL); /* it has not been read, or keeps nothing */
    must(writes == 0);
    steady_begin(&steady, &(struct store_time){ WALL_S, 0 }, false, 5000, WALL_S);
    steady_step(&steady, &ops, NULL);
    must(writes == 0);
    look(7000, 3600);
    steady_step(&steady, &ops, NULL);
    must(writes == 1 && written->id == STEADY_ID && written->len == 0);
    look(8000, -60);
    steady_step(&steady, &ops, NULL); /* one at a time */
    must(writes == 1);
    steady_written(&steady, SIPD_OK);
    steady_step(&steady, &ops, NULL);
    must(writes == 2 && written->at.step_s == -60);
    steady_written(&steady, SIPD_OK);
    steady_step(&steady, &ops, NULL);
    must(writes == 2);
}
END_TEST

/* A full disk: it is tried until it is done, that of a step which was taken back too, for nobody knows what the file has. */
START_TEST(a_store_that_fails)
{
    steady_begin(&steady, &(struct store_time){ WALL_S, 0 }, false, 5000, WALL_S);
    look(7000, 3600);
    for (unsigned i = 1; i < 4; i++) {
        steady_step(&steady, &ops, NULL);
        must(writes == i);
        steady_written(&steady, SIPD_EIO);
    }
    answer = SIPD_ENOMEM;
    steady_step(&steady, &ops, NULL);
    must(writes == 4);
    answer = STORE_NOW;
    steady_step(&steady, &ops, NULL);
    steady_step(&steady, &ops, NULL);
    must(writes == 5 && steady.kept_s == 3600);
    answer = SIPD_EIO;
    look(8000, 0);
    steady_step(&steady, &ops, NULL);
    look(9000, 3600);
    steady_step(&steady, &ops, NULL);
    must(writes == 7);
}
END_TEST

Suite *
suite_registrar_steady(void)
{
    Suite *suite = suite_create("registrar_steady");
    TCase *all = tcase_create("all");

    tcase_add_checked_fixture(all, begin, NULL);
    tcase_add_test(all, steps_are_told_once);
    tcase_add_test(all, a_step_that_is_none);
    tcase_add_test(all, a_little_is_no_step);
    tcase_add_test(all, it_goes_on_after_a_start);
    tcase_add_test(all, what_another_write_told_is_taken_back);
    tcase_add_test(all, the_store_is_told);
    tcase_add_test(all, a_store_that_fails);
    suite_add_tcase(suite, all);
    return suite;
}
