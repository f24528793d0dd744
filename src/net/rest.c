/*
 * Who took no connection when one was merely tried: not tried again for a while.
 */
#include "net/rest.h"

#include "base/def.h"
#include "net/state.h"

enum { REST_MS = 30000 };

void
net_set_rest(struct net *net, uint32_t ms)
{
    net->rests.rest_ms = ms;
}

static size_t
place(const struct net *net, const struct hop *who)
{
    uint64_t hash = prf_hash(&net->key, (struct span){ (const char *)who->ip, sizeof who->ip });

    return (size_t)((hash ^ who->port) % countof(net->rests.at));
}

void
rest_begin(struct net *net, const struct hop *who)
{
    uint32_t rest_ms = net->rests.rest_ms ? net->rests.rest_ms : REST_MS;

    net->rests.at[place(net, who)] =
        (struct rest){ .who = *who, .until_ms = net->clock->now_ms + rest_ms };
}

bool
rest_holds(const struct net *net, const struct hop *who)
{
    const struct rest *rest = &net->rests.at[place(net, who)];

    return rest->until_ms > net->clock->now_ms && hop_eq(&rest->who, who) &&
           sock_same_ip(&rest->who, who);
}
