/*
 * The rules of RFC 3263 and RFC 2782 as pure functions: what to ask for, which transport, in which order.
 */
#include "order.h"

/* ---- the first question (RFC 3263 §4.1, §4.2) */

/* The transport that the URI names; a sips resource is reached by TLS whatever it names. HOP_NONE: none that we know. */
static uint8_t
named_transport(const struct uri *uri, struct span name)
{
    uint8_t transport = hop_transport_read(name);

    return uri->scheme == URI_SIPS && transport != HOP_NONE ? HOP_TLS : transport;
}

/* "a numeric IP address, or an explicit port: UDP for a SIP URI, and TCP for a SIPS URI" */
static void
choose_by_rule(struct order_plan *plan, const struct uri *uri)
{
    plan->hop.transport = uri->scheme == URI_SIPS ? HOP_TLS : HOP_UDP;
    plan->hop.by_rule = plan->hop.transport == HOP_UDP;
}

static enum order_kind
kind_of(struct order_plan *plan, const struct uri *uri, bool named)
{
    bool numeric = hop_ip_read(plan->target, &plan->hop);

    if (!named && (numeric || uri->port != 0))
        choose_by_rule(plan, uri);
    plan->hop.port = uri->port;
    if (numeric) {
        if (uri->port == 0)
            plan->hop.port = hop_default_port(plan->hop.transport);
        return ORDER_ADDRESS;
    }
    if (uri->port != 0)
        return ORDER_HOST;
    return named ? ORDER_SRV : ORDER_NAPTR;
}

void
order_plan(const struct uri *uri, unsigned can, struct order_plan *plan)
{
    struct span value, maddr;
    bool named = uri_param(uri, SPAN("transport"), &value);

    *plan = (struct order_plan){ .target = uri->host, .sips = uri->scheme == URI_SIPS };
    if (uri_param(uri, SPAN("maddr"), &maddr) && maddr.len > 0)
        plan->target = maddr;
    if (named)
        plan->hop.transport = named_transport(uri, value);
    if (named && plan->hop.transport == HOP_NONE)
        return;
    plan->kind = kind_of(plan, uri, named);
    if (plan->hop.transport != HOP_NONE && !(can & ORDER_BIT(plan->hop.transport)))
        plan->kind = ORDER_NOWHERE;
}

uint8_t
order_default_transport(bool sips, unsigned can)
{
    if (sips)
        return can & ORDER_BIT(HOP_TLS) ? HOP_TLS : HOP_NONE;
    if (can & ORDER_BIT(HOP_UDP))
        return HOP_UDP;
    return can & ORDER_BIT(HOP_TCP) ? HOP_TCP : HOP_NONE;
}

unsigned
order_srv_transports(bool sips, unsigned can, uint8_t transports[HOP_TRANSPORTS])
{
    static const uint8_t plain[] = { HOP_UDP, HOP_TCP };
    unsigned len = 0;

    if (sips) {
        transports[0] = HOP_TLS;
        return (can & ORDER_BIT(HOP_TLS)) != 0;
    }
    for (unsigned i = 0; i < sizeof plain; i++)
        if (can & ORDER_BIT(plain[i]))
            transports[len++] = plain[i];
    return len;
}

bool
order_srv_name(uint8_t transport, struct span target, char to[ANSWER_NAME_BYTES])
{
    struct span head = transport == HOP_UDP   ? SPAN("_sip._udp.")
                       : transport == HOP_TCP ? SPAN("_sip._tcp.")
                                              : SPAN("_sips._tcp.");

    if (head.len + target.len >= ANSWER_NAME_BYTES)
        return false;
    *span_write(span_write(to, head), target) = '\0';
    return answer_name_ok(span_of(to));
}

/* ---- NAPTR (RFC 3263 §4.1, RFC 3403 §4.1) */

static uint8_t
service_transport(const struct dns_naptr *naptr, bool *is_sips)
{
    static const struct {
        const char *service;
        bool sips;
        uint8_t transport;
    } services[] = {
        { "SIP+D2U", false, HOP_UDP },
        { "SIP+D2T", false, HOP_TCP },
        { "SIPS+D2T", true, HOP_TLS },
    };

    for (size_t i = 0; i < sizeof services / sizeof *services; i++)
        if (span_ieq(span_of(naptr->service), span_of(services[i].service))) {
            *is_sips = services[i].sips;
            return services[i].transport;
        }
    return HOP_NONE;
}

static bool
is_sip_service(const struct dns_naptr *naptr)
{
    struct span service = span_of(naptr->service);

    return span_ieq(span_head(service, 6), SPAN("SIP+D2")) ||
           span_ieq(span_head(service, 7), SPAN("SIPS+D2"));
}

/* Bytes decide last, so that the order does not depend on the answer's. */
static int
compare_naptr(const struct dns_naptr *a, const struct dns_naptr *b)
{
    if (a->order != b->order)
        return a->order < b->order ? -1 : 1;
    if (a->preference != b->preference)
        return a->preference < b->preference ? -1 : 1;
    return strcmp(a->replacement, b->replacement);
}

