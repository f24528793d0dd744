/*
 * The phones of the random calls: what reaches them finds its transaction, or begins one (RFC 3261 §17.1.3,
 * §17.2.3).
 */
#include "sim/ua.h"

#include "sip/uri.h"

struct hop
ua_hop(struct span text)
{
    struct hop hop = { .transport = HOP_UDP };
    struct span transport;
    struct uri uri;

    if (uri_read(text, &uri) != SIPD_OK || !hop_ip_read(uri.host, &hop))
        return hop;
    if (uri_param(&uri, SPAN("transport"), &transport))
        hop.transport = hop_transport_read(transport);
    hop.port = uri.port ? uri.port : 5060;
    return hop;
}

void
ua_put(struct ua *ua, const struct hop *to, struct span bytes)
{
    const struct sim_end *from = hop_is_reliable(to->transport) ? &ua->tcp : &ua->udp;

    if (!from->off && bytes.len > 0)
        world_send(&ua->calls->world, &from->at, to, bytes);
}

void
ua_send(struct ua *ua, struct call *call, const struct hop *to, struct span bytes)
{
    call->last_ms = ua->calls->world.clock.now_ms;
    if (odd(ua, call, 3))
        odd_send(ua, to, bytes);
    else
        ua_put(ua, to, bytes);
}

/* The INVITE whose 2xx this ACK is for; dialogs of a forked call differ by the tag of the other side only. */
static struct deal *
find_accepted(struct ua *ua, struct call *call, const struct gist *ack)
{
    list_each (node, after, &call->deals) {
        struct deal *deal = container_of(node, struct deal, link);

        if (deal->ua == ua && deal->kind == DEAL_IST && deal->state == DEAL_SUCCESS &&
            deal->cseq == ack->cseq && span_eq(deal->tag, ack->to_tag) &&
            (!deal->leg || span_eq(deal->leg->remote_tag, ack->from_tag)))
            return deal;
    }
    return NULL;
}

static void
hear_ack(struct ua *ua, struct call *call, const struct gist *gist)
{
    struct deal *invite = deal_find(ua, true, gist, METHOD_INVITE);

    if (!invite || invite->state == DEAL_SUCCESS)
        invite = find_accepted(ua, call, gist);
    if (!invite || invite->acked)
        return;
    deal_acked(invite);
    if (invite->leg && !invite->leg->confirmed && !invite->leg->over)
        leg_begin(invite->leg);
}

static void
hear_cancel(struct ua *ua, struct deal *deal, const struct gist *gist)
{
    struct deal *invite = deal_find(ua, true, gist, METHOD_INVITE);

    if (!odd(ua, deal->call, 20))
        deal_answer(deal, invite ? 200 : 481, (struct span){ NULL, 0 });
    else
        call_arm(deal->call, &deal->timeout, UA_GIVE_UP_MS, TIMER_TIMEOUT);
    if (invite && invite->state <= DEAL_PROCEEDING && !odd(ua, deal->call, 20))
        callee_cancelled(invite);
}

static void
hear_request(struct ua *ua, struct call *call, const struct hop *from, const struct msg *msg,
             const struct gist *gist)
{
    struct deal *deal;

    if (gist->method == METHOD_ACK) {
        hear_ack(ua, call, gist);
        return;
    }
    deal = deal_find(ua, true, gist, gist->method);
    if (deal) {
        deal_heard_again(deal);
        return;
    }
    deal = deal_serve(ua, call, from, msg, gist);
    if (gist->method == METHOD_CANCEL)
        hear_cancel(ua, deal, gist);
    else
        callee_asked(deal, msg, gist);
}

static void
hear_response(struct ua *ua, const struct msg *msg, const struct gist *gist)
{
    struct deal *deal = deal_find(ua, false, gist, gist->method);

    if (deal && deal_heard(deal, msg->status, gist))
        caller_heard(deal, msg, gist);
}

static void
hear(struct ua *ua, const struct hop *from, struct span bytes)
{
    struct calls *c = ua->calls;
    struct call *call;
    struct msg msg;
    struct gist gist;

    if (msg_read(bytes, &c->world.turn, &msg) != SIPD_OK)
        return;
    gist_read(&msg, &gist);
    call = call_find(c, gist.call_id);
    if (!call)
        return;
    call->last_ms = c->world.clock.now_ms;
    if (msg_is_request(&msg))
        hear_request(ua, call, from, &msg, &gist);
    else
        hear_response(ua, &msg, &gist);
}

void
ua_hear_udp(struct sim_end *end, const struct hop *from, struct span bytes)
{
    hear(container_of(end, struct ua, udp), from, bytes);
}

void
ua_hear_tcp(struct sim_end *end, const struct hop *from, struct span bytes)
{
    hear(container_of(end, struct ua, tcp), from, bytes);
}
