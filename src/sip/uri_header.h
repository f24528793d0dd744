/*
 * Header fields that a URI carries (…?name=value&…): their names, and when two of one name are the same (RFC 3261 §19.1.4).
 */
#ifndef SIP_URI_HEADER_H
#define SIP_URI_HEADER_H

#include "base/span.h"

/* The full name of a field whose name may be escaped or compact; one that nobody knows stays as it is. Lent: name. */
struct span uri_header_name(struct span name);

/*
 * The same value, escaped or not, by the definition of the field (§20; name: as uri_header_name() gives it)? By case in what
 * holds a Call-ID, a method, an RFC 1123 date, base64, and in "body"; addresses by their URIs and parameters, whatever is
 * displayed; else by all but the case of what is not in quotes (§7.3.1).
 */
bool uri_header_eq(struct span name, struct span a, struct span b);

#endif
