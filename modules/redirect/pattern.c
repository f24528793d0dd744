/*
 * Patterns, matched without going back further than to the last *.
 */
#include "pattern.h"

#include <sipd/err.h>

/* Does it match from here on? The time is at most that of both lengths multiplied. */
static bool
matches(struct span pattern, struct span text)
{
    size_t p = 0, t = 0, after = SIZE_MAX, from = 0;

    while (t < text.len) {
        if (p < pattern.len && pattern.at[p] == '*') {
            after = ++p;
            from = t;
        } else if (p < pattern.len && pattern.at[p] == text.at[t]) {
            p++;
            t++;
        } else if (after != SIZE_MAX) {
            p = after;
            t = ++from;
        } else {
            return false;
        }
    }
    while (p < pattern.len && pattern.at[p] == '*')
        p++;
    return p == pattern.len;
}

/* The first * stands for as little as lets the rest match. */
bool
pattern_matches(struct span pattern, struct span text, struct span *star)
{
    size_t head = span_find(pattern, '*');
    struct span rest = span_skip(pattern, head + 1);

    *star = SPAN("");
    if (head == pattern.len)
        return span_eq(pattern, text);
    if (!span_starts(text, span_head(pattern, head)) || !matches(pattern, text))
        return false;
    text = span_skip(text, head);
    for (size_t len = 0; len <= text.len; len++)
        if (matches(rest, span_skip(text, len))) {
            *star = span_head(text, len);
            return true;
        }
    return false;
}

/* The stretch of the pattern that lies where a part of the URI does. */
static struct span
stretch(struct span pattern, const struct uri *uri, struct span part)
{
    return (struct span){ pattern.at + (part.at - uri->whole.at), part.len };
}

struct writer {
    char *to;
    size_t len;
};

static void
put(struct writer *w, struct span text, bool lower)
{
    for (size_t i = 0; i < text.len; i++)
        w->to[w->len++] = lower ? span_lower(text.at[i]) : text.at[i];
}

int
pattern_lower(struct span pattern, const struct uri *uri, char to[PATTERN_BYTES])
{
    struct writer w = { to, 0 };

    if (pattern.len > PATTERN_BYTES)
        return SIPD_ETOOBIG;
    put(&w, stretch(pattern, uri, uri->scheme_text), true);
    put(&w, SPAN(":"), false);
    if (uri->scheme == URI_OTHER || uri->scheme == URI_TEL) {
        put(&w, stretch(pattern, uri, uri->rest), false);
        return (int)w.len;
    }
    if (uri->has_user) {
        put(&w, stretch(pattern, uri, uri->user), false);
        put(&w, SPAN("@"), false);
    }
    put(&w, stretch(pattern, uri, uri->host), true);
    return (int)w.len;
}
