/*
 * A request run dry.
 */
#include "core/dry.h"

#include "core/branch.h"
#include "core/check.h"
#include "core/intake.h"
#include "sip/status.h"

static void
tell_outcome(struct core *core, const struct gist *gist, uint64_t number, unsigned status,
             uint32_t hops)
{
    struct buf *b = &core->scratch;
    struct explain_event event = {
        .step = STEP_OUTCOME, .dry = number, .gist = gist, .status = (uint16_t)status, .count = hops
    };

    buf_clear(b);
    if (status >= 200)
        buf_printf(b, "it is answered with %u %.*s", status, SPAN_ARG(status_phrase(status)));
    else if (hops > 0)
        buf_printf(b, "it goes to %u place%s", hops, hops == 1 ? "" : "s");
    else
        buf_put(b, SPAN("nothing comes of it"));
    event.why = buf_span(b);
    explain_tell(core, event);
    core->explained--;
}

int
dry_run(struct core *core, const struct hop *from, struct span bytes, uint64_t number)
{
    struct check_result bad;
    struct msg msg;
    struct gist gist;
    struct uri uri;
    struct mark mark;
    struct intake in = {
        .msg = &msg, .gist = &gist, .from = from, .dry = number, .uri = &uri, .mark = &mark
    };
    int err = intake_read(core, from, bytes, number, &msg, &gist);

    if (err != SIPD_OK)
        return err;
    if (!msg_is_request(&msg) || !gist.answerable || gist.method == METHOD_ACK ||
        gist.method == METHOD_CANCEL)
        return SIPD_EINVAL;
    core->explained++;
    intake_look(core, &in);
    if (check_request(core, &in, &bad))
        trip_begin(core, &in);
    else
        dry_refuse(core, &gist, number, bad.status);
    return SIPD_OK;
}

void
dry_refuse(struct core *core, const struct gist *gist, uint64_t number, unsigned status)
{
    tell_outcome(core, gist, number, status, 0);
}

void
dry_attempt(struct branch *branch)
{
    if (branch->large == LARGE_BY_STREAM)
        EXPLAIN_BRANCH(branch, .step = STEP_ELSE, .hop = &branch->hops[branch->attempt - 1],
                       .count = branch->attempt);
    for (uint32_t i = branch->attempt; i < branch->hops_len; i++)
        EXPLAIN_BRANCH(branch, .step = STEP_ELSE, .hop = &branch->hops[i], .count = i + 1);
    for (const struct target *other = branch->target->other; other; other = other->other)
        EXPLAIN_BRANCH(branch, .step = STEP_ELSE, .hop = &other->is.hop, .count = 1);
    branch->trip->dry_hops++;
    branch_done(branch, 408);
}

void
dry_end(const struct trip *trip)
{
    tell_outcome(trip->core, &trip->gist, trip->dry, trip->final, trip->dry_hops);
}

/* ------------------------------------------------------------------ the request */

/* What nobody can make two header fields of. */
static bool
is_plain(struct span text)
{
    for (size_t i = 0; i < text.len; i++)
        if ((unsigned char)text.at[i] <= ' ' || text.at[i] == '<' || text.at[i] == '>')
            return false;
    return text.len > 0;
}

int
dry_write(const struct dry_ask *ask, uint64_t lot, struct buf *to)
{
    char source[HOP_TEXT_BYTES];
    struct span from = ask->from.len > 0 ? ask->from : SPAN("sip:anonymous@anonymous.invalid");
    struct span at = hop_write(&ask->source, source);
    struct uri uri;

    if (!is_plain(ask->method) || !is_plain(ask->uri) || !is_plain(from) ||
        uri_read(ask->uri, &uri) != SIPD_OK || uri_read(from, &uri) != SIPD_OK)
        return SIPD_EINVAL;
    buf_put(to, ask->method);
    buf_put_char(to, ' ');
    buf_put(to, ask->uri);
    buf_put(to, SPAN(" SIP/2.0\r\nVia: SIP/2.0/"));
    buf_put(to, hop_transport_via(ask->source.transport));
    buf_put_char(to, ' ');
    buf_put(to, at);
    buf_printf(to, ";branch=z9hG4bKdry%llx\r\nMax-Forwards: 70\r\nFrom: <",
               (unsigned long long)lot);
    buf_put(to, from);
    buf_printf(to, ">;tag=dry%llx\r\nTo: <", (unsigned long long)lot);
    /* §10.2: whose registration it is, for a REGISTER names the registrar. */
    buf_put(to, span_eq(ask->method, SPAN("REGISTER")) ? from : ask->uri);
    buf_printf(to, ">\r\nCall-ID: dry-run-%llx\r\nCSeq: 1 ", (unsigned long long)lot);
    buf_put(to, ask->method);
    buf_put(to, SPAN("\r\nContact: <sip:"));
    buf_put(to, at);
    /* As a phone that may register through an edge that requires Path (RFC 3327 §5.2). */
    buf_put(to, SPAN(">\r\nSupported: path\r\nContent-Length: 0\r\n\r\n"));
    return to->err;
}
