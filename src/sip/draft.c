/*
 * Named edits as splices beside an untouched original, and the one copy that makes bytes of them (RFC 3261 §16.6, §16.7).
 */
#include "sip/draft.h"

#include "base/err.h"
#include "sip/addr.h"
#include "sip/chars.h"
#include "sip/line.h"
#include "sip/splice.h"
#include "sip/stamp.h"

void
draft_init(struct draft *d, const struct msg *msg, struct arena *arena)
{
    d->msg = msg;
    d->arena = arena;
    d->splices = d->few;
    d->cap = DRAFT_FEW;
    d->len = 0;
    d->behind = 0;
    d->bytes = msg->len;
    d->routes_head = d->routes_tail = 0;
    d->err = SIPD_OK;
}

/* ---------------------------------------------------------------- splices */

static void
insert(struct draft *d, uint32_t at, struct span text, enum splice_side side)
{
    splice_make(d, at, 0, text, DRAFT_PLAIN, side);
}

static void
replace(struct draft *d, uint32_t at, uint32_t cut, struct span text)
{
    splice_make(d, at, cut, text, DRAFT_PLAIN, SPLICE_BACK);
}

static uint32_t
at_of(const struct draft *d, const char *place)
{
    return (uint32_t)(place - d->msg->bytes);
}

static void
replace_span(struct draft *d, struct span old, struct span text)
{
    replace(d, at_of(d, old.at), (uint32_t)old.len, text);
}

/* Who gives a text that is nowhere had no memory for it. */
static bool
is_there(struct draft *d, struct span text)
{
    if (!text.at)
        splice_fail(d, SIPD_ENOMEM);
    return text.at != NULL;
}

/* A text that lasts as long as the draft, without line ends. */
static struct span
text_keep(struct draft *d, struct span text)
{
    char *kept = is_there(d, text) ? splice_text(d, text.len) : NULL;

    return kept ? span_between(kept, line_text_write(kept, text)) : (struct span){ NULL, 0 };
}

static void
insert_line(struct draft *d, uint32_t at, struct span name, struct span value,
            enum splice_side side)
{
    char *text = is_there(d, value) ? splice_text(d, line_bytes(name, value)) : NULL;

    if (text)
        insert(d, at, span_between(text, line_write(text, name, value)), side);
}

/* ---------------------------------------------------------------- places */

static const struct msg_field *
last_field(const struct msg *msg, enum header id)
{
    const struct msg_field *last = NULL;

    for (const struct msg_field *f = NULL; (f = msg_find(msg, id, f));)
        last = f;
    return last;
}

/* Behind the last Via, or where the fields begin. */
static uint32_t
behind_vias(const struct msg *msg)
{
    const struct msg_field *via = last_field(msg, HDR_VIA);

    if (via)
        return via->end;
    return msg->fields_len > 0 ? msg->fields[0].at : msg->head_end;
}

/* Where the first field of this id stands, or would: Routes behind the Vias, Record-Routes before the Routes. */
static uint32_t
first_place(const struct msg *msg, enum header id)
{
    const struct msg_field *field = msg_find(msg, id, NULL);

    if (field)
        return field->at;
    return id == HDR_RECORD_ROUTE ? first_place(msg, HDR_ROUTE) : behind_vias(msg);
}

/* ---------------------------------------------------------------- start line and single fields */

void
draft_set_uri(struct draft *d, struct span uri)
{
    if (is_there(d, uri) && !span_eq(uri, msg_span(d->msg, d->msg->uri)))
        replace(d, d->msg->uri.at, d->msg->uri.len, text_keep(d, uri));
}

void
draft_set_status(struct draft *d, unsigned status, struct span phrase)
{
    const struct msg *msg = d->msg;
    uint32_t at = msg->version.at + msg->version.len;
    char *code = splice_text(d, 5 + phrase.len);

    if (msg_is_request(msg))
        splice_fail(d, SIPD_ENOENT);
    if (d->err)
        return;
    code[0] = code[4] = ' ';
    for (unsigned i = 3; i > 0; i--, status /= 10)
        code[i] = (char)('0' + status % 10);
    replace(d, at, msg->reason.at + msg->reason.len - at,
            span_between(code, line_text_write(code + 5, phrase)));
}

void
draft_add_header(struct draft *d, struct span name, struct span value)
{
    insert_line(d, d->msg->head_end, name, value, SPLICE_BACK);
}

void
draft_drop_field(struct draft *d, const struct msg_field *field)
{
    replace(d, field->at, field->end - field->at, SPAN(""));
}

void
draft_set_value(struct draft *d, const struct msg_field *field, struct span value)
{
    replace(d, field->value_at, field->value_len, text_keep(d, value));
}

