/*
 * A phone of the simulator: it says what the script tells it, by the rules of RFC 3261 §8, §12, §13 and §17.1.1.3.
 */
#include "sim/peer.h"

#include "base/mem.h"
#include "sip/addr.h"
#include "sip/derive.h"
#include "sip/draft.h"
#include "sip/status.h"
#include "sip/uri.h"

enum { PEER_BYTES = 64 << 20, MESSAGE_BYTES = 1 << 17 };

struct peer *
peer_new(struct span name, const struct hop *at, struct span domain)
{
    struct peer *p = mem_new(sizeof *p);

    BUG_ON(!p);
    arena_init(&p->arena, PEER_BYTES);
    list_init(&p->link);
    list_init(&p->inbox);
    list_init(&p->archive);
    p->name = arena_copy(&p->arena, name);
    p->domain = arena_copy(&p->arena, domain);
    p->at = p->seen = *at;
    return p;
}

void
peer_free(struct peer *p)
{
    list_remove(&p->link);
    arena_fini(&p->arena);
    mem_free(p);
}

/* The same bytes, or a request of the same transaction (RFC 3261 §17.2.3). */
static bool
is_repeat(const struct peer_heard *it, const struct peer_heard *of)
{
    if (span_eq(it->bytes, of->bytes))
        return true;
    return msg_is_request(&it->msg) && msg_is_request(&of->msg) && it->gist.via.branch.len > 0 &&
           span_eq(it->gist.via.branch, of->gist.via.branch) &&
           span_eq(it->gist.method_text, of->gist.method_text);
}

static bool
was_heard(const struct list *list, const struct peer_heard *it)
{
    list_each (node, after, list)
        if (is_repeat(it, container_of(node, struct peer_heard, link)))
            return true;
    return false;
}

void
peer_hear(struct peer *p, const struct hop *from, struct span bytes, uint64_t now_ms)
{
    struct peer_heard *heard = arena_zalloc(&p->arena, sizeof *heard);

    BUG_ON(!heard);
    heard->bytes = arena_copy(&p->arena, bytes);
    heard->from = *from;
    heard->at_ms = now_ms;
    list_init(&heard->link);
    BUG_ON(msg_read(heard->bytes, &p->arena, &heard->msg) != SIPD_OK);
    gist_read(&heard->msg, &heard->gist);
    if (was_heard(&p->inbox, heard) || was_heard(&p->archive, heard))
        p->repeats++;
    else
        list_push(&p->inbox, &heard->link);
}

static struct span
one(struct peer *p, struct span value, bool with_tag)
{
    struct addr addr;

    BUG_ON(addr_read(value, &addr) != SIPD_OK);
    return with_tag ? arena_copy(&p->arena, value) : arena_copy(&p->arena, addr.uri);
}

/* §12.1.1 and §12.1.2: route set and remote target come from Record-Route and Contact. */
static void
take_dialog(struct peer *p, const struct peer_heard *heard, bool is_caller)
{
    struct peer_side *side = &p->side;
    const struct msg_field *field = NULL;
    struct span contact;
    unsigned n = 0;

    side->is_caller = is_caller;
    while ((field = msg_find(&heard->msg, HDR_RECORD_ROUTE, field))) {
        struct span rest = msg_value(&heard->msg, field);
        struct addr addr;

        while (n < countof(side->routes) && addr_next(&rest, &addr) == SIPD_OK)
            side->routes[n++] = addr.whole;
    }
    side->routes_len = n;
    for (unsigned i = 0; is_caller && i < n / 2; i++) {
        struct span kept = side->routes[i];

        side->routes[i] = side->routes[n - 1 - i];
        side->routes[n - 1 - i] = kept;
    }
    if (msg_get(&heard->msg, HDR_CONTACT, &contact))
        side->target = one(p, contact, false);
    side->call_id = heard->gist.call_id;
    side->remote = is_caller ? heard->gist.to : heard->gist.from;
    if (is_caller)
        side->local = heard->gist.from;
    p->in_dialog = true;
}

/* One at a time: a script that wants both has two peers. */
static bool
makes_dialog(enum method method)
{
    return method == METHOD_INVITE || method == METHOD_SUBSCRIBE;
}

const struct peer_heard *
peer_next(struct peer *p)
{
    struct list *node = list_shift(&p->inbox);
    struct peer_heard *heard;

    if (!node)
        return NULL;
    heard = container_of(node, struct peer_heard, link);
    list_push(&p->archive, node);
    if (!msg_is_request(&heard->msg) && makes_dialog(heard->gist.method) &&
        heard->gist.has_to_tag && heard->msg.status > 100 && heard->msg.status < 300)
        take_dialog(p, heard, true);
    if (msg_is_request(&heard->msg) && makes_dialog(heard->gist.method) && !heard->gist.has_to_tag)
        p->in_dialog = false;
    return heard;
}

