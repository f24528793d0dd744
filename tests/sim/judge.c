/*
 * Knows from the wire alone what a proxy owes (RFC 3261 §16, RFC 6026), and says so at once when it does not pay.
 */
#include "sim/judge.h"

#include "base/mem.h"
#include "lib/fnv.h"
#include "sim/sides.h"

enum { INVITES_MAX = 7, OTHERS_MAX = 11 }; /* sends of a request in 64 T1 (§17.1.1.2, §17.1.2.2) */

struct judge {
    struct calls *calls;
    struct world_tap tap;
    struct sides sides;

    /* What the message at hand makes owed. */
    struct span heard, said; /* the message at hand and what followed from it; lent for the turn */
    struct side *server;     /* whose CANCELs are looked at; NULL: nobody's */
    struct side *up;         /* a response goes up by this … */
    uint16_t up_status;
    struct branch_side *ack; /* an ACK goes down by this */
    bool stray;              /* it is a response that has no transaction */
    bool broken;             /* it is a request that gets none */
};

/* ------------------------------------------------------------------ small things */

static bool
second_via(const struct msg *msg, const struct gist *gist, struct via *via)
{
    struct span rest = msg_value(msg, gist->via_field);
    const struct msg_field *field;

    if (via_next(&rest, via) == SIPD_OK && via_next(&rest, via) == SIPD_OK)
        return true;
    field = rest.len == 0 ? msg_find(msg, HDR_VIA, gist->via_field) : NULL;
    rest = field ? msg_value(msg, field) : (struct span){ NULL, 0 };
    return via_next(&rest, via) == SIPD_OK;
}

static uint64_t
now(const struct judge *j)
{
    return j->calls->world.clock.now_ms;
}

static bool
is_judged(const struct judge *j, const struct sim_sipd *s)
{
    return !j->calls->conf->memory_fails && !j->calls->conf->killed &&
           s->conf.mode == CORE_STATEFUL;
}

static void
complain(const struct judge *j, const struct side *side, const char *what, unsigned status)
{
    if (!side->doubtful)
        call_fail(side->call, "%.*s: %s (%u)\nit heard:\n%.*s\nand said:\n%.*s",
                  SPAN_ARG(side->sipd->name), what, status, SPAN_ARG(j->heard), SPAN_ARG(j->said));
}

/* ------------------------------------------------------------------ what a branch is still good for */

static bool
is_alive(const struct judge *j, const struct branch_side *b)
{
    return now(j) < branch_end_ms(b);
}

/* What comes in the very millisecond of the end may come before it. */
static void
doubt_at_end(const struct judge *j, struct branch_side *b)
{
    if (b && now(j) == branch_end_ms(b))
        b->server->doubtful = true;
}

static bool
is_pending(const struct judge *j, const struct branch_side *b)
{
    return b->final == 0 && is_alive(j, b);
}

static bool
is_over(const struct side *side)
{
    return side->cancelled || side->declined || side->final > 0;
}

/* ------------------------------------------------------------------ requests come in */

static bool
any_is_pending(const struct judge *j, const struct side *side)
{
    list_each (node, after, &side->branches)
        if (is_pending(j, container_of(node, struct branch_side, link)))
            return true;
    return false;
}

/*
 * Did its server transaction end, so that the same request may begin a new one? One that is no INVITE ends unanswered
 * when nobody answered it (RFC 4320 §4.2).
 */
static bool
may_be_anew(const struct judge *j, const struct side *side)
{
    uint64_t after = side->final_ms;

    if (side->final == 0)
        return side->method != METHOD_INVITE && !list_empty(&side->branches) &&
               !any_is_pending(j, side);
    if (hop_is_reliable(side->from.transport))
        return true;
    return now(j) >= (side->acked || side->final < 300 ? after + UA_T4_MS : after + UA_GIVE_UP_MS);
}

/* A torn one was refused without a transaction, and now it comes whole; or its unknown method became another one. */
static bool
may_be_another(const struct side *side)
{
    return side->call->tainted &&
           (side->method == METHOD_OTHER || (side->final >= 300 && list_empty(&side->branches)));
}

/* Else a torn Via may come back as another one: a response's writer blanks what would break lines. */
static bool
is_plain(struct span s)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.at[i] <= ' ' || s.at[i] > '~')
            return false;
    return true;
}

