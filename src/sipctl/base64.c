/*
 * Base64 (RFC 4648 §4), as strict as sipd writes it.
 */
#include "sipctl/base64.h"

/* The value of a digit; 64: it is none. */
static unsigned
digit(char c)
{
    if (c >= 'A' && c <= 'Z')
        return (unsigned)(c - 'A');
    if (c >= 'a' && c <= 'z')
        return (unsigned)(c - 'a') + 26;
    if (c >= '0' && c <= '9')
        return (unsigned)(c - '0') + 52;
    return c == '+' ? 62 : c == '/' ? 63 : 64;
}

bool
base64_read(struct span text, struct buf *to)
{
    size_t pads = 0;

    if (text.len % 4 != 0)
        return false;
    while (pads < 2 && pads < text.len && text.at[text.len - 1 - pads] == '=')
        pads++;
    for (size_t i = 0; i < text.len - pads; i++)
        if (digit(text.at[i]) > 63)
            return false;
    for (size_t i = 0; i < text.len; i += 4) {
        size_t bytes = i + 4 == text.len ? 3 - pads : 3;
        uint32_t bits = 0;

        for (size_t k = 0; k < 4; k++)
            bits = bits << 6 | (text.at[i + k] == '=' ? 0 : digit(text.at[i + k]));
        for (size_t k = 0; k < bytes; k++)
            buf_put_char(to, (char)(bits >> (16 - 8 * k)));
    }
    return true;
}
