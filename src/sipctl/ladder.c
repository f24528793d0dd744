/*
 * A ladder, line by line. Whatever a peer wrote goes through mask_put() and text_put() before it is drawn.
 */
#include "sipctl/ladder.h"

#include <stdio.h>
#include <time.h>

#include "base/mask.h"
#include "sipctl/text.h"

enum {
    TEXT_BYTES = 1 << 14, /* of a text, what is looked at */
    TIME_PLACES = 12,     /* 12:34:56.789 */
    CALL_PLACES = 4,      /* #123 */
    MARGIN = 8,           /* half of a name on both sides of the lanes */
    WORDS_LEAST = 30,     /* places that a sentence wants */
    NUMBERS = 1000,
};

struct glyphs {
    const char *lane, *dash, *right, *left, *more;
};

static const struct glyphs ascii = { "|", "-", ">", "<", ".." };
static const struct glyphs drawn = { "│", "─", "▶", "◀", "…" };

static const struct glyphs *
glyphs_of(const struct ladder *ladder)
{
    return ladder->screen.utf8 ? &drawn : &ascii;
}

/* ---- where things stand */

static size_t
gutter(const struct ladder *ladder)
{
    return TIME_PLACES + 1 + (ladder->numbered ? CALL_PLACES + 1 : 0);
}

void
ladder_fit(struct ladder *ladder, const struct screen *screen)
{
    if (ladder->screen.width != screen->width)
        ladder->has_head = false;
    ladder->screen = *screen;
    if (ladder->screen.width > CANVAS_WIDTH)
        ladder->screen.width = CANVAS_WIDTH;
    lanes_fit(&ladder->lanes, gutter(ladder) + MARGIN, ladder->screen.width - 1 - MARGIN);
}

void
ladder_init(struct ladder *ladder, const struct screen *screen, bool numbered)
{
    *ladder = (struct ladder){ .numbered = numbered };
    lanes_init(&ladder->lanes, 0, 0);
    ladder_fit(ladder, screen);
}

static void
end_line(struct ladder *ladder, struct buf *to)
{
    canvas_write(&ladder->canvas, ladder->screen.colour, to);
    ladder->since_head++;
}

static void
begin_line(struct ladder *ladder)
{
    canvas_clear(&ladder->canvas, ladder->screen.width);
}

/* ---- the head: who stands where */

static void
put_lanes(struct ladder *ladder)
{
    const char *lane = glyphs_of(ladder)->lane;

    for (size_t i = 0; i < ladder->lanes.len; i++)
        canvas_mark(&ladder->canvas, lanes_place(&ladder->lanes, i), lane, INK_FAINT);
    canvas_mark(&ladder->canvas, lanes_sipd(&ladder->lanes), lane, INK_FAINT);
}

/*
 * In the middle above a lane, no more than `half` places to each side; at the screen's edge it is moved inward. Of what is too
 * long the end is told, for there is the port.
 */
static void
put_name(struct ladder *ladder, size_t place, struct span name, size_t half, enum ink ink)
{
    size_t first = gutter(ladder), last = ladder->screen.width - 1;
    size_t from = place > first + half ? place - half : first;
    size_t to = place + half < last ? place + half : last;
    size_t room = to - from + 1, places = text_places(name), at;
    bool cut = places > room;

    while (text_places(name) > room - cut)
        name = span_skip(name, text_head(name, 2).len);
    places = text_places(name) + cut;
    at = place > from + places / 2 ? place - places / 2 : from;
    if (at + places > to + 1)
        at = to + 1 - places;
    canvas_text(&ladder->canvas, at + cut, name, ink);
    if (cut)
        canvas_mark(&ladder->canvas, at, ladder->screen.utf8 ? "…" : "~", ink);
}

/* The names of every second lane, beginning with the first or the second: so they have twice the room. Or of all. */
static void
put_names(struct ladder *ladder, size_t first, size_t step, size_t half)
{
    const struct lanes *lanes = &ladder->lanes;

    for (size_t column = first; column <= lanes->len; column += step) {
        size_t peer = column - (column > lanes->left);

        if (column == lanes->left)
            put_name(ladder, lanes_sipd(lanes), SPAN("sipd"), half, INK_BOLD);
        else
            put_name(ladder, lanes_place(lanes, peer), span_of(lanes->peers[peer].name), half,
                     INK_BOLD);
    }
}

static size_t
widest_name(const struct lanes *lanes)
{
    size_t widest = 4;

    for (size_t i = 0; i < lanes->len; i++)
        if (text_places(span_of(lanes->peers[i].name)) > widest)
            widest = text_places(span_of(lanes->peers[i].name));
    return widest;
}

