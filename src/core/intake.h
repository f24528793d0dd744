/*
 * A message enters: indexed, its source noted, then matched to what is known of it (RFC 3261 §16.3, §17.2.3, §18.2.1).
 */
#ifndef CORE_INTAKE_H
#define CORE_INTAKE_H

#include "core/state.h"

struct intake { /* one message on its way in; all lent for the turn */
    const struct msg *msg;
    const struct gist *gist;
    const struct hop *from;
    struct span received; /* stamp for the top Via: address text, or empty (§18.2.1) */
    uint16_t rport;       /* stamp (RFC 3581 §4), 0: none */
    bool natted;          /* the source is not what the Via says */
    struct hop reply_to;  /* where responses go (§18.2.2) */
};

/* Works out the stamps of a request's top Via and the way back. */
void intake_stamp(struct core *core, struct intake *in);

#endif
