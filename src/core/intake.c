/*
 * A message enters: indexed, its source noted, then matched to what is known of it (RFC 3261 §16.3, §17.2.3, §18.2.1).
 */
#include "core/intake.h"

#include "core/ack.h"
#include "core/answer.h"
#include "core/cancel.h"
#include "core/check.h"
#include "core/refuse.h"
#include "core/trip.h"

/* Does the Via's sent-by name the address that the request came from (§18.2.1)? */
static bool
sent_by_is_source(const struct via *via, const struct hop *from)
{
    struct hop said = *from;

    return hop_ip_read(via->host, &said) && memcmp(said.ip, from->ip, sizeof said.ip) == 0;
}

static uint16_t
sent_by_port(const struct via *via, uint8_t transport)
{
    return via->port ? via->port : hop_default_port(transport);
}

/* sent-by is a private address, and not the source: a NAT stands between (listen.rport "private"). */
static bool
sent_by_is_private(const struct via *via)
{
    struct hop said = { .port = 0 };

    return hop_ip_read(via->host, &said) && hop_is_private(&said);
}

/* Without a transaction only the Via knows which connection a response goes back on. */
static bool
needs_rport(const struct core *core, const struct hop *from)
{
    return hop_is_reliable(from->transport) &&
           (core->conf->mode == CORE_STATELESS || core->conf->stray == CORE_STRAY_VERIFIED);
}

static bool
wants_rport(const struct via *via, uint8_t listener_rule, bool same)
{
    if (via->has_rport)
        return true;
    return listener_rule == 2 || (listener_rule == 1 && !same && sent_by_is_private(via));
}

/*
 * §18.2.2 and RFC 3581 §4: a connection's responses go back on it; over UDP maddr, then the source. A maddr that is no group
 * would let anybody have our answers sent to whom he likes, so it is passed over.
 */
static void
find_way_back(struct intake *in, bool rport)
{
    const struct via *via = &in->gist->via;
    struct hop maddr = *in->from;

    in->reply_to = *in->from;
    if (hop_is_reliable(in->from->transport))
        return;
    if (!rport)
        in->reply_to.port = sent_by_port(via, in->from->transport);
    if (via->maddr.len > 0 && hop_ip_read(via->maddr, &maddr) && hop_is_multicast(&maddr)) {
        in->reply_to = maddr;
        in->reply_to.port = sent_by_port(via, in->from->transport);
    }
}

void
intake_stamp(struct core *core, struct intake *in)
{
    const struct via *via = &in->gist->via;
    bool same = sent_by_is_source(via, in->from);
    struct core_side side;
    char text[HOP_TEXT_BYTES];
    bool rport;

    rport = wants_rport(
                via, core->ports.side(core->ports.io, in->from->listener, &side) ? side.rport : 0,
                same) ||
            needs_rport(core, in->from);
    in->natted = !same || (!hop_is_reliable(in->from->transport) &&
                           sent_by_port(via, in->from->transport) != in->from->port);
    if (!same || via->received.len > 0 || rport)
        in->received = arena_copy(core->ports.turn, hop_ip_write(in->from, text));
    if (rport)
        in->rport = in->from->port;
    find_way_back(in, rport);
}

/* The request came again: its transaction says its last word again, or we say that we are at an INVITE (§17.2.1). */
static void
heard_again(struct core *core, struct txn *txn)
{
    bool is_invite = txn->kind == TXN_IST;
    uint64_t trip = txn->owner;

    if (txns_heard_again(&core->txns, txn, false) == TXN_UNHEARD && is_invite)
        trip_trying(core, trip);
}

static void
new_request(struct core *core, const struct intake *in)
{
    struct check_result bad;

    ++*core->count.requests;
    if (check_request(core, in, &bad))
        trip_begin(core, in);
    else
        refuse(core, in, bad.status, bad.phrase, bad.headers);
}

static void
request(struct core *core, struct intake *in)
{
    struct txn *txn;

    if (!in->gist->answerable) {
        ++*core->count.dropped;
        return;
    }
    intake_stamp(core, in);
    if (in->gist->method == METHOD_ACK) {
        ack_heard(core, in);
        return;
    }
    txn = txns_find_server(&core->txns, in->gist);
    if (txn)
        heard_again(core, txn);
    else if (in->gist->method == METHOD_CANCEL && in->gist->fault == 0)
        cancel_heard(core, in);
    else
        new_request(core, in);
}

void
core_bytes(struct core *core, const struct hop *from, struct span bytes, uint16_t fault,
           const char *fault_reason)
{
    struct intake in = { .from = from };
    struct msg msg;
    struct gist gist;

    if (msg_read(bytes, core->ports.turn, &msg) != SIPD_OK) {
        ++*core->count.dropped;
        return;
    }
    gist_read(&msg, &gist);
    if (fault !=
        0) { /* first: of a message that is too long the body is not here, and gist misses it */
        gist.fault = fault;
        gist.fault_reason = fault_reason;
    }
    in.msg = &msg;
    in.gist = &gist;
    if (msg_is_request(&msg))
        request(core, &in);
    else
        answer_heard(core, &in);
}
