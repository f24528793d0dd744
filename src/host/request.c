/*
 * What a hook may ask of the request in its hand, and do to it.
 */
#include <sipd/request.h>

#include "core/chain.h"
#include "core/explain.h"
#include "core/route.h"
#include "core/trip.h"
#include "sip/line.h"

uint64_t
sipd_req_id(const struct sipd_req *req)
{
    return req->trip->id;
}

struct span
sipd_req_method(const struct sipd_req *req)
{
    return req->trip->gist.method_text;
}

struct span
sipd_req_uri_text(const struct sipd_req *req)
{
    return req->trip->uri_text;
}

/* §16.3 step 2 let no other pass than those that could be read; an unknown scheme is kept whole. */
bool
sipd_req_uri(const struct sipd_req *req, struct uri *uri)
{
    *uri = req->trip->uri;
    return uri->whole.len > 0;
}

int
sipd_req_set_uri(struct sipd_req *req, struct span uri)
{
    if (req->stage != SIPD_ON_REQUEST && req->stage != CHAIN_SCHEME)
        return SIPD_EINVAL;
    return route_set_uri(req->trip, uri);
}

static bool
value_of(const struct msg *msg, const struct msg_field *field, struct span *value)
{
    *value = field ? msg_value(msg, field) : (struct span){ NULL, 0 };
    return field != NULL;
}

bool
sipd_req_header(const struct sipd_req *req, struct span name, unsigned n, struct span *value)
{
    const struct msg *msg = &req->trip->msg;

    return value_of(msg, msg_find_name(msg, name, n), value);
}

struct sipd_fields
sipd_req_fields(struct span name)
{
    return (struct sipd_fields){ .name = name, .id = names_header(name) };
}

/* Not in the way of the first ones that are found by their id. */
APART COLD static bool
search(const struct msg *msg, struct sipd_fields *fields, struct span *value)
{
    const struct msg_field *field =
        msg_find_named(msg, (enum header)fields->id, fields->name, fields->last);

    if (field)
        fields->last = field;
    return value_of(msg, field, value);
}

bool
sipd_req_next_field(const struct sipd_req *req, struct sipd_fields *fields, struct span *value)
{
    const struct msg *msg = &req->trip->msg;
    uint64_t there = fields->last ? msg->again : msg->present;
    enum header id = (enum header)fields->id;

    if (there >> msg_bit(id) & 1) {
        if (fields->last || id >= MSG_FIRSTS || id == HDR_OTHER)
            return search(msg, fields, value);
        fields->last = msg_first(msg, id);
        *value = msg_value(msg, fields->last);
        return true;
    }
    *value = (struct span){ NULL, 0 }; /* as it is with most that are asked for */
    return false;
}

struct span
sipd_req_call_id(const struct sipd_req *req)
{
    return req->trip->gist.call_id;
}

uint32_t
sipd_req_cseq(const struct sipd_req *req)
{
    return req->trip->gist.cseq;
}

bool
sipd_req_from(const struct sipd_req *req, struct addr *addr)
{
    return addr_read(req->trip->gist.from, addr) == SIPD_OK;
}

bool
sipd_req_to(const struct sipd_req *req, struct addr *addr)
{
    return addr_read(req->trip->gist.to, addr) == SIPD_OK;
}

APART static bool
to_uri(const struct sipd_req *req, struct span *uri)
{
    struct addr addr;

    if (!sipd_req_to(req, &addr))
        return false;
    *uri = addr.uri;
    return true;
}

bool
sipd_req_to_uri(const struct sipd_req *req, struct span *uri)
{
    struct span to = req->trip->gist.to;
    size_t end;

    if (to.len > 0 && to.at[0] == '<' && (end = span_find(to, '>')) < to.len) {
        *uri =
            span_trim(span_head(span_skip(to, 1), end - 1)); /* the check of To found it in order */
        return true;
    }
    return to_uri(req, uri);
}

