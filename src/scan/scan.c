/*
 * Who answers the questions about bytes: chosen once, at start.
 */
#include "scan/scan.h"

/* The best first. */
static const struct scan_ops *const kinds[] = {
#ifdef SCAN_AVX2
    &scan_avx2,
#endif
    &scan_plain,
};

const struct scan_ops *scan_chosen = &scan_plain;

static bool
runs_here(const struct scan_ops *ops)
{
#ifdef SCAN_AVX2
    if (ops == &scan_avx2)
        return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") &&
               __builtin_cpu_supports("bmi2");
#endif
    return ops == &scan_plain;
}

bool
scan_choose(struct span name)
{
    for (size_t i = 0; i < countof(kinds); i++) {
        if ((name.len > 0 && !span_eq(name, span_of(kinds[i]->name))) || !runs_here(kinds[i]))
            continue;
        scan_chosen = kinds[i];
        return true;
    }
    return false;
}