const struct peer_heard *
peer_last_request(const struct peer *p, struct span method)
{
    for (const struct list *node = p->archive.prev; node != &p->archive; node = node->prev) {
        const struct peer_heard *heard = (const struct peer_heard *)(const void *)node;

        if (!msg_is_request(&heard->msg))
            continue;
        if (method.len == 0
                ? heard->gist.method != METHOD_ACK && heard->gist.method != METHOD_CANCEL
                : span_eq(heard->gist.method_text, method))
            return heard;
    }
    return NULL;
}

/* Does the script bring this field itself? */
static bool
is_given(struct span extra, struct span name)
{
    while (extra.len > 0) {
        struct span line = span_cut(&extra, '\n');

        if (span_ieq(span_trim(span_head(line, span_find(line, ':'))), name))
            return true;
    }
    return false;
}

static void
field(struct buf *b, const struct peer_say *say, const char *name, struct span value)
{
    if (is_given(say->extra, span_of(name)) || value.len == 0)
        return;
    buf_put(b, span_of(name));
    buf_put(b, SPAN(": "));
    buf_put(b, value);
    buf_put(b, SPAN("\r\n"));
}

static struct span format(struct peer *p, const char *text, ...) PRINTF_LIKE(2, 3);

#include <stdarg.h>
#include <stdio.h>

static struct span
format(struct peer *p, const char *text, ...)
{
    char bytes[1024];
    va_list args;
    int len;

    va_start(args, text);
    len = vsnprintf(bytes, sizeof bytes, text, args);
    va_end(args);
    return arena_copy(&p->arena, (struct span){ bytes, (size_t)len });
}

static struct span
address(const struct peer *p, char to[HOP_TEXT_BYTES])
{
    return hop_write(&p->at, to);
}

static struct span
contact(struct peer *p)
{
    char text[HOP_TEXT_BYTES];
    struct span at = address(p, text);
    bool udp = p->at.transport == HOP_UDP;

    return format(p, "<sip:%.*s@%.*s%s%.*s>", SPAN_ARG(p->name), SPAN_ARG(at),
                  udp ? "" : ";transport=", udp ? 0 : (int)hop_transport_uri(p->at.transport).len,
                  hop_transport_uri(p->at.transport).at);
}

static void
finish(struct buf *b, const struct peer_say *say)
{
    buf_put(b, say->extra);
    if (!is_given(say->extra, SPAN("Content-Length"))) {
        buf_put(b, SPAN("Content-Length: "));
        buf_put_u64(b, say->body.len);
        buf_put(b, SPAN("\r\n"));
    }
    buf_put(b, SPAN("\r\n"));
    buf_put(b, say->body);
}

static struct span
keep(struct peer *p, struct buf *b)
{
    struct span kept = arena_copy(&p->arena, buf_span(b));

    BUG_ON(b->err != SIPD_OK);
    buf_fini(b);
    p->last_sent = kept;
    return kept;
}

static void
request_line(struct buf *b, struct span method, struct span uri)
{
    buf_put(b, method);
    buf_put(b, SPAN(" "));
    buf_put(b, uri);
    buf_put(b, SPAN(" SIP/2.0\r\n"));
}

static struct span
new_via(struct peer *p)
{
    char text[HOP_TEXT_BYTES];
    struct span at = address(p, text);

    return format(p, "SIP/2.0/%.*s %.*s;branch=z9hG4bK-%.*s-%u",
                  SPAN_ARG(hop_transport_via(p->at.transport)), SPAN_ARG(at), SPAN_ARG(p->name),
                  ++p->serial);
}

