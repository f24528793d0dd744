/*
 * Counters: one cell a name, read in order, never refused.
 */
#include "base/count.h"

#include <stdio.h>

#include "unit/heap.h"

struct listing {
    char text[200];
    size_t len;
};

static void
list_one(const char *name, uint64_t value, void *arg)
{
    struct listing *l = arg;

    l->len += (size_t)snprintf(l->text + l->len, sizeof l->text - l->len, "%s=%u ", name,
                               (unsigned)value);
}

START_TEST(a_name_has_one_cell)
{
    struct counters c;
    uint64_t *cell;

    counters_init(&c);
    cell = counters_get(&c, "sent");
    ck_assert_uint_eq(*cell, 0);
    ++*cell;
    ck_assert_ptr_eq(counters_get(&c, "sent"), cell);
    ck_assert_ptr_ne(counters_get(&c, "sen"), cell);
    ck_assert_ptr_ne(counters_get(&c, "sent2"), cell);
    ck_assert_uint_eq(*counters_get(&c, "sent"), 1);
    counters_fini(&c);
    ck_assert_ptr_null(c.first);
}
END_TEST

START_TEST(names_are_listed_in_order)
{
    struct listing listing = { .len = 0 };
    struct counters c;

    counters_init(&c);
    counters_each(&c, list_one, &listing);
    ck_assert_uint_eq(listing.len, 0);
    *counters_get(&c, "m") = 1;
    *counters_get(&c, "z") = 2;
    *counters_get(&c, "a") = 3;
    *counters_get(&c, "n") = 4;
    *counters_get(&c, "m") += 4;
    counters_each(&c, list_one, &listing);
    ck_assert_str_eq(listing.text, "a=3 m=5 n=4 z=2 ");
    counters_fini(&c);
}
END_TEST

START_TEST(without_memory_the_spare_cell_counts)
{
    struct counters c;
    uint64_t *known;

    counters_init(&c);
    known = counters_get(&c, "known");
    mem_fail_after(0);
    ck_assert_ptr_eq(counters_get(&c, "known"), known);
    ck_assert_ptr_eq(counters_get(&c, "new"), &c.spare);
    ck_assert_ptr_eq(counters_get(&c, "other"), &c.spare);
    mem_fail_never();
    ck_assert_ptr_ne(counters_get(&c, "new"), &c.spare);
    counters_fini(&c);
}
END_TEST

Suite *
suite_count(void)
{
    Suite *suite = suite_create("count");
    TCase *all = heap_case("all");

    tcase_add_test(all, a_name_has_one_cell);
    tcase_add_test(all, names_are_listed_in_order);
    tcase_add_test(all, without_memory_the_spare_cell_counts);
    suite_add_tcase(suite, all);
    return suite;
}
