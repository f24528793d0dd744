/*
 * Questions to DNS by c-ares on the host's loop: its sockets are the loop's descriptors, its time-outs the host's timers, and it
 * never blocks.
 */
#include "ask.h"

#include <ares.h>
#include <netinet/in.h>
#include <stdio.h>

enum {
    SERVERS_BYTES = 2048,
    EDNS_BYTES = 1232,
    UNKNOWN_S = INT32_MAX,
    HALF_MS = 400, /* both families are waited for so long */
    HALF_S = 10,   /* what one of them alone has said holds for so long */
};

struct ask {
    struct sipd_host *host;
    ares_channel channel;
    ask_told_fn *told;
    void *self;
    uint64_t timer;
    bool inited; /* the library */
    bool ending; /* what comes back now is nobody's */
};

struct question {
    struct ask *ask;
    uint64_t number;
    enum dns_what what;
    unsigned running; /* so many answers are to come */
    uint64_t timer;   /* until the families are asked for singly */
    bool told;
    char name[];
};

/* ---- the loop */

static void timer_fired(void *self, uint64_t arg);

/* c-ares tells how long it can wait; it is told when that is over. */
static void
set_timer(struct ask *ask)
{
    struct timeval wait;

    sipd_timer_cancel(ask->host, ask->timer);
    ask->timer = 0;
    if (!ares_timeout(ask->channel, NULL, &wait))
        return;
    ask->timer =
        sipd_timer(ask->host, (uint64_t)wait.tv_sec * 1000 + (uint64_t)wait.tv_usec / 1000 + 1,
                   timer_fired, ask, 0);
}

