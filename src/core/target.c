/*
 * The target set: who may get the request, best first, each once (RFC 3261 §16.5, §16.6).
 */
#include "core/target.h"

#include "core/branch.h"
#include "core/breadth.h"
#include "core/explain.h"
#include "core/scheme.h"
#include "core/state.h"
#include "core/stateless.h"
#include "core/upstream.h"
#include "sip/chars.h"

/* Of host and port; an IPv6 reference may be written in many ways, and other schemes have rules of their own. */
uint32_t
target_alike(const struct uri *uri)
{
    uint32_t hash = uri->port;

    if (!scheme_is_sip(uri) || chars_begin(uri->host, '['))
        return hash;
    for (size_t i = 0; i < uri->host.len; i++)
        hash = (hash ^ (unsigned char)span_lower(uri->host.at[i])) * 16777619U;
    return hash;
}

static bool
is_same_uri(struct trip *trip, const struct target *known, const struct target *it)
{
    if (known->alike != it->alike)
        return false;
    if (span_eq(known->is.uri, it->is.uri))
        return true;
    if (trip->compared >= TARGET_COMPARED_MAX)
        return false;
    trip->compared += 1 + (uint32_t)it->is.uri.len / TARGET_COMPARED_BYTES;
    return scheme_uri_eq(&trip->core->chain, &known->uri, &it->uri);
}

/* Is it this one? Another way there makes another target; one that names no way leads to where that one did. */
static bool
is_same(struct trip *trip, const struct target *known, const struct target *it)
{
    return (it->is.hop.transport == HOP_NONE ||
            (hop_eq(&known->is.hop, &it->is.hop) && known->is.hop.flow == it->is.hop.flow)) &&
           is_same_uri(trip, known, it);
}

static bool
is_known(struct trip *trip, const struct target *target)
{
    list_each (node, after, &trip->targets)
        if (is_same(trip, container_of(node, struct target, link), target))
            return true;
    list_each (node, after, &trip->branches)
        if (is_same(trip, container_of(node, struct branch, link)->target, target))
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

/* The one whose device this is too (RFC 5626 §7: no more than one of them at a time); NULL: a new device. */
static struct target *
same_device(const struct trip *trip, const struct target *target)
{
    if (target->is.instance.len == 0)
        return NULL;
    list_each (node, after, &trip->targets) {
        struct target *other = container_of(node, struct target, link);

        if (span_eq(other->is.instance, target->is.instance))
            return other;
    }
    list_each (node, after, &trip->branches) {
        struct target *other = container_of(node, struct branch, link)->target;

        if (span_eq(other->is.instance, target->is.instance))
            return other;
    }
    return NULL;
}

static void
link_behind(struct target *first, struct target *target)
{
    while (first->other)
        first = first->other;
    first->other = target;
}

/* Copies a text that may be empty. */
static int
keep(struct trip *trip, struct span *text)
{
    if (text->len == 0)
        return SIPD_OK;
    *text = arena_copy(&trip->arena, *text);
    return text->at ? SIPD_OK : SIPD_ENOMEM;
}

/* Adds a target whose texts lie in the trip's memory. */
static int
add(struct trip *trip, const struct target *it, struct span who)
{
    struct target *target, *device;

    if (trip->targets_len >= trip->core->conf->max_targets)
        return SIPD_EFULL;
    target = arena_alloc(&trip->arena, sizeof *target);
    if (!target)
        return SIPD_ENOMEM;
    *target = *it;
    target->alike = target_alike(&target->uri);
    if (trip->uri.scheme == URI_SIPS && target->uri.scheme == URI_SIP) {
        trip->insecure = true;
        return SIPD_EINVAL;
    }
    if (is_known(trip, target))
        return SIPD_OK;
    device = same_device(trip, target);
    if (device)
        link_behind(device, target);
    else
        link_by_q(trip, target);
    trip->targets_len++;
    EXPLAIN_TRIP(trip, .step = STEP_TARGET, .who = who, .uri = target->is.uri, .has_q = true,
                 .q = target->is.q,
                 .hop = target->is.hop.transport != HOP_NONE ? &target->is.hop : NULL);
    return SIPD_OK;
}

int
trip_add_target(struct trip *trip, const struct sipd_target *is)
{
    struct target it = { .is = *is };

    it.is.uri = arena_copy(&trip->arena, is->uri);
    if (!it.is.uri.at || keep(trip, &it.is.path) != SIPD_OK ||
        keep(trip, &it.is.instance) != SIPD_OK)
        return SIPD_ENOMEM;
    if (uri_read(it.is.uri, &it.uri) != SIPD_OK)
        return SIPD_ESYNTAX;
    return add(trip, &it, span_of(trip->core->asked ? trip->core->asked : "the answer"));
}

/*
 * When its flow is dead, the URI leads on; if the flow binds, only to the same host: who has lost a connection listens at another
 * port than he called from.
 */
static bool
leads_on(const struct trip *trip)
{
    struct hop hop = trip->flow;
    struct span maddr;

    return !trip->bound ||
           (!trip->by_path && trip->next_route.len == 0 && hop_is_reliable(trip->flow.transport) &&
            scheme_is_sip(&trip->uri) && !uri_param(&trip->uri, SPAN("maddr"), &maddr) &&
            hop_ip_read(trip->uri.host, &hop) && memcmp(hop.ip, trip->flow.ip, sizeof hop.ip) == 0);
}

int
target_add_uri(struct trip *trip)
{
    struct target it = {
        .is = { .uri = trip->uri_text, .q = 1000 },
        .uri = trip->uri,
        .else_by_uri = trip->has_flow && leads_on(trip),
    };

    if (trip->has_flow)
        it.is.hop = trip->flow;
    return add(trip, &it, SPAN("the Request-URI"));
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
    EXPLAIN_TRIP(trip, .step = STEP_GROUP, .count = len, .has_q = true,
                 .q = container_of(trip->targets.next, struct target, link)->is.q);
    for (uint32_t n = 0; n < len; n++) {
        struct target *target = container_of(list_shift(&trip->targets), struct target, link);

        branch_start(trip, target, breadth_share(trip, n, len));
    }
    arm_no_answer(trip);
}
