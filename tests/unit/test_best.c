/*
 * Which of several final responses goes up (RFC 3261 §16.7 step 6, RFC 5626 §11.6).
 */
#include "core/best.h"

#include "unit/must.h"

START_TEST(a_global_failure_beats_all)
{
    for (unsigned other = 300; other < 600; other++)
        must(best_is_better(600, other) && best_is_better(699, other) &&
             !best_is_better(other, 603));
}
END_TEST

START_TEST(else_the_lowest_class_wins)
{
    for (unsigned a = 300; a < 600; a++)
        for (unsigned b = 300; b < 600; b++)
            if (a / 100 < b / 100)
                must(best_is_better(a, b) && !best_is_better(b, a));
}
END_TEST

START_TEST(what_helps_to_ask_again_is_preferred)
{
    static const unsigned preferred[] = { 401, 407, 415, 420, 484 };

    for (size_t i = 0; i < countof(preferred); i++) {
        ck_assert(best_is_better(preferred[i], 404));
        ck_assert(best_is_better(preferred[i], 400));
        ck_assert(!best_is_better(404, preferred[i]));
        ck_assert(!best_is_better(preferred[i], 401));
    }
}
END_TEST

START_TEST(what_says_only_that_nobody_was_there_comes_last)
{
    static const unsigned last[] = { 408, 430, 487 };

    for (size_t i = 0; i < countof(last); i++) {
        ck_assert(best_is_better(486, last[i]));
        ck_assert(!best_is_better(last[i], 486));
        ck_assert(best_is_better(last[i], 500));
    }
    ck_assert(best_is_better(500, 503));
    ck_assert(!best_is_better(503, 580));
}
END_TEST

/* Two branches came to one phone, which takes one of them (§8.2.2.2), or could not all be tried: what somebody said there counts. */
START_TEST(what_is_said_of_the_search_comes_last)
{
    static const unsigned others[] = { 404, 408, 430, 480, 486, 487 };

    for (size_t i = 0; i < countof(others); i++) {
        ck_assert(best_is_better(others[i], 482) && !best_is_better(482, others[i]));
        ck_assert(best_is_better(others[i], 440) && !best_is_better(440, others[i]));
    }
    ck_assert(best_is_better(482, 503));
}
END_TEST

/* It is an order: nothing is better than itself, and two are never better than each other. */
START_TEST(it_is_an_order)
{
    for (unsigned a = 300; a < 700; a++)
        for (unsigned b = 300; b < 700; b++) {
            must(!best_is_better(a, b) || !best_is_better(b, a));
            if (!best_is_better(a, b) || a % 7 != 0)
                continue;
            for (unsigned c = 300; c < 700; c += 3)
                must(!best_is_better(b, c) || best_is_better(a, c));
        }
}
END_TEST

START_TEST(some_speak_of_one_branch_only)
{
    ck_assert_uint_eq(best_goes_up_as(503, false), 500);
    ck_assert_uint_eq(best_goes_up_as(430, false), 480);
    ck_assert_uint_eq(best_goes_up_as(430, true), 430); /* to who chose the flow */
    for (unsigned status = 300; status < 700; status++)
        must(status == 503 || status == 430 || best_goes_up_as(status, false) == status);
}
END_TEST

Suite *
suite_best(void)
{
    Suite *s = suite_create("best");
    TCase *c = tcase_create("order");

    tcase_add_test(c, a_global_failure_beats_all);
    tcase_add_test(c, else_the_lowest_class_wins);
    tcase_add_test(c, what_helps_to_ask_again_is_preferred);
    tcase_add_test(c, what_says_only_that_nobody_was_there_comes_last);
    tcase_add_test(c, what_is_said_of_the_search_comes_last);
    tcase_add_test(c, it_is_an_order);
    tcase_add_test(c, some_speak_of_one_branch_only);
    suite_add_tcase(s, c);
    return s;
}
