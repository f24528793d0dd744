/*
 * The C library moves the heap's end; here is looked where it is.
 */
#include "base/heap.h"

#include <malloc.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

enum { STEP_BYTES = 32 << 20, HUGE_BYTES = 2 << 20, SMALL_BYTES = 4 * HUGE_BYTES };

/* Where the huge page begins in which `at` lies. */
static char *
huge_of(char *at)
{
    return at - (uintptr_t)at % HUGE_BYTES;
}

void
heap_widen(struct heap *heap)
{
    mallopt(M_TOP_PAD, STEP_BYTES);
    heap->small_end = huge_of(sbrk(0)) + SMALL_BYTES + HUGE_BYTES;
    heap->told_end = heap->small_end;
}

void
heap_scattered(void *block, size_t bytes)
{
    char *from = huge_of((char *)block + HUGE_BYTES - 1);

    if (bytes >= SMALL_BYTES)
        (void)madvise(from, (size_t)(huge_of((char *)block + bytes) - from), MADV_HUGEPAGE);
}

void
heap_follow(struct heap *heap)
{
    char *end = huge_of(sbrk(0));

    if (!heap->small_end)
        return;
    if (end < heap->small_end)
        end = heap->small_end;
    /* It may have shrunk. Without huge pages in this system, or for this process, small ones do. */
    if (end > heap->told_end)
        (void)madvise(heap->told_end, (size_t)(end - heap->told_end), MADV_HUGEPAGE);
    heap->told_end = end;
}
