/*
 * explain METHOD URI [from ADDRESS]: a request is run dry, and what is decided goes into the answer.
 */
#include "daemon/rehearse.h"

#include "base/mem.h"
#include "core/dry.h"
#include "daemon/teller.h"
#include "host/answer.h"

enum {
    EVENTS_MOST = 2000, /* of a run */
    RUNS_MOST = 64,
    REQUEST_BYTES = 65536,
};

struct rehearsals {
    struct slots runs;  /* those under way */
    struct buf request; /* the next one is written here … */
    struct buf shown;   /* … and its URI, fit to be shown */
};

struct run {
    uint64_t answer; /* to who asked */
    uint64_t events;
};

/* An event goes into the answer of who asked, and the last one sends it. */
void
rehearse_event(struct daemon *d, const struct explain_event *event)
{
    struct rehearsals *all = d->rehearsals;
    struct run *run = all ? slots_find(&all->runs, event->dry) : NULL;
    struct sipd_answer *answer = run && d->host ? host_find_answer(d->host, run->answer) : NULL;
    bool ends = event->step == STEP_OUTCOME;

    if (answer && ends)
        answer_whole_field(answer, "outcome", event->why);
    else if (answer && ++run->events <= EVENTS_MOST)
        teller_put(d, event, run->events, answer);
    if (run && ends)
        slots_free(&all->runs, event->dry);
    if (answer && ends)
        sipd_answer_send(answer);
}

/* ------------------------------------------------------------------ who asks */

/* "alice@example.com" is short for a sip URI. */
static bool
read_user(struct daemon *d, struct span text, struct span *from)
{
    char *whole = arena_alloc(net_turn_arena(d->net), text.len + 4);
    struct uri uri;

    *from = text;
    if (uri_read(text, &uri) == SIPD_OK)
        return true;
    if (!whole)
        return false;
    memcpy(whole, "sip:", 4);
    memcpy(whole + 4, text.at, text.len);
    *from = (struct span){ whole, text.len + 4 };
    return uri_read(*from, &uri) == SIPD_OK;
}

/* "udp:192.0.2.1:5060", "192.0.2.1:5060", "192.0.2.1", "[2001:db8::1]:5060" */
static bool
read_source(struct span text, struct hop *source)
{
    struct span rest = text;
    uint8_t transport = hop_transport_read(span_cut(&rest, ':'));
    size_t colon;
    uint32_t port;

    if (transport == HOP_NONE)
        rest = text;
    else
        source->transport = transport;
    if (hop_ip_read(rest, source))
        return true;
    for (colon = rest.len; colon > 0 && rest.at[colon - 1] != ':'; colon--)
        continue;
    if (colon == 0 || !span_u32(span_skip(rest, colon), 65535, &port))
        return false;
    source->port = (uint16_t)port;
    return hop_ip_read(span_head(rest, colon - 1), source);
}

/* The listener that a request from there would come to: one of its transport and kind of address. */
static bool
choose_listener(const struct daemon *d, bool any, struct hop *source)
{
    struct net_listener_info info;

    for (size_t i = 0; i < d->listeners.len; i++) {
        if (!net_listener(d->net, d->listeners.at[i].id, &info) ||
            (!any &&
             (info.at.transport != source->transport || hop_is_v4(&info.at) != hop_is_v4(source))))
            continue;
        if (any)
            *source = info.at; /* somebody on this machine */
        source->listener = d->listeners.at[i].id;
        return true;
    }
    return false;
}

static bool
read_from(struct daemon *d, struct span text, struct dry_ask *ask)
{
    bool is_user = span_find(text, '@') < text.len;

    ask->source = (struct hop){ .transport = HOP_UDP, .port = 5060 };
    if (text.len == 0 || is_user)
        return choose_listener(d, true, &ask->source) &&
               (!is_user || read_user(d, text, &ask->from));
    return read_source(text, &ask->source) && choose_listener(d, false, &ask->source);
}

/* ------------------------------------------------------------------ the command */

/* False: it was refused. */
static bool
write_request(struct daemon *d, const struct sipd_ask *ask, struct dry_ask *dry,
              struct sipd_answer *answer)
{
    struct span from = ask->words_len > 2 ? ask->words[2] : (struct span){ NULL, 0 };
    struct buf *b = &d->rehearsals->request;

    buf_clear(b);
    if (!read_from(d, from, dry)) {
        sipd_answer_refuse(answer, "from: a user, as alice@example.com, or an address that could "
                                   "reach a listener of ours, as udp:192.0.2.1:5060");
        return false;
    }
    if (dry_write(dry, rand_u64(&d->rand), b) != SIPD_OK) {
        sipd_answer_refuse(answer, "the method, the URI or the sender cannot stand in a request");
        return false;
    }
    return true;
}

/* A password may be in it (RFC 3261 §19.1.1). */
static void
answer_uri(struct daemon *d, struct sipd_answer *answer, struct span uri)
{
    struct buf *b = &d->rehearsals->shown;

    buf_clear(b);
    explain_text(uri, b);
    answer_whole_field(answer, "uri", buf_span(b));
}

static void
explain(void *self, const struct sipd_ask *ask, struct sipd_answer *answer)
{
    struct daemon *d = self;
    struct rehearsals *all = d->rehearsals;
    struct dry_ask dry = { .method = ask->words[0], .uri = ask->words[1] };
    struct run *run;
    uint64_t id;

    if (!write_request(d, ask, &dry, answer))
        return;
    run = slots_new(&all->runs, &id);
    if (!run) {
        sipd_answer_refuse(answer, "too many dry runs are under way");
        return;
    }
    answer_call_rows(answer, "events");
    answer_whole_field(answer, "method", dry.method);
    answer_uri(d, answer, dry.uri);
    run->answer = sipd_answer_later(answer);
    if (run->answer == 0) {
        slots_free(&all->runs, id);
    } else if (dry_run(d->core, &dry.source, buf_span(&all->request), id) != SIPD_OK) {
        slots_free(&all->runs, id);
        sipd_answer_refuse(answer, "an ACK or a CANCEL follows its INVITE: explain that");
        sipd_answer_send(answer);
    }
}

int
rehearse_declare(struct daemon *d)
{
    struct rehearsals *all = d->rehearsals = mem_new(sizeof *all);

    if (!all)
        return SIPD_ENOMEM;
    slots_init(&all->runs, sizeof(struct run), RUNS_MOST);
    buf_init(&all->request, REQUEST_BYTES);
    buf_init(&all->shown, REQUEST_BYTES);
    return host_command(d->host, "explain <method> <uri> [from <address>]",
                        "what would happen to a request; nothing is sent", false, explain, d);
}

void
rehearse_fini(struct daemon *d)
{
    struct rehearsals *all = d->rehearsals;

    d->rehearsals = NULL;
    if (!all)
        return;
    slots_fini(&all->runs);
    buf_fini(&all->request);
    buf_fini(&all->shown);
    mem_free(all);
}
