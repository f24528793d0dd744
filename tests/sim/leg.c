/*
 * Dialogs of the phones of the random calls: route sets, requests within them, and how they end (RFC 3261 §12,
 * §15).
 */
#include "sim/ua.h"
#include "sip/addr.h"
#include "sip/uri.h"

enum { ACTS_MAX = 2, TALK_MS = 4000, PATIENCE_MS = 60000 };

static struct leg *
leg_new(struct ua *ua, struct call *call)
{
    struct leg *leg = arena_zalloc(&call->arena, sizeof *leg);

    BUG_ON(!leg);
    leg->call = call;
    leg->ua = ua;
    timer_init(&leg->next);
    list_init(&leg->link);
    list_push(&call->legs, &leg->link);
    call->busy++;
    return leg;
}

void
leg_end(struct leg *leg)
{
    if (leg->over)
        return;
    leg->over = true;
    timers_disarm(&leg->call->calls->timers, &leg->next);
    leg->call->busy--;
    call_rests(leg->call);
}

struct leg *
leg_find(struct ua *ua, struct call *call, const struct gist *gist, bool is_request)
{
    struct span local = is_request ? gist->to_tag : gist->from_tag;
    struct span remote = is_request ? gist->from_tag : gist->to_tag;

    list_each (node, after, &call->legs) {
        struct leg *leg = container_of(node, struct leg, link);

        if (leg->ua == ua && span_eq(leg->local_tag, local) && span_eq(leg->remote_tag, remote))
            return leg;
    }
    return NULL;
}

void
leg_refresh(struct leg *leg, const struct msg *msg)
{
    struct span value;
    struct addr addr;

    if (msg_get(msg, HDR_CONTACT, &value) && addr_read(value, &addr) == SIPD_OK)
        leg->target = call_keep(leg->call, addr.uri);
}

/* §12.1.1: as they stand; §12.1.2: a caller's, the other way round. */
static void
take_routes(struct leg *leg, const struct msg *msg, bool reversed)
{
    const struct msg_field *field = NULL;
    unsigned n = 0;

    while ((field = msg_find(msg, HDR_RECORD_ROUTE, field))) {
        struct span rest = msg_value(msg, field);
        struct addr addr;

        while (n < ROUTES_MAX && addr_next(&rest, &addr) == SIPD_OK)
            leg->routes[n++] = call_keep(leg->call, addr.whole);
    }
    leg->routes_len = n;
    for (unsigned i = 0; reversed && i < n / 2; i++) {
        struct span kept = leg->routes[i];

        leg->routes[i] = leg->routes[n - 1 - i];
        leg->routes[n - 1 - i] = kept;
    }
}

void
leg_confirm(struct leg *leg, const struct msg *msg)
{
    leg_refresh(leg, msg);
    take_routes(leg, msg, true);
}

struct leg *
leg_of_caller(struct deal *deal, const struct msg *msg, const struct gist *gist)
{
    struct leg *leg = leg_find(deal->ua, deal->call, gist, false);

    if (leg)
        return leg;
    leg = leg_new(deal->ua, deal->call);
    leg->local = call_keep(deal->call, gist->from);
    leg->remote = call_keep(deal->call, gist->to);
    leg->local_tag = call_keep(deal->call, gist->from_tag);
    leg->remote_tag = call_keep(deal->call, gist->to_tag);
    leg->cseq = deal->cseq;
    leg_refresh(leg, msg);
    take_routes(leg, msg, true);
    return leg;
}

struct leg *
leg_of_callee(struct deal *deal, const struct msg *msg, const struct gist *gist)
{
    struct leg *leg = leg_new(deal->ua, deal->call);

    leg->local = call_text(deal->call, "%.*s;tag=%.*s", SPAN_ARG(gist->to), SPAN_ARG(deal->tag));
    leg->remote = call_keep(deal->call, gist->from);
    leg->local_tag = deal->tag;
    leg->remote_tag = call_keep(deal->call, gist->from_tag);
    leg->cseq = 100;
    leg_refresh(leg, msg);
    take_routes(leg, msg, false);
    return leg;
}

bool
leg_is_strict(const struct leg *leg)
{
    struct addr addr;
    struct uri uri;
    struct span lr;

    return leg->routes_len > 0 && addr_read(leg->routes[0], &addr) == SIPD_OK &&
           uri_read(addr.uri, &uri) == SIPD_OK && !uri_param(&uri, SPAN("lr"), &lr);
}

