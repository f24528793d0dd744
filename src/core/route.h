/*
 * Route and Request-URI put right, loose and strict (RFC 3261 §16.4), and the token that our own Route carries.
 */
#ifndef CORE_ROUTE_H
#define CORE_ROUTE_H

#include "core/trip.h"

/* Fills the trip's routing fields. Returns 0, or the status that refuses it: 400 (a bad Route), 403 (a forged token). */
uint16_t route_prepare(struct trip *trip);
/*
 * Is a Route left when ours on top are gone, so that the Request-URI may be anything? One that cannot be read counts,
 * too: it is refused for that later.
 */
bool route_leads_on(const struct core *core, const struct msg *msg);
/* Another Request-URI from here on; copied. SIPD_ESYNTAX, SIPD_ENOMEM. */
int route_set_uri(struct trip *trip, struct span uri) MUST_USE;

#endif
