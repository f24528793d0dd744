/*
 * A dialog between alice and bob, and the Routes of its requests.
 */
#ifndef UNIT_ROUTE_RIG_H
#define UNIT_ROUTE_RIG_H

#include "unit/core_rig.h"

#define ALICE_TCP "tcp:192.0.2.1:40000/7"
#define NEXT      "udp:203.0.113.5:5060"

/* A call from alice to bob, who is at `contact`; what he got is returned, its dialog is there. */
const struct rig_sent *route_call(const char *from, const char *contact, const char *to);
/* "Route: …" of the n-th Record-Route of a request. */
const char *route_line(const struct rig_sent *invite, unsigned n);
/* Our Record-Route as a strict router before us makes it the Request-URI. Lent until the next call. */
const char *route_request(const char *method, const char *record_route);

#endif
