/*
 * One pass from bytes to an index of offsets (RFC 3261 §7.1 to §7.3, §25.1).
 *
 * What the grammar forbids becomes a fault or a deviation and is indexed all the same as far as it goes, for whoever answers
 * needs the other fields (RFC 4475 §3.3).
 */
#include "sip/msg.h"

#include "base/err.h"
#include "scan/scan.h"
#include "sip/chars.h"
#include "sip/name_find.h"

enum { BATCH = 64 }; /* lines asked for at once: one batch holds the head of nearly every message */

struct index {
    struct msg *msg;
    struct arena *arena;
    struct msg_field *fields;
    uint32_t room;
    bool odd; /* a line ends otherwise than with CRLF, or has another control byte but HTAB */
    int err;
};

/* The first fault is kept. */
static void
set_fault(struct msg *msg, uint16_t status, const char *reason)
{
    if (msg->fault)
        return;
    msg->fault = status;
    msg->fault_reason = reason;
}

static void
note(struct msg *msg, enum deviation id)
{
    msg->odd |= deviation_bit(id);
}

static bool
is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* No blank and no control byte. */
static inline bool
is_visible(char c)
{
    return (unsigned char)c > ' ';
}

/* Where the blanks that stand at `at` end. */
static uint32_t
skip_blanks(const char *bytes, uint32_t at, uint32_t end)
{
    while (at < end && is_blank(bytes[at]))
        at++;
    return at;
}

/* Where the blanks that stand before `end` begin. */
static uint32_t
trim_blanks(const char *bytes, uint32_t at, uint32_t end)
{
    while (end > at && is_blank(bytes[end - 1]))
        end--;
    return end;
}

/* ---------------------------------------------------------------- start line */

/* Is this digits, a dot, digits? */
static bool
is_version_number(struct span text)
{
    struct span major = span_cut(&text, '.');
    uint64_t ignored;

    return span_u64(major, UINT64_MAX, &ignored) && span_u64(text, UINT64_MAX, &ignored);
}

static bool
is_sip(const char *bytes, uint32_t at, uint32_t end)
{
    return end - at >= 4 && span_ieq((struct span){ bytes + at, 4 }, SPAN("SIP/"));
}

/* A SIP-Version, which is_sip(); another one than ours is a fault (§7.1, §21.5.6). */
static void
version_read(struct msg *msg, uint32_t at, uint32_t end)
{
    struct span number;

    msg->version = (struct msg_text){ at, end - at };
    if (span_eq(msg_span(msg, msg->version), SPAN("SIP/2.0")))
        return;
    number = span_skip(msg_span(msg, msg->version), 4);
    if (span_eq(number, SPAN("2.0")))
        note(msg, DEV_VERSION_CASE);
    else if (is_version_number(number))
        set_fault(msg, 505, "Version Not Supported");
    else
        set_fault(msg, 400, "Bad SIP-Version");
}

/* One SP each between the three parts and none behind them (§7.1, RFC 4475 §3.1.2.9, §3.1.2.10)? */
static bool
is_spaced_right(const struct msg *msg, uint32_t end)
{
    uint32_t method_end = msg->method_text.len, uri_end = msg->uri.at + msg->uri.len;

    return msg->uri.at == method_end + 1 && msg->bytes[method_end] == ' ' &&
           msg->version.at == uri_end + 1 && msg->bytes[uri_end] == ' ' &&
           msg->version.at + msg->version.len == end;
}

/* Request-Line = Method SP Request-URI SP SIP-Version (§7.1): the method is the first word, the version the last. */
static bool
request_line_read(struct msg *msg, uint32_t end)
{
    const char *bytes = msg->bytes;
    uint32_t method_end = (uint32_t)chars_token_len((struct span){ bytes, end });
    uint32_t uri_at = skip_blanks(bytes, method_end, end);
    uint32_t version_end = trim_blanks(bytes, uri_at, end), version_at = version_end;

    if (method_end == 0 || uri_at == method_end || uri_at == end)
        return false;
    while (!is_blank(bytes[version_at - 1]))
        version_at--;
    if (!is_sip(bytes, version_at, version_end))
        return false;
    version_read(msg, version_at, version_end);
    msg->method_text = (struct msg_text){ 0, method_end };
    msg->method = names_method(msg_span(msg, msg->method_text));
    msg->uri = (struct msg_text){ uri_at, trim_blanks(bytes, uri_at, version_at) - uri_at };
    if (msg->uri.len == 0)
        set_fault(msg, 400, "Missing Request-URI");
    else if (!is_spaced_right(msg, end))
        note(msg, DEV_REQUEST_LINE_BLANKS);
    return true;
}

