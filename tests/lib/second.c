/*
 * The second reader: one byte after the other, no table, no index.
 */
#include "lib/second.h"

#include <ctype.h>
#include <stdlib.h>

#include "base/def.h"

static void
complain(struct second *out, const char *wrong)
{
    if (!out->wrong)
        out->wrong = wrong;
}

static bool
is_white(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static struct span
strip(struct span s)
{
    while (s.len > 0 && is_white(s.at[0]))
        s = (struct span){ s.at + 1, s.len - 1 };
    while (s.len > 0 && is_white(s.at[s.len - 1]))
        s.len--;
    return s;
}

static bool
is_token_char(char c)
{
    return c != '\0' && (isalnum((unsigned char)c) || strchr("-.!%*_+`'~", c)) &&
           (unsigned char)c < 0x80;
}

static bool
is_token(struct span s)
{
    for (size_t i = 0; i < s.len; i++)
        if (!is_token_char(s.at[i]))
            return false;
    return s.len > 0;
}

/* unreserved, escaped and reserved of RFC 3261, and what RFC 2732 added. */
static bool
is_uri(struct span s)
{
    for (size_t i = 0; i < s.len; i++)
        if ((unsigned char)s.at[i] <= ' ' || (unsigned char)s.at[i] >= 0x7f ||
            strchr("\"#<>\\^`{|}", s.at[i]))
            return false;
    return s.len > 0;
}

bool
second_same(struct span a, struct span b)
{
    a = strip(a);
    b = strip(b);
    for (;;) {
        bool white_a = false, white_b = false;

        for (; a.len > 0 && is_white(a.at[0]); a = (struct span){ a.at + 1, a.len - 1 })
            white_a = true;
        for (; b.len > 0 && is_white(b.at[0]); b = (struct span){ b.at + 1, b.len - 1 })
            white_b = true;
        if (white_a != white_b || (a.len == 0) != (b.len == 0))
            return false;
        if (a.len == 0)
            return true;
        if (a.at[0] != b.at[0])
            return false;
        a = (struct span){ a.at + 1, a.len - 1 };
        b = (struct span){ b.at + 1, b.len - 1 };
    }
}

static bool
is_word(struct span s, const char *word)
{
    size_t len = strlen(word);

    if (s.len != len)
        return false;
    for (size_t i = 0; i < len; i++)
        if (tolower((unsigned char)s.at[i]) != tolower((unsigned char)word[i]))
            return false;
    return true;
}

/* ---- start line */

static struct span
until_blank(struct span *line)
{
    size_t n = 0;
    struct span word;

    while (n < line->len && line->at[n] != ' ')
        n++;
    word = (struct span){ line->at, n };
    *line = n < line->len ? (struct span){ line->at + n + 1, line->len - n - 1 }
                          : (struct span){ line->at + n, 0 };
    return word;
}

static void
start_line(struct second *out, struct span line)
{
    struct span rest = line, word = until_blank(&rest);

    if (word.len == 7 && memcmp(word.at, "SIP/2.0", 7) == 0) {
        word = until_blank(&rest);
        if (word.len != 3 || !isdigit((unsigned char)word.at[0]) || rest.at == word.at + 3)
            complain(out, "Status-Line");
        out->status = (unsigned)strtoul(word.at, NULL, 10);
        return;
    }
    out->method = word;
    out->uri = until_blank(&rest);
    if (!is_token(out->method) || !is_uri(out->uri) || rest.len != 7 ||
        memcmp(rest.at, "SIP/2.0", 7) != 0)
        complain(out, "Request-Line");
}

/* ---- values */

/* The end of what begins here, before one of `ends` outside of quotes. */
static size_t
outside_quotes(struct span s, const char *ends)
{
    bool quoted = false;

    for (size_t i = 0; i < s.len; i++) {
        if (quoted && s.at[i] == '\\')
            i++;
        else if (s.at[i] == '"')
            quoted = !quoted;
        else if (!quoted && s.at[i] != '\0' && strchr(ends, s.at[i]))
            return i;
    }
    return s.len;
}

/* A parameter's value, the first of them; false if there is none. */
static bool
find_param(struct span params, const char *name, struct span *value, unsigned *times)
{
    bool found = false;

    *times = 0;
    while (params.len > 0) {
        size_t end = outside_quotes(params, ";");
        struct span one = { params.at, end };
        size_t equal = outside_quotes(one, "=");

        if (is_word(strip((struct span){ one.at, equal }), name)) {
            if (!found)
                *value = equal < end ? strip((struct span){ one.at + equal + 1, end - equal - 1 })
                                     : (struct span){ one.at, 0 };
            found = true;
            ++*times;
        }
        params = end < params.len ? (struct span){ params.at + end + 1, params.len - end - 1 }
                                  : (struct span){ params.at, 0 };
    }
    return found;
}

/* display-name = *(token LWS) / quoted-string */
static bool
is_display_name(struct span s)
{
    s = strip(s);
    if (s.len > 0 && s.at[0] == '"') {
        size_t i = 1;

        while (i < s.len && s.at[i] != '"')
            i += s.at[i] == '\\' ? 2 : 1;
        return i + 1 == s.len;
    }
    for (size_t i = 0; i < s.len; i++)
        if (!is_token_char(s.at[i]) && !is_white(s.at[i]))
            return false;
    return true;
}

static void
party(struct second *out, struct span value, struct span *tag)
{
    size_t open = outside_quotes(value, "<"), close, params;
    unsigned times;
    struct span uri;

    if (open < value.len) {
        for (close = open; close < value.len && value.at[close] != '>';)
            close++;
        uri = (struct span){ value.at + open + 1, close > open ? close - open - 1 : 0 };
        params = close;
        if (!is_display_name((struct span){ value.at, open }))
            complain(out, "display-name");
        if (close == value.len)
            complain(out, "open bracket");
    } else {
        params = outside_quotes(value, ";");
        uri = strip((struct span){ value.at, params });
        if (memchr(uri.at, ',', uri.len) || memchr(uri.at, '?', uri.len))
            complain(out, "URI without brackets");
    }
    if (uri.len == 0 || is_white(uri.at[0]) || is_white(uri.at[uri.len - 1]))
        complain(out, "URI of a party");
    params = params < value.len ? params + 1 : params;
    if (find_param((struct span){ value.at + params, value.len - params }, "tag", tag, &times) &&
        (tag->len == 0 || times > 1))
        complain(out, "tag");
}

static void
cseq(struct second *out)
{
    struct span rest = out->cseq;
    size_t n = 0;

    while (n < rest.len && isdigit((unsigned char)rest.at[n]))
        n++;
    for (size_t i = 0; i < n && out->cseq_number <= UINT32_MAX; i++)
        out->cseq_number = out->cseq_number * 10 + (unsigned long)(rest.at[i] - '0');
    out->cseq_method = strip((struct span){ rest.at + n, rest.len - n });
    if (n == 0 || !is_token(out->cseq_method) || out->cseq_number > INT32_MAX)
        complain(out, "CSeq");
}

static unsigned long
number(struct second *out, struct span s, unsigned long most, const char *what)
{
    unsigned long n = 0;

    for (size_t i = 0; i < s.len; i++) {
        if (!isdigit((unsigned char)s.at[i]))
            complain(out, what);
        else if (n <= most)
            n = n * 10 + (unsigned long)(s.at[i] - '0');
    }
    if (s.len == 0 || n > most)
        complain(out, what);
    return n;
}

/* ---- fields */

static void
once(struct second *out, struct span *where, struct span value, const char *what)
{
    if (where->at)
        complain(out, what);
    else
        *where = value;
}

static void
field(struct second *out, struct span line)
{
    size_t colon = 0;
    struct span name, value;

    while (colon < line.len && line.at[colon] != ':')
        colon++;
    name = (struct span){ line.at, colon };
    while (name.len > 0 && (name.at[name.len - 1] == ' ' || name.at[name.len - 1] == '\t'))
        name.len--;
    if (colon == line.len || !is_token(name))
        complain(out, "header name");
    value = colon < line.len ? strip((struct span){ line.at + colon + 1, line.len - colon - 1 })
                             : (struct span){ line.at, 0 };
    out->fields++;
    if ((is_word(name, "Via") || is_word(name, "v")) && !out->via.at)
        out->via = value;
    else if (is_word(name, "From") || is_word(name, "f"))
        once(out, &out->from, value, "two From");
    else if (is_word(name, "To") || is_word(name, "t"))
        once(out, &out->to, value, "two To");
    else if (is_word(name, "Call-ID") || is_word(name, "i"))
        once(out, &out->call_id, value, "two Call-ID");
    else if (is_word(name, "CSeq"))
        once(out, &out->cseq, value, "two CSeq");
    else if (is_word(name, "Max-Forwards"))
        once(out, &out->max_forwards, value, "two Max-Forwards");
    else if (is_word(name, "Content-Length") || is_word(name, "l"))
        once(out, &out->length, value, "two Content-Length");
}

/* A line up to CRLF, with the lines that continue it. Another line end is none. */
static struct span
next_line(struct span *rest, bool folds)
{
    size_t i = 0;

    for (;; i++) {
        if (i + 1 >= rest->len)
            break;
        if (rest->at[i] == '\r' && rest->at[i + 1] == '\n' &&
            !(folds && i > 0 && i + 2 < rest->len &&
              (rest->at[i + 2] == ' ' || rest->at[i + 2] == '\t'))) {
            struct span line = { rest->at, i };

            *rest = (struct span){ rest->at + i + 2, rest->len - i - 2 };
            return line;
        }
    }
    *rest = (struct span){ rest->at + rest->len, 0 };
    return (struct span){ NULL, 0 };
}

static void
needed(struct second *out)
{
    struct span via = { out->via.at, outside_quotes(out->via, ",") };
    size_t params = outside_quotes(via, ";");
    unsigned times;

    if (!out->via.at || !out->from.at || !out->to.at || !out->call_id.at || !out->cseq.at)
        complain(out, "a field is missing");
    if (params < via.len)
        find_param((struct span){ via.at + params + 1, via.len - params - 1 }, "branch",
                   &out->branch, &times);
    if (out->from.at)
        party(out, out->from, &out->from_tag);
    if (out->to.at)
        party(out, out->to, &out->to_tag);
    if (out->cseq.at)
        cseq(out);
    if (out->max_forwards.at && out->status == 0) /* nobody looks at it in a response */
        (void)number(out, out->max_forwards, 255, "Max-Forwards");
    if (out->length.at && number(out, out->length, INT32_MAX, "Content-Length") != out->body.len)
        complain(out, "body of another length");
}

void
second_read(struct span bytes, struct second *out)
{
    struct span rest = bytes, line;

    *out = (struct second){ .wrong = NULL };
    line = next_line(&rest, false);
    start_line(out, line.at ? line : (struct span){ bytes.at, 0 });
    while ((line = next_line(&rest, true)).len > 0)
        field(out, line);
    if (!line.at)
        complain(out, "no empty line");
    out->body = rest;
    needed(out);
}
