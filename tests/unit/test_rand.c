/*
 * Random numbers: the published sequence, the same for the same seed, even below any bound.
 */
#include "base/rand.h"

#include <check.h>

#include "unit/dies.h"
#include "unit/must.h"

/* Published with the generator's other implementations, for the state 1, 2, 3, 4. */
START_TEST(the_sequence_is_the_published_one)
{
    const uint64_t wanted[] = {
        UINT64_C(11520),
        UINT64_C(0),
        UINT64_C(1509978240),
        UINT64_C(1215971899390074240),
        UINT64_C(1216172134540287360),
        UINT64_C(607988272756665600),
        UINT64_C(16172922978634559625),
        UINT64_C(8476171486693032832),
        UINT64_C(10595114339597558777),
        UINT64_C(2904607092377533576),
    };
    struct rand r = { { 1, 2, 3, 4 } };

    for (size_t i = 0; i < countof(wanted); i++)
        ck_assert_uint_eq(rand_u64(&r), wanted[i]);
}
END_TEST

START_TEST(a_seed_is_spread_by_splitmix)
{
    struct rand r;

    rand_seed(&r, 0);
    ck_assert_uint_eq(r.s[0], UINT64_C(0xe220a8397b1dcdaf));
    ck_assert_uint_eq(r.s[1], UINT64_C(0x6e789e6aa1b965f4));
    ck_assert_uint_eq(r.s[2], UINT64_C(0x06c45d188009454f));
    ck_assert_uint_eq(r.s[3], UINT64_C(0xf88bb8a8724c81ec));
}
END_TEST

START_TEST(the_same_seed_gives_the_same)
{
    struct rand a, b, other;
    int same = 0;

    rand_seed(&a, 42);
    rand_seed(&b, 42);
    rand_seed(&other, 43);
    for (int i = 0; i < 1000; i++) {
        uint64_t n = rand_u64(&a);

        must(n == rand_u64(&b));
        same += n == rand_u64(&other);
    }
    must(same == 0);
}
END_TEST

START_TEST(below_is_below_and_even)
{
    int hits[7] = { 0 };
    struct rand r;

    rand_seed(&r, 3);
    for (int i = 0; i < 70000; i++)
        hits[rand_below(&r, 7)]++;
    for (int i = 0; i < 7; i++)
        ck_assert(hits[i] > 9500 && hits[i] < 10500);
    for (int i = 0; i < 100; i++) {
        ck_assert_uint_eq(rand_below(&r, 1), 0);
        ck_assert_uint_lt(rand_below(&r, UINT64_MAX), UINT64_MAX);
    }
}
END_TEST

/* Of 3/4 of all numbers a plain remainder would hit the lowest third twice as often. */
START_TEST(a_large_bound_is_even_too)
{
    const uint64_t quarter = UINT64_C(1) << 62;
    int lowest = 0;
    struct rand r;

    rand_seed(&r, 4);
    for (int i = 0; i < 30000; i++)
        lowest += rand_below(&r, 3 * quarter) < quarter;
    ck_assert(lowest > 9500 && lowest < 10500);
}
END_TEST

static void
below_nothing(void)
{
    struct rand r;

    rand_seed(&r, 1);
    rand_below(&r, 0);
}

START_TEST(nothing_is_below_zero)
{
    ck_assert(dies_saying(below_nothing, "below == 0"));
}
END_TEST

Suite *
suite_rand(void)
{
    Suite *suite = suite_create("rand");
    TCase *all = tcase_create("all");

    tcase_add_test(all, the_sequence_is_the_published_one);
    tcase_add_test(all, a_seed_is_spread_by_splitmix);
    tcase_add_test(all, the_same_seed_gives_the_same);
    tcase_add_test(all, below_is_below_and_even);
    tcase_add_test(all, a_large_bound_is_even_too);
    tcase_add_test(all, nothing_is_below_zero);
    suite_add_tcase(suite, all);
    return suite;
}
