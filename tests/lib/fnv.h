/*
 * A hash for tables of tests: FNV-1a. Nobody chooses what they hold, so it has no key.
 */
#ifndef LIB_FNV_H
#define LIB_FNV_H

#include "base/span.h"

static inline uint64_t
fnv(struct span bytes)
{
    uint64_t hash = 14695981039346656037u;

    for (size_t i = 0; i < bytes.len; i++)
        hash = (hash ^ (unsigned char)bytes.at[i]) * 1099511628211u;
    return hash;
}

#endif
