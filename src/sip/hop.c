/*
 * Hops as values: addresses read strictly and written one way (RFC 3261 §19.1.2, §20.42, §25.1, RFC 5954 §4.1).
 */
#include "sip/hop.h"

#include <arpa/inet.h>

#include "base/def.h"
#include "sip/chars.h"
#include "sip/num.h"

static const struct {
    struct span via, uri;
    uint16_t port;
} transports[HOP_TRANSPORTS] = {
    [HOP_NONE] = { { NULL, 0 }, { NULL, 0 }, 5060 },
    [HOP_UDP] = { { "UDP", 3 }, { "udp", 3 }, 5060 },
    [HOP_TCP] = { { "TCP", 3 }, { "tcp", 3 }, 5060 },
    [HOP_TLS] = { { "TLS", 3 }, { "tls", 3 }, 5061 },
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

/* A number up to 255, with no zero in front: what looks octal to some is decimal to others. Returns its end, or NULL. */
static inline const char *
octet_read(const char *at, uint8_t *out)
{
    unsigned value = chars_digit(*at++), digit;

    if (value > 9)
        return NULL;
    if (value > 0 && (digit = chars_digit(*at)) <= 9) {
        value = value * 10 + digit;
        if ((digit = chars_digit(*++at)) <= 9) {
            value = value * 10 + digit;
            at++;
        }
    }
    *out = (uint8_t)value;
    return value <= UINT8_MAX ? at : NULL;
}

/* Four of them, from a copy: something else stands behind it, so that no end must be watched. */
static bool
ipv4_read(struct span text, uint8_t ip[4])
{
    char copy[16] = { 0 };
    const char *at = copy;

    if (text.len >= sizeof copy)
        return false;
    (void)span_write(copy, text);
    for (unsigned i = 0; i < 4; i++)
        if ((i > 0 && *at++ != '.') || !(at = octet_read(at, &ip[i])))
            return false;
    return at == copy + text.len;
}

/* RFC 3261's own grammar has a colon too many before an IPv4 part, "::" and ":": both are to be read (RFC 5118 §4.10). */
static void
drop_third_colon(char *text)
{
    char *colons = strstr(text, ":::");

    if (colons && strchr(colons, '.') && !strchr(colons + 3, ':'))
        memmove(colons + 2, colons + 3, strlen(colons + 3) + 1);
}

static bool
ipv6_read(struct span text, uint8_t ip[16])
{
    char copy[HOP_TEXT_BYTES];

    if (text.len >= sizeof copy || span_find(text, ':') == text.len ||
        span_find(text, '\0') < text.len)
        return false;
    memcpy(copy, text.at, text.len);
    copy[text.len] = '\0';
    drop_third_colon(copy);
    return inet_pton(AF_INET6, copy, ip) == 1;
}

/* With or without brackets. */
APART static bool
reference_read(struct span text, struct hop *hop)
{
    bool brackets = text.len >= 2 && text.at[0] == '[' && text.at[text.len - 1] == ']';
    uint8_t ip[16];

    if (!ipv6_read(brackets ? span_head(span_skip(text, 1), text.len - 2) : text, ip))
        return false;
    memcpy(hop->ip, ip, sizeof ip);
    return true;
}

bool
hop_ip_read(struct span text, struct hop *hop)
{
    uint8_t ip[4];

    if (!ipv4_read(text, ip))
        return reference_read(text, hop);
    memcpy(hop->ip, mapped, sizeof mapped);
    memcpy(hop->ip + sizeof mapped, ip, sizeof ip);
    return true;
}

static struct span
ipv4_write(const uint8_t ip[4], char *to)
{
    char *end = to;

    for (unsigned i = 0; i < 4; i++) {
        end = num_write_short(end, ip[i]);
        *end++ = i < 3 ? '.' : '\0';
    }
    return span_between(to, end - 1);
}

struct span
hop_ip_write(const struct hop *hop, char to[HOP_TEXT_BYTES])
{
    if (hop_is_v4(hop))
        return ipv4_write(hop->ip + sizeof mapped, to);
    BUG_ON(!inet_ntop(AF_INET6, hop->ip, to, HOP_TEXT_BYTES)); /* there is room for any address */
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
    char *end = to + hop_host_write(hop, to).len;

    *end++ = ':';
    end = num_write_short(end, hop->port);
    *end = '\0';
    return span_between(to, end);
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
