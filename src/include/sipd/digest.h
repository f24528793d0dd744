/*
 * The fields of Digest credentials and challenges (RFC 3261 §20.44, §22; RFC 7616 §3; RFC 8760).
 */
#ifndef SIPD_DIGEST_H
#define SIPD_DIGEST_H

#include <sipd/err.h>
#include <sipd/span.h>

struct digest { /* values without their quotes; escapes are still in them; empty when absent */
    struct span username, realm, nonce, uri, response, algorithm, cnonce, opaque, qop, nc, domain,
        stale;
};

#pragma GCC visibility push(default)

/*
 * Reads the value of an Authorization, Proxy-Authorization, WWW-Authenticate or Proxy-Authenticate field.
 * SIPD_ENOENT if its scheme is not Digest; SIPD_ESYNTAX if it cannot be read or a field stands twice.
 */
int digest_read(struct span value, struct digest *out);

#pragma GCC visibility pop

#endif
