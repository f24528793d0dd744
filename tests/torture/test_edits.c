/*
 * Random edits of every message of the collections: what comes of them is, byte for byte, what a simple model makes of lines,
 * and both readers read in it what the model holds (RFC 3261 §7.3, §16.6, §16.7; tests/torture/README).
 *
 * SIPD_RUNS: sequences of edits for each message. SIPD_SEED: the first seed.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/def.h"
#include "base/err.h"
#include "fuzz/odd.h"
#include "lib/chance.h"
#include "lib/crowd.h"
#include "lib/second.h"
#include "sip/draft_body.h"
#include "sip/frame.h"
#include "unit/text.h"

Suite *suite_edits(void);

enum {
    RUNS = 20,
    EDITS = 10,
    LINES = 512,
    ENOUGH = 400,
    LINE_END = 2,
    TEXT_ROOM = 400,
    PARTS = 64
};

/* ---------------------------------------------------------------- the model: lines, and those put in before each */

struct line {
    struct span whole, name, value;
    struct line *next;
};

struct model {
    struct arena *arena;
    struct span first;              /* the start line, without its end */
    struct line own[LINES];         /* the message's own; an empty one is gone */
    struct line *before[LINES + 1]; /* put in before each, and before the empty line */
    unsigned own_len;
    struct span body;
    bool touched[LINES];
};

static struct span
text_of(const struct msg *msg, struct msg_text text)
{
    return (struct span){ msg->bytes + text.at, text.len };
}

static void
model_init(struct model *m, const struct msg *msg, struct arena *arena)
{
    *m = (struct model){ .arena = arena, .own_len = msg->fields_len, .body = msg_body(msg) };
    for (unsigned i = 0; i < msg->fields_len; i++) {
        const struct msg_field *f = &msg->fields[i];

        m->own[i].whole = span_between(msg->bytes + f->at, msg->bytes + f->end);
        m->own[i].name = msg_name(msg, f);
        m->own[i].value = msg_value(msg, f);
    }
    m->first = span_head(msg_bytes(msg), msg->fields[0].at);
}

/* Any text without line ends: they are blanks now. */
static struct span
flat(struct arena *arena, struct span text)
{
    char *to = arena_alloc(arena, text.len);

    must(to);
    for (size_t i = 0; i < text.len; i++)
        to[i] = text.at[i] == '\r' || text.at[i] == '\n' ? ' ' : text.at[i];
    return (struct span){ to, text.len };
}

static struct span
joined(struct arena *arena, struct span a, struct span b, struct span c)
{
    char *to = arena_alloc(arena, a.len + b.len + c.len), *at = to;

    must(to);
    at = span_write(at, a);
    at = span_write(at, b);
    return span_between(to, span_write(at, c));
}

/* A new line before the n-th of the message, in front of others that stand there or behind them. */
static void
model_insert(struct model *m, unsigned n, bool front, struct span name, struct span value)
{
    struct line *line = arena_alloc(m->arena, sizeof *line), **at = &m->before[n];

    must(line);
    value = flat(m->arena, value);
    *line = (struct line){ .name = name, .value = span_trim(value) };
    line->whole =
        joined(m->arena, joined(m->arena, name, SPAN(": "), value), SPAN("\r\n"), SPAN(""));
    while (!front && *at)
        at = &(*at)->next;
    line->next = *at;
    *at = line;
}

/* Bytes of a text become others. */
static struct span
spliced(struct arena *arena, struct span text, struct span old, struct span new)
{
    return joined(arena, span_between(text.at, old.at), new,
                  span_between(span_end(old), span_end(text)));
}

static void
model_set_value(struct model *m, unsigned n, struct span value)
{
    value = flat(m->arena, value);
    m->own[n].whole = spliced(m->arena, m->own[n].whole, m->own[n].value, value);
    m->own[n].value = span_trim(value);
}

static struct span
model_bytes(const struct model *m, struct span empty_line, struct buf *b)
{
    buf_clear(b);
    buf_put(b, m->first);
    for (unsigned i = 0; i <= m->own_len; i++) {
        for (const struct line *l = m->before[i]; l; l = l->next)
            buf_put(b, l->whole);
        if (i < m->own_len)
            buf_put(b, m->own[i].whole);
    }
    buf_put(b, empty_line);
    buf_put(b, m->body);
    must(!b->err);
    return buf_span(b);
}

/* ---------------------------------------------------------------- edits */

struct job {
    const struct msg *msg;
    const struct gist *gist;
    struct rand *rand;
    struct draft *draft;
    struct model *model;
    unsigned done; /* kinds, as bits */
};

