/*
 * Every error has words of its own, and no number goes without.
 */
#include "base/err.h"

#include <check.h>

START_TEST(each_error_has_its_own_words)
{
    for (int a = SIPD_OK; a >= SIPD_EABI; a--)
        for (int b = SIPD_OK; b >= SIPD_EABI; b--)
            ck_assert((strcmp(err_words(a), err_words(b)) == 0) == (a == b));
}
END_TEST

START_TEST(other_numbers_are_unknown)
{
    ck_assert_str_eq(err_words(1), "unknown error");
    ck_assert_str_eq(err_words(SIPD_EABI - 1), "unknown error");
    for (int err = SIPD_OK; err >= SIPD_EABI; err--)
        ck_assert_str_ne(err_words(err), "unknown error");
}
END_TEST

Suite *
suite_err(void)
{
    Suite *suite = suite_create("err");
    TCase *all = tcase_create("all");

    tcase_add_test(all, each_error_has_its_own_words);
    tcase_add_test(all, other_numbers_are_unknown);
    suite_add_tcase(suite, all);
    return suite;
}
