/*
 * Lines of a head as we write them (RFC 3261 §7.3.1).
 */
#include "sip/line.h"

/* Has any of eight bytes less than 16, as CR and LF have? Also some others that have the highest bit: see the bytes then. */
static bool
has_low(const char *at)
{
    uint64_t word;

    memcpy(&word, at, sizeof word);
    return (word - 0x1010101010101010) & 0x8080808080808080;
}

/* Might there be a line end in it? The last eight bytes overlap those before. */
static bool
has_line_end(struct span text)
{
    const char *at = text.at, *end = span_end(text);

    if (text.len < 8) {
        bool low = false;

        for (; at < end; at++)
            low |= (unsigned char)*at < 16;
        return low;
    }
    for (; end - at > 8; at += 8)
        if (has_low(at))
            return true;
    return has_low(end - 8);
}

char *
line_text_write(char *to, struct span text)
{
    char *end = span_write(to, text);

    if (has_line_end(text))
        for (char *at = to; at < end; at++)
            if (*at == '\r' || *at == '\n')
                *at = ' ';
    return end;
}

char *
line_write(char *to, struct span name, struct span value)
{
    to = span_write(to, name);
    memcpy(to, ": ", 2);
    to = line_text_write(to + 2, value);
    memcpy(to, "\r\n", 2);
    return to + 2;
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
