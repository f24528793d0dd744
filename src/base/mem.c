/*
 * The only calls of malloc and free, a count of what is alive, and a switch that lets them fail.
 *
 * Both are for tests, and cost a load until one asks. A module's writer thread allocates too, hence the atomics; no order between
 * them is asked for.
 */
#include "base/mem.h"

#include <stdatomic.h>
#include <stdlib.h>

static atomic_bool watched; /* somebody has asked: the rest counts */
static _Atomic uint64_t live;
static atomic_bool switched;  /* by mem_fail_after() */
static _Atomic uint64_t left; /* allocations that still succeed */
static atomic_bool failed;
static atomic_bool held;

static inline bool
is_watched(void)
{
    return __builtin_expect(atomic_load_explicit(&watched, memory_order_relaxed), false);
}

static void
watch(void)
{
    atomic_store(&watched, true);
}

/* One step of the ladder: true when this allocation must fail. */
static bool
is_last_step(void)
{
    uint64_t n;

    if (!atomic_load(&switched) || atomic_load(&held))
        return false;
    n = atomic_load(&left);
    while (n > 0)
        if (atomic_compare_exchange_weak(&left, &n, n - 1))
            return false;
    atomic_store(&failed, true);
    return true;
}

static inline bool
must_fail(void)
{
    return is_watched() && is_last_step();
}

/* malloc(0) may give NULL, which would look like failure. */
static size_t
at_least_one(size_t bytes)
{
    return bytes ? bytes : 1;
}

static inline void *
counted(void *block)
{
    if (is_watched() && block)
        atomic_fetch_add_explicit(&live, 1, memory_order_relaxed);
    return block;
}

void *
mem_new(size_t bytes)
{
    return must_fail() ? NULL : counted(calloc(1, at_least_one(bytes)));
}

void *
mem_grow(void *block, size_t bytes)
{
    if (must_fail())
        return NULL;
    if (!block)
        return counted(malloc(at_least_one(bytes)));
    return realloc(block, at_least_one(bytes));
}

char *
mem_copy(struct span s)
{
    char *copy = mem_grow(NULL, s.len + 1);

    if (!copy)
        return NULL;
    if (s.len > 0)
        memcpy(copy, s.at, s.len);
    copy[s.len] = '\0';
    return copy;
}

void
mem_free(void *block)
{
    if (is_watched() && block)
        atomic_fetch_sub_explicit(&live, 1, memory_order_relaxed);
    free(block);
}

void
mem_fail_after(uint64_t n)
{
    watch();
    atomic_store(&failed, false);
    atomic_store(&left, n);
    atomic_store(&switched, true);
}

void
mem_fail_never(void)
{
    atomic_store(&switched, false);
}

void
mem_fail_hold(bool on)
{
    atomic_store(&held, on);
}

bool
mem_failed(void)
{
    return atomic_load(&failed);
}

uint64_t
mem_live(void)
{
    watch();
    return atomic_load_explicit(&live, memory_order_relaxed);
}