/* Outside dialogs (§8.1.1); an INVITE begins a call of its own. */
static struct span
write_new(struct peer *p, const struct peer_say *say)
{
    bool registers = span_eq(say->what, SPAN("REGISTER"));
    struct span via = new_via(p);
    struct span aor = format(p, "<sip:%.*s@%.*s>", SPAN_ARG(p->name), SPAN_ARG(p->domain));
    struct span from = format(p, "%.*s;tag=%.*s%u", SPAN_ARG(aor), SPAN_ARG(p->name), p->serial);
    struct span to = registers ? aor : format(p, "<%.*s>", SPAN_ARG(say->uri));
    struct span call_id = registers ? format(p, "reg-%.*s", SPAN_ARG(p->name))
                                    : format(p, "call-%.*s-%u", SPAN_ARG(p->name), p->serial);
    uint32_t cseq = registers ? ++p->register_cseq : 1;
    struct buf b;

    buf_init(&b, MESSAGE_BYTES);
    request_line(&b, say->what, say->uri);
    field(&b, say, "Via", via);
    field(&b, say, "Max-Forwards", SPAN("70"));
    field(&b, say, "From", from);
    field(&b, say, "To", to);
    field(&b, say, "Call-ID", call_id);
    field(&b, say, "CSeq", format(p, "%u %.*s", cseq, SPAN_ARG(say->what)));
    field(&b, say, "Contact", contact(p));
    finish(&b, say);
    if (makes_dialog(names_method(say->what))) {
        p->in_dialog = false;
        p->side = (struct peer_side){
            .is_caller = true, .call_id = call_id, .local = from, .remote = to, .cseq = cseq
        };
    }
    if (span_eq(say->what, SPAN("INVITE")))
        return p->invite = keep(p, &b);
    if (registers)
        return p->registration = keep(p, &b);
    return keep(p, &b);
}

/* The answer may have been on its way when the connection died, and come behind the request that asks anew. */
bool
peer_is_back(const struct peer *p, const struct peer_heard *answer)
{
    const struct gist *gist = &answer->gist;

    if (gist->method != METHOD_REGISTER || p->back_cseq == 0 || gist->cseq != p->back_cseq)
        return false;
    list_each (node, after, &p->archive) {
        const struct peer_heard *heard = (const struct peer_heard *)(const void *)node;

        if (heard->msg.status / 100 == 2 && heard->gist.cseq >= p->back_from &&
            heard->gist.cseq < p->back_cseq && span_eq(heard->gist.call_id, gist->call_id))
            return true;
    }
    return false;
}

/* Does it give up what it registered? */
static bool
says_goodbye(const struct msg *msg)
{
    struct span value;

    return (msg_get(msg, HDR_EXPIRES, &value) && span_eq(value, SPAN("0"))) ||
           (msg_get(msg, HDR_CONTACT, &value) && memmem(value.at, value.len, "expires=0", 9));
}

struct span
peer_come_back(struct peer *p)
{
    struct span none = { NULL, 0 }, cseq;
    struct draft draft;
    struct msg msg;
    struct gist gist;

    if (p->registration.len == 0 || msg_read(p->registration, &p->arena, &msg) != SIPD_OK)
        return none;
    gist_read(&msg, &gist);
    if (says_goodbye(&msg) || !msg_get(&msg, HDR_CSEQ, &cseq))
        return none;
    if (p->register_cseq < gist.cseq)
        p->register_cseq = gist.cseq;
    if (p->back_cseq != gist.cseq)
        p->back_from = gist.cseq;
    p->back_cseq = ++p->register_cseq;
    draft_init(&draft, &msg, &p->arena);
    draft_drop_field(&draft, msg_find(&msg, HDR_CSEQ, NULL));
    draft_add_header(&draft, SPAN("CSeq"), format(p, "%u REGISTER", p->register_cseq));
    draft_pop_via(&draft, &gist);
    draft_push_via(&draft, &gist, new_via(p));
    BUG_ON(draft_render(&draft, &p->arena, &p->registration) != SIPD_OK);
    return p->last_sent = p->registration;
}

/* Within the dialog (§12.2.1.1); an ACK to a 2xx has the CSeq number of its INVITE (§13.2.2.4). */
static struct span
write_in_dialog(struct peer *p, const struct peer_say *say, struct span method)
{
    struct peer_side *side = &p->side;
    bool ack = span_eq(method, SPAN("ACK"));
    struct buf b;

    if (!ack)
        side->cseq++;
    buf_init(&b, MESSAGE_BYTES);
    request_line(&b, method, say->uri.len > 0 ? say->uri : side->target);
    field(&b, say, "Via", new_via(p));
    field(&b, say, "Max-Forwards", SPAN("70"));
    for (unsigned i = 0; i < side->routes_len; i++)
        field(&b, say, "Route", side->routes[i]);
    field(&b, say, "From", side->local);
    field(&b, say, "To", side->remote);
    field(&b, say, "Call-ID", side->call_id);
    field(&b, say, "CSeq", format(p, "%u %.*s", side->cseq, SPAN_ARG(method)));
    field(&b, say, "Contact", ack ? (struct span){ NULL, 0 } : contact(p));
    finish(&b, say);
    if (span_eq(method, SPAN("INVITE")))
        return p->invite = keep(p, &b);
    return keep(p, &b);
}

