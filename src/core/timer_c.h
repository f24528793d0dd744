/*
 * Timer C: an INVITE branch may ring for a long time, but not for ever (RFC 3261 §16.6 step 11, §16.8).
 */
#ifndef CORE_TIMER_C_H
#define CORE_TIMER_C_H

#include "core/trip.h"

/* Starts it, or starts it anew after a provisional response (§16.7 step 2). */
void timer_c_arm(struct branch *branch);
/* It fired; after a CANCEL: the answer to what was cancelled never came (§9.1). The trip is not settled yet. */
void timer_c_fired(struct branch *branch);

#endif
