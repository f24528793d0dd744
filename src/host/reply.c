/*
 * A module's own answer: fields collected in the turn's memory, sent by the trip as a response of ours (RFC 3261 §8.2.6).
 */
#include <sipd/module.h>

#include "core/state.h"
#include "core/trip.h"
#include "sip/chars.h"
#include "sip/date.h"
#include "sip/line.h"

enum { FIRST_BYTES = 480 }; /* room for lines to begin with */

struct sipd_reply {
    struct sipd_req *req;
    unsigned status;
    int err;                /* the first failure */
    struct reply_with with; /* but for its lines, which are … */
    char *lines;            /* … the fields so far */
    size_t len, room;
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
    struct sipd_reply *reply = arena_alloc(req->core->ports.turn, sizeof *reply + FIRST_BYTES);

    if (!reply)
        return &no_memory;
    *reply = (struct sipd_reply){
        .req = req,
        .status = status,
        .lines = (char *)(reply + 1),
        .room = FIRST_BYTES,
    };
    if (status < 101 || status > 699)
        reply->err = SIPD_EINVAL;
    return reply;
}

void
sipd_reply_phrase(struct sipd_reply *reply, struct span phrase)
{
    struct span kept;

    if (reply->err == SIPD_OK && copy(reply, phrase, &kept))
        reply->with.phrase = kept;
}

static bool
make_room(struct sipd_reply *reply, size_t bytes)
{
    size_t room = 2 * (reply->len + bytes);
    char *lines = arena_alloc(memory(reply), room);

    if (!lines) {
        reply->err = SIPD_ENOMEM;
        return false;
    }
    memcpy(lines, reply->lines, reply->len);
    reply->lines = lines;
    reply->room = room;
    return true;
}

/* Where so many more bytes go, behind the others; NULL, and the failure kept, without memory. */
static inline char *
more(struct sipd_reply *reply, size_t bytes)
{
    if (bytes > reply->room - reply->len && !make_room(reply, bytes))
        return NULL;
    reply->len += bytes;
    return reply->lines + reply->len - bytes;
}

/* One line behind the others. The name is a token. */
static void
add_line(struct sipd_reply *reply, struct span name, struct span value)
{
    char *to = more(reply, line_bytes(name, value));

    if (to)
        line_write(to, name, value);
}

void
sipd_reply_header(struct sipd_reply *reply, struct span name, struct span value)
{
    if (reply->err == SIPD_OK && !chars_is_token(name))
        reply->err = SIPD_EINVAL;
    if (reply->err == SIPD_OK)
        add_line(reply, name, value);
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
    struct span line;
    char *to;

    if (reply->err != SIPD_OK)
        return;
    line = date_line(&reply->req->core->date, reply->req->core->ports.clock->wall_s);
    if (line.len == 0)
        reply->err = SIPD_EINVAL;
    else if ((to = more(reply, DATE_BYTES)))
        memcpy(to, line.at, DATE_BYTES);
}

void
sipd_reply_body(struct sipd_reply *reply, struct span type, struct span body)
{
    struct span kept_type, kept;

    if (reply->err != SIPD_OK || !copy(reply, type, &kept_type) || !copy(reply, body, &kept))
        return;
    reply->with.type = kept_type;
    reply->with.body = kept;
}

int
sipd_reply_send(struct sipd_reply *reply)
{
    if (reply->err == SIPD_OK) {
        reply->with.lines = (struct span){ reply->lines, reply->len };
        reply->err = trip_reply(reply->req->trip, reply->status, &reply->with);
    }
    if (reply->err != SIPD_OK)
        return SIPD_FAIL;
    if (reply->status >= 200)
        reply->req->answered = true;
    return SIPD_DONE;
}
