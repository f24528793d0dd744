/*
 * Secrets in text that others wrote: response="…" of Digest (RFC 7616 §3.4), Cookie and Set-Cookie, inline:… of a=crypto
 * (RFC 4568 §9.1) and k= lines of SDP, user:password@ of URIs (RFC 3261 §19.1.1).
 */
#include "base/mask.h"

/* Digests are of 32 digits or more; a word that is shorter is none. */
enum { DIGITS_LEAST = 16 };

static bool
starts_as(struct span text, struct span head)
{
    return span_ieq(span_head(text, head.len), head);
}

static bool
is_word(char c)
{
    c = span_lower(c);
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

static size_t
skip_blanks(struct span text, size_t at)
{
    while (at < text.len && span_is_lws(text.at[at]))
        at++;
    return at;
}

/* Each of these: text begins at a word. *from..*to is the secret; false: there is none here. */

static bool
find_digest(struct span text, size_t *from, size_t *to)
{
    static const char *const names[] = { "response", "rspauth", "cnonce" };
    size_t at = 0;
    bool escaped;

    for (size_t i = 0; at == 0 && i < countof(names); i++)
        if (starts_as(text, span_of(names[i])))
            at = strlen(names[i]);
    if (at == 0)
        return false;
    at = skip_blanks(text, at);
    if (at >= text.len || text.at[at] != '=')
        return false;
    at = skip_blanks(text, at + 1);
    escaped = at < text.len && text.at[at] == '\\'; /* in a value of a log line */
    at += escaped;
    if (at < text.len && text.at[at] == '"') {
        *from = at + 1;
        *to = *from + span_find(span_skip(text, *from), escaped ? '\\' : '"');
        return true;
    }
    for (*from = *to = at; *to < text.len && is_word(text.at[*to]);)
        ++*to;
    return *to - *from >= DIGITS_LEAST;
}

static bool
find_to_line_end(struct span text, struct span head, size_t *from, size_t *to)
{
    size_t cr, lf;

    if (!starts_as(text, head))
        return false;
    *from = skip_blanks(text, head.len);
    cr = span_find(span_skip(text, *from), '\r');
    lf = span_find(span_skip(text, *from), '\n');
    *to = *from + (cr < lf ? cr : lf);
    return true;
}

static bool
find_key(struct span text, size_t *from, size_t *to)
{
    if (!starts_as(text, SPAN("inline:")))
        return false;
    for (*from = *to = 7; *to < text.len && !span_is_lws(text.at[*to]) && text.at[*to] != ';';)
        ++*to;
    return true;
}

static bool
find_password(struct span text, size_t *from, size_t *to)
{
    size_t at = starts_as(text, SPAN("sip:")) ? 4 : starts_as(text, SPAN("sips:")) ? 5 : 0;
    size_t colon = 0;

    if (at == 0)
        return false;
    for (; at < text.len; at++) {
        char c = text.at[at];

        if (c == '@' && colon > 0) {
            *from = colon + 1;
            *to = at;
            return true;
        }
        if (c == ':' && colon == 0)
            colon = at;
        if (c == '@' || c == '>' || c == '<' || c == '"' || span_is_lws(c))
            return false;
    }
    return false;
}

static bool
find_secret(struct span text, size_t *from, size_t *to)
{
    return find_digest(text, from, to) || find_to_line_end(text, SPAN("cookie:"), from, to) ||
           find_to_line_end(text, SPAN("set-cookie:"), from, to) ||
           find_to_line_end(text, SPAN("k=clear:"), from, to) ||
           find_to_line_end(text, SPAN("k=base64:"), from, to) || find_key(text, from, to) ||
           find_password(text, from, to);
}

void
mask_put(struct buf *to, struct span text)
{
    bool begins = true;

    while (text.len > 0) {
        size_t from, until;

        if (begins && find_secret(text, &from, &until)) {
            buf_put(to, span_head(text, from));
            if (until > from)
                buf_put(to, SPAN("***"));
            text = span_skip(text, until);
            begins = false;
            continue;
        }
        begins = !is_word(text.at[0]);
        buf_put_char(to, text.at[0]);
        text = span_skip(text, 1);
    }
}
