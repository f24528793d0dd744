/*
 * Decisions told as they are made: one event each, by a port.
 */
#include "core/explain.h"

#include "sip/repair.h"

static const struct {
    const char *name, *words;
} steps[STEPS] = {
#define STEP(id, name, words, when) [STEP_##id] = { name, words },
#include "core/steps.def"
};

/* ------------------------------------------------------------------ telling */

void
explain_tell(struct core *core, struct explain_event event)
{
    if (core->ports.explain)
        core->ports.explain(core->ports.io, &event);
}

void
explain_trip(const struct trip *trip, struct explain_event event)
{
    event.trip = trip->id;
    event.dry = trip->dry;
    event.gist = &trip->gist;
    explain_tell(trip->core, event);
}

void
explain_branch(const struct branch *branch, struct explain_event event)
{
    const struct list *head = &branch->trip->branches;

    event.nth = 1;
    for (const struct list *node = head->next; node != head && node != &branch->link;
         node = node->next)
        event.nth++;
    explain_trip(branch->trip, event);
}

/* The first line of a message, without its end. */
static struct span
first_line(struct span bytes)
{
    struct span line = span_head(bytes, span_find(bytes, '\n'));

    return span_trim(line);
}

void
explain_heard(struct core *core, const struct hop *from, const struct msg *msg,
              const struct gist *gist)
{
    struct span bytes = msg_bytes(msg);

    EXPLAIN(core, .step = STEP_HEARD, .gist = gist, .line = first_line(bytes), .hop = from,
            .bytes = bytes);
}

static void
read_cseq(struct span value, struct gist *gist)
{
    struct span number = span_cut(&value, ' ');

    (void)span_u32(number, UINT32_MAX, &gist->cseq);
    gist->cseq_method = span_trim(value);
}

/* One header line. */
static void
read_name(struct span line, struct gist *gist)
{
    struct span value = line, name = span_trim(span_cut(&value, ':'));

    value = span_trim(value);
    if (span_ieq(name, SPAN("Call-ID")) || span_ieq(name, SPAN("i")))
        gist->call_id = value;
    else if (span_ieq(name, SPAN("CSeq")))
        read_cseq(value, gist);
    else if (span_ieq(name, SPAN("From")) || span_ieq(name, SPAN("f")))
        gist->from = value;
    else if (span_ieq(name, SPAN("To")) || span_ieq(name, SPAN("t")))
        gist->to = value;
}

/* What names the call, in a message of ours: its index is not there any more, and not worth to be made again for that. */
static void
read_names(struct span bytes, struct gist *gist)
{
    (void)span_cut(&bytes, '\n');
    for (unsigned found = 0; found < 4 && bytes.len > 0;) {
        struct span line = span_cut(&bytes, '\n');
        char first = line.len > 0 ? span_lower(line.at[0]) : '\r';

        if (first == '\r')
            return;
        if (first != 'c' && first != 'f' && first != 't' && first != 'i')
            continue;
        read_name(line, gist);
        found = (gist->call_id.len > 0 ? 1u : 0) + (gist->cseq_method.len > 0 ? 1u : 0) +
                (gist->from.len > 0 ? 1u : 0) + (gist->to.len > 0 ? 1u : 0);
    }
}

void
explain_sent(struct core *core, const struct hop *to, struct span bytes)
{
    struct gist gist = { .cseq = 0 };

    read_names(bytes, &gist);
    EXPLAIN(core, .step = STEP_SENT, .gist = &gist, .line = first_line(bytes), .hop = to,
            .bytes = bytes);
}

void
explain_repairs(struct core *core, const struct gist *gist, uint64_t dry,
                const struct repair_done *done)
{
    for (int i = 0; i < DEVIATIONS; i++) {
        uint64_t bit = deviation_bit((enum deviation)i);
        struct span why = done->rejected & bit   ? SPAN("refused")
                          : done->fixed & bit    ? SPAN("mended")
                          : done->accepted & bit ? SPAN("left as it is")
                                                 : SPAN("");

        if (why.len > 0)
            EXPLAIN(core, .step = STEP_REPAIRED, .gist = gist, .dry = dry,
                    .who = span_of(deviation_info((enum deviation)i)->name), .why = why);
    }
}