/* As request_line_read, where all is as nearly all write it. False: it is not, and nothing was read. */
static bool
plain_request_line_read(struct msg *msg, uint32_t end)
{
    const struct span version = SPAN(" SIP/2.0");
    const char *bytes = msg->bytes;
    uint32_t method_end = (uint32_t)chars_token_len((struct span){ bytes, end });
    uint32_t uri_at = method_end + 1, uri_end = end - (uint32_t)version.len;

    if (method_end == 0 || end <= uri_at + version.len ||
        memcmp(bytes + uri_end, version.at, version.len) != 0)
        return false;
    if (bytes[method_end] != ' ' || !is_visible(bytes[uri_at]) || !is_visible(bytes[uri_end - 1]))
        return false;
    msg->method_text = (struct msg_text){ 0, method_end };
    msg->method = names_method(msg_span(msg, msg->method_text));
    msg->uri = (struct msg_text){ uri_at, uri_end - uri_at };
    msg->version = (struct msg_text){ uri_end + 1, (uint32_t)version.len - 1 };
    return true;
}

/* A request whose first line says nothing but perhaps its method: who sent it shall hear so. */
static void
no_request_line(struct msg *msg, uint32_t end)
{
    msg->method_text =
        (struct msg_text){ 0, (uint32_t)chars_token_len((struct span){ msg->bytes, end }) };
    msg->method = names_method(msg_span(msg, msg->method_text));
    msg->uri = msg->version = (struct msg_text){ end, 0 };
    set_fault(msg, 400, "Bad Request-Line");
}

/* Status-Line = SIP-Version SP Status-Code SP Reason-Phrase (§7.2); some senders drop the last blank with the phrase. */
static bool
status_line_read(struct msg *msg, uint32_t end)
{
    const char *bytes = msg->bytes;
    uint32_t version_end = (uint32_t)span_find((struct span){ bytes, end }, ' ');
    uint32_t code_at = skip_blanks(bytes, version_end, end), status;
    uint32_t code_end =
        code_at + (uint32_t)span_find((struct span){ bytes + code_at, end - code_at }, ' ');
    uint32_t reason_at = code_end < end ? code_end + 1 : end;

    if (code_end - code_at != 3 || !span_u32((struct span){ bytes + code_at, 3 }, 699, &status) ||
        status < 100)
        return false;
    version_read(msg, 0, version_end);
    if (code_at - version_end != 1 || code_end == end)
        note(msg, DEV_STATUS_LINE);
    msg->status = (uint16_t)status;
    msg->reason = (struct msg_text){ reason_at, end - reason_at };
    return true;
}

/* As status_line_read, where all is as nearly all write it. False: it is not, and nothing was read. */
static bool
plain_status_line_read(struct msg *msg, uint32_t end)
{
    const struct span begin = SPAN("SIP/2.0 ");
    const char *code = msg->bytes + begin.len;
    uint32_t reason_at = (uint32_t)begin.len + 4;
    unsigned status = 0;

    if (end < reason_at || memcmp(msg->bytes, begin.at, begin.len) != 0 || code[3] != ' ')
        return false;
    for (unsigned i = 0; i < 3; i++) {
        if (!chars_is_digit(code[i]))
            return false;
        status = status * 10 + chars_digit(code[i]);
    }
    if (status < 100 || status > 699)
        return false;
    msg->version = (struct msg_text){ 0, (uint32_t)begin.len - 1 };
    msg->status = (uint16_t)status;
    msg->reason = (struct msg_text){ reason_at, end - reason_at };
    return true;
}

/* One that means to be a response, if only by a blank too many, is never answered. */
static bool
start_line_read(struct msg *msg, uint32_t end)
{
    if (end > 0 && msg->bytes[end - 1] == '\n') {
        end--;
        if (end > 0 && msg->bytes[end - 1] == '\r')
            end--;
        else
            msg->bare_lf = true;
    }
    if (plain_status_line_read(msg, end) || plain_request_line_read(msg, end))
        return true;
    if (is_sip(msg->bytes, skip_blanks(msg->bytes, 0, end), end))
        return is_sip(msg->bytes, 0, end) && status_line_read(msg, end);
    if (end > 0 && !request_line_read(msg, end))
        no_request_line(msg, end);
    return end > 0;
}

/* ---------------------------------------------------------------- fields */