/* What follows from the INVITE we sent: its CANCEL (§9.1), the ACK of its failure (§17.1.1.3); and what the script wants in it. */
static struct span
write_derived(struct peer *p, bool cancel, const struct gist *response, struct span extra)
{
    struct msg invite;
    struct gist gist;
    struct buf b;

    BUG_ON(msg_read(p->invite, &p->arena, &invite) != SIPD_OK);
    gist_read(&invite, &gist);
    buf_init(&b, MESSAGE_BYTES);
    if (cancel)
        derive_cancel(&b, &invite, &gist, (struct span){ NULL, 0 });
    else
        derive_ack(&b, &invite, &gist, response);
    b.len -= 2; /* the empty line */
    buf_put(&b, extra);
    buf_put(&b, SPAN("\r\n"));
    return keep(p, &b);
}

static const struct peer_heard *
last_final_to_invite(const struct peer *p)
{
    for (const struct list *node = p->archive.prev; node != &p->archive; node = node->prev) {
        const struct peer_heard *heard = (const struct peer_heard *)(const void *)node;

        if (!msg_is_request(&heard->msg) && heard->msg.status >= 200 &&
            heard->gist.method == METHOD_INVITE)
            return heard;
    }
    return NULL;
}

static struct span
write_ack(struct peer *p, const struct peer_say *say, const char **why)
{
    const struct peer_heard *heard = last_final_to_invite(p);

    if (heard && heard->msg.status >= 300)
        return write_derived(p, false, &heard->gist, say->extra);
    if (heard && p->in_dialog)
        return write_in_dialog(p, say, SPAN("ACK"));
    *why = "no final response to an INVITE was heard";
    return (struct span){ NULL, 0 };
}

/* The callee's end of the dialog that its 1xx or 2xx makes (§12.1.1). */
static void
make_callee_dialog(struct peer *p, const struct peer_heard *heard, struct span to)
{
    if (heard->gist.has_to_tag || p->in_dialog)
        return;
    take_dialog(p, heard, false);
    p->side.local = to;
    p->side.cseq = 100;
}

/* §8.2.6; the tag is one for each peer and call. */
static struct span
write_response(struct peer *p, const struct peer_say *say, unsigned status, const char **why)
{
    const struct peer_heard *heard = peer_last_request(p, say->about);
    const struct msg_field *via = NULL, *rr = NULL;
    struct span to;
    struct buf b;

    if (!heard) {
        *why = "there is no request to answer";
        return (struct span){ NULL, 0 };
    }
    to = heard->gist.has_to_tag || status == 100
             ? heard->gist.to
             : format(p, "%.*s;tag=%.*s", SPAN_ARG(heard->gist.to), SPAN_ARG(p->name));
    buf_init(&b, MESSAGE_BYTES);
    buf_put(&b, SPAN("SIP/2.0 "));
    buf_put_u64(&b, status);
    buf_put(&b, SPAN(" "));
    buf_put(&b, status_phrase(status));
    buf_put(&b, SPAN("\r\n"));
    while ((via = msg_find(&heard->msg, HDR_VIA, via)))
        field(&b, say, "Via", msg_value(&heard->msg, via));
    while ((rr = msg_find(&heard->msg, HDR_RECORD_ROUTE, rr)))
        field(&b, say, "Record-Route", msg_value(&heard->msg, rr));
    field(&b, say, "From", heard->gist.from);
    field(&b, say, "To", to);
    field(&b, say, "Call-ID", heard->gist.call_id);
    field(&b, say, "CSeq",
          format(p, "%u %.*s", heard->gist.cseq, SPAN_ARG(heard->gist.cseq_method)));
    field(&b, say, "Contact", contact(p));
    finish(&b, say);
    if (makes_dialog(heard->gist.method) && status > 100 && status < 300)
        make_callee_dialog(p, heard, to);
    p->last_to = heard->from;
    return keep(p, &b);
}

struct span
peer_write(struct peer *p, const struct peer_say *say, const char **why)
{
    uint32_t status;

    if (span_u32(say->what, 699, &status) && status >= 100)
        return write_response(p, say, status, why);
    if (span_eq(say->what, SPAN("ACK")))
        return write_ack(p, say, why);
    if (span_eq(say->what, SPAN("CANCEL")))
        return write_derived(p, true, NULL, say->extra);
    if (span_eq(say->what, SPAN("reINVITE")))
        return write_in_dialog(p, say, SPAN("INVITE"));
    if (say->uri.len == 0 && p->in_dialog)
        return write_in_dialog(p, say, say->what);
    if (say->uri.len == 0) {
        *why = "no Request-URI, and no dialog";
        return (struct span){ NULL, 0 };
    }
    return write_new(p, say);
}
