/*
 * Requests made of an INVITE that we sent: ACK to its failure (RFC 3261 §17.1.1.3) and CANCEL (§9.1).
 */
#include "sip/derive.h"

#include "sip/line.h"

static void
put_request_line(struct buf *b, struct span method, const struct msg *invite)
{
    buf_put(b, method);
    buf_put_char(b, ' ');
    line_text_put(b, msg_span(invite, invite->uri));
    buf_put(b, SPAN(" SIP/2.0\r\n"));
}

/* The one Via is the INVITE's topmost: by its branch the next hop finds the transaction. Routes are the INVITE's. */
static void
put_path(struct buf *b, const struct msg *invite, const struct gist *gist)
{
    line_put(b, SPAN("Via"), gist->via.whole);
    for (const struct msg_field *f = NULL; (f = msg_find(invite, HDR_ROUTE, f));)
        line_put(b, SPAN("Route"), msg_value(invite, f));
    line_put(b, SPAN("Max-Forwards"), SPAN("70"));
}

static void
put_dialog(struct buf *b, const struct gist *gist, struct span to, struct span method)
{
    line_put(b, SPAN("From"), gist->from);
    line_put(b, SPAN("To"), to);
    line_put(b, SPAN("Call-ID"), gist->call_id);
    buf_put(b, SPAN("CSeq: "));
    buf_put_u64(b, gist->cseq);
    buf_put_char(b, ' ');
    buf_put(b, method);
    buf_put(b, SPAN("\r\n"));
}

static void
put_end(struct buf *b)
{
    buf_put(b, SPAN("Content-Length: 0\r\n\r\n"));
}

void
derive_ack(struct buf *b, const struct msg *invite, const struct gist *invite_gist,
           const struct gist *response)
{
    put_request_line(b, SPAN("ACK"), invite);
    put_path(b, invite, invite_gist);
    put_dialog(b, invite_gist, response->to, SPAN("ACK"));
    put_end(b);
}

void
derive_cancel(struct buf *b, const struct msg *invite, const struct gist *invite_gist,
              struct span reason)
{
    put_request_line(b, SPAN("CANCEL"), invite);
    put_path(b, invite, invite_gist);
    put_dialog(b, invite_gist, invite_gist->to, SPAN("CANCEL"));
    if (reason.len > 0)
        line_put(b, SPAN("Reason"), reason);
    put_end(b);
}
