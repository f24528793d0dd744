/*
 * What a command answers: a row is built as an object and then kept as text, so that a long list costs its bytes only.
 */
#include "host/answer.h"

#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/mem.h"
#include "host/state.h"

enum { ROWS_BYTES = 64 << 20, REFUSAL_BYTES = 4096 };

struct sipd_answer {
    struct host *host;
    const struct sipd_host *owner;
    uint64_t id;     /* put off: its place among host->answers; else 0 */
    bool running;    /* the command has not returned yet */
    bool sent;       /* … and has already said that it is done */
    bool broken;     /* memory went out on the way */
    json_t *row;     /* the one being built, or NULL */
    struct buf rows; /* objects with commas between them */
    const char *rows_name;
    json_t *whole; /* fields beside the rows, or NULL */
    char refusal[REFUSAL_BYTES];
};

struct sipd_answer *
answer_new(struct host *host, const struct sipd_host *owner)
{
    struct sipd_answer *answer = mem_new(sizeof *answer);

    if (!answer)
        return NULL;
    answer->host = host;
    answer->owner = owner;
    answer->running = true;
    answer->rows_name = "rows";
    buf_init(&answer->rows, ROWS_BYTES);
    return answer;
}

void
answer_free(struct sipd_answer **answer)
{
    struct sipd_answer *a = *answer;

    *answer = NULL;
    if (!a)
        return;
    if (a->id)
        slots_free(&a->host->answers, a->id);
    json_decref(a->row);
    json_decref(a->whole);
    buf_fini(&a->rows);
    mem_free(a);
}

static int
put_json(const char *bytes, size_t len, void *to)
{
    buf_put(to, (struct span){ bytes, len });
    return 0;
}

static void
finish_row(struct sipd_answer *answer)
{
    if (!answer->row)
        return;
    if (answer->rows.len > 0)
        buf_put_char(&answer->rows, ',');
    if (json_dump_callback(answer->row, put_json, &answer->rows, JSON_COMPACT) != 0)
        answer->broken = true;
    json_decref(answer->row);
    answer->row = NULL;
}

void
sipd_answer_row(struct sipd_answer *answer)
{
    finish_row(answer);
    answer->row = json_object();
    answer->broken |= !answer->row;
}

/* JSON wants UTF-8 (RFC 8259 §8.1), and what came by the wire need not be: then every byte past ASCII becomes a '?'. */
static json_t *
text_json(struct span text)
{
    json_t *value = json_stringn(text.len > 0 ? text.at : "", text.len);
    char *plain;

    if (value)
        return value;
    plain = mem_copy(text);
    if (!plain)
        return NULL;
    for (size_t i = 0; i < text.len; i++)
        if ((unsigned char)plain[i] >= 0x80)
            plain[i] = '?';
    value = json_stringn(plain, text.len);
    mem_free(plain);
    return value;
}

static void
set_field(struct sipd_answer *answer, const char *name, json_t *value)
{
    if (!answer->row)
        sipd_answer_row(answer);
    if (json_object_set_new(answer->row, name, value) != 0)
        answer->broken = true;
}

void
sipd_answer_field(struct sipd_answer *answer, const char *name, struct span value)
{
    set_field(answer, name, text_json(value));
}

void
sipd_answer_number(struct sipd_answer *answer, const char *name, int64_t value)
{
    set_field(answer, name, json_integer(value));
}

void
answer_call_rows(struct sipd_answer *answer, const char *name)
{
    answer->rows_name = name;
}

static void
set_whole(struct sipd_answer *answer, const char *name, json_t *value)
{
    if (!answer->whole)
        answer->whole = json_object();
    if (json_object_set_new(answer->whole, name, value) != 0)
        answer->broken = true;
}

void
answer_whole_field(struct sipd_answer *answer, const char *name, struct span value)
{
    set_whole(answer, name, text_json(value));
}

void
answer_whole_number(struct sipd_answer *answer, const char *name, int64_t value)
{
    set_whole(answer, name, json_integer(value));
}

