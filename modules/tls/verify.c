/*
 * For which SIP domains a certificate speaks (RFC 5922 §7.1, §7.2).
 */
#include "verify.h"

#include <string.h>

#include <sipd/hop.h>
#include <sipd/uri.h>

/* §7.1: "sip" and nothing else, and no user: that would be a person. */
static struct span
uri_identity(const struct san *san)
{
    struct uri uri;

    if (san->kind != SAN_URI || uri_read(san->value, &uri) != SIPD_OK || uri.scheme != URI_SIP ||
        uri.has_user)
        return (struct span){ NULL, 0 };
    return uri.host;
}

static bool
has_uri_identity(const struct san *sans, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (uri_identity(&sans[i]).len > 0)
            return true;
    return false;
}

struct span
verify_identity(const struct san *sans, size_t len, size_t n)
{
    bool by_uri = has_uri_identity(sans, len);

    for (size_t i = 0; i < len; i++) {
        struct span identity = by_uri                    ? uri_identity(&sans[i])
                               : sans[i].kind == SAN_DNS ? sans[i].value
                                                         : (struct span){ NULL, 0 };

        if (identity.len > 0 && n-- == 0)
            return identity;
    }
    return (struct span){ NULL, 0 };
}

/* A name that ends in a dot is the same name. */
static struct span
without_dot(struct span name)
{
    return name.len > 1 && name.at[name.len - 1] == '.' ? span_head(name, name.len - 1) : name;
}

/* §7.2: in their entirety; "*" is a character like any other. Two spellings of an address are one. */
static bool
same_host(struct span identity, struct span host)
{
    struct hop a = { .port = 0 }, b = { .port = 0 };

    if (span_ieq(without_dot(identity), without_dot(host)))
        return true;
    return hop_ip_read(identity, &a) && hop_ip_read(host, &b) && memcmp(a.ip, b.ip, 16) == 0;
}

static bool
has_address(const struct san *sans, size_t len, struct span host)
{
    struct hop hop = { .port = 0 };
    const uint8_t *ip = hop.ip;
    size_t bytes = 16;

    if (!hop_ip_read(host, &hop))
        return false;
    if (hop_is_v4(&hop)) {
        ip = hop.ip + 12;
        bytes = 4;
    }
    for (size_t i = 0; i < len; i++)
        if (sans[i].kind == SAN_IP && sans[i].value.len == bytes &&
            memcmp(sans[i].value.at, ip, bytes) == 0)
            return true;
    return false;
}

bool
verify_covers(const struct san *sans, size_t len, struct span host)
{
    if (host.len == 0)
        return false;
    for (size_t n = 0;; n++) {
        struct span identity = verify_identity(sans, len, n);

        if (identity.len == 0)
            return has_address(sans, len, host);
        if (same_host(identity, host))
            return true;
    }
}
