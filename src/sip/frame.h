/*
 * Where a message ends, in a stream or a datagram; keep-alives (RFC 3261 §7.5, §18.3, RFC 5626 §3.5.1, §4.4.1).
 */
#ifndef SIP_FRAME_H
#define SIP_FRAME_H

#include "base/span.h"

enum frame_kind {
    FRAME_MORE,    /* not all here yet */
    FRAME_MESSAGE, /* a whole message */
    FRAME_PING,    /* double CRLF: answer with one (RFC 5626 §4.4.1) */
    FRAME_BLANK,   /* a line end or other filler to be passed over */
    FRAME_BAD,     /* no way to find the next message: answer fault if it can be, then close */
};

struct frame {
    enum frame_kind kind;
    /* bytes before the message (line ends, §7.5); FRAME_MORE: all bytes if no message has begun */
    size_t skip;
    size_t len; /* bytes of the message; of the ping or filler */
    /* FRAME_BAD: 400, 413 (body) or 513 (head); FRAME_MESSAGE: 400 when the datagram is shorter than Content-Length (§18.3) */
    uint16_t fault;
    const char *fault_reason;
    /* FRAME_BAD: up to and with the empty line, or of a head that is too long the whole lines within the limit; 0: none */
    size_t head_len;
};

/*
 * Looks for the next message at the start of a stream. *seen is this function's memory of an earlier look (0 at first, always
 * below 2^32), so that a slow drip is not scanned anew; reset it to 0 once bytes are taken off. How the stream was cut into
 * reads makes no difference; so a CRLF that nothing follows yet is FRAME_MORE, it may become a ping (skip tells that no
 * message has begun). A message without Content-Length has no body. Units: limit_bytes, the largest message.
 */
void frame_stream(struct span bytes, size_t limit_bytes, size_t *seen, struct frame *out);

/*
 * Looks at one datagram: leading line ends are skipped, keep-alives told. The rest is all of it message: where that ends
 * its index will say (msg_trim), so that a datagram is scanned once. FRAME_BAD: it begins like no message, drop it.
 */
void frame_datagram(struct span bytes, struct frame *out);

#endif