static void
put_head(struct ladder *ladder, struct buf *to)
{
    const struct lanes *lanes = &ladder->lanes;
    size_t gap = lanes_gap(lanes);
    bool one_row = widest_name(lanes) + 2 <= gap;

    ladder->has_head = true;
    if (ladder->since_head > 0)
        buf_put_char(to, '\n');
    begin_line(ladder);
    put_names(ladder, 0, one_row ? 1 : 2, one_row ? gap / 2 - 1 : gap - 1);
    end_line(ladder, to);
    if (!one_row) {
        begin_line(ladder);
        put_names(ladder, 1, 2, gap - 1);
        for (size_t column = 0; column <= lanes->len; column += 2)
            canvas_mark(&ladder->canvas, lanes->from + column * gap, glyphs_of(ladder)->lane,
                        INK_FAINT);
        end_line(ladder, to);
    }
    begin_line(ladder);
    put_lanes(ladder);
    for (size_t i = 0; i < lanes->len; i++)
        put_name(ladder, lanes_place(lanes, i), span_of(lanes->peers[i].transport), gap / 2 - 1,
                 INK_FAINT);
    end_line(ladder, to);
    ladder->since_head = 1;
}

/* A head is due when there is none above, or none to be seen any more. */
static bool
head_is_due(const struct ladder *ladder)
{
    size_t seen = ladder->screen.rows > 8 ? ladder->screen.rows - 5 : 0;

    return !ladder->has_head || (seen > 0 && ladder->since_head >= seen);
}

/* ---- calls */

static struct ladder_call *
call_of(struct ladder *ladder, struct span id, bool *is_new)
{
    struct ladder_call *oldest = &ladder->calls[0];

    for (size_t i = 0; i < countof(ladder->calls); i++) {
        struct ladder_call *call = &ladder->calls[i];

        *is_new = false;
        if (call->number > 0 && span_eq(span_of(call->id), id))
            return call;
        if (call->used < oldest->used)
            oldest = call;
    }
    *is_new = true;
    *oldest = (struct ladder_call){ .number = ladder->calls_seen++ % (NUMBERS - 1) + 1 };
    memcpy(oldest->id, id.at, id.len);
    return oldest;
}

/* Its number; 0: it has none. A call that was not seen before is told. */
static unsigned
number_call(struct ladder *ladder, const struct event *event, struct buf *to)
{
    struct ladder_call *call;
    struct buf id;
    bool is_new;

    if (!ladder->numbered || event->call_id.len == 0)
        return 0;
    buf_init(&id, CALL_ID_BYTES);
    text_put(&id, span_head(event->call_id, CALL_ID_BYTES - 1));
    if (id.len == 0) /* no memory */
        return 0;
    call = call_of(ladder, buf_span(&id), &is_new);
    call->used = ++ladder->uses;
    if (is_new) {
        char number[16];

        snprintf(number, sizeof number, "#%u", call->number);
        begin_line(ladder);
        canvas_text(&ladder->canvas, TIME_PLACES + 1, span_of(number), INK_BOLD);
        canvas_text(&ladder->canvas, gutter(ladder), SPAN("Call-ID"), INK_FAINT);
        canvas_text(&ladder->canvas, gutter(ladder) + 8, buf_span(&id), INK_PLAIN);
        end_line(ladder, to);
    }
    buf_fini(&id);
    return call->number;
}

/* ---- the left edge: when, and which call */

static void
time_of(uint64_t at_us, char text[16])
{
    time_t seconds = (time_t)(at_us / 1000000);
    struct tm local;

    text[0] = '\0';
    if (localtime_r(&seconds, &local))
        snprintf(text, 16, "%02u:%02u:%02u.%03u", (unsigned)local.tm_hour % 100U,
                 (unsigned)local.tm_min % 100U, (unsigned)local.tm_sec % 100U,
                 (unsigned)(at_us / 1000 % 1000));
}

/* The time stands beside a message always, beside a decision when it is another than above. */
static void
put_edge(struct ladder *ladder, const struct event *event, unsigned number)
{
    char text[16];

    time_of(event->at_us, text);
    if (event->is_message || strcmp(text, ladder->shown_time) != 0)
        canvas_text(&ladder->canvas, 0, span_of(text), INK_FAINT);
    memcpy(ladder->shown_time, text, sizeof text);
    if (number == 0)
        return;
    snprintf(text, sizeof text, "#%u", number);
    canvas_text(&ladder->canvas, TIME_PLACES + 1, span_of(text), INK_FAINT);
}

