/*
 * URIs, as every floor sees them; modules see the same.
 */
#ifndef SIP_URI_H
#define SIP_URI_H

#include <sipd/uri.h>

/* Could this be the name of a scheme (RFC 3986 §3.1)? */
bool uri_is_scheme(struct span text);

#endif
