/*
 * Requests that follow from an INVITE we sent: the ACK to its failure and its CANCEL (RFC 3261 §17.1.1.3, §9.1).
 */
#ifndef SIP_DERIVE_H
#define SIP_DERIVE_H

#include "base/buf.h"
#include "sip/gist.h"

/*
 * Writes the ACK to a non-2xx final response: Request-URI, Call-ID, From, CSeq number, top Via and Routes of the INVITE as
 * sent, To of the response. Lent: all. The buffer's err tells.
 */
void derive_ack(struct buf *b, const struct msg *invite, const struct gist *invite_gist,
                const struct gist *response);

/* Writes the CANCEL of an INVITE as sent; reason: value of a Reason field (RFC 3326), or empty. */
void derive_cancel(struct buf *b, const struct msg *invite, const struct gist *invite_gist,
                   struct span reason);

#endif