/* Which of the message's fields; own_len if there is none. */
static unsigned
first_of(const struct job *j, enum header id)
{
    const struct msg_field *f = msg_find(j->msg, id, NULL);

    return f ? (unsigned)(f - j->msg->fields) : j->msg->fields_len;
}

static unsigned
behind_last_of(const struct job *j, enum header id)
{
    unsigned behind = 0;

    for (const struct msg_field *f = NULL; (f = msg_find(j->msg, id, f));)
        behind = (unsigned)(f - j->msg->fields) + 1;
    return behind;
}

/* Where the first of these stands, or would: behind the Vias. */
static unsigned
place_of(const struct job *j, enum header id)
{
    unsigned at = first_of(j, id);

    return at < j->msg->fields_len ? at : behind_last_of(j, HDR_VIA);
}

static struct span
any_value(struct job *j)
{
    static const char *const values[] = { "",
                                          "a",
                                          "lunch, at one",
                                          "a\r\n b: c",
                                          "\"quoted\\\"\" <sip:x@y>;z=1",
                                          "42",
                                          "\xc3\xa9t\xc3\xa9",
                                          "x\ny\rz" };
    struct span value = span_of(values[chance_below(j->rand, countof(values))]);

    return chance(j->rand, 80)
               ? value
               : joined(j->model->arena, SPAN("0123456789012345678901234567890123456789"), value,
                        SPAN("0123456789012345678901234567890123456789"));
}

static bool
edit_start(struct job *j)
{
    static const char *const uris[] = {
        "sip:new", "sips:a-much-longer-user-than-before@example.com;transport=tcp;lr", "tel:+1"
    };
    struct model *m = j->model;

    if (msg_is_request(j->msg)) {
        struct span uri = span_of(uris[chance_below(j->rand, countof(uris))]);

        draft_set_uri(j->draft, uri);
        m->first = spliced(m->arena, m->first, text_of(j->msg, j->msg->uri), uri);
    } else {
        struct span old = span_between(span_end(text_of(j->msg, j->msg->version)),
                                       span_end(text_of(j->msg, j->msg->reason)));

        draft_set_status(j->draft, 606, SPAN("Not\r\nAcceptable"));
        m->first = spliced(m->arena, m->first, old, SPAN(" 606 Not  Acceptable"));
    }
    return true;
}

static bool
edit_max_forwards(struct job *j)
{
    unsigned at = first_of(j, HDR_MAX_FORWARDS);
    char text[16];

    if (!msg_is_request(j->msg) || (j->gist->has_max_forwards && j->gist->max_forwards == 0))
        return false;
    draft_lower_max_forwards(j->draft, j->gist);
    if (at == j->msg->fields_len) {
        model_insert(j->model, j->model->own_len, false, SPAN("Max-Forwards"), SPAN("70"));
        return true;
    }
    snprintf(text, sizeof text, "%u", (unsigned)(j->gist->max_forwards - 1));
    model_set_value(j->model, at, span_of(text));
    for (const struct msg_field *f = &j->msg->fields[at];
         (f = msg_find(j->msg, HDR_MAX_FORWARDS, f));)
        j->model->own[f - j->msg->fields].whole.len = 0;
    return true;
}

static bool
edit_push(struct job *j)
{
    struct span via = SPAN("SIP/2.0/UDP new.example.com;branch=z9hG4bKnew"),
                route = SPAN("<sip:new.example.com;lr>");
    unsigned at;

    switch (chance_below(j->rand, 5)) {
    case 0:
        draft_push_via(j->draft, j->gist, via);
        model_insert(j->model, (unsigned)(j->gist->via_field - j->msg->fields), true, SPAN("Via"),
                     via);
        break;
    case 1:
        at = first_of(j, HDR_RECORD_ROUTE);
        draft_push_record_route(j->draft, route);
        model_insert(j->model, at < j->msg->fields_len ? at : place_of(j, HDR_ROUTE), true,
                     SPAN("Record-Route"), route);
        break;
    case 2:
        draft_push_path(j->draft, route);
        model_insert(j->model, place_of(j, HDR_PATH), true, SPAN("Path"), route);
        break;
    case 3:
        draft_push_route(j->draft, route);
        model_insert(j->model, place_of(j, HDR_ROUTE), true, SPAN("Route"), route);
        break;
    default:
        at = behind_last_of(j, HDR_ROUTE);
        draft_append_route(j->draft, route);
        model_insert(j->model, at > 0 ? at : behind_last_of(j, HDR_VIA), false, SPAN("Route"),
                     route);
    }
    return true;
}

