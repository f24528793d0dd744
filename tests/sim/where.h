/*
 * The scripted places of users: a hook that names targets, as a registrar's does, at once or after it has thought.
 */
#ifndef SIM_WHERE_H
#define SIM_WHERE_H

#include "sim/world.h"

/* Adds the hook to a core that is there. */
void where_start(struct sim_sipd *s, struct core *core);

#endif
