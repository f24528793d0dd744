/*
 * Where a message ends, in a stream or a datagram; keep-alives (RFC 3261 §7.5, §18.3, RFC 5626 §3.5.1, §4.4.1).
 *
 * Lines are cut by the same scanner that the parser uses, so both see the same Content-Length in the same place.
 */
#include "sip/frame.h"

#include "scan/scan.h"
#include "sip/chars.h"
#include "sip/names.h"
#include "sip/num.h"

enum { BATCH = 64 }; /* lines asked for at once */

/* In *seen of a stream: the head is all here, the other bits tell how long the message will be. */
static const size_t SEEN_HEAD = (size_t)1 << 31;

/* ---------------------------------------------------------------- Content-Length */

enum length_kind { LENGTH_NONE, LENGTH_READ, LENGTH_BAD };

struct length {
    enum length_kind kind;
    struct span text; /* the first value */
    uint32_t bytes;   /* LENGTH_READ */
};

struct head {
    struct length length;
    /* the field at hand is a Content-Length, its end not yet known: folding may follow (§7.3.1) */
    bool open;
    uint32_t value_at; /* open: where its value begins */
    uint32_t field_at; /* where the field at hand begins */
    bool named;        /* it has a name; the first line has none */
    bool early;        /* another reader may find the empty line before it */
    bool doubtful;     /* another reader may find a Content-Length that is none */
    uint32_t end;      /* one past the empty line; 0: there is none */
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

/* None, but a lax reader may take it for one: "Content Length", or one with a CR or NUL in it. */
static bool
resembles_content_length(struct span name)
{
    return names_resemble(name, HDR_CONTENT_LENGTH) && !chars_is_token(name);
}

/* A line that is neither the first nor the continuation of the one before it. */
static void
line_read(struct span bytes, uint32_t at, struct scan_line line, struct head *out)
{
    struct span name = { bytes.at + at, line.colon - at };

    if (out->open)
        length_add(&out->length, (struct span){ bytes.at + out->value_at, at - out->value_at });
    out->field_at = at;
    out->named = bytes.at[line.colon] == ':';
    out->open = out->named && is_content_length(name);
    out->value_at = line.colon + 1;
    out->doubtful |= !out->open && resembles_content_length(name);
}

static bool
may_be_content_length(struct span name)
{
    name = span_trim(name);
    return is_content_length(name) || resembles_content_length(name);
}

/* A line that continues one that is no field: another reader may find a field in it, or in both (§7.3.1). */
static void
continuation_read(struct span bytes, uint32_t at, struct scan_line line, struct head *out)
{
    struct span alone = { bytes.at + at, line.colon - at };
    struct span both = { bytes.at + out->field_at, line.colon - out->field_at };

    if (!out->named && bytes.at[line.colon] == ':')
        out->doubtful |= may_be_content_length(alone) || may_be_content_length(both);
}

/* Two CR, or one behind a line end: an empty line for who takes a CR alone for a line end. CR CR LF is what phones send. */
static bool
ends_for_another(struct span head, size_t at)
{
    return head.at[at] == '\r' && at > 0 && (head.at[at - 1] == '\r' || head.at[at - 1] == '\n') &&
           !(at + 1 < head.len && head.at[at + 1] == '\n');
}

static bool
ends_early(struct span head)
{
    for (size_t at = 0; at < head.len; at++)
        if (ends_for_another(head, at))
            return true;
    return false;
}

/* A control byte ends no line here, but may for another reader, who then finds a Content-Length (§7, §25.1). */
static bool
hides_content_length(struct span head)
{
    size_t end;

    for (size_t at = 0; at < head.len; at = end) {
        struct span text = span_skip(head, at + 1);

        end = at + 1;
        if (!chars_is_stray(head.at[at]))
            continue;
        text = span_head(text, chars_line_len(text));
        end += span_find(text, ':');
        if (end < at + 1 + text.len &&
            names_resemble(span_head(text, end - at - 1), HDR_CONTENT_LENGTH))
            return true;
    }
    return false;
}

/* Walks a head up to its empty line, or as far as there are bytes. */
static void
head_read(struct span bytes, struct head *out)
{
    struct scan_line lines[BATCH];
    uint32_t at = 0;
    bool odd = false;
    size_t n;

    *out = (struct head){ .end = 0 };
    while (out->end == 0 && (n = scan_lines(bytes, at, lines, BATCH, &odd)) > 0) {
        for (size_t i = 0; i < n; at = lines[i++].end) {
            char first = bytes.at[at];

            if (at > 0 && first != ' ' && first != '\t')
                line_read(bytes, at, lines[i], out);
            else if (at > 0)
                continuation_read(bytes, at, lines[i], out);
            if (first == '\n' || (first == '\r' && lines[i].end - at == 2))
                out->end = lines[i].end;
        }
    }
    if (out->open)
        length_add(&out->length, span_skip(span_head(bytes, at), out->value_at));
    out->doubtful = out->doubtful || (odd && hides_content_length(span_head(bytes, at)));
    out->early = odd && ends_early(span_head(bytes, at));
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
        *out =
            (struct frame){ .kind = FRAME_BLANK, .len = span_starts(bytes, SPAN("\r\n")) ? 2 : 1 };
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

/* One that is none, but whose sender means SIP: it is answered when its head is here. */
static bool
means_sip(struct span line)
{
    for (; line.len >= 3; line = span_skip(line, 1))
        if (span_ieq(span_head(line, 3), SPAN("sip")))
            return true;
    return false;
}

/*
 * Can this become a start line? TLS and noise are told from SIP by their first byte, which begins no word; HTTP and other texts
 * by their first line. What else is wrong with it its sender shall hear.
 */
static bool
may_be_start_line(struct span bytes, size_t seen)
{
    struct span line = span_head(bytes, span_find(bytes, '\n'));
    bool begins = chars_is(bytes.at[0], CHARS_TOKEN) || span_is_lws(bytes.at[0]);

    return seen > line.len ||
           (begins && (line.len == bytes.len || is_start_line(line) || means_sip(line)));
}

/* ---------------------------------------------------------------- streams */

static void
set_bad(struct frame *out, uint16_t fault, const char *reason, size_t head_len)
{
    *out = (struct frame){
        .kind = FRAME_BAD, .fault = fault, .fault_reason = reason, .head_len = head_len
    };
}

/* A head that is all here: how long is the message? Without Content-Length it has no body (§18.3, §20.14). */
static void
message_read(struct span bytes, size_t head_end, size_t limit_bytes, size_t *seen,
             struct frame *out)
{
    struct head head;
    size_t len = head_end;

    if (!is_start_line(span_head(bytes, span_find(bytes, '\n')))) {
        set_bad(out, 400, "Bad Request-Line", head_end);
        return;
    }
    head_read(span_head(bytes, head_end), &head);
    if (head.length.kind == LENGTH_READ)
        len += head.length.bytes;
    if (head.length.kind == LENGTH_BAD || head.doubtful)
        set_bad(out, 400, "Bad Content-Length", head_end);
    else if (head.early)
        set_bad(out, 400, "Bad Line Ends", head_end);
    else if (len > limit_bytes)
        set_bad(out, 413, "Request Entity Too Large", head_end);
    else if (len <= bytes.len)
        *out = (struct frame){ .kind = FRAME_MESSAGE, .len = len };
    else
        *seen = SEEN_HEAD | len;
}

/* A head that is too long: its whole lines within the limit, where the fields that an answer needs mostly stand. */
static size_t
whole_lines(struct span bytes, size_t limit_bytes)
{
    size_t len = bytes.len < limit_bytes ? bytes.len : limit_bytes;

    while (len > 0 && bytes.at[len - 1] != '\n')
        len--;
    return len;
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
        set_bad(out, 513, "Message Too Large", whole_lines(bytes, limit_bytes));
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

    *out = (struct frame){ .kind = FRAME_MESSAGE };
    while (message.len > 0 && is_line_end(message.at[0]))
        message = span_skip(message, 1);
    if (filler_len(message) == message.len) {
        out->kind = span_eq(bytes, SPAN("\r\n\r\n")) ? FRAME_PING : FRAME_BLANK;
        out->len = bytes.len;
        return;
    }
    if (!chars_is(message.at[0], CHARS_TOKEN) && scan_head_end(message, 0) == 0) {
        set_bad(out, 400, "Bad Request", 0);
        return;
    }
    out->skip = bytes.len - message.len;
    out->len = message.len;
}
