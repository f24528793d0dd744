/*
 * Named edits of a body, multiparts included, as splices (RFC 2046 §5.1.1, RFC 5621 §4, RFC 3261 §7.4, §20.14).
 *
 * A part is put in or taken out together with the delimiter that begins it, from one "--" to the next: so what goes
 * in can come out again without a trace.
 */
#include "sip/draft_body.h"

#include "base/err.h"
#include "sip/line.h"
#include "sip/splice.h"

static const struct span crlf = { "\r\n", 2 };
static const struct span nothing;

/* ---- splices of the body */

size_t
draft_body_len(const struct draft *d)
{
    size_t len = d->msg->body_len;

    for (uint32_t i = 0; i < d->len; i++)
        if (d->splices[i].kind == DRAFT_BODY)
            len += d->splices[i].insert.len - d->splices[i].cut;
    return len;
}

/* A length that does not change stays as it was written. */
static void
renew_length(struct draft *d)
{
    size_t len = draft_body_len(d);

    splice_forget(d, DRAFT_LENGTH);
    if (len == d->msg->body_len)
        return;
    for (const struct msg_field *f = NULL; (f = msg_find(d->msg, HDR_CONTENT_LENGTH, f));)
        splice_make(d, f->value_at, f->value_len, splice_number(d, len), DRAFT_LENGTH, SPLICE_BACK);
}

/* A body needs an empty line before it, and a part lies in it. */
static bool
is_in_body(struct draft *d, struct span where)
{
    struct span body = msg_body(d->msg);
    bool has_body = d->msg->head_end < d->msg->body_at;

    if (!has_body || !where.at)
        splice_fail(d, SIPD_ENOENT);
    else
        BUG_ON(where.at < body.at || span_end(where) > span_end(body));
    return d->err == SIPD_OK;
}

static struct span
joined(struct draft *d, const struct span pieces[], size_t n)
{
    size_t len = 0;
    char *text, *end;

    for (size_t i = 0; i < n; i++)
        len += pieces[i].len;
    text = end = splice_text(d, len);
    if (!text)
        return nothing;
    for (size_t i = 0; i < n; i++)
        end = span_write(end, pieces[i]);
    return span_between(text, end);
}

/*
 * A part that ends with CR before a delimiter's bare LF would lose it to the delimiter: that one gets a CR of its
 * own.
 */
static struct span
guarded(struct draft *d, struct span text, struct span old)
{
    const char *before = text.len > 0 ? span_end(text) : old.at, *behind = span_end(old);
    struct span body = msg_body(d->msg);
    const struct span pieces[] = { text, { "\r", 1 } };

    if (before == body.at || before[-1] != '\r' || behind == span_end(body) || *behind != '\n')
        return text;
    return joined(d, pieces, countof(pieces));
}

/* Bytes of the body become these pieces, one behind the other. */
static void
replace(struct draft *d, struct span old, const struct span pieces[], size_t n)
{
    struct span text;

    if (!is_in_body(d, old))
        return;
    text = joined(d, pieces, n);
    if (d->err || span_eq(text, old))
        return;
    splice_make(d, (uint32_t)(old.at - d->msg->bytes), (uint32_t)old.len, guarded(d, text, old),
                DRAFT_BODY, SPLICE_BACK);
    renew_length(d);
}

static void
cut(struct draft *d, const char *from, const char *to)
{
    replace(d, span_between(from, to), NULL, 0);
}

static struct span
place(const char *at)
{
    return (struct span){ at, 0 };
}

/* ---- multiparts */

/* Where "--" stands: the line end before it is not what the one before it holds. */
static const char *
dashes(struct span delimiter)
{
    while (delimiter.at[0] == '\r' || delimiter.at[0] == '\n')
        delimiter = span_skip(delimiter, 1);
    return delimiter.at;
}

/* The delimiter behind the part that was read last; empty: there is none. */
static struct span
delimiter_behind(const struct mime_multi *m)
{
    return m->ahead.len > 0 ? m->ahead : m->close;
}

/* The boundary as it stands in delimiters. */
static struct span
plain_boundary(struct draft *d, const struct mime_multi *m)
{
    char *text = splice_text(d, m->boundary.len), *end = text;

    if (!text)
        return nothing;
    for (size_t i = 0; i < m->boundary.len; i++) {
        if (m->quoted && m->boundary.at[i] == '\\' && i + 1 < m->boundary.len)
            i++;
        *end++ = m->boundary.at[i];
    }
    return span_between(text, end);
}

/* The line that begins a part. */
static struct span
delimiter_of(struct draft *d, const struct mime_multi *m)
{
    const struct span pieces[] = { SPAN("--"), plain_boundary(d, m), crlf };

    return joined(d, pieces, countof(pieces));
}

