/*
 * Where the answer goes. NO_COLOR, if it is there and not empty, forbids colours (no-color.org).
 */
#include "sipctl/screen.h"

#include <langinfo.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { NARROWEST = 20 };

static bool
may_colour(void)
{
    const char *forbidden = getenv("NO_COLOR"), *kind = getenv("TERM");

    return !(forbidden && *forbidden) && kind && strcmp(kind, "dumb") != 0;
}

/* Asked once, for the environment does not change; without it characters are ASCII. */
static bool
knows_utf8(void)
{
    return setlocale(LC_CTYPE, "") && strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
}

struct screen
screen_now(size_t width)
{
    struct screen screen = { .width = width, .terminal = isatty(STDOUT_FILENO) == 1 };
    struct winsize size;

    screen.utf8 = knows_utf8();
    screen.colour = screen.terminal && may_colour();
    if (screen.terminal && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) {
        screen.width = size.ws_col;
        screen.rows = size.ws_row;
    }
    if (screen.width < NARROWEST)
        screen.width = NARROWEST;
    return screen;
}
