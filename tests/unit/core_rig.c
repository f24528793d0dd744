/*
 * The proxy core in a box: virtual clock, four listeners, users with contacts; what it sends is kept and read back.
 */
#include "unit/core_rig.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include "base/err.h"
#include "core/note.h"
#include "core/target.h"

enum { UDP = 1, TCP, UDP6, TLS };

struct rig rig;

/* ---------------------------------------------------------------- hops */

static uint16_t
listener_of(const struct hop *hop)
{
    if (hop->transport == HOP_UDP)
        return hop_is_v4(hop) ? UDP : UDP6;
    return hop->transport == HOP_TCP ? TCP : TLS;
}

struct hop
rig_hop(const char *text)
{
    struct span rest = span_of(text), flow;
    struct hop hop = { .port = 0 };
    size_t colon;
    uint32_t port;

    hop.transport = hop_transport_read(span_cut(&rest, ':'));
    flow = rest;
    rest = span_cut(&flow, '/');
    for (colon = rest.len; rest.at[colon - 1] != ':'; colon--)
        continue;
    must(hop.transport != HOP_NONE && hop_ip_read(span_head(rest, colon - 1), &hop));
    must(span_u32(span_skip(rest, colon), UINT16_MAX, &port));
    must(flow.len == 0 || span_u64(flow, UINT64_MAX, &hop.flow));
    hop.port = (uint16_t)port;
    hop.listener = listener_of(&hop);
    return hop;
}

/* ---------------------------------------------------------------- ports */

static bool
spent(void *io)
{
    const struct rig *r = io;

    return r->spent;
}

static void
load(void *io, struct core_load *out)
{
    *out = ((const struct rig *)io)->load;
}

static struct span
sent_by_of(uint16_t listener)
{
    switch (listener) {
    case UDP6: return SPAN("[2001:db8::5]:5060");
    case TLS: return SPAN("sip.example.com:5061");
    default: return SPAN("198.51.100.1:5060");
    }
}

static int
way(void *io, const struct hop *to, size_t bytes, struct way *out)
{
    const struct rig *r = io;

    (void)bytes;
    for (unsigned i = 0; i < r->blocked_len; i++)
        if (hop_eq(&r->blocked[i].to, to) && r->blocked[i].err != SIPD_OK)
            return r->blocked[i].err;
    if (to->flow == HOP_FLOW_DEAD)
        return SIPD_ECLOSED;
    out->to = *to;
    if (out->to.listener == 0)
        out->to.listener = listener_of(to);
    if (hop_is_reliable(to->transport) && to->flow == 0)
        out->to.flow = r->flows + to->port;
    out->sent_by = sent_by_of(out->to.listener);
    return SIPD_OK;
}

static uint32_t
path_mtu(void *io, const struct hop *to)
{
    struct rig *r = io;

    must(to->transport == HOP_UDP && to->flow == 0);
    r->mtu_asked++;
    return r->mtu;
}

static void
take_send(void *io, const struct hop *to, struct span bytes, uint64_t token, uint64_t need)
{
    struct rig *r = io;

    must(r->sent_len < RIG_SENT);
    must(need <= r->notes);
    r->turns[r->sent_len] = bytes;
    r->sent[r->sent_len++] =
        (struct rig_sent){ *to, r->clock.now_ms - r->base_ms, token, need, { NULL, 0 } };
}

static int
resolve(void *io, const struct sipd_place *place, uint64_t id)
{
    struct rig *r = io;
    struct rig_asked *asked = &r->asked[r->asked_len];

    if (!r->resolves)
        return SIPD_ENOENT;
    must(r->asked_len++ < RIG_ASKED);
    *asked = (struct rig_asked){ .branch = id,
                                 .scheme = place->uri->scheme,
                                 .seed = place->seed,
                                 .in_order = place->in_order,
                                 .stateless = place->stateless,
                                 .for_answer = place->for_answer };
    snprintf(asked->host, sizeof asked->host, "%.*s", SPAN_ARG(place->uri->host));
    return SIPD_OK;
}

static void
tried(void *io, const struct hop *hop, enum sipd_tried how, uint32_t retry_after_s)
{
    static const char *const words[] = { "answered", "busy", "silent", "failed",
                                         "passed",   "seen", "bounced" };
    struct rig *r = io;
    char text[HOP_TEXT_BYTES];
    size_t len = strlen(r->fared);

    snprintf(r->fared + len, sizeof r->fared - len, "%s%.*s %s", len > 0 ? ", " : "",
             SPAN_ARG(hop_write(hop, text)), words[how]);
    if (retry_after_s > 0) {
        len = strlen(r->fared);
        snprintf(r->fared + len, sizeof r->fared - len, " %u", (unsigned)retry_after_s);
    }
}

