/*
 * The checks on a request before it is looked at further, one function each (RFC 3261 §16.3).
 */
#include "core/check.h"

#include <sipd/param.h>

#include "core/explain.h"
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
    if (in->gist->fault != 0)
        bad->phrase = span_of(in->gist->fault_reason);
    return in->gist->fault;
}

/* Step 2: a scheme that can be routed: by us, by a Route that is left, or by the module that offered it. */
static uint16_t
check_scheme(struct core *core, const struct intake *in, struct check_result *bad)
{
    if (in->uri_err != SIPD_OK) {
        bad->phrase = SPAN("Bad Request-URI");
        return 400;
    }
    if (scheme_is_sip(in->uri) || scheme_find(&core->chain, in->uri->scheme_text))
        return 0;
    return route_leads_on(core, in->msg) ? 0 : 416;
}

/* Step 3: Max-Forwards. An OPTIONS that ends here is answered as if it were ours (§11, §16.3); a REGISTER may be ours (trip.c). */
static uint16_t
check_max_forwards(struct core *core, const struct intake *in, struct check_result *bad)
{
    (void)core;
    (void)bad;
    if (!in->gist->has_max_forwards || in->gist->max_forwards > 0 ||
        in->gist->method == METHOD_OPTIONS || in->gist->method == METHOD_REGISTER)
        return 0;
    return 483;
}

APART static bool
closes_loop(const struct core *core, const struct intake *in, const struct via *via)
{
    uint64_t then;

    return mark_branch_is_ours(core, via, &then) &&
           mark_is_loop(then, mark_loop(in->mark, in->msg));
}

APART static bool
lower_via_closes_loop(const struct core *core, const struct intake *in)
{
    const struct msg_field *field = in->gist->via_field;
    struct span rest = in->gist->vias_below;
    struct via via;

    for (;;) {
        while (via_next(&rest, &via) != SIPD_OK) {
            field = msg_next(in->msg, HDR_VIA, field);
            if (!field)
                return false;
            rest = msg_value(in->msg, field);
        }
        if (closes_loop(core, in, &via))
            return true;
    }
}

/* Step 4: a loop is a Via of ours whose branch was made from the same routing input; else it is a spiral, and fine. */
static uint16_t
check_loop(struct core *core, const struct intake *in, struct check_result *bad)
{
    bool more = in->gist->vias_below.len > 0 || msg_may_have_more(in->msg, HDR_VIA);

    (void)bad;
    return closes_loop(core, in, &in->gist->via) || (more && lower_via_closes_loop(core, in)) ? 482
                                                                                              : 0;
}

/* Step 5: we know no option that a proxy must support (§20.29); each is named in Unsupported. Of what follows an INVITE nothing is required (§8.2.2.3). */
static uint16_t
check_proxy_require(struct core *core, const struct intake *in, struct check_result *bad)
{
    if (!msg_may_have(in->msg, HDR_PROXY_REQUIRE) || in->gist->method == METHOD_ACK ||
        in->gist->method == METHOD_CANCEL || !refuse_finds_options(in->msg, HDR_PROXY_REQUIRE))
        return 0;
    bad->headers = refuse_options(core, in->msg, HDR_PROXY_REQUIRE);
    return bad->headers.at ? 420 : 500;
}

/* New work is refused when we are about to stop, or overloaded; what goes on in dialogs, or ends work, is not (§21.5.4). */
static uint16_t
check_room(struct core *core, const struct intake *in, struct check_result *bad)
{
    if (in->gist->has_to_tag || in->gist->method == METHOD_CANCEL ||
        (!core->draining && !shed_refuses(core, in->gist, in->dry != 0)))
        return 0;
    bad->headers = refuse_retry_after(core);
    return 503;
}

/* In order: the name that explaining tells, and the function. */
#define CHECKS(CHECK)                           \
    CHECK("syntax", check_syntax)               \
    CHECK("Request-URI's scheme", check_scheme) \
    CHECK("Max-Forwards", check_max_forwards)   \
    CHECK("loop", check_loop)                   \
    CHECK("Proxy-Require", check_proxy_require) \
    CHECK("room for new work", check_room)
#define CHECK_IT(name, fn)           \
    bad->status = fn(core, in, bad); \
    if (bad->status != 0)            \
        return name;
#define CHECK_NAME(name, fn) ", " name

/* The name of the first that it does not pass; NULL: it passes all. */
static const char *
failed_check(struct core *core, const struct intake *in, struct check_result *bad)
{
    CHECKS(CHECK_IT)
    return NULL;
}

bool
check_request(struct core *core, const struct intake *in, struct check_result *bad)
{
    const char *failed;

    *bad = (struct check_result){ .status = 0 };
    failed = failed_check(core, in, bad);
    if (failed) {
        EXPLAIN(core, .step = STEP_REFUSED, .gist = in->gist, .who = span_of(failed),
                .status = bad->status, .why = bad->phrase, .dry = in->dry);
        return false;
    }
    EXPLAIN(core, .step = STEP_CHECK, .gist = in->gist, .dry = in->dry,
            .who = span_skip(SPAN(CHECKS(CHECK_NAME)), 2));
    return true;
}
