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
#include "sip/parse.h"

enum { BATCH = 64 }; /* lines asked for at once: one batch holds the head of nearly every message */

struct index {
    struct msg *msg;
    struct arena *arena;
    struct msg_field *fields;
    uint32_t room;
    bool odd; /* a line ends otherwise than with CRLF, or has another control byte but HTAB */
    int err;
};

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
    bool named = line.colon < line.end && bytes[line.colon] == ':' && !parse_is_blank(bytes[at]);
    uint32_t name_len = named ? parse_trim_blanks(bytes, at, line.colon) - at : 0;

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
    return parse_is_visible(bytes[value]) && parse_is_visible(bytes[tail - 1]);
}

/* As field_read, where all is as nearly all write it. False: it is not, and *field is nothing. */
static inline bool
plain_field_read(const char *bytes, struct msg_field *field, uint32_t at, struct scan_line line)
{
    /* First: where there is no colon, line.colon is that of the LF, and a CR stands before it. */
    return parse_is_visible(bytes[at]) && parse_is_visible(bytes[line.colon - 1]) &&
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
        parse_fault(msg, 400, "Bad Content-Length");
    else if (names_resemble(name, HDR_VIA))
        parse_fault(msg, 400, "Bad Via");
}

/* A name that is no token. */
static void
odd_name(struct msg *msg, struct span name)
{
    bool visible = name.len > 0;

    for (size_t i = 0; i < name.len; i++)
        visible = visible && parse_is_visible(name.at[i]) && name.at[i] != 0x7f;
    parse_note(msg, visible ? DEV_FIELD_NAME : DEV_NO_FIELD);
    refuse_framing(msg, name);
}

/* What a name stands for that is long, has one letter, stands at the very end or has no colon right behind it. */
APART static enum header
rare_name_find(const struct msg *msg, uint32_t at, uint32_t len)
{
    if (len >= NAMES_HALF && msg->len - at >= NAMES_ROOM && msg->bytes[at + len] == ':')
        return names_header_in(msg->bytes + at, len);
    return names_header((struct span){ msg->bytes + at, len });
}

/* What the name stands for that ends at the first colon of a line; nearly all are found by whole words. */
static inline enum header
name_find(const struct msg *msg, uint32_t at, uint32_t len)
{
    if (len - 2 < NAMES_HALF - 2 && /* no less than 2, and less than half */
        msg->len - at >= NAMES_HALF)
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
    uint64_t present;
    uint32_t len;
};

static inline struct seen
seen_take(const struct msg *msg)
{
    return (struct seen){ msg->present, msg->fields_len };
}

static inline void
seen_put(struct msg *msg, struct seen seen)
{
    msg->present = seen.present;
    msg->fields_len = seen.len;
}

/* The next field is of this id, one of those that have their own bit and their place in msg->first. */
static inline void
seen_add_first(struct msg *msg, struct seen *seen, unsigned id)
{
    uint64_t bit = (uint64_t)1 << id;

    if (seen->present & bit)
        msg->again |= bit;
    else
        msg->first[id] = (uint16_t)seen->len;
    seen->present |= bit;
    seen->len++;
}

/* The next field is of this id. */
static inline void
seen_add(struct msg *msg, struct seen *seen, unsigned id)
{
    uint64_t bit = (uint64_t)1 << msg_bit((enum header)id);

    if (id < MSG_FIRSTS) {
        seen_add_first(msg, seen, id);
        return;
    }
    msg->again |= seen->present & bit;
    seen->present |= bit;
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
    if (parse_is_blank(msg->bytes[at]) && seen.len > 0 && fold(msg, next - 1, at, line.end))
        return;
    if (seen.len == MSG_FIELDS_MAX) {
        parse_fault(msg, 400, "Too Many Header Fields");
        return;
    }
    field_read(msg->bytes, next, at, line);
    next->id = (uint16_t)rare_name_find(msg, next->at, next->name_len);
    if (next->id == HDR_OTHER)
        other_name_read(msg, next);
    seen_add(msg, &seen, next->id);
    seen_put(msg, seen);
}

