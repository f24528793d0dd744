/*
 * Hops as values: addresses read strictly and written one way (RFC 3261 §19.1.2, §20.42, §25.1, RFC 5954 §4.1).
 */
#include "sip/hop.h"

#include <arpa/inet.h>

#include "base/def.h"

static const struct {
    struct span via, uri;
    bool reliable;
    uint16_t port;
} transports[HOP_TRANSPORTS] = {
    [HOP_NONE] = { { NULL, 0 }, { NULL, 0 }, false, 5060 },
    [HOP_UDP] = { { "UDP", 3 }, { "udp", 3 }, false, 5060 },
    [HOP_TCP] = { { "TCP", 3 }, { "tcp", 3 }, true, 5060 },
    [HOP_TLS] = { { "TLS", 3 }, { "tls", 3 }, true, 5061 },
};

static const uint8_t mapped[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff }; /* ::ffff:0:0/96 */

static unsigned
known(uint8_t transport)
{
    return transport < HOP_TRANSPORTS ? transport : HOP_NONE;
}

struct span
hop_transport_via(uint8_t transport)
{
    return transports[known(transport)].via;
}

struct span
hop_transport_uri(uint8_t transport)
{
    return transports[known(transport)].uri;
}

uint8_t
hop_transport_read(struct span name)
{
    for (uint8_t t = HOP_NONE + 1; t < HOP_TRANSPORTS; t++)
        if (span_ieq(transports[t].via, name))
            return t;
    return HOP_NONE;
}

bool
hop_is_reliable(uint8_t transport)
{
    return transports[known(transport)].reliable;
}

uint16_t
hop_default_port(uint8_t transport)
{
    return transports[known(transport)].port;
}

bool
hop_is_v4(const struct hop *hop)
{
    return memcmp(hop->ip, mapped, sizeof mapped) == 0;
}

bool
hop_ip_read(struct span text, struct hop *hop)
{
    bool reference = text.len >= 2 && text.at[0] == '[' && text.at[text.len - 1] == ']';
    struct span bare = reference ? (struct span){ text.at + 1, text.len - 2 } : text;
    char copy[HOP_TEXT_BYTES];
    uint8_t ip[16];

    if (bare.len == 0 || bare.len >= sizeof copy || memchr(bare.at, '\0', bare.len))
        return false;
    memcpy(copy, bare.at, bare.len);
    copy[bare.len] = '\0';
    if (memchr(copy, ':', bare.len)) {
        if (inet_pton(AF_INET6, copy, ip) != 1)
            return false;
    } else {
        memcpy(ip, mapped, sizeof mapped);
        if (reference || inet_pton(AF_INET, copy, ip + sizeof mapped) != 1)
            return false;
    }
    memcpy(hop->ip, ip, sizeof ip);
    return true;
}

struct span
hop_ip_write(const struct hop *hop, char to[HOP_TEXT_BYTES])
{
    const char *text = NULL;

    if (hop_is_v4(hop))
        text = inet_ntop(AF_INET, hop->ip + sizeof mapped, to, HOP_TEXT_BYTES);
    else
        text = inet_ntop(AF_INET6, hop->ip, to, HOP_TEXT_BYTES);
    BUG_ON(!text); /* there is room for any address */
    return span_of(to);
}

struct span
hop_host_write(const struct hop *hop, char to[HOP_TEXT_BYTES])
{
    size_t len = hop_ip_write(hop, to).len;

    if (!hop_is_v4(hop)) {
        memmove(to + 1, to, len);
        to[0] = '[';
        to[len + 1] = ']';
        len += 2;
        to[len] = '\0';
    }
    return (struct span){ to, len };
}

struct span
hop_write(const struct hop *hop, char to[HOP_TEXT_BYTES])
{
    size_t len = hop_host_write(hop, to).len;
    char digits[5], *first = digits + sizeof digits;
    unsigned port = hop->port;

    do {
        *--first = (char)('0' + port % 10);
        port /= 10;
    } while (port > 0);
    to[len++] = ':';
    while (first < digits + sizeof digits)
        to[len++] = *first++;
    to[len] = '\0';
    return (struct span){ to, len };
}

bool
hop_eq(const struct hop *a, const struct hop *b)
{
    return a->transport == b->transport && a->port == b->port &&
           memcmp(a->ip, b->ip, sizeof a->ip) == 0;
}

bool
hop_is_multicast(const struct hop *hop)
{
    return hop_is_v4(hop) ? (hop->ip[12] & 0xf0) == 0xe0 : hop->ip[0] == 0xff;
}

bool
hop_is_private(const struct hop *hop)
{
    static const uint8_t loopback[16] = { [15] = 1 };
    const uint8_t *ip = hop->ip, *v4 = ip + sizeof mapped;

    if (hop_is_v4(hop))
        return v4[0] == 10 || v4[0] == 127 || (v4[0] == 172 && (v4[1] & 0xf0) == 16) ||
               (v4[0] == 192 && v4[1] == 168) || (v4[0] == 169 && v4[1] == 254) ||
               (v4[0] == 100 && (v4[1] & 0xc0) == 64);
    return memcmp(ip, loopback, sizeof loopback) == 0 ||
           (ip[0] == 0xfe && (ip[1] & 0xc0) == 0x80) || (ip[0] & 0xfe) == 0xfc;
}