/* The index grows to hold `more` fields, but never past the ceiling; what does not fit is a fault where it is met. */
static void
make_room(struct index *index, size_t more)
{
    struct msg *msg = index->msg;
    size_t room = msg->fields_len + more;
    struct msg_field *fields;

    if (room <= index->room || index->room == MSG_FIELDS_MAX)
        return;
    room = room < (size_t)index->room * 2 ? (size_t)index->room * 2 : room;
    room = room < MSG_FIELDS_MAX ? room : MSG_FIELDS_MAX;
    fields = arena_alloc(index->arena, room * sizeof *fields);
    if (!fields) {
        index->err = SIPD_ENOMEM;
        return;
    }
    if (msg->fields_len > 0)
        memcpy(fields, index->fields, msg->fields_len * sizeof *fields);
    msg->fields = index->fields = fields;
    index->room = (uint32_t)room;
}

/*
 * The value begins at `from` and ends with the field, but for white space at either side; foldings in it stay. Nearly all
 * lines end in CRLF, which cannot reach back over `from`: a colon or a line end stands there.
 */
static void
set_value(const char *bytes, struct msg_field *field, uint32_t from)
{
    const char *head = bytes + from, *tail = bytes + field->end;

    while (tail > head && span_is_lws(tail[-1]))
        tail--;
    while (head < tail && span_is_lws(*head))
        head++;
    field->value_at = (uint32_t)(head - bytes);
    field->value_len = (uint32_t)(tail - head);
}

/* Whatever begins a field: HCOLON = *( SP / HTAB ) ":" SWS (§25.1). A line that has no name is all value. */
static void
field_read(const char *bytes, struct msg_field *field, uint32_t at, struct scan_line line)
{
    bool named = line.colon < line.end && bytes[line.colon] == ':' && !is_blank(bytes[at]);
    uint32_t name_len = named ? trim_blanks(bytes, at, line.colon) - at : 0;

    field->at = at;
    field->end = line.end;
    field->name_len = (uint16_t)(name_len <= UINT16_MAX ? name_len : 0);
    set_value(bytes, field, named ? line.colon + 1 : at);
}

/* Reads the value of "Name: value", and CRLF, as nearly all write it. False: it is otherwise. */
static inline bool
plain_value_read(const char *bytes, struct msg_field *field, struct scan_line line)
{
    uint32_t tail = line.end - 2, value = line.colon + 1 + (bytes[line.colon + 1] == ' ');

    field->value_at = value;
    field->value_len = tail - value;
    return is_visible(bytes[value]) && is_visible(bytes[tail - 1]);
}

/* As field_read, where all is as nearly all write it. False: it is not, and *field is nothing. */
static inline bool
plain_field_read(const char *bytes, struct msg_field *field, uint32_t at, struct scan_line line)
{
    /* First: where there is no colon, line.colon is that of the LF, and a CR stands before it. */
    return is_visible(bytes[at]) && is_visible(bytes[line.colon - 1]) &&
           line.colon - at <= UINT16_MAX && plain_value_read(bytes, field, line);
}

/* A line that begins with a blank continues the field before it (§7.3.1), unless lines between them were passed over. */
static bool
fold(struct msg *msg, struct msg_field *field, uint32_t at, uint32_t end)
{
    if (field->end != at)
        return false;
    field->end = end;
    set_value(msg->bytes, field, field->value_at);
    msg->bent = true;
    return true;
}

/* What another may take for a name that says where messages end or go back is refused: it would read them otherwise than we do. */
static void
refuse_framing(struct msg *msg, struct span name)
{
    if (names_resemble(name, HDR_CONTENT_LENGTH))
        set_fault(msg, 400, "Bad Content-Length");
    else if (names_resemble(name, HDR_VIA))
        set_fault(msg, 400, "Bad Via");
}

/* A name that is no token. */
static void
odd_name(struct msg *msg, struct span name)
{
    bool visible = name.len > 0;

    for (size_t i = 0; i < name.len; i++)
        visible = visible && is_visible(name.at[i]) && name.at[i] != 0x7f;
    note(msg, visible ? DEV_FIELD_NAME : DEV_NO_FIELD);
    refuse_framing(msg, name);
}

/* As name_find(), of one that is long, has one letter or stands at the very end. */
APART static enum header
rare_name_find(const struct msg *msg, uint32_t at, uint32_t len)
{
    if (len > NAMES_HALF && msg->len - at >= NAMES_ROOM)
        return names_header_in(msg->bytes + at, len);
    return names_header((struct span){ msg->bytes + at, len });
}

