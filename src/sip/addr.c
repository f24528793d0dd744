/*
 * Addresses off a comma list or alone: generous about what stands before the <, strict about what could be read in two
 * ways (RFC 3261 §7.3.1, §20.10, §25.1).
 */
#include "sip/addr.h"

#include "scan/scan.h"
#include "sip/chars.h"
#include "sip/deviation.h"

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
    return (unsigned char)c >= ' ' ? c != ':' && c != ';' && c != '<' && c != '>' && c != 0x7f
                                   : span_is_lws(c);
}

/* Tokens and blanks, or one quoted string: all that a display name may be (§25.1). */
static size_t
plain_display_len(struct span s)
{
    size_t n = chars_begin(s, '"') ? chars_quoted(s) : 0;
    bool quoted = n > 0;

    while (n < s.len && (span_is_lws(s.at[n]) || (!quoted && chars_is(s.at[n], CHARS_TOKEN))))
        n++;
    return n;
}

/* How much of a display name s begins with, blanks included; CHARS_OPEN if a quoted string in it does not end. */
static size_t
display_len(struct span s, enum reading reading, uint64_t *odd)
{
    size_t n = plain_display_len(s);

    if (n < s.len && s.at[n] == '<')
        return n;
    *odd |= deviation_bit(DEV_DISPLAY_NAME);
    n = 0;
    while (n < s.len && is_display(s.at[n]) && !is_comma(s.at[n], reading)) {
        size_t skip = s.at[n] == '"' ? chars_quoted(span_skip(s, n)) : 1;

        if (skip == 0)
            return CHARS_OPEN;
        n += skip;
    }
    return n;
}

/* A scheme, a colon, and something behind it (§25.1 absoluteURI). */
static bool
begins_with_scheme(struct span uri)
{
    size_t n = 0;

    while (n < uri.len && (chars_is(uri.at[n], CHARS_ALPHA) || chars_is_digit(uri.at[n]) ||
                           uri.at[n] == '+' || uri.at[n] == '-' || uri.at[n] == '.'))
        n++;
    return n > 0 && chars_is(uri.at[0], CHARS_ALPHA) && n + 1 < uri.len && uri.at[n] == ':';
}

/* The same, by a look where it is "sip", as in nearly all. */
static inline bool
begins_as_uri(struct span uri)
{
    return (uri.len > 4 && memcmp(uri.at, "sip:", 4) == 0) || begins_with_scheme(uri);
}

/* How long the URI is in the < > that the text begins with, where all of it may stand in one; 0: it is otherwise. */
static inline size_t
plain_uri_len(struct span text)
{
    struct span inside = span_skip(text, 1);
    size_t len = scan_run(inside, &chars_uri);

    return len < inside.len && inside.at[len] == '>' && begins_as_uri(span_head(inside, len)) ? len
                                                                                              : 0;
}

