/*
 * Networks in CIDR notation (RFC 4632 §3.1, RFC 4291 §2.3), all as prefixes of 128 bits.
 */
#include <string.h>

#include "sip/hop.h"

/* Is anything set behind the prefix? */
static bool
has_host_bits(const uint8_t ip[16], unsigned bits)
{
    for (unsigned bit = bits; bit < 128; bit++)
        if (ip[bit / 8] & 0x80u >> bit % 8)
            return true;
    return false;
}

bool
hop_net_read(struct span text, struct hop_net *out, const char **why)
{
    struct span length = text, address = span_cut(&length, '/');
    bool alone = address.len == text.len;
    struct hop hop = { 0 };
    uint32_t width, bits;

    *why = "is not an address or a network like 10.0.0.0/8 or 2001:db8::/32";
    if (!hop_ip_read(address, &hop))
        return false;
    /* As it was written: an IPv4 network inside of IPv6 notation counts all 128 bits. */
    width = span_find(address, ':') < address.len ? 128 : 32;
    bits = width;
    if (!alone && !span_u32(length, width, &bits)) {
        *why = width == 32 ? "needs a prefix length from 0 to 32"
                           : "needs a prefix length from 0 to 128";
        return false;
    }
    *out = (struct hop_net){ .bits = bits + 128 - width };
    memcpy(out->ip, hop.ip, sizeof out->ip);
    *why = "is an address with a prefix length: write the network, with zeros behind its prefix";
    return !has_host_bits(out->ip, out->bits);
}

bool
hop_net_has(const struct hop_net *net, const struct hop *hop)
{
    unsigned whole = net->bits / 8, rest = net->bits % 8;
    uint8_t mask = (uint8_t)(0xff00u >> rest);

    if (memcmp(net->ip, hop->ip, whole) != 0)
        return false;
    return rest == 0 || ((net->ip[whole] ^ hop->ip[whole]) & mask) == 0;
}
