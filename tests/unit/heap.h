/*
 * A fixture: what a test takes from the heap it gives back.
 */
#ifndef UNIT_HEAP_H
#define UNIT_HEAP_H

#include <check.h>

#include "base/mem.h"

static uint64_t heap_before;

static inline void
heap_watch(void)
{
    heap_before = mem_live();
}

static inline void
heap_compare(void)
{
    mem_fail_never();
    ck_assert_uint_eq(mem_live(), heap_before);
}

/* A case whose every test is watched. */
static inline TCase *
heap_case(const char *name)
{
    TCase *watched = tcase_create(name);

    tcase_add_checked_fixture(watched, heap_watch, heap_compare);
    return watched;
}

#endif
