/*
 * Recursion: a callee's 3xx names other places, and we try them ourselves (RFC 3261 §16.7 step 4, §8.1.3.4).
 */
#include "core/recurse.h"

#include "core/explain.h"
#include "core/state.h"
#include "sip/addr.h"

/*
 * Is this Contact a target, now or before? §16.5: no target twice, so a redirection in a circle comes to its end; a sips
 * resource stays one, and no other becomes one (RFC 5630 §5.3).
 */
static bool
is_tried(struct trip *trip, const struct addr *addr)
{
    struct sipd_target target = { .uri = addr->uri, .q = 1000 };
    struct span q;
    struct uri uri;

    if (uri_read(addr->uri, &uri) != SIPD_OK || uri.scheme != trip->uri.scheme)
        return false;
    if (param_find(addr->params, SPAN("q"), &q))
        (void)addr_q_read(q, &target.q);
    trip->core->asked = "a redirection";
    return trip_add_target(trip, &target) == SIPD_OK;
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

static void
keep(struct buf *b, struct span contact)
{
    buf_put(b, b->len > 0 ? SPAN(", ") : (struct span){ NULL, 0 });
    buf_put(b, contact);
}

/* One field: what of it is tried goes out of the draft. False: all of it is gone. */
static bool
follow(struct trip *trip, const struct msg_field *field, struct draft *draft)
{
    struct buf *left = &trip->core->scratch;
    struct span rest = msg_value(draft->msg, field);
    bool any = false;
    struct addr addr;

    buf_clear(left);
    while (addr_next(&rest, &addr) == SIPD_OK)
        if (is_tried(trip, &addr))
            any = true;
        else
            keep(left, addr.whole);
    if (span_trim(rest).len > 0)
        keep(left, span_trim(rest)); /* what could not be read */
    if (left->err)                   /* then all of it stays */
        return true;
    if (any && left->len > 0)
        draft_set_value(draft, field, buf_span(left));
    else if (any)
        draft_drop_field(draft, field);
    return left->len > 0;
}

bool
recurse(struct trip *trip, const struct msg *msg, struct span *left)
{
    struct arena *turn = trip->core->ports.turn;
    const struct msg_field *field = NULL;
    uint32_t before = trip->targets_len;
    bool any_left = false;
    struct draft draft;

    *left = (struct span){ NULL, 0 };
    if (!may_recurse(trip, msg->status))
        return false;
    draft_init(&draft, msg, turn);
    while ((field = msg_find(msg, HDR_CONTACT, field)))
        any_left |= follow(trip, field, &draft);
    if (trip->targets_len == before)
        return false;
    EXPLAIN_TRIP(trip, .step = STEP_RECURSE, .count = trip->targets_len - before);
    if (any_left && draft_render(&draft, turn, left) != SIPD_OK)
        *left = (struct span){ NULL, 0 };
    return true;
}
