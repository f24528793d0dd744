/*
 * Knows from the wire alone what a proxy owes (RFC 3261 §16, RFC 6026), and says so at once when it does not pay.
 */
#include "sim/judge.h"

#include "base/mem.h"

enum { INVITES_MAX = 7, OTHERS_MAX = 11 }; /* sends of a request in 64 T1 (§17.1.1.2, §17.1.2.2) */

struct side { /* a request as a sipd took it: its server transaction */
    struct table_node node;
    struct list link; /* call->servers */
    struct call *call;
    const struct sim_sipd *sipd;
    enum method method;
    struct span branch, sent_by;
    struct list branches;
    struct hop from;
    bool cancelled; /* its CANCEL came in time */
    bool declined;  /* a 6xx came */
    bool acked;
    bool doubtful; /* nothing is asked of it any more: it may have begun anew, or be another's */
    uint16_t final;
    uint64_t final_hash; /* of a failure's bytes */
    uint64_t final_ms;
};

struct branch_side { /* … and as it left: a client transaction */
    struct table_node node;
    struct list link; /* side->branches */
    struct side *server;
    struct span branch;
    unsigned sends;
    uint64_t first_ms, final_ms, cancel_ms;
    bool reliable, provisional, cancelled, failed;
    uint16_t final;
};

struct judge {
    struct calls *calls;
    struct world_tap tap;
    struct table servers, branches;

    /* What the message at hand makes owed. */
    struct span heard, said; /* the message at hand and what followed from it; lent for the turn */
    struct side *server;     /* whose CANCELs are looked at; NULL: nobody's */
    struct side *up;         /* a response goes up by this … */
    uint16_t up_status;
    struct branch_side *ack; /* an ACK goes down by this */
    bool stray;              /* it is a response that has no transaction */
};

/* ------------------------------------------------------------------ finding */

struct wanted {
    const struct sim_sipd *sipd;
    enum method method;
    struct span branch, sent_by;
};

static uint64_t
hash_of(struct span branch)
{
    uint64_t hash = 14695981039346656037u;

    for (size_t i = 0; i < branch.len; i++)
        hash = (hash ^ (unsigned char)branch.at[i]) * 1099511628211u;
    return hash;
}

static bool
is_side(const struct table_node *node, const void *arg)
{
    const struct side *side = container_of_const(node, struct side, node);
    const struct wanted *wanted = arg;

    return side->sipd == wanted->sipd && side->method == wanted->method &&
           span_eq(side->branch, wanted->branch) && span_ieq(side->sent_by, wanted->sent_by);
}

static struct side *
find_side(const struct judge *j, const struct sim_sipd *s, const struct via *via,
          enum method method)
{
    struct wanted wanted = { s, method, via->branch, via->sent_by };
    struct table_node *node = table_find(&j->servers, hash_of(via->branch), is_side, &wanted);

    return node ? container_of(node, struct side, node) : NULL;
}

static bool
is_branch(const struct table_node *node, const void *arg)
{
    const struct branch_side *branch = container_of_const(node, struct branch_side, node);
    const struct wanted *wanted = arg;

    return branch->server->sipd == wanted->sipd && branch->server->method == wanted->method &&
           span_eq(branch->branch, wanted->branch);
}

static struct branch_side *
find_branch(const struct judge *j, const struct sim_sipd *s, const struct via *via,
            enum method method)
{
    struct wanted wanted = { .sipd = s, .method = method, .branch = via->branch };
    struct table_node *node = table_find(&j->branches, hash_of(via->branch), is_branch, &wanted);

    return node ? container_of(node, struct branch_side, node) : NULL;
}

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
    return !j->calls->conf->memory_fails && s->conf.mode == CORE_STATEFUL;
}

static void
complain(const struct judge *j, const struct side *side, const char *what, unsigned status)
{
    if (!side->doubtful)
        call_fail(side->call, "%.*s: %s (%u)\nit heard:\n%.*s\nand said:\n%.*s",
                  SPAN_ARG(side->sipd->name), what, status, SPAN_ARG(j->heard), SPAN_ARG(j->said));
}

/* ------------------------------------------------------------------ what a branch is still good for */

