/*
 * Spans compared with literals, the case told when they differ; and suites of one test case.
 */
#ifndef UNIT_TEXT_H
#define UNIT_TEXT_H

#include "base/span.h"
#include "unit/must.h"

/* Same bytes, or both shown. */
#define must_text(span, text) must_text_at(span, text, __LINE__)

static inline void
must_text_at(struct span got, const char *want, int line)
{
    if (!span_eq(got, span_of(want)))
        ck_abort_msg("line %d: want <%s>, got <%.*s>", line, want, SPAN_ARG(got));
}

/* As must(), with the text that was read. */
#define must_for(text, holds)                                                  \
    do {                                                                       \
        if (!(holds))                                                          \
            ck_abort_msg("must hold: %s, for <%.*s>", #holds, SPAN_ARG(text)); \
    } while (0)

#endif