/* A plain field of any name. False: it is otherwise, and nothing but perhaps *next was written. */
static inline bool
plain_field_add(struct msg *msg, struct msg_field *next, uint32_t at, struct scan_line line)
{
    struct seen seen = seen_take(msg);

    if (!plain_field_read(msg->bytes, next, at, line))
        return false;
    next->at = at;
    next->end = line.end;
    next->name_len = (uint16_t)(line.colon - at);
    next->id = (uint16_t)name_find(msg, at, line.colon - at);
    if (next->id == HDR_OTHER)
        other_name_read(msg, next);
    seen_add(msg, &seen, next->id);
    seen_put(msg, seen);
    return true;
}

/* A line of a head in which all end as they should. */
APART static void
plain_line_read(struct index *index, uint32_t at, struct scan_line line)
{
    if (!plain_field_add(index->msg, &index->fields[index->msg->fields_len], at, line))
        line_read(index, at, line);
}

/*
 * A plain field whose name is known, with room behind `at` to find it by whole words. False: it is otherwise, and *field is
 * nothing. A name that is known has neither blank nor CR.
 */
static inline bool
known_field_read(const char *bytes, struct msg_field *field, size_t at, struct scan_line line)
{
    size_t colon = line.colon, len = colon - at, value = colon + 1, tail = line.end;
    unsigned id;

    if (len - 2 >= NAMES_HALF - 2 || /* less than 2, or not less than half */
        !parse_is_visible(bytes[tail - 3]))
        return false;
    field->at = (uint32_t)at;
    field->end = (uint32_t)tail;
    field->name_len = (uint16_t)len;
    id = names_candidate(bytes + at, len);
    if (!names_is(bytes + at, len, id)) /* no name is HDR_OTHER */
        return false;
    field->id = (uint16_t)id;
    value += bytes[value] == ' ';
    field->value_at = (uint32_t)value;
    field->value_len = (uint32_t)(tail - 2 - value);
    return parse_is_visible(bytes[value]);
}

/* Fields one line each, as long as they are plain and known, of lines[i] to before lines[n]. Returns where it stopped. */
static inline size_t
known_lines_read(struct index *index, size_t at, const struct scan_line *lines, size_t i, size_t n)
{
    struct msg *msg = index->msg;
    const char *bytes = msg->bytes;
    struct seen seen = seen_take(msg);
    struct msg_field *next = &index->fields[seen.len];

    for (; i < n && known_field_read(bytes, next, at, lines[i]); at = lines[i++].end)
        seen_add(msg, &seen, next++->id);
    seen_put(msg, seen);
    return i;
}

/* How many of the lines have room enough behind where they begin. */
static inline size_t
roomy_lines(const struct msg *msg, uint32_t at, const struct scan_line *lines, size_t n)
{
    while (n > 0 && msg->len - (n > 1 ? lines[n - 2].end : at) < NAMES_HALF)
        n--;
    return n;
}

/* Lines that end as they should. */
APART static void
plain_lines_read(struct index *index, uint32_t at, const struct scan_line *lines, size_t n)
{
    size_t roomy = roomy_lines(index->msg, at, lines, n), i;

    for (i = known_lines_read(index, at, lines, 0, roomy); i < n;
         i = known_lines_read(index, at, lines, i, roomy)) {
        at = i > 0 ? lines[i - 1].end : at;
        plain_line_read(index, at, lines[i]);
        at = lines[i++].end;
    }
}

/* Lines of the head that end; a start line stands before them. */
static inline void
lines_read(struct index *index, uint32_t at, const struct scan_line *lines, size_t n)
{
    bool plain = !index->odd && index->msg->fields_len + n <= MSG_FIELDS_MAX;

    make_room(index, n);
    if (index->err || n == 0)
        return;
    if (plain)
        plain_lines_read(index, at, lines, n);
    else
        for (size_t i = 0; i < n; at = lines[i++].end)
            line_read(index, at, lines[i]);
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
        parse_note(msg, bare == ends ? DEV_BARE_LF : DEV_MIXED_LINE_ENDS);
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
        parse_note(msg, head.at[at] == '\r' ? DEV_BARE_CR : DEV_CONTROL_BYTES);
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
    parse_note(msg, DEV_NO_EMPTY_LINE);
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
