/*
 * Max-Breadth: how many branches a request may have at once, all proxies together (RFC 5393 §5).
 */
#include "core/breadth.h"

#include "core/state.h"

uint32_t
breadth_read(const struct trip *trip)
{
    uint32_t most = trip->core->conf->max_breadth, breadth;
    struct span value;

    if (!msg_may_have(&trip->msg, HDR_MAX_BREADTH) ||
        !msg_get(&trip->msg, HDR_MAX_BREADTH, &value) || !span_u32(value, UINT32_MAX, &breadth) ||
        breadth > most)
        return most;
    return breadth;
}

uint32_t
breadth_share(const struct trip *trip, uint32_t n, uint32_t of)
{
    if (of == 1)
        return trip->breadth;
    return trip->breadth / of + (n < trip->breadth % of);
}

void
breadth_write(const struct branch *branch, struct draft *draft)
{
    draft_set_number(draft, HDR_MAX_BREADTH, branch->breadth);
}
