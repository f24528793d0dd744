/*
 * A request run dry: the checks, hooks, targets, names and hops that it would meet, by the same code, and nothing leaves, is
 * written or noted.
 *
 * Each group of targets counts as if nobody had answered, so that all of them are told. A hook may wait as ever; one that
 * would write asks sipd_req_is_dry().
 */
#ifndef CORE_DRY_H
#define CORE_DRY_H

#include "core/explain.h"

/* The request that would come from there. Lent: bytes. SIPD_ESYNTAX, SIPD_EINVAL: an ACK, a CANCEL, or no request. */
int dry_run(struct core *core, const struct hop *from, struct span bytes, uint64_t number) MUST_USE;

struct dry_ask {
    struct span method, uri;
    struct span from; /* URI of the sender; empty: somebody whom nobody knows */
    struct hop source;
};
/* Appends such a request; lot: a number that no other one has. SIPD_EINVAL: method or URIs would not be one; SIPD_ENOMEM. */
int dry_write(const struct dry_ask *ask, uint64_t lot, struct buf *to) MUST_USE;

/* A trip of a dry run would send this branch to the hop at hand. */
void dry_attempt(struct branch *branch);
/* The checks passed, and there is no room for it. */
void dry_refuse(struct core *core, const struct gist *gist, uint64_t number, unsigned status);
/* It ends. */
void dry_end(const struct trip *trip);

#endif
