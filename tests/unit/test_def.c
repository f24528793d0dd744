/*
 * Broken promises: said, counted, fatal where they must be.
 */
#include "base/def.h"

#include <check.h>

#include "unit/dies.h"

struct whole {
    int first;
    char part;
};

static void
abort_here(void)
{
    BUG_ON(1 + 1 == 2);
}

static void
keep_a_promise(void)
{
    BUG_ON(1 + 1 == 3);
}

static void
abort_long_winded(void)
{
    char what[2000];

    memset(what, 'x', sizeof what - 1);
    what[sizeof what - 1] = '\0';
    bug_abort(what, "file.c", 1);
}

static void
doubt_fatally(void)
{
    bug_doubt_fatal();
    if (DOUBT(true))
        _exit(0);
}

static void
doubt_then_abort(void)
{
    if (DOUBT(2 > 1) && bug_doubts() > 0)
        abort_here();
}

START_TEST(a_bug_says_what_and_where)
{
    ck_assert(dies_saying(abort_here, "bug: 1 + 1 == 2 at "));
    ck_assert(dies_saying(abort_here, "test_def.c:"));
    ck_assert(!dies_saying(keep_a_promise, ""));
}
END_TEST

START_TEST(a_long_promise_is_cut_to_one_line)
{
    ck_assert(dies_saying(abort_long_winded, "xxx\n"));
}
END_TEST

START_TEST(a_doubt_is_said_and_counted)
{
    uint64_t before = bug_doubts();

    ck_assert(dies_saying(doubt_then_abort, "doubt: 2 > 1 at "));
    ck_assert(!DOUBT(false));
    ck_assert_uint_eq(bug_doubts(), before);
}
END_TEST

START_TEST(a_doubt_can_be_fatal)
{
    ck_assert(dies_saying(doubt_fatally, "bug: true at "));
}
END_TEST

START_TEST(macros_measure)
{
    int five[5];
    struct whole whole;

    ck_assert_uint_eq(countof(five), 5);
    ck_assert_ptr_eq(container_of(&whole.part, struct whole, part), &whole);
    ck_assert_ptr_eq(container_of_const(&whole.part, struct whole, part), &whole);
}
END_TEST

Suite *
suite_def(void)
{
    Suite *suite = suite_create("def");
    TCase *all = tcase_create("all");

    tcase_add_test(all, a_bug_says_what_and_where);
    tcase_add_test(all, a_long_promise_is_cut_to_one_line);
    tcase_add_test(all, a_doubt_is_said_and_counted);
    tcase_add_test(all, a_doubt_can_be_fatal);
    tcase_add_test(all, macros_measure);
    suite_add_tcase(suite, all);
    return suite;
}
