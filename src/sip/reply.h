/*
 * Our own response to a request (RFC 3261 §8.2.6): From, Call-ID, CSeq, Via copied; To with our tag.
 */
#ifndef SIP_REPLY_H
#define SIP_REPLY_H

#include "base/arena.h"
#include "sip/gist.h"

struct reply_to {
    const struct msg *request;
    const struct gist *gist;
    struct span received; /* stamp for the topmost Via: an address, or empty (§18.2.1) */
    uint16_t rport;       /* stamp: source port, 0: none (RFC 3581 §4) */
    /* a token; added when the request has none and status is above 100 (§8.2.6.2) */
    struct span to_tag;
};

/* What stands in it besides. */
struct reply_with {
    struct span phrase;      /* empty: the default one */
    struct span lines, more; /* further fields, as line_write() makes them */
    struct span type, body;  /* Content-Type; empty: no body */
};

/* Writes a response, whole. In the arena; .at is NULL if there was no memory. */
struct span reply_write(struct arena *arena, const struct reply_to *to, unsigned status,
                        const struct reply_with *with) MUST_USE;

#endif
