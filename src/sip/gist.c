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
#include "sip/uri.h"

/* names.def has what is wanted here in front; `words` would not compile else. */
enum { WANTED = HDR_MAX_FORWARDS + 1 };

struct words {
    const char *missing, *bad, *repeated;
};

#define WORDS(name)                                    \
    {                                                  \
        "Missing " name, "Bad " name, "Repeated " name \
    }
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
APART static void
set_fault(struct gist *gist, const char *reason)
{
    if (gist->fault)
        return;
    gist->fault = 400;
    gist->fault_reason = reason;
}

static void
note(struct gist *gist, enum deviation id, bool is_so)
{
    gist->odd |= (uint64_t)is_so << id;
}

/* The value of the first field of one of the most used ids. False: there is none. */
static inline bool
first_value(const struct msg *msg, enum header id, struct span *value)
{
    if (!msg_may_have(msg, id))
        return false;
    *value = msg_value(msg, &msg->fields[msg->first[id]]);
    return true;
}

/* The same, of one that every message must have. */
static inline bool
take_wanted(const struct msg *msg, struct gist *out, enum header id, struct span *value)
{
    bool there = first_value(msg, id, value);

    if (!there)
        set_fault(out, words[id].missing);
    return there;
}

/* A second field that says something else leaves open which is meant (RFC 4475 §3.3.8). */
APART static void
check_repeated(const struct msg *msg, struct gist *out, const struct msg_field *first)
{
    enum header id = (enum header)first->id;

    note(out, DEV_REPEATED_FIELD, true);
    for (const struct msg_field *f = first; (f = msg_find(msg, id, f));)
        if (!span_eq(msg_value(msg, first), msg_value(msg, f)))
            set_fault(out, words[id].repeated);
}

