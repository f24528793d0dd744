/*
 * The heap's steps, and what the system was told about them.
 */
#include "base/heap.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/poison.h"
#include "unit/must.h"

enum { BLOCKS = 8192, BLOCK_BYTES = 8192, LARGE_BYTES = 64 << 20 };

static void *blocks[BLOCKS];

/* Takes 64 MiB in small blocks; how often the heap's end moved. */
static unsigned
fill(void)
{
    const char *end = sbrk(0);
    unsigned moves = 0;

    for (unsigned i = 0; i < BLOCKS; i++) {
        blocks[i] = mem_grow(NULL, BLOCK_BYTES);
        must(blocks[i]);
        moves += sbrk(0) != end;
        end = sbrk(0);
    }
    return moves;
}

static void
empty(void)
{
    for (unsigned i = 0; i < BLOCKS; i++)
        mem_free(blocks[i]);
}

/* The flags of the mapping in which `at` lies, as the system tells them; false: it tells of none. */
static bool
read_flags(const void *at, char *flags, size_t room)
{
    FILE *maps = fopen("/proc/self/smaps", "r");
    bool here = false, found = false;
    void *from, *to;

    while (maps && !found && fgets(flags, (int)room, maps)) {
        if (sscanf(flags, "%p-%p ", &from, &to) == 2)
            here = at >= (const void *)from && at < (const void *)to;
        found = here && strncmp(flags, "VmFlags:", 8) == 0;
    }
    if (maps)
        fclose(maps);
    return found;
}

/* May the page at `at` be a huge one? As it ought to be where the system does not tell, or the heap lies elsewhere. */
static bool
may_be_huge(const void *at, bool ought)
{
    char flags[512];

    /* A sanitizer's heap lies elsewhere, and not every system has such pages. */
    if (POISON_WORKS || access("/sys/kernel/mm/transparent_hugepage/enabled", R_OK) != 0 ||
        !read_flags(at, flags, sizeof flags))
        return ought;
    return strstr(flags, " hg") != NULL;
}

START_TEST(it_grows_by_large_steps)
{
    struct heap heap = { NULL, NULL };

    heap_widen(&heap);
    must(fill() <= 3);
    empty();
}
END_TEST

START_TEST(what_was_never_widened_is_left_alone)
{
    struct heap heap = { NULL, NULL };

    fill();
    heap_follow(&heap);
    must(!may_be_huge(blocks[BLOCKS - 1], false));
    empty();
}
END_TEST

START_TEST(the_first_8_mib_have_small_pages)
{
    struct heap heap = { NULL, NULL };

    heap_widen(&heap);
    fill();
    heap_follow(&heap);
    must(!may_be_huge(blocks[0], false));
    must(!may_be_huge(blocks[BLOCKS / 8 - 1], false));
    empty();
}
END_TEST

START_TEST(what_grows_beyond_may_have_huge_pages)
{
    struct heap heap = { NULL, NULL };

    heap_widen(&heap);
    fill();
    heap_follow(&heap);
    heap_follow(&heap);
    must(may_be_huge(blocks[BLOCKS / 4], true));
    empty();
}
END_TEST

START_TEST(what_has_shrunk_and_grows_again_too)
{
    struct heap heap = { NULL, NULL };

    heap_widen(&heap);
    fill();
    heap_follow(&heap);
    empty();
    malloc_trim(0);
    heap_follow(&heap);
    fill();
    heap_follow(&heap);
    must(may_be_huge(blocks[BLOCKS / 4], true));
    empty();
}
END_TEST

/* Wherever the library has it from. */
START_TEST(what_is_touched_here_and_there_may_have_them)
{
    char *large = mem_grow(NULL, LARGE_BYTES), *small = mem_grow(NULL, LARGE_BYTES / 16);

    heap_scattered(large, LARGE_BYTES);
    heap_scattered(small, LARGE_BYTES / 16);
    must(may_be_huge(large + LARGE_BYTES / 2, true));
    must(!may_be_huge(small + LARGE_BYTES / 32, false));
    memset(large, 1, LARGE_BYTES);
    mem_free(large);
    mem_free(small);
}
END_TEST

Suite *
suite_heap(void)
{
    Suite *s = suite_create("heap");
    TCase *tc = tcase_create("growth");

    tcase_add_test(tc, it_grows_by_large_steps);
    tcase_add_test(tc, what_was_never_widened_is_left_alone);
    tcase_add_test(tc, the_first_8_mib_have_small_pages);
    tcase_add_test(tc, what_grows_beyond_may_have_huge_pages);
    tcase_add_test(tc, what_has_shrunk_and_grows_again_too);
    tcase_add_test(tc, what_is_touched_here_and_there_may_have_them);
    suite_add_tcase(s, tc);
    return s;
}
