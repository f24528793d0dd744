/*
 * Header fields that a URI carries, compared each by its definition (RFC 3261 §7.3.1, §19.1.4, §20).
 */
#include "sip/uri_header.h"

#include "sip/addr.h"
#include "sip/escape.h"
#include "sip/names.h"
#include "sip/uri.h"

enum {
    NAME_ROOM = 32,    /* no name that is known is longer */
    VALUE_ROOM = 1024, /* longer addresses are the same only if their texts are */
};

static enum header
header_of(struct span name)
{
    char text[NAME_ROOM];
    int len = escape_undo(name, text, sizeof text);

    return len < 0 ? HDR_OTHER : names_header((struct span){ text, (size_t)len });
}

struct span
uri_header_name(struct span name)
{
    enum header id = header_of(name);

    return id == HDR_OTHER ? name : names_header_text(id);
}

/* ---- text */

/* The next letter of a text with quoted strings; `quote`: 0 outside, '"' inside, '\\' behind a backslash there. */
static bool
quoted_next(struct span *rest, char *quote, struct escape_letter *letter)
{
    if (rest->len == 0)
        return false;
    *letter = escape_next(rest);
    if (*quote == '\\')
        *quote = '"';
    else if (letter->byte == '"')
        *quote = *quote ? '\0' : '"';
    else if (*quote && letter->byte == '\\')
        *quote = '\\';
    else if (!*quote)
        letter->byte = span_lower(letter->byte);
    return true;
}

/* Tokens know no case, quoted strings do (§7.3.1). */
static bool
text_eq(struct span a, struct span b)
{
    char in_a = '\0', in_b = '\0';
    struct escape_letter x, y;

    for (;;) {
        bool more = quoted_next(&a, &in_a, &x);

        if (quoted_next(&b, &in_b, &y) != more)
            return false;
        if (!more)
            return true;
        if (x.byte != y.byte || x.fixed != y.fixed)
            return false;
    }
}

/* ---- addresses */

/* What URIs inside of URIs carry is compared as text: there is an end to them. */
static bool
inner_uri_eq(struct span a, struct span b)
{
    struct span none = { NULL, 0 };
    struct uri x, y;

    if (uri_read(a, &x) || uri_read(b, &y))
        return span_eq(a, b);
    if (!escape_eq(x.headers, y.headers, ESCAPE_CASE))
        return false;
    x.headers = y.headers = none;
    return uri_eq(&x, &y);
}

/* Does each parameter of a stand in b? In From and To one that is missing there matters only if it is the tag (§20.20). */
static bool
params_are_in(struct span a, struct span b, bool only_tag)
{
    struct param param;
    struct span value;

    while (param_next(&a, &param)) {
        if (param_find(b, param.name, &value)) {
            if (!text_eq(param.value, value))
                return false;
        } else if (!only_tag || span_ieq(param.name, SPAN("tag"))) {
            return false;
        }
    }
    return true;
}

static bool
addr_eq(const struct addr *a, const struct addr *b, bool only_tag)
{
    return a->star == b->star && inner_uri_eq(a->uri, b->uri) &&
           params_are_in(a->params, b->params, only_tag) &&
           params_are_in(b->params, a->params, only_tag);
}

static bool
single_eq(struct span a, struct span b, bool only_tag)
{
    struct addr x, y;

    return addr_read(a, &x) == SIPD_OK && addr_read(b, &y) == SIPD_OK && addr_eq(&x, &y, only_tag);
}

/* One by one, as they stand: their order has a meaning (§7.3.1). */
static bool
list_eq(struct span a, struct span b)
{
    struct addr x, y;

    for (;;) {
        int err = addr_next(&a, &x);

        if (err != addr_next(&b, &y))
            return false;
        if (err)
            return err == SIPD_ENOENT;
        if (!addr_eq(&x, &y, false))
            return false;
    }
}

static bool
addrs_eq(enum header id, struct span a, struct span b)
{
    char a_text[VALUE_ROOM], b_text[VALUE_ROOM];
    int a_len = escape_undo(a, a_text, sizeof a_text);
    int b_len = escape_undo(b, b_text, sizeof b_text);
    struct span x, y;

    if (a_len < 0 || b_len < 0)
        return false;
    x = (struct span){ a_text, (size_t)a_len };
    y = (struct span){ b_text, (size_t)b_len };
    return names_header_flags(id) & H_LIST ? list_eq(x, y)
                                           : single_eq(x, y, id == HDR_FROM || id == HDR_TO);
}

/* ---- by the field */

bool
uri_header_eq(struct span name, struct span a, struct span b)
{
    enum header id = header_of(name);

    if (escape_eq(a, b, ESCAPE_CASE))
        return true;
    switch ((unsigned)id) {
    case HDR_FROM:
    case HDR_TO:
    case HDR_CONTACT:
    case HDR_ROUTE:
    case HDR_RECORD_ROUTE:
    case HDR_PATH:
    case HDR_SERVICE_ROUTE:
    case HDR_REPLY_TO:
    case HDR_REFER_TO:
    case HDR_REFERRED_BY:
    case HDR_HISTORY_INFO:
    case HDR_ALERT_INFO:
    case HDR_CALL_INFO:
    case HDR_ERROR_INFO:
    case HDR_P_ASSERTED_IDENTITY:
    case HDR_P_PREFERRED_IDENTITY: return addrs_eq(id, a, b);
    case HDR_CALL_ID:
    case HDR_IN_REPLY_TO:
    case HDR_REPLACES:
    case HDR_JOIN:
    case HDR_TARGET_DIALOG:
    case HDR_CSEQ:
    case HDR_RACK:
    case HDR_ALLOW:
    case HDR_DATE:
    case HDR_IDENTITY: return false;
    default: return !escape_eq(name, SPAN("body"), ESCAPE_FOLD) && text_eq(a, b);
    }
}
