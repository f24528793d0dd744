/*
 * The transactions of the phones of the random calls (RFC 3261 §17, RFC 6026), with the retransmissions of
 * §13.3.1.4.
 */
#include "sim/ua.h"

#include "lib/fnv.h"

struct deal_key {
    const struct ua *ua;
    bool server;
    enum method method;
    struct span branch;
};

static bool
is_server(const struct deal *deal)
{
    return deal->kind == DEAL_IST || deal->kind == DEAL_NIST;
}

static bool
is_invite(const struct deal *deal)
{
    return deal->kind == DEAL_ICT || deal->kind == DEAL_IST;
}

static bool
is_meant(const struct table_node *node, const void *arg)
{
    const struct deal *deal = container_of_const(node, struct deal, node);
    const struct deal_key *key = arg;

    return deal->ua == key->ua && deal->method == key->method && is_server(deal) == key->server &&
           span_eq(deal->branch, key->branch);
}

struct deal *
deal_find(struct ua *ua, bool server, const struct gist *gist, enum method method)
{
    struct deal_key key = { ua, server, method, gist->via.branch };
    struct table_node *node = table_find(&ua->calls->deals, fnv(key.branch), is_meant, &key);

    return node ? container_of(node, struct deal, node) : NULL;
}

static struct deal *
deal_new(struct ua *ua, struct call *call, enum deal_kind kind, enum method method,
         struct span branch, const struct hop *to)
{
    struct deal *deal = arena_zalloc(&call->arena, sizeof *deal);

    BUG_ON(!deal);
    deal->call = call;
    deal->ua = ua;
    deal->kind = kind;
    deal->method = method;
    deal->branch = branch;
    deal->to = *to;
    deal->began_ms = ua->calls->world.clock.now_ms;
    timer_init(&deal->repeat);
    timer_init(&deal->timeout);
    timer_init(&deal->next);
    list_init(&deal->link);
    list_push(&call->deals, &deal->link);
    table_insert(&ua->calls->deals, &deal->node, fnv(branch));
    call->busy++;
    return deal;
}

void
deal_end(struct deal *deal)
{
    struct calls *c = deal->call->calls;

    if (deal->state == DEAL_OVER)
        return;
    deal->state = DEAL_OVER;
    timers_disarm(&c->timers, &deal->repeat);
    timers_disarm(&c->timers, &deal->timeout);
    timers_disarm(&c->timers, &deal->next);
    table_remove(&c->deals, &deal->node);
    deal->call->busy--;
    call_rests(deal->call);
}

static bool
is_reliable(const struct deal *deal)
{
    return hop_is_reliable(deal->to.transport);
}

static void
say(struct deal *deal, struct span bytes)
{
    deal->bytes = bytes;
    ua_send(deal->ua, deal->call, &deal->to, bytes);
}

static void
repeat_after(struct deal *deal, uint32_t ms)
{
    deal->interval_ms = ms;
    call_arm(deal->call, &deal->repeat, ms, TIMER_REPEAT);
}

static void
stop_repeating(struct deal *deal)
{
    timers_disarm(&deal->call->calls->timers, &deal->repeat);
}

static void
end_after(struct deal *deal, uint32_t ms)
{
    call_arm(deal->call, &deal->timeout, ms, TIMER_TIMEOUT);
}

/* ------------------------------------------------------------------ a client's */

struct deal *
deal_ask(struct ua *ua, struct call *call, struct leg *leg, const struct ask *ask,
         const struct hop *to)
{
    struct span branch = ask->branch.len > 0 ? ask->branch
                                             : call_text(call, "z9hG4bK%.*s.%u",
                                                         SPAN_ARG(call->call_id), ++call->serial);
    struct deal *deal = deal_new(ua, call, ask->method == METHOD_INVITE ? DEAL_ICT : DEAL_NICT,
                                 ask->method, branch, to);

    deal->leg = leg;
    deal->ask = *ask;
    deal->ask.branch = branch;
    deal->ask.transport = to->transport;
    deal->cseq = ask->cseq;
    if (!is_reliable(deal))
        repeat_after(deal, UA_T1_MS);
    end_after(deal, UA_GIVE_UP_MS);
    say(deal, say_request(call, ua, &deal->ask));
    return deal;
}

/* §17.1.1.3 */
static void
acknowledge(struct deal *deal, const struct gist *gist)
{
    struct ask ask = deal->ask;

    ask.method = METHOD_ACK;
    ask.method_text = SPAN("ACK");
    ask.to = call_keep(deal->call, gist->to);
    ask.extra = (struct span){ NULL, 0 };
    if (odd(deal->ua, deal->call, 5))
        ask.branch = call_text(deal->call, "%.*sx", SPAN_ARG(ask.branch));
    if (odd(deal->ua, deal->call, 5))
        return;
    say(deal, say_request(deal->call, deal->ua, &ask));
}

static bool
heard_provisional(struct deal *deal)
{
    if (deal->state > DEAL_PROCEEDING)
        return false;
    deal->state = DEAL_PROCEEDING;
    if (is_invite(deal)) {
        stop_repeating(deal);
        end_after(deal, deal->call->calls->longest_ms);
    }
    return true;
}

