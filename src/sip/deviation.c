/*
 * The list of deviations as a table.
 */
#include "sip/deviation.h"

static const struct deviation_info infos[DEVIATIONS] = {
#define DEVIATION(id, name, choices, verdict, phrase, section, what, fix) \
    [DEV_##id] = { name, phrase, REPAIR_##choices, REPAIR_##verdict },
#include "sip/deviation.def"
};

_Static_assert(DEVIATIONS <= 64, "the readers note them in 64 bits");

const struct deviation_info *
deviation_info(enum deviation id)
{
    return &infos[id];
}

const char *
repair_verdict_name(enum repair_verdict verdict)
{
    static const char *const names[] = { "accept", "fix", "reject" };

    return names[verdict];
}