/* Whoever needs the URI reads it; here is only what nobody could take for one, and bytes that none has. */
static void
check_uri(struct span uri, uint64_t *odd)
{
    bool blanks = false;

    if (begins_as_uri(uri) && scan_run(uri, &chars_uri) == uri.len)
        return;
    for (size_t i = 0; i < uri.len; i++)
        blanks |= (unsigned char)uri.at[i] <= ' ';
    *odd |= blanks || !begins_as_uri(uri) ? deviation_bit(DEV_ADDRESS_URI)
                                          : deviation_bit(DEV_ADDRESS_CHARACTERS);
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
read_brackets(struct span *rest, size_t open, enum reading reading, struct addr *out, uint64_t *odd)
{
    struct span inside = span_skip(*rest, open + 1);
    size_t len = scan_find(inside, '>', '<', '<');

    out->brackets = true;
    out->display = span_trim(span_head(*rest, open));
    out->uri = span_trim(span_head(inside, len));
    if (len == inside.len || inside.at[len] == '<' || out->uri.len == 0)
        return SIPD_ESYNTAX;
    if (out->uri.len != len)
        *odd |= deviation_bit(DEV_ADDRESS_BLANKS);
    check_uri(out->uri, odd);
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
read_bare(struct span *rest, enum reading reading, struct addr *out, uint64_t *odd)
{
    size_t end = 0;

    while (end < rest->len && is_bare(rest->at[end], reading))
        end++;
    out->uri = span_head(*rest, end);
    if (end == 0 || !chars_is(out->uri.at[0], CHARS_ALPHA) || span_find(out->uri, ':') == end)
        return SIPD_ESYNTAX;
    *odd = scan_find(out->uri, '?', ',', ',') < end ? deviation_bit(DEV_NO_BRACKETS) : 0;
    check_uri(out->uri, odd);
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
read_element(struct span *rest, enum reading reading, struct addr *out, uint64_t *odd)
{
    struct span at = *rest;
    size_t display = display_len(at, reading, odd);
    int err;

    *out = (struct addr){ .star = is_star(at, reading) };
    if (display == CHARS_OPEN) {
        *odd = deviation_bit(DEV_OPEN_QUOTE);
        return SIPD_ESYNTAX;
    }
    if (out->star) {
        out->uri = span_head(at, 1);
        at = chars_skip_lws(span_skip(at, 1));
        err = SIPD_OK;
    } else if (display < at.len && at.at[display] == '<') {
        err = read_brackets(&at, display, reading, out, odd);
    } else {
        err = read_bare(&at, reading, out, odd);
    }
    if (err)
        return err;
    out->whole = span_trim(span_between(rest->at, at.at));
    *rest = at;
    return SIPD_OK;
}

/* A URI in < >, and nothing else, up to a comma or the end, as nearly all of a Route are. False: it is otherwise. */
static inline bool
take_plain(struct span *rest, struct addr *out)
{
    size_t len = chars_begin(*rest, '<') ? plain_uri_len(*rest) : 0;
    struct span after = span_skip(*rest, len + 2);

    if (len == 0 || (after.len > 0 && after.at[0] != ','))
        return false;
    *out = (struct addr){ .brackets = true,
                          .whole = span_head(*rest, len + 2),
                          .display = span_head(*rest, 0),
                          .uri = { rest->at + 1, len } };
    *rest = after;
    return true;
}

int
addr_next_noting(struct span *rest, struct addr *out, uint64_t *odd)
{
    struct span at = chars_skip_lws(*rest);
    int err;

    *odd = 0;
    while (chars_begin(at, ','))
        at = chars_skip_lws(span_skip(at, 1));
    if (at.len == 0) {
        *rest = at;
        return SIPD_ENOENT;
    }
    err = take_plain(&at, out) ? SIPD_OK : read_element(&at, LIST, out, odd);
    if (!err)
        *rest = at;
    return err;
}

int
addr_next(struct span *rest, struct addr *out)
{
    uint64_t odd;

    return addr_next_noting(rest, out, &odd);
}

int
addr_read_noting(struct span value, struct addr *out, uint64_t *odd)
{
    struct span at = span_trim(value);
    int err;

    *odd = 0;
    if (at.len == 0)
        return SIPD_ESYNTAX;
    err = read_element(&at, ONE, out, odd);
    return err == SIPD_OK && out->star ? SIPD_ESYNTAX : err;
}

int
addr_read(struct span value, struct addr *out)
{
    uint64_t odd;

    return addr_read_noting(value, out, &odd);
}

bool
addr_plain_read(struct span value, struct span *tag)
{
    const struct span tag_is = SPAN(";tag=");
    size_t open = chars_begin(value, '<') ? 0 : plain_display_len(value), len;
    struct span after = span_skip(value, open), value_of_tag;

    if (!chars_begin(after, '<') || (len = plain_uri_len(after)) == 0)
        return false;
    after = span_skip(after, len + 2);
    value_of_tag = span_skip(after, tag_is.len);
    if (after.len > 0 && (value_of_tag.len == 0 || !span_starts(after, tag_is) ||
                          scan_run(value_of_tag, &chars_token) < value_of_tag.len))
        return false;
    *tag = value_of_tag;
    return true;
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
