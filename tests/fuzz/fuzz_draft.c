/*
 * Editing: without edits the same bytes come out; edits change their own spans only; Vias and Routes are in the end what
 * the calls said, in whatever lines they stood.
 */
#include "base/arena.h"
#include "base/err.h"
#include "fuzz/input.h"
#include "fuzz/odd.h"
#include "sip/addr.h"
#include "sip/draft.h"

enum { MOST = 64, EDITS = 12, ROUNDS = 6 };

struct list {
    struct span of[MOST];
    size_t len;
    bool broken; /* too many, or one could not be read */
};

/* What the draft should be, told in elements. */
struct model {
    struct list vias, routes;
    size_t pushed; /* routes in front that are not the message's own */
    size_t own;    /* routes of the message that are still there */
};

static void
list_insert(struct list *list, size_t at, struct span one)
{
    if (list->len == MOST) {
        list->broken = true;
        return;
    }
    memmove(list->of + at + 1, list->of + at, (list->len - at) * sizeof one);
    list->of[at] = one;
    list->len++;
}

static void
list_remove_at(struct list *list, size_t at)
{
    list->len--;
    memmove(list->of + at, list->of + at + 1, (list->len - at) * sizeof list->of[0]);
}

static void
read_vias(const struct msg *msg, struct list *out)
{
    *out = (struct list){ .len = 0 };
    for (const struct msg_field *f = NULL; (f = msg_find(msg, HDR_VIA, f));) {
        struct span rest = msg_value(msg, f);
        struct via via;
        int err;

        while ((err = via_next(&rest, &via)) == SIPD_OK)
            list_insert(out, out->len, via.whole);
        out->broken |= err == SIPD_ESYNTAX;
    }
}

static void
read_routes(const struct msg *msg, struct list *out)
{
    *out = (struct list){ .len = 0 };
    for (const struct msg_field *f = NULL; (f = msg_find(msg, HDR_ROUTE, f));) {
        struct span rest = msg_value(msg, f);
        struct addr addr;
        int err;

        while ((err = addr_next(&rest, &addr)) == SIPD_OK)
            list_insert(out, out->len, addr.whole);
        out->broken |= err == SIPD_ESYNTAX;
    }
}

/* ---------------------------------------------------------------- edits */

enum edit {
    SET_URI,
    LOWER,
    PUSH_VIA,
    POP_VIA,
    PUSH_RR,
    DROP,
    DROP_LAST,
    PUSH_ROUTE,
    APPEND_ROUTE,
    ADD,
    EDIT_KINDS
};

static void
edit_vias(struct draft *d, const struct gist *gist, enum edit edit, struct model *model)
{
    struct span via = SPAN("SIP/2.0/UDP new;branch=z9hG4bKnew");

    if (edit == PUSH_VIA) {
        draft_push_via(d, gist, via);
        list_insert(&model->vias, 0, via);
    } else {
        draft_pop_via(d, gist);
        list_remove_at(&model->vias, 0);
    }
}

static void
edit_routes(struct draft *d, enum edit edit, struct model *model)
{
    struct span route = SPAN("<sip:new;lr>");

    if (edit == PUSH_ROUTE) {
        draft_push_route(d, route);
        list_insert(&model->routes, 0, route);
        model->pushed++;
    } else if (edit == APPEND_ROUTE) {
        draft_append_route(d, route);
        list_insert(&model->routes, model->routes.len, route);
    } else if (model->own > 0) {
        size_t at = edit == DROP ? model->pushed : model->pushed + model->own - 1;

        if (edit == DROP)
            draft_drop_routes(d, 1);
        else
            draft_drop_last_route(d);
        list_remove_at(&model->routes, at);
        model->own--;
    }
}

/* ---------------------------------------------------------------- what must come of it */

static void
check_splices(const struct draft *d, struct span out)
{
    size_t from = 0, to = 0;

    for (uint32_t i = 0; i <= d->len; i++) {
        bool last = i == d->len;
        size_t at = last ? d->msg->len : d->splices[i].at;
        struct span kept = { d->msg->bytes + from, at - from };

        BUG_ON(at < from || at > d->msg->len);
        BUG_ON(!span_starts(span_skip(out, to), kept));
        to += kept.len;
        if (last)
            break;
        BUG_ON(!span_starts(span_skip(out, to), d->splices[i].insert));
        to += d->splices[i].insert.len;
        from = at + d->splices[i].cut;
    }
    BUG_ON(to != out.len);
}

static void
check_list(const struct list *want, const struct list *got)
{
    BUG_ON(got->broken || want->len != got->len);
    for (size_t i = 0; i < want->len; i++)
        BUG_ON(!span_eq(want->of[i], got->of[i]));
}

