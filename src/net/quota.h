/*
 * How many connections each source has made to us: an address, or a network of IPv6 (RFC 4291 §2.5.4: a site's /64).
 */
#ifndef NET_QUOTA_H
#define NET_QUOTA_H

#include "base/table.h"
#include "sip/hop.h"

struct net;

struct quotas {
    struct table table; /* of those that have any */
};

int quotas_init(struct quotas *quotas) MUST_USE;
void quotas_fini(struct quotas *quotas);
/* One more of this source; false: it has as many as it may, or memory is out. */
bool quota_take(struct net *net, const struct hop *source);
/* One less. */
void quota_give(struct net *net, const struct hop *source);

#endif
