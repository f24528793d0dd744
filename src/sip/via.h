/*
 * The Via field: read one, and the two stamps that a server puts on it (RFC 3261 §18.2.1, §20.42, RFC 3581).
 */
#ifndef SIP_VIA_H
#define SIP_VIA_H

#include "base/span.h"
#include "sip/hop.h"

#define VIA_COOKIE \
    SPAN("z9hG4bK") /* RFC 3261 §8.1.1.7; compared without case, as real devices write it */

struct via {
    struct span whole;          /* this element without the blanks around it */
    struct span transport_text; /* "UDP", as written */
    struct span sent_by;        /* host and port as written, blanks around the colon included */
    struct span host;           /* IPv6 in brackets, or without where the sender left them out */
    struct span params;         /* from the first ; on */
    /* what is not in every one, from here on: all 0 before one is read */
    uint8_t transport; /* transport_text, or HOP_NONE if we know none such */
    uint16_t port;     /* 0: none written */
    bool has_received_ip;
    struct span branch;   /* empty if absent or without value */
    struct span received; /* value, or empty: where it would stand, at NULL without the parameter */
    uint8_t received_ip[16]; /* the same, as in struct hop, when has_received_ip */
    struct span maddr;       /* value, or empty */
    struct span rport;       /* value of rport, or empty as received */
    uint16_t rport_number;   /* the same; 0: it has none */
    bool has_rport;          /* RFC 3581 §3: the flag is there, with or without value */
    bool twice;              /* one of branch, received, maddr, rport, ttl is there again */
    bool has_ttl;            /* there is one, read by nobody */
    bool blanks;             /* there are some in the branch */
    bool characters; /* a branch, received, maddr, rport or ttl that is none by the grammar */
    bool loose; /* an empty parameter at the end, one without a name, or IPv6 without brackets */
    bool has_cookie; /* the branch begins with z9hG4bK: it identifies the transaction (§17.2.3) */
};

/*
 * Takes the next Via off a comma list. Lent: *rest; out points into it. SIPD_OK; SIPD_ENOENT when none is left;
 * SIPD_ESYNTAX otherwise (*rest is then as it was, and *out is nothing).
 */
int via_next(struct span *rest, struct via *out);

/* As via_is_empty(), of one that has a comma or a blank in front. */
bool via_is_blank(struct span value);

/* Nothing but commas and blanks? */
static inline bool
via_is_empty(struct span value)
{
    return value.len == 0 ||
           ((value.at[0] == ',' || span_is_lws(value.at[0])) && via_is_blank(value));
}

/*
 * Of a value whose first element is none by via_next(): what can be read of it, for whoever answers that. whole stays empty.
 * Where no port could be read has_rport is set, as if its sender had asked to be answered where he sent from. False: it does
 * not even begin as a Via.
 */
bool via_salvage(struct span value, struct via *out);

/*
 * Where a response to this request goes when no connection is kept (RFC 3261 §18.2.2, RFC 3581 §4): the ip and port,
 * from maddr (a group, and unreliable transports only: whoever writes another would aim our answers at others), else received
 * and rport, else sent-by. False if they hold no literal
 * address. transport and the rest of *to stay.
 */
bool via_reply_hop(const struct via *via, struct hop *to);

#endif
