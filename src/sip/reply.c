/*
 * Our own response to a request: what §8.2.6.1 and §8.2.6.2 of RFC 3261 say must be copied, as it came.
 */
#include "sip/reply.h"

#include "sip/line.h"
#include "sip/stamp.h"
#include "sip/status.h"

static void
put_status_line(struct buf *b, unsigned status, struct span phrase)
{
    buf_put(b, SPAN("SIP/2.0 "));
    buf_put_u64(b, status);
    buf_put_char(b, ' ');
    line_text_put(b, phrase.len > 0 ? phrase : status_phrase(status));
    buf_put(b, SPAN("\r\n"));
}

/* The line of the topmost Via with its two stamps; others on that line follow as they are. */
static void
put_stamped_via(struct buf *b, const struct reply_to *to)
{
    struct span value = msg_value(to->request, to->gist->via_field);
    const char *from = value.at;
    struct stamp stamp;

    stamp_init(&stamp, &to->gist->via, to->received, to->rport);
    buf_put(b, SPAN("Via: "));
    for (unsigned i = 0; i < stamp.len; i++) {
        line_text_put(b, span_between(from, stamp.edits[i].cut.at));
        buf_put(b, stamp.edits[i].name);
        line_text_put(b, stamp.edits[i].value);
        from = span_end(stamp.edits[i].cut);
    }
    line_text_put(b, span_between(from, span_end(value)));
    buf_put(b, SPAN("\r\n"));
}

/* All of them, in their order (§8.2.6.2). */
static void
put_vias(struct buf *b, const struct reply_to *to)
{
    for (const struct msg_field *f = NULL; (f = msg_find(to->request, HDR_VIA, f));)
        if (f == to->gist->via_field && to->gist->via.whole.len > 0)
            put_stamped_via(b, to);
        else
            line_put(b, SPAN("Via"), msg_value(to->request, f));
}

/* A field that is missing or says nothing is left out: the request was refused for it (RFC 4475 §3.3.1). */
static void
put_copy(struct buf *b, const struct msg *request, enum header id)
{
    struct span value;

    if (msg_get(request, id, &value) && value.len > 0)
        line_put(b, names_header_text(id), value);
}

/* To, with our tag unless it has one or this is a 100 (§8.2.6.2). */
static void
put_to(struct buf *b, const struct reply_to *to, unsigned status)
{
    struct span value = to->gist->to;

    if (value.len == 0)
        return;
    buf_put(b, SPAN("To: "));
    line_text_put(b, value);
    if (status > 100 && !to->gist->has_to_tag && to->to_tag.len > 0) {
        buf_put(b, SPAN(";tag="));
        line_text_put(b, to->to_tag);
    }
    buf_put(b, SPAN("\r\n"));
}

void
reply_begin(struct buf *b, const struct reply_to *to, unsigned status, struct span phrase)
{
    put_status_line(b, status, phrase);
    put_vias(b, to);
    put_copy(b, to->request, HDR_FROM);
    put_to(b, to, status);
    put_copy(b, to->request, HDR_CALL_ID);
    put_copy(b, to->request, HDR_CSEQ);
    if (status == 100)
        put_copy(b, to->request, HDR_TIMESTAMP);
}

void
reply_header(struct buf *b, struct span name, struct span value)
{
    line_put(b, name, value);
}

void
reply_end(struct buf *b, struct span type, struct span body)
{
    if (type.len == 0)
        body.len = 0;
    else
        line_put(b, SPAN("Content-Type"), type);
    buf_put(b, SPAN("Content-Length: "));
    buf_put_u64(b, body.len);
    buf_put(b, SPAN("\r\n\r\n"));
    buf_put(b, body);
}
