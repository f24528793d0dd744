/*
 * Hooks, stage by stage, in the order of their numbers; wait and resume by id.
 */
#include "core/chain.h"

#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "core/explain.h"

void
chain_init(struct chain *chain)
{
    memset(chain, 0, sizeof *chain);
}

void
chain_fini(struct chain *chain)
{
    for (int stage = 0; stage < CHAIN_STAGES; stage++)
        mem_free(chain->stages[stage]);
    chain_init(chain);
}

int
chain_add(struct chain *chain, enum sipd_stage stage, const struct chain_hook *hook)
{
    uint16_t len = chain->len[stage];
    uint16_t at = 0;
    struct chain_hook *hooks;

    while (at < len && chain->stages[stage][at].order < hook->order)
        at++;
    if (at < len && chain->stages[stage][at].order == hook->order)
        return SIPD_EEXIST;
    hooks = mem_grow(chain->stages[stage], (len + 1u) * sizeof *hooks);
    if (!hooks)
        return SIPD_ENOMEM;
    memmove(&hooks[at + 1], &hooks[at], (size_t)(len - at) * sizeof *hooks);
    hooks[at] = *hook;
    chain->stages[stage] = hooks;
    chain->len[stage]++;
    return SIPD_OK;
}

void
chain_remove(struct chain *chain, const void *owner)
{
    for (int stage = 0; stage < CHAIN_STAGES; stage++) {
        uint16_t kept = 0;

        for (uint16_t i = 0; i < chain->len[stage]; i++)
            if (chain->stages[stage][i].owner != owner)
                chain->stages[stage][kept++] = chain->stages[stage][i];
        chain->len[stage] = kept;
    }
}

COLD APART static void
explain_verdict(const struct sipd_req *req, const struct chain_hook *hook,
                enum sipd_verdict verdict)
{
    static const char *const words[] = {
        [SIPD_PASS] = "passes it on",
        [SIPD_DONE] = "has done it",
        [SIPD_WAIT] = "lets it wait",
        [SIPD_FAIL] = "failed",
    };
    struct explain_event event = {
        .step = STEP_HOOK,
        .who = span_of(hook->name),
        .why = span_of(chain_stage_name(req->stage)),
        .line = span_of(words[verdict]),
    };

    if (req->branch)
        explain_branch(req->branch, event);
    else
        explain_trip(req->trip, event);
}

enum sipd_verdict
chain_ask_them(const struct chain *chain, struct sipd_req *req, enum sipd_stage stage, uint16_t *at)
{
    req->stage = stage;
    for (; *at < chain->len[stage]; ++*at) {
        const struct chain_hook *hook = &chain->stages[stage][*at];
        enum sipd_verdict verdict;

        req->core->asked = hook->name;
        verdict = hook->fn(req, hook->self);
        if (EXPLAIN_ON(req->core))
            explain_verdict(req, hook, verdict);
        if (verdict != SIPD_PASS)
            return verdict;
    }
    return SIPD_PASS;
}

const char *
chain_stage_name(enum sipd_stage stage)
{
    static const char *const names[CHAIN_STAGES] = {
        "ON_REQUEST", "ON_TARGETS", "ON_BRANCH", "ON_RESPONSE", "ON_REPLY", "SCHEME",
    };

    return names[stage];
}