static void
check_read_again(struct span out, const struct msg *before, const struct model *model,
                 struct arena *arena)
{
    struct list got;
    struct msg msg;

    BUG_ON(msg_read(out, arena, &msg));
    BUG_ON(msg.fault || !span_eq(msg_body(&msg), msg_body(before)));
    if (!model->vias.broken) {
        read_vias(&msg, &got);
        check_list(&model->vias, &got);
    }
    if (!model->routes.broken) {
        read_routes(&msg, &got);
        check_list(&model->routes, &got);
    }
}

static void
edit_by(struct draft *d, const struct gist *gist, enum edit edit, struct model *model)
{
    switch (edit) {
    case SET_URI: draft_set_uri(d, SPAN("sip:new")); break;
    case LOWER: draft_lower_max_forwards(d, gist); break;
    case PUSH_RR:
        draft_push_record_route(d, SPAN("<sip:rr;lr>"));
        draft_push_path(d, SPAN("<sip:path;lr>"));
        break;
    case ADD: draft_add_header(d, SPAN("X-New"), SPAN("a\r\nb: c")); break;
    case PUSH_VIA:
    case POP_VIA: edit_vias(d, gist, edit, model); break;
    case DROP:
    case DROP_LAST:
    case PUSH_ROUTE:
    case APPEND_ROUTE: edit_routes(d, edit, model); break;
    case EDIT_KINDS: BUG_ON(true);
    }
}

/* Can this edit be made, now, and does the model know what comes of it? */
static bool
is_possible(const struct msg *msg, const struct gist *gist, enum edit edit,
            const bool done[EDIT_KINDS], const struct model *model)
{
    if (edit == SET_URI)
        return !done[SET_URI] && msg_is_request(msg);
    if (edit == LOWER)
        return !done[LOWER] && msg_is_request(msg) &&
               !(gist->has_max_forwards && gist->max_forwards == 0);
    if (edit == POP_VIA)
        return !done[POP_VIA] && !done[PUSH_VIA];
    if (edit == DROP || edit == DROP_LAST)
        return !model->routes.broken;
    return true;
}

static void
edit_once(const struct msg *msg, const struct gist *gist, struct rand *rand, struct arena *arena)
{
    bool done[EDIT_KINDS] = { false };
    struct model model = { .pushed = 0 };
    struct draft d;
    struct span out;

    draft_init(&d, msg, arena);
    read_vias(msg, &model.vias);
    read_routes(msg, &model.routes);
    model.own = model.routes.len;
    for (uint64_t n = rand_below(rand, EDITS); n > 0; n--) {
        enum edit edit = (enum edit)rand_below(rand, EDIT_KINDS);

        if (!is_possible(msg, gist, edit, done, &model))
            continue;
        edit_by(&d, gist, edit, &model);
        done[edit] = true;
    }
    BUG_ON(draft_render(&d, arena, &out));
    check_splices(&d, out);
    check_read_again(out, msg, &model, arena);
}

/* The stamps read back as they were put, and all else of the message is as it was. */
static void
stamp_once(const struct msg *msg, const struct gist *gist, struct arena *arena)
{
    struct draft d;
    struct span out;
    struct msg again;
    struct gist stamped;

    draft_init(&d, msg, arena);
    draft_stamp_via(&d, gist, SPAN("192.0.2.77"), 4711);
    BUG_ON(draft_render(&d, arena, &out));
    check_splices(&d, out);
    BUG_ON(msg_read(out, arena, &again) || again.fault || again.fields_len != msg->fields_len);
    gist_read(&again, &stamped);
    BUG_ON(stamped.fault || !span_eq(stamped.via.received, SPAN("192.0.2.77")) ||
           !span_eq(stamped.via.rport, SPAN("4711")));
    BUG_ON(!span_eq(stamped.via.branch, gist->via.branch) ||
           !span_eq(stamped.via.sent_by, gist->via.sent_by));
}

int
fuzz_draft(const uint8_t *data, size_t size)
{
    struct rand rand = input_rand(data, size);
    struct span bytes = input_copy(data, size), out;
    struct arena arena;
    struct draft d;
    struct gist gist;
    struct msg msg;

    arena_init(&arena, 64 << 20);
    if (msg_read(bytes, &arena, &msg) == SIPD_OK) {
        draft_init(&d, &msg, &arena);
        BUG_ON(draft_render(&d, &arena, &out) || !span_eq(out, bytes));
        gist_read(&msg, &gist);
        for (unsigned i = 0; i < ROUNDS && odd_may_stay(&gist); i++)
            edit_once(&msg, &gist, &rand, &arena);
        if (odd_may_stay(&gist))
            stamp_once(&msg, &gist, &arena);
    }
    arena_fini(&arena);
    input_free(&bytes);
    return 0;
}
