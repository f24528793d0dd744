/*
 * What sipd says beforehand of a request and what it then does agree.
 */
#include "sim/rehearse.h"

#include "base/mem.h"
#include "core/dry.h"

enum { RUNS_MOST = 512, STEPS_MOST = 96, TEXT_BYTES = 200 };
enum { GROWTH_BYTES = 300, RESERVE_BYTES = 200 }; /* what a sipd adds to a request; core/large.h */

struct place { /* one that a branch goes to */
    char at[TEXT_BYTES];
};

struct side { /* what was said beforehand, or what happened */
    char targets[STEPS_MOST][TEXT_BYTES];
    struct place hops[STEPS_MOST];
    unsigned targets_len, hops_len;
    uint16_t refused; /* by a check, or the last word that went up */
    bool ended;
};

struct rehearsal {
    struct sim_sipd *s;
    char what[TEXT_BYTES];
    uint64_t trip;
    bool plain; /* run by method, URI and sender only */
    bool asked; /* the dry one went on where a password was asked for */
    bool is_register;
    bool limited; /* a limit that a dry run does not touch stopped the real one */
    bool strays;  /* a redirection was followed: its branches are nobody's plan */
    struct side said, was;
    struct place others[STEPS_MOST]; /* said: if that fails */
    unsigned others_len;
};

struct rehearsals {
    struct world *w;
    struct rehearsal *at; /* owned */
    unsigned len;
    struct rehearsal *now; /* whose request is being heard */
};

struct rehearsals *
rehearse_new(struct world *w)
{
    struct rehearsals *all = mem_new(sizeof *all);

    BUG_ON(!all);
    all->at = mem_new(RUNS_MOST * sizeof *all->at);
    BUG_ON(!all->at);
    all->w = w;
    return all;
}

void
rehearse_free(struct rehearsals **ref)
{
    if (*ref)
        mem_free((*ref)->at);
    mem_free(*ref);
    *ref = NULL;
}

/* ------------------------------------------------------------------ what is told */

static void
put_text(char to[TEXT_BYTES], struct span text)
{
    snprintf(to, TEXT_BYTES, "%.*s", SPAN_ARG(text));
}

static void
put_place(struct place *place, const struct explain_event *event)
{
    struct buf b;

    buf_init(&b, TEXT_BYTES - 1);
    explain_hop(event->hop, &b);
    put_text(place->at, buf_span(&b));
    buf_fini(&b);
}

static void
take(struct rehearsal *r, struct side *side, const struct explain_event *event)
{
    switch ((int)event->step) {
    case STEP_TARGET:
        if (!span_eq(event->who, SPAN("a redirection")) && side->targets_len < STEPS_MOST)
            put_text(side->targets[side->targets_len++], event->uri);
        break;
    case STEP_HOP:
        if (side->hops_len == STEPS_MOST)
            break;
        put_place(&side->hops[side->hops_len++], event);
        break;
    case STEP_ELSE:
        if (r->others_len < STEPS_MOST)
            put_place(&r->others[r->others_len++], event);
        break;
    case STEP_REFUSED:
        side->refused = event->status;
        r->limited |=
            span_starts(event->who, SPAN("limits.")) || span_starts(event->who, SPAN("room"));
        break;
    case STEP_UP:
        if (event->status >= 200)
            side->refused = event->status;
        break;
    case STEP_RECURSE: r->strays = true; break;
    case STEP_TOLD: r->asked |= span_starts(event->why, SPAN("a password is asked for")); break;
    case STEP_OUTCOME: side->ended = true; break;
    default: break;
    }
}

static struct rehearsal *
find(struct rehearsals *all, const struct sim_sipd *s, uint64_t trip)
{
    for (unsigned i = all->len; i-- > 0;)
        if (all->at[i].s == s && all->at[i].trip == trip && trip != 0)
            return &all->at[i];
    return NULL;
}

void
rehearse_hear(void *io, const struct explain_event *event)
{
    struct sim_sipd *s = io;
    struct rehearsals *all = s->world->rehearsals;
    struct rehearsal *r;

    world_leave(s->world);
    if (event->dry != 0) {
        r = &all->at[event->dry - 1];
        take(r, &r->said, event);
    } else {
        r = event->trip != 0 ? find(all, s, event->trip) : NULL;
        if (!r && all->now && all->now->s == s && all->now->trip == 0 && event->step != STEP_SENT &&
            event->step != STEP_HEARD && event->step != STEP_AGAIN) {
            r = all->now;
            r->trip = event->trip;
        }
        if (r)
            take(r, &r->was, event);
        if (event->step == STEP_SENT && event->gist &&
            span_starts(event->gist->call_id, SPAN("dry-run-")))
            world_fail(s->world, "a dry run has sent %.*s", SPAN_ARG(event->line));
    }
    world_enter(s->world);
}

/* ------------------------------------------------------------------ before */

/* Does its Contact say that it is somebody's GRUU? */
static bool
has_gruu(const struct msg *msg)
{
    struct span contact;

    return msg_get(msg, HDR_CONTACT, &contact) && memmem(contact.at, contact.len, ";gr", 3);
}

