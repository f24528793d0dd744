/*
 * The C library moves the heap's end; here is looked where it is.
 */
#include "base/heap.h"

#include <malloc.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

enum { STEP_BYTES = 32 << 20 };

static char
    *told_end; /* what lies before was told of, or was there before; NULL: nobody asked for more */

/* The first byte of the page that `at` lies in. */
static char *
page_of(char *at)
{
    return at - (uintptr_t)at % (uintptr_t)sysconf(_SC_PAGESIZE);
}

void
heap_widen(void)
{
    mallopt(M_TOP_PAD, STEP_BYTES);
    told_end = sbrk(0);
}

void
heap_follow(void)
{
    char *end = sbrk(0);

    if (!told_end || end == told_end)
        return;
    /* It may have shrunk. Without huge pages in this system, or for this process, small ones do. */
    if (end > told_end)
        (void)madvise(page_of(told_end), (size_t)(end - page_of(told_end)), MADV_HUGEPAGE);
    told_end = end;
}
