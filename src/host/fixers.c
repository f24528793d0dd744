/*
 * Header fields that modules look after (RFC 3261 §7.3.1; sipd_offer_fixer).
 */
#include "base/mem.h"
#include "core/fixer.h"
#include "host/state.h"

struct offered {
    struct list link;
    const struct sipd_host *owner;
    char *name; /* owned */
    struct fixer is;
};

static void
offered_free(struct host *host, struct offered *offered)
{
    fixers_remove(host->fixers, &offered->is);
    list_remove(&offered->link);
    mem_free(offered->name);
    mem_free(offered);
}

int
sipd_offer_fixer(struct sipd_host *host, struct span name, sipd_fixer_fn *fn, void *self)
{
    struct offered *offered = mem_new(sizeof *offered);
    int err;

    if (!offered)
        return SIPD_ENOMEM;
    offered->owner = host;
    offered->name = mem_copy(name);
    offered->is = (struct fixer){ .name = { offered->name, name.len }, .fn = fn, .self = self };
    list_init(&offered->is.link);
    list_push(&host->host->fixers_offered, &offered->link);
    err = offered->name ? fixers_add(host->host->fixers, &offered->is) : SIPD_ENOMEM;
    if (err == SIPD_EEXIST)
        sipd_complain(host, "another module looks after %.*s", SPAN_ARG(name));
    if (err != SIPD_OK)
        offered_free(host->host, offered);
    return err;
}

void
fixers_forget(struct host *host, const struct sipd_host *owner)
{
    list_each (node, after, &host->fixers_offered) {
        struct offered *offered = container_of(node, struct offered, link);

        if (offered->owner == owner)
            offered_free(host, offered);
    }
}
