/*
 * The modules of a simulated sipd, loaded as the daemon loads them.
 */
#include "sim/modules.h"

void
sim_host_load(struct sim_sipd *s, struct span name, struct span settings)
{
    (void)settings;
    world_fail(s->world, "no module %.*s", SPAN_ARG(name));
}

void
sim_host_free(struct sim_host **host)
{
    *host = NULL;
}

void
sim_host_tick(struct sim_host *host)
{
    (void)host;
}

uint64_t
sim_host_next_ms(const struct sim_host *host)
{
    (void)host;
    return UINT64_MAX;
}

bool
sim_host_knows(const struct sim_host *host, struct span aor)
{
    (void)host;
    (void)aor;
    return false;
}
