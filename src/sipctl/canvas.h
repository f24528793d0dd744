/*
 * One line of a picture: a character for each place, with what it shall look like.
 */
#ifndef SIPCTL_CANVAS_H
#define SIPCTL_CANVAS_H

#include "base/buf.h"

enum { CANVAS_WIDTH = 512, CHARACTER_BYTES = 16 };

enum ink {
    INK_PLAIN,
    INK_FAINT,
    INK_BOLD,
    INK_REQUEST,
    INK_PROVISIONAL,
    INK_SUCCESS,
    INK_ELSEWHERE, /* 3xx */
    INK_FAILURE,
};

struct cell {
    char bytes[CHARACTER_BYTES]; /* a character, with marks that combine; not ended by NUL */
    unsigned char len;           /* 0: nothing drawn */
    bool covered;                /* by the wide character on its left */
    unsigned char ink;
};

struct canvas {
    struct cell cells[CANVAS_WIDTH];
    size_t width;
};

/* Empty, so many places wide (no more than CANVAS_WIDTH). */
void canvas_clear(struct canvas *canvas, size_t width);
/* Writes what text_put() made over what is there; what lies outside is left away. */
void canvas_text(struct canvas *canvas, size_t place, struct span text, enum ink ink);
/* One character at a place. */
void canvas_mark(struct canvas *canvas, size_t place, const char *character, enum ink ink);
/* Appends the line, its end and, when it is to be coloured, its inks. No blanks stand behind the last character. */
void canvas_write(const struct canvas *canvas, bool colour, struct buf *to);

#endif
