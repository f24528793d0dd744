/*
 * Rows of bindings that expired leave the store in the background.
 *
 * A row goes only if it is still the one that expired: a REGISTER on its way through the store at the same time
 * has put a newer one there.
 */
#include "purge.h"

#include <sipd/module.h>

static size_t
collect(struct purge *purge)
{
    struct binding *b;
    size_t n = 0;

    while (n < PURGE_ROWS && (b = bindings_take_dead(purge->index))) {
        purge->dead[n] = b;
        purge->changes[n] = (struct store_change){
            .verb = STORE_PURGE,
            .row = { .aor = binding_aor(b),
                     .contact = binding_contact(b),
                     .instance = binding_instance(b),
                     .reg_id = b->reg_id,
                     .call_id = binding_call_id(b),
                     .cseq = b->cseq,
                     .expires_s = b->expires_s },
        };
        n++;
    }
    return n;
}

void
purge_written(struct purge *purge, int err)
{
    for (size_t i = 0; i < purge->write.len; i++)
        if (err)
            bindings_give_dead(purge->index, &purge->dead[i]);
        else
            binding_free(&purge->dead[i]);
    purge->under_way = false;
}

void
purge_step(struct purge *purge)
{
    int answer = STORE_NOW;

    for (int round = 0; round < PURGE_ROUNDS && answer == STORE_NOW && !purge->under_way; round++) {
        size_t len = collect(purge);

        if (len == 0)
            return;
        purge->write =
            (struct store_write){ .id = PURGE_ID, .changes = purge->changes, .len = len };
        purge->under_way = true;
        answer = purge->ops->write(purge->store, &purge->write);
        if (answer != STORE_LATER)
            purge_written(purge, answer);
    }
}
