/*
 * Where a message ends, in a stream or a datagram; keep-alives (RFC 3261 §7.5, §18.3, RFC 5626 §3.5.1, §4.4.1).
 *
 * Lines are cut by the same scanner that the parser uses, so both see the same Content-Length in the same place.
 */
#include "sip/frame.h"

#include "scan/scan.h"
#include "sip/chars.h"
#include "sip/num.h"

enum { BATCH = 64 };  /* lines asked for at once */

/* In *seen of a stream: the head is all here, the other bits tell how long the message will be. */
static const size_t SEEN_HEAD = SIZE_MAX / 2 + 1;

/* ---------------------------------------------------------------- Content-Length */

enum length_kind { LENGTH_NONE, LENGTH_READ, LENGTH_BAD };

struct length {
    enum length_kind kind;
    struct span text;   /* the first value */
    uint32_t bytes;     /* LENGTH_READ */
};

struct head {
    struct length length;
    bool open;          /* the field at hand is a Content-Length, its end not yet known: folding may follow (§7.3.1) */
    uint32_t value_at;  /* open: where its value begins */
    uint32_t end;       /* one past the empty line; 0: there is none */
};

/* Two values that differ leave open where the body ends (RFC 4475 §3.3.9). */
static void
length_add(struct length *length, struct span text)
{
    text = span_trim(text);
    if (length->kind != LENGTH_NONE) {
        length->kind = span_eq(text, length->text) ? length->kind : LENGTH_BAD;
        return;
    }
    length->text = text;
    length->kind = num_length(text, &length->bytes) ? LENGTH_READ : LENGTH_BAD;
}

static bool
is_content_length(struct span name)
{
    while (name.len > 0 && (name.at[name.len - 1] == ' ' || name.at[name.len - 1] == '\t'))
        name.len--;
    return name.len == 1 ? span_lower(name.at[0]) == 'l' : span_ieq(name, SPAN("Content-Length"));
}

/* A line that is neither the first nor the continuation of the one before it. */
static void
line_read(struct span bytes, uint32_t at, struct scan_line line, struct head *out)
{
    if (out->open)
        length_add(&out->length, (struct span){ bytes.at + out->value_at, at - out->value_at });
    out->open = line.colon < line.end && is_content_length((struct span){ bytes.at + at, line.colon - at });
    out->value_at = line.colon + 1;
}

/* Walks a head up to its empty line, or as far as there are bytes. */
static void
head_read(struct span bytes, struct head *out)
{
    struct scan_line lines[BATCH];
    uint32_t at = 0;
    size_t n;

    *out = (struct head){ .end = 0 };
    while (out->end == 0 && (n = scan_lines(bytes, at, lines, BATCH)) > 0) {
        for (size_t i = 0; i < n; at = lines[i++].end) {
            char first = bytes.at[at];

            if (at > 0 && first != ' ' && first != '\t')
                line_read(bytes, at, lines[i], out);
            if (first == '\n' || (first == '\r' && lines[i].end - at == 2))
                out->end = lines[i].end;
        }
    }
    if (out->open)
        length_add(&out->length, span_skip(span_head(bytes, at), out->value_at));
}

/* ---------------------------------------------------------------- what stands at the start */

static bool
is_line_end(char c)
{
    return c == '\r' || c == '\n';
}

/* Line ends between messages (§7.5). A CRLF that nothing follows yet may become a ping, so one waits (RFC 5626 §3.5.1). */
static void
filler_read(struct span bytes, struct frame *out)
{
    struct span ping = SPAN("\r\n\r\n");

    if (span_starts(bytes, ping))
        *out = (struct frame){ .kind = FRAME_PING, .len = ping.len };
    else if (span_starts(ping, bytes))
        *out = (struct frame){ .kind = FRAME_MORE, .skip = bytes.len };
    else
        *out = (struct frame){ .kind = FRAME_BLANK, .len = span_starts(bytes, SPAN("\r\n")) ? 2 : 1 };
}

static bool
is_sip_word(struct span word)
{
    return span_ieq(span_head(word, 4), SPAN("SIP/"));
}

/* A first line that is all here: does it begin as a Status-Line or end as a Request-Line does (§7.1, §7.2)? */
static bool
is_start_line(struct span line)
{
    size_t word;

    line = span_trim(line);
    word = line.len;
    while (word > 0 && !span_is_lws(line.at[word - 1]))
        word--;
    return is_sip_word(line) || (word > 0 && is_sip_word(span_skip(line, word)));
}

