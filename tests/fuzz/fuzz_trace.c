/*
 * Events as sipctl takes them, a JSON object each: nothing that is drawn is a command to the terminal or wider than it, and
 * what is kept as packets is a whole file.
 */
#include <jansson.h>

#include "fuzz/input.h"
#include "sipctl/base64.h"
#include "sipctl/explain.h"
#include "sipctl/ladder.h"
#include "sipctl/pcap.h"
#include "sipctl/text.h"

enum { EVENTS_MOST = 64, OUT_BYTES = 1 << 22, FILE_HEAD = 24, RECORD_HEAD = 16 };

int fuzz_trace(const uint8_t *data, size_t size);

static void
check_drawn(struct span drawn, size_t width)
{
    while (drawn.len > 0) {
        struct span line = span_cut(&drawn, '\n');
        struct buf shown;

        BUG_ON(text_places(line) > width);
        buf_init(&shown, OUT_BYTES);
        text_put(&shown, line);
        BUG_ON(!span_eq(buf_span(&shown), line));
        buf_fini(&shown);
    }
}

static void
check_file(struct span file)
{
    uint32_t len;

    for (size_t at = FILE_HEAD; at < file.len; at += RECORD_HEAD + len) {
        BUG_ON(file.len - at < RECORD_HEAD);
        memcpy(&len, file.at + at + 8, sizeof len);
        BUG_ON(len > file.len - at - RECORD_HEAD || len > 65535 + 40);
    }
}

static void
keep(struct pcap *pcap, const struct event *event, struct buf *file)
{
    struct buf bytes;

    buf_init(&bytes, OUT_BYTES);
    if (base64_read(event->bytes, &bytes)) {
        struct pcap_message message = {
            .at_us = event->at_us,
            .stream = span_eq(event->transport, SPAN("tcp")),
            .from = event->peer,
            .to = event->local,
            .bytes = buf_span(&bytes),
        };

        BUG_ON(bytes.len > event->bytes.len);
        (void)pcap_write(pcap, &message, file);
    }
    buf_fini(&bytes);
}

static void
draw(const json_t *events, const struct screen *screen, bool numbered)
{
    static struct ladder ladder;
    static struct pcap pcap;
    struct buf out, file;
    struct event event;

    buf_init(&out, OUT_BYTES);
    buf_init(&file, OUT_BYTES);
    ladder_init(&ladder, screen, numbered);
    pcap_begin(&pcap, &file);
    for (size_t i = 0; i < json_array_size(events); i++)
        if (event_read(json_array_get(events, i), &event)) {
            if (i % 3 == 0)
                ladder_expect(&ladder, &event);
            ladder_write(&ladder, &event, &out);
            keep(&pcap, &event, &file);
        }
    check_drawn(buf_span(&out), screen->width);
    check_file(buf_span(&file));
    buf_fini(&out);
    buf_fini(&file);
}

/* The first byte is the width, then an answer of explain's or an array of events. */
int
fuzz_trace(const uint8_t *data, size_t size)
{
    struct screen screen = { .width = 20, .rows = 24 };
    json_t *json, *events;
    struct buf out;

    if (size == 0)
        return 0;
    screen.width += data[0];
    screen.utf8 = data[0] & 1;
    json = json_loadb((const char *)data + 1, size - 1, JSON_ALLOW_NUL, NULL);
    events = json_is_array(json) ? json : json_object_get(json, "events");
    if (json_array_size(events) <= EVENTS_MOST) {
        draw(events, &screen, data[0] & 2);
        buf_init(&out, OUT_BYTES);
        explain_write(json, &screen, &out);
        for (struct span rest = buf_span(&out); rest.len > 0;)
            check_drawn(span_cut(&rest, '\n'), SIZE_MAX);
        buf_fini(&out);
    }
    json_decref(json);
    return 0;
}
