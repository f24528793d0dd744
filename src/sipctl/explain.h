/*
 * What would happen to a request, step by step; what did happen to a call, as a ladder.
 */
#ifndef SIPCTL_EXPLAIN_H
#define SIPCTL_EXPLAIN_H

#include <jansson.h>

#include "base/buf.h"
#include "sipctl/screen.h"

/* Is this answer one of explain's: has it events? */
bool explain_is(const json_t *answer);
/* Appends it as text for people. The buffer's err tells, SIPD_ENOMEM too. */
void explain_write(const json_t *answer, const struct screen *screen, struct buf *to);

#endif
