/*
 * The arena: blocks that do not touch, a ceiling, an end for all at once.
 */
#include "base/arena.h"

#include <stdalign.h>

#include "base/poison.h"
#include "base/rand.h"
#include "unit/heap.h"
#include "unit/must.h"

enum { MANY = 1000, NO_LIMIT = 1 << 30 };

struct block {
    char *at;
    size_t bytes;
};

/* May these bytes be touched? Always, without AddressSanitizer. */
static bool
open_bytes(char *at, size_t bytes)
{
#if POISON_WORKS
    return __asan_region_is_poisoned(at, bytes) == NULL;
#else
    return at || bytes == 0;
#endif
}

static bool
holds_only(struct block block, char byte)
{
    for (size_t i = 0; i < block.bytes; i++)
        if (block.at[i] != byte)
            return false;
    return true;
}

START_TEST(an_empty_arena_holds_nothing)
{
    uint64_t live = mem_live();
    struct arena a;

    arena_init(&a, NO_LIMIT);
    ck_assert_uint_eq(a.held_bytes, 0);
    arena_reset(&a);
    arena_fini(&a);
    ck_assert_uint_eq(mem_live(), live);
}
END_TEST

START_TEST(arenas_of_short_life_leave_their_first_chunk_to_each_other)
{
    uint64_t live = mem_live();
    struct arena_spare spare = { 0 };
    struct arena one, other;
    char *first, *large;

    arena_init_by(&one, NO_LIMIT, 0, &spare);
    arena_init_by(&other, NO_LIMIT, 0, &spare);
    first = arena_alloc(&one, 100);
    large = arena_alloc(&one, 100000);
    ck_assert_ptr_nonnull(first);
    ck_assert_ptr_nonnull(large);
    arena_fini(&one);
    ck_assert_uint_eq(spare.of[0].count, 1);
    ck_assert_uint_eq(mem_live(), live + 1);
    ck_assert(!POISON_WORKS || !open_bytes(first, 1));
    ck_assert_ptr_eq(arena_alloc(&other, 100), first);
    ck_assert(open_bytes(first, 100));
    ck_assert_uint_eq(spare.of[0].count, 0);
    ck_assert_ptr_nonnull(arena_alloc(&one, 100)); /* none is left: the heap again */
    arena_fini(&other);
    arena_fini(&one);
    ck_assert_uint_eq(spare.of[0].count, 2);
    arena_spare_fini(&spare);
    ck_assert_uint_eq(mem_live(), live);
}
END_TEST

START_TEST(the_first_chunk_is_as_large_as_what_is_expected)
{
    static const struct {
        size_t expected_bytes, held_bytes;
    } cases[] = { { 0, 2048 }, { 2000, 2048 }, { 2040, 4096 }, { 5000, 8192 }, { 50000, 8192 } };
    uint64_t live = mem_live();
    struct arena_spare spare = { 0 };

    for (size_t i = 0; i < countof(cases); i++) {
        struct arena a, next;
        char *first;

        arena_init_by(&a, NO_LIMIT, cases[i].expected_bytes, &spare);
        first = arena_alloc(&a, 1);
        ck_assert_uint_eq(a.held_bytes, cases[i].held_bytes);
        arena_fini(&a);
        ck_assert_uint_eq(a.held_bytes, 0);
        arena_init_by(&next, NO_LIMIT, cases[i].expected_bytes, &spare);
        ck_assert_ptr_eq(arena_alloc(&next, 1), first); /* each size is left to its own */
        arena_fini(&next);
    }
    ck_assert_uint_eq(mem_live(), live + 3);
    arena_spare_fini(&spare);
    ck_assert_uint_eq(mem_live(), live);
}
END_TEST

START_TEST(blocks_are_aligned_and_apart)
{
    struct block blocks[MANY];
    struct rand r;
    struct arena a;

    rand_seed(&r, 1);
    arena_init(&a, NO_LIMIT);
    for (int i = 0; i < MANY; i++) {
        bool large = rand_below(&r, 50) == 0;

        blocks[i].bytes = rand_below(&r, large ? 100000 : 300);
        blocks[i].at = arena_alloc(&a, blocks[i].bytes);
        must(blocks[i].at);
        must((uintptr_t)blocks[i].at % alignof(max_align_t) == 0);
        memset(blocks[i].at, i, blocks[i].bytes);
    }
    for (int i = 0; i < MANY; i++)
        must(holds_only(blocks[i], (char)i));
    arena_fini(&a);
}
END_TEST

START_TEST(blocks_of_nothing_have_addresses)
{
    struct arena a;
    char *one, *two;

    arena_init(&a, NO_LIMIT);
    one = arena_alloc(&a, 0);
    two = arena_alloc(&a, 0);
    ck_assert_ptr_nonnull(one);
    ck_assert_ptr_ne(one, two);
    arena_fini(&a);
}
END_TEST

