/*
 * What would happen to a request: a line for each decision, its kind in front. What did happen to a call: its ladder.
 */
#include "sipctl/explain.h"

#include "base/mask.h"
#include "base/mem.h"
#include "sipctl/event.h"
#include "sipctl/ladder.h"
#include "sipctl/text.h"

enum { TEXT_BYTES = 1 << 16, STEP_PLACES = 9, BRANCH_PLACES = 2 };

bool
explain_is(const json_t *answer)
{
    return json_is_array(json_object_get(answer, "events"));
}

static struct span
text_of(const json_t *answer, const char *name)
{
    const json_t *value = json_object_get(answer, name);

    return (struct span){ json_string_value(value), json_string_length(value) };
}

/* A line, or several: the step's name, then the words beneath each other. What belongs to a branch stands further in. */
static void
put_step(const struct event *event, const struct screen *screen, struct buf *to)
{
    size_t place = 2 + STEP_PLACES + 1 + (event->branch >= 0 ? BRANCH_PLACES : 0);
    size_t room = screen->width > place + STEP_PLACES ? screen->width - place : STEP_PLACES;
    struct span step = span_head(event->step, STEP_PLACES), rest, line;
    struct buf masked, words;

    buf_init(&masked, TEXT_BYTES);
    buf_init(&words, TEXT_BYTES);
    if (event->branch >= 0)
        buf_printf(&masked, "branch %lld: ", (long long)event->branch + 1);
    mask_put(&masked, event->words);
    text_put(&words, buf_span(&masked));
    rest = buf_span(&words);
    buf_put(to, screen->colour ? SPAN("  \033[2m") : SPAN("  "));
    text_put(to, step);
    buf_put(to, screen->colour ? SPAN("\033[0m") : SPAN(""));
    text_pad(to, place - 2 - step.len);
    do {
        line = text_line(&rest, room);
        buf_put(to, line);
        buf_put_char(to, '\n');
        if (rest.len > 0)
            text_pad(to, place);
    } while (rest.len > 0);
    buf_fini(&masked);
    buf_fini(&words);
}

static void
put_title(const json_t *answer, const struct screen *screen, struct buf *to)
{
    struct buf uri;

    buf_init(&uri, TEXT_BYTES);
    mask_put(&uri, text_of(answer, "uri"));
    buf_put(to, screen->colour ? SPAN("\033[1m") : SPAN(""));
    text_put(to, text_of(answer, "method"));
    buf_put_char(to, ' ');
    text_put(to, buf_span(&uri));
    buf_put(to, screen->colour ? SPAN("\033[0m\n") : SPAN("\n"));
    buf_fini(&uri);
}

/* What would happen: nothing was sent, so there is no ladder. */
static void
write_plan(const json_t *answer, const struct screen *screen, struct buf *to)
{
    const json_t *events = json_object_get(answer, "events");
    struct buf outcome;
    struct event event;

    put_title(answer, screen, to);
    for (size_t i = 0; i < json_array_size(events); i++)
        if (event_read(json_array_get(events, i), &event))
            put_step(&event, screen, to);
    if (text_of(answer, "outcome").len == 0)
        return;
    buf_init(&outcome, TEXT_BYTES);
    mask_put(&outcome, text_of(answer, "outcome"));
    buf_put(to, SPAN("So: "));
    text_put(to, buf_span(&outcome));
    buf_put_char(to, '\n');
    buf_fini(&outcome);
}

static void
write_call(const json_t *answer, const struct screen *screen, struct buf *to)
{
    const json_t *events = json_object_get(answer, "events");
    struct ladder *ladder = mem_new(sizeof *ladder);
    struct screen endless = *screen;
    struct event event;

    if (!ladder) {
        to->err = SIPD_ENOMEM;
        return;
    }
    endless.rows = 0;
    ladder_init(ladder, &endless, false);
    for (size_t i = 0; i < json_array_size(events); i++)
        if (event_read(json_array_get(events, i), &event))
            ladder_expect(ladder, &event);
    for (size_t i = 0; i < json_array_size(events); i++)
        if (event_read(json_array_get(events, i), &event))
            ladder_write(ladder, &event, to);
    mem_free(ladder);
}

void
explain_write(const json_t *answer, const struct screen *screen, struct buf *to)
{
    if (json_object_get(answer, "method"))
        write_plan(answer, screen, to);
    else
        write_call(answer, screen, to);
}