static void
heard_request(struct judge *j, struct sim_sipd *s, const struct hop *from, const struct gist *gist)
{
    struct call *call = call_find(j->calls, gist->call_id);
    struct side *side = side_find(&j->sides, s, &gist->via, gist->method);

    if (side && (may_be_anew(j, side) || may_be_another(side)))
        side->doubtful = true;
    if (side || !call || !gist->via.has_cookie || gist->fault != 0)
        return;
    side = arena_zalloc(&call->arena, sizeof *side);
    BUG_ON(!side);
    side->call = call;
    side->sipd = s;
    side->method = gist->method;
    side->branch = call_keep(call, gist->via.branch);
    side->sent_by = call_keep(call, gist->via.sent_by);
    side->from = *from;
    side->doubtful = !is_plain(side->branch) || !is_plain(side->sent_by);
    list_init(&side->branches);
    list_init(&side->link);
    list_push(&call->servers, &side->link);
    side_add(&j->sides, side);
}

static void
heard_cancel(struct judge *j, struct sim_sipd *s, const struct gist *gist)
{
    struct side *side = side_find(&j->sides, s, &gist->via, METHOD_INVITE);

    if (!side)
        return;
    side->doubtful |=
        may_be_anew(j, side); /* what is not known any more may be passed on (§16.10) */
    side->cancelled |= side->final == 0;
    j->server = side;
}

static void
heard_ack(struct judge *j, struct sim_sipd *s, const struct gist *gist)
{
    struct side *side = side_find(&j->sides, s, &gist->via, METHOD_INVITE);

    if (side)
        side->acked = true;
}

/* ------------------------------------------------------------------ responses come in */

static void
owe_up(struct judge *j, struct side *side, const struct msg *msg, const struct gist *gist)
{
    struct via via;

    if (!second_via(msg, gist, &via))
        return;
    j->up = side;
    j->up_status = msg->status;
}

/* Its second Via is not the caller's: it goes up all the same, and what goes up cannot be told from another's. */
static void
doubt_forged(struct judge *j, struct side *side, const struct msg *msg, const struct gist *gist)
{
    struct side *named;
    struct via via;

    if (!second_via(msg, gist, &via) ||
        (span_eq(via.branch, side->branch) && span_ieq(via.sent_by, side->sent_by)))
        return;
    side->doubtful = true;
    list_each (node, after, &j->calls->world.sipds) {
        named = side_find(&j->sides, container_of(node, struct sim_sipd, link), &via, gist->method);
        if (named)
            named->doubtful = true;
    }
}

static void
heard_success(struct judge *j, struct branch_side *b, const struct msg *msg,
              const struct gist *gist)
{
    struct side *side = b->server;
    struct via via;
    bool passes =
        side->final == 0 || (side->final < 300 && now(j) < side->final_ms + UA_GIVE_UP_MS);

    if (b->final == 0) {
        b->final = msg->status;
        b->final_ms = now(j);
        b->failed = !second_via(msg, gist, &via); /* meant for the proxy itself (§16.7 step 3) */
    }
    if (side->method == METHOD_INVITE ? passes : side->final == 0)
        owe_up(j, side, msg, gist);
}

static void
heard_failure(struct judge *j, struct branch_side *b, unsigned status)
{
    if (b->final == 0) {
        b->final = (uint16_t)status;
        b->final_ms = now(j);
        b->server->declined |= status >= 600 && b->server->method == METHOD_INVITE;
    }
    if (b->server->method == METHOD_INVITE)
        j->ack = b;
}

static void
heard_response(struct judge *j, struct sim_sipd *s, const struct msg *msg, const struct gist *gist)
{
    struct branch_side *b = branch_find(&j->sides, s, &gist->via, gist->method);

    doubt_at_end(j, b);
    j->stray = !b || !is_alive(j, b);
    if (j->stray)
        return;
    doubt_forged(j, b->server, msg, gist);
    j->server = b->server;
    if (msg->status >= 300 && b->final == 0)
        heard_failure(j, b, msg->status);
    else if (msg->status >= 200 && msg->status < 300)
        heard_success(j, b, msg, gist);
    else if (msg->status < 200 && b->final == 0) {
        b->provisional = true;
        if (msg->status > 100 && b->server->final == 0 && gist->method == METHOD_INVITE)
            owe_up(j, b->server, msg, gist);
    }
}

static void
heard(void *self, struct sim_sipd *s, const struct hop *from, const struct msg *msg,
      const struct gist *gist)
{
    struct judge *j = self;

    j->heard = msg_bytes(msg);
    j->said = (struct span){ NULL, 0 };
    j->server = j->up = NULL;
    j->ack = NULL;
    j->stray = false;
    j->broken = msg_is_request(msg) && gist->fault != 0;
    if (!is_judged(j, s) || (gist->fault != 0 && !msg_is_request(msg)))
        return;
    if (!msg_is_request(msg))
        heard_response(j, s, msg, gist);
    else if (gist->method == METHOD_CANCEL && gist->fault == 0)
        heard_cancel(j, s, gist);
    else if (gist->method == METHOD_ACK)
        heard_ack(j, s, gist);
    else
        heard_request(j, s, from, gist);
}