START_TEST(zalloc_zeroes_used_memory)
{
    struct block block = { NULL, 3000 };
    struct arena a;

    arena_init(&a, NO_LIMIT);
    block.at = arena_alloc(&a, block.bytes);
    memset(block.at, 'x', block.bytes);
    arena_reset(&a);
    block.at = arena_zalloc(&a, block.bytes);
    ck_assert(holds_only(block, 0));
    arena_fini(&a);
}
END_TEST

START_TEST(copies_end_in_nul)
{
    struct arena a;
    struct span s, empty;

    arena_init(&a, NO_LIMIT);
    s = arena_copy(&a, SPAN("a\0b"));
    empty = arena_copy(&a, (struct span){ NULL, 0 });
    ck_assert(span_eq(s, SPAN("a\0b")));
    ck_assert_int_eq(s.at[3], 0);
    ck_assert_uint_eq(empty.len, 0);
    ck_assert_str_eq(empty.at, "");
    arena_fini(&a);
}
END_TEST

START_TEST(chunks_double_up_to_64_kib)
{
    const size_t held_kib[] = { 4, 12, 28, 60, 124, 188, 252 };
    struct arena a;
    size_t step = 0, before = 0;

    arena_init(&a, NO_LIMIT);
    while (step < countof(held_kib)) {
        must(arena_alloc(&a, 100));
        if (a.held_bytes != before)
            must(a.held_bytes == held_kib[step++] << 10);
        before = a.held_bytes;
    }
    arena_fini(&a);
}
END_TEST

START_TEST(a_large_block_leaves_the_chunk_in_use)
{
    struct arena a;
    char *small, *large, *next;

    arena_init(&a, NO_LIMIT);
    small = arena_alloc(&a, 16);
    large = arena_alloc(&a, 200000);
    next = arena_alloc(&a, 16);
    memset(large, 'x', 200000);
    ck_assert_uint_le(a.held_bytes, 4096 + 200000 + 64);
    ck_assert(next > small && next < small + 4096);
    arena_fini(&a);
}
END_TEST

START_TEST(the_ceiling_holds)
{
    struct arena a;
    size_t bytes = 0;

    arena_init(&a, 10000);
    ck_assert_ptr_null(arena_alloc(&a, 10001));
    ck_assert_ptr_null(arena_alloc(&a, SIZE_MAX));
    ck_assert_ptr_null(arena_zalloc(&a, SIZE_MAX - 20));
    while (arena_alloc(&a, 100))
        bytes += 100;
    ck_assert_uint_le(a.held_bytes, 10000);
    ck_assert_uint_ge(bytes, 7000); /* what the ceiling leaves is used, in a smaller chunk */
    while (arena_alloc(&a, 1))
        bytes++;
    ck_assert_ptr_null(arena_copy(&a, SPAN("x")).at);
    arena_reset(&a);
    ck_assert_ptr_nonnull(arena_alloc(&a, 100));
    arena_fini(&a);
}
END_TEST

START_TEST(a_ceiling_of_all_there_is_does_not_wrap)
{
    struct arena a;

    arena_init(&a, SIZE_MAX);
    ck_assert_ptr_null(arena_alloc(&a, SIZE_MAX));
    ck_assert_ptr_null(arena_alloc(&a, SIZE_MAX - 15));
    ck_assert_ptr_nonnull(arena_alloc(&a, 1));
    arena_fini(&a);
    arena_init(&a, 0);
    ck_assert_ptr_null(arena_alloc(&a, 0));
    arena_fini(&a);
}
END_TEST

START_TEST(reset_keeps_one_chunk_of_modest_size)
{
    uint64_t live = mem_live();
    struct arena a;

    arena_init(&a, NO_LIMIT);
    for (int i = 0; i < 100; i++)
        ck_assert_ptr_nonnull(arena_alloc(&a, 5000));
    ck_assert_ptr_nonnull(arena_alloc(&a, 100000));
    arena_reset(&a);
    ck_assert_uint_eq(a.held_bytes, 64 << 10);
    ck_assert_uint_eq(mem_live(), live + 1);
    for (int i = 0; i < 10; i++)
        ck_assert_ptr_nonnull(arena_alloc(&a, 5000));
    ck_assert_uint_eq(mem_live(), live + 1);
    arena_fini(&a);
}
END_TEST

START_TEST(reset_of_a_large_one_keeps_what_was_needed)
{
    enum { MOST = 1 << 20, BLOCK = 60000 };
    struct arena a;
    size_t held = 0;

    arena_init_large(&a, 8 << 20, MOST);
    for (int turn = 0; turn < 3; turn++) {
        for (int i = 0; i < 12; i++)
            ck_assert_ptr_nonnull(arena_alloc(&a, BLOCK));
        ck_assert(turn < 2 ||
                  a.held_bytes == held); /* it has all there, and asks the heap for nothing */
        arena_reset(&a);
        held = a.held_bytes;
        ck_assert_uint_le(held, MOST);
    }
    ck_assert_uint_ge(held, 12 * BLOCK);
    arena_fini(&a);
}
END_TEST

