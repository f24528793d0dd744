/*
 * The walk over ;name=value, generous about blanks and empty places (RFC 3261 §25.1 SEMI, EQUAL, generic-param).
 */
#include "sip/param.h"

#include "sip/chars.h"

/* What stands between semicolons; blanks around each part of it are allowed. */
static void
read_loose(struct span text, struct param *out)
{
    struct span one = span_trim(text);
    size_t equal = span_find(one, '=');

    out->has_value = equal < one.len;
    out->name = span_trim(span_head(one, equal));
    out->value = chars_skip_lws(span_skip(one, equal + 1));
}

/* A token from *at on, perhaps empty; most are short. */
static inline struct span
take_token(const char **at, const char *end)
{
    const char *from = *at;

    while (*at < end && chars_is(**at, CHARS_TOKEN))
        ++*at;
    return span_between(from, *at);
}

/* One of tokens, token or token=token and nothing else as nearly all are, or nothing. */
static bool
take_tokens(struct span *rest, char also, struct param *out)
{
    const char *at = rest->at, *end = at + rest->len;

    out->name = take_token(&at, end);
    out->has_value = at < end && *at == '=' && out->name.len > 0;
    at += out->has_value;
    out->value = out->has_value ? take_token(&at, end) : span_between(at, at);
    if (at < end && *at != ';' && *at != also)
        return false;
    *rest = span_between(at, end);
    return true;
}

bool
param_take(struct span *rest, char also, struct param *out)
{
    size_t end;

    if (take_tokens(rest, also, out))
        return true;
    end = chars_find(*rest, ';', also);
    if (end == CHARS_OPEN)
        return false;
    read_loose(span_head(*rest, end), out);
    *rest = span_skip(*rest, end);
    return true;
}

bool
param_next(struct span *rest, struct param *out)
{
    while (rest->len > 0) {
        if (!param_take(rest, ';', out)) {
            read_loose(*rest, out); /* an open quote lasts to the end */
            *rest = span_skip(*rest, rest->len);
        }
        *rest = span_skip(*rest, 1);
        if (!param_is_blank(out))
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
