/*
 * What those do who begin the random calls (RFC 3261 §8.1, §9.1, §10.2, §13.2).
 */
#include "sim/strict.h"
#include "sim/ua.h"

enum { CANCEL_MS = 8000, RACE_MS = 20 };

static const struct span none;

static struct hop
server_of(struct calls *c, const struct ua *ua)
{
    bool other = !c->world.standbys && chance(c, 5);
    bool tcp = (ua->transport == HOP_TCP) != other;
    struct hop to = ua->sipd->listeners[tcp].at;

    to.listener = 0;
    return to;
}

static struct ask
begin(struct call *call, const struct ua *ua, struct span uri)
{
    return (struct ask){
        .uri = uri,
        .from = call_text(call, "<sip:%.*s@%.*s>;tag=%.*s-%u", SPAN_ARG(ua->name),
                          SPAN_ARG(ua->domain), SPAN_ARG(ua->name), ++call->serial),
        .to = call_text(call, "<%.*s>", SPAN_ARG(uri)),
        .cseq = 1 + upto(call->calls, 100),
    };
}

static struct span
any_user(struct calls *c)
{
    return c->users[upto(c, c->users_len - 1)];
}

/* By way of a strict router behind its own sipd; one that does not relay for all would refuse it. */
static struct span
any_routes(struct call *call, const struct ua *ua)
{
    struct calls *c = call->calls;
    char at[HOP_TEXT_BYTES];

    if (!c->strict || ua->sipd->conf.relay != CORE_RELAY_ANY || !chance(c, 25))
        return none;
    return call_text(call, "Route: <sip:%.*s;lr>, <sip:%.*s>\r\n",
                     SPAN_ARG(hop_write(&ua->sipd->listeners[0].at, at)),
                     SPAN_ARG(strict_address(c->strict)));
}

static void
call(struct call *call, struct ua *ua)
{
    struct calls *c = call->calls;
    struct ask ask = begin(call, ua, any_user(c));
    struct hop to = server_of(c, ua);
    struct deal *deal;

    ask.method = METHOD_INVITE;
    ask.method_text = SPAN("INVITE");
    ask.routes = any_routes(call, ua);
    if (odd(ua, call, 5))
        ask.max_forwards = 1 + upto(c, 6);
    deal = deal_ask(ua, call, NULL, &ask, &to);
    if (chance(c, 20))
        call_arm(call, &deal->next, upto(c, chance(c, 50) ? CANCEL_MS : RACE_MS), TIMER_NEXT);
}

static void
ask_once(struct call *call, struct ua *ua)
{
    static const struct {
        enum method id;
        struct span text;
    } methods[] = {
        { METHOD_MESSAGE, { "MESSAGE", 7 } }, { METHOD_OPTIONS, { "OPTIONS", 7 } },
        { METHOD_INFO, { "INFO", 4 } },       { METHOD_SUBSCRIBE, { "SUBSCRIBE", 9 } },
        { METHOD_PUBLISH, { "PUBLISH", 7 } }, { METHOD_OTHER, { "DANCE", 5 } },
    };
    struct calls *c = call->calls;
    uint32_t n = upto(c, countof(methods) - 1);
    bool to_server = methods[n].id == METHOD_OPTIONS && chance(c, 20);
    struct ask ask = begin(
        call, ua, to_server ? call_text(call, "sip:%.*s", SPAN_ARG(ua->domain)) : any_user(c));
    struct hop to = server_of(c, ua);

    ask.method = methods[n].id;
    ask.method_text = methods[n].text;
    if (!to_server)
        ask.routes = any_routes(call, ua);
    deal_ask(ua, call, NULL, &ask, &to);
}

/* §10.2: it comes, stays, goes, or asks. */
static struct span
contacts(struct call *call, const struct ua *ua)
{
    struct calls *c = call->calls;
    struct span contact = say_contact(call, ua);

    switch (upto(c, 9)) {
    case 0: return call_text(call, "Contact: %.*s;expires=0\r\n", SPAN_ARG(contact));
    case 1: return call_text(call, "Contact: *\r\nExpires: 0\r\n");
    case 2: return none;
    default:
        return call_text(call, "Contact: %.*s;q=0.%u;expires=%u\r\n", SPAN_ARG(contact), upto(c, 9),
                         60 + upto(c, 3600));
    }
}

static void
enroll(struct call *call, struct ua *ua)
{
    struct calls *c = call->calls;
    struct span domain = ua->domain;
    struct ask ask = begin(call, ua, call_text(call, "sip:%.*s", SPAN_ARG(domain)));
    struct hop to = server_of(c, ua);

    ask.method = METHOD_REGISTER;
    ask.method_text = SPAN("REGISTER");
    ask.to = call_text(call, "<sip:r%u@%.*s>", upto(c, REGISTERED - 1), SPAN_ARG(domain));
    ask.extra = contacts(call, ua);
    deal_ask(ua, call, NULL, &ask, &to);
}

