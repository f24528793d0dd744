/*
 * The heap's one door: what it gives, counts and refuses.
 */
#include "base/mem.h"

#include "unit/heap.h"
#include "unit/must.h"

START_TEST(new_memory_is_zeroed_and_counted)
{
    uint64_t before = mem_live();
    char *block = mem_new(1000);

    must(block);
    must(mem_live() == before + 1);
    for (int i = 0; i < 1000; i++)
        must(block[i] == 0);
    mem_free(block);
    must(mem_live() == before);
}
END_TEST

START_TEST(no_bytes_are_a_block_too)
{
    void *fresh = mem_new(0), *grown = mem_grow(NULL, 0);

    ck_assert_ptr_nonnull(fresh);
    ck_assert_ptr_nonnull(grown);
    grown = mem_grow(grown, 0);
    ck_assert_ptr_nonnull(grown);
    mem_free(fresh);
    mem_free(grown);
    mem_free(NULL);
}
END_TEST

START_TEST(growing_keeps_the_bytes)
{
    char *block = mem_grow(NULL, 3);

    ck_assert_ptr_nonnull(block);
    memcpy(block, "abc", 3);
    block = mem_grow(block, 100000);
    ck_assert_mem_eq(block, "abc", 3);
    mem_free(block);
}
END_TEST

START_TEST(growing_that_fails_leaves_the_block)
{
    char *block = mem_copy(SPAN("abc"));

    mem_fail_after(0);
    ck_assert_ptr_null(mem_grow(block, 100000));
    mem_fail_never();
    ck_assert_str_eq(block, "abc");
    mem_free(block);
}
END_TEST

START_TEST(a_copy_ends_in_nul)
{
    char *text = mem_copy(SPAN("a\0b")), *empty = mem_copy((struct span){ NULL, 0 });

    ck_assert_mem_eq(text, "a\0b", 4);
    ck_assert_str_eq(empty, "");
    mem_free(text);
    mem_free(empty);
}
END_TEST

START_TEST(after_n_every_allocation_fails)
{
    void *one, *two;

    mem_fail_after(2);
    one = mem_new(1);
    two = mem_grow(NULL, 1);
    ck_assert_ptr_nonnull(one);
    ck_assert_ptr_nonnull(two);
    ck_assert(!mem_failed());
    ck_assert_ptr_null(mem_copy(SPAN("x")));
    ck_assert(mem_failed());
    ck_assert_ptr_null(mem_new(1));
    ck_assert_ptr_null(mem_grow(two, 9));
    mem_fail_never();
    ck_assert(mem_failed());
    mem_free(one);
    mem_free(two);
}
END_TEST

START_TEST(the_switch_starts_anew)
{
    mem_fail_after(0);
    ck_assert_ptr_null(mem_new(1));
    mem_fail_after(1);
    ck_assert(!mem_failed());
    mem_free(mem_new(1));
    ck_assert(!mem_failed());
}
END_TEST

START_TEST(while_held_nothing_is_counted_or_fails)
{
    mem_fail_after(1);
    mem_fail_hold(true);
    mem_free(mem_new(1));
    mem_free(mem_new(1));
    mem_fail_hold(false);
    mem_free(mem_new(1));
    ck_assert(!mem_failed());
    ck_assert_ptr_null(mem_new(1));
    ck_assert(mem_failed());
}
END_TEST

Suite *
suite_mem(void)
{
    Suite *suite = suite_create("mem");
    TCase *all = heap_case("all");

    tcase_add_test(all, new_memory_is_zeroed_and_counted);
    tcase_add_test(all, no_bytes_are_a_block_too);
    tcase_add_test(all, growing_keeps_the_bytes);
    tcase_add_test(all, growing_that_fails_leaves_the_block);
    tcase_add_test(all, a_copy_ends_in_nul);
    tcase_add_test(all, after_n_every_allocation_fails);
    tcase_add_test(all, the_switch_starts_anew);
    tcase_add_test(all, while_held_nothing_is_counted_or_fails);
    suite_add_tcase(suite, all);
    return suite;
}
