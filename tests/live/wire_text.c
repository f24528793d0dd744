/*
 * Line ends for messages that are written in tests.
 */
#include "live/wire_text.h"

#include <check.h>
#include <stdio.h>

size_t
wire_text(char to[WIRE_TEXT_BYTES], const char *format, va_list args)
{
    char text[WIRE_TEXT_BYTES];
    int len = vsnprintf(text, sizeof text, format, args);
    size_t n = 0;

    ck_assert_msg(len >= 0 && (size_t)len < sizeof text, "a text of %d bytes has no room", len);
    for (const char *at = text; *at; at++) {
        ck_assert_uint_lt(n + 1, WIRE_TEXT_BYTES);
        if (*at == '\n' && (at == text || at[-1] != '\r'))
            to[n++] = '\r';
        to[n++] = *at;
    }
    return n;
}
