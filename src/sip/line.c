/*
 * Lines of a head as we write them (RFC 3261 §7.3.1).
 */
#include "sip/line.h"

#include "scan/scan.h"

static char *
copy(char *to, struct span text)
{
    if (text.len > 0)
        memcpy(to, text.at, text.len);
    return to + text.len;
}

char *
line_text_write(char *to, struct span text)
{
    char *end = copy(to, text);

    for (size_t at = 0; (at += scan_find(span_skip(text, at), '\r', '\n', '\n')) < text.len; at++)
        to[at] = ' ';
    return end;
}

char *
line_write(char *to, struct span name, struct span value)
{
    to = copy(to, name);
    to = copy(to, SPAN(": "));
    to = line_text_write(to, value);
    return copy(to, SPAN("\r\n"));
}

void
line_text_put(struct buf *b, struct span text)
{
    char *to = buf_reserve(b, text.len);

    if (to)
        b->len += (size_t)(line_text_write(to, text) - to);
}

void
line_put(struct buf *b, struct span name, struct span value)
{
    char *to = buf_reserve(b, line_bytes(name, value));

    if (to)
        b->len += (size_t)(line_write(to, name, value) - to);
}