/*
 * Can this become a start line? First a method or version, then no control byte: TLS, HTTP and noise are told from SIP
 * before the limit is reached. Bytes before `seen` were looked at.
 */
static bool
may_be_start_line(struct span bytes, size_t seen)
{
    struct span line = span_head(bytes, span_find(bytes, '\n'));
    size_t word = span_find(line, ' ');

    if (seen > line.len)
        return true;
    for (size_t i = seen; i < line.len; i++) {
        char c = line.at[i];

        if (i < word ? !chars_is(c, CHARS_TOKEN) && c != '/' : (unsigned char)c < ' ' && c != '\t' && c != '\r')
            return false;
    }
    return word > 0 && (line.len == bytes.len || is_start_line(line));
}

/* ---------------------------------------------------------------- streams */

static void
set_bad(struct frame *out, uint16_t fault, const char *reason, size_t head_len)
{
    *out = (struct frame){ .kind = FRAME_BAD, .fault = fault, .fault_reason = reason, .head_len = head_len };
}

/* A head that is all here: how long is the message? Without Content-Length it has no body (§18.3, §20.14). */
static void
message_read(struct span bytes, size_t head_end, size_t limit_bytes, size_t *seen, struct frame *out)
{
    struct head head;
    size_t len = head_end;

    head_read(span_head(bytes, head_end), &head);
    if (head.length.kind == LENGTH_READ)
        len += head.length.bytes;
    if (head.length.kind == LENGTH_BAD)
        set_bad(out, 400, "Bad Content-Length", head_end);
    else if (len > limit_bytes)
        set_bad(out, 413, "Request Entity Too Large", head_end);
    else if (len <= bytes.len)
        *out = (struct frame){ .kind = FRAME_MESSAGE, .len = len };
    else
        *seen = SEEN_HEAD | len;
}

void
frame_stream(struct span bytes, size_t limit_bytes, size_t *seen, struct frame *out)
{
    size_t head_end, from = *seen & SEEN_HEAD ? 0 : *seen;

    *out = (struct frame){ .kind = FRAME_MORE };
    if (bytes.len == 0 || (*seen & SEEN_HEAD && bytes.len < (*seen & ~SEEN_HEAD)))
        return;
    if (is_line_end(bytes.at[0])) {
        filler_read(bytes, out);
        return;
    }
    if (!may_be_start_line(span_head(bytes, limit_bytes), from)) {
        set_bad(out, 400, "Bad Request", 0);
        return;
    }
    /* An empty line is at most "\n\r\n": its first two bytes may have been the last of the earlier look. */
    head_end = scan_head_end(bytes, from > 2 ? from - 2 : 0);
    if (head_end > 0 && head_end <= limit_bytes)
        message_read(bytes, head_end, limit_bytes, seen, out);
    else if (head_end > 0 || bytes.len >= limit_bytes)
        set_bad(out, 413, "Request Entity Too Large", 0);
    else
        *seen = bytes.len;
}

/* ---------------------------------------------------------------- datagrams */

/* Line ends, blanks and zeros: devices send them to keep a path through a NAT open. */
static size_t
filler_len(struct span bytes)
{
    size_t n = 0;

    while (n < bytes.len && (span_is_lws(bytes.at[n]) || bytes.at[n] == '\0'))
        n++;
    return n;
}

void
frame_datagram(struct span bytes, struct frame *out)
{
    struct span message = bytes;
    struct head head;
    size_t len;

    *out = (struct frame){ .kind = FRAME_MESSAGE };
    while (message.len > 0 && is_line_end(message.at[0]))
        message = span_skip(message, 1);
    if (filler_len(message) == message.len) {
        out->kind = span_eq(bytes, SPAN("\r\n\r\n")) ? FRAME_PING : FRAME_BLANK;
        out->len = bytes.len;
        return;
    }
    if (!chars_is(message.at[0], CHARS_TOKEN)) {
        set_bad(out, 400, "Bad Request", 0);
        return;
    }
    head_read(message, &head);
    len = (size_t)head.end + head.length.bytes;
    out->skip = bytes.len - message.len;
    out->len = message.len;
    if (head.end == 0 || head.length.kind != LENGTH_READ)
        return;
    if (len <= message.len) {
        out->len = len;
        return;
    }
    out->fault = 400;
    out->fault_reason = "Body Shorter Than Content-Length";
}