struct span
leg_request_uri(const struct leg *leg)
{
    struct addr addr;

    return leg_is_strict(leg) && addr_read(leg->routes[0], &addr) == SIPD_OK ? addr.uri
                                                                             : leg->target;
}

static struct hop
first_hop(const struct leg *leg)
{
    struct addr addr;

    if (leg->routes_len == 0 || addr_read(leg->routes[0], &addr) != SIPD_OK)
        return ua_hop(leg->target);
    return ua_hop(addr.uri);
}

struct deal *
leg_ask(struct leg *leg, enum method method, struct span method_text)
{
    struct hop to = first_hop(leg);
    struct ask ask = {
        .method = method,
        .method_text = method_text,
        .uri = leg->target,
        .from = leg->local,
        .to = leg->remote,
        .cseq = ++leg->cseq,
        .leg = leg,
    };

    return deal_ask(leg->ua, leg->call, leg, &ask, &to);
}

void
leg_ack(struct leg *leg, uint32_t cseq)
{
    struct ask ask = {
        .method = METHOD_ACK,
        .method_text = SPAN("ACK"),
        .uri = leg->target,
        .from = leg->local,
        .to = leg->remote,
        .cseq = cseq,
        .leg = leg,
    };

    if (leg->ack.len == 0 || leg->acked_cseq != cseq) {
        leg->ack_to = first_hop(leg);
        ask.transport = leg->ack_to.transport;
        ask.branch = call_text(leg->call, "z9hG4bK%.*s.%u", SPAN_ARG(leg->call->call_id),
                               ++leg->call->serial);
        leg->ack = say_request(leg->call, leg->ua, &ask);
        leg->acked_cseq = cseq;
    }
    if (!odd(leg->ua, leg->call, 5))
        ua_send(leg->ua, leg->call, &leg->ack_to, leg->ack);
}

/* ------------------------------------------------------------------ what is done within */

void
leg_hang_up(struct leg *leg, uint32_t after_ms)
{
    if (leg->over)
        return;
    leg->acts = 0;
    leg->hangs_up = true;
    call_arm(leg->call, &leg->next, after_ms, TIMER_LEG);
}

/* One INVITE at a time (§14.1). */
static bool
is_inviting(const struct leg *leg)
{
    list_each (node, after, &leg->call->deals) {
        const struct deal *deal = container_of(node, struct deal, link);

        if (deal->leg == leg && deal->kind == DEAL_ICT && deal->state <= DEAL_PROCEEDING)
            return true;
    }
    return false;
}

/* The next thing to do, or the end. */
static void
plan(struct leg *leg)
{
    struct calls *c = leg->call->calls;

    call_arm(leg->call, &leg->next, leg->acts > 0 || leg->hangs_up ? upto(c, TALK_MS) : PATIENCE_MS,
             TIMER_LEG);
}

void
leg_begin(struct leg *leg)
{
    struct calls *c = leg->call->calls;

    leg->confirmed = true;
    leg->acts = chance(c, 20) ? 1 + upto(c, ACTS_MAX) : 0;
    leg->hangs_up = chance(c, 60);
    plan(leg);
}

static void
act(struct leg *leg)
{
    static const struct {
        enum method id;
        struct span text;
    } methods[] = {
        { METHOD_INVITE, { "INVITE", 6 } }, { METHOD_INVITE, { "INVITE", 6 } },
        { METHOD_INFO, { "INFO", 4 } },     { METHOD_MESSAGE, { "MESSAGE", 7 } },
        { METHOD_UPDATE, { "UPDATE", 6 } }, { METHOD_OTHER, { "DANCE", 5 } },
    };
    struct calls *c = leg->call->calls;
    uint32_t n = upto(c, countof(methods) - 1);

    if (methods[n].id == METHOD_INVITE && is_inviting(leg))
        n = countof(methods) - 1;
    leg->acts--;
    leg_ask(leg, methods[n].id, methods[n].text);
    plan(leg);
}

void
leg_timer(struct leg *leg)
{
    if (leg->acts > 0)
        act(leg);
    else {
        leg_ask(leg, METHOD_BYE, SPAN("BYE"));
        if (odd(leg->ua, leg->call, 10))
            leg_ask(leg, METHOD_BYE, SPAN("BYE"));
        leg_end(leg);
    }
}