/* Nothing new may be a delimiter of a multipart that it stands in. */
static bool
is_harmless(struct draft *d, const struct mime_multi levels[], unsigned depth, struct span text)
{
    for (unsigned i = 0; i < depth; i++)
        if (mime_multi_delimits(&levels[i], text))
            splice_fail(d, SIPD_EINVAL);
    return d->err == SIPD_OK;
}

/* What is missing between a part's head and what it holds. */
static struct span
missing_before_content(const struct mime_part *part)
{
    bool has_empty_line = span_end(part->head) < part->content.at;
    bool head_ends = part->head.len == 0 || part->head.at[part->head.len - 1] == '\n';

    if (part->level == 0 || has_empty_line)
        return nothing;
    return head_ends ? crlf : SPAN("\r\n\r\n");
}

/* … and behind a part in which there was nothing: the line end that belongs to the next delimiter. */
static struct span
missing_behind(const struct mime_walk *w)
{
    struct span next =
        w->part.level > 0 ? delimiter_behind(mime_walk_level(w, w->depth - 1)) : nothing;

    return next.len > 0 && next.at[0] == '-' ? crlf : nothing;
}

/* Those that the part at hand stands in. */
static const struct mime_multi *
levels_of(const struct mime_walk *w)
{
    return mime_walk_level(w, 0);
}

/* The multipart that the part at hand stands in; NULL after a failure: it stands in none. */
static const struct mime_multi *
around(struct draft *d, const struct mime_walk *w)
{
    if (w->part.level > 0)
        return mime_walk_level(w, w->depth - 1);
    splice_fail(d, SIPD_ENOENT);
    return NULL;
}

/* A part behind all others: before the delimiter that closes, or at the open end. */
static void
append(struct draft *d, const struct mime_walk *w, const struct mime_multi *m, struct span part)
{
    struct span delimiter = delimiter_of(d, m);
    const struct span before_close[] = { delimiter, part, crlf };
    const struct span at_end[] = { crlf, delimiter, part };

    if (!is_harmless(d, levels_of(w), w->depth, delimiter))
        return;
    if (m->close.len > 0)
        replace(d, place(dashes(m->close)), before_close, countof(before_close));
    else
        replace(d, place(span_end(m->body)), at_end, countof(at_end));
}

struct span
draft_part(struct draft *d, struct span type, struct span disposition, struct span content)
{
    const struct span names[] = { SPAN("Content-Type"), SPAN("Content-Disposition") };
    const struct span values[] = { type, disposition };
    size_t room =
        line_bytes(names[0], type) + line_bytes(names[1], disposition) + crlf.len + content.len;
    char *text = splice_text(d, room), *end = text;

    if (!text)
        return nothing;
    for (size_t i = 0; i < countof(names); i++)
        if (values[i].len > 0)
            end = line_write(end, names[i], values[i]);
    return span_between(text, span_write(span_write(end, crlf), content));
}

void
draft_set_content(struct draft *d, const struct mime_walk *w, struct span content)
{
    const struct mime_part *part = &w->part;
    const struct span pieces[] = { missing_before_content(part), content, missing_behind(w) };

    if (!is_in_body(d, part->content) || span_eq(content, part->content))
        return;
    if (is_harmless(d, levels_of(w), w->depth, content))
        replace(d, part->content, pieces, countof(pieces));
}

void
draft_set_part(struct draft *d, const struct mime_walk *w, struct span part)
{
    const struct span pieces[] = { part, missing_behind(w) };

    if (!around(d, w) || span_eq(part, w->part.whole))
        return;
    if (is_harmless(d, levels_of(w), w->depth, part))
        replace(d, w->part.whole, pieces, countof(pieces));
}

/* Does this field describe the body? Content-Length counts its bytes, and is left to renew_length(). */
static bool
is_about_body(const struct msg *msg, const struct msg_field *field)
{
    enum header id = (enum header)field->id;

    if (id == HDR_OTHER)
        return span_ieq(span_head(msg_name(msg, field), 8), SPAN("Content-"));
    return id == HDR_CONTENT_TYPE || id == HDR_CONTENT_DISPOSITION || id == HDR_CONTENT_ENCODING ||
           id == HDR_CONTENT_LANGUAGE;
}

/* The fields that describe the body go, but for the type if that stays. */
static void
drop_fields(struct draft *d, const struct msg_field *type)
{
    for (uint32_t i = 0; i < d->msg->fields_len; i++)
        if (is_about_body(d->msg, &d->msg->fields[i]) && &d->msg->fields[i] != type)
            draft_drop_field(d, &d->msg->fields[i]);
}

