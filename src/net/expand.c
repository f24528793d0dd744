/*
 * What a wildcard stands for: the addresses of the machine's interfaces that are up.
 *
 * A socket of its own for each, so that an answer leaves by the address that was asked and Via can
 * name it.
 */
#include <ifaddrs.h>
#include <linux/if.h>

#include "net/net.h"
#include "net/sock.h"

/* Reads an interface's address if it is one that the wildcard means. */
static bool
is_meant(const struct ifaddrs *entry, const struct net_listen *spec, struct hop *found)
{
    union sock_addr addr;

    if (!entry->ifa_addr || !(entry->ifa_flags & IFF_UP) ||
        entry->ifa_addr->sa_family != sock_family(&spec->at))
        return false;
    memset(&addr, 0, sizeof addr);
    memcpy(&addr, entry->ifa_addr,
           entry->ifa_addr->sa_family == AF_INET ? sizeof addr.v4 : sizeof addr.v6);
    *found = spec->at;
    sock_addr_read(&addr, found);
    found->port = spec->at.port;
    return !sock_is_link_local(found) || found->scope_id == spec->at.scope_id;
}

/* An address may stand on two interfaces; it can be bound but once. */
static bool
was_before(const struct ifaddrs *all, const struct ifaddrs *entry, const struct net_listen *spec,
           const struct hop *at)
{
    struct hop earlier;

    for (; all != entry; all = all->ifa_next)
        if (is_meant(all, spec, &earlier) && sock_same_ip(&earlier, at))
            return true;
    return false;
}

int
net_expand(const struct net_listen *spec, int (*fn)(void *arg, const struct net_listen *one),
           void *arg)
{
    struct net_listen one = *spec;
    struct ifaddrs *all;
    int err = SIPD_ENOENT;

    if (!sock_is_wildcard(&spec->at))
        return fn(arg, spec);
    if (getifaddrs(&all) != 0)
        return SIPD_EIO;
    for (const struct ifaddrs *entry = all; entry; entry = entry->ifa_next) {
        if (!is_meant(entry, spec, &one.at) || was_before(all, entry, spec, &one.at))
            continue;
        err = fn(arg, &one);
        if (err != SIPD_OK)
            break;
    }
    freeifaddrs(all);
    return err;
}
