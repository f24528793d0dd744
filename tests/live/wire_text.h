/*
 * Messages as a test writes them: lines that end with \n become lines that end with CR LF.
 */
#ifndef LIVE_WIRE_TEXT_H
#define LIVE_WIRE_TEXT_H

#include <stdarg.h>
#include <stddef.h>

enum { WIRE_TEXT_BYTES = 65536 };

/* The formatted text as it goes on the wire; a CR that stands there stays one. What has no room fails the test. Returns its length. */
size_t wire_text(char to[WIRE_TEXT_BYTES], const char *format, va_list args)
    __attribute__((format(printf, 2, 0)));

#endif
