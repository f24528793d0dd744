/*
 * The walk over ;name=value, generous about blanks and empty places (RFC 3261 §25.1 SEMI, EQUAL, generic-param).
 */
#include "sip/param.h"

#include "sip/chars.h"

bool
param_read(struct span text, struct param *out)
{
    struct span one = span_trim(text);
    size_t equal = span_find(one, '=');

    out->has_value = equal < one.len;
    out->name = span_trim(span_head(one, equal));
    out->value = chars_skip_lws(span_skip(one, equal + 1));
    return one.len > 0;
}

bool
param_next(struct span *rest, struct param *out)
{
    while (rest->len > 0) {
        size_t end = chars_find(*rest, ';', ';');
        struct span one = span_head(*rest, end); /* an open quote lasts to the end */

        *rest = span_skip(*rest, end == CHARS_OPEN ? rest->len : end + 1);
        if (param_read(one, out))
            return true;
    }
    return false;
}

bool
param_find(struct span params, struct span name, struct span *value)
{
    struct param one;

    while (param_next(&params, &one)) {
        if (!span_ieq(one.name, name))
            continue;
        if (value)
            *value = one.value;
        return true;
    }
    return false;
}

struct span
param_unquote(struct span value)
{
    if (value.len < 2 || value.at[0] != '"' || value.at[value.len - 1] != '"')
        return value;
    return (struct span){ value.at + 1, value.len - 2 };
}
