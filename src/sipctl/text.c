/*
 * What others wrote, on a terminal: UTF-8 read a character at a time, and judged by what a terminal would do with it.
 */
#include "sipctl/text.h"

#define NO_CHARACTER UINT32_MAX

struct range {
    uint32_t from, to;
};

/* C0, DEL and C1; marks that turn the direction, join, or are not seen. */
static const struct range hidden[] = {
    { 0, 0x1f },        { 0x7f, 0x9f },       { 0xad, 0xad },     { 0x61c, 0x61c },
    { 0x200b, 0x200f }, { 0x2028, 0x202e },   { 0x2060, 0x206f }, { 0xfeff, 0xfeff },
    { 0xfff9, 0xfffb }, { 0xe0000, 0xe0fff },
};
static const struct range combining[] = {
    { 0x300, 0x36f },   { 0x1ab0, 0x1aff }, { 0x1dc0, 0x1dff },
    { 0x20d0, 0x20ff }, { 0xfe00, 0xfe0f }, { 0xfe20, 0xfe2f },
};
static const struct range wide[] = {
    { 0x1100, 0x115f },   { 0x2e80, 0xa4cf },   { 0xac00, 0xd7a3 },   { 0xf900, 0xfaff },
    { 0xfe30, 0xfe6f },   { 0xff00, 0xff60 },   { 0xffe0, 0xffe6 },   { 0x1f300, 0x1f64f },
    { 0x1f680, 0x1f6ff }, { 0x1f900, 0x1f9ff }, { 0x20000, 0x3fffd },
};

static bool
is_in(const struct range *ranges, size_t len, uint32_t c)
{
    for (size_t i = 0; i < len; i++)
        if (c >= ranges[i].from && c <= ranges[i].to)
            return true;
    return false;
}

#define IS_IN(ranges, c) is_in(ranges, countof(ranges), c)

/* How many bytes its first one announces; 0: none begins so. */
static size_t
announced(unsigned char first)
{
    return first < 0x80                    ? 1
           : first >= 0xc2 && first < 0xe0 ? 2
           : first >= 0xe0 && first < 0xf0 ? 3
           : first >= 0xf0 && first < 0xf5 ? 4
                                           : 0;
}

/* The character that text, not empty, begins with, and its bytes; NO_CHARACTER and 1: a byte that is none. */
static uint32_t
first_of(struct span text, size_t *bytes)
{
    static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
    unsigned char first = (unsigned char)text.at[0];
    size_t len = announced(first);
    uint32_t c = len < 2 ? first : first & (0xffU >> (len + 1));

    *bytes = 1;
    if (len == 0 || len > text.len)
        return NO_CHARACTER;
    for (size_t i = 1; i < len; i++) {
        unsigned char next = (unsigned char)text.at[i];

        if ((next & 0xc0) != 0x80)
            return NO_CHARACTER;
        c = c << 6 | (next & 0x3f);
    }
    if (c < least[len] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
        return NO_CHARACTER;
    *bytes = len;
    return c;
}

static size_t
places_of(uint32_t c)
{
    if (c < 0x300)
        return 1;
    return IS_IN(combining, c) ? 0 : IS_IN(wide, c) ? 2 : 1;
}

void
text_put(struct buf *to, struct span text)
{
    size_t bytes;

    for (; text.len > 0; text = span_skip(text, bytes)) {
        uint32_t c = first_of(text, &bytes);

        if (c == '\n' || c == '\t')
            buf_put_char(to, ' ');
        else if (c == NO_CHARACTER || IS_IN(hidden, c))
            buf_put_char(to, '?');
        else
            buf_put(to, span_head(text, bytes));
    }
}

size_t
text_places(struct span text)
{
    size_t places = 0, bytes;

    for (; text.len > 0; text = span_skip(text, bytes))
        places += places_of(first_of(text, &bytes));
    return places;
}

struct span
text_head(struct span text, size_t places)
{
    size_t len = 0, bytes;

    while (len < text.len) {
        size_t wanted = places_of(first_of(span_skip(text, len), &bytes));

        if (wanted > places)
            break;
        places -= wanted;
        len += bytes;
    }
    return span_head(text, len);
}

struct span
text_line(struct span *rest, size_t places)
{
    struct span text = span_trim(*rest), line = text_head(text, places);
    size_t blank = line.len;

    if (line.len < text.len && text.at[line.len] != ' ') {
        while (blank > 0 && text.at[blank - 1] != ' ')
            blank--;
        if (blank > 0)
            line = span_head(line, blank);
    }
    if (line.len == 0) /* not even one character fits: better too wide than never done */
        line = span_head(text, 4);
    *rest = span_trim(span_skip(text, line.len));
    return span_trim(line);
}

void
text_pad(struct buf *to, size_t blanks)
{
    while (blanks-- > 0)
        buf_put_char(to, ' ');
}
