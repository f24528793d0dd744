/*
 * URI schemes beside sip and sips: a Route carries them, or the module that offered them says where to (RFC 3261
 * §16.3 step 2, §16.5).
 */
#ifndef CORE_SCHEME_H
#define CORE_SCHEME_H

#include "core/chain.h"

struct scheme {
    struct span name;                  /* as the module wrote it; compared without case */
    const struct sipd_scheme_ops *ops; /* lent */
    void *self;
};

/* Can the core route such a URI by itself? */
static inline bool
scheme_is_sip(const struct uri *uri)
{
    return uri->scheme == URI_SIP || uri->scheme == URI_SIPS;
}

/*
 * The hook that a scheme is: it stands at CHAIN_SCHEME, behind those offered before, and asks its module when the
 * Request-URI is of its scheme. Lent: scheme, as long as the hook is linked.
 */
struct chain_hook scheme_hook(const struct chain *chain, struct scheme *scheme, const void *owner,
                              const char *owner_name);
/* Who offered this scheme; NULL: nobody. */
const struct scheme *scheme_find(const struct chain *chain, struct span name);
/* Equal by the rule of the scheme's module, else by uri_eq(). */
bool scheme_uri_eq(const struct chain *chain, const struct uri *a, const struct uri *b);

#endif
