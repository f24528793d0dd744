/*
 * Timer C: an INVITE branch may ring for a long time, but not for ever (RFC 3261 §16.6 step 11, §16.8).
 */
#include "core/timer_c.h"

#include "core/branch.h"
#include "core/cancel.h"
#include "core/explain.h"
#include "core/state.h"

void
timer_c_arm(struct branch *branch)
{
    struct core *core = branch->trip->core;

    timers_arm(&core->timers, &branch->timer, core->ports.clock->now_ms + core->conf->timer_c_ms,
               TIMER_BRANCH, branch->id);
}

/* The client transaction would wait for ever: it ends without its final response. */
static void
give_up(struct branch *branch)
{
    txns_end(&branch->trip->core->txns, branch->client);
    branch->client = 0;
    branch_done(branch, 408);
}

void
timer_c_fired(struct branch *branch)
{
    EXPLAIN_BRANCH(branch, .step = STEP_TIMER,
                   .who = branch->cancel_sent ? SPAN("the one of its CANCEL") : SPAN("Timer C"));
    if (branch->provisional && !branch->cancel_sent) {
        cancel_branch(branch, 408, (struct span){ NULL, 0 });
        cancel_if_waiting(branch); /* one that could not leave earlier */
        if (branch->cancel_sent)
            return;
    }
    give_up(branch);
}
