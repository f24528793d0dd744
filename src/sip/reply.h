/*
 * Our own response to a request (RFC 3261 §8.2.6): From, Call-ID, CSeq, Via copied; To with our tag.
 */
#ifndef SIP_REPLY_H
#define SIP_REPLY_H

#include "base/buf.h"
#include "sip/gist.h"

struct reply_to {
    const struct msg *request;
    const struct gist *gist;
    struct span received; /* stamp for the topmost Via: an address, or empty (§18.2.1) */
    uint16_t rport;       /* stamp: source port, 0: none (RFC 3581 §4) */
    /* a token; added when the request has none and status is above 100 (§8.2.6.2) */
    struct span to_tag;
};

/* Writes the status line and the copied fields. An empty phrase means the default one. */
void reply_begin(struct buf *b, const struct reply_to *to, unsigned status, struct span phrase);
/* Adds a field; line ends in value become blanks, so that no value can forge a field. */
void reply_header(struct buf *b, struct span name, struct span value);
/* Ends the head with Content-Length, and adds the body (type empty: no body). The buffer's err tells. */
void reply_end(struct buf *b, struct span type, struct span body);

#endif
