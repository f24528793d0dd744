/*
 * What the phones of the random calls write: requests, and responses to them (RFC 3261 §8.1.1, §8.2.6, §12.2.1.1).
 */
#include "sim/ua.h"
#include "sip/status.h"

struct name {
    struct span full, compact;
};

static const struct name names[] = {
    { { "Via", 3 }, { "v", 1 } },     { { "From", 4 }, { "f", 1 } },
    { { "To", 2 }, { "t", 1 } },      { { "Call-ID", 7 }, { "i", 1 } },
    { { "Contact", 7 }, { "m", 1 } }, { { "Content-Length", 14 }, { "l", 1 } },
};

enum { N_VIA, N_FROM, N_TO, N_CALL_ID, N_CONTACT, N_LENGTH };

static void
put_name(struct buf *b, unsigned style, unsigned n)
{
    buf_put(b, style & STYLE_COMPACT ? names[n].compact : names[n].full);
    buf_put(b, SPAN(": "));
}

static void
put_line(struct buf *b, struct span value)
{
    buf_put(b, value);
    buf_put(b, SPAN("\r\n"));
}

static void
put_via(struct buf *b, const struct call *call, const struct ua *ua, const struct ask *ask)
{
    put_name(b, call->style, N_VIA);
    buf_put(b, SPAN("SIP/2.0/"));
    buf_put(b, hop_transport_via(ask->transport));
    buf_put_char(b, ' ');
    buf_put(b, ua->address);
    buf_put(b, SPAN(";branch="));
    buf_put(b, ask->branch);
    put_line(b, call->style & STYLE_RPORT ? SPAN(";rport") : SPAN(""));
}

static void
put_contact(struct buf *b, const struct ua *ua)
{
    buf_put(b, SPAN("<sip:"));
    buf_put(b, ua->name);
    buf_put_char(b, '@');
    buf_put(b, ua->address);
    put_line(b, ua->transport == HOP_TCP ? SPAN(";transport=tcp>") : SPAN(">"));
}

static void
put_cseq(struct buf *b, const struct ask *ask)
{
    buf_put(b, SPAN("CSeq: "));
    buf_put_u64(b, ask->cseq);
    buf_put_char(b, ' ');
    put_line(b, ask->method_text);
}

static void
put_body(struct buf *b, unsigned style, uint8_t transport)
{
    bool body = style & STYLE_BODY;

    if (body)
        put_line(b, SPAN("Content-Type: application/sdp"));
    if (!(style & STYLE_NO_LENGTH) || hop_is_reliable(transport)) {
        put_name(b, style, N_LENGTH);
        put_line(b, body ? SPAN("38") : SPAN("0"));
    }
    buf_put(b, SPAN("\r\n"));
    if (body)
        buf_put(b, SPAN("v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\n\r\n"));
}

/* §12.2.1.1: a strict router on top became the Request-URI, which stands last then. */
static void
put_routes(struct buf *b, const struct leg *leg)
{
    bool strict = leg_is_strict(leg);

    for (unsigned i = strict; i < leg->routes_len; i++) {
        buf_put(b, SPAN("Route: "));
        put_line(b, leg->routes[i]);
    }
    if (!strict)
        return;
    buf_put(b, SPAN("Route: <"));
    buf_put(b, leg->target);
    put_line(b, SPAN(">"));
}

struct span
say_request(struct call *call, const struct ua *ua, const struct ask *ask)
{
    struct buf *b = &call->calls->scratch;
    bool bare = ask->method == METHOD_ACK || ask->method == METHOD_CANCEL;

    buf_clear(b);
    buf_put(b, ask->method_text);
    buf_put_char(b, ' ');
    buf_put(b, ask->leg ? leg_request_uri(ask->leg) : ask->uri);
    put_line(b, SPAN(" SIP/2.0"));
    put_via(b, call, ua, ask);
    buf_put(b, ask->routes);
    if (ask->leg)
        put_routes(b, ask->leg);
    buf_put(b, SPAN("Max-Forwards: "));
    buf_put_u64(b, ask->max_forwards > 0 ? ask->max_forwards : 70);
    put_line(b, SPAN(""));
    put_name(b, call->style, N_FROM);
    put_line(b, ask->from);
    put_name(b, call->style, N_TO);
    put_line(b, ask->to);
    put_name(b, call->style, N_CALL_ID);
    put_line(b, call->call_id);
    put_cseq(b, ask);
    if (!bare && ask->method != METHOD_REGISTER) {
        put_name(b, call->style, N_CONTACT);
        put_contact(b, ua);
    }
    buf_put(b, ask->extra);
    put_body(b, bare ? call->style & ~(unsigned)STYLE_BODY : call->style, ask->transport);
    return call_keep(call, buf_span(b));
}

static void
copy_fields(struct buf *b, const struct msg *msg, enum header id)
{
    const struct msg_field *field = NULL;

    while ((field = msg_find(msg, id, field))) {
        buf_put(b, names_header_text(id));
        buf_put(b, SPAN(": "));
        put_line(b, msg_value(msg, field));
    }
}

struct span
say_head(struct call *call, const struct msg *msg, const struct gist *gist, struct span tag)
{
    struct buf *b = &call->calls->scratch;

    buf_clear(b);
    copy_fields(b, msg, HDR_VIA);
    copy_fields(b, msg, HDR_RECORD_ROUTE);
    copy_fields(b, msg, HDR_FROM);
    buf_put(b, SPAN("To: "));
    buf_put(b, gist->to);
    if (!gist->has_to_tag) {
        buf_put(b, SPAN(";tag="));
        buf_put(b, tag);
    }
    put_line(b, SPAN(""));
    copy_fields(b, msg, HDR_CALL_ID);
    copy_fields(b, msg, HDR_CSEQ);
    return call_keep(call, buf_span(b));
}

struct span
say_response(struct call *call, const struct ua *ua, unsigned status, struct span head,
             struct span extra)
{
    struct buf *b = &call->calls->scratch;

    buf_clear(b);
    buf_put(b, SPAN("SIP/2.0 "));
    buf_put_u64(b, status);
    buf_put_char(b, ' ');
    put_line(b, status_phrase(status));
    buf_put(b, head);
    if (status > 100 && status < 300) {
        put_name(b, 0, N_CONTACT);
        put_contact(b, ua);
    }
    buf_put(b, extra);
    put_line(b, SPAN("Content-Length: 0"));
    put_line(b, SPAN(""));
    return call_keep(call, buf_span(b));
}

struct span
say_contact(struct call *call, const struct ua *ua)
{
    struct buf *b = &call->calls->scratch;

    buf_clear(b);
    put_contact(b, ua);
    return call_keep(call, span_trim(buf_span(b)));
}
