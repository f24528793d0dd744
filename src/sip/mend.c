/*
 * The fix of each deviation as splices (RFC 3261 §7, §7.3.1, §25.1).
 */
#include "sip/mend.h"

#include "base/err.h"
#include "sip/addr.h"
#include "sip/chars.h"
#include "sip/parts.h"
#include "sip/splice.h"
#include "sip/uri.h"

typedef void mend_fn(struct draft *d, const struct gist *gist);

/* ---------------------------------------------------------------- splices */

static void
put(struct draft *d, const char *at, size_t cut, struct span text)
{
    splice_make(d, (uint32_t)(at - d->msg->bytes), (uint32_t)cut, text, DRAFT_PLAIN, SPLICE_BACK);
}

static void
cut(struct draft *d, struct span text)
{
    put(d, text.at, text.len, SPAN(""));
}

static void
one_blank(struct draft *d, uint32_t from, uint32_t to)
{
    struct span there = { d->msg->bytes + from, to - from };

    if (!span_eq(there, SPAN(" ")))
        put(d, there.at, there.len, SPAN(" "));
}

/* ---------------------------------------------------------------- start line */

static uint32_t
end_of(struct msg_text text)
{
    return text.at + text.len;
}

static uint32_t
line_end(const struct msg *msg)
{
    uint32_t end = (uint32_t)span_find(msg_bytes(msg), '\n');

    return end > 0 && end < msg->len && msg->bytes[end - 1] == '\r' ? end - 1 : end;
}

static void
version_case(struct draft *d, const struct gist *gist)
{
    (void)gist;
    put(d, d->msg->bytes + d->msg->version.at, d->msg->version.len, SPAN("SIP/2.0"));
}

static void
request_line_blanks(struct draft *d, const struct gist *gist)
{
    const struct msg *msg = d->msg;
    uint32_t version_end = end_of(msg->version), end = line_end(msg);

    (void)gist;
    one_blank(d, msg->method_text.len, msg->uri.at);
    one_blank(d, end_of(msg->uri), msg->version.at);
    if (version_end < end)
        cut(d, (struct span){ msg->bytes + version_end, end - version_end });
}

static void
uri_blanks(struct draft *d, const struct gist *gist)
{
    struct span uri = msg_span(d->msg, d->msg->uri);

    (void)gist;
    for (size_t i = 0; i < uri.len; i++)
        if (uri.at[i] == ' ' || uri.at[i] == '\t')
            cut(d, (struct span){ uri.at + i, 1 });
}

static void
uri_brackets(struct draft *d, const struct gist *gist)
{
    struct span uri = msg_span(d->msg, d->msg->uri);

    (void)gist;
    cut(d, span_head(uri, 1));
    cut(d, span_skip(uri, uri.len - 1));
}

static void
uri_empty_user(struct draft *d, const struct gist *gist)
{
    struct span uri = msg_span(d->msg, d->msg->uri);

    (void)gist;
    cut(d, (struct span){ uri.at + span_find(uri, '@'), 1 });
}

/* %HH (§19.1.2). Brackets stand in a host; elsewhere they are escaped too. */
static void
escape(struct draft *d, const char *at)
{
    static const char hex[] = "0123456789ABCDEF";
    unsigned char c = (unsigned char)*at;
    char *text = splice_text(d, 3);

    if (!text)
        return;
    text[0] = '%';
    text[1] = hex[c >> 4];
    text[2] = hex[c & 15];
    put(d, at, 1, (struct span){ text, 3 });
}

static void
uri_characters(struct draft *d, const struct gist *gist)
{
    struct span uri = msg_span(d->msg, d->msg->uri);

    (void)gist;
    for (size_t at = scan_run(uri, &chars_uri); at < uri.len;
         at += 1 + scan_run(span_skip(uri, at + 1), &chars_uri))
        escape(d, uri.at + at);
}

/* Everything from the ? on, and each method parameter with its semicolon. */
static void
uri_foreign(struct draft *d, const struct gist *gist)
{
    struct uri uri;
    struct span rest;

    (void)gist;
    if (uri_read(msg_span(d->msg, d->msg->uri), &uri) != SIPD_OK)
        return;
    for (rest = uri.params; rest.len > 0;) {
        struct span one = span_cut(&rest, ';'), name = one;

        name = span_cut(&name, '=');
        if (parts_name_is(name, SPAN("method")))
            cut(d, (struct span){ one.at - 1, one.len + 1 });
    }
    if (uri.headers.at && uri.headers.at[-1] == '?')
        cut(d, span_between(uri.headers.at - 1, span_end(uri.whole)));
}

static void
status_line(struct draft *d, const struct gist *gist)
{
    const struct msg *msg = d->msg;
    uint32_t version_end = end_of(msg->version), code_at = version_end;

    (void)gist;
    while (msg->bytes[code_at] == ' ' || msg->bytes[code_at] == '\t')
        code_at++;
    one_blank(d, version_end, code_at);
    if (msg->reason.at == code_at + 3)
        put(d, msg->bytes + msg->reason.at, 0, SPAN(" "));
}

