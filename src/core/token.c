/*
 * The user part of our Record-Route: a keyed token over Call-ID and listener, and the flow that leads back (RFC 3261 §16.6
 * step 4, RFC 5626 §5.2).
 *
 * In digits of five bits: eight of kind, listener and port; of a flow its address, eight or thirty-two, and sixteen of its
 * number if it has one; then sixteen of a MAC over what stands before it.
 */
#include "core/token.h"

#include "base/digits.h"

enum { HEAD = 8, V4 = 8, V6 = 2 * DIGITS_64, ID = DIGITS_64, MAC = DIGITS_64 };
/* The kind: the transport, 0 without a flow, and these. */
enum { BY_FLOW = 4, BOUND = 8, OURS = 16, PATH = 32, IS_V6 = 64, HAS_ID = 128, TRANSPORT = 3 };

_Static_assert(HEAD + V6 + ID + MAC == TOKEN_BYTES, "the longest one fits");
_Static_assert(HEAD + MAC == TOKEN_LEAST, "one without a flow");
_Static_assert(HOP_TRANSPORTS <= TRANSPORT + 1, "two bits hold every transport");

static unsigned
kind_of(const struct token *token)
{
    unsigned kind = (token->by_flow ? BY_FLOW : 0) | (token->bound ? BOUND : 0) |
                    (token->ours ? OURS : 0) | (token->path ? PATH : 0);

    if (!token->has_flow)
        return kind;
    return kind | token->flow.transport | (hop_is_v4(&token->flow) ? 0 : IS_V6) |
           (token->flow.flow ? HAS_ID : 0);
}

/* The digits of a token of this kind, but for its MAC. */
static size_t
plain_len(unsigned kind)
{
    size_t len = HEAD;

    if (kind & TRANSPORT)
        len += kind & IS_V6 ? V6 : V4;
    return kind & HAS_ID ? len + ID : len;
}

static uint64_t
mac_of(const struct core *core, struct span call_id, unsigned kind, struct span plain)
{
    return prf_mac(&core->route_key, plain, kind & PATH ? SPAN("") : call_id);
}

static void
write_40(uint64_t bits, char to[8])
{
    word_write(digits_of(digits_spread(bits)), to);
}

static uint64_t
read_40(const char from[8])
{
    return digits_gather(digits_value(word_read(from)));
}

/* Where a flow leads, behind the head. Returns the end. */
static char *
write_flow(const struct hop *flow, unsigned kind, char *to)
{
    if (kind & IS_V6) {
        digits_write(word_read(flow->ip), to);
        digits_write(word_read(flow->ip + 8), to + DIGITS_64);
        to += V6;
    } else {
        write_40(word_read(flow->ip + 8) >> 32, to);
        to += V4;
    }
    if (kind & HAS_ID)
        digits_write(flow->flow, to);
    return to + (kind & HAS_ID ? ID : 0);
}

static void
read_flow(const char *from, unsigned kind, struct hop *flow)
{
    if (kind & IS_V6) {
        word_write(digits_read(from), flow->ip);
        word_write(digits_read(from + DIGITS_64), flow->ip + 8);
        from += V6;
    } else {
        word_write(read_40(from) << 32 | UINT64_C(0xffff0000), flow->ip + 8);
        from += V4;
    }
    if (kind & HAS_ID)
        flow->flow = digits_read(from);
}

struct span
token_write(const struct core *core, struct span call_id, const struct token *token,
            char to[TOKEN_BYTES])
{
    unsigned kind = kind_of(token);
    uint16_t port = token->has_flow ? token->flow.port : 0;
    char *end = to + HEAD;

    write_40((uint64_t)kind << 32 | (uint64_t)token->listener << 16 | port, to);
    if (token->has_flow)
        end = write_flow(&token->flow, kind, end);
    digits_write(mac_of(core, call_id, kind, span_between(to, end)), end);
    return span_between(to, end + MAC);
}

size_t
token_len(struct span text)
{
    return text.len < HEAD ? 0 : plain_len((unsigned)(read_40(text.at) >> 32)) + MAC;
}

bool
token_read_it(const struct core *core, struct span call_id, struct span text, struct token *token)
{
    uint64_t head = read_40(text.at);
    unsigned kind = (unsigned)(head >> 32);
    struct span plain = span_head(text, plain_len(kind));

    if (text.len != plain.len + MAC ||
        !digits_are(text.at + plain.len, mac_of(core, call_id, kind, plain)))
        return false;
    *token = (struct token){
        .listener = (uint16_t)(head >> 16),
        .has_flow = kind & TRANSPORT,
        .by_flow = kind & BY_FLOW,
        .bound = kind & BOUND,
        .ours = kind & OURS,
        .path = kind & PATH,
        .flow = { .listener = (uint16_t)(head >> 16),
                  .port = (uint16_t)head,
                  .transport = kind & TRANSPORT },
    };
    if (token->has_flow)
        read_flow(text.at + HEAD, kind, &token->flow);
    return true;
}
