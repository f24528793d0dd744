/*
 * How to ask a message's index, how to end a datagram by it, and how to keep it (RFC 3261 §7.3, §18.3).
 */
#include "sip/msg.h"

#include "base/err.h"
#include "sip/num.h"

/* Can the first field of this id, or the next one of it, be told without a search? */
static inline bool
is_known(const struct msg *m, enum header id, const struct msg_field *after)
{
    return id != HDR_OTHER && id < MSG_FIRSTS && (!after || !(m->again >> id & 1));
}

const struct msg_field *
msg_find(const struct msg *m, enum header id, const struct msg_field *after)
{
    if (is_known(m, id, after))
        return after ? NULL : msg_first(m, id);
    if (!msg_may_have(m, id))
        return NULL;
    for (size_t i = after ? (size_t)(after - m->fields) + 1 : 0; i < m->fields_len; i++)
        if (m->fields[i].id == id)
            return &m->fields[i];
    return NULL;
}

bool
msg_get(const struct msg *m, enum header id, struct span *value)
{
    const struct msg_field *f = msg_find(m, id, NULL);

    *value = f ? msg_value(m, f) : (struct span){ NULL, 0 };
    return f;
}

const struct msg_field *
msg_find_named(const struct msg *m, enum header id, struct span name, const struct msg_field *after)
{
    do
        after = msg_find(m, id, after);
    while (after && id == HDR_OTHER && !span_ieq(msg_name(m, after), name));
    return after;
}

const struct msg_field *
msg_find_name(const struct msg *m, struct span name, unsigned n)
{
    enum header id = names_header(name);
    const struct msg_field *f = msg_find_named(m, id, name, NULL);

    while (f && n-- > 0)
        f = msg_find_named(m, id, name, f);
    return f;
}

/* Cuts off what stands behind this Content-Length, the first of them. */
APART static void
trim_body(struct msg *msg, const struct msg_field *first)
{
    uint32_t length;

    if (!num_length(msg_value(msg, first), &length) || length >= msg->body_len)
        return;
    for (const struct msg_field *f = first; (f = msg_find(msg, HDR_CONTENT_LENGTH, f));)
        if (!span_eq(msg_value(msg, f), msg_value(msg, first)))
            return;
    msg->body_len = length;
    msg->len = msg->body_at + length;
}

void
msg_trim(struct msg *msg)
{
    if (msg->body_len > 0 && msg_may_have(msg, HDR_CONTENT_LENGTH))
        trim_body(msg, msg_first(msg, HDR_CONTENT_LENGTH));
}

int
msg_keep(const struct msg *msg, struct arena *arena, struct msg *out)
{
    struct span bytes = arena_copy(arena, msg_bytes(msg));
    size_t index_bytes = msg->fields_len * sizeof *msg->fields;
    struct msg_field *fields;

    if (!bytes.at)
        return SIPD_ENOMEM;
    fields = arena_alloc(arena, index_bytes);
    if (!fields)
        return SIPD_ENOMEM;
    if (index_bytes > 0)
        memcpy(fields, msg->fields, index_bytes);
    *out = *msg;
    out->bytes = bytes.at;
    out->fields = fields;
    return SIPD_OK;
}