static void
timer_fired(void *self, uint64_t arg)
{
    struct ask *ask = self;

    (void)arg;
    ask->timer = 0;
    ares_process_fd(ask->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
    set_timer(ask);
}

static void
fd_ready(void *self, int fd, unsigned ready)
{
    struct ask *ask = self;

    ares_process_fd(ask->channel, ready & SIPD_FD_READ ? fd : ARES_SOCKET_BAD,
                    ready & SIPD_FD_WRITE ? fd : ARES_SOCKET_BAD);
    set_timer(ask);
}

/* A socket that cannot be watched stays unheard, and its questions time out. */
static void
fd_wanted(void *self, ares_socket_t fd, int readable, int writable)
{
    struct ask *ask = self;

    (void)sipd_fd(ask->host, fd, (readable ? SIPD_FD_READ : 0u) | (writable ? SIPD_FD_WRITE : 0u),
                  fd_ready, ask);
}

/* ---- life */

/* "192.0.2.53", "192.0.2.53:5353", "2001:db8::53", "[2001:db8::53]:5353" as c-ares wants it. */
static bool
put_server(struct span server, char *to, size_t room)
{
    size_t colon = server.len;
    bool bare_v6 = span_find(server, '[') == server.len && span_find(server, '.') == server.len;
    struct span port = SPAN("53");
    struct hop hop = { .port = 0 };
    char ip[HOP_TEXT_BYTES];
    uint32_t number;
    size_t len = strlen(to);

    while (!bare_v6 && colon > 0 && server.at[colon - 1] != ':' && server.at[colon - 1] != ']')
        colon--;
    if (!bare_v6 && colon > 0 && server.at[colon - 1] == ':') {
        port = span_skip(server, colon);
        server = span_head(server, colon - 1);
    }
    if (!hop_ip_read(server, &hop) || !span_u32(port, 65535, &number) || number == 0)
        return false;
    server = hop_host_write(&hop, ip);
    return (size_t)snprintf(to + len, room - len, "%s%.*s:%u", len > 0 ? "," : "", SPAN_ARG(server),
                            (unsigned)number) < room - len;
}

static int
set_servers(struct ask *ask, const struct sipd_strs *servers)
{
    char csv[SERVERS_BYTES] = "";

    if (servers->len == 0)
        return SIPD_OK;
    for (size_t i = 0; i < servers->len; i++)
        if (!put_server(servers->at[i], csv, sizeof csv)) {
            sipd_complain(ask->host,
                          "servers: \"%.*s\" is no address; write 192.0.2.53, 192.0.2.53:5353 or "
                          "[2001:db8::53]:5353",
                          SPAN_ARG(servers->at[i]));
            return SIPD_EINVAL;
        }
    return ares_set_servers_ports_csv(ask->channel, csv) == ARES_SUCCESS ? SIPD_OK : SIPD_ENOMEM;
}

/* No domain is searched: a SIP domain is a whole name. */
static int
open_channel(struct ask *ask, const struct ask_conf *conf)
{
    char hosts_first[] = "fb", dns_only[] = "b";
    struct ares_options options = {
        .flags = ARES_FLAG_EDNS,
        .ednspsz = EDNS_BYTES,
        .timeout = (int)conf->timeout_ms,
        .tries = (int)conf->tries,
        .ndots = 0,
        .lookups = conf->hosts ? hosts_first : dns_only,
        .sock_state_cb = fd_wanted,
        .sock_state_cb_data = ask,
    };
    int given = ARES_OPT_FLAGS | ARES_OPT_EDNSPSZ | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES |
                ARES_OPT_NDOTS | ARES_OPT_DOMAINS | ARES_OPT_LOOKUPS | ARES_OPT_SOCK_STATE_CB;
    int status = ares_init_options(&ask->channel, &options, given);

    if (status == ARES_SUCCESS)
        return SIPD_OK;
    ask->channel = NULL;
    sipd_complain(ask->host, "c-ares does not start: %s", ares_strerror(status));
    return status == ARES_ENOMEM ? SIPD_ENOMEM : SIPD_EIO;
}

int
ask_new(struct ask **out, struct sipd_host *host, const struct ask_conf *conf, ask_told_fn *told,
        void *self)
{
    struct ask *ask = sipd_alloc(sizeof *ask);
    int err;

    *out = NULL;
    if (!ask)
        return SIPD_ENOMEM;
    ask->host = host;
    ask->told = told;
    ask->self = self;
    ask->inited = ares_library_init(ARES_LIB_INIT_ALL) == ARES_SUCCESS;
    err = ask->inited ? open_channel(ask, conf) : SIPD_ENOMEM;
    if (err == SIPD_OK)
        err = set_servers(ask, conf->servers);
    if (err == SIPD_OK)
        *out = ask;
    else
        ask_free(&ask);
    return err;
}

void
ask_free(struct ask **ref)
{
    struct ask *ask = *ref;

    *ref = NULL;
    if (!ask)
        return;
    ask->ending = true;
    sipd_timer_cancel(ask->host, ask->timer);
    if (ask->channel)
        ares_destroy(ask->channel);
    if (ask->inited)
        ares_library_cleanup();
    sipd_free(ask);
}

/* ---- answers */

/* The first that is told counts. */
static void
tell_first(struct question *q, struct dns_records *records)
{
    if (q->ask->ending || q->told) {
        dns_records_free(&records);
        return;
    }
    q->told = true;
    q->ask->told(q->ask->self, q->name, q->what, q->number, records);
}

static void
end(struct question *q)
{
    if (--q->running > 0)
        return;
    sipd_timer_cancel(q->ask->host, q->timer);
    sipd_free(q);
}

static void
tell(struct question *q, struct dns_records *records)
{
    tell_first(q, records);
    end(q);
}

/* What a server said stands in the bytes; without any, nobody said anything. */
static void
raw_came(void *arg, int status, int timeouts, unsigned char *bytes, int len)
{
    struct question *q = arg;

    (void)status;
    (void)timeouts;
    if (q->ask->ending || !bytes || len <= 0)
        tell(q, dns_records_none(q->what, DNS_FAILED, 0));
    else
        tell(q, dns_records_read((struct span){ (const char *)bytes, (size_t)len },
                                 span_of(q->name), q->what));
}

static bool
read_address(const struct ares_addrinfo_node *node, struct dns_address *out)
{
    static const uint8_t v4_mapped[12] = { [10] = 0xff, [11] = 0xff };

    if (node->ai_family == AF_INET) {
        const struct sockaddr_in *in = (const void *)node->ai_addr;

        memcpy(out->ip, v4_mapped, sizeof v4_mapped);
        memcpy(out->ip + sizeof v4_mapped, &in->sin_addr, 4);
    } else if (node->ai_family == AF_INET6) {
        memcpy(out->ip, &((const struct sockaddr_in6 *)(const void *)node->ai_addr)->sin6_addr, 16);
    } else {
        return false;
    }
    return true;
}

static uint32_t
least_ttl(const struct ares_addrinfo *info)
{
    uint32_t least = UNKNOWN_S;

    for (const struct ares_addrinfo_node *node = info->nodes; node; node = node->ai_next)
        if (node->ai_ttl >= 0 && (uint32_t)node->ai_ttl < least)
            least = (uint32_t)node->ai_ttl;
    for (const struct ares_addrinfo_cname *alias = info->cnames; alias; alias = alias->next)
        if (alias->ttl >= 0 && (uint32_t)alias->ttl < least)
            least = (uint32_t)alias->ttl;
    return least;
}

/* In the order of RFC 6724, as c-ares has sorted them. */
static struct dns_records *
read_addresses(const struct ares_addrinfo *info)
{
    struct dns_address addresses[DNS_RECORDS_MAX];
    size_t len = 0;

    for (const struct ares_addrinfo_node *node = info->nodes; node && len < DNS_RECORDS_MAX;
         node = node->ai_next)
        len += read_address(node, &addresses[len]);
    return dns_records_addresses(addresses, len, least_ttl(info));
}

static void
addresses_came(void *arg, int status, int timeouts, struct ares_addrinfo *info)
{
    struct question *q = arg;
    struct dns_records *records;

    (void)timeouts;
    if (status == ARES_SUCCESS && info)
        records = read_addresses(info);
    else if (status == ARES_ENOTFOUND || status == ARES_ENODATA)
        records = dns_records_none(DNS_ADDRESS, DNS_NONE, UNKNOWN_S);
    else
        records = dns_records_none(DNS_ADDRESS, DNS_FAILED, 0);
    if (info)
        ares_freeaddrinfo(info);
    tell(q, records);
}

/* ---- one family, when the other keeps silent */

static bool
can_send(struct sipd_host *host, const struct dns_records *records)
{
    for (size_t i = 0; i < records->len; i++)
        for (uint8_t transport = HOP_UDP; transport < HOP_TRANSPORTS; transport++) {
            struct hop hop = { .transport = transport };

            memcpy(hop.ip, records->addresses[i].ip, sizeof hop.ip);
            if (sipd_can_send(host, &hop))
                return true;
        }
    return false;
}

/* Addresses that are of use are told; for all else the answer of both families is waited for. */
static void
family_came(void *arg, int status, int timeouts, struct ares_addrinfo *info)
{
    struct question *q = arg;
    struct dns_records *records = NULL;

    (void)timeouts;
    if (status == ARES_SUCCESS && info && !q->ask->ending)
        records = read_addresses(info);
    if (info)
        ares_freeaddrinfo(info);
    if (records && can_send(q->ask->host, records)) {
        if (records->ttl_s > HALF_S)
            records->ttl_s = HALF_S;
        tell_first(q, records);
    } else {
        dns_records_free(&records);
    }
    end(q);
}

/*
 * There are name servers that never answer for AAAA (RFC 4074 §4.1), and c-ares tells of no address before it has heard of both
 * families or given up.
 */
static void
ask_singly(void *self, uint64_t arg)
{
    static const int families[] = { AF_INET, AF_INET6 };
    struct question *q = self;
    struct ask *ask = q->ask;

    (void)arg;
    q->timer = 0;
    q->running += 2;
    for (size_t i = 0; i < 2; i++) {
        const struct ares_addrinfo_hints hints = { .ai_family = families[i],
                                                   .ai_socktype = SOCK_DGRAM };

        ares_getaddrinfo(ask->channel, q->name, NULL, &hints, family_came, q);
    }
    set_timer(ask);
}

static void
ask_for_addresses(struct question *q)
{
    const struct ares_addrinfo_hints hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_DGRAM };

    q->timer = sipd_timer(q->ask->host, HALF_MS, ask_singly, q, 0);
    ares_getaddrinfo(q->ask->channel, q->name, NULL, &hints, addresses_came, q);
}

/* ---- questions */

int
ask_for(struct ask *ask, const char *name, enum dns_what what, uint64_t question)
{
    enum { CLASS_IN = 1 };
    size_t len = strlen(name);
    struct question *q = sipd_alloc(sizeof *q + len + 1);

    if (!q)
        return SIPD_ENOMEM;
    q->ask = ask;
    q->number = question;
    q->what = what;
    q->running = 1;
    memcpy(q->name, name, len);
    if (what == DNS_ADDRESS)
        ask_for_addresses(q);
    else
        ares_query(ask->channel, name, CLASS_IN, what == DNS_SRV ? ANSWER_SRV : ANSWER_NAPTR,
                   raw_came, q);
    set_timer(ask);
    return SIPD_OK;
}
