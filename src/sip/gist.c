/*
 * What every floor wants of a message, read once; what only some want stays unread and cannot hurt (RFC 3261 §8.1.1,
 * §8.2.6, §16.3 step 1, §20).
 */
#include "sip/gist.h"

#include "base/def.h"
#include "base/err.h"
#include "sip/addr.h"
#include "sip/chars.h"
#include "sip/num.h"

/* names.def has what is wanted here in front, so that one comparison passes over all else; `words` would not compile else. */
enum { WANTED = HDR_MAX_FORWARDS + 1 };

struct words {
    const char *missing, *bad, *repeated;
};

#define WORDS(name) { "Missing " name, "Bad " name, "Repeated " name }
static const struct words words[WANTED] = {
    [HDR_VIA] = WORDS("Via"),
    [HDR_FROM] = WORDS("From"),
    [HDR_TO] = WORDS("To"),
    [HDR_CALL_ID] = WORDS("Call-ID"),
    [HDR_CSEQ] = WORDS("CSeq"),
    [HDR_CONTENT_LENGTH] = WORDS("Content-Length"),
    [HDR_MAX_FORWARDS] = WORDS("Max-Forwards"),
};

/* The first fault is kept. */
static void
set_fault(struct gist *gist, const char *reason)
{
    if (gist->fault)
        return;
    gist->fault = 400;
    gist->fault_reason = reason;
}

/* A second field that says something else leaves open which is meant (RFC 4475 §3.3.8). */
static void
check_repeated(const struct msg *msg, struct gist *out, const struct msg_field *first)
{
    enum header id = (enum header)first->id;

    for (const struct msg_field *f = first; (f = msg_find(msg, id, f));)
        if (!span_eq(msg_value(msg, first), msg_value(msg, f)))
            set_fault(out, words[id].repeated);
}

/* The first field of each wanted name; all others go to one place: what the next one is no processor can foretell. */
static void
find_wanted(const struct msg *msg, struct gist *out, const struct msg_field *first[WANTED])
{
    uint32_t seen = 0, again = 0;

    for (size_t i = msg->fields_len; i-- > 0;) {
        const struct msg_field *f = &msg->fields[i];
        unsigned id = f->id < WANTED ? f->id : HDR_OTHER;

        first[id] = f;
        again |= seen & 1u << id;
        seen |= 1u << id;
    }
    again &= ~(1u << HDR_OTHER | 1u << HDR_VIA);
    for (unsigned id = 0; again >> id; id++)
        if (again >> id & 1)
            check_repeated(msg, out, first[id]);
}

/* The topmost Via, and whether the others of its line can be read: the next one down is where the response goes on. */
static void
read_via(const struct msg *msg, struct gist *out)
{
    struct span rest;
    struct via lower;
    int err;

    if (!out->via_field) {
        set_fault(out, words[HDR_VIA].missing);
        return;
    }
    rest = msg_value(msg, out->via_field);
    err = via_next(&rest, &out->via);
    if (err)
        out->via = (struct via){ .port = 0 };
    while (err == SIPD_OK && rest.len > 0)
        err = via_next(&rest, &lower);
    if (out->via.whole.len == 0 || err == SIPD_ESYNTAX)
        set_fault(out, words[HDR_VIA].bad);
}

/* From or To: the value and its tag, which may be absent (RFC 2543) but not empty (§25.1 tag-param). */
static void
read_party(const struct msg *msg, struct gist *out, const struct msg_field *field, enum header id, struct span *value,
           struct span *tag)
{
    struct addr addr;

    if (!field) {
        set_fault(out, words[id].missing);
        return;
    }
    *value = msg_value(msg, field);
    if (addr_read(*value, &addr) || addr.star) {
        set_fault(out, words[id].bad);
        return;
    }
    if (param_find(addr.params, SPAN("tag"), tag) && tag->len == 0)
        set_fault(out, words[id].bad);
}

/* callid = word [ "@" word ] (§25.1) has no blank; every other byte is only ever compared. */
static bool
is_call_id(struct span value)
{
    size_t n = scan_run(value, &chars_visible);

    while (n < value.len && (unsigned char)value.at[n] >= 0x80)
        n += 1 + scan_run(span_skip(value, n + 1), &chars_visible);
    return n == value.len && n > 0;
}

static void
read_call_id(const struct msg *msg, struct gist *out, const struct msg_field *field)
{
    if (!field) {
        set_fault(out, words[HDR_CALL_ID].missing);
        return;
    }
    out->call_id = msg_value(msg, field);
    if (!is_call_id(out->call_id))
        set_fault(out, words[HDR_CALL_ID].bad);
}

/* CSeq; in a request it repeats the method (§8.1.1.5), in a response it is all there is of it. */
static void
read_cseq(const struct msg *msg, struct gist *out, const struct msg_field *field)
{
    if (!field) {
        set_fault(out, words[HDR_CSEQ].missing);
        return;
    }
    if (!num_cseq(msg_value(msg, field), &out->cseq, &out->cseq_method)) {
        set_fault(out, words[HDR_CSEQ].bad);
        return;
    }
    if (!msg_is_request(msg)) {
        out->method_text = out->cseq_method;
        out->method = names_method(out->cseq_method);
    } else if (!span_eq(out->cseq_method, out->method_text)) {
        set_fault(out, "CSeq Names Another Method");
    }
}

static void
read_max_forwards(const struct msg *msg, struct gist *out, const struct msg_field *field)
{
    if (!field)
        return;
    out->has_max_forwards = num_max_forwards(msg_value(msg, field), &out->max_forwards);
    if (!out->has_max_forwards && msg_is_request(msg))
        set_fault(out, words[HDR_MAX_FORWARDS].bad);
}

/* More bytes than announced were cut off by frame; fewer are a fault (§18.3). */
static void
read_length(const struct msg *msg, struct gist *out, const struct msg_field *field)
{
    uint32_t length;

    if (!field)
        return;
    if (!num_length(msg_value(msg, field), &length))
        set_fault(out, words[HDR_CONTENT_LENGTH].bad);
    else if (length > msg->body_len)
        set_fault(out, "Body Shorter Than Content-Length");
}

/* Whoever needs the Request-URI reads it; but < > around it are no URI of any scheme (RFC 4475 §3.1.2.7). */
static void
check_uri(const struct msg *msg, struct gist *out)
{
    struct span uri = msg_span(msg, msg->uri);

    if (msg_is_request(msg) && span_find(uri, '<') < uri.len)
        set_fault(out, "Bad Request-URI");
}

void
gist_read(const struct msg *msg, struct gist *out)
{
    const struct msg_field *first[WANTED] = { NULL };

    *out = (struct gist){ .method = msg->method, .fault = msg->fault, .fault_reason = msg->fault_reason };
    out->method_text = msg_span(msg, msg->method_text);
    check_uri(msg, out);
    find_wanted(msg, out, first);
    out->via_field = first[HDR_VIA];
    read_via(msg, out);
    read_party(msg, out, first[HDR_FROM], HDR_FROM, &out->from, &out->from_tag);
    read_party(msg, out, first[HDR_TO], HDR_TO, &out->to, &out->to_tag);
    out->has_to_tag = out->to_tag.len > 0;
    read_call_id(msg, out, first[HDR_CALL_ID]);
    read_cseq(msg, out, first[HDR_CSEQ]);
    read_max_forwards(msg, out, first[HDR_MAX_FORWARDS]);
    read_length(msg, out, first[HDR_CONTENT_LENGTH]);
    out->answerable = out->via.whole.len > 0 && first[HDR_CSEQ];
}
