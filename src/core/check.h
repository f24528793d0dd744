/*
 * The checks on a request before it is looked at further, one function each (RFC 3261 §16.3).
 */
#ifndef CORE_CHECK_H
#define CORE_CHECK_H

#include "core/intake.h"

struct check_result {
    uint16_t status;     /* 0: passed */
    struct span phrase;  /* empty: the default one */
    struct span headers; /* "Name: value\r\n"…, in the turn's memory */
};

/* All checks in the order of §16.3. False: refuse it with what is in *bad. */
bool check_request(struct core *core, const struct intake *in, struct check_result *bad);

#endif
