/*
 * The heap's steps, and what the system was told about them.
 */
#include "base/heap.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "unit/must.h"

enum { BLOCKS = 8192, BLOCK_BYTES = 1024 };

static void *blocks[BLOCKS];

/* Takes 8 MiB in small blocks; how often the heap's end moved. */
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

START_TEST(it_grows_by_large_steps)
{
    heap_widen();
    must(fill() <= 1);
    empty();
}
END_TEST

START_TEST(what_has_grown_may_have_huge_pages)
{
    char flags[512];
    unsigned moves;

    heap_widen();
    moves = fill();
    heap_follow();
    heap_follow();
    /* A sanitizer's heap lies elsewhere, and not every system has such pages. */
    if (moves > 0 && access("/sys/kernel/mm/transparent_hugepage/enabled", R_OK) == 0 &&
        read_flags(blocks[BLOCKS - 1], flags, sizeof flags))
        must(strstr(flags, " hg"));
    empty();
}
END_TEST

Suite *
suite_heap(void)
{
    Suite *s = suite_create("heap");
    TCase *tc = tcase_create("growth");

    tcase_add_test(tc, it_grows_by_large_steps);
    tcase_add_test(tc, what_has_grown_may_have_huge_pages);
    suite_add_tcase(s, tc);
    return s;
}
