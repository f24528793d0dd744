/*
 * What sipd says beforehand of a request and what it then does agree: every request of a scenario is run dry before it is heard.
 *
 * A plain one as `explain METHOD URI from ADDRESS` has it, with nothing but method, Request-URI, sender and source; another
 * one, of a dialog or with Routes of its own, as it came. Compared are targets, hops, their order, and who refuses.
 */
#ifndef SIM_REHEARSE_H
#define SIM_REHEARSE_H

#include "sim/world.h"

struct explain_event;
struct rehearsals;

/* For a world whose sipds are not started yet. Owns: the caller, ends it with rehearse_free(). */
struct rehearsals *rehearse_new(struct world *w);
void rehearse_free(struct rehearsals **all);
/* A message is about to be heard: it is run dry if it is a new request. */
void rehearse_before(struct sim_sipd *s, const struct hop *from, struct span bytes);
/* It was heard. */
void rehearse_after(struct sim_sipd *s);
/* The sipd decided something: its core's port. */
void rehearse_hear(void *io, const struct explain_event *event);
/* All is over: compares; what differs fails the world. How many were compared. */
unsigned rehearse_compare(struct rehearsals *all);

#endif
