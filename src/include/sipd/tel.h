/*
 * Telephone numbers, as tel URIs and as user parts of sip URIs with user=phone (RFC 3966, RFC 3261 §19.1.6).
 *
 * Pure functions on lent bytes. What is read points into what was given.
 */
#ifndef SIPD_TEL_H
#define SIPD_TEL_H

#include <sipd/err.h>
#include <sipd/span.h>
#include <sipd/uri.h>

struct tel {
    struct span number;  /* as written, with its + and visual separators */
    bool global;         /* it begins with +; else it means nothing without its context (§5.1.5) */
    struct span context; /* phone-context: a domain, or digits that begin with +; empty: none */
    struct span ext;     /* extension behind a PBX; empty: none */
    struct span isub;    /* ISDN subaddress; empty: none */
    struct span params;  /* all of them, from after the first ; on */
};

#pragma GCC visibility push(default)

/*
 * Reads a telephone-subscriber, what stands behind "tel:". Lent: text; out points into it. SIPD_ESYNTAX: a parameter
 * that cannot be read or stands twice, ext beside isub (RFC 3966 §3, §5.3), or more than 32 of them. A local number
 * without a context is read: phones leave it out.
 */
int tel_read(struct span text, struct tel *out);

/* Reads the number of a tel URI, or of a sip or sips URI with user=phone. SIPD_ENOENT: it is neither; SIPD_ESYNTAX. */
int tel_of_uri(const struct uri *uri, struct tel *out);

/*
 * Equal by RFC 3966 §4: both global or both local, the same digits without visual separators, the same parameters in
 * any order, a context as digits or as a host name; case never counts.
 */
bool tel_eq(const struct tel *a, const struct tel *b);

/* False if a mandatory parameter ("m-…") is there, of which we know none: then it must not be used (RFC 3966 §5.4). */
bool tel_is_usable(const struct tel *tel);

/*
 * All three write into `to`, which has room for `room` bytes, and return the length, or SIPD_ETOOBIG. What is written
 * is in lower case, the parameters in the order isub or ext, phone-context, others by name (RFC 3966 §3), so that
 * equal numbers differ at most in their visual separators. A caller may put another context into *tel before.
 */
/* "tel:+1-201-555-0123;isub=1" */
int tel_write(const struct tel *tel, char *to, size_t room);
/* "sip:+1-201-555-0123;isub=1@host;user=phone"; sips: the scheme. host with its port, if one is wanted. */
int tel_sip_write(const struct tel *tel, bool sips, struct span host, char *to, size_t room);
/* The number alone, without visual separators: "+12015550123". */
int tel_number_write(const struct tel *tel, char *to, size_t room);

#pragma GCC visibility pop

#endif
