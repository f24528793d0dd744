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

/* Of host and port; an IPv6 reference may be written in many ways, and other schemes have rules of their own. Never 0. */
static uint32_t
hash_of(const struct uri *uri)
{
    uint32_t hash = uri->port;

    if (!scheme_is_sip(uri) || chars_begin(uri->host, '['))
        return hash | 1;
    for (size_t i = 0; i < uri->host.len; i++)
        hash = (hash ^ (unsigned char)span_lower(uri->host.at[i])) * 16777619U;
    return hash | 1;
}

/* Most requests have one target, which is compared to none. */
static uint32_t
alike(struct target *target)
{
    if (target->alike == 0)
        target->alike = hash_of(&target->uri);
    return target->alike;
}

static bool
is_same_uri(struct trip *trip, struct target *known, struct target *it)
{
    if (alike(known) != alike(it))
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
is_same(struct trip *trip, struct target *known, struct target *it)
{
    return (it->is.hop.transport == HOP_NONE ||
            (hop_eq(&known->is.hop, &it->is.hop) && known->is.hop.flow == it->is.hop.flow)) &&
           is_same_uri(trip, known, it);
}

static bool
is_known(struct trip *trip, struct target *target)
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

/* Another one in the trip's memory, for the caller to fill: is and uri. NULL: memory is out. */
static struct target *
target_new(struct trip *trip)
{
    struct target *target = arena_alloc(&trip->arena, sizeof *target);

    if (!target)
        return NULL;
    target->alike = 0;
    target->else_by_uri = false;
    target->other = NULL;
    return target;
}

/* Adds a target whose texts lie in the trip's memory, as it does. */
static int
add(struct trip *trip, struct target *target, struct span who)
{
    struct target *device;

    if (trip->targets_len >= trip->core->conf->max_targets)
        return SIPD_EFULL;
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
    struct target *target = target_new(trip);

    if (!target)
        return SIPD_ENOMEM;
    target->is = *is;
    target->is.uri = arena_copy(&trip->arena, is->uri);
    if (!target->is.uri.at || keep(trip, &target->is.path) != SIPD_OK ||
        keep(trip, &target->is.instance) != SIPD_OK)
        return SIPD_ENOMEM;
    if (uri_read(target->is.uri, &target->uri) != SIPD_OK)
        return SIPD_ESYNTAX;
    return add(trip, target, span_of(trip->core->asked ? trip->core->asked : "the answer"));
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
    struct target *target = target_new(trip);

    if (!target)
        return SIPD_ENOMEM;
    target->is = (struct sipd_target){ .uri = trip->uri_text, .q = 1000 };
    target->uri = trip->uri;
    if (trip->has_flow) {
        target->is.hop = trip->flow;
        target->else_by_uri = leads_on(trip);
    }
    return add(trip, target, SPAN("the Request-URI"));
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

    if (trip->targets.next != trip->targets.prev && trip->server == 0 &&
        trip->core->conf->mode == CORE_STATELESS)
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
