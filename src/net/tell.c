/*
 * What must be told to whoever sent: kept until the turn's end.
 */
#include "net/tell.h"

#include "base/mem.h"
#include "net/state.h"

void
tell_take(struct net *net, struct telling *telling, int err)
{
    telling->err = err;
    list_push(&net->tellings, &telling->link);
}

void
tell(struct net *net, uint64_t token, int err)
{
    struct telling *telling;

    if (token == 0)
        return;
    telling = mem_new(sizeof *telling);
    if (!telling) {
        ++*net->count.untold;
        return;
    }
    telling->token = token;
    tell_take(net, telling, err);
}

void
tell_all(struct net *net)
{
    struct list now;

    list_init(&now);
    list_join(&now, &net->tellings);
    for (struct list *node; (node = list_shift(&now));) {
        struct telling *telling = container_of(node, struct telling, link);

        if (telling->token != 0)
            net->ports->gone(net->ports->io, telling->token, telling->err);
        mem_free(telling);
    }
}

void
tell_fini(struct net *net)
{
    for (struct list *node; (node = list_shift(&net->tellings));)
        mem_free(container_of(node, struct telling, link));
}
