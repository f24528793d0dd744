/*
 * Is the peer who it must be? Its certificate judged (RFC 5280, RFC 5922 §7, RFC 5924), and the refusal in words.
 */
#ifndef TLS_PEER_H
#define TLS_PEER_H

#include <stdbool.h>

#include <openssl/ssl.h>

#include <sipd/span.h>

/* May a certificate pass that OpenSSL found this wrong with? So for usages that it does not know, and lists that we lack. */
bool peer_may_pass(int err, int depth, const X509 *x509);
/* Does the certificate speak for this host (verify.h)? */
bool peer_covers(const X509 *x509, struct span host);
/* One word for what is wrong: "expired", "self-signed", "unknown-ca", "revoked", "wrong-usage", "wrong-host" … Lent for ever. */
const char *peer_wrong(long err);
/* One word for why hands were not shaken, certificates apart. NULL: OpenSSL's own words must do. */
const char *peer_unshaken(unsigned long err);
/* The same for what came from the peer as an alert? */
bool peer_said(unsigned long err);

#endif
