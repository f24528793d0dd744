/*
 * Where a SIP URI leads: what is asked of the module that knows, and how its answers fared (RFC 3263).
 */
#ifndef SIPD_RESOLVE_H
#define SIPD_RESOLVE_H

#include <sipd/hop.h>
#include <sipd/uri.h>

struct sipd_host;

struct sipd_place {
    const struct uri *uri; /* sip or sips, its host a name; lent until return */
    /* chance among equals (RFC 2782): the same each time that the same request comes */
    uint64_t seed;
    /* the order shall depend on seed and records alone: it goes where what it belongs to went (RFC 3263 §4.4) */
    bool in_order;
    /* so it shall, for it is asked again, while the first of them is well; else sipd_resolved() says that it is not */
    bool stateless;
    bool one_way;    /* nobody will tell how its hops fared: an ACK, say */
    bool for_answer; /* a response looks for a way: uri is the sent-by of its Via (§5) */
};

/* What a hop that was named did with a request (RFC 3263 §4.3). */
enum sipd_tried {
    SIPD_TRIED_ANSWERED, /* any response but the next line's */
    SIPD_TRIED_BUSY,     /* 503 with Retry-After */
    SIPD_TRIED_SILENT,   /* no response at all */
    SIPD_TRIED_FAILED,   /* no connection, or nobody there */
    /* Without state nobody waits for an answer (§4.4). What is seen all the same is told, of any host: */
    SIPD_TRIED_PASSED, /* a request went there */
    SIPD_TRIED_SEEN,   /* something came from there */
    SIPD_TRIED_BOUNCED /* the network says that nobody is there, which proves nothing */
};

struct sipd_resolver_ops {
    /*
     * Asks for the hops of a place, best first; sipd_resolved() answers, now or in a later turn. An error: nobody will.
     */
    int (*ask)(void *self, const struct sipd_place *place, uint64_t id);
    /* Tells how a hop fared. retry_after_s: of a 503, else 0. NULL: nobody wants to know. */
    void (*tried)(void *self, const struct hop *hop, enum sipd_tried how, uint32_t retry_after_s);
};

#pragma GCC visibility push(default)

/*
 * Offers to find hops for names; addresses need nobody. One module may. Lent: ops, until unload; who waits then is told that
 * there is no way. SIPD_EEXIST.
 */
int sipd_offer_resolver(struct sipd_host *host, const struct sipd_resolver_ops *ops, void *self);
/*
 * The hops of a question, best first; without any, err says why: SIPD_ENOENT no such name, else something that may pass. With some it
 * is SIPD_OK, or, of what would pass without state, SIPD_ECLOSED: the first is not well, or others stand in for it.
 * Copied. A stale id is ignored.
 */
void sipd_resolved(struct sipd_host *host, uint64_t id, const struct hop *hops, size_t len,
                   int err);
/* Have we a listener that could send to this hop; with an address of zeros: one of its transport at all? */
bool sipd_can_send(struct sipd_host *host, const struct hop *to);
/*
 * For how long a target that failed is left alone, so that it is one time for all: who took no TCP connection for a large request
 * (RFC 3261 §18.1.1) is asked for none so long. Only whoever offers the resolver may say; 30 s while nobody does.
 */
void sipd_set_rest(struct sipd_host *host, uint32_t ms);

#pragma GCC visibility pop

#endif
