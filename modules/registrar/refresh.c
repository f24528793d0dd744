/*
 * A binding refreshed where it lies.
 */
#include "refresh.h"

static bool
is_same_way(const struct hop *a, const struct hop *b)
{
    return hop_eq(a, b) && a->scope_id == b->scope_id && a->listener == b->listener &&
           a->flow == b->flow && a->name == b->name;
}

/* What it is reached by follows from what is compared here, but for a proxy that came or went between it and us. */
static bool
is_reached_as_before(const struct binding *b, const struct job_ask *ask)
{
    return b->path_len > 0 || (b->reach == HOP_NONE) == ask->relayed;
}

static bool
is_said_again(const struct binding *b, const struct job_ask *ask, const struct rules_contact *want)
{
    return b->reg_id == want->reg_id && b->q == want->q && span_eq(binding_contact(b), want->uri) &&
           span_eq(binding_params(b), want->params) && span_eq(binding_path(b), ask->reg.path) &&
           span_eq(binding_call_id(b), ask->reg.call_id) &&
           span_eq(binding_agent(b), span_head(ask->user_agent, STORE_AGENT_BYTES)) &&
           is_same_way(&b->source, &ask->source) && is_reached_as_before(b, ask);
}

/* The only one that the rules might mean: another with an equal URI would have its hash. */
static struct binding *
find(const struct aor *aor, const struct job_ask *ask, uint64_t now_ms)
{
    const struct rules_contact *want = ask->reg.contacts;
    struct binding *b = aor->first;

    while (b && b->uri_hash != want->uri_hash)
        b = b->next;
    if (!b || b->deadline_ms <= now_ms || b->cseq >= ask->reg.cseq || !is_said_again(b, ask, want))
        return NULL;
    return b;
}

static bool
asks_for_one(const struct rules_register *reg)
{
    return reg->len == 1 && !reg->star && reg->contacts[0].expires_s > 0 &&
           !reg->contacts[0].any_flow;
}

bool
refresh_at_once(struct jobs *jobs, struct aor *aor, const struct job_ask *ask)
{
    uint64_t now_ms = jobs->port.now_ms(jobs->port.self);
    struct binding *b;
    uint64_t deadline_ms;
    uint32_t expires_s;

    if (!aor || !jobs_may_be_at_once(jobs, aor) || !asks_for_one(&ask->reg))
        return false;
    b = find(aor, ask, now_ms);
    if (!b)
        return false;
    expires_s = ask->reg.contacts[0].expires_s;
    deadline_ms = now_ms + (uint64_t)expires_s * 1000;
    bindings_refresh(jobs->index, aor, b,
                     &(struct binding_again){
                         .deadline_ms = deadline_ms,
                         .expires_s = jobs->port.steady_s(jobs->port.self, deadline_ms),
                         .granted_s = expires_s,
                         .cseq = ask->reg.cseq,
                     },
                     now_ms);
    return true;
}