/* A line of one element goes with it. */
static bool
edit_pop(struct job *j)
{
    enum header id = chance(j->rand, 50) ? HDR_VIA : HDR_ROUTE;
    unsigned at = first_of(j, id);

    if (at == j->msg->fields_len ||
        span_find(j->model->own[at].value, ',') < j->model->own[at].value.len)
        return false;
    if (id == HDR_VIA && j->gist->via_field != &j->msg->fields[at])
        return false;
    if (id == HDR_VIA)
        draft_pop_via(j->draft, j->gist);
    else
        draft_drop_routes(j->draft, 1);
    j->model->own[at].whole.len = 0;
    return true;
}

static bool
edit_add(struct job *j)
{
    struct span value = any_value(j);

    draft_add_header(j->draft, SPAN("X-New"), value);
    model_insert(j->model, j->model->own_len, false, SPAN("X-New"), value);
    return true;
}

/* A field that no other edit looks at gets another value, or goes. */
static bool
edit_field(struct job *j)
{
    unsigned n = chance_below(j->rand, j->msg->fields_len);
    const struct msg_field *f = &j->msg->fields[n];

    if (f->id == HDR_VIA || f->id == HDR_ROUTE || f->id == HDR_MAX_FORWARDS ||
        f->id == HDR_CONTENT_LENGTH || f->id == HDR_CONTENT_TYPE || f->name_len == 0 ||
        j->model->touched[n])
        return false;
    j->model->touched[n] = true;
    if (chance(j->rand, 50)) {
        draft_drop_field(j->draft, f);
        j->model->own[n].whole.len = 0;
    } else {
        struct span value = any_value(j);

        draft_set_value(j->draft, f, value);
        model_set_value(j->model, n, value);
    }
    return true;
}

/* Does the part stand between delimiters with nothing missing? */
static bool
is_whole(const struct job *j, const struct mime_part *part)
{
    struct span body = msg_body(j->msg);

    return part->level == 0 ||
           (part->content.at > body.at && part->content.at[-1] == '\n' &&
            span_starts(span_between(span_end(part->content), span_end(body)), SPAN("\r\n--")));
}

/* What some part holds, or all of the body, becomes other bytes; each Content-Length tells the new length. */
static bool
edit_body(struct job *j)
{
    struct mime_walk w;
    unsigned skip = chance_below(j->rand, PARTS) % 4, len = chance_below(j->rand, TEXT_ROOM) + 1;
    char *bytes = arena_alloc(j->model->arena, len), text[16];

    if (j->model->body.len == 0)
        return false;
    must(bytes);
    for (unsigned i = 0; i < len; i++)
        bytes[i] = i + 1 < len ? (char)(chance_below(j->rand, 224) + 32) : 'x';
    for (unsigned i = 0; i < len; i++)
        bytes[i] = bytes[i] == '-' ? '\0' : bytes[i]; /* no delimiter can come of it */
    mime_walk_msg(&w, j->msg);
    do
        if (!mime_walk_next(&w))
            return false;
    while (skip-- > 0);
    if (!is_whole(j, &w.part))
        return false;
    draft_set_content(j->draft, &w, (struct span){ bytes, len });
    j->model->body =
        spliced(j->model->arena, j->model->body, w.part.content, (struct span){ bytes, len });
    snprintf(text, sizeof text, "%zu", j->model->body.len);
    for (const struct msg_field *f = NULL; (f = msg_find(j->msg, HDR_CONTENT_LENGTH, f));)
        if (j->model->body.len != j->msg->body_len)
            model_set_value(j->model, (unsigned)(f - j->msg->fields), span_of(text));
    return true;
}

static const struct {
    bool (*make)(struct job *j);
    bool once;
} edits[] = {
    { edit_start, true },  { edit_max_forwards, true }, { edit_push, false },
    { edit_push, false },  { edit_pop, true },          { edit_add, false },
    { edit_field, false }, { edit_field, false },       { edit_body, true },
};

/* ---------------------------------------------------------------- what must come of it */

struct told {
    const char *set, *name;
    uint64_t seed;
    unsigned messages, sequences, made, seconds;
};

