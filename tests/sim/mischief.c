/*
 * What is illegal and happens nevertheless: messages torn, doubled and changed in the random calls, and old
 * ones sent again.
 *
 * It is done to bytes, so that every rule of the grammar and of §8, §9, §12 and §17 of RFC 3261 gets broken
 * some day.
 */
#include "sim/ua.h"

enum { LINES_MAX = 64, MESSAGE_MAX = 60000 };

bool
odd(const struct ua *ua, struct call *call, unsigned of_100)
{
    struct calls *c = ua->calls;

    if (!ua->naughty || !chance(c, of_100))
        return false;
    c->figures.mischief++;
    call->tainted = true;
    return true;
}

/* ------------------------------------------------------------------ lines */

struct lines {
    struct span line[LINES_MAX];
    unsigned len;
    struct span rest; /* the empty line and the body */
};

static void
split(struct span bytes, struct lines *lines)
{
    lines->len = 0;
    lines->rest = bytes;
    while (lines->len < LINES_MAX && lines->rest.len > 2 && lines->rest.at[0] != '\r') {
        size_t len = span_find(lines->rest, '\n') + 1;

        lines->line[lines->len++] = span_head(lines->rest, len);
        lines->rest = span_skip(lines->rest, len);
    }
}

static void
join(struct buf *b, const struct lines *lines)
{
    for (unsigned i = 0; i < lines->len; i++)
        buf_put(b, lines->line[i]);
    buf_put(b, lines->rest);
}

static unsigned
any_line(struct calls *c, const struct lines *lines)
{
    return lines->len > 1 ? 1 + upto(c, lines->len - 2) : 0;
}

static void
drop_line(struct calls *c, struct buf *b, struct span bytes)
{
    struct lines lines;

    split(bytes, &lines);
    if (lines.len > 1)
        lines.line[any_line(c, &lines)].len = 0;
    join(b, &lines);
}

static void
swap_lines(struct calls *c, struct buf *b, struct span bytes)
{
    struct lines lines;
    unsigned i, j;
    struct span kept;

    split(bytes, &lines);
    i = any_line(c, &lines);
    j = any_line(c, &lines);
    kept = lines.line[i];
    lines.line[i] = lines.line[j];
    lines.line[j] = kept;
    join(b, &lines);
}

/* A line twice, or another one's value for it. */
static void
double_line(struct calls *c, struct buf *b, struct span bytes)
{
    struct lines lines;
    unsigned n;

    split(bytes, &lines);
    n = any_line(c, &lines);
    for (unsigned i = 0; i < lines.len; i++) {
        buf_put(b, lines.line[i]);
        if (i == n)
            buf_put(b, lines.line[chance(c, 50) ? n : any_line(c, &lines)]);
    }
    buf_put(b, lines.rest);
}

static void
add_line(struct calls *c, struct buf *b, struct span bytes)
{
    static const char *const odd_lines[] = {
        "Via: SIP/2.0/UDP 10.9.9.9:5060;branch=z9hG4bKforged\r\n",
        ("Via: SIP/2.0/UDP "
         "192.168.0.1:5060;branch=z9hG4bKbaa0123456789abcdef0123456789abcdef01234567\r\n"),
        "Route: <sip:forged@192.168.0.1:5060;lr>\r\n",
        "Route: <sip:192.168.0.1:5060>\r\n",
        "Route: <sip:u1@10.0.0.2:5060>\r\n",
        "Route: <sip:192.168.0.1:5060;lr>, <sip:u2@10.0.0.3:5060;lr>\r\n",
        "Record-Route: <sip:u2@10.0.0.3:5060>\r\n",
        "Proxy-Require: dancing\r\n",
        "Require: dancing\r\n",
        "Max-Forwards: 0\r\n",
        "Max-Forwards: 2\r\n",
        "Max-Forwards: 99999999999\r\n",
        "Max-Breadth: 1\r\n",
        "Max-Breadth: 0\r\n",
        "Content-Length: 7\r\n",
        "Content-Length: 4294967296\r\n",
        "Expires: -1\r\n",
        "To: <sip:x@y>;tag=a;tag=b\r\n",
        "a line without a colon\r\n",
        " a folded one\r\n",
        "X: \"an open quote\r\n",
        "Contact: *, <sip:x@y>\r\n",
    };
    struct lines lines;
    unsigned n;

    split(bytes, &lines);
    n = any_line(c, &lines);
    for (unsigned i = 0; i < lines.len; i++) {
        if (i == n && i > 0)
            buf_put(b, span_of(odd_lines[upto(c, countof(odd_lines) - 1)]));
        buf_put(b, lines.line[i]);
    }
    buf_put(b, lines.rest);
}

/* ------------------------------------------------------------------ bytes and words */

static void
change_byte(struct calls *c, struct buf *b, struct span bytes)
{
    buf_put(b, bytes);
    for (unsigned n = 1 + upto(c, 2); n > 0 && b->len > 0; n--)
        b->bytes[upto(c, (uint32_t)b->len - 1)] = (char)upto(c, 255);
}

static void
cut_short(struct calls *c, struct buf *b, struct span bytes)
{
    buf_put(b, span_head(bytes, upto(c, (uint32_t)bytes.len)));
}

