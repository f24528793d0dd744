/*
 * A list of networks in CIDR notation, and whether an address is in one (RFC 4632 §3.1, RFC 4291 §2.3).
 */
#ifndef AUTH_NETS_H
#define AUTH_NETS_H

#include <sipd/conf.h>
#include <sipd/err.h>
#include <sipd/hop.h>

struct net {
    uint8_t ip[16]; /* as in struct hop: IPv4 within ::ffff:0:0/96 */
    unsigned bits;  /* of the 128 that must agree */
};

struct nets {
    struct net *at; /* owned */
    size_t len;
};

/*
 * Reads one network: "10.0.0.0/8", "2001:db8::/32", or an address alone. False if it is none; *why then says so in words
 * that go on behind the text ("192.0.2.1/24 " …). Lent for ever.
 */
bool net_read(struct span text, struct net *out, const char **why);
bool net_has(const struct net *net, const struct hop *hop);

/*
 * Reads all of a setting. SIPD_EINVAL: *bad is the first that is none, *why as above. SIPD_ENOMEM. Owns: nets_fini() ends it.
 */
int nets_read(const struct sipd_strs *texts, struct nets *out, struct span *bad, const char **why);
void nets_fini(struct nets *nets);
/* Is the address in one of them? Its port and scope do not matter. */
bool nets_have(const struct nets *nets, const struct hop *hop);

#endif