#define must_be_so(told, holds)                                                        \
    do {                                                                               \
        if (!(holds))                                                                  \
            ck_abort_msg("SIPD_SEED=%" PRIu64 " %s %s: %s", (told)->seed, (told)->set, \
                         (told)->name, #holds);                                        \
    } while (0)

static void
check_line(const struct told *told, const struct msg *msg, unsigned *n, const struct line *want)
{
    must_be_so(told, *n < msg->fields_len);
    must_be_so(told, span_eq(msg_name(msg, &msg->fields[*n]), want->name));
    must_be_so(told, span_eq(msg_value(msg, &msg->fields[*n]), want->value));
    ++*n;
}

static void
check_index(const struct told *told, const struct model *m, const struct msg *msg)
{
    unsigned n = 0;

    for (unsigned i = 0; i <= m->own_len; i++) {
        for (const struct line *l = m->before[i]; l; l = l->next)
            check_line(told, msg, &n, l);
        if (i < m->own_len && m->own[i].whole.len > 0)
            check_line(told, msg, &n, &m->own[i]);
    }
    must_be_so(told, n == msg->fields_len && span_eq(msg_body(msg), m->body));
}

static struct span
value_of(const struct msg *msg, enum header id)
{
    struct span value = { NULL, 0 };

    (void)msg_get(msg, id, &value);
    return value;
}

/* The other reader, which shares no code with ours. */
static bool
check_second(const struct told *told, struct span before, struct span out, const struct msg *msg)
{
    struct second second;

    second_read(before, &second);
    if (second.wrong)
        return false;
    second_read(out, &second);
    must_be_so(told, second.status == msg->status && second.fields == msg->fields_len);
    must_be_so(told, span_eq(second.method, text_of(msg, msg->method_text)));
    must_be_so(told, span_eq(second.uri, text_of(msg, msg->uri)));
    must_be_so(told, second_same(second.via, value_of(msg, HDR_VIA)));
    must_be_so(told, second_same(second.from, value_of(msg, HDR_FROM)));
    must_be_so(told, second_same(second.to, value_of(msg, HDR_TO)));
    must_be_so(told, second_same(second.call_id, value_of(msg, HDR_CALL_ID)));
    must_be_so(told, second_same(second.max_forwards, value_of(msg, HDR_MAX_FORWARDS)));
    must_be_so(told, second_same(second.length, value_of(msg, HDR_CONTENT_LENGTH)));
    must_be_so(told, span_eq(second.body, msg_body(msg)));
    return true;
}

static void
edit_once(struct told *told, const struct msg *msg, const struct gist *gist, struct arena *arena)
{
    static struct model model;
    struct rand rand;
    struct draft draft;
    struct job j = { msg, gist, &rand, &draft, &model, 0 };
    struct buf want;
    struct span out, empty_line;
    struct msg again;

    rand_seed(&rand, told->seed ^ (uint64_t)told->messages << 32);
    model_init(&model, msg, arena);
    draft_init(&draft, msg, arena);
    for (unsigned n = chance_below(&rand, EDITS); n > 0; n--) {
        unsigned kind = chance_below(&rand, countof(edits));

        if (edits[kind].once && j.done >> kind & 1)
            continue;
        if (!edits[kind].make(&j))
            continue;
        j.done |= 1u << kind;
        told->made++;
    }
    must_be_so(told, draft_render(&draft, arena, &out) == SIPD_OK);
    empty_line = span_between(msg->bytes + msg->head_end, msg->bytes + msg->body_at);
    buf_init(&want, 1 << 20);
    must_be_so(told, span_eq(out, model_bytes(&model, empty_line, &want)));
    buf_fini(&want);
    must_be_so(told, msg_read(out, arena, &again) == SIPD_OK && again.fault == 0);
    check_index(told, &model, &again);
    told->seconds += check_second(told, msg_bytes(msg), out, &again);
    told->sequences++;
}

static void
edit_message(const char *set, const char *name, struct span bytes, void *self)
{
    struct told *told = self;
    struct arena arena;
    struct frame frame;
    struct gist gist;
    struct msg msg;

    told->set = set;
    told->name = name;
    arena_init(&arena, 64 << 20);
    frame_datagram(bytes, &frame);
    if (frame.kind == FRAME_MESSAGE &&
        msg_read(span_head(span_skip(bytes, frame.skip), frame.len), &arena, &msg) == SIPD_OK) {
        msg_trim(&msg);
        gist_read(&msg, &gist);
        for (uint64_t end = chance_seed() + chance_runs(RUNS);
             odd_may_stay(&gist) && told->seed < end; told->seed++)
            edit_once(told, &msg, &gist, &arena);
        told->messages += told->seed > chance_seed();
        told->seed = chance_seed();
    }
    arena_fini(&arena);
}

START_TEST(edits_change_what_they_name)
{
    struct told told = { .seed = chance_seed() };
    unsigned all = crowd_all(edit_message, &told);

    must(all >= told.messages);
    must(told.messages >= ENOUGH && told.made > told.sequences);
    must(told.seconds > told.sequences / 2);
}
END_TEST

Suite *
suite_edits(void)
{
    Suite *suite = suite_create("edits");
    TCase *all = tcase_create("all");

    tcase_set_timeout(all, 0);
    tcase_add_test(all, edits_change_what_they_name);
    suite_add_tcase(suite, all);
    return suite;
}
