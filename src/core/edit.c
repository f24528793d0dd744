/*
 * What modules wish for the forwarded request (RFC 3261 §16.6 step 5).
 */
#include "core/trip.h"

int
trip_add_edit(struct trip *trip, struct span name, struct span value, const struct msg_field *drop,
              uint64_t branch)
{
    struct edit *edit = arena_zalloc(&trip->arena, sizeof *edit);

    if (!edit)
        return SIPD_ENOMEM;
    edit->drop = drop;
    edit->branch = branch;
    edit->name = arena_copy(&trip->arena, name);
    edit->value = arena_copy(&trip->arena, value);
    if (!edit->name.at || !edit->value.at)
        return SIPD_ENOMEM;
    *trip->edits_end = edit;
    trip->edits_end = &edit->next;
    return SIPD_OK;
}
