/*
 * What goes up to the caller: responses from branches, the best of them, or our own (RFC 3261 §16.7 steps 3 to 10).
 */
#ifndef CORE_UPSTREAM_H
#define CORE_UPSTREAM_H

#include "core/trip.h"

/*
 * Sends written bytes by the server transaction, and keeps account. with: what they were made with, if by reply_write(), or NULL.
 * Lent: bytes, until the turn's end. SIPD_ENOMEM.
 */
int upstream_send(struct trip *trip, unsigned status, struct span bytes,
                  const struct reply_with *with) MUST_USE;
/* Sends a response of ours with the fields that its status asks for. */
void upstream_status(struct trip *trip, unsigned status);
/* The same with a phrase; empty: the default one. */
void upstream_refuse(struct trip *trip, unsigned status, struct span phrase);
/* Passes a response of a branch on. Lent: msg, gist. */
void upstream_response(struct trip *trip, const struct msg *msg, const struct gist *gist);
/* All branches are done and nothing final went up: the best answer does. */
void upstream_best(struct trip *trip);
/* The Via beneath ours. False: there is none, so it was meant for us (§16.7 step 3), or none that could be read. */
bool upstream_second_via(const struct msg *msg, const struct gist *gist, struct via *via);
/*
 * The response without our Via, ready to go to the second one, with the challenges of all branches of a trip (NULL: none). In
 * the turn's memory; empty if it cannot be made.
 */
struct span upstream_pop_via(struct core *core, const struct msg *msg, const struct gist *gist,
                             const struct via *second, const struct trip *trip);
/* A 2xx on a client transaction whose trip is over goes up by the server transaction `peer` (RFC 6026 §7.1, §7.2). */
void upstream_late(struct core *core, uint64_t peer, const struct msg *msg,
                   const struct gist *gist);

#endif