static void
insert_much(struct calls *c, struct buf *b, struct span bytes)
{
    uint32_t at = upto(c, (uint32_t)bytes.len);
    uint32_t n = upto(c, chance(c, 90) ? 100 : MESSAGE_MAX / 2);
    char byte = (char)upto(c, 255);

    buf_put(b, span_head(bytes, at));
    while (n-- > 0)
        buf_put_char(b, byte);
    buf_put(b, span_skip(bytes, at));
}

/* The digit behind this word becomes another. */
static bool
change_digit(struct calls *c, struct buf *b, const char *word)
{
    const char *hit = memmem(b->bytes, b->len, word, strlen(word));
    size_t at = hit ? (size_t)(hit - b->bytes) + strlen(word) : b->len;

    if (at >= b->len)
        return false;
    b->bytes[at] = (char)('0' + upto(c, 9));
    return true;
}

static void
change_number(struct calls *c, struct buf *b, struct span bytes)
{
    static const char *const words[] = {
        "SIP/2.0 ",       "CSeq: ",           "branch=z9hG4bK", ";tag=", "branch=z9hG4bKbaa",
        "Max-Forwards: ", "Content-Length: ", "10.0.0.",        ":506",
    };

    buf_put(b, bytes);
    (void)change_digit(c, b, words[upto(c, countof(words) - 1)]);
}

/* Another method in the first line, or in CSeq: an ACK becomes a CANCEL, a BYE an INVITE. */
static void
change_method(struct calls *c, struct buf *b, struct span bytes)
{
    static const char *const methods[] = { "ACK",      "CANCEL", "BYE",    "INVITE", "OPTIONS",
                                           "REGISTER", "PRACK",  "invite", "" };
    struct span method = span_of(methods[upto(c, countof(methods) - 1)]);
    struct span start = span_cut(&bytes, ' ');
    const char *cseq = memmem(bytes.at, bytes.len, "CSeq: ", 6);
    bool both = chance(c, 70);

    buf_put(b, both || chance(c, 50) ? method : start);
    buf_put_char(b, ' ');
    if (cseq) {
        struct span head = span_between(bytes.at, cseq), tail = span_skip(bytes, head.len);

        buf_put(b, head);
        buf_put(b, span_cut(&tail, ' '));
        buf_put_char(b, ' ');
        buf_put(b, span_cut(&tail, ' '));
        buf_put_char(b, ' ');
        if (both) {
            buf_put(b, method);
            tail = span_skip(tail, span_find(tail, '\r'));
        }
        bytes = tail;
    }
    buf_put(b, bytes);
}

static struct span
mutate(struct calls *c, struct span bytes)
{
    static void (*const ways[])(struct calls *, struct buf *, struct span) = {
        drop_line, swap_lines,  double_line,   add_line,      add_line,      change_byte,
        cut_short, insert_much, change_number, change_number, change_number, change_method,
    };
    struct buf *b = &c->odd;

    buf_clear(b);
    ways[upto(c, countof(ways) - 1)](c, b, bytes);
    return span_head(buf_span(b), MESSAGE_MAX);
}

/* ------------------------------------------------------------------ sending */

static void
remember(struct calls *c, struct span bytes)
{
    struct buf *b = &c->old[upto(c, OLD - 1)];

    if (!chance(c, 10))
        return;
    buf_clear(b);
    buf_put(b, bytes);
}

static void
send_garbage(struct ua *ua, const struct hop *to)
{
    struct calls *c = ua->calls;
    struct buf *b = &c->odd;
    uint32_t n = 1 + upto(c, 200);

    buf_clear(b);
    if (chance(c, 30))
        buf_put(b, chance(c, 50) ? SPAN("\r\n\r\n") : SPAN("SIP/2.0 200 OK\r\n\r\n"));
    else
        while (n-- > 0)
            buf_put_char(b, (char)upto(c, 255));
    ua_put(ua, to, buf_span(b));
}

void
odd_send(struct ua *ua, const struct hop *to, struct span bytes)
{
    struct calls *c = ua->calls;
    uint32_t n = upto(c, 9);

    remember(c, bytes);
    if (n < 3)
        ua_put(ua, to, bytes);
    if (n < 7)
        ua_put(ua, to, mutate(c, bytes));
    else if (n == 7)
        send_garbage(ua, to);
    else
        ua_put(ua, to, buf_span(&c->old[upto(c, OLD - 1)]));
    if (n == 6)
        ua_put(ua, to, bytes);
}

/* ------------------------------------------------------------------ acts */

/* Another final response behind the one that was said: other code, other tag, or both; 2xx to many dialogs. */
void
odd_answer(struct deal *deal)
{
    struct calls *c = deal->call->calls;
    unsigned status = 200 + upto(c, 450);
    struct span tag = deal->tag, head = deal->head;
    struct buf *b = &c->odd;
    const char *hit;

    if (chance(c, 50))
        status = 200;
    hit = memmem(head.at, head.len, tag.at, tag.len);
    if (hit && chance(c, 60)) {
        buf_clear(b);
        buf_put(b, span_between(head.at, hit + tag.len));
        buf_put_u64(b, upto(c, 9));
        buf_put(b, span_between(hit + tag.len, span_end(head)));
        head = call_keep(deal->call, buf_span(b));
    }
    ua_send(deal->ua, deal->call, &deal->to,
            say_response(deal->call, deal->ua, status, head, (struct span){ NULL, 0 }));
}