/* What a name stands for; nearly all are found by whole words. */
static inline enum header
name_find(const struct msg *msg, uint32_t at, uint32_t len)
{
    if (len - 2 <= NAMES_HALF - 2 &&
        msg->len - at >= NAMES_HALF) /* no less than 2, and no more than half */
        return names_header_in(msg->bytes + at, len);
    return rare_name_find(msg, at, len);
}

/* One that is not known. */
static void
other_name_read(struct msg *msg, const struct msg_field *field)
{
    struct span name = msg_name(msg, field);

    if (name.len == 0 || scan_run(name, &chars_token) < name.len)
        odd_name(msg, name);
}

/* Which fields there are, as msg has it; held apart while many are read, for registers to hold. */
struct seen {
    uint64_t present, again;
    uint32_t len;
};

static inline struct seen
seen_take(const struct msg *msg)
{
    return (struct seen){ msg->present, msg->again, msg->fields_len };
}

static inline void
seen_put(struct msg *msg, struct seen seen)
{
    msg->present = seen.present;
    msg->again = seen.again;
    msg->fields_len = seen.len;
}

/* The next field is of this id. */
static inline void
seen_add(struct msg *msg, struct seen *seen, enum header id)
{
    uint64_t bit = (uint64_t)1 << msg_bit(id);

    if (seen->present & bit) {
        seen->again |= bit;
    } else {
        seen->present |= bit;
        msg->first[id < MSG_FIRSTS ? id : HDR_OTHER] = (uint16_t)seen->len;
    }
    seen->len++;
}

/* Any line of the head. Past the ceiling they are passed over: the empty one shall be found. */
static void
line_read(struct index *index, uint32_t at, struct scan_line line)
{
    struct msg *msg = index->msg;
    struct msg_field *next = &index->fields[msg->fields_len];
    struct seen seen = seen_take(msg);

    if (msg->bytes[line.end - 2] != '\r')
        msg->bare_lf = true;
    if (is_blank(msg->bytes[at]) && seen.len > 0 && fold(msg, next - 1, at, line.end))
        return;
    if (seen.len == MSG_FIELDS_MAX) {
        set_fault(msg, 400, "Too Many Header Fields");
        return;
    }
    field_read(msg->bytes, next, at, line);
    next->id = (uint16_t)name_find(msg, next->at, next->name_len);
    if (next->id == HDR_OTHER)
        other_name_read(msg, next);
    seen_add(msg, &seen, (enum header)next->id);
    seen_put(msg, seen);
}

/* A plain field and what it is, HDR_OTHER among it. False: it is otherwise. A name that is known has neither blank nor CR. */
static inline bool
known_field_read(struct msg *msg, struct msg_field *field, uint32_t at, struct scan_line line)
{
    enum header id = name_find(msg, at, line.colon - at);

    field->at = at;
    field->end = line.end;
    field->name_len = (uint16_t)(line.colon - at);
    field->id = (uint16_t)id;
    if (id != HDR_OTHER)
        return plain_value_read(msg->bytes, field, line);
    if (!plain_field_read(msg->bytes, field, at, line))
        return false;
    other_name_read(msg, field);
    return true;
}

/* Fields one line each, as long as they are plain. Returns how many. */
static size_t
plain_lines_read(struct index *index, uint32_t at, const struct scan_line *lines, size_t n)
{
    struct msg *msg = index->msg;
    struct seen seen = seen_take(msg);
    struct msg_field *next = &index->fields[seen.len];
    const struct scan_line *line = lines, *end = lines + n;

    for (; line < end && known_field_read(msg, next, at, *line); at = line++->end)
        seen_add(msg, &seen, (enum header)next++->id);
    seen_put(msg, seen);
    return (size_t)(line - lines);
}

/* Lines of the head that end; a start line stands before them. */
static void
lines_read(struct index *index, uint32_t at, const struct scan_line *lines, size_t n)
{
    bool plain = !index->odd && index->msg->fields_len + n <= MSG_FIELDS_MAX;
    size_t i = 0;

    make_room(index, n);
    while (i < n && !index->err) {
        size_t read = plain ? plain_lines_read(index, at, lines + i, n - i) : 0;

        i += read;
        at = read > 0 ? lines[i - 1].end : at;
        if (i == n)
            break;
        line_read(index, at, lines[i]);
        at = lines[i++].end;
    }
}

