/*
 * A row: in the order of joining, side by side, at addresses that stay.
 */
#include "base/row.h"

#include <string.h>

#include "base/mem.h"
#include "base/poison.h"
#include "base/rand.h"
#include "unit/dies.h"
#include "unit/must.h"

enum { LONG_BYTES = 200000, STEPS = 200000, ALIVE_MOST = 3000 };

struct one {
    uint64_t number;
    uint32_t len;
    unsigned char bytes[];
};

/* The n-th to join, as long as that says. */
static struct one *
join(struct row *row, uint64_t number, uint32_t len)
{
    struct one *one = row_push(row, sizeof *one + len);

    if (!one)
        return NULL;
    one->number = number;
    one->len = len;
    memset(one->bytes, (int)(number % 251), len);
    return one;
}

static void
is_whole(const struct one *one, uint64_t number)
{
    must(one && one->number == number && (uintptr_t)one % sizeof(uint64_t) == 0);
    for (uint32_t i = 0; i < one->len; i++)
        must(one->bytes[i] == number % 251);
}

static void
shift_nobody(void)
{
    struct row row;

    row_init(&row);
    row_shift(&row);
}

START_TEST(an_empty_row_has_nobody)
{
    uint64_t cursor = 0;
    struct row row;

    row_init(&row);
    ck_assert_ptr_null(row_first(&row));
    ck_assert_ptr_null(row_after(&row, &cursor));
    ck_assert_uint_eq(cursor, 0);
    ck_assert(dies_saying(shift_nobody, "row->len == 0"));
    row_fini(&row);
}
END_TEST

START_TEST(who_joined_first_leaves_first)
{
    struct row row;
    struct one *first, *second;

    row_init(&row);
    first = join(&row, 1, 10);
    second = join(&row, 2, 0);
    ck_assert_ptr_eq(row_first(&row), first);
    ck_assert_ptr_eq(row_next(&row, first), second);
    ck_assert_ptr_null(row_next(&row, second));
    ck_assert_ptr_eq(row.last, second);
    row_shift(&row);
    ck_assert_ptr_eq(row_first(&row), second);
    is_whole(second, 2);
    row_shift(&row);
    ck_assert_ptr_null(row_first(&row));
    ck_assert_uint_eq(row.len, 0);
    ck_assert_ptr_null(row.last);
    row_fini(&row);
}
END_TEST

START_TEST(a_long_one_has_a_chunk_of_its_own)
{
    struct row row;
    struct one *one;

    row_init(&row);
    is_whole(join(&row, 1, 10), 1);
    is_whole(join(&row, 2, LONG_BYTES), 2);
    is_whole(join(&row, 3, 10), 3);
    one = row_first(&row);
    for (uint64_t n = 1; n <= 3; n++, one = row_next(&row, one))
        is_whole(one, n);
    ck_assert_ptr_null(one);
    row_fini(&row);
}
END_TEST

START_TEST(a_thousand_come_and_go_and_none_is_touched_by_another)
{
    struct row row;
    struct rand rand;
    uint64_t joined = 0, left = 0;

    row_init(&row);
    rand_seed(&rand, 3112);
    for (int step = 0; step < STEPS; step++) {
        bool joins = row.len == 0 || (row.len < ALIVE_MOST && rand_u64(&rand) % 100 < 51);

        if (joins) {
            must(join(&row, ++joined, (uint32_t)(rand_u64(&rand) % 400)) != NULL);
        } else {
            is_whole(row_first(&row), ++left);
            row_shift(&row);
        }
        must(row.len == joined - left);
    }
    ck_assert_uint_gt(joined, STEPS / 2);
    for (struct one *one = row_first(&row); one; one = row_next(&row, one))
        is_whole(one, ++left);
    ck_assert_uint_eq(left, joined);
    row_fini(&row);
}
END_TEST

