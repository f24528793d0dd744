/*
 * How to ask a message's index, and how to keep it (RFC 3261 §7.3).
 */
#include "sip/msg.h"

#include "base/err.h"

const struct msg_field *
msg_find(const struct msg *m, enum header id, const struct msg_field *after)
{
    if (!(m->present >> ((unsigned)id & 63) & 1))
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
msg_find_name(const struct msg *m, struct span name, unsigned n)
{
    enum header id = names_header(name);
    const struct msg_field *f = NULL;

    for (;;) {
        f = msg_find(m, id, f);
        if (!f)
            return NULL;
        if (id == HDR_OTHER && !span_ieq(msg_name(m, f), name))
            continue;
        if (n-- == 0)
            return f;
    }
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
