/*
 * What becomes of a request that passed the checks (RFC 3261 §16.3 to §16.5).
 */
#ifndef CORE_DECIDE_H
#define CORE_DECIDE_H

#include "core/trip.h"

/* The stage that is asked first. */
enum sipd_stage decide_first_stage(const struct trip *trip);
/* Asks from the trip's stage on. True: there are targets to be tried; else it was answered, or waits for a hook. */
bool decide(struct trip *trip);

#endif
