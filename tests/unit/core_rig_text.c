/*
 * What is said to the proxy core in its box, and what it said: texts, written and read.
 */
#include "unit/core_rig.h"

#include <stdarg.h>
#include <stdio.h>

/* ---------------------------------------------------------------- small texts */

/* A place for the next text. */
static char *
next_text(void)
{
    static char texts[64][RIG_MESSAGE];
    static unsigned next;

    return texts[next++ % 64];
}

static const char *
text_of(struct span s)
{
    char *text = next_text();

    snprintf(text, RIG_MESSAGE, "%.*s", SPAN_ARG(s));
    return text;
}

/* ---------------------------------------------------------------- writing messages */

struct page {
    char text[RIG_MESSAGE];
    size_t len;
};

static void put(struct page *page, const char *format, ...) PRINTF_LIKE(2, 3);

static void
put(struct page *page, const char *format, ...)
{
    va_list list;
    int n;

    va_start(list, format);
    n = vsnprintf(page->text + page->len, sizeof page->text - page->len, format, list);
    va_end(list);
    must(n >= 0 && page->len + (size_t)n < sizeof page->text);
    page->len += (size_t)n;
}

/* Does a line of the page begin with "name:", or was it left out? */
static bool
is_named(const struct page *page, const char *name, const char *const *lines, size_t n)
{
    size_t len = strlen(name);

    (void)page;
    for (size_t i = 0; i < n && lines[i][0]; i++) {
        const char *line = lines[i] + (lines[i][0] == '-');

        if (strncmp(line, name, len) == 0 && (line[len] == ':' || (line != lines[i] && !line[len])))
            return true;
    }
    return false;
}

static void
put_via(struct rig *r, struct page *page, const char *from)
{
    struct hop hop = rig_hop(from);
    char text[HOP_TEXT_BYTES];

    put(page, "Via: SIP/2.0/%.*s %.*s;branch=z9hG4bKa%u\r\n",
        SPAN_ARG(hop_transport_via(hop.transport)), SPAN_ARG(hop_write(&hop, text)), r->branch);
}

/* Fields that the test did not name. */
static void
put_others(struct rig *r, struct page *page, const char *from, const char *request_line,
           const char *const *lines, size_t n)
{
    int method = (int)strcspn(request_line, " ");

    if (!is_named(page, "Via", lines, n))
        put_via(r, page, from);
    if (!is_named(page, "Max-Forwards", lines, n))
        put(page, "Max-Forwards: 70\r\n");
    if (!is_named(page, "From", lines, n))
        put(page, "From: <sip:alice@example.com>;tag=%s\r\n", r->from_tag);
    if (!is_named(page, "To", lines, n))
        put(page, "To: <sip:bob@example.com>%s%s\r\n", *r->to_tag ? ";tag=" : "", r->to_tag);
    if (!is_named(page, "Call-ID", lines, n))
        put(page, "Call-ID: %s\r\n", r->call_id);
    if (!is_named(page, "CSeq", lines, n))
        put(page, "CSeq: %u %.*s\r\n", r->cseq, method, request_line);
}

/* Their lines up to the empty one, then the length unless named, then the body. */
static void
put_lines(struct page *page, const char *const *lines, size_t n)
{
    size_t body = 0, i = 0;

    for (; i < n && lines[i][0]; i++)
        if (lines[i][0] != '-')
            put(page, "%s\r\n", lines[i]);
    for (size_t j = i + 1; j < n; j++)
        body += strlen(lines[j]) + 2;
    if (!is_named(page, "Content-Length", lines, n))
        put(page, "Content-Length: %zu\r\n", body);
    put(page, "\r\n");
    for (i++; i < n; i++)
        put(page, "%s\r\n", lines[i]);
}

void
rig_ask(struct rig *r, const char *from, const char *request_line, ...)
{
    static struct page page;
    const char *lines[64];
    size_t n = 0;
    va_list list;

    va_start(list, request_line);
    while ((lines[n] = va_arg(list, const char *)))
        must(++n < countof(lines));
    va_end(list);
    page.len = 0;
    put(&page, "%s\r\n", request_line);
    put_others(r, &page, from, request_line, lines, n);
    put_lines(&page, lines, n);
    rig_bytes(r, from, (struct span){ page.text, page.len }, 0, NULL);
}

static void
put_copies(struct page *page, const struct rig_sent *request, const char *name)
{
    const char *value;

    for (unsigned i = 0; (value = rig_value(request, name, i)); i++)
        put(page, "%s: %s\r\n", name, value);
}

