/*
 * Transports that modules offer, handed to whoever has the descriptors (RFC 3261 §18).
 */
#include "base/mem.h"
#include "host/state.h"

struct offered_transport {
    struct list link;
    const struct sipd_host *owner;
    uint8_t transport;
};

static int
offer(struct sipd_host *host, uint8_t transport, const struct sipd_transport_ops *ops, void *self)
{
    const struct host_ports *ports = &host->host->ports;
    struct offered_transport *offered = mem_new(sizeof *offered);
    int err;

    if (!offered)
        return SIPD_ENOMEM;
    err = ports->offer_transport(ports->io, transport, ops, self);
    if (err != SIPD_OK) {
        mem_free(offered);
        return err;
    }
    *offered = (struct offered_transport){ .owner = host, .transport = transport };
    list_push(&host->host->transports, &offered->link);
    return SIPD_OK;
}

/* A trial and a world without descriptors have nobody to hand it to. */
int
sipd_offer_transport(struct sipd_host *host, struct span name, const struct sipd_transport_ops *ops,
                     void *self)
{
    uint8_t transport = hop_transport_read(name);

    if (transport == HOP_NONE || !ops->begin || !ops->greet || !ops->read || !ops->write ||
        !ops->end)
        return SIPD_EINVAL;
    if (sipd_is_trial(host) || !host->host->ports.offer_transport)
        return SIPD_OK;
    return offer(host, transport, ops, self);
}

void
transports_forget(struct host *host, const struct sipd_host *owner)
{
    const struct host_ports *ports = &host->ports;

    list_each (node, after, &host->transports) {
        struct offered_transport *offered = container_of(node, struct offered_transport, link);

        if (offered->owner != owner)
            continue;
        ports->withdraw_transport(ports->io, offered->transport);
        list_remove(&offered->link);
        mem_free(offered);
    }
}

uint32_t
transports_live(const struct host *host, const struct sipd_host *owner)
{
    const struct host_ports *ports = &host->ports;
    uint32_t live = 0;

    list_each (node, after, &host->transports) {
        const struct offered_transport *offered =
            container_of(node, struct offered_transport, link);

        if (offered->owner == owner)
            live += ports->transport_conns(ports->io, offered->transport);
    }
    return live;
}
