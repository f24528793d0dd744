/*
 * Our own response to a request: what §8.2.6.1 and §8.2.6.2 of RFC 3261 say must be copied, as it came.
 */
#include "sip/reply.h"

#include "base/def.h"
#include "sip/chars.h"
#include "sip/line.h"
#include "sip/stamp.h"
#include "sip/status.h"

enum {
    BESIDE_BYTES =
        256,        /* status line, our phrases, names and digits of the stamps and of the end */
    BLOCK = 4,      /* From, To, Call-ID, CSeq */
    LINE_BYTES = 8, /* a copied line may grow by: "Call-ID" for "i", a blank, a line end */
};

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
put_other_status(char *to, unsigned status, struct span phrase)
{
    const char digits[] = { (char)('0' + status / 100 % 10), (char)('0' + status / 10 % 10),
                            (char)('0' + status % 10) };

    to = span_write(span_write(to, SPAN("SIP/2.0 ")), (struct span){ digits, sizeof digits });
    to = span_write(to, SPAN(" "));
    to = phrase.len > 0 ? line_text_write(to, phrase) : span_write(to, status_phrase(status));
    return span_write(to, SPAN("\r\n"));
}

static char *
put_status_line(char *to, unsigned status, struct span phrase)
{
    if (status == 200 && phrase.len == 0) /* as most are */
        return span_write(to, SPAN("SIP/2.0 200 OK\r\n"));
    return put_other_status(to, status, phrase);
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
        at = span_write(at, edit->text);
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

static char *
put_via(char *at, const struct reply_to *to, const struct msg_field *f)
{
    if (f == to->gist->via_field && to->gist->via.whole.len > 0)
        return put_stamped_via(at, to);
    if (via_is_empty(msg_value(to->request, f)))
        return at;
    return put_line(at, to->request, SPAN("Via"), msg_value(to->request, f));
}

/* All of them, in their order (§8.2.6.2). */
static char *
put_vias(char *at, const struct reply_to *to)
{
    const struct msg_field *f = msg_first(to->request, HDR_VIA);

    for (; f; f = msg_next(to->request, HDR_VIA, f))
        at = put_via(at, to, f);
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

/* Does the line look as we would write it? */
static inline bool
is_as_ours(const struct msg_field *field, enum header id, size_t name_len)
{
    return field->id == id && field->name_len == name_len && field->value_len > 0 &&
           field->value_at == field->at + name_len + 2 &&
           field->end == field->value_at + field->value_len + 2;
}

/* From, To, Call-ID and CSeq as they are in most requests: side by side in this order, with nothing to mend. The first, or NULL. */
static const struct msg_field *
find_block(const struct msg *m)
{
    const struct msg_field *from = msg_first(m, HDR_FROM);

    if (!from || m->fault || m->bent || m->bare_lf || m->odd ||
        (size_t)(from - m->fields) + BLOCK > m->fields_len)
        return NULL;
    return is_as_ours(&from[0], HDR_FROM, SPAN("From").len) &&
                   is_as_ours(&from[1], HDR_TO, SPAN("To").len) &&
                   is_as_ours(&from[2], HDR_CALL_ID, SPAN("Call-ID").len) &&
                   is_as_ours(&from[3], HDR_CSEQ, SPAN("CSeq").len)
               ? from
               : NULL;
}

/* To, whose line goes on: our tag unless it has one or this is a 100 (§8.2.6.2). */
static char *
put_tag(char *at, const struct reply_to *to, unsigned status)
{
    if (status > 100 && !to->gist->has_to_tag && to->to_tag.len > 0)
        at = span_write(span_write(at, SPAN(";tag=")), to->to_tag);
    return at;
}

static char *
put_block(char *at, const struct reply_to *to, unsigned status, const struct msg_field *from)
{
    const char *tag_at = span_end(msg_value(to->request, &from[1]));

    at = span_write(at, span_between(to->request->bytes + from->at, tag_at));
    at = put_tag(at, to, status);
    return span_write(at, span_between(tag_at, to->request->bytes + from[BLOCK - 1].end));
}

static char *
put_one_by_one(char *at, const struct reply_to *to, unsigned status)
{
    at = put_copy(at, to->request, HDR_FROM);
    if (to->gist->to.len > 0) {
        at = put_value(span_write(at, SPAN("To: ")), to->request, to->gist->to);
        at = span_write(put_tag(at, to, status), SPAN("\r\n"));
    }
    at = put_copy(at, to->request, HDR_CALL_ID);
    return put_copy(at, to->request, HDR_CSEQ);
}

static char *
put_head(char *at, const struct reply_to *to, unsigned status, struct span phrase)
{
    const struct msg_field *block = find_block(to->request);

    at = put_vias(put_status_line(at, status, phrase), to);
    at = block ? put_block(at, to, status, block) : put_one_by_one(at, to, status);
    return status == 100 ? put_copy(at, to->request, HDR_TIMESTAMP) : at;
}

static char *
put_end(char *at, struct span type, struct span body)
{
    if (type.len == 0)
        return span_write(at, SPAN("Content-Length: 0\r\n\r\n"));
    at = line_write(at, SPAN("Content-Type"), type);
    at = span_write_u64(span_write(at, SPAN("Content-Length: ")), body.len);
    return span_write(span_write(at, SPAN("\r\n\r\n")), body);
}

static size_t
most_bytes(const struct reply_to *to, const struct reply_with *with)
{
    const struct msg *m = to->request;

    return m->head_end + LINE_BYTES * (size_t)m->fields_len + to->received.len + to->to_tag.len +
           with->phrase.len + with->lines.len + with->more.len + with->type.len + with->body.len +
           BESIDE_BYTES;
}

struct span
reply_write(struct arena *arena, const struct reply_to *to, unsigned status,
            const struct reply_with *with)
{
    char *start = arena_alloc(arena, most_bytes(to, with)), *at;

    if (!start)
        return (struct span){ NULL, 0 };
    at = put_head(start, to, status, with->phrase);
    at = span_write(span_write(at, with->lines), with->more);
    at = put_end(at, with->type, with->body);
    arena_shrink(arena, start, (size_t)(at - start));
    return span_between(start, at);
}
