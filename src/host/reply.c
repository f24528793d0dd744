/*
 * A module's own answer: fields collected in the turn's memory, sent by the trip as a response of ours (RFC 3261 §8.2.6).
 */
#include <sipd/module.h>

#include <stdio.h>
#include <time.h>

#include "core/state.h"
#include "core/trip.h"
#include "sip/line.h"

struct field {
    struct field *next;
    struct span name, value;
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

/* token (RFC 3261 §25.1): what a field's name is made of. */
static bool
is_token(struct span name)
{
    for (size_t i = 0; i < name.len; i++) {
        char c = name.at[i];
        bool alnum = (c >= '0' && c <= '9') || (span_lower(c) >= 'a' && span_lower(c) <= 'z');

        if (!alnum && span_find(SPAN("-.!%*_+`'~"), c) == 10)
            return false;
    }
    return name.len > 0;
}

void
sipd_reply_header(struct sipd_reply *reply, struct span name, struct span value)
{
    struct field *field;

    if (reply->err != SIPD_OK)
        return;
    field = is_token(name) ? arena_zalloc(memory(reply), sizeof *field) : NULL;
    if (!field) {
        reply->err = is_token(name) ? SIPD_ENOMEM : SIPD_EINVAL;
        return;
    }
    if (!copy(reply, name, &field->name) || !copy(reply, value, &field->value))
        return;
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

/* SIP-date (RFC 3261 §25.1): names of RFC 1123 whatever the locale, always GMT. */
void
sipd_reply_date(struct sipd_reply *reply)
{
    static const char days[] = "SunMonTueWedThuFriSat",
                      months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    time_t now;
    struct tm tm;
    char text[64];
    int len;

    if (reply->err != SIPD_OK)
        return;
    now = (time_t)reply->req->core->ports.clock->wall_s;
    if (!gmtime_r(&now, &tm)) {
        reply->err = SIPD_EINVAL;
        return;
    }
    len = snprintf(text, sizeof text, "%.3s, %02d %.3s %04d %02d:%02d:%02d GMT",
                   days + 3 * tm.tm_wday, tm.tm_mday, months + 3 * tm.tm_mon, tm.tm_year + 1900,
                   tm.tm_hour, tm.tm_min, tm.tm_sec);
    sipd_reply_header(reply, SPAN("Date"), (struct span){ text, (size_t)len });
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
        bytes += line_bytes(f->name, f->value);
    lines = at = arena_alloc(memory(reply), bytes + 1);
    if (!lines)
        return false;
    for (const struct field *f = reply->fields; f; f = f->next)
        at = line_write(at, f->name, f->value);
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