static void
add_number(struct draft *d, struct span name, uint64_t n)
{
    char *text = splice_text(d, line_bytes(name, (struct span){ NULL, SPAN_U64_BYTES })), *end;

    if (!text)
        return;
    end = span_write_u64(span_write(span_write(text, name), SPAN(": ")), n);
    insert(d, d->msg->head_end, span_between(text, span_write(end, SPAN("\r\n"))), SPLICE_BACK);
}

/* In the first field of its id, which is the only one then. What says so already is left alone. */
static void
set_number(struct draft *d, const struct msg_field *field, uint64_t n)
{
    enum header id = (enum header)field->id;
    struct span text = splice_number(d, n);

    if (!span_eq(msg_value(d->msg, field), text))
        replace(d, field->value_at, field->value_len, text);
    while (msg_may_have_more(d->msg, id) && (field = msg_find(d->msg, id, field)))
        draft_drop_field(d, field);
}

void
draft_set_number(struct draft *d, enum header id, uint64_t n)
{
    const struct msg_field *field = msg_may_have(d->msg, id) ? msg_find(d->msg, id, NULL) : NULL;

    if (field)
        set_number(d, field, n);
    else
        add_number(d, names_header_text(id), n);
}

void
draft_lower_max_forwards(struct draft *d, const struct gist *gist)
{
    const struct msg_field *field = msg_first(d->msg, HDR_MAX_FORWARDS);

    if (!field)
        add_number(d, names_header_text(HDR_MAX_FORWARDS), 70);
    else if (gist->has_max_forwards && gist->max_forwards > 0)
        set_number(d, field, gist->max_forwards - 1);
    else
        splice_fail(d, SIPD_ENOENT);
}

/* ---------------------------------------------------------------- Via */

void
draft_push_via(struct draft *d, const struct gist *gist, struct span value)
{
    insert_line(d, gist->via_field ? gist->via_field->at : behind_vias(d->msg), SPAN("Via"), value,
                SPLICE_FRONT);
}

void
draft_pop_via(struct draft *d, const struct gist *gist)
{
    struct span rest = gist->vias_below;
    struct via next;
    int err;

    if (gist->via.whole.len == 0) {
        splice_fail(d, gist->via_field ? SIPD_ESYNTAX : SIPD_ENOENT);
        return;
    }
    err = rest.len > 0 ? via_next(&rest, &next) : SIPD_ENOENT;
    if (err == SIPD_ENOENT)
        draft_drop_field(d, gist->via_field);
    else if (err)
        splice_fail(d, err);
    else
        replace_span(d, span_between(msg_value(d->msg, gist->via_field).at, next.whole.at),
                     SPAN(""));
}

void
draft_stamp_via(struct draft *d, const struct gist *gist, struct span received, uint16_t rport)
{
    struct stamp *stamp = arena_alloc(d->arena, sizeof *stamp);

    if (!stamp || gist->via.whole.len == 0) {
        splice_fail(d, stamp ? SIPD_ENOENT : SIPD_ENOMEM);
        return;
    }
    stamp_init(stamp, &gist->via, received, rport);
    for (unsigned i = 0; i < stamp->len; i++)
        replace_span(d, stamp->edits[i].cut, stamp->edits[i].text);
}

/* ---------------------------------------------------------------- Record-Route and Route */

void
draft_push_record_route(struct draft *d, struct span value)
{
    insert_line(d, first_place(d->msg, HDR_RECORD_ROUTE), SPAN("Record-Route"), value,
                SPLICE_FRONT);
}

void
draft_push_path(struct draft *d, struct span value)
{
    insert_line(d, first_place(d->msg, HDR_PATH), SPAN("Path"), value, SPLICE_FRONT);
}

void
draft_push_route(struct draft *d, struct span value)
{
    insert_line(d, first_place(d->msg, HDR_ROUTE), SPAN("Route"), value, SPLICE_FRONT);
}

void
draft_append_route(struct draft *d, struct span value)
{
    const struct msg_field *last = last_field(d->msg, HDR_ROUTE);

    insert_line(d, last ? last->end : behind_vias(d->msg), SPAN("Route"), value, SPLICE_BACK);
}

/* Takes the next element off a Route value; one that cannot be read reaches to the end. */
static bool
element_next(struct span *rest, struct span *whole)
{
    struct addr addr;
    int err = addr_next(rest, &addr);

    if (err == SIPD_ENOENT)
        return false;
    *whole = addr.whole;
    if (err) {
        while (span_is_lws(rest->at[0]) || rest->at[0] == ',')
            *rest = span_skip(*rest, 1);
        *whole = span_trim(*rest);
        *rest = span_skip(*rest, rest->len);
    }
    return true;
}

/* Is it one in brackets that end the field, as most are? Whatever stands in them, it could not be more. */
static bool
is_alone(struct span value)
{
    return chars_begin(value, '<') && span_find(value, '>') == value.len - 1;
}