static uint64_t
note(void *io, const struct fact *fact)
{
    struct rig *r = io;

    (void)fact;
    return ++r->notes;
}

static bool
ours(void *io, struct span host, uint16_t port)
{
    (void)io;
    if (port != 0 && port != 5060 && port != 5061)
        return false;
    return span_ieq(host, SPAN("example.com")) || span_ieq(host, SPAN("sip.example.com")) ||
           span_eq(host, SPAN("198.51.100.1")) || span_ieq(host, SPAN("[2001:db8::5]"));
}

static const struct repair_policy *
repair_for(void *io, const struct hop *from)
{
    const struct rig *r = io;

    (void)from;
    return r->repair;
}

static bool
side(void *io, uint16_t listener, struct core_side *out)
{
    static const uint8_t transports[] = {
        [UDP] = HOP_UDP, [TCP] = HOP_TCP, [UDP6] = HOP_UDP, [TLS] = HOP_TLS
    };
    const struct rig *r = io;

    if (listener < UDP || listener > TLS)
        return false;
    *out = (struct core_side){ sent_by_of(listener), transports[listener], r->rport };
    return true;
}

static bool
knows(void *io, struct span aor)
{
    (void)io;
    return span_eq(aor, SPAN("sip:known@example.com"));
}

/* ---------------------------------------------------------------- hooks */

/* Every sender is trusted unless the test says no. */
static enum sipd_verdict
on_request(struct sipd_req *req, void *self)
{
    const struct rig *r = self;

    req->trip->trusted = r->trust;
    return SIPD_PASS;
}

/* The contacts of a user are the targets. */
static enum sipd_verdict
on_targets(struct sipd_req *req, void *self)
{
    const struct rig *r = self;

    for (unsigned i = 0; i < r->binds_len; i++) {
        const struct rig_bind *bind = &r->binds[i];
        struct sipd_target target = { .uri = span_of(bind->uri), .q = bind->q, .tag = i };

        if (!span_eq(req->trip->uri.user, span_of(bind->user)))
            continue;
        if (bind->hop)
            target.hop = rig_hop(bind->hop);
        if (trip_add_target(req->trip, &target) == SIPD_ENOMEM)
            return SIPD_FAIL;
    }
    return list_empty(&req->trip->targets) ? SIPD_PASS : SIPD_DONE;
}

/* ---------------------------------------------------------------- life */

static void
new_core(struct rig *r)
{
    struct chain_hook request = { .order = 100, .fn = on_request, .self = r, .name = "rig" };
    struct chain_hook targets = { .order = 1000, .fn = on_targets, .self = r, .name = "rig" };

    ck_assert_int_eq(core_new(&r->core, &r->ports, &r->conf), SIPD_OK);
    core_watch(r->core, r->ports.note != NULL);
    ck_assert_int_eq(chain_add(core_chain(r->core), SIPD_ON_REQUEST, &request), SIPD_OK);
    ck_assert_int_eq(chain_add(core_chain(r->core), SIPD_ON_TARGETS, &targets), SIPD_OK);
}

void
rig_restart(struct rig *r)
{
    core_free(&r->core);
    new_core(r);
}

void
rig_init(struct rig *r)
{
    memset(r, 0, offsetof(struct rig, sent));
    bug_doubt_fatal();
    r->clock.now_ms = r->base_ms = 5000000;
    r->resolves = r->trust = true;
    r->flows = 100000;
    r->branch = r->cseq = 1;
    r->call_id = "call1@192.0.2.1";
    r->from_tag = "a1";
    r->to_tag = "";
    arena_init(&r->turn, 16 << 20);
    counters_init(&r->counters);
    rand_seed(&r->rand, 1);
    core_conf_default(&r->conf);
    r->conf.transactions = 1000;
    r->ports = (struct core_ports){
        .repair = repair_for,
        .way = way,
        .path_mtu = path_mtu,
        .send = take_send,
        .resolve = resolve,
        .tried = tried,
        .note = note,
        .ours = ours,
        .side = side,
        .knows = knows,
        .spent = spent,
        .load = load,
        .io = r,
        .clock = &r->clock,
        .rand = &r->rand,
        .turn = &r->turn,
        .counters = &r->counters,
        .log = &r->log,
        .key = { 11, 22 },
    };
    new_core(r);
}