static bool
heard_success(struct deal *deal)
{
    if (deal->state == DEAL_FINAL)
        return false;
    if (deal->state != DEAL_SUCCESS)
        end_after(deal, UA_GIVE_UP_MS); /* Timer M */
    deal->state = DEAL_SUCCESS;
    stop_repeating(deal);
    return true;
}

static bool
heard_failure(struct deal *deal, const struct gist *gist)
{
    bool first = deal->state <= DEAL_PROCEEDING;

    if (deal->state == DEAL_SUCCESS)
        return false;
    deal->state = DEAL_FINAL;
    stop_repeating(deal);
    if (first)
        end_after(deal, is_reliable(deal) ? 0 : UA_GIVE_UP_MS); /* Timer D */
    acknowledge(deal, gist);
    return first;
}

static bool
heard_final(struct deal *deal)
{
    if (deal->state == DEAL_FINAL)
        return false;
    deal->state = DEAL_FINAL;
    stop_repeating(deal);
    end_after(deal, is_reliable(deal) ? 0 : UA_T4_MS); /* Timer K */
    return true;
}

bool
deal_heard(struct deal *deal, unsigned status, const struct gist *gist)
{
    if (status >= 200 && deal->status == 0)
        deal->status = (uint16_t)status;
    if (status < 200)
        return heard_provisional(deal);
    if (!is_invite(deal))
        return heard_final(deal);
    return status < 300 ? heard_success(deal) : heard_failure(deal, gist);
}

/* ------------------------------------------------------------------ a server's */

struct deal *
deal_serve(struct ua *ua, struct call *call, const struct hop *from, const struct msg *msg,
           const struct gist *gist)
{
    struct span branch = call_keep(call, gist->via.branch);
    struct deal *deal = deal_new(ua, call, gist->method == METHOD_INVITE ? DEAL_IST : DEAL_NIST,
                                 gist->method, branch, from);

    deal->cseq = gist->cseq;
    deal->tag = gist->has_to_tag ? call_keep(call, gist->to_tag)
                                 : call_text(call, "%.*s-%u", SPAN_ARG(ua->name), ++call->serial);
    deal->head = say_head(call, msg, gist, deal->tag);
    return deal;
}

static void
wait_for_ack(struct deal *deal, unsigned status)
{
    deal->state = status < 300 ? DEAL_SUCCESS : DEAL_FINAL;
    if (status < 300 || !is_reliable(deal))
        repeat_after(deal, UA_T1_MS);
    end_after(deal, UA_GIVE_UP_MS); /* Timers L and H */
}

void
deal_answer(struct deal *deal, unsigned status, struct span extra)
{
    if (deal->state > DEAL_PROCEEDING)
        return;
    if (status >= 200) {
        deal->status = (uint16_t)status;
        timers_disarm(&deal->call->calls->timers, &deal->next);
    }
    say(deal, say_response(deal->call, deal->ua, status, deal->head, extra));
    if (status < 200)
        deal->state = DEAL_PROCEEDING;
    else if (is_invite(deal))
        wait_for_ack(deal, status);
    else {
        deal->state = DEAL_FINAL;
        end_after(deal, is_reliable(deal) ? 0 : UA_GIVE_UP_MS); /* Timer J */
    }
}

void
deal_heard_again(struct deal *deal)
{
    if (deal->bytes.len > 0 && deal->state < DEAL_CONFIRMED &&
        (!is_invite(deal) || deal->state != DEAL_SUCCESS))
        ua_send(deal->ua, deal->call, &deal->to, deal->bytes);
}

void
deal_acked(struct deal *deal)
{
    stop_repeating(deal);
    deal->acked = true;
    if (deal->state != DEAL_FINAL)
        return;
    deal->state = DEAL_CONFIRMED;
    end_after(deal, is_reliable(deal) ? 0 : UA_T4_MS); /* Timer I */
}

/* ------------------------------------------------------------------ timers */

/* A doubles without end, E and G and the repeated 2xx up to T2 (§17.1.1.2, §17.1.2.2, §17.2.1, §13.3.1.4). */
static void
repeat(struct deal *deal)
{
    uint32_t next = deal->interval_ms * 2;

    if (deal->kind == DEAL_NICT && deal->state == DEAL_PROCEEDING)
        next = UA_T2_MS;
    if (deal->kind != DEAL_ICT && next > UA_T2_MS)
        next = UA_T2_MS;
    ua_send(deal->ua, deal->call, &deal->to, deal->bytes);
    repeat_after(deal, next);
}

static void
time_out(struct deal *deal)
{
    bool unacked = deal->kind == DEAL_IST && !deal->acked && deal->state <= DEAL_FINAL;

    if (!is_server(deal))
        caller_done(deal);
    if (unacked)
        callee_unacked(deal);
    deal_end(deal);
}

void
deal_timer(struct deal *deal, struct timer *timer)
{
    if (timer == &deal->repeat)
        repeat(deal);
    else if (timer == &deal->timeout)
        time_out(deal);
    else if (is_server(deal))
        callee_timer(deal);
    else
        caller_timer(deal);
}
