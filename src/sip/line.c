/*
 * Lines of a head as we write them (RFC 3261 §7.3.1).
 */
#include "sip/line.h"

/* Copies eight bytes. Not 0: any of them is less than 16, as CR and LF are, or has the highest bit: see the bytes then. */
static uint64_t
copy_word(char *to, const char *from)
{
    uint64_t word;

    memcpy(&word, from, sizeof word);
    memcpy(to, &word, sizeof word);
    return (word - 0x1010101010101010) & 0x8080808080808080;
}

/* Copies a text. Might there be a line end in it? The last eight bytes overlap those before. */
static bool
copy_looking(char *to, struct span text)
{
    size_t last = text.len - 8;
    uint64_t low = 0;

    if (text.len < 8) {
        for (size_t i = 0; i < text.len; i++)
            low |= (unsigned char)(to[i] = text.at[i]) < 16;
        return low;
    }
    for (size_t i = 0; i < last; i += 8)
        low |= copy_word(to + i, text.at + i);
    return low | copy_word(to + last, text.at + last);
}

char *
line_text_write(char *to, struct span text)
{
    char *end = to + text.len;

    if (copy_looking(to, text))
        for (char *at = to; at < end; at++)
            if (*at == '\r' || *at == '\n')
                *at = ' ';
    return end;
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
