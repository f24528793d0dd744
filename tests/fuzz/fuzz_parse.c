/*
 * Parsing: the index fills the head without a gap, lies within the bytes, is kept whole, and answers cannot be forged.
 */
#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "fuzz/input.h"
#include "scan/scan.h"
#include "sip/chars.h"
#include "sip/gist.h"
#include "sip/msg.h"
#include "sip/reply.h"

static void
check_field(const struct msg *msg, const struct msg_field *field)
{
    struct span line = { msg->bytes + field->at, field->end - field->at };

    BUG_ON(field->at >= field->end || field->end > msg->head_end);
    BUG_ON(field->id >= HEADERS || !msg_may_have(msg, (enum header)field->id));
    BUG_ON(!input_holds(line, msg_name(msg, field)) || !input_holds(line, msg_value(msg, field)));
    BUG_ON(field->value_at < field->at || field->value_at > field->end);
    BUG_ON(span_trim(msg_value(msg, field)).len != field->value_len);
    BUG_ON(!msg->bent && scan_find(msg_value(msg, field), '\r', '\n', '\n') < field->value_len);
    if (!(msg->odd & (deviation_bit(DEV_NO_FIELD) | deviation_bit(DEV_FIELD_NAME))))
        BUG_ON(!chars_is_token(msg_name(msg, field)) || span_find(line, ':') < field->name_len);
}

static void
check_index(const struct msg *msg)
{
    uint32_t at = msg->fields_len > 0 ? msg->fields[0].at : msg->head_end;

    BUG_ON(msg->head_end > msg->body_at || msg->body_at + msg->body_len != msg->len);
    BUG_ON(at == 0 || (at < msg->len && msg->bytes[at - 1] != '\n'));
    for (uint32_t i = 0; i < msg->fields_len; i++) {
        BUG_ON(msg->fields[i].at != at);
        check_field(msg, &msg->fields[i]);
        at = msg->fields[i].end;
    }
    BUG_ON(at != msg->head_end && msg->fields_len < MSG_FIELDS_MAX);
    BUG_ON(!msg->fault != !msg->fault_reason);
    BUG_ON(!(msg->odd & deviation_bit(DEV_NO_EMPTY_LINE)) && msg->body_at - msg->head_end != 1 &&
           msg->body_at - msg->head_end != 2);
    BUG_ON(msg_is_request(msg) && msg->uri.len == 0 && !msg->fault);
}

static void
check_found(const struct msg *msg)
{
    uint32_t found = 0;

    for (unsigned id = 0; id < HEADERS; id++)
        for (const struct msg_field *f = NULL; (f = msg_find(msg, (enum header)id, f));)
            found++;
    BUG_ON(found != msg->fields_len);
}

/* The first of each, and the next, are what a walk over all finds. */
static void
check_firsts(const struct msg *msg)
{
    const struct msg_field *last[HEADERS] = { NULL };

    for (uint32_t i = 0; i < msg->fields_len; i++) {
        const struct msg_field *field = &msg->fields[i];
        enum header id = (enum header)field->id;

        BUG_ON(msg_find(msg, id, last[id]) != field);
        BUG_ON(!last[id] && id != HDR_OTHER && id < MSG_FIRSTS && msg_first(msg, id) != field);
        last[id] = field;
    }
    for (unsigned id = 0; id < HEADERS; id++)
        BUG_ON(msg_find(msg, (enum header)id, last[id]) != NULL);
}

