/*
 * Our own response to a request: what §8.2.6.1 and §8.2.6.2 of RFC 3261 say must be copied, as it came.
 */
#include "sip/reply.h"

#include "sip/chars.h"
#include "sip/line.h"
#include "sip/stamp.h"
#include "sip/status.h"

enum { BESIDE_BYTES = 256 }; /* status line, our phrases, the stamps' names and digits */

/*
 * What came in the request: a folding in it must not become a line of ours. A control byte may be what hides a field from
 * us and ends a line for others; our answer has none, but for one in a quoted-pair of a request that has no fault.
 */
static inline char *
put_value(char *to, const struct msg *request, struct span text)
{
    char *end = request->bent ? line_text_write(to, text) : span_write(to, text);

    if (request->fault || request->odd & deviation_bit(DEV_CONTROL_BYTES))
        for (char *at = to; at < end; at++)
            if (chars_is_stray(*at))
                *at = ' ';
    return end;
}

static char *
put_status_line(char *to, unsigned status, struct span phrase)
{
    const char digits[] = { (char)('0' + status / 100 % 10), (char)('0' + status / 10 % 10),
                            (char)('0' + status % 10) };

    to = span_write(span_write(to, SPAN("SIP/2.0 ")), (struct span){ digits, sizeof digits });
    to = span_write(to, SPAN(" "));
    to = phrase.len > 0 ? line_text_write(to, phrase) : span_write(to, status_phrase(status));
    return span_write(to, SPAN("\r\n"));
}

/* The line of the topmost Via with its two stamps; others on that line follow as they are. */
static char *
put_stamped_via(char *at, const struct reply_to *to)
{
    struct span value = msg_value(to->request, to->gist->via_field);
    const char *from = value.at;
    struct stamp stamp;

    stamp_init(&stamp, &to->gist->via, to->received, to->rport);
    at = span_write(at, SPAN("Via: "));
    for (unsigned i = 0; i < stamp.len; i++) {
        const struct stamp_edit *edit = &stamp.edits[i];

        at = put_value(at, to->request, span_between(from, edit->cut.at));
        at = span_write(span_write(at, edit->name), edit->value);
        from = span_end(edit->cut);
    }
    return span_write(put_value(at, to->request, span_between(from, span_end(value))),
                      SPAN("\r\n"));
}

static char *
put_line(char *at, const struct msg *request, struct span name, struct span value)
{
    at = span_write(span_write(at, name), SPAN(": "));
    return span_write(put_value(at, request, value), SPAN("\r\n"));
}

/* All of them, in their order (§8.2.6.2). */
static char *
put_vias(char *at, const struct reply_to *to)
{
    for (const struct msg_field *f = NULL; (f = msg_find(to->request, HDR_VIA, f));)
        if (f == to->gist->via_field && to->gist->via.whole.len > 0)
            at = put_stamped_via(at, to);
        else if (!via_is_empty(msg_value(to->request, f)))
            at = put_line(at, to->request, SPAN("Via"), msg_value(to->request, f));
    return at;
}

/* A field that is missing or says nothing is left out: the request was refused for it (RFC 4475 §3.3.1). */
static char *
put_copy(char *at, const struct msg *request, enum header id)
{
    struct span value;

    if (!msg_get(request, id, &value) || value.len == 0)
        return at;
    return put_line(at, request, names_header_text(id), value);
}

/* To, with our tag unless it has one or this is a 100 (§8.2.6.2). */
static char *
put_to(char *at, const struct reply_to *to, unsigned status)
{
    struct span value = to->gist->to;

    if (value.len == 0)
        return at;
    at = put_value(span_write(at, SPAN("To: ")), to->request, value);
    if (status > 100 && !to->gist->has_to_tag && to->to_tag.len > 0)
        at = span_write(span_write(at, SPAN(";tag=")), to->to_tag);
    return span_write(at, SPAN("\r\n"));
}

/* The most that what follows writes: a copied line has at least four bytes, and at most three times as many as it came with. */
static size_t
most_bytes(const struct reply_to *to, struct span phrase)
{
    return 3 * (size_t)to->request->head_end + to->received.len + to->to_tag.len + phrase.len +
           BESIDE_BYTES;
}

void
reply_begin(struct buf *b, const struct reply_to *to, unsigned status, struct span phrase)
{
    char *start = buf_reserve(b, most_bytes(to, phrase)), *at = start;

    if (!start)
        return;
    at = put_status_line(at, status, phrase);
    at = put_vias(at, to);
    at = put_copy(at, to->request, HDR_FROM);
    at = put_to(at, to, status);
    at = put_copy(at, to->request, HDR_CALL_ID);
    at = put_copy(at, to->request, HDR_CSEQ);
    if (status == 100)
        at = put_copy(at, to->request, HDR_TIMESTAMP);
    b->len += (size_t)(at - start);
}

void
reply_header(struct buf *b, struct span name, struct span value)
{
    line_put(b, name, value);
}

void
reply_end(struct buf *b, struct span type, struct span body)
{
    if (type.len == 0) {
        buf_put(b, SPAN("Content-Length: 0\r\n\r\n"));
        return;
    }
    line_put(b, SPAN("Content-Type"), type);
    buf_put(b, SPAN("Content-Length: "));
    buf_put_u64(b, body.len);
    buf_put(b, SPAN("\r\n\r\n"));
    buf_put(b, body);
}
