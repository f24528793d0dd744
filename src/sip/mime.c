/*
 * Bodies taken apart into spans, multipart within multipart (RFC 2046 §5.1, RFC 3261 §20.11, §20.15, RFC 5621 §4).
 *
 * A multipart is split by its own delimiters before its parts are looked at, so the end of an outer one ends every
 * inner one (RFC 2046 §5.1.2).
 */
#include "sip/mime.h"

#include "base/err.h"
#include "scan/scan.h"
#include "sip/chars.h"
#include "sip/names.h"

/* ---- fields that describe a body */

/* Bytes of the comment that s begins with, those within it included; all that is left if it never ends (RFC 2045 §5.1). */
static size_t
comment_len(struct span s)
{
    size_t depth = 0, at = 0;

    do {
        if (s.at[at] == '\\' && at + 1 < s.len)
            at++;
        else if (s.at[at] == '(')
            depth++;
        else if (s.at[at] == ')')
            depth--;
    } while (++at < s.len && depth > 0);
    return at;
}

/* What stands before the first ; or comment and, in *params, from the first ; on. */
static struct span
split_params(struct span value, struct span *params)
{
    struct span text = span_head(value, scan_find(value, ';', '(', '('));
    struct span rest = span_skip(value, text.len);

    while (rest.len > 0 && rest.at[0] != ';')
        rest = span_skip(rest, rest.at[0] == '(' ? comment_len(rest) : 1);
    *params = rest;
    return span_trim(text);
}

/* A parameter's value without the comments and blanks behind it. */
static struct span
without_comment(struct span value)
{
    size_t len = chars_begin(value, '"') ? chars_quoted(value) : scan_find(value, '(', ' ', '\t');
    struct span behind = span_skip(value, len);

    while (behind.len > 0 && (behind.at[0] == '(' || span_is_lws(behind.at[0])))
        behind = span_skip(behind, behind.at[0] == '(' ? comment_len(behind) : 1);
    return behind.len == 0 ? span_head(value, len) : value;
}

int
mime_type_read(struct span value, struct mime_type *out)
{
    struct span params, text = split_params(value, &params);
    struct span type = span_trim(span_cut(&text, '/'));

    *out = (struct mime_type){ .type = { NULL, 0 } };
    text = span_trim(text);
    if (!chars_is_token(type) || !chars_is_token(text))
        return SIPD_ESYNTAX;
    *out = (struct mime_type){ type, text, params };
    return SIPD_OK;
}

bool
mime_type_is(const struct mime_type *type, struct span text)
{
    struct span head = span_cut(&text, '/');

    return span_ieq(type->type, head) && span_ieq(type->subtype, text);
}

static bool
is_multipart(const struct mime_type *type)
{
    return span_ieq(type->type, SPAN("multipart"));
}

/* What a body is for that does not say so (RFC 3261 §20.11, RFC 3204 §3.1, §3.2). */
static struct span
default_disposition(const struct mime_type *type)
{
    if (mime_type_is(type, SPAN("application/sdp")))
        return SPAN("session");
    if (mime_type_is(type, SPAN("application/isup")) ||
        mime_type_is(type, SPAN("application/qsig")))
        return SPAN("signal");
    return SPAN("render");
}

void
mime_disposition_read(struct span value, const struct mime_type *type, struct mime_disposition *out)
{
    struct span handling;

    out->type = split_params(value, &out->params);
    if (!chars_is_token(out->type)) {
        out->type = default_disposition(type);
        out->params = (struct span){ NULL, 0 };
    }
    out->optional = param_find(out->params, SPAN("handling"), &handling) &&
                    span_ieq(param_unquote(handling), SPAN("optional"));
}

/* ---- the head of a part */

/* Takes a line with its end off a text. */
static struct span
line_cut(struct span *text)
{
    struct span line = span_head(*text, span_find(*text, '\n') + 1);

    *text = span_skip(*text, line.len);
    return line;
}

static bool
is_empty_line(struct span line)
{
    return span_eq(line, SPAN("\n")) || span_eq(line, SPAN("\r\n"));
}

static bool
begins_blank(struct span text)
{
    return chars_begin(text, ' ') || chars_begin(text, '\t');
}

