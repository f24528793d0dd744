/*
 * Strain: only what does not get less for a while counts.
 */
#include "net/strain.h"

#include <check.h>

#define MS 1000000ull

static struct strain strain;
static uint64_t now;

static void
begin(void)
{
    strain = (struct strain){ .ended_ns = 0 };
    now = 1000 * MS;
    strain_begin(&strain, now);
    strain.ended_ns = now;
}

/* The loop polls so long, then a turn takes so long. */
static void
turn(unsigned polls_ms, unsigned takes_ms, unsigned queue_percent)
{
    uint64_t began = now + polls_ms * MS;

    strain_begin(&strain, began);
    if (queue_percent > 0)
        strain_queue(&strain, queue_percent);
    now = began + takes_ms * MS;
    strain_end(&strain, began, now);
}

START_TEST(turns_that_stay_long_are_a_strain)
{
    for (int i = 0; i < 4; i++)
        turn(0, 300, 0);
    ck_assert_uint_eq(strain.lag_ms, 300);
    ck_assert_uint_eq(strain.queue_percent, 0);
}
END_TEST

START_TEST(one_long_turn_is_none)
{
    turn(0, 5000, 99);
    turn(0, 1, 99);
    for (int i = 0; i < 1000; i++)
        turn(0, 1, i % 4 == 0 ? 0 : 99);
    ck_assert_uint_eq(strain.lag_ms, 1);
    ck_assert_uint_eq(strain.queue_percent, 0);
}
END_TEST

START_TEST(the_least_of_a_window_counts)
{
    turn(0, 100, 70);
    turn(0, 50, 80);
    turn(0, 80, 60);
    ck_assert_uint_eq(strain.lag_ms, 0); /* three turns are no window, however long they took */
    turn(0, 90, 90);
    ck_assert_uint_eq(strain.lag_ms, 50);
    ck_assert_uint_eq(strain.queue_percent, 60);
}
END_TEST

START_TEST(short_turns_make_a_window_of_a_tenth_of_a_second)
{
    for (int i = 0; i < 99; i++)
        turn(0, 1, 80);
    ck_assert_uint_eq(strain.queue_percent, 0);
    turn(0, 1, 80);
    ck_assert_uint_eq(strain.queue_percent, 80);
}
END_TEST

START_TEST(the_fullest_queue_of_a_turn_counts)
{
    for (int i = 0; i < 100; i++) {
        strain_begin(&strain, now);
        strain_queue(&strain, 20);
        strain_queue(&strain, 70);
        strain_queue(&strain, 30);
        now += MS;
        strain_end(&strain, now - MS, now);
    }
    ck_assert_uint_eq(strain.queue_percent, 70);
}
END_TEST

START_TEST(who_waits_for_work_has_kept_up)
{
    for (int i = 0; i < 4; i++)
        turn(0, 300, 90);
    turn(5, 1, 0); /* a short poll proves nothing yet */
    ck_assert_uint_eq(strain.lag_ms, 300);
    strain_begin(&strain, now + 20 * MS);
    ck_assert_uint_eq(strain.lag_ms, 0); /* the turn that begins knows it already */
    ck_assert_uint_eq(strain.queue_percent, 0);
}
END_TEST

Suite *
suite_strain(void)
{
    Suite *s = suite_create("strain");
    TCase *c = tcase_create("strain");

    tcase_add_checked_fixture(c, begin, NULL);
    tcase_add_test(c, turns_that_stay_long_are_a_strain);
    tcase_add_test(c, one_long_turn_is_none);
    tcase_add_test(c, the_least_of_a_window_counts);
    tcase_add_test(c, short_turns_make_a_window_of_a_tenth_of_a_second);
    tcase_add_test(c, the_fullest_queue_of_a_turn_counts);
    tcase_add_test(c, who_waits_for_work_has_kept_up);
    suite_add_tcase(s, c);
    return s;
}
