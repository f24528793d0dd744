/*
 * For which SIP domains a certificate speaks (RFC 5922 §7.1, §7.2): pure functions on its subjectAltName.
 */
#ifndef TLS_VERIFY_H
#define TLS_VERIFY_H

#include <sipd/span.h>

enum san_kind { SAN_DNS, SAN_URI, SAN_IP };

struct san { /* one value of subjectAltName */
    enum san_kind kind;
    struct span value; /* DNS, URI: text; IP: 4 or 16 bytes. Lent */
};

/*
 * The n-th identity, from 0 on: the host of a URI that is sip and has no user; DNS names only where there is no such URI
 * (§7.1). An empty span past the end. The subject's common name is none: a subjectAltName is asked for.
 */
struct span verify_identity(const struct san *sans, size_t sans_len, size_t n);
/*
 * Does it speak for this host of a URI? Whole names, without case and without a wildcard (§7.2). A literal address is
 * covered by itself, as an IP address or in a URI.
 */
bool verify_covers(const struct san *sans, size_t sans_len, struct span host);

#endif
