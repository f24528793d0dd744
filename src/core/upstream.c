/*
 * What goes up to the caller: responses from branches, the best of them, or our own (RFC 3261 §16.7 steps 3 to 10).
 */
#include "core/upstream.h"

#include "core/best.h"
#include "core/explain.h"
#include "core/forward.h"
#include "core/note.h"
#include "core/refuse.h"

static const struct span none;

/* A final response went up: the search is over, whatever is still pending. */
static void
set_final(struct trip *trip, unsigned status)
{
    struct core *core = trip->core;

    trip->final = (uint16_t)status;
    trip->state = TRIP_ANSWERED;
    core->pending -= trip->server != 0;
    timers_disarm(&core->timers, &trip->no_answer);
}

APART static void
ask_hooks(struct trip *trip, unsigned status)
{
    struct sipd_req req = { .core = trip->core, .trip = trip, .status = (uint16_t)status };
    uint16_t at = 0;

    (void)chain_ask(&trip->core->chain, &req, SIPD_ON_REPLY, &at);
}

/* After a final response only further 2xx to an INVITE go up (§16.7 step 5). */
static bool
may_go_up(const struct trip *trip, unsigned status)
{
    if (trip->gist.method == METHOD_ACK)
        return false;
    return trip->final == 0 ||
           (trip->gist.method == METHOD_INVITE && trip->final / 100 == 2 && status / 100 == 2);
}

/* By its transaction, or without one straight back (§16.11). */
static int
send(struct trip *trip, unsigned status, struct span bytes, const struct reply_with *with)
{
    if (trip->dry != 0)
        return SIPD_OK;
    if (trip->server != 0)
        return txns_reply(&trip->core->txns, trip->server, status, bytes, with);
    note_send(trip->core, &trip->reply_to, bytes, 0);
    return SIPD_OK;
}

/* "Ringing" of "SIP/2.0 180 Ringing" */
static struct span
phrase_of(struct span bytes)
{
    return span_trim(span_skip(span_head(bytes, span_find(bytes, '\n')), 12));
}

int
upstream_send(struct trip *trip, unsigned status, struct span bytes, const struct reply_with *with)
{
    struct core *core = trip->core;
    int err;

    if (!may_go_up(trip, status))
        return SIPD_OK;
    if (status > 100 && chain_has(&core->chain, SIPD_ON_REPLY))
        ask_hooks(trip, status);
    EXPLAIN_TRIP(trip, .step = STEP_UP, .status = (uint16_t)status, .why = phrase_of(bytes),
                 .hop = &trip->reply_to);
    err = send(trip, status, bytes, with);
    if (err != SIPD_OK)
        return err;
    if (status > 100) {
        trip->up = true;
        timers_disarm(&core->timers, &trip->trying);
    }
    if (status >= 200 && trip->final == 0)
        set_final(trip, status);
    return SIPD_OK;
}

void
upstream_refuse(struct trip *trip, unsigned status, struct span phrase)
{
    struct reply_with with = { .phrase = phrase };

    if (status == 503)
        with.lines = refuse_retry_after(trip->core);
    /* Without memory the request stays unanswered; its sender asks again, or its own timer ends it. */
    *trip->core->count.unsent += trip_reply(trip, status, &with) != SIPD_OK;
}

void
upstream_status(struct trip *trip, unsigned status)
{
    upstream_refuse(trip, status, none);
}

bool
upstream_second_via(const struct msg *msg, const struct gist *gist, struct via *via)
{
    struct span rest = gist->vias_below;
    const struct msg_field *next;
    int err;

    if (gist->via.whole.len == 0)
        return false;
    if (rest.len > 0 && (err = via_next(&rest, via)) != SIPD_ENOENT)
        return err == SIPD_OK;
    next = msg_find(msg, HDR_VIA, gist->via_field);
    rest = next ? msg_value(msg, next) : none;
    return via_next(&rest, via) == SIPD_OK;
}

/* Step 7: the challenges of all other branches that asked for credentials. */
static void
add_challenges(const struct trip *trip, const struct msg *chosen, struct draft *draft)
{
    static const enum header challenges[] = { HDR_WWW_AUTHENTICATE, HDR_PROXY_AUTHENTICATE };

    list_each (node, after, &trip->branches) {
        struct branch *branch = container_of(node, struct branch, link);
        struct msg msg;

        if ((branch->status != 401 && branch->status != 407) ||
            branch->response.at == chosen->bytes ||
            msg_read(branch->response, trip->core->ports.turn, &msg) != SIPD_OK)
            continue;
        for (size_t i = 0; i < countof(challenges); i++) {
            const struct msg_field *field = NULL;

            while ((field = msg_find(&msg, challenges[i], field)))
                draft_add_header(draft, names_header_text(challenges[i]), msg_value(&msg, field));
        }
    }
}

