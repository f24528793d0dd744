/*
 * Which deviations a message may keep: with any other it never goes further than sip/repair.
 */
#ifndef FUZZ_ODD_H
#define FUZZ_ODD_H

#include "sip/repair.h"

static inline bool
odd_may_stay(const struct gist *gist)
{
    for (int id = 0; id < DEVIATIONS; id++)
        if (gist->odd & deviation_bit((enum deviation)id) &&
            !repair_may((enum deviation)id, REPAIR_ACCEPT))
            return false;
    return gist->fault == 0;
}

#endif
