/*
 * The stamps that a server puts on the topmost Via of a request, as edits of its text (RFC 3261 §18.2.1, RFC 3581 §4).
 */
#ifndef SIP_STAMP_H
#define SIP_STAMP_H

#include "sip/via.h"

struct stamp_edit {
    struct span cut;         /* bytes of the Via that go; empty: a place in it */
    struct span name, value; /* what comes instead: one behind the other */
};

struct stamp {
    struct stamp_edit edits[2]; /* in the order of the text */
    unsigned len;
    char port[5]; /* digits that an edit may point to: a stamp is not copied */
};

/*
 * Makes the edits that set received (empty: left as it is) and rport (0: left as it is). A parameter that is there gets
 * another value, a missing one is appended. Lent: via and received, as long as the stamp is used.
 */
void stamp_init(struct stamp *s, const struct via *via, struct span received, uint16_t rport);

#endif