static void
sort_naptr(struct dns_naptr *naptrs, size_t len)
{
    for (size_t i = 1; i < len; i++) {
        struct dns_naptr one = naptrs[i];
        size_t at = i;

        for (; at > 0 && compare_naptr(&naptrs[at - 1], &one) > 0; at--)
            naptrs[at] = naptrs[at - 1];
        naptrs[at] = one;
    }
}

unsigned
order_naptr(struct dns_naptr *naptrs, size_t len, bool sips, unsigned can,
            struct order_service *out, unsigned room, bool *any_sip)
{
    unsigned count = 0;

    *any_sip = false;
    sort_naptr(naptrs, len);
    for (size_t i = 0; i < len && count < room; i++) {
        bool is_sips = false;
        uint8_t transport = service_transport(&naptrs[i], &is_sips);

        *any_sip |= is_sip_service(&naptrs[i]);
        if (transport == HOP_NONE || !(can & ORDER_BIT(transport)) || (sips && !is_sips) ||
            !span_ieq(span_of(naptrs[i].flags), SPAN("s")) || naptrs[i].has_regexp ||
            naptrs[i].replacement[0] == '\0')
            continue;
        out[count++] = (struct order_service){ transport, naptrs[i].replacement };
    }
    return count;
}

/* ---- SRV (RFC 2782) */

/* By priority, and then so that only the records and the seed decide. */
static int
compare_srv(const struct dns_srv *a, const struct dns_srv *b)
{
    if (a->priority != b->priority)
        return a->priority < b->priority ? -1 : 1;
    if (a->weight != b->weight)
        return a->weight < b->weight ? -1 : 1;
    if (a->port != b->port)
        return a->port < b->port ? -1 : 1;
    return strcmp(a->target, b->target);
}

static void
sort_srv(struct dns_srv *srvs, size_t len)
{
    for (size_t i = 1; i < len; i++) {
        struct dns_srv one = srvs[i];
        size_t at = i;

        for (; at > 0 && compare_srv(&srvs[at - 1], &one) > 0; at--)
            srvs[at] = srvs[at - 1];
        srvs[at] = one;
    }
}

/* The next number of a sequence that the seed begins (splitmix64), 0 to most. */
static uint32_t
draw(uint64_t *seed, uint32_t most)
{
    uint64_t x = *seed += UINT64_C(0x9e3779b97f4a7c15);

    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    x ^= x >> 31;
    return (uint32_t)((x >> 32) * ((uint64_t)most + 1) >> 32);
}

/* The record whose running sum is the first to reach the number drawn, of those from `from` on. */
static size_t
pick(const struct dns_srv *srvs, size_t from, size_t end, uint64_t *seed)
{
    uint32_t sum = 0, drawn;
    size_t at = from;

    for (size_t i = from; i < end; i++)
        sum += srvs[i].weight;
    drawn = draw(seed, sum);
    sum = srvs[at].weight;
    while (sum < drawn)
        sum += srvs[++at].weight;
    return at;
}

/*
 * "Any order, except that all those with weight 0 are placed at the beginning": by chance, so that records that are all of
 * weight 0 share evenly.
 */
static void
shuffle(struct dns_srv *srvs, size_t from, size_t end, uint64_t *seed)
{
    size_t zeros = from;

    for (size_t i = end - 1; i > from; i--) {
        size_t at = from + draw(seed, (uint32_t)(i - from));
        struct dns_srv one = srvs[i];

        srvs[i] = srvs[at];
        srvs[at] = one;
    }
    for (size_t i = from; i < end; i++)
        if (srvs[i].weight == 0) {
            struct dns_srv one = srvs[i];

            srvs[i] = srvs[zeros];
            srvs[zeros++] = one;
        }
}

/* Those of one priority: the one that was picked comes first, the others move up and keep their order. */
static void
order_equals(struct dns_srv *srvs, size_t from, size_t end, uint64_t *seed)
{
    shuffle(srvs, from, end, seed);
    for (; from + 1 < end; from++) {
        size_t at = pick(srvs, from, end, seed);
        struct dns_srv picked = srvs[at];

        for (; at > from; at--)
            srvs[at] = srvs[at - 1];
        srvs[from] = picked;
    }
}

void
order_srv(struct dns_srv *srvs, size_t len, uint64_t seed)
{
    size_t from = 0, end;

    sort_srv(srvs, len);
    for (; from < len; from = end) {
        for (end = from + 1; end < len && srvs[end].priority == srvs[from].priority; end++)
            continue;
        order_equals(srvs, from, end, &seed);
    }
}

bool
order_srv_is_denied(const struct dns_srv *srvs, size_t len)
{
    return len == 1 && srvs[0].target[0] == '\0';
}