void
rig_fini(struct rig *r)
{
    core_free(&r->core);
    counters_fini(&r->counters);
    arena_fini(&r->turn);
}

void
rig_begin(void)
{
    heap_watch();
    rig_init(&rig);
}

void
rig_end(void)
{
    mem_fail_never();
    rig_fini(&rig);
    heap_compare();
}

void
rig_bind(struct rig *r, const char *user, const char *uri, const char *hop, uint32_t q)
{
    must(r->binds_len < RIG_BINDS);
    r->binds[r->binds_len++] = (struct rig_bind){ user, uri, hop, q };
}

void
rig_block(struct rig *r, const char *hop, int err)
{
    struct hop to = rig_hop(hop);
    unsigned i = 0;

    while (i < r->blocked_len && !hop_eq(&r->blocked[i].to, &to))
        i++;
    must(i < RIG_BLOCKED);
    r->blocked[i].to = to;
    r->blocked[i].err = err;
    if (i == r->blocked_len)
        r->blocked_len++;
}

/* ---------------------------------------------------------------- turns */

/* A turn ends: what was put off happens, what was sent leaves, the turn's memory goes. */
static void
end_turn(struct rig *r)
{
    core_tick(r->core);
    must(note_is_complete(r->core));
    for (unsigned i = r->turns_from; i < r->sent_len; i++) {
        struct span bytes = r->turns[i];

        must(r->store_len + bytes.len <= sizeof r->store);
        memcpy(r->store + r->store_len, bytes.at, bytes.len);
        r->sent[i].bytes = (struct span){ r->store + r->store_len, bytes.len };
        r->store_len += bytes.len;
    }
    r->turns_from = r->sent_len;
    arena_reset(&r->turn);
}

void
rig_pass(struct rig *r, uint64_t ms)
{
    uint64_t end = r->clock.now_ms + ms;

    for (unsigned turns = 0;; turns++) {
        uint64_t next = core_next_ms(r->core);

        must(turns < 100000);
        if (next > end)
            break;
        if (next > r->clock.now_ms)
            r->clock.now_ms = next;
        end_turn(r);
    }
    r->clock.now_ms = end;
    end_turn(r);
}

bool
rig_bytes(struct rig *r, const char *from, struct span bytes, uint16_t fault, const char *reason)
{
    struct hop hop = rig_hop(from);
    struct span received =
        arena_copy(&r->turn, bytes); /* a receive buffer does not outlive its turn */

    bool sure;

    if (!received.at)
        return true;
    if (r->came_to != 0)
        hop.listener = r->came_to;
    sure = core_bytes(r->core, &hop, received, fault, reason);
    end_turn(r);
    return sure;
}

void
rig_new_branch(struct rig *r)
{
    r->branch++;
}

void
rig_gone(struct rig *r, const struct rig_sent *sent)
{
    core_gone(r->core, sent->token, SIPD_ECLOSED);
    end_turn(r);
}

void
rig_resolved(struct rig *r, unsigned n, int err, ...)
{
    struct hop hops[300];
    size_t len = 0;
    const char *text;
    va_list list;

    va_start(list, err);
    while ((text = va_arg(list, const char *)) && len < countof(hops))
        hops[len++] = rig_hop(text);
    va_end(list);
    must(n < r->asked_len);
    core_resolved(r->core, r->asked[n].branch, hops, len, err);
    end_turn(r);
}

void
rig_resume(struct rig *r, uint64_t trip)
{
    core_resume(r->core, trip);
    end_turn(r);
}

void
rig_hear_reply(struct rig *r, const struct rig_sent *request, struct span bytes)
{
    struct span received = arena_copy(&r->turn, bytes);

    if (received.at)
        core_bytes(r->core, &request->to, received, 0, NULL);
    end_turn(r);
}

/* ---------------------------------------------------------------- what is left */

void
rig_alive(const struct rig *r, unsigned trips, unsigned branches, unsigned transactions)
{
    struct core_stats stats;

    core_stats(r->core, &stats);
    ck_assert_uint_eq(stats.trips, trips);
    ck_assert_uint_eq(stats.branches, branches);
    ck_assert_uint_eq(stats.transactions, transactions);
}

uint64_t
rig_counter(struct rig *r, const char *name)
{
    return *counters_get(&r->counters, name);
}

void
rig_settled(struct rig *r)
{
    struct core_stats stats;

    rig_pass(r, 600000);
    rig_alive(r, 0, 0, 0);
    core_stats(r->core, &stats);
    ck_assert_uint_eq(stats.pending, 0);
    ck_assert_uint_eq(core_next_ms(r->core), UINT64_MAX);
}
