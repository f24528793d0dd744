/*
 * Branches and To-tags as keyed pure functions of the request and its target (RFC 3261 §8.1.1.7, §16.6 step 8, §16.11,
 * RFC 5393 §4.2.1).
 *
 * Every node that shares sipd.key computes the same mark: a retransmission that another node handles is a retransmission
 * to the callee. branch = z9hG4bK v k s N L T: version, key and shard, one character each; N tells transactions apart, L
 * tells a loop from a spiral, T proves that the branch is ours. N and L are made by SipHash-1-3, for nobody gains by making
 * one, and nobody can without the key; T by SipHash-2-4.
 */
#ifndef CORE_MARK_H
#define CORE_MARK_H

#include "base/siphash.h"
#include "sip/gist.h"
#include "sip/hop.h"

struct core;

#define MARK_BRANCH_LEN (7 + 3 + 16 + 8 + 16)
#define MARK_TAG_LEN    16

/* What all marks of a request begin with, hashed once. */
struct mark {
    struct siphash dialog; /* Call-ID and CSeq … */
    /* … and the Via of whoever sent it: the same in an INVITE, its CANCEL and its failure's ACK */
    struct siphash request;
};

struct mark_branch_of {
    const struct mark *mark; /* of the request as received */
    /* Request-URI, if it leaves as another, and the Routes that were not received: all else that was routed by is in loop */
    struct span uri, routes;
    const struct hop *hop; /* where it goes */
    unsigned attempt;
    uint64_t loop;       /* mark_loop() of the request as received, of which L is a part */
    struct span sent_by; /* ours, as written in the Via */
};

/* The beginning of a request's marks. */
void mark_begin(const struct core *core, const struct gist *gist, struct mark *mark);
/* Everything received that the choice of targets read, but never the method nor a Via (RFC 5393 §4.2.1). */
uint64_t mark_loop(const struct mark *mark, const struct msg *msg);
/* Writes the branch; no NUL. Returns a span over `to`. */
struct span mark_branch(const struct core *core, const struct mark_branch_of *of,
                        char to[MARK_BRANCH_LEN]);
/* A number that is the same for each repeat of a request, its CANCEL and its ACK: chance that needs no memory. */
uint64_t mark_seed(const struct mark *mark);
/* Did we make this Via's branch? l becomes its L, as it is written. */
bool mark_branch_is_ours(const struct core *core, const struct via *via, uint64_t *l);
/* Is L that of a request with this mark_loop()? */
bool mark_is_loop(uint64_t l, uint64_t loop);
/* Writes our To-tag for this request: the same for each repeat of it, its CANCEL and its ACK. No NUL. */
struct span mark_tag(const struct mark *mark, char to[MARK_TAG_LEN]);

#endif
