/*
 * The user part of our Record-Route: a keyed token over Call-ID and listener, and the flow that leads back (RFC 3261 §16.6
 * step 4, RFC 5626 §5.2).
 *
 * In bytes: kind, listener, then of a flow transport, port, id and address; then a MAC of 64 bits. In text: five bits a character.
 */
#include "core/token.h"

enum {
    PLAIN_LEN = 3,
    FLOW_LEN = PLAIN_LEN + 1 + 2 + 8 + 16,
    MAC_LEN = 8,
    BYTES_MAX = FLOW_LEN + MAC_LEN
};
enum {
    HAS_FLOW = 1,
    BY_FLOW = 2,
    BOUND = 4,
    OURS = 8,
    VERSION = 16,
    PATH = 32
}; /* the first byte */

static const char digits[] = "0123456789abcdefghijklmnopqrstuv";

static void
put_number(uint8_t **to, uint64_t n, int bytes)
{
    while (bytes-- > 0)
        *(*to)++ = (uint8_t)(n >> (8 * bytes));
}

static uint64_t
get_number(const uint8_t **from, int bytes)
{
    uint64_t n = 0;

    while (bytes-- > 0)
        n = n << 8 | *(*from)++;
    return n;
}

static uint64_t
mac_of(const struct core *core, struct span call_id, const uint8_t *bytes, size_t len)
{
    struct prf p;

    prf_init(&p, &core->route_key);
    prf_put_pair(&p, bytes[0] & PATH ? SPAN("") : call_id,
                 (struct span){ (const char *)bytes, len });
    return prf_done_lo(&p);
}

static size_t
write_digits(const uint8_t *bytes, size_t len, char *to)
{
    uint32_t held = 0;
    unsigned bits = 0;
    size_t n = 0;

    for (size_t i = 0; i < len; i++) {
        held = held << 8 | bytes[i];
        for (bits += 8; bits >= 5; bits -= 5)
            to[n++] = digits[held >> (bits - 5) & 31];
    }
    if (bits > 0)
        to[n++] = digits[held << (5 - bits) & 31];
    return n;
}

/* A digit's value, or a number above 31. */
static uint32_t
digit_value(char c)
{
    return c >= 'a' ? (uint32_t)(c - 'a') + 10 : c <= '9' ? (uint32_t)(unsigned char)c - '0' : 32;
}

/* The bytes that text, which has as many digits as it takes, stands for. False if it is not what write_digits makes. */
static bool
read_digits(struct span text, uint8_t *to)
{
    uint32_t held = 0;
    unsigned bits = 0;

    for (size_t i = 0; i < text.len; i++) {
        uint32_t value = digit_value(text.at[i]);

        if (value > 31)
            return false;
        held = held << 5 | value;
        bits += 5;
        if (bits < 8)
            continue;
        bits -= 8;
        *to++ = (uint8_t)(held >> bits);
    }
    return (held & ((1u << bits) - 1)) == 0;
}

/* How many bytes as many digits stand for; 0: no token has so many. */
static size_t
len_of_digits(size_t digits_len)
{
    static const size_t lens[] = { PLAIN_LEN + MAC_LEN, FLOW_LEN + MAC_LEN };

    for (size_t i = 0; i < countof(lens); i++)
        if (digits_len == (lens[i] * 8 + 4) / 5)
            return lens[i];
    return 0;
}

static unsigned
flags_of(const struct token *token)
{
    return VERSION | (token->has_flow ? HAS_FLOW : 0) | (token->by_flow ? BY_FLOW : 0) |
           (token->bound ? BOUND : 0) | (token->ours ? OURS : 0) | (token->path ? PATH : 0);
}

struct span
token_write(const struct core *core, struct span call_id, const struct token *token,
            char to[TOKEN_BYTES])
{
    uint8_t bytes[BYTES_MAX], *end = bytes;
    const struct hop *flow = &token->flow;

    put_number(&end, flags_of(token), 1);
    put_number(&end, token->listener, 2);
    if (token->has_flow) {
        put_number(&end, flow->transport, 1);
        put_number(&end, flow->port, 2);
        put_number(&end, flow->flow, 8);
        memcpy(end, flow->ip, sizeof flow->ip);
        end += sizeof flow->ip;
    }
    put_number(&end, mac_of(core, call_id, bytes, (size_t)(end - bytes)), MAC_LEN);
    return (struct span){ to, write_digits(bytes, (size_t)(end - bytes), to) };
}

/* Compared as one word, so in the same time wherever they differ: a MAC cannot be found byte by byte. */
static bool
has_mac(const struct core *core, struct span call_id, const uint8_t *bytes, size_t len)
{
    const uint8_t *mac = bytes + len - MAC_LEN;

    return get_number(&mac, MAC_LEN) == mac_of(core, call_id, bytes, len - MAC_LEN);
}

bool
token_read(const struct core *core, struct span call_id, struct span text, struct token *token)
{
    uint8_t bytes[BYTES_MAX];
    const uint8_t *from = bytes;
    size_t len = len_of_digits(text.len);
    uint64_t flags;

    if (len == 0 || !read_digits(text, bytes) || !has_mac(core, call_id, bytes, len))
        return false;
    memset(token, 0, sizeof *token);
    flags = get_number(&from, 1);
    token->has_flow = flags & HAS_FLOW;
    token->by_flow = flags & BY_FLOW;
    token->bound = flags & BOUND;
    token->ours = flags & OURS;
    token->path = flags & PATH;
    token->listener = token->flow.listener = (uint16_t)get_number(&from, 2);
    if (token->has_flow) {
        token->flow.transport = (uint8_t)get_number(&from, 1);
        token->flow.port = (uint16_t)get_number(&from, 2);
        token->flow.flow = get_number(&from, 8);
        memcpy(token->flow.ip, from, sizeof token->flow.ip);
    }
    return len == (token->has_flow ? FLOW_LEN : PLAIN_LEN) + MAC_LEN;
}