static bool
is_empty_line(const char *bytes, uint32_t at, uint32_t end)
{
    return end - at == 1 || (end - at == 2 && bytes[at] == '\r');
}

/* Some line ends with LF alone: do all of them (§7 wants CRLF)? */
static void
line_ends_read(struct msg *msg)
{
    struct span head = { msg->bytes, msg->body_at };
    uint32_t ends = 0, bare = 0;

    for (size_t at = span_find(head, '\n'); at < head.len;
         at += 1 + span_find(span_skip(head, at + 1), '\n')) {
        ends++;
        bare += at == 0 || head.at[at - 1] != '\r';
    }
    if (bare > 0)
        note(msg, bare == ends ? DEV_BARE_LF : DEV_MIXED_LINE_ENDS);
}

/* A control byte in a quoted-pair is allowed (§25.1, RFC 4475 §3.1.1.2). */
static bool
is_escaped(struct span head, size_t at)
{
    return at > 0 && head.at[at - 1] == '\\' && head.at[at] != '\r';
}

/*
 * A control byte, as a CR that no LF follows: here it ends no line (§7, §25.1 has it in no other place), but for another
 * reader it may. What that one would then take for a field that says where the message ends or goes back is refused.
 */
static void
control_read(struct msg *msg, struct span head, size_t at)
{
    struct span behind = span_skip(head, at + 1);
    struct span name = span_head(behind, chars_line_len(behind));

    if (!is_escaped(head, at))
        note(msg, head.at[at] == '\r' ? DEV_BARE_CR : DEV_CONTROL_BYTES);
    if (span_find(name, ':') < name.len)
        refuse_framing(msg, span_head(name, span_find(name, ':')));
}

static void
controls_read(struct msg *msg)
{
    struct span head = { msg->bytes, msg->body_at };

    for (size_t at = 0; at < head.len; at++)
        if (chars_is_stray(head.at[at]) &&
            !(head.at[at] == '\r' && at + 1 < head.len && head.at[at + 1] == '\n'))
            control_read(msg, head, at);
}

/* What is wrong with the lines of the head, which is all here, whatever they say. */
static inline void
head_read(struct index *index)
{
    if (index->msg->bare_lf)
        line_ends_read(index->msg);
    if (!index->odd)
        return;
    index->msg->bent = true;
    controls_read(index->msg);
}

/* The empty line was found: the body is the rest (§7.4). */
static void
end_head(struct index *index, uint32_t at, uint32_t end)
{
    struct msg *msg = index->msg;

    if (end - at == 1)
        msg->bare_lf = true;
    msg->head_end = at;
    msg->body_at = end;
    msg->body_len = msg->len - end;
    head_read(index);
}

/* The bytes ran out before an empty line came (§7.1 wants one even without a body); the last line may lack its end. */
static void
end_early(struct index *index, uint32_t at)
{
    struct msg *msg = index->msg;

    if (at < msg->len) {
        struct span rest = { msg->bytes + at, msg->len - at };
        struct scan_line line = { msg->len, at + (uint32_t)span_find(rest, ':') };

        make_room(index, 1);
        if (!index->err)
            line_read(index, at, line);
        index->odd = true;
    }
    note(msg, DEV_NO_EMPTY_LINE);
    msg->head_end = msg->body_at = msg->len;
    head_read(index);
}

int
msg_read(struct span bytes, struct arena *arena, struct msg *out)
{
    struct index index = { .msg = out, .arena = arena };
    struct scan_line lines[BATCH];
    uint32_t at;
    size_t n;
    int start;

    *out = (struct msg){ .bytes = bytes.at, .len = (uint32_t)bytes.len };
    if (bytes.len > UINT32_MAX)
        return SIPD_ETOOBIG;
    n = scan_lines(bytes, 0, lines, BATCH, &index.odd);
    at = n > 0 ? lines[0].end : out->len;
    start = start_line_read(out, at) ? SIPD_OK : SIPD_ESYNTAX;
    for (size_t i = 1; n > 0 && !index.err; i = 0) {
        uint32_t last = n > 1 ? lines[n - 2].end : at;

        if (n > i && is_empty_line(bytes.at, last, lines[n - 1].end)) {
            lines_read(&index, at, lines + i, n - i - 1);
            end_head(&index, last, lines[n - 1].end);
            return index.err ? index.err : start;
        }
        lines_read(&index, at, lines + i, n - i);
        at = lines[n - 1].end;
        n = scan_lines(bytes, at, lines, BATCH, &index.odd);
    }
    end_early(&index, at);
    return index.err ? index.err : start;
}