void
sipd_answer_refuse(struct sipd_answer *answer, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(answer->refusal, sizeof answer->refusal, format, args);
    va_end(args);
    if (answer->refusal[0] == '\0')
        snprintf(answer->refusal, sizeof answer->refusal, "refused");
}

const char *
answer_refusal(const struct sipd_answer *answer)
{
    return answer->refusal[0] ? answer->refusal : NULL;
}

static void
write_error(struct buf *to, const char *words)
{
    json_t *text = text_json(span_of(words));

    buf_put(to, SPAN("{\"error\":"));
    if (!text || json_dump_callback(text, put_json, to, JSON_COMPACT | JSON_ENCODE_ANY) != 0)
        buf_put(to, SPAN("\"out of memory\""));
    buf_put(to, SPAN("}"));
    json_decref(text);
}

/* Up to where the rows begin. */
static void
write_whole(const struct sipd_answer *answer, struct buf *to)
{
    if (answer->whole) {
        json_dump_callback(answer->whole, put_json, to, JSON_COMPACT);
        to->len -= to->len > 0; /* its closing brace */
        buf_put_char(to, ',');
    } else {
        buf_put_char(to, '{');
    }
    buf_put_char(to, '"');
    buf_put(to, span_of(answer->rows_name));
    buf_put(to, SPAN("\":["));
}

void
answer_write(const struct sipd_answer *answer, struct buf *to)
{
    if (answer->refusal[0]) {
        write_error(to, answer->refusal);
    } else if (answer->broken || answer->rows.err == SIPD_ENOMEM) {
        write_error(to, "out of memory");
    } else if (answer->rows.err != SIPD_OK) {
        write_error(to, "the answer is too long; ask for less");
    } else {
        write_whole(answer, to);
        buf_put(to, buf_span(&answer->rows));
        if (answer->row && answer->rows.len > 0)
            buf_put_char(to, ',');
        if (answer->row)
            json_dump_callback(answer->row, put_json, to, JSON_COMPACT);
        buf_put(to, SPAN("]}"));
    }
}

/* ---- answers put off, by id */

uint64_t
sipd_answer_later(struct sipd_answer *answer)
{
    struct answer_slot *slot;

    if (answer->id)
        return answer->id;
    slot = slots_new(&answer->host->answers, &answer->id);
    if (!slot) {
        answer->id = 0;
        sipd_answer_refuse(answer, "too many answers are under way");
        return 0;
    }
    slot->answer = answer;
    return answer->id;
}

bool
answer_is_later(struct sipd_answer *answer, uint64_t *id)
{
    answer->running = false;
    *id = answer->sent ? 0 : answer->id;
    return *id != 0;
}

struct sipd_answer *
host_find_answer(struct host *host, uint64_t later)
{
    struct answer_slot *slot = later ? slots_find(&host->answers, later) : NULL;

    return slot ? slot->answer : NULL;
}

struct sipd_answer *
sipd_answer_find(struct sipd_host *host, uint64_t answer_id)
{
    return host_find_answer(host->host, answer_id);
}

void
sipd_answer_send(struct sipd_answer *answer)
{
    const struct host_ports *ports = &answer->host->ports;

    answer->sent = true;
    if (answer->running)
        return;
    if (ports->answered)
        ports->answered(ports->io, answer->id, answer);
    answer_free(&answer);
}

void
answer_give_up(struct sipd_answer *answer, const char *why)
{
    sipd_answer_refuse(answer, "%s", why);
    sipd_answer_send(answer);
}

void
host_forget_answer(struct host *host, uint64_t later)
{
    struct answer_slot *slot = later ? slots_find(&host->answers, later) : NULL;

    if (slot)
        answer_free(&slot->answer);
}

void
answers_forget(struct host *host, const struct sipd_host *owner)
{
    uint64_t cursor = 0;
    struct answer_slot *slot;

    while ((slot = slots_next(&host->answers, &cursor)))
        if (slot->answer->owner == owner)
            answer_give_up(slot->answer, "the module that was asked has been unloaded");
}

void
answers_drop(struct host *host)
{
    uint64_t cursor = 0;
    struct answer_slot *slot;

    while ((slot = slots_next(&host->answers, &cursor)))
        answer_free(&slot->answer);
}