static bool
is_field(struct span line)
{
    size_t colon = span_find(line, ':');

    return colon < line.len && !begins_blank(line) &&
           chars_is_token(span_trim(span_head(line, colon)));
}

/*
 * Fields up to an empty line. Some senders forget it: what is no field then begins the content (RFC 2046 §5.1.1 wants
 * one, even where there are no fields).
 */
static void
read_head(struct mime_part *part)
{
    struct span rest = part->whole;
    const char *end = part->whole.at;

    while (rest.len > 0) {
        struct span line = line_cut(&rest);

        if (is_empty_line(line)) {
            part->head = span_between(part->whole.at, end);
            part->content = rest;
            return;
        }
        if (!is_field(line) && !(begins_blank(line) && end > part->whole.at))
            break;
        end = span_end(line);
    }
    part->head = span_between(part->whole.at, end);
    part->content = span_between(end, span_end(part->whole));
}

bool
mime_field_next(struct span *head, struct mime_field *out)
{
    struct span rest = *head, line = line_cut(&rest);
    size_t colon = span_find(line, ':');

    if (line.len == 0)
        return false;
    while (begins_blank(rest))
        (void)line_cut(&rest);
    out->whole = span_between(head->at, rest.at);
    out->name = span_trim(span_head(line, colon));
    out->value = span_trim(span_skip(out->whole, colon + 1));
    *head = rest;
    return true;
}

bool
mime_field_find(const struct mime_part *part, struct span name, struct span *value)
{
    enum header id = names_header(name);
    struct span rest = part->head;
    struct mime_field field;

    while (mime_field_next(&rest, &field)) {
        *value = field.value;
        if (id == HDR_OTHER ? span_ieq(field.name, name) : names_header(field.name) == id)
            return true;
    }
    *value = (struct span){ NULL, 0 };
    return false;
}

/* RFC 2046 §5.1: what a part is that does not say so. */
static void
set_default_type(struct mime_type *type, bool digest)
{
    *type = digest ? (struct mime_type){ .type = SPAN("message"), .subtype = SPAN("rfc822") }
                   : (struct mime_type){ .type = SPAN("text"), .subtype = SPAN("plain") };
}

static void
describe(struct mime_part *part, bool digest)
{
    struct span value;

    if (mime_field_find(part, SPAN("Content-Type"), &value))
        (void)mime_type_read(value, &part->type);
    else
        set_default_type(&part->type, digest);
    (void)mime_field_find(part, SPAN("Content-Disposition"), &value);
    mime_disposition_read(value, &part->type, &part->disposition);
}

/* ---- delimiters */

/* What is left of a line that begins with the boundary; false if it does not. */
static bool
skip_boundary(const struct mime_multi *m, struct span *line)
{
    struct span boundary = m->boundary, rest = *line;

    while (boundary.len > 0) {
        if (m->quoted && boundary.len > 1 && boundary.at[0] == '\\')
            boundary = span_skip(boundary, 1);
        if (!chars_begin(rest, boundary.at[0]))
            return false;
        boundary = span_skip(boundary, 1);
        rest = span_skip(rest, 1);
    }
    *line = rest;
    return true;
}

/*
 * Is this line a delimiter? RFC 2046 §5.1.1 lets a reader be content with its beginning, but boundaries that begin
 * with one another do occur, nested. One without a line end is the last thing there is and can only be a closing one
 * that was cut short.
 */
static bool
is_delimiter(const struct mime_multi *m, struct span line, bool *closes)
{
    bool ended = line.len > 0 && line.at[line.len - 1] == '\n';

    if (!span_starts(line, SPAN("--")))
        return false;
    line = span_skip(line, 2);
    if (!skip_boundary(m, &line))
        return false;
    *closes = !ended || span_starts(line, SPAN("--"));
    if (span_starts(line, SPAN("--")))
        line = span_skip(line, 2);
    while (begins_blank(line))
        line = span_skip(line, 1);
    return line.len == 0 || is_empty_line(line);
}

bool
mime_multi_delimits(const struct mime_multi *m, struct span text)
{
    bool closes;

    while (text.len > 0)
        if (is_delimiter(m, line_cut(&text), &closes))
            return true;
    return false;
}

