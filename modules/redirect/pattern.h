/*
 * Addresses with * in them: each stands for any text, an empty one too.
 */
#ifndef REDIRECT_PATTERN_H
#define REDIRECT_PATTERN_H

#include <sipd/span.h>
#include <sipd/uri.h>

#define PATTERN_BYTES 512 /* of the longest */

/* Does the text match? *star: what the first * stood for; lent with text. */
bool pattern_matches(struct span pattern, struct span text, struct span *star);
/*
 * Writes a pattern with scheme and host in lower case, as addresses are that it will be compared with. uri: the pattern
 * read as a URI, letters in place of its stars, at the same places. Port, password, parameters and headers are left out.
 * Returns the length, or an error: SIPD_ESYNTAX, SIPD_ETOOBIG.
 */
int pattern_lower(struct span pattern, const struct uri *uri, char to[PATTERN_BYTES]);

#endif
