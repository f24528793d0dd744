/*
 * Line ends for messages that are written in tests.
 */
#include "live/wire_text.h"

#include <check.h>
#include <stdio.h>

/* Asserts that hold cost a write to check's file each, too much for what is done with every byte. */
size_t
wire_text(char to[WIRE_TEXT_BYTES], const char *format, va_list args)
{
    char text[WIRE_TEXT_BYTES];
    int len = vsnprintf(text, sizeof text, format, args);
    size_t n = 0;

    if (len < 0 || (size_t)len >= sizeof text)
        ck_abort_msg("a text of %d bytes has no room", len);
    for (const char *at = text; *at; at++) {
        if (n + 1 >= WIRE_TEXT_BYTES)
            ck_abort_msg("a text of %d bytes has no room for its line ends", len);
        if (*at == '\n' && (at == text || at[-1] != '\r'))
            to[n++] = '\r';
        to[n++] = *at;
    }
    return n;
}