/* The line end before a position belongs to the delimiter there, unless it ends the delimiter before. */
static const char *
before_line_end(const char *from, const char *at)
{
    if (at > from && at[-1] == '\n')
        at--;
    if (at > from && at[0] == '\n' && at[-1] == '\r')
        at--;
    return at;
}

/* The next delimiter in what begins at `from`; it is ahead or it closes, or there is none. */
static void
look_ahead(struct mime_multi *m, const char *from)
{
    struct span rest = span_between(from, span_end(m->body));
    bool closes;

    m->ahead = (struct span){ NULL, 0 };
    while (rest.len > 0) {
        struct span line = line_cut(&rest);

        if (!is_delimiter(m, line, &closes))
            continue;
        *(closes ? &m->close : &m->ahead) = span_between(before_line_end(from, line.at), rest.at);
        return;
    }
}

/* Any length and nearly any character: what is not allowed (RFC 2046 §5.1.1) is seen all the same. */
static bool
read_boundary(struct mime_multi *m, struct span params)
{
    struct span value;

    if (!param_find(params, SPAN("boundary"), &value))
        return false;
    value = without_comment(value);
    m->quoted = chars_begin(value, '"');
    m->boundary = param_unquote(value);
    if (m->quoted && m->boundary.len == value.len)
        return false;
    while (m->boundary.len > 0 && begins_blank(span_skip(m->boundary, m->boundary.len - 1)))
        m->boundary.len--;
    return m->boundary.len > 0 && span_find(m->boundary, '\r') == m->boundary.len &&
           span_find(m->boundary, '\n') == m->boundary.len;
}

bool
mime_multi_open(struct mime_multi *m, const struct mime_part *part)
{
    *m = (struct mime_multi){
        .body = part->content,
        .digest = span_ieq(part->type.subtype, SPAN("digest")),
        .level = part->level + 1,
    };
    if (!is_multipart(&part->type) || !read_boundary(m, part->type.params))
        return false;
    look_ahead(m, m->body.at);
    return true;
}

bool
mime_multi_next(struct mime_multi *m, struct mime_part *out)
{
    struct span delimiter = m->ahead;
    const char *from = span_end(delimiter), *to;

    if (delimiter.len == 0)
        return false;
    look_ahead(m, from);
    to = m->ahead.len > 0 ? m->ahead.at : m->close.len > 0 ? m->close.at : span_end(m->body);
    *out = (struct mime_part){ .level = m->level,
                               .delimiter = delimiter,
                               .whole = span_between(from, to) };
    read_head(out);
    describe(out, m->digest);
    return true;
}

/* ---- walking */

void
mime_walk_init(struct mime_walk *w, struct span type, struct span disposition, struct span body)
{
    struct mime_part *part = &w->part;

    *part = (struct mime_part){ .whole = body, .content = body };
    (void)mime_type_read(type, &part->type);
    mime_disposition_read(disposition, &part->type, &part->disposition);
    w->given = NULL;
    w->levels_max = MIME_LEVELS;
    w->depth = 0;
    w->begun = false;
}

void
mime_walk_deeper(struct mime_walk *w, struct mime_multi levels[], unsigned max)
{
    w->given = levels;
    w->levels_max = max;
}

void
mime_walk_msg(struct mime_walk *w, const struct msg *msg)
{
    struct span type, disposition;

    (void)msg_get(msg, HDR_CONTENT_TYPE, &type);
    (void)msg_get(msg, HDR_CONTENT_DISPOSITION, &disposition);
    mime_walk_init(w, type, disposition, msg_body(msg));
}

bool
mime_walk_next(struct mime_walk *w)
{
    struct mime_multi *levels = w->given ? w->given : w->own;

    if (!w->begun)
        return w->begun = true;
    if (w->depth < w->levels_max && mime_multi_open(&levels[w->depth], &w->part))
        w->depth++;
    while (w->depth > 0 && !mime_multi_next(&levels[w->depth - 1], &w->part))
        w->depth--;
    if (w->depth == 0)
        w->part = (struct mime_part){ .level = 0 };
    return w->depth > 0;
}