/* ---------------------------------------------------------------- lines */

static void
line_ends(struct draft *d, const struct gist *gist)
{
    struct span head = { d->msg->bytes, d->msg->body_at };

    (void)gist;
    for (size_t at = span_find(head, '\n'); at < head.len;
         at += 1 + span_find(span_skip(head, at + 1), '\n'))
        if (at == 0 || head.at[at - 1] != '\r')
            put(d, head.at + at, 0, SPAN("\r"));
}

/* One blank for all that stand side by side; the one before a LF stays. */
static void
bare_cr(struct draft *d, const struct gist *gist)
{
    struct span head = { d->msg->bytes, d->msg->body_at };

    (void)gist;
    for (size_t at = 0; (at += span_find(span_skip(head, at), '\r')) < head.len; at++) {
        size_t end = at + 1;

        while (end < head.len && head.at[end] == '\r')
            end++;
        if (end < head.len && head.at[end] == '\n')
            end--;
        if (end > at)
            put(d, head.at + at, end - at, SPAN(" "));
        at = end;
    }
}

/* One in a quoted-pair may stay. */
static void
control_bytes(struct draft *d, const struct gist *gist)
{
    struct span head = { d->msg->bytes, d->msg->body_at };

    (void)gist;
    for (size_t at = 1; at < head.len; at++)
        if (chars_is_stray(head.at[at]) && head.at[at] != '\r' && head.at[at - 1] != '\\')
            put(d, head.at + at, 1, SPAN(" "));
}

/* Has it a name that can be seen, though it is no token? */
static bool
is_seen(struct span name)
{
    for (size_t i = 0; i < name.len; i++)
        if ((unsigned char)name.at[i] <= ' ' || name.at[i] == 0x7f)
            return false;
    return name.len > 0;
}

static void
drop_named(struct draft *d, bool seen)
{
    for (uint32_t i = 0; i < d->msg->fields_len; i++) {
        const struct msg_field *field = &d->msg->fields[i];
        struct span name = msg_name(d->msg, field);

        if (field->id == HDR_OTHER && !chars_is_token(name) && is_seen(name) == seen)
            draft_drop_field(d, field);
    }
}

static void
no_field(struct draft *d, const struct gist *gist)
{
    (void)gist;
    drop_named(d, false);
}

static void
field_name(struct draft *d, const struct gist *gist)
{
    (void)gist;
    drop_named(d, true);
}

/* The last line may lack its end, too. */
static void
no_empty_line(struct draft *d, const struct gist *gist)
{
    struct span all = msg_bytes(d->msg);
    bool ended = all.len > 0 && all.at[all.len - 1] == '\n';

    (void)gist;
    put(d, span_end(all), 0, ended ? SPAN("\r\n") : SPAN("\r\n\r\n"));
}

/* ---------------------------------------------------------------- fields */

/* Of those that the gist looks at: what nobody reads stays as it is. */
static void
repeated_field(struct draft *d, const struct gist *gist)
{
    (void)gist;
    for (enum header id = HDR_OTHER + 1; id <= HDR_MAX_FORWARDS; id++) {
        const struct msg_field *field = msg_find(d->msg, id, NULL);

        while (names_header_flags(id) & H_SINGLE && field && (field = msg_find(d->msg, id, field)))
            draft_drop_field(d, field);
    }
}

static void
open_quote(struct draft *d, struct span value)
{
    struct addr addr;
    uint64_t odd;

    if (addr_read_noting(value, &addr, &odd) && odd == deviation_bit(DEV_OPEN_QUOTE))
        cut(d, span_head(value, span_find(value, '<')));
}

/* What may stand in a quoted string: a backslash before quotes and backslashes, no control byte (§25.1). */
static char *
quote(char *to, struct span text)
{
    *to++ = '"';
    for (size_t i = 0; i < text.len; i++) {
        char c = text.at[i];

        if (c == '"' || c == '\\')
            *to++ = '\\';
        *to++ = (unsigned char)c < ' ' || c == 0x7f ? ' ' : c;
    }
    *to++ = '"';
    return to;
}

/* The text without the quotes that somebody put around it, however many, as one quoted string. */
static void
display_name(struct draft *d, struct span value)
{
    struct addr addr;
    uint64_t odd;
    char *text, *end;
    struct span name;

    if (addr_read_noting(value, &addr, &odd) || !(odd & deviation_bit(DEV_DISPLAY_NAME)))
        return;
    name = addr.display;
    while (name.len > 0 && (name.at[0] == '"' || span_is_lws(name.at[0])))
        name = span_skip(name, 1);
    while (name.len > 0 && (name.at[name.len - 1] == '"' || span_is_lws(name.at[name.len - 1])))
        name.len--;
    text = splice_text(d, name.len * 2 + 3);
    if (!text)
        return;
    end = quote(text, name);
    put(d, addr.display.at, addr.display.len, span_between(text, end));
}