/* Nothing but method, Request-URI, sender and source tells where it goes: no Route, no size that asks for a stream. */
static bool
is_plain(const struct world *w, const struct msg *msg, const struct gist *gist)
{
    return msg->len + GROWTH_BYTES < w->wire.least_mtu - RESERVE_BYTES && !gist->has_to_tag &&
           gist->fault == 0 && gist->odd == 0 && !msg_find(msg, HDR_ROUTE, NULL) &&
           !msg_find(msg, HDR_PROXY_REQUIRE, NULL) && !msg_find(msg, HDR_REQUIRE, NULL) &&
           !has_gruu(msg) && gist->method != METHOD_REGISTER && gist->max_forwards > 60 &&
           gist->vias_below.len == 0 && !msg_find(msg, HDR_VIA, gist->via_field) &&
           !msg_find_name(msg, SPAN("Max-Breadth"), 0);
}

static int
run(struct sim_sipd *s, struct rehearsal *r, const struct hop *from, const struct msg *msg,
    const struct gist *gist, uint64_t number)
{
    struct dry_ask ask = { .method = gist->method_text,
                           .uri = msg_span(msg, msg->uri),
                           .source = *from };
    struct addr addr;
    struct buf b;
    int err = SIPD_EINVAL;

    buf_init(&b, 1 << 16);
    r->plain = s->conf.mode == CORE_STATEFUL && is_plain(s->world, msg, gist) &&
               addr_read(gist->from, &addr) == SIPD_OK;
    if (r->plain) {
        ask.from = addr.uri;
        r->plain = dry_write(&ask, number, &b) == SIPD_OK;
    }
    world_enter(s->world);
    err = dry_run(s->core, from, r->plain ? buf_span(&b) : msg_bytes(msg), number);
    world_leave(s->world);
    buf_fini(&b);
    return err;
}

void
rehearse_before(struct sim_sipd *s, const struct hop *from, struct span bytes)
{
    struct rehearsals *all = s->world->rehearsals;
    struct rehearsal *r = &all->at[all->len];
    struct msg msg;
    struct gist gist;
    struct txn_key key;

    all->now = NULL;
    if (all->len == RUNS_MOST || msg_read(bytes, &s->world->turn, &msg) != SIPD_OK ||
        !msg_is_request(&msg))
        return;
    gist_read(&msg, &gist);
    key = txns_key(core_txns(s->core), &gist);
    if (gist.method == METHOD_ACK || gist.method == METHOD_CANCEL || !gist.answerable ||
        txns_find_by(core_txns(s->core), &key))
        return;
    *r = (struct rehearsal){ .s = s, .is_register = gist.method == METHOD_REGISTER };
    snprintf(r->what, sizeof r->what, "%.*s: %.*s", SPAN_ARG(s->name),
             SPAN_ARG(span_head(bytes, span_find(bytes, '\r'))));
    all->len++;
    if (run(s, r, from, &msg, &gist, all->len) == SIPD_OK)
        all->now = r;
}

void
rehearse_after(struct sim_sipd *s)
{
    s->world->rehearsals->now = NULL;
}

/* ------------------------------------------------------------------ compared */

/* Where among these it stands; len: nowhere. */
static unsigned
place_of(const struct place *places, unsigned len, const char *at)
{
    unsigned i = 0;

    while (i < len && strcmp(places[i].at, at) != 0)
        i++;
    return i;
}

/* Each hop was said, as one to go to at once, and those in the order that was said, or as one for when another fails. */
static const char *
compare_hops(const struct rehearsal *r)
{
    unsigned last = 0;

    if (r->strays)
        return NULL;
    for (unsigned i = 0; i < r->was.hops_len; i++) {
        const char *at = r->was.hops[i].at;
        unsigned place = place_of(r->said.hops, r->said.hops_len, at);

        if (place_of(r->others, r->others_len, at) < r->others_len)
            continue;
        if (place == r->said.hops_len)
            return at;
        if (place < last)
            return "another order of branches";
        last = place;
    }
    if (r->was.hops_len > 0 && r->said.hops_len > 0 &&
        strcmp(r->was.hops[0].at, r->said.hops[0].at) != 0)
        return "another first hop";
    return NULL;
}

static const char *
compare_targets(const struct rehearsal *r)
{
    if (r->said.targets_len != r->was.targets_len)
        return "another number of targets";
    for (unsigned i = 0; i < r->was.targets_len; i++)
        if (strcmp(r->said.targets[i], r->was.targets[i]) != 0)
            return r->was.targets[i];
    return NULL;
}

/* NULL: they agree. */
static const char *
compare(const struct rehearsal *r)
{
    const char *wrong;

    if (!r->said.ended)
        return "it was never said what comes of it";
    if (r->limited ||
        (r->asked && (r->was.refused == 401 || r->was.refused == 407) && r->was.hops_len == 0))
        return NULL;
    if (r->is_register && r->said.refused == 200)
        return NULL; /* what only the store can refuse is found out when it is written */
    if (r->plain && r->was.refused == 400)
        return NULL; /* for fields that explain knows nothing of */
    if (r->said.hops_len == 0 && r->said.refused != r->was.refused)
        return "another word went up";
    wrong = compare_targets(r);
    if (!wrong && r->said.hops_len > 0 && r->was.hops_len == 0 && r->was.refused != 487)
        return "it went nowhere";
    return wrong ? wrong : compare_hops(r);
}

unsigned
rehearse_compare(struct rehearsals *all)
{
    for (unsigned i = 0; i < all->len; i++) {
        const struct rehearsal *r = &all->at[i];
        const char *wrong = compare(r);

        if (wrong)
            world_fail(all->w, "%s%s: %s (said: %u targets, %u hops, %u; was: %u, %u, %u)", r->what,
                       r->plain ? " (by method and URI)" : "", wrong, r->said.targets_len,
                       r->said.hops_len, r->said.refused, r->was.targets_len, r->was.hops_len,
                       r->was.refused);
    }
    return all->len;
}
