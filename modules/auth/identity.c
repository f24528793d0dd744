/*
 * P-Asserted-Identity and P-Preferred-Identity on requests that pass (RFC 3325, RFC 3323 §4.2).
 */
#include "identity.h"

enum { FIELDS_MAX = 8, VALUE_BYTES = 640 };

static int
drop_all(struct sipd_req *req, struct span name)
{
    struct sipd_fields fields = sipd_req_fields(name);
    struct span value;

    for (unsigned n = 0; sipd_req_next_field(req, &fields, &value); n++)
        if (n == FIELDS_MAX)
            return SIPD_EFULL;
        else if (sipd_req_drop_header(req, name, n) == SIPD_ENOMEM)
            return SIPD_ENOMEM;
    return SIPD_OK;
}

int
identity_strip(struct sipd_req *req)
{
    return drop_all(req, SPAN("P-Asserted-Identity"));
}

/* "Privacy: id", alone or among others (RFC 3323 §4.2: divided by semicolons). */
static bool
wants_privacy(const struct sipd_req *req)
{
    struct sipd_fields fields = sipd_req_fields(SPAN("Privacy"));
    struct span value;

    for (unsigned n = 0; n < FIELDS_MAX && sipd_req_next_field(req, &fields, &value); n++)
        while (value.len > 0)
            if (span_ieq(span_trim(span_cut(&value, ';')), SPAN("id")))
                return true;
    return false;
}

int
identity_assert(struct sipd_req *req, struct span user, struct span domain)
{
    const struct span parts[] = { SPAN("<sip:"), user, SPAN("@"), domain, SPAN(">") };
    char value[VALUE_BYTES], *end = value;

    if (drop_all(req, SPAN("P-Preferred-Identity")) != SIPD_OK)
        return SIPD_ENOMEM;
    if (wants_privacy(req))
        return SIPD_OK;
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        if (parts[i].len > (size_t)(value + sizeof value - end))
            return SIPD_OK; /* no user of ours has so long a name */
        end = span_write(end, parts[i]);
    }
    return sipd_req_add_header(req, SPAN("P-Asserted-Identity"), span_between(value, end));
}
