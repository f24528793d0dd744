/*
 * SIP, SIPS and tel URIs read into spans; any other scheme kept whole (RFC 3261 §19.1, RFC 3966, RFC 3986).
 *
 * Pure functions on lent bytes. What is read points into what was given.
 */
#ifndef SIPD_URI_H
#define SIPD_URI_H

#include <sipd/err.h>
#include <sipd/span.h>

enum uri_scheme { URI_SIP, URI_SIPS, URI_TEL, URI_OTHER };

struct uri {
    enum uri_scheme scheme;
    struct span whole;       /* all of it */
    struct span scheme_text; /* before the colon, as written */
    struct span rest;        /* after the colon; all there is for URI_OTHER */
    struct span user;        /* still escaped; for tel the number; empty if there is none */
    struct span password;    /* still escaped */
    struct span host;        /* name, IPv4 or [IPv6] with its brackets; empty for tel */
    uint16_t port;           /* 0: none written */
    bool has_user;           /* an @ was there */
    struct span params;      /* from after the first ; up to ? */
    struct span headers;     /* from after the ? */
};

#pragma GCC visibility push(default)

/*
 * Reads one URI, all of it. Lent: text; out points into it. SIPD_ESYNTAX if it cannot be told apart (RFC 3261 §25.1, RFC
 * 3966 §3). Looser than the grammars in what cannot be taken for anything else: unescaped, a user part may hold # [ ] { } | \
 * ^ `, parameters and header fields any visible character but < > and a % that begins no escape (also an @, a quote); a
 * host name may hold _ and begin or end with -; a parameter may be empty or stand twice, its value is not looked at; a local
 * number may have no context. Of any other scheme all visible characters but < and > are taken. Blanks, control and 8-bit
 * bytes never.
 */
int uri_read(struct span text, struct uri *out);

/*
 * Equal by RFC 3261 §19.1.4 and RFC 5954 §4.2 (sip, sips), RFC 3966 §4 (tel), bytes with the scheme's case ignored (others).
 * Of more than 256 parameters or header fields, both lists must be the same text. Reflexive and symmetric; not transitive.
 */
bool uri_eq(const struct uri *a, const struct uri *b);

/* The value of a URI parameter (name without case). False if it is not there; an empty span for one without value. */
bool uri_param(const struct uri *uri, struct span name, struct span *value);

/*
 * Writes the address-of-record form that registrations are kept under (RFC 3261 §10.3 step 5): scheme and host in lower
 * case, an IPv6 address in one spelling, user unescaped where that is safe, no password, port, parameters nor headers. `to` has room for `room` bytes; a
 * whole.len of room is always enough. Returns the length, or SIPD_ETOOBIG.
 */
int uri_aor_write(const struct uri *uri, char *to, size_t room);
/*
 * Finds that form in a text where it stands as it is, as in nearly all of "sip:user@host" and "sip:user@host:port". False:
 * it says nothing; read and write it. Lent: text. port 0: none.
 */
bool uri_aor_find(struct span text, struct span *aor, struct span *host, uint16_t *port);

/* Two user parts (or other escaped texts) equal after unescaping, case kept (RFC 3261 §19.1.4, RFC 3986 §6.2.2). */
bool uri_text_eq(struct span a, struct span b);

/* Is this host an IPv4 address or a bracketed IPv6 reference (RFC 3261 §25.1)? */
bool uri_host_is_literal(struct span host);

#pragma GCC visibility pop

#endif
