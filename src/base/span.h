/*
 * The span and its questions, as every floor sees them; modules see the same.
 */
#ifndef BASE_SPAN_H
#define BASE_SPAN_H

#include <string.h>

#include <sipd/span.h>

/* Writes s at `to`, which has room for it and lies elsewhere; short texts, as most are, without a call. Returns the end. */
static inline char *
span_write(char *to, struct span s)
{
    char *end = to + s.len;
    const char *last = span_end(s);

    if (s.len > 32) {
        memcpy(to, s.at, s.len);
    } else if (s.len >= 16) { /* here and below the last bytes overlap the first */
        memcpy(to, s.at, 16);
        memcpy(end - 16, last - 16, 16);
    } else if (s.len >= 8) {
        memcpy(to, s.at, 8);
        memcpy(end - 8, last - 8, 8);
    } else if (s.len >= 4) {
        memcpy(to, s.at, 4);
        memcpy(end - 4, last - 4, 4);
    } else if (s.len > 0) {
        to[0] = s.at[0];
        to[s.len / 2] = s.at[s.len / 2];
        end[-1] = last[-1];
    }
    return end;
}

#endif
