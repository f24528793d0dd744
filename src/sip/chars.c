/*
 * The classes of bytes as one table, and the two walks that know quotes (RFC 3261 §25.1).
 */
#include "sip/chars.h"

enum {
    VISIBLE = CHARS_URI,
    USER = VISIBLE | CHARS_USER,
    RESERVED = USER | CHARS_RESERVED,
    MARK = USER | CHARS_UNRESERVED,
    TOKEN_MARK = MARK | CHARS_TOKEN,
    NAME_MARK = TOKEN_MARK | CHARS_HOST,
    DIGIT = NAME_MARK | CHARS_HEX,
    LETTER = NAME_MARK | CHARS_ALPHA,
    HEX_LETTER = LETTER | CHARS_HEX,
};

/* clang-format off */
#define LETTERS(a, b, c, d, e) [a] = LETTER, [b] = LETTER, [c] = LETTER, [d] = LETTER, [e] = LETTER

const uint8_t chars_classes[256] = {
    ['0'] = DIGIT, ['1'] = DIGIT, ['2'] = DIGIT, ['3'] = DIGIT, ['4'] = DIGIT,
    ['5'] = DIGIT, ['6'] = DIGIT, ['7'] = DIGIT, ['8'] = DIGIT, ['9'] = DIGIT,

    ['A'] = HEX_LETTER, ['B'] = HEX_LETTER, ['C'] = HEX_LETTER,
    ['D'] = HEX_LETTER, ['E'] = HEX_LETTER, ['F'] = HEX_LETTER,
    LETTERS('G', 'H', 'I', 'J', 'K'), LETTERS('L', 'M', 'N', 'O', 'P'),
    LETTERS('Q', 'R', 'S', 'T', 'U'), LETTERS('V', 'W', 'X', 'Y', 'Z'),

    ['a'] = HEX_LETTER, ['b'] = HEX_LETTER, ['c'] = HEX_LETTER,
    ['d'] = HEX_LETTER, ['e'] = HEX_LETTER, ['f'] = HEX_LETTER,
    LETTERS('g', 'h', 'i', 'j', 'k'), LETTERS('l', 'm', 'n', 'o', 'p'),
    LETTERS('q', 'r', 's', 't', 'u'), LETTERS('v', 'w', 'x', 'y', 'z'),

    ['-'] = NAME_MARK, ['.'] = NAME_MARK, ['_'] = NAME_MARK,
    ['!'] = TOKEN_MARK, ['~'] = TOKEN_MARK, ['*'] = TOKEN_MARK, ['\''] = TOKEN_MARK,
    ['('] = MARK, [')'] = MARK,

    [';'] = RESERVED, ['/'] = RESERVED, ['?'] = RESERVED, [':'] = RESERVED, ['&'] = RESERVED,
    ['='] = RESERVED, ['$'] = RESERVED, [','] = RESERVED, ['+'] = RESERVED | CHARS_TOKEN,
    ['@'] = VISIBLE | CHARS_RESERVED, /* the one that ends a user part */

    ['#'] = USER, ['['] = USER, [']'] = USER, ['\\'] = USER, ['^'] = USER,
    ['`'] = USER | CHARS_TOKEN, ['{'] = USER, ['|'] = USER, ['}'] = USER,
    ['"'] = VISIBLE,
    ['%'] = CHARS_TOKEN, /* in a URI it begins an escape */
};
/* clang-format on */

/* clang-format off */
const struct scan_set chars_token = { {
    0xe8, 0xfc, 0xf8, 0xf8, 0xf8, 0xfc, 0xf8, 0xfc, 0xf8, 0xf8, 0xf4, 0x54, 0x50, 0x54, 0xd4, 0x70
} };
const struct scan_set chars_host = { {
    0xa8, 0xf8, 0xf8, 0xf8, 0xf8, 0xf8, 0xf8, 0xf8, 0xf8, 0xf8, 0xf0, 0x50, 0x50, 0x54, 0x54, 0x70
} };
const struct scan_set chars_call_id = { {
    0xf8, 0xfc, 0xfc, 0xf8, 0xf8, 0xfc, 0xf8, 0xfc, 0xfc, 0xfc, 0xfc, 0xf4, 0x78, 0xf4, 0xdc, 0x7c
} };
const struct scan_set chars_uri = { {
    0xb8, 0xfc, 0xf8, 0xf8, 0xfc, 0xfc, 0xfc, 0xfc, 0xfc, 0xfc, 0xfc, 0x7c, 0x54, 0x7c, 0xd4, 0x7c
} };
const struct scan_set chars_simple_uri = { {
    0xb8, 0xfc, 0xf8, 0xf8, 0xfc, 0xfc, 0xfc, 0xfc, 0xfc, 0xfc, 0xfc, 0x74, 0x54, 0x7c, 0xd4, 0x74
} };
const struct scan_set chars_user = { {
    0xe8, 0xfc, 0xf8, 0xfc, 0xfc, 0xf8, 0xfc, 0xfc, 0xfc, 0xfc, 0xf4, 0xfc, 0xf4, 0xfc, 0xf4, 0x7c
} };
const struct scan_set chars_plain_user = { {
    0xa8, 0xfc, 0xf8, 0xf8, 0xf8, 0xf8, 0xf8, 0xfc, 0xfc, 0xfc, 0xf4, 0x54, 0x50, 0x54, 0xd4, 0x70
} };
const struct scan_set chars_plain_host = { {
    0x88, 0xc8, 0xc8, 0xc8, 0xc8, 0xc8, 0xc8, 0xc8, 0xc8, 0xc8, 0xc0, 0x40, 0x40, 0x44, 0x44, 0x40
} };
/* clang-format on */

size_t
chars_quoted(struct span s)
{
    size_t at = 1;

    for (;;) {
        at += scan_find(span_skip(s, at), '"', '\\', '\\');
        if (at >= s.len)
            return 0;
        if (s.at[at] == '"')
            return at + 1;
        at += 2;
    }
}

size_t
chars_find(struct span s, char a, char b)
{
    size_t at = scan_find(s, a, b, '"');

    while (at < s.len && s.at[at] == '"') {
        size_t quoted = chars_quoted(span_skip(s, at));

        if (quoted == 0)
            return CHARS_OPEN;
        at += quoted;
        at += scan_find(span_skip(s, at), a, b, '"');
    }
    return at;
}
