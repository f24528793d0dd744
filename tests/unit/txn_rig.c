/*
 * Transactions on a virtual clock: what they send, note and tell is written down with its time.
 */
#include "unit/txn_rig.h"

#include <stdio.h>

#include "base/err.h"
#include "txn/fact.h"
#include "unit/must.h"

static uint64_t
now(const struct txn_rig *r)
{
    return r->clock.now_ms - r->base_ms;
}

static void
take_send(void *io, const struct hop *to, struct span bytes, uint64_t id, uint64_t need)
{
    struct txn_rig *r = io;
    struct txn_rig_sent *sent = &r->sent[r->sent_len++];

    must(r->sent_len <= TXN_RIG_SENT && bytes.len < TXN_RIG_TEXT);
    *sent = (struct txn_rig_sent){ .at_ms = now(r), .id = id, .need = need, .to = *to };
    memcpy(sent->text, bytes.at, bytes.len);
}

static uint64_t
take_note(void *io, const struct fact *fact)
{
    struct txn_rig *r = io;

    snprintf(r->fact_kind, sizeof r->fact_kind, "%s", fact->kind);
    r->fact_version = fact->version;
    r->fact_id = fact->id;
    if (r->mirror && txns_restore(r->mirror, fact) != SIPD_OK)
        ck_abort_msg("a fact is refused");
    return ++r->notes;
}

void
txn_rig_init(struct txn_rig *r, uint32_t limit)
{
    struct txn_ports ports = { .send = take_send, .note = take_note, .io = r };
    struct prf_key key = { 1, 2 };

    memset(r, 0, sizeof *r);
    r->clock.now_ms = r->base_ms = 1000000;
    arena_init(&r->turn, 1 << 20);
    ck_assert_int_eq(txns_init(&r->t, &ports, &r->clock, &r->turn, &key, limit), SIPD_OK);
    r->t.watched = true;
}

void
txn_rig_fini(struct txn_rig *r)
{
    txns_fini(&r->t);
    arena_fini(&r->turn);
}

static void
take_told(struct txn_rig *r, const struct txn_told *told)
{
    static const char *const names[] = { "QUIET",  "RESPONSE", "TIMEOUT",
                                         "FAILED", "ENDED",    "UNHEARD" };
    size_t len = strlen(r->told);

    if (told->news != TXN_QUIET)
        snprintf(r->told + len, sizeof r->told - len, "%s%s@%llu", len ? " " : "",
                 names[told->news], (unsigned long long)now(r));
}

void
txn_rig_pass(struct txn_rig *r, uint64_t ms)
{
    uint64_t end = r->clock.now_ms + ms;
    struct txn_told told;

    for (;;) {
        uint64_t next = txns_next_ms(&r->t);

        while (txns_due(&r->t, &told))
            take_told(r, &told);
        arena_reset(&r->turn);
        if (r->clock.now_ms == end)
            return;
        next = txns_next_ms(&r->t);
        must(next > r->clock.now_ms);
        r->clock.now_ms = next < end ? next : end;
    }
}

const char *
txn_rig_times(struct txn_rig *r)
{
    size_t len = 0;

    r->times[0] = '\0';
    for (unsigned i = 0; i < r->sent_len; i++)
        len += (size_t)snprintf(r->times + len, sizeof r->times - len, "%s%llu", i ? " " : "",
                                (unsigned long long)r->sent[i].at_ms);
    return r->times;
}

void
txn_rig_forget(struct txn_rig *r)
{
    r->sent_len = 0;
    r->told[0] = '\0';
    r->base_ms = r->clock.now_ms;
}

struct hop
txn_rig_hop(const char *text)
{
    struct span rest = span_of(text);
    struct hop hop = { .listener = 1 };
    size_t colon;
    uint32_t port;

    if (span_starts(rest, SPAN("flow:"))) {
        rest = span_skip(rest, 5);
        hop.flow = 7;
    }
    hop.transport = hop_transport_read(span_cut(&rest, ':'));
    for (colon = rest.len; rest.at[colon - 1] != ':'; colon--)
        continue;
    must(hop.transport != HOP_NONE && hop_ip_read(span_head(rest, colon - 1), &hop) &&
         span_u32(span_skip(rest, colon), UINT16_MAX, &port));
    hop.port = (uint16_t)port;
    return hop;
}

/* A place for the next text. */
static char *
next_text(void)
{
    static char texts[4][TXN_RIG_TEXT];
    static unsigned next;

    return texts[next++ % 4];
}

const char *
txn_rig_request(const char *method, const char *via)
{
    char *text = next_text();

    snprintf(text, TXN_RIG_TEXT,
             "%s sip:bob@example.com SIP/2.0\r\nVia: %s\r\nFrom: <sip:alice@example.com>;tag=f1\r\n"
             "To: <sip:bob@example.com>\r\nCall-ID: c1\r\nCSeq: 1 %s\r\nContent-Length: 0\r\n\r\n",
             method, via, method);
    return text;
}

const char *
txn_rig_response(unsigned status, const char *method, const char *branch, const char *to_tag)
{
    char *text = next_text();

    snprintf(
        text, TXN_RIG_TEXT,
        "SIP/2.0 %u Whatever\r\nVia: SIP/2.0/UDP 198.51.100.1:5060;branch=%s\r\n"
        "From: <sip:alice@example.com>;tag=f1\r\nTo: <sip:bob@example.com>%s%s\r\nCall-ID: c1\r\n"
        "CSeq: 1 %s\r\nContent-Length: 0\r\n\r\n",
        status, branch, *to_tag ? ";tag=" : "", to_tag, method);
    return text;
}

const struct txn_key *
txn_rig_key(const struct txns *t, enum method method, struct span branch)
{
    static struct txn_key key;

    key = txns_client_key(t, method, branch);
    return &key;
}

struct txn *
txn_rig_server(const struct txns *t, const struct gist *gist)
{
    struct txn_key key = txns_key(t, gist);

    return txn_of(txns_find_by(t, &key));
}

uint64_t
txn_rig_ask(struct txn_rig *r, const char *branch, const char *method, const char *to)
{
    struct hop hop = txn_rig_hop(to);
    uint64_t id = 0;
    char via[128];

    snprintf(via, sizeof via, "SIP/2.0/UDP 198.51.100.1:5060;branch=%s", branch);
    must(txns_request(&r->t, names_method(span_of(method)),
                      txn_rig_key(&r->t, names_method(span_of(method)), span_of(branch)), &hop,
                      span_of(txn_rig_request(method, via)), SPAN(""), 77, &id) == SIPD_OK);
    return id;
}