bool
sipd_req_in_dialog(const struct sipd_req *req)
{
    return req->trip->gist.has_to_tag;
}

bool
sipd_req_by_token(const struct sipd_req *req)
{
    return req->trip->by_token && req->trip->among_ours;
}

struct span
sipd_req_body(const struct sipd_req *req)
{
    return msg_body(&req->trip->msg);
}

const struct hop *
sipd_req_source(const struct sipd_req *req)
{
    return &req->trip->source;
}

bool
sipd_req_is_relayed(const struct sipd_req *req)
{
    const struct trip *trip = req->trip;

    return trip->gist.vias_below.len > 0 ||
           msg_next(&trip->msg, HDR_VIA, trip->gist.via_field) != NULL;
}

bool
sipd_req_is_natted(const struct sipd_req *req)
{
    return req->trip->natted;
}

bool
sipd_req_for_server(const struct sipd_req *req)
{
    return req->trip->for_us && !req->trip->uri.has_user;
}

int
sipd_req_authenticate(struct sipd_req *req, struct span user)
{
    struct span copy = arena_copy(&req->trip->arena, user);

    if (!copy.at)
        return SIPD_ENOMEM;
    req->trip->user = copy;
    return SIPD_OK;
}

struct span
sipd_req_user(const struct sipd_req *req)
{
    return req->trip->user;
}

void
sipd_req_trust(struct sipd_req *req)
{
    req->trip->trusted = true;
}

bool
sipd_req_is_trusted(const struct sipd_req *req)
{
    return req->trip->trusted;
}

int
sipd_req_add_target(struct sipd_req *req, const struct sipd_target *target)
{
    return trip_add_target(req->trip, target);
}

const struct sipd_target *
sipd_req_target_at(const struct sipd_req *req, unsigned n)
{
    const struct list *head = &req->trip->targets;

    for (const struct list *node = head->next; node != head; node = node->next)
        if (n-- == 0)
            return &container_of_const(node, struct target, link)->is;
    return NULL;
}

const struct sipd_target *
sipd_req_target(const struct sipd_req *req)
{
    return req->branch ? &req->branch->target->is : NULL;
}

/* What one branch wishes concerns that branch; what is wished before there are any concerns all. */
static uint64_t
whose(const struct sipd_req *req)
{
    return req->stage == SIPD_ON_BRANCH && req->branch ? req->branch->id : 0;
}

int
sipd_req_add_header(struct sipd_req *req, struct span name, struct span value)
{
    return trip_add_edit(req->trip, name, value, NULL, whose(req));
}

int
sipd_req_drop_header(struct sipd_req *req, struct span name, unsigned n)
{
    const struct span none = { NULL, 0 };
    const struct msg_field *field = msg_find_name(&req->trip->msg, name, n);

    return field ? trip_add_edit(req->trip, none, none, field, 0) : SIPD_ENOENT;
}

int
sipd_req_add_reply_header(struct sipd_req *req, struct span name, struct span value)
{
    struct trip *trip = req->trip;
    size_t before = trip->reply_fields.len, more = line_bytes(name, value);
    char *lines = arena_alloc(&trip->arena, before + more + 1);

    if (!lines)
        return SIPD_ENOMEM;
    if (before > 0)
        memcpy(lines, trip->reply_fields.at, before);
    line_write(lines + before, name, value);
    trip->reply_fields = (struct span){ lines, before + more };
    return SIPD_OK;
}

unsigned
sipd_req_status(const struct sipd_req *req)
{
    return req->status;
}

bool
sipd_req_is_dry(const struct sipd_req *req)
{
    return req->trip->dry != 0;
}

void
sipd_req_explain(const struct sipd_req *req, struct span words)
{
    struct span who = span_of(req->core->asked);

    if (req->branch)
        EXPLAIN_BRANCH(req->branch, .step = STEP_TOLD, .who = who, .why = words);
    else
        EXPLAIN_TRIP(req->trip, .step = STEP_TOLD, .who = who, .why = words);
}