/* ---- messages */

static enum ink
ink_of(const struct event *event)
{
    unsigned status = event_status(event);

    if (event->is_request)
        return INK_REQUEST;
    return status < 200   ? INK_PROVISIONAL
           : status < 300 ? INK_SUCCESS
           : status < 400 ? INK_ELSEWHERE
                          : INK_FAILURE;
}

static void
put_safe(struct buf *to, struct span text)
{
    struct buf masked;

    buf_init(&masked, (size_t)TEXT_BYTES * 4); /* stars may be more than what they stand for */
    mask_put(&masked, span_head(text, TEXT_BYTES));
    text_put(to, buf_span(&masked));
    buf_fini(&masked);
}

/* The first line without what every one has, "SIP/2.0". */
static struct span
short_line(const struct event *event)
{
    struct span line = event->line;

    if (!event->is_request) {
        span_cut(&line, ' ');
        return line;
    }
    for (size_t i = line.len; i > 0; i--)
        if (line.at[i - 1] == ' ')
            return span_head(line, i - 1);
    return line;
}

/* "INVITE sip:bob@example.com", else "INVITE bob@example.com", "INVITE bob", or "INVITE": the longest that fits. */
static void
label_request(const struct event *event, size_t room, struct buf *to)
{
    struct span method, forms[4];
    struct buf safe;

    buf_init(&safe, (size_t)TEXT_BYTES * 4);
    put_safe(&safe,
             short_line(event)); /* before it is cut: what is left might not look like a secret */
    forms[0] = buf_span(&safe);
    method = span_cut(&forms[0], ' ');
    forms[1] = forms[0];
    if (span_find(forms[1], ':') < forms[1].len)
        span_cut(&forms[1], ':');
    forms[2] = span_head(forms[1], span_find(forms[1], '@'));
    forms[3] = span_head(forms[2], 0);
    for (size_t i = 0; i < countof(forms); i++) {
        if (text_places(method) + (forms[i].len > 0) + text_places(forms[i]) > room &&
            i + 1 < countof(forms))
            continue;
        buf_put(to, method);
        buf_put(to, forms[i].len > 0 ? SPAN(" ") : SPAN(""));
        buf_put(to, forms[i]);
        break;
    }
    buf_fini(&safe);
}

/* "200 OK (BYE)", else "200 OK". That INVITE was answered needs no words. */
static void
label_response(const struct event *event, size_t room, struct buf *to)
{
    struct span method = event_method(event);
    struct buf brief;

    put_safe(to, short_line(event));
    if (method.len == 0 || span_eq(method, SPAN("INVITE")))
        return;
    buf_init(&brief, (size_t)TEXT_BYTES * 4);
    buf_put(&brief, SPAN(" ("));
    put_safe(&brief, method);
    buf_put_char(&brief, ')');
    if (text_places(buf_span(to)) + text_places(buf_span(&brief)) <= room)
        buf_put(to, buf_span(&brief));
    buf_fini(&brief);
}

/* What stands on the arrow: what does not fit is cut. */
static void
label_of(const struct ladder *ladder, const struct event *event, size_t room, struct buf *to)
{
    struct span more = span_of(glyphs_of(ladder)->more);
    size_t places = text_places(more);

    if (event->is_request)
        label_request(event, room, to);
    else
        label_response(event, room, to);
    if (text_places(buf_span(to)) <= room)
        return;
    to->len = text_head(buf_span(to), room > places ? room - places : 0).len;
    buf_put(to, more);
}

static void
put_arrow(struct ladder *ladder, const struct event *event, size_t peer)
{
    const struct glyphs *glyph = glyphs_of(ladder);
    size_t at = lanes_place(&ladder->lanes, peer), sipd = lanes_sipd(&ladder->lanes);
    size_t from = at < sipd ? at : sipd, to = at < sipd ? sipd : at;
    bool right = (at < sipd) != event->is_sent;
    enum ink ink = ink_of(event);
    struct buf label, inner;
    size_t places;

    for (size_t i = from + 1; i < to; i++)
        canvas_mark(&ladder->canvas, i, glyph->dash, ink);
    canvas_mark(&ladder->canvas, right ? to - 1 : from + 1, right ? glyph->right : glyph->left,
                ink);
    buf_init(&inner, (size_t)TEXT_BYTES * 4);
    buf_init(&label, (size_t)TEXT_BYTES * 4);
    label_of(ladder, event, to - from - 6, &inner); /* two blanks, two dashes, the head */
    buf_put_char(&label, ' ');
    buf_put(&label, buf_span(&inner));
    buf_put_char(&label, ' ');
    places = text_places(buf_span(&label));
    canvas_text(&ladder->canvas, from + 1 + (to - from - 1 - places + !right) / 2, buf_span(&label),
                ink);
    buf_fini(&label);
    buf_fini(&inner);
}

