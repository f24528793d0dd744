/*
 * An assertion for loops: ck_assert reports even success, through a pipe; this one is silent.
 */
#ifndef UNIT_MUST_H
#define UNIT_MUST_H

#include <check.h>

#define must(holds)                                \
    do {                                           \
        if (!(holds))                              \
            ck_abort_msg("must hold: %s", #holds); \
    } while (0)

#endif
