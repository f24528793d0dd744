/*
 * Recursion: a callee's 3xx names other places, and we try them ourselves (RFC 3261 §16.7 step 4, §8.1.3.4).
 */
#include "core/recurse.h"

#include "core/state.h"
#include "sip/addr.h"

/*
 * §16.5: no target twice, so a redirection in a circle comes to its end; a sips resource stays one, and no other becomes one
 * (RFC 5630 §5.3).
 */
static bool
add_contact(struct trip *trip, const struct addr *addr)
{
    struct sipd_target target = { .uri = addr->uri, .q = 1000 };
    uint32_t before = trip->targets_len;
    struct span q;
    struct uri uri;

    if (uri_read(addr->uri, &uri) != SIPD_OK || uri.scheme != trip->uri.scheme)
        return false;
    if (param_find(addr->params, SPAN("q"), &q))
        (void)addr_q_read(q, &target.q);
    return trip_add_target(trip, &target) == SIPD_OK && trip->targets_len > before;
}

/*
 * Only for what we are responsible for may we add targets (§16.5), and the Contact of a 305 is a proxy, that of a 380 another
 * service (§21.3.4, §21.3.5).
 */
static bool
may_recurse(const struct trip *trip, unsigned status)
{
    return trip->core->conf->recurse && trip->for_us && trip->state == TRIP_FORKING &&
           !trip->cancelled && !trip->declined && status <= 302;
}

bool
recurse(struct trip *trip, const struct msg *msg)
{
    const struct msg_field *field = NULL;
    bool any = false;

    if (!may_recurse(trip, msg->status))
        return false;
    while ((field = msg_find(msg, HDR_CONTACT, field))) {
        struct span rest = msg_value(msg, field);
        struct addr addr;

        while (addr_next(&rest, &addr) == SIPD_OK)
            any |= add_contact(trip, &addr);
    }
    return any;
}
