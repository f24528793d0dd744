/*
 * One line of a picture. Inks are the eight colours that every terminal has, and which its user has chosen (ECMA-48 SGR).
 */
#include "sipctl/canvas.h"

#include <string.h>

#include "sipctl/text.h"

static const char *const inks[] = {
    [INK_PLAIN] = "",
    [INK_FAINT] = "\033[2m",
    [INK_BOLD] = "\033[1m",
    [INK_REQUEST] = "\033[36m",
    [INK_PROVISIONAL] = "\033[33m",
    [INK_SUCCESS] = "\033[32m",
    [INK_ELSEWHERE] = "\033[35m",
    [INK_FAILURE] = "\033[31m",
};

void
canvas_clear(struct canvas *canvas, size_t width)
{
    canvas->width = width < CANVAS_WIDTH ? width : CANVAS_WIDTH;
    memset(canvas->cells, 0, canvas->width * sizeof canvas->cells[0]);
}

static void
put(struct canvas *canvas, size_t place, struct span character, size_t places, enum ink ink)
{
    struct cell *cell = &canvas->cells[place];

    if (place + places > canvas->width || character.len > CHARACTER_BYTES)
        return;
    memset(cell, 0, places * sizeof *cell);
    memcpy(cell->bytes, character.at, character.len);
    cell->len = (unsigned char)character.len;
    cell->ink = (unsigned char)ink;
    for (size_t i = 1; i < places; i++)
        cell[i].covered = true;
}

void
canvas_text(struct canvas *canvas, size_t place, struct span text, enum ink ink)
{
    while (text.len > 0 && place < canvas->width) {
        struct span character = text_head(text, 1);
        size_t places = 1;

        if (character.len == 0)
            character = text_head(text, places = 2);
        put(canvas, place, character, places, ink);
        place += places;
        text = span_skip(text, character.len);
    }
}

void
canvas_mark(struct canvas *canvas, size_t place, const char *character, enum ink ink)
{
    if (place < canvas->width)
        put(canvas, place, span_of(character), 1, ink);
}

static void
change_ink(enum ink *now, enum ink next, bool colour, struct buf *to)
{
    if (!colour || *now == next)
        return;
    if (*now != INK_PLAIN)
        buf_put(to, SPAN("\033[0m"));
    buf_put(to, span_of(inks[next]));
    *now = next;
}

void
canvas_write(const struct canvas *canvas, bool colour, struct buf *to)
{
    enum ink ink = INK_PLAIN;
    size_t blanks = 0;

    for (size_t i = 0; i < canvas->width; i++) {
        const struct cell *cell = &canvas->cells[i];

        if (cell->covered)
            continue;
        if (cell->len == 0 || (cell->len == 1 && cell->bytes[0] == ' ')) {
            blanks++;
            continue;
        }
        if (blanks > 0)
            change_ink(&ink, INK_PLAIN, colour, to);
        text_pad(to, blanks);
        blanks = 0;
        change_ink(&ink, (enum ink)cell->ink, colour, to);
        buf_put(to, (struct span){ cell->bytes, cell->len });
    }
    change_ink(&ink, INK_PLAIN, colour, to);
    buf_put_char(to, '\n');
}
