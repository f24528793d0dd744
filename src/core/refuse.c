/*
 * Our own answers: without a transaction (RFC 3261 §8.2.7), and as the server that a request names (§11.2, §8.2.1).
 */
#include "core/refuse.h"

#include "core/cancel.h"
#include "core/mark.h"
#include "core/note.h"
#include "core/upstream.h"
#include "sip/line.h"
#include "sip/reply.h"

#define ALLOWED                                                                                   \
    "INVITE, ACK, BYE, CANCEL, OPTIONS, INFO, MESSAGE, SUBSCRIBE, NOTIFY, REFER, PRACK, UPDATE, " \
    "PUBLISH"

struct span
refuse_write(struct core *core, const struct intake *in, unsigned status,
             const struct reply_with *with)
{
    char tag[MARK_TAG_LEN];
    struct reply_to to = {
        .request = in->msg,
        .gist = in->gist,
        .received = in->received,
        .rport = in->rport,
        .to_tag = mark_tag(in->mark, tag),
    };

    return reply_write(core->ports.turn, &to, status, with);
}

void
refuse(struct core *core, const struct intake *in, unsigned status, struct span phrase,
       struct span headers)
{
    struct reply_with with = { .phrase = phrase, .lines = headers };
    struct span bytes = refuse_write(core, in, status, &with);

    if (bytes.at)
        note_send(core, &in->reply_to, bytes, 0);
    ++*core->count.refused;
    if (log_on(core->ports.log, LOG_LVL_DEBUG)) {
        struct span code = arena_copy(core->ports.turn, span_head(span_skip(bytes, 8), 3));

        log_spans(core->ports.log, LOG_LVL_DEBUG, "refused", "call_id", &in->gist->call_id,
                  "method", &in->gist->method_text, "status", &code, NULL);
    }
}

bool
refuse_is_acked(const struct intake *ack)
{
    char tag[MARK_TAG_LEN];

    return ack->gist->to_tag.len == sizeof tag &&
           span_eq(ack->gist->to_tag, mark_tag(ack->mark, tag));
}

struct span
refuse_retry_after(struct core *core)
{
    char line[sizeof "Retry-After: \r\n" + SPAN_U64_BYTES];
    char *end = span_write(line, SPAN("Retry-After: "));

    end = span_write_u64(end, core->retry_after_s ? core->retry_after_s : 5);
    end = span_write(end, SPAN("\r\n"));
    return arena_copy(core->ports.turn, span_between(line, end));
}

/* §8.2.6.2 */
static bool
wants_tag(const struct trip *trip, unsigned status)
{
    return status > 100 && !trip->gist.has_to_tag;
}

int
trip_reply(struct trip *trip, unsigned status, struct reply_with *with)
{
    struct core *core = trip->core;
    char tag[MARK_TAG_LEN];
    struct reply_to to = {
        .request = &trip->msg,
        .gist = &trip->gist,
        .received = trip->received,
        .rport = trip->rport,
        .to_tag = wants_tag(trip, status) ? mark_tag(&trip->mark, tag) : (struct span){ NULL, 0 },
    };
    struct span bytes;
    int err;

    if (status / 100 == 2)
        with->more = trip->reply_fields;
    bytes = reply_write(core->ports.turn, &to, status, with);
    err = bytes.at ? upstream_send(trip, status, bytes, with) : SIPD_ENOMEM;

    /* §16.7 step 10, for the answers of modules: whoever still rings is called off. */
    if (err == SIPD_OK && status >= 200 && !list_empty(&trip->branches))
        cancel_branches(trip, 487, (struct span){ NULL, 0 });
    return err;
}

/* The next option of a list; empty elements name none (§7.3.1). */
static bool
next_option(struct span *rest, struct span *option)
{
    do
        *option = span_trim(span_cut(rest, ','));
    while (option->len == 0 && rest->len > 0);
    return option->len > 0;
}

bool
refuse_finds_options(const struct msg *msg, enum header asked)
{
    for (const struct msg_field *field = NULL; (field = msg_find(msg, asked, field));) {
        struct span rest = msg_value(msg, field), option;

        if (next_option(&rest, &option))
            return true;
    }
    return false;
}

static void
put_unsupported(struct buf *b, struct span options)
{
    const char *before = "Unsupported: ";
    struct span option;

    for (; next_option(&options, &option); before = ", ") {
        buf_put(b, span_of(before));
        line_text_put(b, option);
    }
    if (before[0] == ',')
        buf_put(b, SPAN("\r\n"));
}

struct span
refuse_options(struct core *core, const struct msg *msg, enum header asked)
{
    const struct msg_field *field = NULL;
    struct buf *b = &core->scratch;

    buf_clear(b);
    while ((field = msg_find(msg, asked, field)))
        put_unsupported(b, msg_value(msg, field));
    return core_text(core);
}

/* As a server we know no option that it must support (§8.2.2.3). */
static int
answer_options(struct trip *trip)
{
    struct reply_with with = {
        .lines = SPAN("Allow: " ALLOWED "\r\nAccept: */*\r\nSupported: \r\n"),
    };

    if (!refuse_finds_options(&trip->msg, HDR_REQUIRE))
        return trip_reply(trip, 200, &with);
    with.lines = refuse_options(trip->core, &trip->msg, HDR_REQUIRE);
    return trip_reply(trip, with.lines.at ? 420 : 500, &with);
}

int
refuse_for_server(struct trip *trip)
{
    struct reply_with with = { .lines = { NULL, 0 } };

    if (trip->gist.method == METHOD_OPTIONS)
        return answer_options(trip);
    if (trip->gist.method == METHOD_REGISTER)
        with.lines = SPAN("Allow: " ALLOWED "\r\n");
    return trip_reply(trip, trip->gist.method == METHOD_REGISTER ? 405 : 404, &with);
}
