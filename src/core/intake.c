/*
 * A message enters: indexed, its source noted, then matched to what is known of it (RFC 3261 §16.3, §17.2.3, §18.2.1).
 */
#include "core/intake.h"

#include "core/ack.h"
#include "core/again.h"
#include "core/answer.h"
#include "core/cancel.h"
#include "core/check.h"
#include "core/explain.h"
#include "core/refuse.h"
#include "core/state.h"
#include "core/trip.h"
#include "sip/param.h"

/* Does the Via's sent-by name the address that the request came from (§18.2.1)? text: that address as we would write it. */
static bool
sent_by_is_source(const struct via *via, const struct hop *from, struct span text)
{
    struct hop said;

    if (span_eq(via->host, text))
        return true;
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

/* listen.rport */
static uint8_t
rport_rule(const struct core *core, const struct hop *from)
{
    struct core_side side;

    return core->ports.side(core->ports.io, from->listener, &side) ? side.rport : 0;
}

static bool
wants_rport(const struct core *core, const struct intake *in, bool same)
{
    const struct via *via = &in->gist->via;
    uint8_t listener_rule;

    if (via->has_rport || needs_rport(core, in->from))
        return true;
    listener_rule = rport_rule(core, in->from);
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
    struct hop maddr;
    bool to_group;

    in->reply_to = *in->from;
    if (hop_is_reliable(in->from->transport))
        return;
    to_group = via->maddr.len > 0 && hop_ip_read(via->maddr, &maddr) && hop_is_multicast(&maddr);
    if (to_group)
        memcpy(in->reply_to.ip, maddr.ip, sizeof maddr.ip);
    if (to_group || !rport)
        in->reply_to.port = sent_by_port(via, in->from->transport);
}

/* RFC 5923 §4. */
static void
find_alias(const struct core *core, const struct intake *in)
{
    const struct via *via = &in->gist->via;
    struct span value;

    if (core->ports.alias && hop_is_reliable(in->from->transport) &&
        param_find(via->params, SPAN("alias"), &value))
        core->ports.alias(core->ports.io, in->from, sent_by_port(via, in->from->transport));
}

void
intake_stamp(struct core *core, struct intake *in)
{
    const struct via *via = &in->gist->via;
    char room[HOP_TEXT_BYTES];
    struct span text = hop_ip_write(in->from, room);
    bool same = sent_by_is_source(via, in->from, text);
    bool rport = wants_rport(core, in, same);

    in->natted = !same || (!hop_is_reliable(in->from->transport) &&
                           sent_by_port(via, in->from->transport) != in->from->port);
    in->received = !same || via->received.len > 0 || rport
                       ? arena_copy(in->room ? in->room : core->ports.turn, text)
                       : SPAN("");
    in->rport = rport ? in->from->port : 0;
    find_way_back(in, rport);
    if (in->dry == 0)
        find_alias(core, in);
}

/* More than its source may send: refused before anything is done for it, or not heard at all (limits.flood). */
static bool
is_flood(struct core *core, const struct intake *in)
{
    struct span none = { NULL, 0 };

    if (in->gist->method == METHOD_ACK || in->gist->method == METHOD_CANCEL ||
        !flood_refuses(core, in->from, in->gist))
        return false;
    EXPLAIN(core, .step = STEP_REFUSED, .gist = in->gist, .who = SPAN("limits.flood"),
            .status = 503, .why = core->conf->flood.drops ? SPAN("dropped") : SPAN(""));
    if (core->conf->flood.drops)
        ++*core->count.dropped;
    else
        refuse(core, in, 503, none, refuse_retry_after(core));
    return true;
}

static void
new_request(struct core *core, const struct intake *in)
{
    struct check_result bad;

    ++*core->count.requests;
    if (is_flood(core, in))
        return;
    if (check_request(core, in, &bad))
        trip_begin(core, in);
    else
        refuse(core, in, bad.status, bad.phrase, bad.headers);
}

void
intake_look(struct core *core, struct intake *in)
{
    intake_stamp(core, in);
    in->uri_err = uri_read(msg_span(in->msg, in->msg->uri), in->uri);
    mark_begin(core, in->gist, in->mark);
}

static void
request(struct core *core, struct intake *in)
{
    struct txn_entry *entry;

    if (!in->gist->answerable) {
        ++*core->count.dropped;
        return;
    }
    in->key = txns_key(&core->txns, in->gist); /* looked for later: it may lie in far memory */
    intake_look(core, in);
    if (in->gist->method != METHOD_ACK && (entry = txns_find_by(&core->txns, &in->key)) &&
        again_heard(core, entry, in))
        return;
    if (in->gist->method == METHOD_ACK)
        ack_heard(core, in);
    else if (in->gist->method == METHOD_CANCEL && in->gist->fault == 0)
        cancel_heard(core, in);
    else
        new_request(core, in);
}

/* On a stream nothing else says where a message ends (§20.14). By the quick no alone, as the reader's own notes. */
static bool
lacks_length(const struct hop *from, const struct msg *msg)
{
    return hop_is_reliable(from->transport) && !(msg->present >> HDR_CONTENT_LENGTH & 1);
}

/* A fault that is there already is refused whatever else is wrong. */
static bool
is_odd(const struct core *core, const struct hop *from, const struct msg *msg, struct gist *gist)
{
    if (lacks_length(from, msg))
        gist->odd |= deviation_bit(DEV_NO_LENGTH);
    if (gist->fault != 0)
        return false;
    if (fixers_find(&core->fixers, from, msg, gist))
        gist->odd |= deviation_bit(DEV_FIXER);
    return gist->odd != 0;
}

/* What holds for messages from there; each rule's own verdict if nobody can tell. */
static const struct repair_policy *
policy_for(const struct core *core, const struct hop *from, struct repair_policy *normal)
{
    const struct repair_policy *policy =
        core->ports.repair ? core->ports.repair(core->ports.io, from) : NULL;

    if (policy)
        return policy;
    repair_policy_default(normal);
    return normal;
}

/* Something is against the grammar: left, mended or refused, and on record, but for a dry run. Out of memory: refused, for it may not pass. */
APART static void
repair_message(struct core *core, const struct hop *from, uint64_t dry, struct msg *msg,
               struct gist *gist)
{
    struct repair_policy normal;
    const struct repair_policy *policy = policy_for(core, from, &normal);
    struct fixing fixing = { .fixers = &core->fixers, .from = from };
    struct repair_done done;

    if (repair(policy, fixers_mend, &fixing, &core->repair_work, core->ports.turn, msg, gist,
               &done) != SIPD_OK) {
        gist->fault = 503;
        gist->fault_reason = "Service Unavailable";
        return;
    }
    if (done.rejected & deviation_bit(DEV_FIXER))
        gist->fault_reason = fixers_phrase(&core->fixers, from, msg, gist, core->ports.turn);
    if (dry == 0)
        repairs_add(&core->repairs, from, gist, &done);
    if (EXPLAIN_ON(core))
        explain_repairs(core, gist, dry, &done);
}

/* Does the policy for messages from there refuse any of these? */
APART static bool
rejects(const struct core *core, const struct hop *from, uint64_t odd)
{
    struct repair_policy normal;

    return repair_rejects(policy_for(core, from, &normal), odd);
}

/*
 * Was it refused, be it for something else, with a head that another might end elsewhere, or give another length (§18.3)? What
 * the policy accepts or mends has an end.
 */
static bool
is_end_in_doubt(const struct core *core, const struct hop *from, const struct gist *gist)
{
    return gist->fault != 0 && (gist->odd & DEVIATIONS_OF_END) != 0 &&
           rejects(core, from, gist->odd & DEVIATIONS_OF_END);
}

/* The same of one of which nothing else is looked at: all that counts is a deviation of its lines. */
static bool
are_lines_in_doubt(const struct core *core, const struct hop *from, const struct msg *msg)
{
    uint64_t odd = msg->odd | (lacks_length(from, msg) ? deviation_bit(DEV_NO_LENGTH) : 0);

    odd &= DEVIATIONS_OF_END;
    return odd != 0 && rejects(core, from, odd);
}

/* False: it was refused for what leaves in doubt where it ends. */
static bool
heard(struct core *core, struct intake *in, struct span bytes, uint16_t fault,
      const char *fault_reason)
{
    struct msg *msg = in->msg;
    struct gist *gist = in->gist;
    int err = msg_read(bytes, in->room ? in->room : core->ports.turn, msg);
    bool ends;

    if (err == SIPD_ENOMEM && in->room) {
        in->room = NULL;
        err = msg_read(bytes, core->ports.turn, msg);
    }
    if (err != SIPD_OK) { /* a response without a status code is nobody's, but it has an end */
        ++*core->count.dropped;
        return err != SIPD_ESYNTAX || !are_lines_in_doubt(core, in->from, msg);
    }
    if (!hop_is_reliable(in->from->transport))
        msg_trim(msg);
    gist_read(msg, gist);
    if (fault !=
        0) { /* first: of a message that is too long the body is not here, and gist misses it */
        gist->fault = fault;
        gist->fault_reason = fault_reason;
    }
    if (EXPLAIN_ON(core))
        explain_heard(core, in->from, msg, gist);
    if (is_odd(core, in->from, msg, gist))
        repair_message(core, in->from, 0, msg, gist);
    if (msg->bytes != bytes.at)
        in->room = NULL;                           /* mended in the turn's memory */
    ends = !is_end_in_doubt(core, in->from, gist); /* what was read may end with its trip */
    if (msg_is_request(msg))
        request(core, in);
    else
        answer_heard(core, in);
    return ends;
}

/* "SIP/2.0 …" is none; what else begins so, like "AB /x SIP/2.0", is read where it came. */
static bool
may_be_request(struct span bytes)
{
    return bytes.len > 3 && bytes.at[3] != '/';
}

/*
 * A request is copied before it is read, to memory that its trip may take, and what is read of it goes to that trip's place: so
 * nothing that was read needs to be moved. What has no room there is read where it came.
 */
bool
core_bytes(struct core *core, const struct hop *from, struct span bytes, uint16_t fault,
           const char *fault_reason)
{
    struct intake in; /* not zeroed: it is large, and each takes what it needs */
    struct arena room;
    struct span copy;
    struct msg msg;
    struct gist gist;
    struct uri uri;
    struct mark mark;
    bool ends;

    in.msg = &msg;
    in.gist = &gist;
    in.uri = &uri;
    in.mark = &mark;
    in.from = from;
    in.room = NULL;
    in.dry = 0;
    if (!may_be_request(bytes))
        return heard(core, &in, bytes, fault, fault_reason);
    trip_coming(core, &in);
    trip_room(core, &room, bytes.len);
    copy = arena_copy(&room, bytes);
    if (copy.at)
        in.room = &room;
    ends = heard(core, &in, copy.at ? copy : bytes, fault, fault_reason);
    arena_fini(&room);
    return ends;
}

bool
core_doubts(const struct core *core, const struct hop *from, struct span bytes)
{
    struct msg msg;
    int err = msg_read(bytes, core->ports.turn, &msg);

    return (err == SIPD_OK || err == SIPD_ESYNTAX) && are_lines_in_doubt(core, from, &msg);
}

int
intake_read(struct core *core, const struct hop *from, struct span bytes, uint64_t dry,
            struct msg *msg, struct gist *gist)
{
    int err = msg_read(bytes, core->ports.turn, msg);

    if (err != SIPD_OK)
        return err;
    if (!hop_is_reliable(from->transport))
        msg_trim(msg);
    gist_read(msg, gist);
    if (is_odd(core, from, msg, gist))
        repair_message(core, from, dry, msg, gist);
    return SIPD_OK;
}
