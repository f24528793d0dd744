/*
 * What the judge knows of the transactions of a sipd, both sides, by their keys on the wire.
 */
#ifndef SIM_SIDES_H
#define SIM_SIDES_H

#include "sim/ua.h"

struct side { /* a request as a sipd took it: its server transaction */
    struct table_node node;
    struct list link; /* call->servers */
    struct call *call;
    const struct sim_sipd *sipd;
    enum method method;
    struct span branch, sent_by;
    struct list branches;
    struct hop from;
    bool cancelled; /* its CANCEL came in time */
    bool declined;  /* a 6xx came */
    bool acked;
    bool doubtful; /* nothing is asked of it any more: it may have begun anew, or be another's */
    uint16_t final;
    uint64_t final_hash; /* of a failure's bytes */
    uint64_t final_ms;
};

struct branch_side { /* … and as it left: a client transaction */
    struct table_node node;
    struct list link; /* side->branches */
    struct side *server;
    struct span branch;
    unsigned sends;
    uint64_t first_ms, final_ms, cancel_ms;
    bool reliable, provisional, cancelled, failed;
    uint16_t final;
};

struct sides {
    struct table servers, branches;
};

/* False: no memory. */
bool sides_init(struct sides *sides);
/* What is in it lies in the arenas of its calls. */
void sides_fini(struct sides *sides);
void side_add(struct sides *sides, struct side *side);
void branch_add(struct sides *sides, struct branch_side *branch);
/* Takes it out, and its branches. */
void side_remove(struct sides *sides, struct side *side);
/* NULL: there is none. */
struct side *side_find(const struct sides *sides, const struct sim_sipd *s, const struct via *via,
                       enum method method);
struct branch_side *branch_find(const struct sides *sides, const struct sim_sipd *s,
                                const struct via *via, enum method method);
/* Timer B or F ends it, or what we wait for after a CANCEL (§9.1); a 2xx is passed on for Timer M. UINT64_MAX: nothing does. */
uint64_t branch_end_ms(const struct branch_side *b);

#endif
