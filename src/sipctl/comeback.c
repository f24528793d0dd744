/*
 * A restart is over when the line to the old sipd has ended and the new one greets.
 */
#include "sipctl/comeback.h"

#include <poll.h>
#include <string.h>
#include <unistd.h>

enum { PATIENCE_MS = 60000, STEP_MS = 20, STEPS = PATIENCE_MS / STEP_MS };

bool
comeback_is(char *const *words)
{
    return strcmp(words[0], "restart") == 0 && !words[1];
}

/* What else it says is of no interest; the end of the line is. */
static bool
is_gone(int fd)
{
    struct pollfd line = { .fd = fd, .events = POLLIN };
    char bytes[256];

    while (poll(&line, 1, PATIENCE_MS) > 0)
        if (read(fd, bytes, sizeof bytes) <= 0)
            return true;
    return false;
}

bool
comeback_wait(struct client *client, const json_t *answer, struct buf *why)
{
    const json_t *row = json_array_get(json_object_get(answer, "rows"), 0);
    const char *path = json_string_value(json_object_get(row, "socket"));
    struct client next;

    if (!path || !is_gone(client->fd)) {
        buf_printf(why, "sipd has not ended\n");
        return false;
    }
    for (int i = 0; i < STEPS; i++) {
        buf_clear(why);
        if (client_open(&next, path, why)) {
            client_close(&next);
            return true;
        }
        poll(NULL, 0, STEP_MS);
    }
    return false;
}
