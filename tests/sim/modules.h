/*
 * The modules of a simulated sipd, loaded as the daemon loads them.
 */
#ifndef SIM_MODULES_H
#define SIM_MODULES_H

#include "sim/world.h"

/* Loads the module with these settings (libconfig text). Fails the world in words. */
void sim_host_load(struct sim_sipd *s, struct span name, struct span settings);
void sim_host_free(struct sim_host **host);
/* All of these do nothing without modules. */
void sim_host_tick(struct sim_host *host);
uint64_t sim_host_next_ms(const struct sim_host *host);
bool sim_host_knows(const struct sim_host *host, struct span aor);

#endif
