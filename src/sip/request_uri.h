/*
 * A SIP or SIPS URI as a request carries it on its first line (RFC 3261 §16.4, §16.6 step 2, §19.1.1; RFC 5630 §5.3).
 */
#ifndef SIP_REQUEST_URI_H
#define SIP_REQUEST_URI_H

#include "base/arena.h"
#include "sip/uri.h"

enum request_uri_changes {
    REQUEST_URI_NOWHERE = 1, /* without maddr, port and transport: they led it here (§16.4) */
    REQUEST_URI_SIP = 2,     /* sips becomes sip (RFC 5630 §5.3) */
};

/*
 * The URI without what may not stand there: header fields and a method parameter (§19.1.1, table 1); with these changes.
 * Nothing else differs, and what needs no change is a part of uri->whole. Other schemes than sip and sips stay as they are.
 * Lies in the arena or in uri->whole; .at is NULL if there was no memory.
 */
struct span request_uri(const struct uri *uri, unsigned changes, struct arena *arena) MUST_USE;

#endif