static void
check_gist(const struct msg *msg, const struct gist *gist)
{
    struct span all = msg_bytes(msg);

    BUG_ON(!input_holds(all, gist->from) || !input_holds(all, gist->to) ||
           !input_holds(all, gist->call_id));
    BUG_ON(!input_holds(gist->from, gist->from_tag) || !input_holds(gist->to, gist->to_tag));
    BUG_ON(!input_holds(all, gist->via.whole) || !input_holds(all, gist->cseq_method));
    if (gist->via.whole.len > 0)
        BUG_ON(!input_holds(gist->via.whole, gist->via.host) ||
               !input_holds(gist->via.whole, gist->via.params));
    BUG_ON(!input_holds(all, gist->via.host) || !input_holds(all, gist->via.branch) ||
           !input_holds(all, gist->via.rport));
    BUG_ON(!input_holds(all, gist->vias_below));
    BUG_ON((gist->odd & msg->odd) != msg->odd);
    BUG_ON(!gist->fault != !gist->fault_reason || (msg->fault && gist->fault != msg->fault));
    if (!gist->fault)
        BUG_ON(!gist->answerable || gist->call_id.len == 0 || gist->from.len == 0 ||
               gist->to.len == 0);
}

/* What is kept is as good as read anew. */
static void
check_kept(const struct msg *msg, const struct gist *gist, struct arena *arena)
{
    struct gist moved, anew;
    struct msg kept;

    BUG_ON(msg_keep(msg, arena, &kept));
    BUG_ON(!span_eq(msg_bytes(msg), msg_bytes(&kept)));
    BUG_ON(msg->fields_len > 0 &&
           memcmp(msg->fields, kept.fields, msg->fields_len * sizeof *msg->fields) != 0);
    gist_keep(gist, msg, &kept, &moved);
    gist_read(&kept, &anew);
    BUG_ON(moved.via_field != anew.via_field || moved.fault != anew.fault ||
           moved.cseq != anew.cseq);
    BUG_ON(moved.from.at != anew.from.at || moved.to_tag.at != anew.to_tag.at ||
           moved.call_id.at != anew.call_id.at);
    BUG_ON(moved.via.branch.at != anew.via.branch.at || moved.vias_below.at != anew.vias_below.at);
    check_gist(&kept, &moved);
}

static uint32_t
count(const struct msg *msg, enum header id)
{
    uint32_t n = 0;

    for (const struct msg_field *f = NULL; (f = msg_find(msg, id, f));)
        n++;
    return n;
}

static uint32_t
vias_that_speak(const struct msg *msg)
{
    uint32_t n = 0;

    for (const struct msg_field *f = NULL; (f = msg_find(msg, HDR_VIA, f));)
        n += !via_is_empty(msg_value(msg, f));
    return n;
}

/* Our answer reads well whatever was copied into it, and has no more fields than we wrote. */
static void
check_reply(const struct msg *msg, const struct gist *gist, struct arena *arena)
{
    struct reply_to to = { msg, gist, SPAN("192.0.2.1"), 5060, SPAN("tag") };
    struct span call_id;
    struct reply_with with = { .phrase = SPAN("") };
    struct msg reply;
    struct span bytes = reply_write(arena, &to, 400, &with);

    BUG_ON(!bytes.at);
    BUG_ON(msg_read(bytes, arena, &reply));
    BUG_ON(reply.fault || reply.odd || reply.bare_lf || reply.status != 400 || reply.body_len != 0);
    BUG_ON(count(&reply, HDR_VIA) != vias_that_speak(msg));
    BUG_ON(msg_get(msg, HDR_CALL_ID, &call_id) && count(&reply, HDR_CALL_ID) != (call_id.len > 0));
    BUG_ON(reply.fields_len > count(msg, HDR_VIA) + 5);
}

int
fuzz_parse(const uint8_t *data, size_t size)
{
    struct span bytes = input_copy(data, size);
    struct arena arena;
    struct gist gist;
    struct msg msg;

    arena_init(&arena, 64 << 20);
    if (msg_read(bytes, &arena, &msg) == SIPD_OK) {
        check_index(&msg);
        check_found(&msg);
        check_firsts(&msg);
        gist_read(&msg, &gist);
        check_gist(&msg, &gist);
        check_kept(&msg, &gist, &arena);
        if (msg_is_request(&msg) && gist.answerable)
            check_reply(&msg, &gist, &arena);
    }
    arena_fini(&arena);
    input_free(&bytes);
    return 0;
}