static uint32_t
element_count(struct span value)
{
    struct span whole;
    uint32_t n = 0;

    if (is_alone(value))
        return 1;
    while (element_next(&value, &whole))
        n++;
    return n;
}

/* The n-th element, 0…; it is there. */
static struct span
element(struct span value, uint32_t n)
{
    struct span whole = { NULL, 0 };

    do
        BUG_ON(!element_next(&value, &whole));
    while (n-- > 0);
    return whole;
}

static void
cut_route(struct draft *d, const char *from, const char *to)
{
    splice_make(d, at_of(d, from), (uint32_t)(to - from), SPAN(""), DRAFT_ROUTE, SPLICE_BACK);
}

/* Cuts `head` elements off the front of a field and `tail` off its end, with their commas; all: the whole line. */
static void
cut_elements(struct draft *d, const struct msg_field *field, uint32_t head, uint32_t tail,
             uint32_t count)
{
    struct span value = msg_value(d->msg, field);

    if (head + tail == count) {
        cut_route(d, d->msg->bytes + field->at, d->msg->bytes + field->end);
        return;
    }
    if (head > 0)
        cut_route(d, value.at, element(value, head).at);
    if (tail > 0)
        cut_route(d, span_end(element(value, count - tail - 1)), span_end(value));
}

static uint32_t
least(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

/* How many stay, once the draft has dropped its own at either end; SIPD_ENOENT in its err: there are not so many. */
static uint32_t
routes_left(struct draft *d)
{
    uint32_t count = 0;

    for (const struct msg_field *f = NULL; (f = msg_find(d->msg, HDR_ROUTE, f));)
        count += element_count(msg_value(d->msg, f));
    if (count >= d->routes_head && count - d->routes_head >= d->routes_tail)
        return count - d->routes_head - d->routes_tail;
    splice_fail(d, SIPD_ENOENT);
    return 0;
}

/* What was cut for those dropped so far. */
static void
forget_routes(struct draft *d)
{
    if (d->routes_head > 0 || d->routes_tail > 0)
        splice_forget(d, DRAFT_ROUTE);
}

/*
 * Two elements share a comma and the last one takes its line along: so both ends are cut anew, from their counts. What stays when
 * none goes from the end need not be counted.
 */
static void
cut_routes(struct draft *d)
{
    uint32_t head = d->routes_head, kept = d->routes_tail > 0 ? routes_left(d) : UINT32_MAX;

    for (const struct msg_field *f = NULL;
         (head > 0 || d->routes_tail > 0) && (f = msg_find(d->msg, HDR_ROUTE, f));) {
        uint32_t count = element_count(msg_value(d->msg, f));
        uint32_t here = least(head, count), stay = least(kept, count - here);

        if (stay < count)
            cut_elements(d, f, here, count - here - stay, count);
        head -= here;
        kept -= stay;
    }
    if (head > 0)
        splice_fail(d, SIPD_ENOENT);
}

void
draft_drop_routes(struct draft *d, unsigned n)
{
    if (n == 0)
        return;
    forget_routes(d);
    d->routes_head += n;
    cut_routes(d);
}

void
draft_drop_last_route(struct draft *d)
{
    forget_routes(d);
    d->routes_tail++;
    cut_routes(d);
}

/* ---------------------------------------------------------------- bytes */

struct span
draft_tail(const struct draft *d)
{
    const struct draft_splice *last = d->len > 0 ? &d->splices[d->len - 1] : NULL;

    return span_skip((struct span){ d->msg->bytes, d->msg->len }, last ? last->at + last->cut : 0);
}

int
draft_render(const struct draft *d, struct arena *arena, struct span *out)
{
    const char *from = d->msg->bytes;
    char *bytes, *to;

    *out = (struct span){ NULL, 0 };
    if (d->err)
        return d->err;
    to = bytes = arena_alloc(arena, d->bytes);
    if (!bytes)
        return SIPD_ENOMEM;
    for (uint32_t i = 0; i < d->len; i++) {
        const struct draft_splice *s = &d->splices[i];

        to = span_write(to, span_between(from, d->msg->bytes + s->at));
        to = span_write(to, s->insert);
        from = d->msg->bytes + s->at + s->cut;
    }
    to = span_write(to, span_between(from, d->msg->bytes + d->msg->len));
    *out = span_between(bytes, to);
    return SIPD_OK;
}

struct span
draft_without(const struct msg *msg, const struct msg_field *field, struct arena *arena)
{
    size_t bytes = msg->len - (field->end - field->at);
    char *text = arena_alloc(arena, bytes), *end;

    if (!text)
        return (struct span){ NULL, 0 };
    end = span_write(text, (struct span){ msg->bytes, field->at });
    memcpy(end, msg->bytes + field->end, msg->len - field->end);
    return (struct span){ text, bytes };
}
