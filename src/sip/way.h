/*
 * How a message will leave, asked before it is rendered: the hop with its listener and flow, and the names that this side
 * wears in Via and Record-Route (RFC 3261 §18.1.1, §16.6 steps 4 and 8).
 */
#ifndef SIP_WAY_H
#define SIP_WAY_H

#include "base/span.h"
#include "sip/hop.h"

struct way {
    /* listener filled in; flow filled in when a connection is there or being opened */
    struct hop to;
    /* host:port for Via and Record-Route: advertise, else the listener's address; lent for the turn */
    struct span sent_by;
};

#endif
