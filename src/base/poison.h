/*
 * Memory that is ours but not to be touched: AddressSanitizer traps who does; without it these cost
 * nothing.
 */
#ifndef BASE_POISON_H
#define BASE_POISON_H

#include "base/def.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define POISON_WORKS 1
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define POISON_WORKS 1
#endif

#ifdef POISON_WORKS
#include <sanitizer/asan_interface.h>
#else
#define POISON_WORKS 0
#endif

/* From now on nobody may touch these bytes. */
static inline void
poison(const void *at, size_t bytes)
{
#if POISON_WORKS
    __asan_poison_memory_region(at, bytes);
#else
    (void)at;
    (void)bytes;
#endif
}

/* Now one may again. */
static inline void
unpoison(const void *at, size_t bytes)
{
#if POISON_WORKS
    __asan_unpoison_memory_region(at, bytes);
#else
    (void)at;
    (void)bytes;
#endif
}

#endif