/* All of them at once on either side: there may be as many as a message has bytes. */
static void
address_blanks(struct draft *d, struct span value)
{
    const char *open, *close;
    struct addr addr;
    uint64_t odd;

    if (addr_read_noting(value, &addr, &odd) || !(odd & deviation_bit(DEV_ADDRESS_BLANKS)))
        return;
    open = addr.uri.at;
    close = span_end(addr.uri);
    while (open[-1] != '<')
        open--;
    while (*close != '>')
        close++;
    if (open < addr.uri.at)
        cut(d, span_between(open, addr.uri.at));
    if (span_end(addr.uri) < close)
        cut(d, span_between(span_end(addr.uri), close));
}

static void
no_brackets(struct draft *d, struct span value)
{
    struct addr addr;
    uint64_t odd;

    if (addr_read_noting(value, &addr, &odd) || !(odd & deviation_bit(DEV_NO_BRACKETS)))
        return;
    put(d, addr.uri.at, 0, SPAN("<"));
    put(d, span_end(addr.uri), 0, SPAN(">"));
}

/* ;tag= goes with its semicolon. */
static void
empty_tag(struct draft *d, struct span value)
{
    struct span rest;
    struct param one;
    struct addr addr;
    uint64_t odd;

    if (addr_read_noting(value, &addr, &odd))
        return;
    for (rest = addr.params; rest.len > 0;) {
        const char *from = rest.at;

        if (!param_next(&rest, &one) || !span_ieq(one.name, SPAN("tag")) || one.value.len > 0)
            continue;
        if (*from != ';')
            from--;
        cut(d, span_trim(span_between(from, rest.len > 0 ? rest.at - 1 : span_end(addr.params))));
    }
}

typedef void party_fn(struct draft *d, struct span value);

/* In the order of the text: a splice that stands before others moves them all. */
static void
both(struct draft *d, const struct gist *gist, party_fn *fn)
{
    bool from_first = gist->from.at < gist->to.at;

    fn(d, from_first ? gist->from : gist->to);
    fn(d, from_first ? gist->to : gist->from);
}

static void
contact_brackets(struct draft *d, const struct gist *gist)
{
    (void)gist;
    for (const struct msg_field *f = NULL; (f = msg_find(d->msg, HDR_CONTACT, f));) {
        struct span rest = msg_value(d->msg, f);
        struct addr addr;
        uint64_t odd;

        while (addr_next_noting(&rest, &addr, &odd) == SIPD_OK)
            if (odd & deviation_bit(DEV_NO_BRACKETS)) {
                put(d, addr.uri.at, 0, SPAN("<"));
                put(d, span_end(addr.uri), 0, SPAN(">"));
            }
    }
}

static void
max_forwards(struct draft *d, const struct gist *gist)
{
    const struct msg_field *field = msg_find(d->msg, HDR_MAX_FORWARDS, NULL);

    (void)gist;
    draft_set_value(d, field, SPAN("70"));
}

/* ---------------------------------------------------------------- which is whose */

static mend_fn *const fixes[DEVIATIONS] = {
    [DEV_VERSION_CASE] = version_case,
    [DEV_REQUEST_LINE_BLANKS] = request_line_blanks,
    [DEV_URI_BLANKS] = uri_blanks,
    [DEV_URI_BRACKETS] = uri_brackets,
    [DEV_URI_EMPTY_USER] = uri_empty_user,
    [DEV_URI_CHARACTERS] = uri_characters,
    [DEV_URI_FOREIGN] = uri_foreign,
    [DEV_STATUS_LINE] = status_line,
    [DEV_MIXED_LINE_ENDS] = line_ends,
    [DEV_BARE_LF] = line_ends,
    [DEV_BARE_CR] = bare_cr,
    [DEV_CONTROL_BYTES] = control_bytes,
    [DEV_NO_FIELD] = no_field,
    [DEV_FIELD_NAME] = field_name,
    [DEV_NO_EMPTY_LINE] = no_empty_line,
    [DEV_REPEATED_FIELD] = repeated_field,
    [DEV_CONTACT_BRACKETS] = contact_brackets,
    [DEV_MAX_FORWARDS] = max_forwards,
};

static party_fn *const party_fixes[DEVIATIONS] = {
    [DEV_OPEN_QUOTE] = open_quote,         [DEV_DISPLAY_NAME] = display_name,
    [DEV_ADDRESS_BLANKS] = address_blanks, [DEV_NO_BRACKETS] = no_brackets,
    [DEV_EMPTY_TAG] = empty_tag,
};

void
mend(enum deviation id, struct draft *d, const struct gist *gist)
{
    if (fixes[id])
        fixes[id](d, gist);
    else if (party_fixes[id])
        both(d, gist, party_fixes[id]);
}
