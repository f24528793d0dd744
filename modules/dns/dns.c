/*
 * The dns module: names to hops by RFC 3263, and how those hops fare.
 */
#include <sipd/module.h>

#include "ask.h"
#include "finder.h"

enum { SERVERS_MAX = 16 };

struct dns_conf {
    struct finder_conf find; /* the first member: FINDER_ITEMS fill it */
    struct sipd_strs servers;
    uint32_t timeout_ms, tries;
    bool hosts;
};

struct dns {
    struct sipd_host *host;
    struct finder finder;
    struct ask *ask;
};

static const struct sipd_conf_item dns_items[] = {
    SIPD_STRS(dns_conf, servers, "", 0, SERVERS_MAX,
              "name servers, asked in this order: \"192.0.2.53\" or \"[2001:db8::53]:5353\"; none: "
              "those of "
              "/etc/resolv.conf"),
    SIPD_UINT(dns_conf, timeout_ms, 1000, 50, 30000,
              "a server is given so long; twice that in each round"),
    SIPD_UINT(dns_conf, tries, 3, 1, 10, "rounds through the servers"),
    SIPD_BOOL(dns_conf, hosts, true, "look at /etc/hosts before DNS is asked for addresses"),
    FINDER_ITEMS,
    SIPD_CONF_END
};

static int
ask_dns(void *io, const char *name, enum dns_what what, uint64_t question)
{
    struct dns *dns = io;

    return ask_for(dns->ask, name, what, question);
}

static void
dns_told(void *self, const char *name, enum dns_what what, uint64_t question,
         struct dns_records *records)
{
    struct dns *dns = self;

    finder_answered(&dns->finder, name, what, question, records);
}

static int
new_ask(struct dns *dns, const struct dns_conf *conf, struct ask **ask)
{
    struct ask_conf how = { .servers = &conf->servers,
                            .timeout_ms = conf->timeout_ms,
                            .tries = conf->tries,
                            .hosts = conf->hosts };

    return ask_new(ask, dns->host, &how, dns_told, dns);
}

/* One time for all: who takes no connection for a large request rests as long as who fails. */
static void
set_rest(const struct dns *dns)
{
    sipd_set_rest(dns->host, (uint32_t)finder_rest(&dns->finder).failed_ms);
}

/* The servers may have changed with /etc/resolv.conf, too; what is known stays, what is being asked is asked anew. */
static int
dns_reload(void *self, const void *conf)
{
    const struct dns_conf *next = conf;
    struct dns *dns = self;
    struct ask *ask;
    int err = new_ask(dns, next, &ask);

    if (err != SIPD_OK)
        return err;
    ask_free(&dns->ask);
    dns->ask = ask;
    finder_set_conf(&dns->finder, &next->find);
    set_rest(dns);
    finder_ask_again(&dns->finder);
    return SIPD_OK;
}

static void
dns_unload(void *self)
{
    struct dns *dns = self;

    ask_free(&dns->ask);
    finder_fini(&dns->finder);
}

static int
dns_load(struct sipd_host *host, const void *conf, void **self)
{
    static const struct sipd_resolver_ops ops = { finder_ask, finder_tried };
    const struct dns_conf *settings = conf;
    struct dns *dns = sipd_new(host, sizeof *dns);
    struct finder_ports ports = { ask_dns, dns };
    int err;

    if (!dns)
        return SIPD_ENOMEM;
    dns->host = host;
    err = new_ask(dns, settings, &dns->ask);
    if (err != SIPD_OK)
        return err;
    err = finder_init(&dns->finder, host, &settings->find, &ports);
    if (err == SIPD_OK)
        err = finder_commands(&dns->finder);
    if (err == SIPD_OK)
        err = sipd_offer_resolver(host, &ops, &dns->finder);
    if (err != SIPD_OK) {
        dns_unload(dns);
        return err;
    }
    set_rest(dns);
    *self = dns;
    return SIPD_OK;
}

SIPD_MODULE(.name = "dns", .conf = dns_items, .conf_bytes = sizeof(struct dns_conf),
            .load = dns_load, .reload = dns_reload, .unload = dns_unload);
