/*
 * One pass from bytes to an index of offsets (RFC 3261 §7.1 to §7.3, §25.1).
 *
 * What the grammar forbids becomes a fault and is indexed all the same as far as it goes, for whoever answers needs the
 * other fields (RFC 4475 §3.3). A line may end with LF alone: refusing those would refuse real devices.
 */
#include "sip/msg.h"

#include "base/err.h"
#include "scan/scan.h"
#include "sip/chars.h"

enum { BATCH = 64 };  /* lines asked for at once: one batch holds the head of nearly every message */

struct index {
    struct msg *msg;
    struct arena *arena;
    struct msg_field *fields;
    uint32_t room;
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

static bool
is_blank(char c)
{
    return c == ' ' || c == '\t';
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
    return span_ieq(span_head((struct span){ bytes + at, end - at }, 4), SPAN("SIP/"));
}

/* A SIP-Version, which is_sip(); another one than ours is a fault (§7.1, §21.5.6). */
static void
version_read(struct msg *msg, uint32_t at, uint32_t end)
{
    struct span number;

    msg->version = (struct msg_text){ at, end - at };
    number = span_skip(msg_span(msg, msg->version), 4);
    if (span_eq(number, SPAN("2.0")))
        return;
    if (is_version_number(number))
        set_fault(msg, 505, "Version Not Supported");
    else
        set_fault(msg, 400, "Bad SIP-Version");
}

/* One SP each between the three parts and no other blank (§7.1, RFC 4475 §3.1.2.8 to §3.1.2.10)? */
static bool
is_spaced_right(const struct msg *msg, uint32_t end)
{
    uint32_t method_end = msg->method_text.len, uri_end = msg->uri.at + msg->uri.len;
    struct span uri = msg_span(msg, msg->uri);

    return msg->uri.at == method_end + 1 && msg->bytes[method_end] == ' ' && msg->version.at == uri_end + 1 &&
           msg->bytes[uri_end] == ' ' && msg->version.at + msg->version.len == end && span_find(uri, ' ') == uri.len &&
           span_find(uri, '\t') == uri.len;
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
        set_fault(msg, 400, "Bad Request-Line");
    return true;
}

/* Status-Line = SIP-Version SP Status-Code SP Reason-Phrase (§7.2); some senders drop the last blank with the phrase. */
static bool
status_line_read(struct msg *msg, uint32_t end)
{
    const char *bytes = msg->bytes;
    uint32_t version_end = (uint32_t)span_find((struct span){ bytes, end }, ' ');
    uint32_t code_at = skip_blanks(bytes, version_end, end), status;
    uint32_t code_end = code_at + (uint32_t)span_find((struct span){ bytes + code_at, end - code_at }, ' ');
    uint32_t reason_at = code_end < end ? code_end + 1 : end;

    if (code_end - code_at != 3 || !span_u32((struct span){ bytes + code_at, 3 }, 699, &status) || status < 100)
        return false;
    version_read(msg, 0, version_end);
    if (code_at - version_end != 1)
        set_fault(msg, 400, "Bad Status-Line");
    msg->status = (uint16_t)status;
    msg->reason = (struct msg_text){ reason_at, end - reason_at };
    return true;
}

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
    return is_sip(msg->bytes, 0, end) ? status_line_read(msg, end) : request_line_read(msg, end);
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
static inline void
set_value(const char *bytes, struct msg_field *field, uint32_t from)
{
    const char *head = bytes + from, *tail = bytes + field->end;

    if (memcmp(tail - 2, "\r\n", 2) == 0)
        tail -= 2;
    while (tail > head && span_is_lws(tail[-1]))
        tail--;
    while (head < tail && span_is_lws(*head))
        head++;
    field->value_at = (uint32_t)(head - bytes);
    field->value_len = (uint32_t)(tail - head);
}

/* A line that begins a field, its name up to the colon. One that has no name is all value. */
static inline void
field_read(const char *bytes, struct msg_field *field, uint32_t at, struct scan_line line)
{
    bool named = line.colon < line.end && !is_blank(bytes[at]);
    uint32_t name_len = named ? line.colon - at : 0;

    field->at = at;
    field->end = line.end;
    field->name_len = (uint16_t)(name_len <= UINT16_MAX ? name_len : 0);
    set_value(bytes, field, named ? line.colon + 1 : at);
}

/* A line that begins with a blank continues the field before it (§7.3.1), unless lines between them were passed over. */
static bool
fold(const char *bytes, struct msg_field *field, uint32_t at, uint32_t end)
{
    if (field->end != at)
        return false;
    field->end = end;
    set_value(bytes, field, field->value_at);
    return true;
}

/* Lines of the head; a start line stands before them. Past the ceiling they are passed over: the empty one shall be found. */
static void
lines_read(struct index *index, uint32_t at, const struct scan_line *lines, size_t n)
{
    struct msg *msg = index->msg;
    const char *bytes = msg->bytes;
    bool bare_lf = msg->bare_lf;

    make_room(index, n);
    for (size_t i = 0; i < n && !index->err; at = lines[i++].end) {
        struct msg_field *next = &index->fields[msg->fields_len];

        bare_lf |= bytes[lines[i].end - 2] != '\r';
        if (is_blank(bytes[at]) && msg->fields_len > 0 && fold(bytes, next - 1, at, lines[i].end))
            continue;
        if (msg->fields_len < MSG_FIELDS_MAX) {
            msg->fields_len++;
            field_read(bytes, next, at, lines[i]);
        } else {
            set_fault(msg, 400, "Too Many Header Fields");
        }
    }
    msg->bare_lf = bare_lf;
}

/* The names of all fields, HCOLON = *( SP / HTAB ) ":" SWS (§25.1). */
static void
names_read(struct index *index)
{
    struct msg *msg = index->msg;

    for (size_t i = 0; i < msg->fields_len; i++) {
        struct msg_field *field = &index->fields[i];
        struct span line = { msg->bytes + field->at, msg->len - field->at };
        enum header id;

        while (field->name_len > 0 && is_blank(line.at[field->name_len - 1]))
            field->name_len--;
        id = names_header_in(line, field->name_len);
        if (id == HDR_OTHER && !chars_is_token(span_head(line, field->name_len)))
            set_fault(msg, 400, "Bad Header Line");
        field->id = (uint16_t)id;
        msg->present |= (uint64_t)1 << (id & 63);
    }
}

static bool
is_empty_line(const char *bytes, uint32_t at, uint32_t end)
{
    return end - at == 1 || (end - at == 2 && bytes[at] == '\r');
}

/* The empty line was found: the body is the rest (§7.4). */
static void
end_head(struct index *index, uint32_t at, uint32_t end)
{
    struct msg *msg = index->msg;

    names_read(index);
    if (end - at == 1)
        msg->bare_lf = true;
    msg->head_end = at;
    msg->body_at = end;
    msg->body_len = msg->len - end;
}

/* The bytes ran out before an empty line came (§7.1 wants one even without a body); the last line may lack its end. */
static void
end_early(struct index *index, uint32_t at)
{
    struct msg *msg = index->msg;

    if (at < msg->len) {
        struct span rest = { msg->bytes + at, msg->len - at };
        struct scan_line line = { msg->len, at + (uint32_t)span_find(rest, ':') };

        lines_read(index, at, &line, 1);
    }
    names_read(index);
    set_fault(msg, 400, "Missing Empty Line");
    msg->head_end = msg->body_at = msg->len;
}

int
msg_read(struct span bytes, struct arena *arena, struct msg *out)
{
    struct index index = { .msg = out, .arena = arena };
    struct scan_line lines[BATCH];
    uint32_t at;
    size_t n;

    *out = (struct msg){ .bytes = bytes.at, .len = (uint32_t)bytes.len };
    if (bytes.len > UINT32_MAX)
        return SIPD_ETOOBIG;
    n = scan_lines(bytes, 0, lines, BATCH);
    at = n > 0 ? lines[0].end : out->len;
    if (!start_line_read(out, at))
        return SIPD_ESYNTAX;
    for (size_t i = 1; n > 0 && !index.err; i = 0) {
        uint32_t last = n > 1 ? lines[n - 2].end : at;

        if (n > i && is_empty_line(bytes.at, last, lines[n - 1].end)) {
            lines_read(&index, at, lines + i, n - i - 1);
            end_head(&index, last, lines[n - 1].end);
            return index.err;
        }
        lines_read(&index, at, lines + i, n - i);
        at = lines[n - 1].end;
        n = scan_lines(bytes, at, lines, BATCH);
    }
    end_early(&index, at);
    return index.err;
}
