/*
 * One request's life in the proxy: what came, where it may go, its branches, the best answer so far (RFC 3261 §16).
 *
 * A trip begins with a new request and ends when its final response has gone up and no branch is pending; what is left are
 * finished transactions. Its arena holds the kept request and all that is made for it.
 */
#ifndef CORE_TRIP_H
#define CORE_TRIP_H

#include "base/arena.h"
#include "base/list.h"
#include "base/timers.h"
#include "core/chain.h"
#include "core/core.h"
#include "core/mark.h"
#include "sip/draft.h"
#include "sip/gist.h"
#include "sip/msg.h"
#include "sip/reply.h"

enum trip_state {
    TRIP_ASKING,   /* checks and hooks: no branch yet */
    TRIP_WAITING,  /* a hook holds it */
    TRIP_FORKING,  /* branches are pending, nothing final has gone up */
    TRIP_ANSWERED, /* a final response has gone up; branches may still be pending */
    TRIP_SILENT, /* none will (RFC 4320 §4.2): it stays until its client has given up, so that what comes again is a repeat */
};

/* What is too large for a datagram (§18.1.1). */
enum branch_large {
    LARGE_NO,
    LARGE_BY_STREAM,   /* is being tried over TCP */
    LARGE_BY_DATAGRAM, /* was: the hop at hand takes no connection */
};

enum branch_state {
    BRANCH_RESOLVING, /* waits for its hops */
    BRANCH_PENDING,   /* a client transaction is under way */
    BRANCH_DONE,      /* a final response, a time-out or a failure */
};

struct target {
    struct list link;      /* of trip->targets, best q first */
    struct sipd_target is; /* uri and all copied to the trip's arena */
    struct uri uri;        /* is.uri, read */
    uint32_t alike;        /* a hash of what equal URIs have in common; 0: nobody has asked */
    bool else_by_uri;      /* when its flow is dead, the URI is tried (a flow that a Route named) */
    /* the same device by another flow, for when this one fails (RFC 5626 §7) */
    struct target *other;
};

struct edit { /* a module's wish for what is forwarded */
    struct edit *next;
    struct span name, value;
    const struct msg_field *drop; /* the field to take out; NULL: add name and value */
    uint64_t branch;              /* only this branch; 0: all */
};

struct branch {
    uint64_t id;
    struct trip *trip;
    struct list link; /* of trip->branches */
    struct target *target;
    enum branch_state state;
    /* we want it to end (§16.10), and then it counts as this status; 0: we don't */
    uint16_t cancelled_as;
    /* its final status; 408 time-out, 503 transport failure (§16.9), 430 dead flow */
    uint16_t status;
    uint64_t client;        /* client transaction; 0: none */
    const struct hop *hops; /* where it may go, best first; in the trip's arena, or one's own */
    uint32_t hops_len;
    uint32_t breadth; /* its share of the trip's */
    uint8_t attempt;  /* hops tried so far */
    uint8_t large;    /* enum branch_large: of the hop at hand */
    bool hooked;      /* ON_BRANCH was asked */
    bool cancel_sent; /* CANCEL goes once a provisional response came (§9.1) */
    bool provisional; /* any provisional response came */
    bool silent;      /* its hop was silent for proxy.silent_ms … */
    bool left;        /* … and nobody waits for it: others try the next (silence.h) */
    bool located;     /* its hops were found by name: whoever found them hears how they fare … */
    bool unsure;      /* … and says that they need state (RFC 3263 §4.4) */
    uint64_t first;   /* the branch that it took its hops from; 0: none */
    struct timer timer; /* Timer C (§16.8); after CANCEL: when we stop waiting (§9.1) */
    /* its final response as it came, kept in the trip's arena; empty: made by us */
    struct span response;
    /* value of the Reason field (RFC 3326) of its CANCEL, or empty; lent as long as the trip */
    struct span cancel_reason;
    uint32_t version; /* counts its facts … */
    uint64_t digest;  /* … and is what the last one said; 0: there is none */

    /* From here on nothing is zeroed. BRANCH_HEAD_BYTES is what stands before. */
    struct hop literal; /* what its URI says by itself: hops may be this */
};

#define BRANCH_HEAD_BYTES offsetof(struct branch, literal)

struct trip {
    uint64_t id;
    struct core *core;
    struct list link;    /* of core->resumed, or unlinked */
    struct list touched; /* of core->touched, or unlinked */
    uint32_t version;    /* counts its facts … */
    uint32_t epoch;      /* core->epoch, when it was taken in; its branches are of the same */
    uint64_t digest;     /* … and is what the last one said; 0: there is none */
    uint64_t began_ms;
    enum trip_state state;
    enum sipd_stage stage; /* where the hooks stand … */
    uint16_t hook_at;      /* … and which one is asked next */
    uint16_t final;        /* status that went up, 0: none yet */
    uint32_t dry_hops;     /* to how many a dry run would go … */
    uint64_t dry;          /* … and its number (dry.h); 0: it is real */
    /* server transaction; 0: none, as of an ACK and of all that passes statelessly (§16.11) */
    uint64_t server;

