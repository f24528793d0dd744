/*
 * The stamps received and rport, as edits (RFC 3261 §18.2.1, RFC 3581 §4).
 */
#include "sip/stamp.h"

#include "sip/line.h"
#include "sip/num.h"

/* s without the semicolons and the white space that it ends with. */
static struct span
trim_end(struct span s)
{
    while (s.len > 0 && (span_is_lws(s.at[s.len - 1]) || s.at[s.len - 1] == ';'))
        s.len--;
    return s;
}

/* Where the value is, or where its parameter is appended. */
static const char *
place_of(struct span old, const char *end)
{
    return old.at ? old.at : end;
}

/* Another edit, or more of the last one where that ends. The text of both lies side by side. */
static void
add_edit(struct stamp *s, struct span cut, struct span text)
{
    struct stamp_edit *next = s->edits + s->len;

    if (s->len > 0 && cut.at == span_end(next[-1].cut)) {
        next[-1].cut.len += cut.len;
        next[-1].text.len += text.len;
        return;
    }
    next->cut = cut;
    next->text = text;
    s->len++;
}

/*
 * Its text up to the value; old: the value as via_next() found it. Where the parameter has none yet, its place is behind the name
 * or the equal sign; where there is no parameter, one is appended. named: ";received=" or its like.
 */
static inline char *
begin_text(char *to, struct span old, struct span named)
{
    if (!old.at)
        return span_write(to, named);
    if (old.len == 0 && old.at[-1] != '=')
        *to++ = '=';
    return to;
}

static char *
set_received(struct stamp *s, struct span old, const char *end, struct span value, char *from)
{
    char *to = begin_text(from, old, SPAN(";received="));

    to = line_text_write(to, span_head(value, HOP_TEXT_BYTES));
    add_edit(s, (struct span){ place_of(old, end), old.len }, span_between(from, to));
    return to;
}

static char *
set_rport(struct stamp *s, struct span old, const char *end, uint16_t port, char *from)
{
    char *to = num_write_short(begin_text(from, old, SPAN(";rport=")), port);

    add_edit(s, (struct span){ place_of(old, end), old.len }, span_between(from, to));
    return to;
}

/* In the order of the text; what is appended stands behind a value put in at the same place. */
static bool
comes_first(struct span rport, struct span received, const char *end)
{
    const char *at = place_of(rport, end), *other = place_of(received, end);

    return at < other || (at == other && rport.at);
}

/* What is appended stands before a semicolon that ends the Via: behind that it would leave an empty parameter between two. */
void
stamp_init(struct stamp *s, const struct via *via, struct span received, uint16_t rport)
{
    const char *end = span_end(trim_end(via->whole));
    bool rport_first = comes_first(via->rport, via->received, end);
    char *to = s->text;

    s->len = 0;
    if (rport > 0 && rport_first)
        to = set_rport(s, via->rport, end, rport, to);
    if (received.len > 0)
        to = set_received(s, via->received, end, received, to);
    if (rport > 0 && !rport_first)
        set_rport(s, via->rport, end, rport, to);
}
