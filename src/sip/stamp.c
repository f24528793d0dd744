/*
 * The stamps received and rport, as edits (RFC 3261 §18.2.1, RFC 3581 §4).
 */
#include "sip/stamp.h"

/* s without the semicolons and the white space that it ends with. */
static struct span
trim_end(struct span s)
{
    while (s.len > 0 && (span_is_lws(s.at[s.len - 1]) || s.at[s.len - 1] == ';'))
        s.len--;
    return s;
}

/*
 * old: the value as via_next() found it. Where the parameter has none yet, its place is behind the name or the equal sign;
 * where there is no parameter, one is appended, before a semicolon that ends the Via: behind that it would leave an empty
 * parameter between two. named: ";received=" or its like.
 */
static struct stamp_edit *
add_edit(struct stamp *s, const struct via *via, struct span old, struct span named)
{
    struct stamp_edit *edit = &s->edits[s->len++];

    *edit = (struct stamp_edit){ .cut = old };
    if (!old.at) {
        edit->cut = (struct span){ span_end(trim_end(via->whole)), 0 };
        edit->name = named;
    } else if (old.len == 0 && old.at[-1] != '=') {
        edit->name = SPAN("=");
    }
    return edit;
}

static struct span
port_write(struct stamp *s, uint16_t port)
{
    char *end = s->port + sizeof s->port, *at = end;

    do {
        *--at = (char)('0' + port % 10);
        port /= 10;
    } while (port > 0);
    return span_between(at, end);
}

/* In the order of the text; what is appended stands behind a value put in at the same place. */
static bool
is_behind(const struct stamp_edit *received, const struct stamp_edit *rport, const struct via *via)
{
    return received->cut.at > rport->cut.at || (received->cut.at == rport->cut.at && via->rport.at);
}

void
stamp_init(struct stamp *s, const struct via *via, struct span received, uint16_t rport)
{
    s->len = 0;
    if (received.len > 0)
        add_edit(s, via, via->received, SPAN(";received="))->value = received;
    if (rport > 0)
        add_edit(s, via, via->rport, SPAN(";rport="))->value = port_write(s, rport);
    if (s->len == 2 && is_behind(&s->edits[0], &s->edits[1], via)) {
        struct stamp_edit first = s->edits[1];

        s->edits[1] = s->edits[0];
        s->edits[0] = first;
    }
}