/* Who walks sees each that was there all the time once, and nobody twice. */
START_TEST(a_walk_goes_on_though_others_join_and_leave)
{
    struct row row;
    uint64_t cursor = 0, last = 0, joined = 0, left = 0;
    struct one *one;

    row_init(&row);
    while (joined < 2000)
        must(join(&row, ++joined, 300) != NULL);
    for (int n = 0; (one = row_after(&row, &cursor)) && one->number <= 2000; n++) {
        must(one->number > last && (one->number == last + 1 || one->number == left + 1));
        last = one->number;
        if (n % 2 == 0) {
            must(join(&row, ++joined, 300) != NULL);
        } else {
            for (int i = 0; i < 3; i++, left++)
                row_shift(&row);
        }
    }
    ck_assert_uint_ge(last, 2000);
    ck_assert_uint_gt(left, 1000);
    row_fini(&row);
}
END_TEST

/* Who walks to where the end was meets those that were there then, however many join and leave. */
START_TEST(a_walk_may_end_where_the_end_was)
{
    struct row row;
    uint64_t cursor = 0, end, joined = 0, met = 0;
    struct one *one;

    row_init(&row);
    ck_assert_uint_eq(row_end(&row), 0);
    while (joined < 1000)
        must(join(&row, ++joined, 300) != NULL);
    end = row_end(&row);
    while ((one = row_after(&row, &cursor)) && cursor <= end) {
        must(one->number == ++met);
        must(join(&row, ++joined, 300) != NULL);
    }
    ck_assert_uint_eq(met, 1000);
    while (((struct one *)row_first(&row))->number <= 1100)
        row_shift(&row);
    cursor = 0;
    must(row_after(&row, &cursor) != NULL && cursor > end);
    row_fini(&row);
}
END_TEST

START_TEST(one_chunk_is_kept_and_no_more)
{
    uint64_t before = mem_live();
    struct row row;

    row_init(&row);
    for (uint64_t n = 0; n < 2000; n++)
        must(join(&row, n, 300) != NULL);
    ck_assert_uint_gt(mem_live(), before + 5);
    while (row.len > 0)
        row_shift(&row);
    ck_assert_uint_eq(mem_live(), before + 2); /* and the list */
    for (uint64_t n = 0; n < 100; n++)
        must(join(&row, n, 300) != NULL);
    ck_assert_uint_eq(mem_live(), before + 2);
    row_fini(&row);
    ck_assert_uint_eq(mem_live(), before);
}
END_TEST

START_TEST(without_memory_nobody_joins_and_nobody_is_lost)
{
    struct row row;
    uint64_t joined = 0, n = 0;

    for (uint64_t ladder = 0; ladder < 12; ladder++) {
        joined = n = 0;
        row_init(&row);
        mem_fail_after(ladder);
        while (joined < 5000 && join(&row, joined + 1, 300))
            joined++;
        ck_assert(mem_failed());
        mem_fail_never();
        ck_assert_uint_eq(row.len, joined);
        ck_assert_ptr_nonnull(join(&row, joined + 1, 300));
        for (struct one *one = row_first(&row); one; one = row_next(&row, one))
            is_whole(one, ++n);
        ck_assert_uint_eq(n, joined + 1);
        row_fini(&row);
    }
}
END_TEST

START_TEST(who_has_left_is_poisoned)
{
    struct row row;
    struct one *one;

    row_init(&row);
    one = join(&row, 1, 8);
    is_whole(one, 1);
    must(join(&row, 2, 8) != NULL);
    row_shift(&row);
#if POISON_WORKS
    ck_assert(__asan_address_is_poisoned(one));
#endif
    row_fini(&row);
}
END_TEST

Suite *
suite_row(void)
{
    Suite *s = suite_create("row");
    TCase *all = tcase_create("row");

    tcase_add_test(all, an_empty_row_has_nobody);
    tcase_add_test(all, who_joined_first_leaves_first);
    tcase_add_test(all, a_long_one_has_a_chunk_of_its_own);
    tcase_add_test(all, a_thousand_come_and_go_and_none_is_touched_by_another);
    tcase_add_test(all, a_walk_goes_on_though_others_join_and_leave);
    tcase_add_test(all, a_walk_may_end_where_the_end_was);
    tcase_add_test(all, one_chunk_is_kept_and_no_more);
    tcase_add_test(all, without_memory_nobody_joins_and_nobody_is_lost);
    tcase_add_test(all, who_has_left_is_poisoned);
    suite_add_tcase(s, all);
    return s;
}
