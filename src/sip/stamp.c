/*
 * The stamps received and rport, as edits (RFC 3261 §18.2.1, RFC 3581 §4).
 */
#include "sip/stamp.h"

#include "sip/param.h"

/* s without the semicolons and the white space that it ends with. */
static struct span
trim_end(struct span s)
{
    while (s.len > 0 && (span_is_lws(s.at[s.len - 1]) || s.at[s.len - 1] == ';'))
        s.len--;
    return s;
}

/* The text of a parameter from its name to the end of its value; false if it is not there. */
static bool
find_param(struct span params, struct span name, struct span *text)
{
    const char *end = span_end(params);
    struct param param;

    while (param_next(&params, &param)) {
        if (!span_ieq(param.name, name))
            continue;
        *text = trim_end(span_between(param.name.at, params.len > 0 ? params.at : end));
        return true;
    }
    return false;
}

/*
 * named: ";received=" or its like; a replaced parameter has its semicolon already. One that is appended stands before a
 * semicolon that ends the Via, for behind that it would leave an empty parameter between two.
 */
static void
add_edit(struct stamp *s, const struct via *via, struct span named, struct span value)
{
    struct stamp_edit *edit = &s->edits[s->len++];
    struct span name = span_head(span_skip(named, 1), named.len - 2);

    *edit = (struct stamp_edit){ .name = named, .value = value };
    if (find_param(via->params, name, &edit->cut))
        edit->name = span_skip(named, 1);
    else
        edit->cut = (struct span){ span_end(trim_end(via->whole)), 0 };
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

void
stamp_init(struct stamp *s, const struct via *via, struct span received, uint16_t rport)
{
    s->len = 0;
    if (received.len > 0)
        add_edit(s, via, SPAN(";received="), received);
    if (rport > 0)
        add_edit(s, via, SPAN(";rport="), port_write(s, rport));
    if (s->len == 2 && s->edits[1].cut.at < s->edits[0].cut.at) {
        struct stamp_edit first = s->edits[1];

        s->edits[1] = s->edits[0];
        s->edits[0] = first;
    }
}
