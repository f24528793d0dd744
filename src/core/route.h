/*
 * Route and Request-URI put right, loose and strict (RFC 3261 §16.4), and the token that our own Route carries.
 */
#ifndef CORE_ROUTE_H
#define CORE_ROUTE_H

#include "core/trip.h"

/* Fills the trip's routing fields. Returns 0, or the status that refuses it: 400 (a bad Route), 403 (a forged token). */
uint16_t route_prepare(struct trip *trip);

#endif
