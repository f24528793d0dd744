/*
 * The target set: who may get the request, best first, each once (RFC 3261 §16.5, §16.6).
 */
#include "core/target.h"

#include "core/branch.h"
#include "core/breadth.h"
#include "core/scheme.h"
#include "core/state.h"
#include "core/stateless.h"
#include "core/upstream.h"

static bool
is_same(const struct core *core, const struct target *a, const struct target *b)
{
    return scheme_uri_eq(&core->chain, &a->uri, &b->uri) && hop_eq(&a->is.hop, &b->is.hop) &&
           a->is.hop.flow == b->is.hop.flow;
}

static bool
is_known(const struct trip *trip, const struct target *target)
{
    list_each (node, after, &trip->targets)
        if (is_same(trip->core, container_of(node, struct target, link), target))
            return true;
    list_each (node, after, &trip->branches)
        if (is_same(trip->core, container_of(node, struct branch, link)->target, target))
            return true;
    return false;
}

/* Before the first one of lower q: equal q stay in the order of their adding. */
static void
link_by_q(struct trip *trip, struct target *target)
{
    struct list *before = trip->targets.next;

    while (before != &trip->targets &&
           container_of(before, struct target, link)->is.q >= target->is.q)
        before = before->next;
    list_push(before, &target->link);
}

static int
add(struct trip *trip, const struct sipd_target *is, bool else_by_uri)
{
    struct target *target;

    if (trip->targets_len >= trip->core->conf->max_targets)
        return SIPD_EFULL;
    target = arena_zalloc(&trip->arena, sizeof *target);
    if (!target)
        return SIPD_ENOMEM;
    target->is = *is;
    target->else_by_uri = else_by_uri;
    target->is.uri = arena_copy(&trip->arena, is->uri);
    if (!target->is.uri.at)
        return SIPD_ENOMEM;
    if (uri_read(target->is.uri, &target->uri) != SIPD_OK)
        return SIPD_ESYNTAX;
    if (trip->uri.scheme == URI_SIPS && target->uri.scheme == URI_SIP) {
        trip->insecure = true;
        return SIPD_EINVAL;
    }
    if (is_known(trip, target))
        return SIPD_OK;
    link_by_q(trip, target);
    trip->targets_len++;
    return SIPD_OK;
}

int
trip_add_target(struct trip *trip, const struct sipd_target *is)
{
    return add(trip, is, false);
}

int
target_add_uri(struct trip *trip)
{
    struct sipd_target is = { .uri = trip->uri_text, .q = 1000 };

    if (trip->has_flow)
        is.hop = trip->flow;
    return add(trip, &is, trip->has_flow && !trip->bound);
}

static void
arm_no_answer(struct trip *trip)
{
    struct core *core = trip->core;

    if (core->conf->no_answer_ms > 0 && trip->server != 0 && trip->gist.method == METHOD_INVITE)
        timers_arm(&core->timers, &trip->no_answer,
                   core->ports.clock->now_ms + core->conf->no_answer_ms, TIMER_NO_ANSWER, trip->id);
}

/* How many targets are tried at once: all, or those of the highest q. */
static uint32_t
group_len(const struct trip *trip)
{
    bool by_q = trip->core->conf->fork == CORE_FORK_Q;
    uint32_t q = container_of_const(trip->targets.next, struct target, link)->is.q, len = 0;

    for (const struct list *node = trip->targets.next; node != &trip->targets;
         node = node->next, len++)
        if (by_q && container_of_const(node, struct target, link)->is.q != q)
            break;
    return len;
}

void
target_start_group(struct trip *trip)
{
    uint32_t len;

    if (trip->server == 0 && trip->core->conf->mode == CORE_STATELESS)
        stateless_choose(trip);
    len = group_len(trip);
    if (breadth_share(trip, len - 1, len) == 0) {
        list_init(&trip->targets);
        upstream_status(trip, 440);
        return;
    }
    for (uint32_t n = 0; n < len; n++) {
        struct target *target = container_of(list_shift(&trip->targets), struct target, link);

        branch_start(trip, target, breadth_share(trip, n, len));
    }
    arm_no_answer(trip);
}