/* Timer B or F ended it, or what we waited for after a CANCEL (§9.1); a 2xx is passed on for Timer M. */
static bool
is_alive(const struct judge *j, const struct branch_side *b)
{
    if (b->failed)
        return false;
    if (b->final > 0)
        return b->final / 100 == 2 && b->server->method == METHOD_INVITE &&
               now(j) < b->final_ms + UA_GIVE_UP_MS;
    if (b->cancelled)
        return now(j) < b->cancel_ms + UA_GIVE_UP_MS;
    return (b->provisional && b->server->method == METHOD_INVITE) ||
           now(j) < b->first_ms + UA_GIVE_UP_MS;
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

/* Did its server transaction end, so that the same request may begin a new one? */
static bool
may_be_anew(const struct judge *j, const struct side *side)
{
    uint64_t after = side->final == 0 ? UINT64_MAX : side->final_ms;

    if (hop_is_reliable(side->from.transport))
        return side->final > 0;
    return now(j) >= (side->acked || side->final < 300 ? after + UA_T4_MS : after + UA_GIVE_UP_MS);
}

/* A torn one was refused without a transaction, and now it comes whole. */
static bool
may_be_another(const struct side *side)
{
    return side->call->tainted && side->final >= 300 && list_empty(&side->branches);
}

/* What is answered to a broken request looks like an answer to the one whose branch and CSeq it bears. */
static void
doubt_namesake(struct judge *j, struct sim_sipd *s, const struct gist *gist)
{
    struct side *side = find_side(j, s, &gist->via, names_method(gist->cseq_method));

    if (side)
        side->doubtful = true;
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
    struct side *side = find_side(j, s, &gist->via, gist->method);

    if (side && (may_be_anew(j, side) || may_be_another(side)))
        side->doubtful = true;
    if (gist->fault != 0)
        doubt_namesake(j, s, gist);
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
    table_insert(&j->servers, &side->node, hash_of(side->branch));
}

static void
heard_cancel(struct judge *j, struct sim_sipd *s, const struct gist *gist)
{
    struct side *side = find_side(j, s, &gist->via, METHOD_INVITE);

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
    struct side *side = find_side(j, s, &gist->via, METHOD_INVITE);

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
static bool
is_forged(const struct side *side, const struct msg *msg, const struct gist *gist)
{
    struct via via;

    return second_via(msg, gist, &via) &&
           !(span_eq(via.branch, side->branch) && span_ieq(via.sent_by, side->sent_by));
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
    struct branch_side *b = find_branch(j, s, &gist->via, gist->method);

    j->stray = !b || !is_alive(j, b);
    if (j->stray)
        return;
    b->server->doubtful |= is_forged(b->server, msg, gist);
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
    j->stray = false;
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
    table_insert(&j->branches, &b->node, hash_of(b->branch));
    if (is_over(side))
        complain(j, side, "a branch began after the end", side->final);
    return b;
}

static void
sent_request(struct judge *j, struct sim_sipd *s, const struct hop *to, const struct msg *msg,
             const struct gist *gist, bool left)
{
    struct branch_side *b = find_branch(j, s, &gist->via, gist->method);
    struct via via;
    struct side *side =
        !b && second_via(msg, gist, &via) ? find_side(j, s, &via, gist->method) : NULL;
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
    struct branch_side *b = find_branch(j, s, &gist->via, METHOD_INVITE);

    if (!b || b->cancelled)
        return;
    b->cancelled = true;
    b->cancel_ms = now(j);
    if (!b->provisional)
        complain(j, b->server, "a CANCEL was sent before any response", 0);
    if (b->final > 0)
        complain(j, b->server, "a CANCEL was sent after the final response", b->final);
}

/* ------------------------------------------------------------------ responses go out */

/* §16.7 steps 5 and 6: not before every branch has its end, and of the best class. */
static void
check_choice(const struct judge *j, const struct side *side)
{
    list_each (node, after, &side->branches) {
        const struct branch_side *b = container_of(node, struct branch_side, link);
        unsigned class = b->final / 100;

        if (is_pending(j, b))
            complain(j, side, "a failure went up while a branch is pending", side->final);
        if (b->failed || b->final == 0 || b->final == 503 ||
            (class == 3 && side->sipd->conf.recurse))
            continue;
        if (class == 2 || (class == 6 && side->final < 600) ||
            (side->final < 600 && side->final / 100u > class))
            complain(j, side, "not the best response went up", side->final);
    }
}

static void
sent_failure(struct judge *j, struct side *side, const struct msg *msg)
{
    uint64_t hash = hash_of(msg_bytes(msg));

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
    struct side *side = find_side(j, s, &gist->via, gist->method);

    if (!side || memcmp(side->from.ip, to->ip, sizeof to->ip) != 0)
        return; /* nobody's, or by a forged Via somebody else's */
    doubt_changeling(side, gist);
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

/* ------------------------------------------------------------------ calls */

struct judge *
judge_new(struct calls *c)
{
    struct judge *j = mem_new(sizeof *j);

    BUG_ON(!j || table_init(&j->servers) != SIPD_OK || table_init(&j->branches) != SIPD_OK);
    j->calls = c;
    j->tap = (struct world_tap){ heard, done, sent, j };
    c->world.tap = &j->tap;
    return j;
}

void
judge_free(struct judge **ref)
{
    struct judge *j = *ref;

    table_fini(&j->servers);
    table_fini(&j->branches);
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
    list_each (node, after, &call->servers) {
        struct side *side = container_of(node, struct side, link);

        list_each (down, next, &side->branches)
            table_remove(&j->branches, &container_of(down, struct branch_side, link)->node);
        table_remove(&j->servers, &side->node);
    }
    list_init(&call->servers);
}
