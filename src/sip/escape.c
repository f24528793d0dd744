/*
 * Escaped text, character by character (RFC 3261 §19.1.4, RFC 3966 §4, RFC 3986 §2.1).
 */
#include "sip/escape.h"

#include "base/err.h"

static unsigned
hex_value(char c)
{
    return chars_is_digit(c) ? (unsigned)(c - '0') : (unsigned)(span_lower(c) - 'a') + 10;
}

bool
escape_begins(struct span s)
{
    return s.len >= 3 && s.at[0] == '%' && chars_all(span_head(span_skip(s, 1), 2), CHARS_HEX);
}

struct escape_letter
escape_next(struct span *text)
{
    struct escape_letter letter = { .byte = text->at[0], .escaped = escape_begins(*text) };

    if (letter.escaped) {
        letter.byte = (char)(hex_value(text->at[1]) << 4 | hex_value(text->at[2]));
        letter.fixed = chars_is(letter.byte, CHARS_RESERVED);
    }
    *text = span_skip(*text, letter.escaped ? 3 : 1);
    return letter;
}

bool
escape_is_separator(char c)
{
    return c == '-' || c == '.' || c == '(' || c == ')';
}

bool
escape_next_that_counts(struct span *text, enum escape_rule rule, struct escape_letter *out)
{
    do {
        if (text->len == 0)
            return false;
        *out = escape_next(text);
    } while (rule == ESCAPE_NUMBER && escape_is_separator(out->byte));
    if (rule != ESCAPE_CASE)
        out->byte = span_lower(out->byte);
    return true;
}

bool
escape_all(struct span s, unsigned classes)
{
    for (;;) {
        s = span_skip(s, chars_len(s, classes));
        if (s.len == 0)
            return true;
        if (!escape_begins(s))
            return false;
        s = span_skip(s, 3);
    }
}

/* A character that was escaped, and is another thing then, stands behind the one that was not. */
static int
letter_order(struct escape_letter a, struct escape_letter b)
{
    unsigned char x = (unsigned char)a.byte, y = (unsigned char)b.byte;

    return x != y ? (x < y ? -1 : 1) : a.fixed - b.fixed;
}

int
escape_order(struct span a, struct span b, enum escape_rule rule)
{
    struct escape_letter x, y;

    for (;;) {
        bool more = escape_next_that_counts(&a, rule, &x);
        int order;

        if (!escape_next_that_counts(&b, rule, &y))
            return more;
        order = more ? letter_order(x, y) : -1;
        if (order != 0)
            return order;
    }
}

bool
escape_eq(struct span a, struct span b, enum escape_rule rule)
{
    return span_eq(a, b) || escape_order(a, b, rule) == 0;
}

void
escape_put(struct escape_out *out, char c)
{
    if (out->len < out->room)
        out->to[out->len] = c;
    out->len++;
}

void
escape_put_text(struct escape_out *out, struct span text)
{
    size_t left = out->len < out->room ? out->room - out->len : 0;
    struct span fits = span_head(text, left);

    if (fits.len > 0)
        memcpy(out->to + out->len, fits.at, fits.len);
    out->len += text.len;
}

void
escape_put_hex(struct escape_out *out, char c)
{
    static const char digits[] = "0123456789ABCDEF";
    unsigned byte = (unsigned char)c;

    escape_put(out, '%');
    escape_put(out, digits[byte >> 4]);
    escape_put(out, digits[byte & 15]);
}

void
escape_put_lower(struct escape_out *out, struct span text)
{
    size_t left = out->len < out->room ? out->room - out->len : 0;
    struct span fits = span_head(text, left);

    for (size_t i = 0; i < fits.len; i++)
        out->to[out->len + i] = span_lower(fits.at[i]);
    out->len += text.len;
}

int
escape_done(const struct escape_out *out)
{
    return out->len <= out->room && out->len <= INT32_MAX ? (int)out->len : SIPD_ETOOBIG;
}

int
escape_undo(struct span text, char *to, size_t room)
{
    struct escape_out out = { to, room, 0 };

    while (text.len > 0)
        escape_put(&out, escape_next(&text).byte);
    return escape_done(&out);
}
