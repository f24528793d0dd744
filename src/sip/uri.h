/*
 * URIs, as every floor sees them; modules see the same.
 */
#ifndef SIP_URI_H
#define SIP_URI_H

#include <sipd/uri.h>

/*
 * The same URI where its text was copied to: from is any place of the old text, to the same place of the new one. Lent: the
 * new text.
 */
void uri_move(const struct uri *uri, const char *from, const char *to, struct uri *out);

/* Could this be the name of a scheme (RFC 3986 §3.1)? */
bool uri_is_scheme(struct span text);

#endif