/* The bits of fields that may stand there once (names.def); of the last ones, which share a bit, that one. */
#define METHOD(id, text)
#define HEADER(id, text, compact, flags, section) \
    | (uint64_t)(((flags)&H_SINGLE) != 0) << (HDR_##id < 63 ? HDR_##id : 63)
static const uint64_t singles = 0
#include "sip/names.def"
    ;

/* Is there one of those that share a bit, and again? */
APART static bool
is_rare_again(const struct msg *msg)
{
    for (unsigned id = 63; id < HEADERS; id++) {
        const struct msg_field *first = msg_find(msg, (enum header)id, NULL);

        if ((names_header_flags((enum header)id) & H_SINGLE) && first &&
            msg_find(msg, (enum header)id, first))
            return true;
    }
    return false;
}

/* Of all that is wanted here there is one, Via alone may come again. */
static void
check_single(const struct msg *msg, struct gist *out)
{
    const uint64_t wanted = ((uint64_t)1 << WANTED) - 1, rare = (uint64_t)1 << 63;
    uint64_t again = msg->again & singles;

    if (again == 0)
        return;
    for (unsigned id = 0; id < WANTED; id++)
        if (again >> id & 1)
            check_repeated(msg, out, msg_first(msg, (enum header)id));
    note(out, DEV_REPEATED_OTHER,
         (again & ~wanted & ~rare) != 0 || ((again & rare) != 0 && is_rare_again(msg)));
}

/* The first that says something; one above it that does not is refused, but its sender is told. */
static const struct msg_field *
topmost_via(const struct msg *msg, struct gist *out)
{
    const struct msg_field *first = msg_first(msg, HDR_VIA), *field = first;

    while (field && via_is_empty(msg_value(msg, field)))
        field = msg_find(msg, HDR_VIA, field);
    if (!first)
        set_fault(out, words[HDR_VIA].missing);
    else if (field != first)
        set_fault(out, words[HDR_VIA].bad);
    return field ? field : first;
}

/* Empty elements before, between or behind those that are there. */
APART static bool
has_empty_via(struct span value)
{
    bool empty = true, quoted = false;

    for (size_t i = 0; i < value.len; i++) {
        quoted ^= value.at[i] == '"' && (i == 0 || value.at[i - 1] != '\\');
        if (value.at[i] == ',' && !quoted && empty)
            return true;
        if (!span_is_lws(value.at[i]))
            empty = value.at[i] == ',' && !quoted;
    }
    return empty;
}

/* No control byte may be mended in it, or stay: where the answer goes has one reading. */
APART static bool
has_control(const struct msg *msg)
{
    for (const struct msg_field *f = NULL; (f = msg_find(msg, HDR_VIA, f));) {
        struct span value = msg_value(msg, f);

        for (size_t i = 0; i < value.len; i++)
            if (chars_is_stray(value.at[i]) && !span_starts(span_skip(value, i), SPAN("\r\n")))
                return true;
    }
    return false;
}

/* The first element of a value; what is none is read as far as an answer to it needs. The rest is the Vias below. */
static int
read_first_via(struct span value, struct gist *out)
{
    int err;

    out->vias_below = value;
    err = via_next(&out->vias_below, &out->via);
    if (err == SIPD_OK)
        return SIPD_OK;
    out->vias_below = (struct span){ NULL, 0 };
    if (!via_salvage(value, &out->via))
        out->via = (struct via){ .port = 0 };
    return err;
}

static void
note_via(const struct via *via, struct gist *out)
{
    note(out, DEV_NO_COOKIE, !via->has_cookie);
    note(out, DEV_VIA_TWICE, via->twice);
    note(out, DEV_VIA_BLANKS, via->blanks);
    note(out, DEV_VIA_CHARACTERS, via->characters && !via->blanks);
    note(out, DEV_VIA_LOOSE, via->loose);
}

APART static int
read_lower_vias(struct span rest)
{
    struct via lower;
    int err = SIPD_OK;

    while (err == SIPD_OK && rest.len > 0)
        err = via_next(&rest, &lower);
    return err;
}

/* The topmost Via, and whether the others of its line can be read: the next one down is where the response goes on. */
static void
read_via(const struct msg *msg, struct gist *out)
{
    const uint64_t controls = deviation_bit(DEV_CONTROL_BYTES) | deviation_bit(DEV_BARE_CR);
    struct span value;
    int err;

    out->via_field = topmost_via(msg, out);
    if (!out->via_field) {
        out->via = (struct via){ .port = 0 };
        return;
    }
    value = msg_value(msg, out->via_field);
    err = read_first_via(value, out);
    if (err == SIPD_OK && out->vias_below.len > 0)
        err = read_lower_vias(out->vias_below);
    if (out->via.whole.len == 0 || err == SIPD_ESYNTAX ||
        ((msg->odd & controls) && has_control(msg)))
        set_fault(out, words[HDR_VIA].bad);
    if (out->via.whole.len < value.len)
        note(out, DEV_VIA_LOOSE, has_empty_via(value));
    if (msg_is_request(msg))
        note_via(&out->via, out);
}

/* A quoted string, or no blank in it. */
static bool
is_one_word(struct span tag)
{
    if (chars_begin(tag, '"') && chars_quoted(tag) == tag.len)
        return true;
    for (size_t i = 0; i < tag.len; i++)
        if ((unsigned char)tag.at[i] <= ' ')
            return false;
    return true;
}

/* The first tag; there may be none (RFC 2543), but not an empty one (§25.1 tag-param), and only one (§7.3.1). */
static void
read_tag(struct span params, struct span *tag, uint64_t *odd)
{
    struct param one;

    while (param_next(&params, &one)) {
        if (!span_ieq(one.name, SPAN("tag")))
            continue;
        if (one.value.len == 0)
            *odd |= deviation_bit(DEV_EMPTY_TAG);
        else if (!chars_is_token(one.value))
            *odd |= deviation_bit(is_one_word(one.value) ? DEV_TAG_CHARACTERS : DEV_TAG_BLANKS);
        if (tag->at)
            *odd |= deviation_bit(DEV_TAG_TWICE);
        else
            *tag = one.value;
    }
}

/* The display name never ends; but what stands behind it reads as an address. */
static bool
has_address_behind(struct span value)
{
    struct addr addr;

    return addr_read(span_skip(value, span_find(value, '<')), &addr) == SIPD_OK;
}

/* As party_read(), of one that is otherwise than nearly all write it. */
APART static bool
odd_party_read(struct span value, struct span *tag, uint64_t *odd)
{
    struct addr addr;

    *tag = (struct span){ NULL, 0 };
    if (addr_read_noting(value, &addr, odd) == SIPD_OK) {
        read_tag(addr.params, tag, odd);
        return true;
    }
    return *odd == deviation_bit(DEV_OPEN_QUOTE) && has_address_behind(value);
}

/* From or To. False: nothing can be read in it. */
static bool
party_read(struct span value, struct span *tag, uint64_t *odd)
{
    *odd = 0;
    return addr_plain_read(value, tag) || odd_party_read(value, tag, odd);
}

uint64_t
gist_party_odd(struct span value)
{
    struct span tag;
    uint64_t odd;

    (void)party_read(value, &tag, &odd);
    return odd;
}

static void
read_party(const struct msg *msg, struct gist *out, enum header id, struct span *value,
           struct span *tag)
{
    uint64_t odd;

    if (!take_wanted(msg, out, id, value))
        return;
    if (party_read(*value, tag, &odd))
        out->odd |= odd;
    else
        set_fault(out, words[id].bad);
}

/* callid = word [ "@" word ] (§25.1); every byte is only ever compared, but blanks and control bytes mean no good. */
APART static void
odd_call_id(struct gist *out)
{
    struct span value = out->call_id;
    bool blank = false, control = value.len == 0;

    for (size_t i = 0; i < value.len; i++) {
        unsigned char c = (unsigned char)value.at[i];

        blank |= span_is_lws(value.at[i]);
        control |= (c < ' ' && !span_is_lws(value.at[i])) || c == 0x7f;
    }
    note(out, blank ? DEV_CALL_ID_BLANKS : DEV_CALL_ID_CHARACTERS, !control);
    if (control)
        set_fault(out, words[HDR_CALL_ID].bad);
}

static void
read_call_id(const struct msg *msg, struct gist *out)
{
    if (!take_wanted(msg, out, HDR_CALL_ID, &out->call_id))
        return;
    if (scan_run(out->call_id, &chars_call_id) < out->call_id.len || out->call_id.len == 0)
        odd_call_id(out);
}

/* CSeq; in a request it repeats the method (§8.1.1.5), in a response it is all there is of it. */
static void
read_cseq(const struct msg *msg, struct gist *out)
{
    struct span value;

    if (!take_wanted(msg, out, HDR_CSEQ, &value))
        return;
    if (!num_cseq(value, &out->cseq, &out->cseq_method)) {
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
read_max_forwards(const struct msg *msg, struct gist *out)
{
    struct span value;
    bool there = first_value(msg, HDR_MAX_FORWARDS, &value);

    if (there)
        out->has_max_forwards = num_max_forwards(value, &out->max_forwards);
    if (!out->has_max_forwards && msg_is_request(msg))
        note(out, there ? DEV_MAX_FORWARDS : DEV_NO_MAX_FORWARDS, true);
}

/* More bytes than announced were cut off by frame; fewer are a fault (§18.3). */
static void
read_length(const struct msg *msg, struct gist *out)
{
    struct span value;
    uint32_t length;

    if (!first_value(msg, HDR_CONTENT_LENGTH, &value))
        return;
    if (!num_length(value, &length))
        set_fault(out, words[HDR_CONTENT_LENGTH].bad);
    else if (length > msg->body_len)
        set_fault(out, "Body Shorter Than Content-Length");
}

/* Bytes that no URI has: < > around it (RFC 4475 §3.1.2.7), blanks (§3.1.2.8), and what should be escaped. */
APART static void
odd_uri(struct span uri, struct gist *out)
{
    bool around = uri.len > 2 && uri.at[0] == '<' && uri.at[uri.len - 1] == '>';
    struct span inside = around ? span_head(span_skip(uri, 1), uri.len - 2) : uri;

    for (size_t i = 0; i < inside.len; i++) {
        char c = inside.at[i];

        if (c == ' ' || c == '\t')
            note(out, DEV_URI_BLANKS, true);
        else if (!chars_is(c, CHARS_URI) && c != '%')
            set_fault(out, "Bad Request-URI");
    }
    note(out, DEV_URI_BRACKETS, around);
    note(out, DEV_URI_CHARACTERS, !around && !(out->odd & deviation_bit(DEV_URI_BLANKS)));
}

/* sip:@host or sips:@host; what an @ means behind another scheme is not for us to say. */
static bool
has_empty_user(struct span uri)
{
    size_t colon = uri.len > 5 && uri.at[4] == ':' ? 4 : 3;

    return uri.len > 5 && uri.at[colon] == ':' && uri.at[colon + 1] == '@' &&
           span_ieq(span_head(uri, colon), (struct span){ "sips", colon });
}

/* Header fields or a method (§19.1.1)? */
APART static bool
has_foreign_parts(struct span uri)
{
    struct span method;
    struct uri parts;

    return uri_read(uri, &parts) == SIPD_OK &&
           (parts.scheme == URI_SIP || parts.scheme == URI_SIPS) &&
           ((parts.headers.at && parts.headers.at[-1] == '?') ||
            uri_param(&parts, SPAN("method"), &method));
}

/* Whoever needs the Request-URI reads it; here are only the bytes that it has. Most have neither a ? nor a ;. */
static void
check_uri(const struct msg *msg, struct gist *out)
{
    struct span uri = msg_span(msg, msg->uri);
    size_t simple;

    if (!msg_is_request(msg))
        return;
    note(out, DEV_URI_EMPTY_USER, has_empty_user(uri));
    simple = scan_run(uri, &chars_simple_uri);
    if (simple == uri.len)
        return;
    if (scan_run(span_skip(uri, simple), &chars_uri) < uri.len - simple)
        odd_uri(uri, out);
    note(out, DEV_URI_FOREIGN, scan_find(uri, '?', ';', ';') < uri.len && has_foreign_parts(uri));
}

static bool
has_param_twice(struct span params)
{
    static const struct span names[] = {
        { "expires", 7 }, { "q", 1 }, { "reg-id", 6 }, { "+sip.instance", 13 }
    };
    unsigned seen = 0;
    struct param one;

    while (param_next(&params, &one))
        for (unsigned i = 0; i < countof(names); i++)
            if (span_ieq(one.name, names[i])) {
                if (seen >> i & 1)
                    return true;
                seen |= 1u << i;
            }
    return false;
}

/* What a registrar reads; nobody else needs it, and its own reader refuses what it cannot take. */
APART static void
read_contacts(const struct msg *msg, struct gist *out)
{
    for (const struct msg_field *f = NULL; (f = msg_find(msg, HDR_CONTACT, f));) {
        struct span rest = msg_value(msg, f);
        struct addr addr;
        uint64_t odd;

        while (addr_next_noting(&rest, &addr, &odd) == SIPD_OK) {
            note(out, DEV_CONTACT_BRACKETS, (odd & deviation_bit(DEV_NO_BRACKETS)) != 0);
            note(out, DEV_CONTACT_TWICE, has_param_twice(addr.params));
        }
    }
}

/* A body should say what it is (§20.15). */
static bool
lacks_type(const struct msg *msg)
{
    return msg->body_len > 0 && !msg_may_have(msg, HDR_CONTENT_TYPE);
}

void
gist_read(const struct msg *msg, struct gist *out)
{
    const uint64_t unread_tag = deviation_bit(DEV_OPEN_QUOTE) | deviation_bit(DEV_EMPTY_TAG);

    memset(out, 0, offsetof(struct gist, via));
    out->method = msg->method;
    out->odd = msg->odd;
    out->fault = msg->fault;
    out->fault_reason = msg->fault_reason;
    out->method_text = msg_span(msg, msg->method_text);
    check_uri(msg, out);
    check_single(msg, out);
    read_via(msg, out);
    read_party(msg, out, HDR_FROM, &out->from, &out->from_tag);
    read_party(msg, out, HDR_TO, &out->to, &out->to_tag);
    out->has_to_tag = out->to_tag.len > 0;
    note(out, DEV_NO_FROM_TAG,
         out->from_tag.len == 0 && msg_is_request(msg) && !(out->odd & unread_tag));
    read_call_id(msg, out);
    read_cseq(msg, out);
    read_max_forwards(msg, out);
    read_length(msg, out);
    note(out, DEV_NO_TYPE, lacks_type(msg));
    if (out->method == METHOD_REGISTER && msg_is_request(msg))
        read_contacts(msg, out);
    out->answerable = out->via.transport_text.len > 0 && msg_may_have(msg, HDR_CSEQ);
}

static void
move(struct span *s, const struct msg *from, const struct msg *to)
{
    if (s->at)
        s->at = to->bytes + (s->at - from->bytes);
}

void
gist_keep(const struct gist *gist, const struct msg *msg, const struct msg *kept, struct gist *out)
{
    struct via *via = &out->via;
    struct span *const spans[] = {
        &out->method_text, &out->cseq_method,    &out->call_id,    &out->from,   &out->to,
        &out->from_tag,    &out->to_tag,         &out->vias_below, &via->whole,  &via->sent_by,
        &via->host,        &via->transport_text, &via->params,     &via->branch, &via->received,
        &via->maddr,       &via->rport,
    };

    *out = *gist;
    for (size_t i = 0; i < countof(spans); i++)
        move(spans[i], msg, kept);
    if (gist->via_field)
        out->via_field = kept->fields + (gist->via_field - msg->fields);
}