/* Beside sipd's lane, if there is room: what is its own, and who has no lane. */
static size_t
words_place(const struct ladder *ladder)
{
    size_t beside = lanes_sipd(&ladder->lanes) + 2;

    if (ladder->lanes.len == 0 || beside + WORDS_LEAST > ladder->screen.width)
        return gutter(ladder) + 2;
    return beside;
}

/* The lanes, as far as they leave the room from `place` on to words. */
static void
put_lanes_before(struct ladder *ladder, size_t place)
{
    if (ladder->lanes.len > 0)
        put_lanes(ladder);
    for (size_t i = place - 1; i < ladder->screen.width; i++)
        canvas_mark(&ladder->canvas, i, " ", INK_PLAIN);
}

/* A message whose peer has no lane is words. */
static void
put_listed(struct ladder *ladder, const struct event *event)
{
    size_t place = lanes_are_none(&ladder->lanes) ? gutter(ladder) : words_place(ladder);
    struct buf words;

    buf_init(&words, (size_t)TEXT_BYTES * 4);
    buf_put(&words, event->is_sent ? SPAN("to ") : SPAN("from "));
    text_put(&words, event->peer);
    buf_put(&words, SPAN(": "));
    put_safe(&words, short_line(event));
    put_lanes_before(ladder, place);
    canvas_text(&ladder->canvas, place, buf_span(&words), ink_of(event));
    buf_fini(&words);
}

void
ladder_expect(struct ladder *ladder, const struct event *event)
{
    bool is_new;

    if (!event->is_message)
        return;
    lanes_of(&ladder->lanes, event, &is_new);
    ladder->has_head = ladder->has_head && !is_new;
}

static void
write_message(struct ladder *ladder, const struct event *event, struct buf *to)
{
    bool is_new;
    int peer = lanes_of(&ladder->lanes, event, &is_new);
    unsigned number;

    if (ladder->lanes.len > 0 && (is_new || head_is_due(ladder)))
        put_head(ladder, to);
    number = number_call(ladder, event, to);
    begin_line(ladder);
    if (peer == LANES_NONE) {
        put_listed(ladder, event);
    } else {
        put_lanes(ladder);
        put_arrow(ladder, event, (size_t)peer);
    }
    put_edge(ladder, event, number);
    end_line(ladder, to);
}

/* ---- decisions */

static void
write_decision(struct ladder *ladder, const struct event *event, struct buf *to)
{
    unsigned number = number_call(ladder, event, to);
    size_t place = words_place(ladder), width = ladder->screen.width;
    struct span rest, line;
    struct buf words;
    bool first = true;

    buf_init(&words, (size_t)TEXT_BYTES * 4);
    if (event->branch >= 0)
        buf_printf(&words, "branch %lld: ", (long long)event->branch + 1);
    put_safe(&words, event->words.len > 0 ? event->words : event->step);
    for (rest = buf_span(&words); rest.len > 0; first = false) {
        line = text_line(&rest, width > place + 2 ? width - place : 2);
        begin_line(ladder);
        put_lanes_before(ladder, place);
        canvas_text(&ladder->canvas, place, line, INK_PLAIN);
        if (first)
            put_edge(ladder, event, number);
        end_line(ladder, to);
    }
    buf_fini(&words);
}

void
ladder_write(struct ladder *ladder, const struct event *event, struct buf *to)
{
    if (event->is_message)
        write_message(ladder, event, to);
    else
        write_decision(ladder, event, to);
}

void
ladder_say(struct ladder *ladder, uint64_t at_us, const char *words, struct buf *to)
{
    struct event event = { .at_us = at_us };
    struct span rest = span_of(words);
    size_t place = at_us > 0 ? gutter(ladder) : 0;

    while (rest.len > 0) {
        struct span line = text_line(&rest, ladder->screen.width - place - 3);

        begin_line(ladder);
        if (at_us > 0 && line.at == words)
            put_edge(ladder, &event, 0);
        canvas_text(&ladder->canvas, place, SPAN("--"), INK_FAINT);
        canvas_text(&ladder->canvas, place + 3, line, INK_FAINT);
        end_line(ladder, to);
    }
}