    struct span uri_text; /* Request-URI after §16.4 */
    unsigned own_routes;  /* our Route elements on top, to be dropped */
    unsigned routes;      /* with last_route_is_uri: these many stand before that one */
    /* topmost Route left after ours went: where it goes next; empty: none */
    struct span next_route;
    bool strict_next;       /* … and it is a strict router (§16.6 step 6) */
    bool last_route_is_uri; /* a strict router put the Request-URI last (§16.4): drop that one */
    bool for_us;            /* Request-URI names us: a domain or address of ours */
    bool by_token;   /* within a dialog, and the topmost Route was ours with the right token */
    bool by_path;    /* … that of a Path, in any request: it is bound */
    bool among_ours; /* … of a dialog whose two sides are ours: no token of it was bound */
    bool bound;      /* … which leads to its flow only */
    bool from_ours;  /* … of a side that is ours, and the request came from its address */
    bool has_flow;   /* the last of our Routes names a flow: trip->flow */

    bool trusted;
    bool insecure;    /* a sips request was not let go to a sip target (RFC 5630 §5.3) */
    bool up;          /* something other than our own 100 went up */
    bool cancelled;   /* the caller gave up (§9.2) */
    bool declined;    /* a 6xx came: no new branches (§16.7 step 5) */
    struct span user; /* authenticated name; empty: none */

    struct list targets;  /* not yet tried */
    struct list branches; /* all that were made */
    uint32_t targets_len; /* ever added */
    uint32_t compared;  /* what finding equal ones among them has cost, in TARGET_COMPARED_BYTES */
    uint32_t pending;   /* branches not done … */
    uint32_t left;      /* … and of them those that nobody waits for (silence.h) */
    struct edit *edits; /* in the order of the wishes */
    struct edit **edits_end;
    struct span reply_fields; /* lines that modules want in a 2xx of ours */

    struct timer trying; /* our 100 Trying (§17.2.1, RFC 4320 §4.1) */
    /* the group at hand rang long enough; of a silent one: its client has given up */
    struct timer no_answer;

    /* From here on nothing is zeroed: who begins a trip fills it. TRIP_HEAD_BYTES is what stands before. */
    struct arena arena;
    struct hop flow; /* with has_flow */
    struct hop source;
    struct hop reply_to;  /* where responses go (§18.2.2) */
    uint32_t breadth;     /* Incoming Max-Breadth (RFC 5393 §5.2) */
    uint16_t rport;       /* stamps for the top Via: RFC 3581 §4, 0: none … */
    bool natted;          /* its source is not what its Via says */
    struct span received; /* … and §18.2.1 */
    struct uri uri;       /* uri_text, read; until then as it came */
    struct mark mark;     /* what its branches and our tag begin with */
    struct gist gist;     /* of msg */
    struct msg msg;       /* kept */
};

#define TRIP_HEAD_BYTES offsetof(struct trip, arena)

/*
 * Adds a target, best q first, unless an equal one was added before (§16.5). SIPD_ENOMEM, SIPD_EFULL, SIPD_ESYNTAX; SIPD_EINVAL: a
 * sip target for a sips request (RFC 5630 §5.3).
 */
int trip_add_target(struct trip *trip, const struct sipd_target *target) MUST_USE;
/* Wishes an edit of what is forwarded; spans are copied. SIPD_ENOMEM. */
int trip_add_edit(struct trip *trip, struct span name, struct span value,
                  const struct msg_field *drop, uint64_t branch) MUST_USE;

struct intake;

/* Memory for a trip whose request has that many bytes; trip_begin() may take it. */
void trip_room(struct core *core, struct arena *room, size_t bytes);
/* The request that is about to be read goes where the trip that begins next will have its own, if there will be one. */
void trip_coming(struct core *core, struct intake *in);
/* A new request that passed the checks: keeps it, opens its server transaction (none for an ACK) and runs it. */
void trip_begin(struct core *core, const struct intake *in);
/* Goes on after a hook that waited, or starts the next targets when no branch is pending, or ends. The trip may be gone after. */
void trip_go(struct trip *trip);
/* No branch is pending: next group, or the best answer goes up; ends the trip when all is said. The trip may be gone after. */
void trip_settle(struct trip *trip);
/* Says that we are at it: a 100, unless something went up already (§17.2.1, RFC 4320 §4.1). A stale id is ignored. */
void trip_trying(struct core *core, uint64_t id);
/* Its sender has lost his connection, and asks again by another one. A stale id is ignored. */
void trip_moved(struct core *core, uint64_t id, const struct hop *from, const struct hop *reply_to);
/* An ACK has no transaction ever; a CANCEL comes here only when its INVITE's are not ours, and goes the same way. */
bool trip_follows_an_invite(const struct trip *trip);
/* Does it keep transactions, or would if it were real? */
bool trip_has_state(const struct trip *trip);
/* Opens the server transaction that answers repeats, of one that goes on without; of a dry run none. SIPD_ENOMEM, SIPD_EFULL. */
int trip_serve(struct trip *trip) MUST_USE;
/* Ends it: its transactions live on by themselves. */
void trip_end(struct trip *trip);
/* One that another node has under this id, with nothing in it, for a request of that many bytes; NULL: there is no room. */
struct trip *trip_put(struct core *core, uint64_t id, size_t bytes);
/* Such a one has ended there. Its transactions are told of by themselves. */
void trip_forget(struct trip *trip);
/* Its timers go on, and it does what it was about to do. The trip may be gone after. */
void trip_wake(struct trip *trip);

/*
 * Sends a response of ours (refuse.c). Lent: with, all but more, which is filled with what modules want in a 2xx. SIPD_ENOMEM.
 */
int trip_reply(struct trip *trip, unsigned status, struct reply_with *with) MUST_USE;

#endif