void
draft_drop_part(struct draft *d, const struct mime_walk *w)
{
    const struct mime_part *part = &w->part;
    struct span next;

    if (!is_in_body(d, part->whole))
        return;
    if (part->level == 0) {
        draft_set_body(d, nothing, nothing);
        return;
    }
    next = delimiter_behind(mime_walk_level(w, w->depth - 1));
    if (next.len > 0)
        cut(d, dashes(part->delimiter), dashes(next));
    else
        cut(d, part->delimiter.at, span_end(part->whole));
}

void
draft_insert_part(struct draft *d, const struct mime_walk *w, struct span part)
{
    const struct mime_multi *m = around(d, w);

    if (m && is_harmless(d, levels_of(w), w->depth, part)) {
        const struct span pieces[] = { delimiter_of(d, m), part, crlf };

        replace(d, place(dashes(w->part.delimiter)), pieces, countof(pieces));
    }
}

void
draft_append_part(struct draft *d, const struct mime_walk *w, struct span part)
{
    struct mime_part last;
    struct mime_multi m;

    if (!is_in_body(d, w->part.content))
        return;
    if (!mime_multi_open(&m, &w->part) || missing_before_content(&w->part).len > 0) {
        splice_fail(d, SIPD_ENOENT);
        return;
    }
    while (mime_multi_next(&m, &last))
        ;
    if (is_harmless(d, levels_of(w), w->depth, part) && is_harmless(d, &m, 1, part))
        append(d, w, &m, part);
}

/* ---- whole bodies */

static const struct msg_field *
type_field(const struct draft *d)
{
    return msg_find(d->msg, HDR_CONTENT_TYPE, NULL);
}

static void
set_type(struct draft *d, struct span type)
{
    if (type_field(d))
        draft_set_value(d, type_field(d), type);
    else
        draft_add_header(d, SPAN("Content-Type"), type);
}

void
draft_set_body(struct draft *d, struct span type, struct span body)
{
    if (!is_in_body(d, msg_body(d->msg)))
        return;
    replace(d, msg_body(d->msg), &body, 1);
    drop_fields(d, type.len > 0 ? type_field(d) : NULL);
    if (type.len > 0)
        set_type(d, type);
}

/* The fields that describe the body, as the head of a part: under their full names, as MIME knows no short ones. */
static struct span
moved_fields(struct draft *d)
{
    const struct msg *msg = d->msg;
    char *text, *end;

    text = end =
        splice_text(d, (size_t)msg->fields_len * sizeof "Content-Disposition: " + msg->head_end);
    for (uint32_t i = 0; text && i < msg->fields_len; i++) {
        const struct msg_field *field = &msg->fields[i];
        struct span name = names_header_text((enum header)field->id);

        if (is_about_body(msg, field))
            end =
                line_write(end, name.len > 0 ? name : msg_name(msg, field), msg_value(msg, field));
    }
    return span_between(text, end);
}

/* A boundary that neither text holds: a name for their bytes, and another one if somebody foresaw it. */
static struct span
new_boundary(struct draft *d, struct span one, struct span two)
{
    enum { DIGITS = 16 };
    char *to = splice_text(d, DIGITS);
    struct mime_multi m = { .boundary = { to, DIGITS } };
    uint64_t hash = 0xcbf29ce484222325; /* FNV-1a */

    if (!to)
        return nothing;
    for (size_t i = 0; i < one.len; i++)
        hash = (hash ^ (uint8_t)one.at[i]) * 0x100000001b3;
    do {
        for (unsigned i = 0; i < DIGITS; i++)
            to[i] = "0123456789abcdef"[hash >> 4 * i & 15];
        hash++;
    } while (mime_multi_delimits(&m, one) || mime_multi_delimits(&m, two));
    return m.boundary;
}

void
draft_wrap_body(struct draft *d, struct span part)
{
    struct span body = msg_body(d->msg), boundary;

    if (body.len == 0)
        splice_fail(d, SIPD_ENOENT);
    if (!is_in_body(d, body))
        return;
    boundary = new_boundary(d, body, part);
    if (boundary.len > 0) {
        const struct span type[] = { SPAN("multipart/mixed;boundary="), boundary };
        const struct span head[] = { SPAN("--"), boundary, crlf, moved_fields(d), crlf };
        const struct span tail[] = { SPAN("\r\n--"), boundary, crlf,          part,
                                     SPAN("\r\n--"), boundary, SPAN("--\r\n") };

        drop_fields(d, type_field(d));
        set_type(d, joined(d, type, countof(type)));
        replace(d, place(body.at), head, countof(head));
        replace(d, place(span_end(body)), tail, countof(tail));
    }
}
