/*
 * The modules of a simulated sipd, opened and loaded as the daemon does it.
 */
#ifndef SIM_MODULES_H
#define SIM_MODULES_H

#include "sim/world.h"

/* Opens a module with these settings ("{ store = "ram"; }"). Fails the world in words. */
void sim_host_open(struct sim_sipd *s, struct span name, struct span settings);
/* Loads all that were opened; the core is there. Fails the world in words. */
void sim_host_start(struct sim_sipd *s);
void sim_host_free(struct sim_host **host);
/* All of these do nothing without modules. */
void sim_host_tick(struct sim_host *host);
uint64_t sim_host_next_ms(const struct sim_host *host);
bool sim_host_knows(const struct sim_host *host, struct span aor);

#endif
