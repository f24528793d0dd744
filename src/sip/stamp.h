/*
 * The stamps that a server puts on the topmost Via of a request, as edits of its text (RFC 3261 §18.2.1, RFC 3581 §4).
 */
#ifndef SIP_STAMP_H
#define SIP_STAMP_H

#include "sip/via.h"

enum { STAMP_BYTES = HOP_TEXT_BYTES + sizeof ";received=;rport=65535" };

struct stamp_edit {
    struct span cut;  /* bytes of the Via that go; empty: a place in it */
    struct span text; /* what comes instead, without line ends */
};

struct stamp {
    struct stamp_edit edits[2]; /* in the order of the text */
    unsigned len;
    char text[STAMP_BYTES]; /* to which edits point: a stamp is not copied */
};

/*
 * Makes the edits that set received (empty: left as it is) and rport (0: left as it is). A parameter that is there gets
 * another value, a missing one is appended. Of received, an address, HOP_TEXT_BYTES are written at most. Lent: via, as long as the
 * stamp is used.
 */
void stamp_init(struct stamp *s, const struct via *via, struct span received, uint16_t rport);

#endif
