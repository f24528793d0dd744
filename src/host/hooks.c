/*
 * A module's hooks go into the core's chain, and a request that waited goes on.
 */
#include "core/rehook.h"
#include "host/state.h"

int
sipd_hook(struct sipd_host *host, enum sipd_stage stage, int order, sipd_hook_fn *fn, void *self)
{
    struct chain_hook hook = {
        .order = order, .fn = fn, .self = self, .owner = host, .name = host->is->name
    };
    struct core *core = host->host->core;
    int err = core ? rehook_add(core, stage, &hook) : chain_add(&host->host->own, stage, &hook);

    if (err == SIPD_EEXIST)
        sipd_complain(host, "another module has order %d at %s", order, chain_stage_name(stage));
    return err;
}

void
sipd_resume(struct sipd_host *host, uint64_t req_id)
{
    if (host->host->core)
        core_resume(host->host->core, req_id);
}
