/*
 * A module's own answer: fields collected in the turn's memory, sent by the trip as a response of ours (RFC 3261 §8.2.6).
 */
#include <sipd/module.h>

#include "core/state.h"
#include "core/trip.h"
#include "sip/chars.h"
#include "sip/date.h"
#include "sip/line.h"

struct field {
    struct field *next;
    struct span line;
};

struct sipd_reply {
    struct sipd_req *req;
    unsigned status;
    struct span phrase, body_type, body;
    struct field *fields, **fields_end;
    int err; /* the first failure */
};

/* What sipd_reply() gives when there is no memory for one: every call sees its error and touches nothing. */
static struct sipd_reply no_memory = { .err = SIPD_ENOMEM };

static struct arena *
memory(const struct sipd_reply *reply)
{
    return reply->req->core->ports.turn;
}

/* A copy that lives until the turn's end. False, and the failure kept, without memory. */
static bool
copy(struct sipd_reply *reply, struct span text, struct span *out)
{
    *out = arena_copy(memory(reply), text);
    if (!out->at)
        reply->err = SIPD_ENOMEM;
    return out->at != NULL;
}

struct sipd_reply *
sipd_reply(struct sipd_req *req, unsigned status)
{
    struct sipd_reply *reply = arena_zalloc(req->core->ports.turn, sizeof *reply);

    if (!reply)
        return &no_memory;
    reply->req = req;
    reply->status = status;
    reply->fields_end = &reply->fields;
    if (status < 101 || status > 699)
        reply->err = SIPD_EINVAL;
    return reply;
}

void
sipd_reply_phrase(struct sipd_reply *reply, struct span phrase)
{
    struct span kept;

    if (reply->err == SIPD_OK && copy(reply, phrase, &kept))
        reply->phrase = kept;
}

void
sipd_reply_header(struct sipd_reply *reply, struct span name, struct span value)
{
    struct field *field;

    if (reply->err != SIPD_OK)
        return;
    if (!chars_is_token(name)) {
        reply->err = SIPD_EINVAL;
        return;
    }
    field = arena_alloc(memory(reply), sizeof *field + line_bytes(name, value));
    if (!field) {
        reply->err = SIPD_ENOMEM;
        return;
    }
    field->next = NULL;
    field->line = span_between((char *)(field + 1), line_write((char *)(field + 1), name, value));
    *reply->fields_end = field;
    reply->fields_end = &field->next;
}

void
sipd_reply_number(struct sipd_reply *reply, struct span name, uint64_t value)
{
    char digits[20];
    size_t at = sizeof digits;

    do
        digits[--at] = (char)('0' + value % 10);
    while (value /= 10);
    sipd_reply_header(reply, name, (struct span){ digits + at, sizeof digits - at });
}

void
sipd_reply_date(struct sipd_reply *reply)
{
    struct span date = { NULL, 0 };

    if (reply->err == SIPD_OK)
        date = date_text(&reply->req->core->date, reply->req->core->ports.clock->wall_s);
    if (date.len > 0)
        sipd_reply_header(reply, SPAN("Date"), date);
    else if (reply->err == SIPD_OK)
        reply->err = SIPD_EINVAL;
}

void
sipd_reply_body(struct sipd_reply *reply, struct span type, struct span body)
{
    struct span kept_type, kept;

    if (reply->err != SIPD_OK || !copy(reply, type, &kept_type) || !copy(reply, body, &kept))
        return;
    reply->body_type = kept_type;
    reply->body = kept;
}

/* The fields as lines, side by side. */
static bool
write_fields(struct sipd_reply *reply, struct span *out)
{
    size_t bytes = 0;
    char *lines, *at;

    for (const struct field *f = reply->fields; f; f = f->next)
        bytes += f->line.len;
    lines = at = arena_alloc(memory(reply), bytes + 1);
    if (!lines)
        return false;
    for (const struct field *f = reply->fields; f; f = f->next)
        at = span_write(at, f->line);
    *out = (struct span){ lines, bytes };
    return true;
}

int
sipd_reply_send(struct sipd_reply *reply)
{
    struct span fields;

    if (reply->err == SIPD_OK && !write_fields(reply, &fields))
        reply->err = SIPD_ENOMEM;
    if (reply->err == SIPD_OK)
        reply->err = trip_reply(reply->req->trip, reply->status, reply->phrase, fields,
                                reply->body_type, reply->body);
    if (reply->err != SIPD_OK)
        return SIPD_FAIL;
    if (reply->status >= 200)
        reply->req->answered = true;
    return SIPD_DONE;
}
