/*
 * A hop that says nothing to an INVITE is left for the next before its transaction gives up (proxy.silent_ms; RFC 3263 §4.3
 * would wait for Timer B).
 */
#include "core/silence.h"

#include "core/branch.h"
#include "core/cancel.h"
#include "core/state.h"
#include "core/timer_c.h"

void
silence_arm(struct branch *branch)
{
    struct core *core = branch->trip->core;
    uint32_t silent_ms = core->conf->silent_ms;

    if (silent_ms == 0 || !branch_has_hop(branch))
        timer_c_arm(branch);
    else
        timers_arm(&core->timers, &branch->timer, core->ports.clock->now_ms + silent_ms,
                   TIMER_BRANCH, branch->id);
}

static bool
is_sibling(const struct branch *a, const struct branch *b)
{
    return a != b && branch_search(a) == branch_search(b);
}

/* By what they say: on a node that took over, each branch has its target to itself. */
static bool
is_same_flow(const struct target *a, const struct target *b)
{
    return span_eq(a->is.uri, b->is.uri) && span_eq(a->is.path, b->is.path) &&
           hop_eq(&a->is.hop, &b->is.hop) && a->is.hop.flow == b->is.hop.flow;
}

static bool
is_any_on(const struct branch *branch, const struct target *flow)
{
    list_each (node, after, &branch->trip->branches) {
        const struct branch *other = container_of(node, struct branch, link);

        if (is_sibling(branch, other) && is_same_flow(flow, other->target))
            return true;
    }
    return false;
}

bool
silence_went_on(const struct branch *branch)
{
    const struct target *flow = branch->target->other;

    while (flow && !is_any_on(branch, flow))
        flow = flow->other;
    return flow != NULL;
}

static void
leave(struct branch *branch)
{
    branch->trip->left += !branch->left;
    branch->left = true;
}

static void
take_back(struct branch *branch)
{
    branch->trip->left -= branch->left;
    branch->left = false;
}

/* Timer C is behind Timer B for whoever said nothing, so what fired is the timer of its silence. */
static bool
is_silent(const struct branch *branch)
{
    return branch->state == BRANCH_PENDING && !branch->provisional && branch_has_hop(branch);
}

bool
silence_ends(struct branch *branch)
{
    if (!is_silent(branch))
        return false;
    timer_c_arm(branch);
    if (branch->trip->core->conf->silent_ms == 0 || branch->cancelled_as != 0)
        return true;
    branch_tried(branch, SIPD_TRIED_SILENT, 0);
    branch->silent = true;
    if (branch_go_beside(branch))
        leave(branch);
    return true;
}

void
silence_broken(struct branch *branch)
{
    if (branch->state != BRANCH_PENDING)
        return;
    take_back(branch);
    if (branch->cancelled_as != 0)
        return;
    list_each (node, after, &branch->trip->branches) {
        struct branch *other = container_of(node, struct branch, link);

        if (!is_sibling(branch, other) || other->state != BRANCH_PENDING)
            continue;
        cancel_branch(other, 408, (struct span){ NULL, 0 });
        leave(other);
    }
}

void
silence_failed(struct branch *branch)
{
    if (branch->left)
        return;
    list_each (node, after, &branch->trip->branches) {
        struct branch *other = container_of(node, struct branch, link);

        if (is_sibling(branch, other) && other->left && other->cancelled_as == 0)
            take_back(other);
    }
}
