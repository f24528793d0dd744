/*
 * Who answers the questions about bytes: chosen once, at start.
 */
#include "scan/scan.h"

/* The best first. */
static const struct scan_ops *const kinds[] = { &scan_plain };

const struct scan_ops *scan_chosen = &scan_plain;

bool
scan_choose(struct span name)
{
    for (size_t i = 0; i < countof(kinds); i++) {
        if (name.len > 0 && !span_eq(name, span_of(kinds[i]->name)))
            continue;
        scan_chosen = kinds[i];
        return true;
    }
    return false;
}