/* §9.1, §16.7 steps 5 and 10, §16.10: who rings for nothing must be told, as soon as may be. */
static void
check_cancels(const struct judge *j, const struct side *side)
{
    if (side->method != METHOD_INVITE || !is_over(side))
        return;
    list_each (node, after, &side->branches) {
        const struct branch_side *b = container_of(node, struct branch_side, link);

        if (b->provisional && !b->cancelled && is_pending(j, b))
            complain(j, side, "a branch rings on that should have been cancelled", side->final);
    }
}

static void
done(void *self, struct sim_sipd *s)
{
    struct judge *j = self;

    (void)s;
    if (j->up)
        complain(j, j->up, "a response did not go up", j->up_status);
    if (j->ack)
        complain(j, j->ack->server, "a failure was not acknowledged", j->ack->final);
    if (j->server)
        check_cancels(j, j->server);
    j->heard = j->said = (struct span){ NULL, 0 };
    j->stray = j->broken = false;
}

/* ------------------------------------------------------------------ requests go out */

/* What came first with this branch was of another call: a torn one of ours. */
static void
doubt_changeling(struct side *side, const struct gist *gist)
{
    side->doubtful |= !span_eq(side->call->call_id, gist->call_id);
}

static struct branch_side *
branch_new(struct judge *j, struct side *side, const struct gist *gist, bool reliable)
{
    struct branch_side *b = arena_zalloc(&side->call->arena, sizeof *b);

    BUG_ON(!b);
    b->server = side;
    b->branch = call_keep(side->call, gist->via.branch);
    b->first_ms = now(j);
    b->reliable = reliable;
    list_init(&b->link);
    list_push(&side->branches, &b->link);
    branch_add(&j->sides, b);
    if (is_over(side))
        complain(j, side, "a branch began after the end", side->final);
    return b;
}

static void
sent_request(struct judge *j, struct sim_sipd *s, const struct hop *to, const struct msg *msg,
             const struct gist *gist, bool left)
{
    struct branch_side *b = branch_find(&j->sides, s, &gist->via, gist->method);
    struct via via;
    struct side *side =
        !b && second_via(msg, gist, &via) ? side_find(&j->sides, s, &via, gist->method) : NULL;
    unsigned most = gist->method == METHOD_INVITE ? INVITES_MAX : OTHERS_MAX;

    if (!b && !side)
        return;
    if (!b)
        doubt_changeling(side, gist);
    if (!b)
        b = branch_new(j, side, gist, hop_is_reliable(to->transport));
    b->failed |= !left;
    if (++b->sends > (b->reliable ? 1 : most))
        complain(j, b->server, "a request was sent too often", b->sends);
    if (b->final > 0 || (b->provisional && gist->method == METHOD_INVITE))
        complain(j, b->server, "a request was sent again after a response", b->final);
}

static void
sent_cancel(struct judge *j, struct sim_sipd *s, const struct gist *gist)
{
    struct branch_side *b = branch_find(&j->sides, s, &gist->via, METHOD_INVITE);

    if (!b || b->cancelled)
        return;
    b->cancelled = true;
    b->cancel_ms = now(j);
    /* One that came before its INVITE, and has thought for longer, is only passed on (proxy.stray). */
    b->server->doubtful |= s->conf.stray == CORE_STRAY_VERIFIED && !b->provisional;
    if (!b->provisional)
        complain(j, b->server, "a CANCEL was sent before any response", 0);
    if (b->final > 0)
        complain(j, b->server, "a CANCEL was sent after the final response", b->final);
}

/* ------------------------------------------------------------------ responses go out */

/* Has it been silent for so long that another hop was tried, or is it that other one (proxy.silent_ms)? */
static bool
may_be_left(const struct side *side, const struct branch_side *b)
{
    uint64_t silent_ms = side->sipd->conf.silent_ms;

    if (silent_ms == 0 || b->provisional || side->method != METHOD_INVITE)
        return false;
    list_each (node, after, &side->branches) {
        const struct branch_side *other = container_of(node, struct branch_side, link);

        if (other->first_ms >= b->first_ms + silent_ms ||
            b->first_ms >= other->first_ms + silent_ms)
            return true;
    }
    return false;
}

/* §16.7 steps 5 and 6: not before every branch has its end, and of the best class. */
static void
check_choice(const struct judge *j, const struct side *side)
{
    list_each (node, after, &side->branches) {
        const struct branch_side *b = container_of(node, struct branch_side, link);
        unsigned class = b->final / 100;

        if (is_pending(j, b) && !may_be_left(side, b))
            complain(j, side, "a failure went up while a branch is pending", side->final);
        if (b->failed || b->final == 0 || b->final == 503 ||
            (class == 3 && side->sipd->conf.recurse))
            continue;
        if (class == 2 || (class == 6 && side->final < 600) ||
            (side->final < 600 && side->final / 100u > class))
            complain(j, side, "not the best response went up", side->final);
    }
}

