/*
 * Who knows which users: each module that keeps some is asked in turn.
 */
#include "base/mem.h"
#include "host/state.h"

struct users {
    struct list link;
    const struct sipd_host *owner;
    sipd_users_fn *fn;
    void *self;
};

int
sipd_offer_users(struct sipd_host *host, sipd_users_fn *fn, void *self)
{
    struct users *users = mem_new(sizeof *users);

    if (!users)
        return SIPD_ENOMEM;
    *users = (struct users){ .owner = host, .fn = fn, .self = self };
    list_push(&host->host->users, &users->link);
    return SIPD_OK;
}

bool
host_knows(const struct host *host, struct span aor)
{
    for (const struct list *node = host->users.next; node != &host->users; node = node->next) {
        const struct users *users = container_of_const(node, struct users, link);

        if (users->fn(users->self, aor))
            return true;
    }
    return false;
}

void
users_forget(struct host *host, const struct sipd_host *owner)
{
    list_each (node, after, &host->users) {
        struct users *users = container_of(node, struct users, link);

        if (users->owner != owner)
            continue;
        list_remove(&users->link);
        mem_free(users);
    }
}