static bool
has_challenges(const struct msg *msg)
{
    return msg->status == 401 || msg->status == 407;
}

/* Has our Via its line for itself, and is nothing else to be done? */
static bool
only_loses_via(const struct msg *msg, const struct gist *gist, const struct trip *trip)
{
    return gist->via.whole.len > 0 && gist->vias_below.len == 0 &&
           msg_first(msg, HDR_CONTENT_LENGTH) && !(trip && has_challenges(msg));
}

struct span
upstream_pop_via(struct core *core, const struct msg *msg, const struct gist *gist,
                 const struct via *second, const struct trip *trip)
{
    struct draft draft;
    struct span bytes;

    if (only_loses_via(msg, gist, trip))
        return draft_without(msg, gist->via_field, core->ports.turn);
    draft_init(&draft, msg, core->ports.turn);
    draft_pop_via(&draft, gist);
    if (!msg_first(msg, HDR_CONTENT_LENGTH))
        forward_add_length(msg, second->transport, &draft);
    if (trip && has_challenges(msg))
        add_challenges(trip, msg, &draft);
    return draft_render(&draft, core->ports.turn, &bytes) == SIPD_OK ? bytes : none;
}

void
upstream_response(struct trip *trip, const struct msg *msg, const struct gist *gist)
{
    struct span bytes;
    struct via via;

    if (!upstream_second_via(msg, gist, &via))
        return;
    bytes = upstream_pop_via(trip->core, msg, gist, &via, trip);
    if (bytes.at)
        *trip->core->count.unsent += upstream_send(trip, msg->status, bytes, NULL) != SIPD_OK;
}

void
upstream_late(struct core *core, uint64_t peer, const struct msg *msg, const struct gist *gist)
{
    struct span bytes;
    struct via via;

    if (!upstream_second_via(msg, gist, &via))
        return;
    bytes = upstream_pop_via(core, msg, gist, &via, NULL);
    if (bytes.at)
        *core->count.unsent += txns_answer(&core->txns, peer, msg->status, bytes) == SIPD_ENOMEM;
}

static struct branch *
choose(struct trip *trip)
{
    struct branch *best = NULL;

    list_each (node, after, &trip->branches) {
        struct branch *branch = container_of(node, struct branch, link);

        if (branch->status >= 300 && (!best || best_is_better(branch->status, best->status)))
            best = branch;
    }
    return best;
}

/* Passes the chosen response on as it came; false if it is not there any more. */
static bool
pass_on(struct trip *trip, const struct branch *best)
{
    struct msg msg;
    struct gist gist;

    if (best->response.len == 0 ||
        msg_read(best->response, trip->core->ports.turn, &msg) != SIPD_OK)
        return false;
    gist_read(&msg, &gist);
    upstream_response(trip, &msg, &gist);
    return trip->final != 0;
}

static uint32_t
count_branches(const struct trip *trip)
{
    uint32_t count = 0;

    for (const struct list *node = trip->branches.next; node != &trip->branches; node = node->next)
        count++;
    return count;
}

void
upstream_best(struct trip *trip)
{
    struct branch *best = choose(trip);
    unsigned status = best              ? best_goes_up_as(best->status, trip->by_path)
                      : trip->cancelled ? 487
                                        : 500;

    EXPLAIN_TRIP(trip, .step = STEP_BEST, .status = (uint16_t)status, .count = count_branches(trip),
                 .why = !best                     ? SPAN("there is none to choose")
                        : status != best->status  ? SPAN("it stands for another that never goes up")
                        : best->response.len == 0 ? SPAN("our own word")
                                                  : SPAN("as it came"));
    /* A late 408 to a non-INVITE helps nobody: its sender's own timer has fired (RFC 4320 §4.2). */
    if (status == 408 && trip->gist.method != METHOD_INVITE)
        trip->state = TRIP_SILENT;
    else if (!best || status != best->status || !pass_on(trip, best))
        upstream_status(trip, status);
}
