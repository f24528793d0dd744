/*
 * Our Path in a REGISTER that we pass on, as the edge between a phone and its registrar (RFC 3327 §5.2, RFC 5626 §5.1).
 */
#include "core/path.h"

#include "core/explain.h"
#include "core/state.h"
#include "core/token.h"

/* Does a field of this name list path? */
static bool
lists_path(const struct msg *msg, enum header header)
{
    for (const struct msg_field *field = msg_find(msg, header, NULL); field;
         field = msg_find(msg, header, field)) {
        struct span value = msg_value(msg, field);

        while (value.len > 0)
            if (span_ieq(span_trim(span_cut(&value, ',')), SPAN("path")))
                return true;
    }
    return false;
}

/* Does the phone say that it knows of Path (RFC 3327 §5.2)? Who does not would be refused for ours. */
static bool
knows_path(const struct msg *msg)
{
    return lists_path(msg, HDR_SUPPORTED) || lists_path(msg, HDR_REQUIRE);
}

bool
path_refuses(struct trip *trip)
{
    const struct core_conf *conf = trip->core->conf;
    struct reply_with with = { .lines = SPAN("Require: path\r\n") };

    if (trip->gist.method != METHOD_REGISTER || !conf->path || !conf->path_required ||
        knows_path(&trip->msg))
        return false;
    EXPLAIN_TRIP(trip, .step = STEP_REFUSED, .who = SPAN("proxy.path_required"), .status = 421,
                 .why = SPAN("for want of \"Supported: path\""));
    *trip->core->count.unsent += trip_reply(trip, 421, &with) != SIPD_OK;
    return true;
}

/* Are we the first that the REGISTER came to? */
static bool
is_first_hop(const struct trip *trip)
{
    return span_trim(trip->gist.vias_below).len == 0 &&
           !msg_find(&trip->msg, HDR_VIA, trip->gist.via_field);
}

void
path_write(const struct branch *branch, const struct way *way, bool secure, struct draft *draft)
{
    const struct trip *trip = branch->trip;
    struct core *core = trip->core;
    struct token token = { .listener = trip->source.listener,
                           .has_flow = true,
                           .by_flow = true,
                           .bound = true,
                           .path = true,
                           .flow = trip->natted ? trip->source : trip->reply_to };
    bool sips = secure && trip->source.transport == HOP_TLS && way->to.transport == HOP_TLS;
    bool plain = sips || way->to.transport == HOP_UDP;
    bool ob = is_first_hop(trip) && hop_is_reliable(trip->source.transport);
    struct buf *b = &core->scratch;
    char text[TOKEN_BYTES];

    if (!core->conf->path || !knows_path(&trip->msg))
        return;
    buf_clear(b);
    buf_put(b, sips ? SPAN("<sips:") : SPAN("<sip:"));
    buf_put(b, token_write(core, SPAN(""), &token, text));
    buf_put(b, SPAN("@"));
    buf_put(b, way->sent_by);
    buf_put(b, plain ? SPAN("") : SPAN(";transport="));
    buf_put(b, plain ? SPAN("") : hop_transport_uri(way->to.transport));
    buf_put(b, ob ? SPAN(";lr;ob>") : SPAN(";lr>"));
    draft_push_path(draft, core_text(core));
    if (core->conf->path_required && !lists_path(&trip->msg, HDR_REQUIRE))
        draft_add_header(draft, SPAN("Require"), SPAN("path"));
}
