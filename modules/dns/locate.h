/*
 * One URI on its way to its hops: the procedure of RFC 3263 §4, from its first question to its last answer.
 */
#ifndef DNS_LOCATE_H
#define DNS_LOCATE_H

#include "finder.h"

enum { LOCATE_WAITS_MAX = 20 };

struct locate;

struct locate_wait { /* in an entry's ring of waiters */
    struct ring link;
    struct locate *locate;
};

struct locate {
    struct ring link; /* of finder->locates */
    struct finder *finder;
    uint64_t id; /* the host's */
    uint64_t seed, began_ms, timer;
    unsigned can; /* transports that we have */
    struct order_plan plan;
    char target[ANSWER_NAME_BYTES]; /* plan.target lies here */
    bool in_order, stateless, one_way, for_answer;
    bool soon;   /* what is there would do: the rest is not waited for much longer */
    bool now;    /* what is known by now must do */
    bool failed; /* somebody could not be asked, or did not answer */
    bool no_way; /* it is there, but by no transport that we have */
    unsigned rounds;
    unsigned waits_len;
    struct locate_wait waits[LOCATE_WAITS_MAX];
};

/* Begins; answers by sipd_resolved(), perhaps before it returns. SIPD_ENOMEM, SIPD_EFULL. */
int locate_begin(struct finder *f, const struct sipd_place *place, uint64_t id);
/* Something that it waits for was answered. It may be gone after. */
void locate_go_on(struct locate *l);
/* Ends it unanswered. */
void locate_free(struct locate *l);

#endif
