/*
 * Where the answer goes: how wide it is, and what it can show.
 */
#ifndef SIPCTL_SCREEN_H
#define SIPCTL_SCREEN_H

#include <stdbool.h>
#include <stddef.h>

struct screen {
    size_t width;  /* places in a line */
    size_t rows;   /* 0: it does not end, as a file */
    bool terminal; /* somebody looks, and escape sequences would be obeyed */
    bool colour;   /* a terminal, and NO_COLOR is not set */
    bool utf8;     /* lines and arrows need not be of ASCII */
};

/* Standard output as it is now; what is no terminal is `width` wide. */
struct screen screen_now(size_t width);

#endif
