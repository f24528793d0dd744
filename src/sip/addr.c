/*
 * Addresses off a comma list or alone: generous about what stands before the <, strict about what could be read in two
 * ways (RFC 3261 §7.3.1, §20.10, §25.1).
 */
#include "sip/addr.h"

#include "scan/scan.h"
#include "sip/chars.h"

/* In a list a comma ends an element; in a field that holds one address it separates nothing. */
enum reading { ONE, LIST };

static bool
is_comma(char c, enum reading reading)
{
    return reading == LIST && c == ',';
}

/* In a display name outside of quotes: no control byte, and nothing that could begin an address or a parameter. */
static bool
is_display(char c)
{
    return (unsigned char)c >= ' ' ? c != ':' && c != ';' && c != '<' && c != '>' && c != 0x7f : span_is_lws(c);
}

/* How much of a display name s begins with, blanks included; CHARS_OPEN if a quoted string in it does not end. */
static size_t
display_len(struct span s, enum reading reading)
{
    size_t n = 0;

    while (n < s.len && is_display(s.at[n]) && !is_comma(s.at[n], reading)) {
        size_t skip = s.at[n] == '"' ? chars_quoted(span_skip(s, n)) : 1;

        if (skip == 0)
            return CHARS_OPEN;
        n += skip;
    }
    return n;
}

/* Parameters behind the address, and then its end. A < among them would be the next address after a lost comma. */
static int
read_params(struct span *rest, enum reading reading, struct addr *out)
{
    struct span at = chars_skip_lws(*rest);

    if (chars_begin(at, ';')) {
        size_t end = reading == LIST ? chars_find(at, ',', ',') : at.len;

        if (end == CHARS_OPEN || chars_find(span_head(at, end), '<', '>') != end)
            return SIPD_ESYNTAX;
        out->params = span_trim(span_head(at, end));
        at = span_skip(at, end);
    }
    if (at.len > 0 && !is_comma(at.at[0], reading))
        return SIPD_ESYNTAX;
    *rest = at;
    return SIPD_OK;
}

/* display <uri>, with the < at byte `open`. Blanks inside are against the grammar, and sent (RFC 4475 §3.1.2.14). */
static int
read_brackets(struct span *rest, size_t open, enum reading reading, struct addr *out)
{
    struct span inside = span_skip(*rest, open + 1);
    size_t len = scan_find(inside, '>', '<', '<');

    out->brackets = true;
    out->display = span_trim(span_head(*rest, open));
    out->uri = span_trim(span_head(inside, len));
    if (len == inside.len || inside.at[len] == '<' || out->uri.len == 0)
        return SIPD_ESYNTAX;
    *rest = span_skip(inside, len + 1);
    return read_params(rest, reading, out);
}

static bool
is_bare(char c, enum reading reading)
{
    return (chars_is(c, CHARS_URI) || c == '%') && c != ';' && c != '"' && !is_comma(c, reading);
}

/* A bare addr-spec: every ; begins a header parameter (§20.10); a ? is forbidden, and left to who reads the URI. */
static int
read_bare(struct span *rest, enum reading reading, struct addr *out)
{
    size_t end = 0;

    while (end < rest->len && is_bare(rest->at[end], reading))
        end++;
    out->uri = span_head(*rest, end);
    if (end == 0 || !chars_is(out->uri.at[0], CHARS_ALPHA) || span_find(out->uri, ':') == end)
        return SIPD_ESYNTAX;
    *rest = span_skip(*rest, end);
    return read_params(rest, reading, out);
}

/* "*" and nothing more; before a < it would be somebody's name. */
static bool
is_star(struct span s, enum reading reading)
{
    struct span after;

    if (s.at[0] != '*')
        return false;
    after = chars_skip_lws(span_skip(s, 1));
    return after.len == 0 || is_comma(after.at[0], reading);
}

/* The element that begins at the first byte of *rest; a comma after it stays. */
static int
read_element(struct span *rest, enum reading reading, struct addr *out)
{
    struct span at = *rest;
    size_t display = display_len(at, reading);
    int err;

    *out = (struct addr){ .star = is_star(at, reading) };
    if (display == CHARS_OPEN)
        return SIPD_ESYNTAX;
    if (out->star) {
        out->uri = span_head(at, 1);
        at = chars_skip_lws(span_skip(at, 1));
        err = SIPD_OK;
    } else if (display < at.len && at.at[display] == '<') {
        err = read_brackets(&at, display, reading, out);
    } else {
        err = read_bare(&at, reading, out);
    }
    if (err)
        return err;
    out->whole = span_trim(span_between(rest->at, at.at));
    *rest = at;
    return SIPD_OK;
}

int
addr_next(struct span *rest, struct addr *out)
{
    struct span at = chars_skip_lws(*rest);
    int err;

    while (chars_begin(at, ','))
        at = chars_skip_lws(span_skip(at, 1));
    if (at.len == 0) {
        *rest = at;
        return SIPD_ENOENT;
    }
    err = read_element(&at, LIST, out);
    if (!err)
        *rest = at;
    return err;
}

int
addr_read(struct span value, struct addr *out)
{
    struct span at = span_trim(value);
    int err;

    if (at.len == 0)
        return SIPD_ESYNTAX;
    err = read_element(&at, ONE, out);
    return err == SIPD_OK && out->star ? SIPD_ESYNTAX : err;
}

bool
addr_q_read(struct span text, uint32_t *thousandths)
{
    struct span digits = span_skip(text, 2);
    uint32_t value, part = 0;

    if (text.len == 0 || text.len > 5 || (text.at[0] != '0' && text.at[0] != '1'))
        return false;
    if (text.len > 1 && text.at[1] != '.')
        return false;
    if (digits.len > 0 && !span_u32(digits, 999, &part))
        return false;
    for (size_t i = digits.len; i < 3; i++)
        part *= 10;
    value = (text.at[0] == '1') * 1000u + part;
    if (value > 1000)
        return false;
    *thousandths = value;
    return true;
}
