/*
 * What others wrote, on a terminal: nothing in it is a command to the terminal, and it is known how many places it takes.
 */
#ifndef SIPCTL_TEXT_H
#define SIPCTL_TEXT_H

#include "base/buf.h"

/*
 * Appends text as it may be shown: control characters (C1 ones too), what turns the direction of writing or has no width, and
 * bytes that are no UTF-8 become '?'; line ends and tabs become blanks.
 */
void text_put(struct buf *to, struct span text);
/* Places on a screen. */
size_t text_places(struct span text);
/* The longest head of text that takes no more than so many places; no character is torn. Lent like text. */
struct span text_head(struct span text, size_t places);
/*
 * Takes the next line off text that is wrapped at blanks, so many places wide at most; a word that is longer is torn. Empty:
 * there was none left. Units: places, more than 1.
 */
struct span text_line(struct span *rest, size_t places);
void text_pad(struct buf *to, size_t blanks);

#endif
