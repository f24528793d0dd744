/*
 * What those do who are called in the random calls (RFC 3261 §8.2, §9.2, §12.2.2, §13.3, §15.1.2).
 */
#include "sim/ua.h"

enum {
    RING_MS = 2500,
    LONG_RING_MS = 60000,
    STUBBORN_MS = 320000,
    DEAF_MS = 40000,
    SLOW_MS = 3000
};

static const struct span none;

static unsigned
any_refusal(struct calls *c)
{
    static const uint16_t common[] = { 302, 401, 404, 407, 408, 480, 481, 486,
                                       487, 488, 491, 500, 503, 504, 600, 603 };

    return chance(c, 70) ? common[upto(c, countof(common) - 1)] : 300 + upto(c, 399);
}

static struct span
extra_for(struct deal *deal, unsigned status)
{
    struct calls *c = deal->call->calls;

    if (status == 401)
        return SPAN("WWW-Authenticate: Digest realm=\"a\", nonce=\"b\"\r\n");
    if (status == 407)
        return SPAN("Proxy-Authenticate: Digest realm=\"a\", nonce=\"b\"\r\n");
    if (status / 100 == 3)
        return call_text(deal->call, "Contact: %.*s\r\n",
                         SPAN_ARG(say_contact(deal->call, &c->uas[upto(c, c->uas_len - 1)])));
    return none;
}

static void
answer(struct deal *deal, unsigned status)
{
    deal_answer(deal, status, extra_for(deal, status));
    while (odd(deal->ua, deal->call, 10))
        odd_answer(deal);
    if (status >= 300 && deal->kind == DEAL_IST && deal->leg && !deal->leg->confirmed)
        leg_end(deal->leg);
}

/* ------------------------------------------------------------------ INVITE */

static void
plan_invite(struct deal *deal)
{
    struct calls *c = deal->call->calls;
    uint32_t n = upto(c, 99);

    deal->ring_ms = upto(c, RING_MS);
    deal->rings = n < 30 ? 0 : 1 + upto(c, 2);
    deal->answer = n < 70 ? 200 : (uint16_t)any_refusal(c);
    if (n % 10 == 3)
        deal->ring_ms = upto(c, LONG_RING_MS);
    if (n == 68 || n == 99)
        deal->answer = 0;
    if (c->sunny && deal->ring_ms > c->quiet_ms)
        deal_answer(deal, 100, none);
    call_arm(deal->call, &deal->next, n < 15 ? 0 : deal->ring_ms, TIMER_NEXT);
}

/* Says nothing at all, not even later. */
static void
ignore(struct deal *deal)
{
    call_arm(deal->call, &deal->timeout, DEAF_MS, TIMER_TIMEOUT);
    deal->acked = true;
}

static void
invited(struct deal *deal, const struct msg *msg, const struct gist *gist)
{
    struct calls *c = deal->call->calls;

    if (chance(c, 2)) {
        ignore(deal);
        return;
    }
    deal->leg = leg_of_callee(deal, msg, gist);
    plan_invite(deal);
}

static void
invited_again(struct deal *deal, const struct msg *msg)
{
    struct calls *c = deal->call->calls;

    leg_refresh(deal->leg, msg);
    deal->answer = chance(c, 80) ? 200 : chance(c, 50) ? 488 : 491;
    deal->ring_ms = upto(c, RING_MS);
    deal->rings = chance(c, 10);
    call_arm(deal->call, &deal->next, chance(c, 70) ? 0 : deal->ring_ms, TIMER_NEXT);
}

static unsigned
any_ringing(struct calls *c)
{
    static const uint16_t codes[] = { 180, 180, 183, 181, 182, 199, 100 };

    return codes[upto(c, countof(codes) - 1)];
}

void
callee_timer(struct deal *deal)
{
    struct calls *c = deal->call->calls;

    if (deal->rings > 0) {
        deal->rings--;
        deal_answer(deal, any_ringing(c), none);
        call_arm(deal->call, &deal->next,
                 deal->rings > 0 || deal->answer != 0 ? deal->ring_ms : STUBBORN_MS, TIMER_NEXT);
        return;
    }
    answer(deal, deal->answer != 0 ? deal->answer : 480);
}

void
callee_cancelled(struct deal *invite)
{
    answer(invite, 487);
}

void
callee_unacked(struct deal *deal)
{
    if (deal->call->calls->sunny)
        call_fail(deal->call, "%.*s said %u and heard no ACK", SPAN_ARG(deal->ua->name),
                  deal->status);
    if (deal->state == DEAL_SUCCESS && deal->leg)
        leg_hang_up(deal->leg, 0); /* §13.3.1.4 */
}

/* ------------------------------------------------------------------ others */

static void
asked_within(struct deal *deal)
{
    if (!deal->leg) {
        answer(deal, 481);
    } else if (deal->method == METHOD_BYE) {
        answer(deal, 200);
        leg_end(deal->leg);
    } else {
        answer(deal, chance(deal->call->calls, 90) ? 200 : 488);
    }
}

static void
asked_alone(struct deal *deal)
{
    struct calls *c = deal->call->calls;

    if (chance(c, 2)) {
        ignore(deal);
        return;
    }
    deal->answer = chance(c, 75) ? 200 : (uint16_t)any_refusal(c);
    deal->ring_ms = upto(c, SLOW_MS);
    deal->rings = chance(c, 5);
    call_arm(deal->call, &deal->next, chance(c, 80) ? 0 : deal->ring_ms, TIMER_NEXT);
}

void
callee_asked(struct deal *deal, const struct msg *msg, const struct gist *gist)
{
    bool invite = deal->kind == DEAL_IST;

    if (gist->has_to_tag)
        deal->leg = leg_find(deal->ua, deal->call, gist, true);
    if (deal->leg && deal->leg->over)
        deal->leg = NULL;
    if (gist->has_to_tag && invite && deal->leg)
        invited_again(deal, msg);
    else if (gist->has_to_tag)
        asked_within(deal);
    else if (invite)
        invited(deal, msg, gist);
    else
        asked_alone(deal);
}
