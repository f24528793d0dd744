/*
 * ACK: absorbed when it is for an answer of ours or one we passed on hop by hop, forwarded when it is for a 2xx (RFC 3261
 * §16.7 last words, §17.2.1, RFC 6026 §7.1).
 */
#include "core/ack.h"

#include "core/check.h"
#include "core/refuse.h"
#include "core/trip.h"

void
ack_heard(struct core *core, const struct intake *in)
{
    struct txn *invite = txn_of(txns_find_by(&core->txns, &in->key));
    struct check_result bad;

    /* One with the branch of an INVITE that got a 2xx comes from a peer that made no new one: it is for the callee. */
    if (invite && invite->state != TXN_ACCEPTED)
        (void)txns_heard_again(&core->txns, invite, true);
    else if (refuse_is_acked(in) || !check_request(core, in, &bad))
        ++*core->count.dropped;
    else
        trip_begin(core, in);
}
