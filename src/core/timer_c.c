/*
 * Timer C: an INVITE branch may ring for a long time, but not for ever (RFC 3261 §16.6 step 11, §16.8).
 */
#include "core/timer_c.h"

#include "core/branch.h"
#include "core/cancel.h"
#include "core/state.h"

void
timer_c_arm(struct branch *branch)
{
    struct core *core = branch->trip->core;

    timers_arm(&core->timers, &branch->timer, core->ports.clock->now_ms + core->conf->timer_c_ms, TIMER_BRANCH, branch->id);
}

/* The client transaction would wait for ever: it ends without its final response. */
static void
give_up(struct branch *branch, uint16_t status)
{
    txns_end(&branch->trip->core->txns, branch->client);
    branch->client = 0;
    branch_done(branch, status);
}

void
timer_c_fired(struct branch *branch)
{
    if (branch->cancel_sent)
        give_up(branch, 487);
    else if (branch->provisional)
        cancel_branch(branch, 408, (struct span){ NULL, 0 });
    else
        give_up(branch, 408);
}
