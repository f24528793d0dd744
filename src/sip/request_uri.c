/*
 * A SIP or SIPS URI as a request carries it on its first line (RFC 3261 §16.4, §16.6 step 2, §19.1.1; RFC 5630 §5.3).
 */
#include "sip/request_uri.h"

#include "sip/parts.h"

/* Does this parameter go? `one` is "name" or "name=value". */
static bool
goes(struct span one, unsigned changes)
{
    struct span name = span_cut(&one, '=');

    if (parts_name_is(name, SPAN("method")))
        return true;
    return (changes & REQUEST_URI_NOWHERE) &&
           (parts_name_is(name, SPAN("maddr")) || parts_name_is(name, SPAN("transport")));
}

static bool
any_goes(struct span params, unsigned changes)
{
    while (params.len > 0)
        if (goes(span_cut(&params, ';'), changes))
            return true;
    return false;
}

static bool
changes_head(const struct uri *uri, unsigned changes)
{
    return ((changes & REQUEST_URI_NOWHERE) && uri->port != 0) ||
           ((changes & REQUEST_URI_SIP) && uri->scheme == URI_SIPS);
}

static char *
put_params(char *to, struct span params, unsigned changes)
{
    while (params.len > 0) {
        struct span one = span_cut(&params, ';');

        if (goes(one, changes))
            continue;
        to = span_write(to, SPAN(";"));
        to = span_write(to, one);
    }
    return to;
}

/* What stands between the scheme and the parameters. */
static struct span
middle(const struct uri *uri, unsigned changes)
{
    const char *end = span_end(uri->host);

    if (!(changes & REQUEST_URI_NOWHERE) && uri->port != 0)
        for (end++; end < span_end(uri->whole) && *end >= '0' && *end <= '9';)
            end++;
    return span_between(uri->rest.at, end);
}

struct span
request_uri(const struct uri *uri, unsigned changes, struct arena *arena)
{
    struct span whole = uri->whole;
    char *text, *to;

    if (uri->scheme != URI_SIP && uri->scheme != URI_SIPS)
        return whole;
    if (!changes_head(uri, changes) && !any_goes(uri->params, changes))
        return uri->headers.len > 0 ? span_between(whole.at, uri->headers.at - 1) : whole;
    text = to = arena_alloc(arena, whole.len);
    if (!text)
        return (struct span){ NULL, 0 };
    to = span_write(to, changes & REQUEST_URI_SIP ? SPAN("sip") : uri->scheme_text);
    to = span_write(to, SPAN(":"));
    to = span_write(to, middle(uri, changes));
    to = put_params(to, uri->params, changes);
    return span_between(text, to);
}
