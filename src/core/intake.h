/*
 * A message enters: indexed, its source noted, then matched to what is known of it (RFC 3261 §16.3, §17.2.3, §18.2.1).
 */
#ifndef CORE_INTAKE_H
#define CORE_INTAKE_H

#include "core/state.h"

struct intake { /* one message on its way in; all lent for the turn */
    /* these two, uri and mark lie where the next trip will have its own (trip_coming), if there is room for one */
    struct msg *msg;
    struct gist *gist;
    const struct hop *from;
    struct arena
        *room;    /* where all of msg lies, for its trip to take; NULL: in the turn's memory */
    uint64_t dry; /* the number of its dry run (dry.h); 0: it is real */
    /* of a request, by intake_look() */
    struct span received; /* stamp for the top Via: address text, or empty (§18.2.1) */
    uint16_t rport;       /* stamp (RFC 3581 §4), 0: none */
    bool natted;          /* the source is not what the Via says */
    struct hop reply_to;  /* where responses go (§18.2.2) */
    struct txn_key key;   /* what its transaction is found by */
    /* of one that no transaction has */
    int uri_err;       /* SIPD_OK, or why its Request-URI cannot be read … */
    struct uri *uri;   /* … which is this */
    struct mark *mark; /* its marks */
};

/*
 * Reads a message, mended as the rules of repair have it; dry: and keeps no record of that. Lent: bytes, from. SIPD_ENOMEM,
 * SIPD_ESYNTAX: nobody can be answered.
 */
int intake_read(struct core *core, const struct hop *from, struct span bytes, uint64_t dry,
                struct msg *msg, struct gist *gist) MUST_USE;
/* The stamps of a request's top Via, and where its responses go: by its Via and the hop that it came from. */
void intake_stamp(struct core *core, struct intake *in);
/* All that the checks and a trip want to know of a request; in has a place for its URI and marks. */
void intake_look(struct core *core, struct intake *in);

#endif