void
rig_reply(struct rig *r, const struct rig_sent *request, unsigned status, const char *tag, ...)
{
    static struct page page;
    const char *lines[64], *to = rig_value(request, "To", 0);
    size_t n = 0;
    va_list list;

    va_start(list, tag);
    while ((lines[n] = va_arg(list, const char *)))
        must(++n < countof(lines));
    va_end(list);
    page.len = 0;
    put(&page, "SIP/2.0 %u Whatever\r\n", status);
    put_copies(&page, request, "Via");
    put_copies(&page, request, "Record-Route");
    put(&page, "From: %s\r\n", rig_value(request, "From", 0));
    put(&page, "To: %s%s%s\r\n", to, *tag ? ";tag=" : "", tag);
    put(&page, "Call-ID: %s\r\nCSeq: %s\r\n", rig_value(request, "Call-ID", 0),
        rig_value(request, "CSeq", 0));
    put_lines(&page, lines, n);
    rig_hear_reply(r, request, (struct span){ page.text, page.len });
}

/* ---------------------------------------------------------------- reading what was sent */

static bool
begins(const struct rig_sent *sent, const char *line)
{
    return span_starts(sent->bytes, span_of(line));
}

const struct rig_sent *
rig_expect_at(struct rig *r, const char *to, const char *line, int at)
{
    struct hop hop = rig_hop(to);
    const struct rig_sent *sent = &r->sent[r->read];
    char went[HOP_TEXT_BYTES];

    if (r->read == r->sent_len)
        ck_abort_msg("line %d: nothing was sent, want %s to %s", at, line, to);
    if (!begins(sent, line) || !hop_eq(&sent->to, &hop) ||
        (hop.flow != 0 && hop.flow != sent->to.flow))
        ck_abort_msg("line %d: want %s to %s, got (%.*s %.*s, flow %llu)\n%.*s", at, line, to,
                     SPAN_ARG(hop_transport_uri(sent->to.transport)),
                     SPAN_ARG(hop_write(&sent->to, went)), (unsigned long long)sent->to.flow,
                     SPAN_ARG(sent->bytes));
    r->read++;
    return sent;
}

void
rig_quiet_at(struct rig *r, int at)
{
    if (r->read < r->sent_len)
        ck_abort_msg("line %d: want no more, got\n%.*s", at, SPAN_ARG(r->sent[r->read].bytes));
}

void
rig_forget(struct rig *r)
{
    r->read = r->sent_len;
}

void
rig_clear(struct rig *r)
{
    r->sent_len = r->read = r->turns_from = 0;
    r->store_len = 0;
}

const struct rig_sent *
rig_last(const struct rig *r, const char *line)
{
    for (unsigned i = r->sent_len; i > 0; i--)
        if (begins(&r->sent[i - 1], line))
            return &r->sent[i - 1];
    return NULL;
}

const char *
rig_times(struct rig *r, const char *line)
{
    char *text = next_text();
    size_t len = 0;

    text[0] = '\0';
    for (unsigned i = 0; i < r->sent_len; i++)
        if (begins(&r->sent[i], line))
            len += (size_t)snprintf(text + len, RIG_MESSAGE - len, "%s%llu", len ? " " : "",
                                    (unsigned long long)r->sent[i].at_ms);
    return text;
}

/* The n-th field of this name, without the blanks around its value; .at is NULL if there is none. */
static struct span
field(const struct rig_sent *sent, const char *name, unsigned n)
{
    struct span rest = sent->bytes, want = span_of(name);

    (void)span_cut(&rest, '\n');
    while (rest.len > 0) {
        struct span line = span_cut(&rest, '\n');
        struct span value = line, got = span_trim(span_cut(&value, ':'));

        if (span_trim(line).len == 0)
            break;
        if (span_ieq(got, want) && n-- == 0)
            return span_trim(value);
    }
    return (struct span){ NULL, 0 };
}

const char *
rig_value(const struct rig_sent *sent, const char *name, unsigned n)
{
    struct span value = field(sent, name, n);

    return value.at ? text_of(value) : NULL;
}

unsigned
rig_count(const struct rig_sent *sent, const char *name)
{
    unsigned n = 0;

    while (field(sent, name, n).at)
        n++;
    return n;
}

bool
rig_has(const struct rig_sent *sent, const char *text)
{
    return strstr(text_of(sent->bytes), text) != NULL;
}

const char *
rig_line(const char *name, const char *value)
{
    char *text = next_text();

    snprintf(text, RIG_MESSAGE, "%s: %s", name, value);
    return text;
}

const char *
rig_to_tag(const struct rig_sent *sent)
{
    const char *to = rig_value(sent, "To", 0), *tag = to ? strstr(to, ";tag=") : NULL;

    return tag ? tag + 5 : "";
}