START_TEST(reset_keeps_nothing_oversized)
{
    uint64_t live = mem_live();
    struct arena a;

    arena_init(&a, NO_LIMIT);
    ck_assert_ptr_nonnull(arena_alloc(&a, 100000));
    arena_reset(&a);
    ck_assert_uint_eq(a.held_bytes, 0);
    ck_assert_uint_eq(mem_live(), live);
    ck_assert_ptr_nonnull(arena_alloc(&a, 1));
    arena_fini(&a);
}
END_TEST

START_TEST(an_ended_arena_can_begin_again)
{
    struct arena a;

    arena_init(&a, 5000);
    ck_assert_ptr_nonnull(arena_alloc(&a, 4000));
    arena_fini(&a);
    ck_assert_uint_eq(a.held_bytes, 0);
    ck_assert_ptr_nonnull(arena_alloc(&a, 4000));
    ck_assert_ptr_null(arena_alloc(&a, 4000));
    arena_fini(&a);
}
END_TEST

START_TEST(only_living_blocks_may_be_touched)
{
    struct arena a;
    char *block;

    arena_init(&a, NO_LIMIT);
    block = arena_alloc(&a, 100);
    ck_assert_ptr_nonnull(arena_alloc(&a, 100));
    ck_assert(open_bytes(block, 100));
    ck_assert(!POISON_WORKS || !open_bytes(block, 101));
    arena_reset(&a);
    ck_assert(!POISON_WORKS || !open_bytes(block, 1));
    ck_assert_ptr_eq(arena_alloc(&a, 50), block);
    ck_assert(open_bytes(block, 50));
    ck_assert(!POISON_WORKS || !open_bytes(block, 51));
    arena_fini(&a);
}
END_TEST

START_TEST(what_a_block_does_not_need_is_for_others)
{
    struct arena a;
    char *one, *two, *large;

    arena_init(&a, NO_LIMIT);
    one = arena_alloc(&a, 1000);
    ck_assert_ptr_nonnull(one);
    arena_shrink(&a, one, 100);
    ck_assert(open_bytes(one, 100));
    ck_assert(!POISON_WORKS || !open_bytes(one + 100, 1));
    two = arena_alloc(&a, 1000);
    ck_assert(two >= one + 100 && two < one + 200);
    arena_shrink(&a, two, 1000);
    ck_assert(open_bytes(two, 1000));
    arena_shrink(&a, two, 0);
    ck_assert(arena_alloc(&a, 1) > (void *)two);
    arena_fini(&a);

    one = arena_alloc(&a, 1000);
    large = arena_alloc(&a, 100000); /* in a chunk of its own */
    ck_assert_ptr_nonnull(large);
    arena_shrink(&a, large, 1);
    ck_assert(open_bytes(large, 1));
    two = arena_alloc(&a, 100);
    ck_assert(two >= one + 1000 && two < one + 1100);
    arena_fini(&a);
}
END_TEST

START_TEST(when_memory_is_out_what_there_is_stays)
{
    for (uint64_t n = 0;; n++) {
        struct arena a;
        int got = 0;

        arena_init(&a, NO_LIMIT);
        mem_fail_after(n);
        for (int i = 0; i < 100; i++) {
            char *block = arena_zalloc(&a, i % 10 ? 1000 : 100000);

            got += block != NULL;
        }
        mem_fail_never();
        ck_assert_ptr_nonnull(arena_alloc(&a, 1000));
        arena_fini(&a);
        ck_assert(mem_failed() == (got < 100));
        if (!mem_failed())
            break;
    }
}
END_TEST

Suite *
suite_arena(void)
{
    Suite *suite = suite_create("arena");
    TCase *all = heap_case("all");

    tcase_add_test(all, an_empty_arena_holds_nothing);
    tcase_add_test(all, arenas_of_short_life_leave_their_first_chunk_to_each_other);
    tcase_add_test(all, the_first_chunk_is_as_large_as_what_is_expected);
    tcase_add_test(all, blocks_are_aligned_and_apart);
    tcase_add_test(all, blocks_of_nothing_have_addresses);
    tcase_add_test(all, zalloc_zeroes_used_memory);
    tcase_add_test(all, copies_end_in_nul);
    tcase_add_test(all, chunks_double_up_to_64_kib);
    tcase_add_test(all, a_large_block_leaves_the_chunk_in_use);
    tcase_add_test(all, the_ceiling_holds);
    tcase_add_test(all, a_ceiling_of_all_there_is_does_not_wrap);
    tcase_add_test(all, reset_keeps_one_chunk_of_modest_size);
    tcase_add_test(all, reset_keeps_nothing_oversized);
    tcase_add_test(all, reset_of_a_large_one_keeps_what_was_needed);
    tcase_add_test(all, an_ended_arena_can_begin_again);
    tcase_add_test(all, only_living_blocks_may_be_touched);
    tcase_add_test(all, what_a_block_does_not_need_is_for_others);
    tcase_add_test(all, when_memory_is_out_what_there_is_stays);
    suite_add_tcase(suite, all);
    return suite;
}
