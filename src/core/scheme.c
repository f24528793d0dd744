/*
 * URI schemes that modules offered, as hooks of a stage of their own (RFC 3261 §16.3 step 2, §16.5).
 *
 * So a module may let a request wait here as anywhere, and all that it offered goes when it goes.
 */
#include "core/scheme.h"

#include "core/trip.h"

static enum sipd_verdict
ask(struct sipd_req *req, void *self)
{
    const struct scheme *scheme = self;

    if (!scheme->ops->target || !span_ieq(req->trip->uri.scheme_text, scheme->name))
        return SIPD_PASS;
    return scheme->ops->target(req, scheme->self);
}

struct chain_hook
scheme_hook(const struct chain *chain, struct scheme *scheme, const void *owner,
            const char *owner_name)
{
    uint16_t len = chain->len[CHAIN_SCHEME];
    int order = len > 0 ? chain->stages[CHAIN_SCHEME][len - 1].order + 1 : 0;

    return (struct chain_hook){
        .order = order, .fn = ask, .self = scheme, .owner = owner, .name = owner_name
    };
}

const struct scheme *
scheme_find(const struct chain *chain, struct span name)
{
    for (uint16_t i = 0; i < chain->len[CHAIN_SCHEME]; i++) {
        const struct scheme *scheme = chain->stages[CHAIN_SCHEME][i].self;

        if (span_ieq(scheme->name, name))
            return scheme;
    }
    return NULL;
}

bool
scheme_uri_eq(const struct chain *chain, const struct uri *a, const struct uri *b)
{
    const struct scheme *scheme = scheme_is_sip(a) ? NULL : scheme_find(chain, a->scheme_text);

    if (!scheme || !scheme->ops->eq)
        return uri_eq(a, b);
    return span_ieq(a->scheme_text, b->scheme_text) &&
           (span_eq(a->whole, b->whole) || scheme->ops->eq(scheme->self, a, b));
}