void
caller_begin(struct calls *c, struct ua *ua, enum call_kind kind)
{
    struct call *new = call_new(c);

    if (kind == CALL_INVITE)
        call(new, ua);
    else if (kind == CALL_ASK)
        ask_once(new, ua);
    else
        enroll(new, ua);
}

/* ------------------------------------------------------------------ CANCEL */

static void
cancel(struct deal *invite)
{
    struct ask ask = invite->ask;

    if (invite->cancelled)
        return;
    invite->cancelled = true;
    invite->call->calls->figures.cancelled++;
    ask.method = METHOD_CANCEL;
    ask.method_text = SPAN("CANCEL");
    ask.extra = none;
    deal_ask(invite->ua, invite->call, invite->leg, &ask, &invite->to);
}

void
caller_timer(struct deal *deal)
{
    if (deal->state == DEAL_OPEN && !odd(deal->ua, deal->call, 30))
        deal->cancel_wanted = true; /* §9.1: not before a provisional response */
    else if (deal->state <= DEAL_PROCEEDING || odd(deal->ua, deal->call, 30))
        cancel(deal);
}

/* ------------------------------------------------------------------ answers */

/* §13.2.2.4: each 2xx of another tag makes a dialog; all but the first are ended. */
static void
heard_success(struct deal *deal, const struct msg *msg, const struct gist *gist)
{
    struct calls *c = deal->call->calls;
    struct leg *leg = deal->leg ? deal->leg : leg_of_caller(deal, msg, gist);
    bool first = !leg->confirmed;

    if (deal->leg)
        leg_refresh(leg, msg);
    else if (first)
        leg_confirm(leg, msg);
    leg_ack(leg, deal->cseq);
    if (!first)
        return;
    leg_begin(leg);
    deal->dialogs++;
    if (deal->dialogs > 1 || deal->cancelled)
        leg_hang_up(leg, upto(c, 1000));
}

/* Before the dialog is confirmed something may be said in it already (§12.1). */
static void
heard_ringing(struct deal *deal, const struct msg *msg, const struct gist *gist)
{
    struct calls *c = deal->call->calls;

    if (deal->leg || !gist->has_to_tag || !chance(c, 5))
        return;
    leg_ask(leg_of_caller(deal, msg, gist), METHOD_UPDATE, SPAN("UPDATE"));
}

static void
heard_other(struct deal *deal, unsigned status)
{
    if (deal->leg && (status == 481 || status == 408))
        leg_end(deal->leg);
}

void
caller_heard(struct deal *deal, const struct msg *msg, const struct gist *gist)
{
    unsigned status = msg->status;

    if (deal->kind == DEAL_NICT)
        heard_other(deal, status);
    else if (status >= 300)
        heard_other(deal, status);
    else if (status >= 200)
        heard_success(deal, msg, gist);
    else {
        if (deal->cancel_wanted)
            cancel(deal);
        if (status > 100)
            heard_ringing(deal, msg, gist);
    }
}

/* A dialog that no 2xx confirmed ends with its INVITE. */
static void
end_early(struct deal *deal)
{
    list_each (node, after, &deal->call->legs) {
        struct leg *leg = container_of(node, struct leg, link);

        if (leg->ua == deal->ua && !leg->confirmed)
            leg_end(leg);
    }
}

static void
count(struct calls *c, const struct deal *deal)
{
    if (deal->kind != DEAL_ICT || deal->leg)
        return;
    if (deal->status == 0)
        c->figures.unanswered++;
    else if (deal->status < 300)
        c->figures.answered++;
    else
        c->figures.refused++;
}

/* Whose network loses nothing hears 100 at once (§17.2.1) and a final response in the end. */
static void
check_answered(struct deal *deal)
{
    if (deal->status > 0 || !deal->ua->spared || deal->leg || deal->call->tainted ||
        deal->ua->sipd->conf.mode == CORE_STATELESS)
        return;
    if (deal->kind == DEAL_ICT && deal->state == DEAL_OPEN)
        call_fail(deal->call, "%.*s heard nothing to its INVITE", SPAN_ARG(deal->ua->name));
    else if (deal->kind == DEAL_ICT)
        call_fail(deal->call, "%.*s heard nothing final to its INVITE for %u s",
                  SPAN_ARG(deal->ua->name), deal->call->calls->longest_ms / 1000);
    else if (deal->method == METHOD_CANCEL || deal->method == METHOD_REGISTER)
        call_fail(deal->call, "%.*s heard nothing to its %.*s", SPAN_ARG(deal->ua->name),
                  SPAN_ARG(deal->ask.method_text));
}

void
caller_done(struct deal *deal)
{
    struct calls *c = deal->call->calls;

    count(c, deal);
    check_answered(deal);
    if (deal->status == 0 && c->sunny && deal->leg)
        call_fail(deal->call, "%.*s heard nothing to its %.*s", SPAN_ARG(deal->ua->name),
                  SPAN_ARG(deal->ask.method_text));
    if (deal->kind == DEAL_ICT && !deal->leg)
        end_early(deal);
    if (deal->leg && deal->status == 0)
        leg_end(deal->leg);
}
