/*
 * URI schemes that modules route and compare (RFC 3261 §16.3 step 2, §16.5).
 */
#include "base/mem.h"
#include "core/rehook.h"
#include "core/scheme.h"
#include "host/state.h"
#include "sip/uri.h"

struct offered {
    struct list link;
    const struct sipd_host *owner;
    char *name; /* owned */
    struct scheme is;
};

static void
offered_free(struct offered *offered)
{
    list_remove(&offered->link);
    mem_free(offered->name);
    mem_free(offered);
}

/* sip and sips are the server's own. */
static bool
may_be_offered(struct span scheme)
{
    return uri_is_scheme(scheme) && !span_ieq(scheme, SPAN("sip")) &&
           !span_ieq(scheme, SPAN("sips"));
}

static int
offer(struct sipd_host *host, struct offered *offered)
{
    struct host *h = host->host;
    struct chain_hook hook = scheme_hook(h->chain, &offered->is, host, host->is->name);

    return h->core ? rehook_add(h->core, CHAIN_SCHEME, &hook)
                   : chain_add(h->chain, CHAIN_SCHEME, &hook);
}

int
sipd_offer_scheme(struct sipd_host *host, struct span scheme, const struct sipd_scheme_ops *ops,
                  void *self)
{
    struct offered *offered;
    int err;

    if (!may_be_offered(scheme))
        return SIPD_EINVAL;
    if (scheme_find(host->host->chain, scheme)) {
        sipd_complain(host, "another module has offered the scheme %.*s", SPAN_ARG(scheme));
        return SIPD_EEXIST;
    }
    offered = mem_new(sizeof *offered);
    if (!offered)
        return SIPD_ENOMEM;
    offered->owner = host;
    offered->name = mem_copy(scheme);
    offered->is = (struct scheme){ { offered->name, scheme.len }, ops, self };
    list_push(&host->host->schemes, &offered->link);
    err = offered->name ? offer(host, offered) : SIPD_ENOMEM;
    if (err != SIPD_OK)
        offered_free(offered);
    return err;
}

bool
sipd_uri_eq(struct sipd_host *host, const struct uri *a, const struct uri *b)
{
    return scheme_uri_eq(host->host->chain, a, b);
}

void
schemes_forget(struct host *host, const struct sipd_host *owner)
{
    list_each (node, after, &host->schemes) {
        struct offered *offered = container_of(node, struct offered, link);

        if (offered->owner == owner)
            offered_free(offered);
    }
}