/* Refused for load without state, it may be served when it comes again (core/shed). */
static bool
is_shed(const struct judge *j, const struct side *side, unsigned status)
{
    return status == 503 && j->calls->strained && list_empty(&side->branches);
}

static void
sent_failure(struct judge *j, struct side *side, const struct msg *msg)
{
    uint64_t hash = fnv(msg_bytes(msg));

    side->doubtful |= is_shed(j, side, msg->status);
    if (side->final == 0) {
        side->final = msg->status;
        side->final_ms = now(j);
        side->final_hash = hash;
        check_choice(j, side);
    } else if (side->final < 300 || side->final_hash != hash) {
        complain(j, side, "another final response went up", msg->status);
    }
}

static void
sent_success(struct judge *j, struct side *side, const struct msg *msg)
{
    if (side->final >= 300)
        complain(j, side, "a 2xx went up after a failure", side->final);
    if (side->final > 0)
        return;
    side->final = msg->status;
    side->final_ms = now(j);
}

static void
sent_response(struct judge *j, struct sim_sipd *s, const struct hop *to, const struct msg *msg,
              const struct gist *gist)
{
    struct side *side = side_find(&j->sides, s, &gist->via, gist->method);

    if (!side || memcmp(side->from.ip, to->ip, sizeof to->ip) != 0)
        return; /* nobody's, or by a forged Via somebody else's */
    doubt_changeling(side, gist);
    /* What is answered to a broken request looks like an answer to the one whose branch and CSeq it bears. */
    side->doubtful |= j->broken;
    /* One that passes on what has no transaction any more does not know what else is under way (proxy.stray). */
    side->doubtful |= j->stray && s->conf.stray == CORE_STRAY_VERIFIED;
    if (side == j->up && msg->status == j->up_status)
        j->up = NULL;
    if (msg->status >= 300)
        sent_failure(j, side, msg);
    else if (msg->status >= 200)
        sent_success(j, side, msg);
    else if (side->final > 0)
        complain(j, side, "a provisional response went up after the final one", msg->status);
}

static void
sent(void *self, struct sim_sipd *s, const struct hop *to, const struct msg *msg,
     const struct gist *gist, bool left)
{
    struct judge *j = self;
    struct call *call = call_find(j->calls, gist->call_id);

    j->said = msg_bytes(msg);
    if (call)
        call->last_ms = now(j);
    ++*(msg_is_request(msg) ? &j->calls->figures.requests : &j->calls->figures.responses);
    if (!is_judged(j, s))
        return;
    if (!msg_is_request(msg)) {
        sent_response(j, s, to, msg, gist);
    } else if (gist->method == METHOD_CANCEL) {
        sent_cancel(j, s, gist);
    } else if (gist->method != METHOD_ACK) {
        sent_request(j, s, to, msg, gist, left);
    } else if (j->ack && span_eq(j->ack->branch, gist->via.branch)) {
        j->ack = NULL;
    }
}

/* Believed of a request that nothing is heard to; of an INVITE that rings, no more. */
static void
bounced(void *self, struct sim_sipd *s, const struct msg *msg, const struct gist *gist)
{
    struct judge *j = self;
    struct branch_side *b =
        msg_is_request(msg) ? branch_find(&j->sides, s, &gist->via, msg->method) : NULL;

    if (b && b->final == 0 && (!b->provisional || msg->method != METHOD_INVITE))
        b->failed = true;
}

/* ------------------------------------------------------------------ calls */

struct judge *
judge_new(struct calls *c)
{
    struct judge *j = mem_new(sizeof *j);

    BUG_ON(!j || !sides_init(&j->sides));
    j->calls = c;
    j->tap = (struct world_tap){ bounced, heard, done, sent, j };
    c->world.tap = &j->tap;
    return j;
}

void
judge_free(struct judge **ref)
{
    struct judge *j = *ref;

    sides_fini(&j->sides);
    mem_free(j);
    *ref = NULL;
}

bool
judge_is_settled(const struct call *call)
{
    list_each (node, after, &call->servers) {
        const struct side *side = container_of(node, struct side, link);

        if (side->method == METHOD_INVITE && side->final == 0 && !side->doubtful)
            return false;
    }
    return true;
}

void
judge_close(struct judge *j, struct call *call)
{
    list_each (node, after, &call->servers)
        side_remove(&j->sides, container_of(node, struct side, link));
    list_init(&call->servers);
}
