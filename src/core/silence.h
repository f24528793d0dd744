/*
 * A hop that says nothing to an INVITE is left for the next before its transaction gives up (proxy.silent_ms; RFC 3263 §4.3
 * would wait for Timer B).
 *
 * Its branch lives on, left: it does not hold up the search, but what it says counts. Whoever of a target's branches speaks
 * first is kept; the others are cancelled as soon as they may be (§9.1), and then it is waited for their end. If the later ones
 * fail, the silent one is waited for again.
 */
#ifndef CORE_SILENCE_H
#define CORE_SILENCE_H

#include "core/trip.h"

/* An INVITE has left for a hop: the branch's timer is armed for its silence, or as Timer C when there is no other hop. */
void silence_arm(struct branch *branch);
/* The timer fired. True: the hop was silent, and the next is being tried. False: it is another matter. */
bool silence_ends(struct branch *branch);
/* It said something that is no reason to try another hop: the search of its target goes on here. Before that is noted in it. */
void silence_broken(struct branch *branch);
/* Its last hop failed: those that were left are waited for again. Nothing, if it was left itself. */
void silence_failed(struct branch *branch);
/* Is another of its search on one of the device's flows that come behind its own (RFC 5626 §7: none twice)? */
bool silence_went_on(const struct branch *branch);

#endif
