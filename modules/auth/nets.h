/*
 * A list of networks in CIDR notation, and whether an address is in one (RFC 4632 §3.1, RFC 4291 §2.3).
 */
#ifndef AUTH_NETS_H
#define AUTH_NETS_H

#include <sipd/conf.h>
#include <sipd/err.h>
#include <sipd/hop.h>

struct nets {
    struct hop_net *at; /* owned */
    size_t len;
};

/*
 * Reads all of a setting. SIPD_EINVAL: *bad is the first that is none, *why as hop_net_read() has it. SIPD_ENOMEM. Owns: nets_fini() ends it.
 */
int nets_read(const struct sipd_strs *texts, struct nets *out, struct span *bad, const char **why);
void nets_fini(struct nets *nets);
/* Is the address in one of them? Its port and scope do not matter. */
bool nets_have(const struct nets *nets, const struct hop *hop);

#endif