void
core_explain(struct core *core, bool on)
{
    if (on != core->recorded)
        core->explained += on ? 1u : UINT32_MAX;
    core->recorded = on;
}

/* ------------------------------------------------------------------ words */

struct span
explain_step_name(enum step step)
{
    return span_of(steps[step].name);
}

/* What no user, password or scheme has in it, unless it is escaped (RFC 3261 §25.1). */
static bool
parts_words(char c)
{
    return c == ' ' || c == '<' || c == '>' || c == '"' || c == '\r' || c == '\n';
}

/*
 * "sip:bob:secret@host": what stands between the second colon of a word and an at sign. A user may hold commas and question
 * marks, so of URIs in one word too much may be hidden, and never too little. Returns where it ends; 0: there is none.
 */
static size_t
find_password(struct span text, size_t *from)
{
    size_t colons = 0;

    for (size_t i = 0; i < text.len && !parts_words(text.at[i]); i++) {
        if (text.at[i] == ':' && ++colons == 2)
            *from = i + 1;
        if (text.at[i] == '@' && colons >= 2)
            return i;
        if (text.at[i] == '@')
            colons = 0;
    }
    return 0;
}

/* Up to the end of the word, and that; or up to an at sign, behind which another URI may begin. */
static size_t
piece_len(struct span text)
{
    size_t len = 0;

    while (len < text.len && !parts_words(text.at[len]) && text.at[len] != '@')
        len++;
    return len + (len < text.len);
}

void
explain_text_head(struct span text, size_t most, struct buf *to)
{
    size_t end = to->len + most;

    while (text.len > 0 && to->len < end) {
        size_t from, until = find_password(text, &from);

        if (until > 0) {
            buf_put(to, span_head(text, from));
            buf_put(to, SPAN("***"));
            text = span_skip(text, until);
        }
        buf_put(to, span_head(text, piece_len(text)));
        text = span_skip(text, piece_len(text));
    }
    if (to->len > end)
        to->len = end;
}

void
explain_text(struct span text, struct buf *to)
{
    explain_text_head(text, SIZE_MAX / 2, to);
}

void
explain_hop(const struct hop *hop, struct buf *to)
{
    char text[HOP_TEXT_BYTES];

    if (!hop)
        return;
    buf_put(to, hop_transport_uri(hop->transport));
    buf_put_char(to, ':');
    buf_put(to, hop_write(hop, text));
}

void
explain_q(uint32_t q, struct buf *to)
{
    buf_put_u64(to, q / 1000);
    if (q % 1000 != 0)
        buf_printf(to, ".%03u", q % 1000);
    while (q % 1000 != 0 && to->len > 0 && to->bytes[to->len - 1] == '0')
        to->len--;
}

static void
put_word(const struct explain_event *event, struct span name, struct buf *to)
{
    if (span_eq(name, SPAN("uri")))
        explain_text(event->uri, to);
    else if (span_eq(name, SPAN("who")))
        buf_put(to, event->who);
    else if (span_eq(name, SPAN("why")))
        explain_text(event->why, to);
    else if (span_eq(name, SPAN("line")))
        explain_text(event->line, to);
    else if (span_eq(name, SPAN("hop")))
        explain_hop(event->hop, to);
    else if (span_eq(name, SPAN("status")))
        buf_put_u64(to, event->status);
    else if (span_eq(name, SPAN("count")))
        buf_put_u64(to, event->count);
    else if (span_eq(name, SPAN("q")))
        explain_q(event->q, to);
}

void
explain_words(const struct explain_event *event, struct buf *to)
{
    struct span rest = span_of(steps[event->step].words);

    while (rest.len > 0) {
        size_t open = span_find(rest, '{');

        buf_put(to, span_head(rest, open));
        rest = span_skip(rest, open + (open < rest.len));
        if (rest.len == 0)
            return;
        put_word(event, span_head(rest, span_find(rest, '}')), to);
        rest = span_skip(rest, span_find(rest, '}') + 1);
    }
}
