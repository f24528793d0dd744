/*
 * Events as they come from sipd.
 */
#include "sipctl/event.h"

static struct span
text_of(const json_t *from, const char *name)
{
    const json_t *value = json_object_get(from, name);

    return (struct span){ json_string_value(value), json_string_length(value) };
}

static int64_t
number_of(const json_t *from, const char *name, int64_t none)
{
    const json_t *value = json_object_get(from, name);

    return json_is_integer(value) ? json_integer_value(value) : none;
}

bool
event_read(const json_t *from, struct event *to)
{
    int64_t seq = number_of(from, "seq", 0), at_us = number_of(from, "at_us", 0);

    *to = (struct event){
        .seq = seq > 0 ? (uint64_t)seq : 0,
        .at_us = at_us > 0 ? (uint64_t)at_us : 0,
        .call_id = text_of(from, "call_id"),
        .step = text_of(from, "step"),
        .words = text_of(from, "words"),
        .branch = number_of(from, "branch", -1),
        .transport = text_of(from, "transport"),
        .local = text_of(from, "local"),
        .peer = text_of(from, "peer"),
        .line = text_of(from, "line"),
        .cseq = text_of(from, "cseq"),
        .bytes = text_of(from, "bytes"),
    };
    to->is_sent = span_eq(to->step, SPAN("sent"));
    to->is_message =
        to->line.len > 0 && to->peer.len > 0 && (to->is_sent || span_eq(to->step, SPAN("heard")));
    to->is_request = to->is_message && !span_starts(to->line, SPAN("SIP/"));
    return to->step.len > 0;
}

struct span
event_method(const struct event *event)
{
    struct span rest = event->is_request ? event->line : event->cseq;

    if (event->is_request)
        return span_cut(&rest, ' ');
    span_cut(&rest, ' ');
    return span_trim(rest);
}

unsigned
event_status(const struct event *event)
{
    struct span rest = event->line;
    uint32_t status;

    if (!event->is_message || event->is_request)
        return 0;
    span_cut(&rest, ' ');
    return span_u32(span_cut(&rest, ' '), 999, &status) ? status : 0;
}
