/*
 * Hooks, stage by stage, in the order of their numbers; wait and resume by id.
 */
#ifndef CORE_CHAIN_H
#define CORE_CHAIN_H

#include <sipd/module.h>

#include "base/def.h"

struct core;
struct trip;
struct branch;
struct gist;

struct sipd_req { /* what a hook has in its hand */
    struct core *core;
    struct trip *trip;
    struct branch *branch; /* ON_BRANCH, ON_RESPONSE; else NULL */
    enum sipd_stage stage;
    uint16_t status; /* ON_RESPONSE, ON_REPLY; else 0 */
    bool answered;   /* the hook sent a final response */
};

/* One stage more, which no module hooks by itself: the schemes that modules offered (core/scheme.h). */
#define CHAIN_SCHEME SIPD_STAGES
enum { CHAIN_STAGES = SIPD_STAGES + 1 };

struct chain_hook {
    int order;
    sipd_hook_fn *fn;
    void *self;
    const void *owner; /* whose it is, for chain_remove */
    const char *name;  /* of the owner, for lists; lent as long as it is linked */
};

struct chain {
    struct chain_hook *stages[CHAIN_STAGES]; /* owned, by rising order */
    uint16_t len[CHAIN_STAGES];
};

void chain_init(struct chain *chain);
void chain_fini(struct chain *chain);
/* SIPD_EEXIST: another hook has this order at this stage. SIPD_ENOMEM. */
int chain_add(struct chain *chain, enum sipd_stage stage, const struct chain_hook *hook) MUST_USE;
/* Takes out every hook of this owner. */
void chain_remove(struct chain *chain, const void *owner);
/* As chain_ask(), where there is one to ask. */
enum sipd_verdict chain_ask_them(const struct chain *chain, struct sipd_req *req,
                                 enum sipd_stage stage, uint16_t *at);
/*
 * Asks the hooks of a stage from *at on (0 at first). SIPD_PASS when all passed; else the verdict of the one that spoke,
 * and *at is its place, so that a waiting one is asked again on resume.
 */
static inline enum sipd_verdict
chain_ask(const struct chain *chain, struct sipd_req *req, enum sipd_stage stage, uint16_t *at)
{
    return *at < chain->len[stage] ? chain_ask_them(chain, req, stage, at) : SIPD_PASS;
}
/* Does anybody hook there? */
static inline bool
chain_has(const struct chain *chain, enum sipd_stage stage)
{
    return chain->len[stage] > 0;
}
/* "ON_REQUEST" … for lists. */
const char *chain_stage_name(enum sipd_stage stage);

#endif
