/*
 * The checks on a request before it is looked at further, one function each (RFC 3261 §16.3).
 */
#include "core/check.h"

#include <sipd/param.h>

#include "core/mark.h"
#include "core/refuse.h"
#include "core/route.h"
#include "core/scheme.h"
#include "sip/reply.h"
#include "sip/uri.h"

/* Step 1: reasonable syntax. What is wrong was found by frame, parse and gist. */
static uint16_t
check_syntax(struct core *core, const struct intake *in, struct check_result *bad)
{
    (void)core;
    bad->phrase = span_of(in->gist->fault_reason);
    return in->gist->fault;
}

/* Step 2: a scheme that can be routed: by us, by a Route that is left, or by the module that offered it. */
static uint16_t
check_scheme(struct core *core, const struct intake *in, struct check_result *bad)
{
    struct uri uri;

    if (uri_read(msg_span(in->msg, in->msg->uri), &uri) != SIPD_OK) {
        bad->phrase = SPAN("Bad Request-URI");
        return 400;
    }
    if (scheme_is_sip(&uri) || scheme_find(&core->chain, uri.scheme_text))
        return 0;
    return route_leads_on(core, in->msg) ? 0 : 416;
}

/* Step 3: Max-Forwards. An OPTIONS that ends here is answered as if it were ours (§11, §16.3). */
static uint16_t
check_max_forwards(struct core *core, const struct intake *in, struct check_result *bad)
{
    (void)core;
    (void)bad;
    if (!in->gist->has_max_forwards || in->gist->max_forwards > 0 ||
        in->gist->method == METHOD_OPTIONS)
        return 0;
    return 483;
}

/* Step 4: a loop is a Via of ours whose branch was made from the same routing input; else it is a spiral, and fine. */
static uint16_t
check_loop(struct core *core, const struct intake *in, struct check_result *bad)
{
    const struct msg_field *field = NULL;
    uint64_t now = mark_loop(core, in->msg, in->gist);

    (void)bad;
    while ((field = msg_find(in->msg, HDR_VIA, field))) {
        struct span rest = msg_value(in->msg, field);
        struct via via;
        uint64_t then;

        while (via_next(&rest, &via) == SIPD_OK)
            if (mark_branch_is_ours(core, &via, &then) && then == now)
                return 482;
    }
    return 0;
}

/* Step 5: we know no option that a proxy must support (§20.29); each is named in Unsupported. */
static uint16_t
check_proxy_require(struct core *core, const struct intake *in, struct check_result *bad)
{
    const struct msg_field *field = NULL;
    struct buf *b = &core->scratch;

    buf_clear(b);
    while ((field = msg_find(in->msg, HDR_PROXY_REQUIRE, field)))
        reply_header(b, SPAN("Unsupported"), msg_value(in->msg, field));
    if (b->len == 0 && b->err == SIPD_OK)
        return 0;
    bad->headers = arena_copy(core->ports.turn, buf_span(b));
    return 420;
}

/* New work is refused first when we are about to stop or full; dialogs under way last (§21.5.4). */
static uint16_t
check_room(struct core *core, const struct intake *in, struct check_result *bad)
{
    bool full = core->pending >= core->conf->transactions / 2;

    if ((!core->draining && !full) || in->gist->has_to_tag)
        return 0;
    bad->headers = refuse_retry_after(core);
    return 503;
}

bool
check_request(struct core *core, const struct intake *in, struct check_result *bad)
{
    static uint16_t (*const checks[])(struct core *, const struct intake *,
                                      struct check_result *) = {
        check_syntax, check_scheme, check_max_forwards, check_loop, check_proxy_require, check_room,
    };

    for (size_t i = 0; i < countof(checks); i++) {
        *bad = (struct check_result){ .status = 0 };
        bad->status = checks[i](core, in, bad);
        if (bad->status != 0)
            return false;
    }
    return true;
}
