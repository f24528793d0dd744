/*
 * A stretch of bytes that somebody else owns, and the few questions one asks of it.
 *
 * The one string type of sipd, from the wire to the modules. A span never owns: it is valid as long
 * as what it points into. It may hold NUL and any other byte. SIP compares tokens without case
 * (RFC 3261 §7.3.1), hence the i-forms.
 */
#ifndef SIPD_SPAN_H
#define SIPD_SPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct span {
    const char *at; /* first byte; may be NULL when len is 0 */
    size_t len;     /* bytes */
};

/* A span over a string literal: SPAN("INVITE"). */
#define SPAN(literal) ((struct span){ (literal), sizeof(literal) - 1 })
/* The arguments of a "%.*s". */
#define SPAN_ARG(s) (int)(s).len, ((s).len ? (s).at : "")

/* A span over a NUL-terminated string, which may be NULL. Lent: text. */
static inline struct span
span_of(const char *text)
{
    return (struct span){ text, text ? strlen(text) : 0 };
}

/* The span from one position up to, not including, another of the same object. */
static inline struct span
span_between(const char *from, const char *to)
{
    return (struct span){ from, (size_t)(to - from) };
}

/* One past the last byte. */
static inline const char *
span_end(struct span s)
{
    return s.at ? s.at + s.len : s.at;
}

/* Same bytes. */
static inline bool
span_eq(struct span a, struct span b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.at, b.at, a.len) == 0);
}

/* Lower case of an ASCII letter; every other byte as it is, whatever the locale. */
static inline char
span_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

/* Same bytes but for the case of ASCII letters (RFC 3261 §7.3.1). */
static inline bool
span_ieq(struct span a, struct span b)
{
    if (a.len != b.len)
        return false;
    if (b.len == 0 || memcmp(a.at, b.at, b.len) == 0)
        return true;
    for (size_t i = 0; i < b.len; i++)
        if (a.at[i] != b.at[i] && span_lower(a.at[i]) != span_lower(b.at[i]))
            return false;
    return true;
}

/* By bytes, the shorter first where one begins with the other: below, at or above 0 as memcmp(). */
static inline int
span_order(struct span a, struct span b)
{
    size_t len = a.len < b.len ? a.len : b.len;
    int order = len > 0 ? memcmp(a.at, b.at, len) : 0;

    return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

/* Does s begin with head? */
static inline bool
span_starts(struct span s, struct span head)
{
    return s.len >= head.len && (head.len == 0 || memcmp(s.at, head.at, head.len) == 0);
}

/* What is left of s from byte `from` on; empty if that lies past the end. */
static inline struct span
span_skip(struct span s, size_t from)
{
    if (from >= s.len)
        return (struct span){ span_end(s), 0 };
    return (struct span){ s.at + from, s.len - from };
}

/* The first `len` bytes of s, or all of it if it is shorter. */
static inline struct span
span_head(struct span s, size_t len)
{
    return (struct span){ s.at, len < s.len ? len : s.len };
}

/* Position of the first c in s, or s.len. */
static inline size_t
span_find(struct span s, char c)
{
    const char *hit = s.len ? memchr(s.at, c, s.len) : NULL;

    return hit ? (size_t)(hit - s.at) : s.len;
}

/* SIP's linear white space, folding included (RFC 3261 §25.1 LWS). */
static inline bool
span_is_lws(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* s without white space at either end. */
static inline struct span
span_trim(struct span s)
{
    while (s.len > 0 && span_is_lws(s.at[0]))
        s = (struct span){ s.at + 1, s.len - 1 };
    while (s.len > 0 && span_is_lws(s.at[s.len - 1]))
        s.len--;
    return s;
}

/* Takes off what stands before the first sep; *rest keeps what stands after it, or is empty. */
static inline struct span
span_cut(struct span *rest, char sep)
{
    size_t at = span_find(*rest, sep);
    struct span head = span_head(*rest, at);

    *rest = span_skip(*rest, at + 1);
    return head;
}

/* Writes s at `to`, which has room for it and lies elsewhere; short texts, as most are, without a call. Returns the end. */
static inline char *
span_write(char *to, struct span s)
{
    char *end = to + s.len;

    if (s.len > 32) {
        memcpy(to, s.at, s.len);
    } else if (s.len >= 16) { /* here and below the last bytes overlap the first */
        memcpy(to, s.at, 16);
        memcpy(end - 16, s.at + s.len - 16, 16);
    } else if (s.len >= 8) {
        memcpy(to, s.at, 8);
        memcpy(end - 8, s.at + s.len - 8, 8);
    } else if (s.len >= 4) {
        memcpy(to, s.at, 4);
        memcpy(end - 4, s.at + s.len - 4, 4);
    } else if (s.len > 0) {
        to[0] = s.at[0];
        to[s.len / 2] = s.at[s.len / 2];
        end[-1] = s.at[s.len - 1];
    }
    return end;
}

enum { SPAN_U64_BYTES = 20 }; /* digits of the largest number */

/* Writes n in decimal, from its front on, at `to`, which has room for it: SPAN_U64_BYTES are enough. Returns the end. */
static inline char *
span_write_u64(char *to, uint64_t n)
{
    if (n > 9)
        to = span_write_u64(to, n / 10);
    *to = (char)('0' + n % 10);
    return to + 1;
}

/* Reads digits, up to max; false (and *out is left alone) if empty, more than digits, or larger. */
static inline bool
span_u64(struct span s, uint64_t max, uint64_t *out)
{
    uint64_t value = 0;

    for (size_t i = 0; i < s.len; i++) {
        unsigned digit = (unsigned)(unsigned char)s.at[i] - '0';

        if (digit > 9 || (i >= 19 && value > (UINT64_MAX - digit) / 10))
            return false; /* so many nines fit */
        value = value * 10 + digit;
    }
    if (value > max || s.len == 0)
        return false;
    *out = value;
    return true;
}

/* As span_u64, for 32 bits. */
static inline bool
span_u32(struct span s, uint32_t max, uint32_t *out)
{
    uint64_t value;

    if (!span_u64(s, max, &value))
        return false;
    *out = (uint32_t)value;
    return true;
}

#endif
