/*
 * Which names and addresses are ours, and listeners as text that outlives their numbers.
 */
#include "daemon/names.h"

static bool
listens_on(const struct daemon *d, uint16_t port)
{
    struct net_listener_info info;

    for (size_t i = 0; i < d->listeners.len; i++)
        if (net_listener(d->net, d->listeners.at[i].id, &info) && info.at.port == port)
            return true;
    return false;
}

/* A port is ours if we listen on it, or say that we do. */
static bool
port_fits(const struct daemon *d, uint16_t port)
{
    struct span host;
    uint16_t advertised;

    if (port == 0 || listens_on(d, port))
        return true;
    for (size_t i = 0; i < d->config->listens_len; i++) {
        config_split_advertise(d->config->listens[i].advertise, &host, &advertised);
        if (advertised == port)
            return true;
    }
    return false;
}

static bool
is_name_of_ours(const struct config *config, struct span name)
{
    struct span host;
    uint16_t port;

    for (size_t i = 0; i < config->text.domains.len; i++)
        if (span_ieq(config->text.domains.at[i], name))
            return true;
    for (size_t i = 0; i < config->listens_len; i++) {
        config_split_advertise(config->listens[i].advertise, &host, &port);
        if (host.len > 0 && span_ieq(host, name))
            return true;
    }
    return false;
}

/* Before anything is bound (a trial), the addresses of the file stand for those that would be. */
static bool
is_address_of_ours(const struct daemon *d, const struct hop *at)
{
    if (d->net && d->listeners.len > 0)
        return net_is_local(d->net, at);
    for (size_t i = 0; i < d->config->listens_len; i++)
        if (memcmp(d->config->listens[i].at.ip, at->ip, sizeof at->ip) == 0)
            return true;
    return false;
}

bool
names_ours(const struct daemon *d, struct span host, uint16_t port)
{
    struct hop at = { .transport = HOP_NONE, .port = port };

    if (hop_ip_read(host, &at) && is_address_of_ours(d, &at))
        return true;
    if (host.len > 1 && host.at[host.len - 1] == '.')
        host.len--; /* the root of all names, written out */
    return is_name_of_ours(d->config, host) && (!d->net || port_fits(d, port));
}

struct span
names_listener_text(const struct daemon *d, uint16_t listener)
{
    struct net_listener_info info;
    char text[HOP_TEXT_BYTES + 8];

    if (!d->net || !net_listener(d->net, listener, &info))
        return (struct span){ NULL, 0 };
    return arena_copy(net_turn_arena(d->net), config_listen_text(&info.at, text));
}

uint16_t
names_listener_find(const struct daemon *d, struct span text)
{
    struct net_listener_info info;
    char its[HOP_TEXT_BYTES + 8];

    for (size_t i = 0; i < d->listeners.len; i++)
        if (net_listener(d->net, d->listeners.at[i].id, &info) &&
            span_eq(config_listen_text(&info.at, its), text))
            return info.id;
    return 0;
}
