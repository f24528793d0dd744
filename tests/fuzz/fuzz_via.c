/*
 * Lists of Vias: elements lie in the input and move on, each read alone is the same, the way back is a whole address.
 */
#include "base/buf.h"
#include "base/err.h"
#include "fuzz/input.h"
#include "sip/via.h"

int fuzz_via(const uint8_t *data, size_t size);

static bool
same(const struct via *a, const struct via *b)
{
    return span_eq(a->whole, b->whole) && span_eq(a->transport_text, b->transport_text) &&
           span_eq(a->sent_by, b->sent_by) && span_eq(a->host, b->host) && a->port == b->port &&
           span_eq(a->params, b->params) && span_eq(a->branch, b->branch) &&
           span_eq(a->received, b->received) && span_eq(a->maddr, b->maddr) &&
           span_eq(a->rport, b->rport) && a->has_rport == b->has_rport &&
           a->has_cookie == b->has_cookie;
}

static void
check_reply(const struct via *via)
{
    struct hop hop = { .transport = HOP_UDP, .listener = 7 }, again;
    char text[HOP_TEXT_BYTES];

    if (!via_reply_hop(via, &hop))
        return;
    again = hop;
    BUG_ON(hop.port == 0 || hop.transport != HOP_UDP || hop.listener != 7);
    BUG_ON(!hop_ip_read(hop_host_write(&hop, text), &again) || !hop_eq(&hop, &again));
}

/* What was kept as a number is what the text says. */
static void
check_numbers(const struct via *via)
{
    bool is_ip;
    struct hop hop;
    uint32_t port = 0;

    BUG_ON(via->transport != hop_transport_read(via->transport_text));
    is_ip = hop_ip_read(via->received, &hop);
    BUG_ON(via->has_received_ip != is_ip ||
           (is_ip && memcmp(via->received_ip, hop.ip, sizeof hop.ip) != 0));
    (void)span_u32(via->rport, UINT16_MAX, &port);
    BUG_ON(via->rport_number != port);
}

/* With a blank before each parameter nothing is as nearly all write it, and yet all is the same. */
static void
check_spaced(const struct via *via)
{
    struct span text = via->whole;
    struct buf buf;
    struct via again;
    struct span rest;

    if (span_find(text, '"') < text.len)
        return;
    buf_init(&buf, 2 * text.len + 1);
    for (size_t i = 0; i < text.len; i++)
        buf_put(&buf, text.at[i] == ';' ? SPAN(" ;") : (struct span){ text.at + i, 1 });
    rest = buf_span(&buf);
    BUG_ON(buf.err || via_next(&rest, &again) != SIPD_OK || rest.len > 0);
    BUG_ON(!span_eq(again.sent_by, via->sent_by) || !span_eq(again.host, via->host) ||
           again.port != via->port);
    BUG_ON(!span_eq(again.branch, via->branch) || !span_eq(again.received, via->received));
    BUG_ON(!span_eq(again.rport, via->rport) || again.has_rport != via->has_rport);
    BUG_ON(again.has_cookie != via->has_cookie || again.twice != via->twice ||
           again.loose != via->loose || again.characters != via->characters);
    buf_fini(&buf);
}

static void
check_element(struct span input, const struct via *via)
{
    const struct span parts[] = { via->transport_text, via->sent_by, via->params, via->branch,
                                  via->received,       via->maddr,   via->rport };
    struct span copy = input_copy(via->whole.at, via->whole.len), rest = copy;
    struct via again;

    BUG_ON(!input_holds(input, via->whole));
    for (size_t i = 0; i < countof(parts); i++)
        BUG_ON(!input_holds(via->whole, parts[i]));
    BUG_ON(via->host.len == 0 || !input_holds(via->sent_by, via->host));
    BUG_ON(via_next(&rest, &again) != SIPD_OK || rest.len > 0 || !same(via, &again));
    check_numbers(via);
    check_reply(via);
    check_spaced(via);
    input_free(&copy);
}

/* What is read of one that is none lies in it. */
static void
check_salvage(struct span value)
{
    struct via via;

    if (!via_salvage(value, &via))
        return;
    BUG_ON(via.whole.len > 0 || via.transport_text.len == 0 ||
           !input_holds(value, via.transport_text));
    BUG_ON(!input_holds(value, via.sent_by) || !input_holds(via.sent_by, via.host));
    BUG_ON(!input_holds(value, via.branch) || !input_holds(value, via.received));
    BUG_ON(!input_holds(value, via.rport) || !input_holds(value, via.maddr));
}

int
fuzz_via(const uint8_t *data, size_t size)
{
    struct span input = input_copy(data, size), rest = input, before = input;
    struct via via;
    int err;

    while ((err = via_next(&rest, &via)) == SIPD_OK) {
        BUG_ON(rest.len >= before.len || !input_holds(input, rest));
        before = rest;
        check_element(input, &via);
    }
    BUG_ON(err == SIPD_ENOENT && rest.len > 0);
    if (err == SIPD_ESYNTAX)
        check_salvage(rest);
    BUG_ON(err == SIPD_ESYNTAX && (rest.at != before.at || rest.len != before.len));
    input_free(&input);
    return 0;
}
