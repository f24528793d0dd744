/*
 * The network's birth and end, its limits, and the names of what it counts.
 */
#include "net/net.h"

#include <event2/event.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/mem.h"
#include "net/state.h"
#include "net/tcp.h"

static const struct net_conf modest = {
    .connections = 1000,
    .message_bytes = 65535,
    .idle_ms = 900000,
    .message_ms = 32000,
    .connect_ms = 10000,
    .queue_bytes = 1 << 20,
};

#define CELL(name) offsetof(struct net_count, name)

static const struct {
    size_t cell;
    const char *name;
} counted[] = {
    { CELL(received), "net_received" },                   /* messages handed on */
    { CELL(sent), "net_sent" },                           /* messages that the kernel took */
    { CELL(dropped_keepalive), "net_dropped_keepalive" }, /* datagrams of filler */
    { CELL(dropped_noise), "net_dropped_noise" },         /* datagrams that begin like no message */
    { CELL(dropped_memory), "net_dropped_memory" },       /* no memory */
    { CELL(dropped_full), "net_dropped_full" },           /* a queue was at its ceiling */
    { CELL(dropped_refused), "net_dropped_refused" }, /* datagrams that the kernel refused twice */
    { CELL(dropped_repeat), "net_dropped_repeat" },   /* retransmissions of what still waits */
    { CELL(dropped_nowhere), "net_dropped_nowhere" }, /* no listener, no connection */
    { CELL(bounced), "net_bounced" },                 /* ICMP errors */
    { CELL(untold), "net_untold" }, /* failures that no memory was there to tell of */
    { CELL(conns_accepted), "conns_accepted" },
    { CELL(conns_opened), "conns_opened" },     /* connects begun */
    { CELL(conns_closed), "conns_closed" },     /* however they ended */
    { CELL(conns_failed), "conns_failed" },     /* connects refused or not done in time */
    { CELL(conns_idle), "conns_idle" },         /* closed for silence */
    { CELL(conns_slow), "conns_slow" },         /* closed for a message that did not become whole */
    { CELL(conns_cut), "conns_cut" },           /* ended by the peer in the middle of a message */
    { CELL(conns_bad), "conns_bad" },           /* closed for bytes that are no messages */
    { CELL(conns_silent), "conns_silent" },     /* closed for saying nothing at first */
    { CELL(conns_deaf), "conns_deaf" },         /* closed for reading nothing of what waited */
    { CELL(dropped_deaf), "net_dropped_deaf" }, /* requests of those who do not read our answers */
    { CELL(conns_over_source), "conns_over_source" }, /* closed at accept: its source has enough */
    { CELL(conns_greeted), "conns_greeted" },         /* hands shaken (TLS) */
    { CELL(conns_ungreeted), "conns_ungreeted" },   /* hands not shaken: refused, or not in time */
    { CELL(conns_over_limit), "conns_over_limit" }, /* closed at accept */
    { CELL(conns_no_descriptor), "conns_no_descriptor" }, /* closed at accept */
    { CELL(turns), "turns" },                             /* of the loop */
    { CELL(turn_late), "turn_late" },   /* turns of more than 10 ms of processor */
    { CELL(turn_slept), "turn_slept" }, /* turns that slept outside of the poll */
};

static void
count_init(struct net_count *count, struct counters *counters)
{
    for (size_t i = 0; i < countof(counted); i++) {
        uint64_t *cell = counters_get(counters, counted[i].name);

        memcpy((char *)count + counted[i].cell, &cell, sizeof cell);
    }
}

/* One thread uses it, and nobody's environment shall choose how it polls. */
static struct event_base *
base_new(void)
{
    struct event_config *config = event_config_new();
    struct event_base *base = NULL;

    if (config && event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK) == 0 &&
        event_config_set_flag(config, EVENT_BASE_FLAG_IGNORE_ENV) == 0)
        base = event_base_new_with_config(config);
    if (config)
        event_config_free(config);
    return base;
}

/* All that cannot fail comes first, so that net_free() finds nothing half made. */
static int
net_init(struct net *net, struct counters *counters)
{
    int err;

    net->conf = modest;
    net->posts.fd = net->spare_fd = -1;
    list_init(&net->tellings);
    list_init(&net->udp_read);
    list_init(&net->udp_out);
    list_init(&net->xports.steps);
    listeners_init(&net->listeners);
    count_init(&net->count, counters);
    turn_init(net);
    if (getrandom(&net->key, sizeof net->key, 0) != (ssize_t)sizeof net->key)
        return SIPD_EIO;
    err = posts_init(net);
    if (!err)
        err = stream_init(net);
    if (!err)
        err = quotas_init(&net->quotas);
    if (!err)
        err = names_init(&net->names);
    if (!err)
        err = xports_init(net);
    if (!err)
        err = conns_init(net);
    if (!err)
        err = table_init(&net->repeats);
    tcp_spare(net);
    return err;
}

int
net_new(struct net **net, const struct net_ports *ports, struct clock *clock,
        struct counters *counters, const struct log *log)
{
    struct net *made = mem_new(sizeof *made);
    int err;

    *net = NULL;
    if (!made)
        return SIPD_ENOMEM;
    made->ports = ports;
    made->clock = clock;
    made->log = log;
    made->base = base_new();
    if (!made->base) {
        mem_free(made);
        return SIPD_EIO;
    }
    err = net_init(made, counters);
    if (err)
        net_free(&made);
    *net = made;
    return err;
}

void
net_free(struct net **net)
{
    struct net *old = *net;

    *net = NULL;
    if (!old)
        return;
    posts_fini(&old->posts);
    conns_fini(old);
    listeners_fini(old);
    inherit_fini(old);
    tell_fini(old);
    table_fini(&old->repeats);
    quotas_fini(&old->quotas);
    xports_fini(old);
    names_fini(&old->names);
    stream_fini(&old->room);
    turn_fini(&old->turn);
    if (old->spare_fd >= 0)
        close(old->spare_fd);
    event_base_free(old->base);
    mem_free(old);
}

void
net_set_conf(struct net *net, const struct net_conf *conf)
{
    net->conf = *conf;
    net->conns.slots.limit = conf->connections;
}
