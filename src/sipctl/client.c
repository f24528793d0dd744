/*
 * The line to a running sipd (daemon/ctl.h has its words).
 */
#include "sipctl/client.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define GREETING "sipd-ctl 1 "

static bool
fail(struct client *client, const char *path, const char *what, struct buf *why)
{
    buf_printf(why, "no sipd at %s: %s\n", path, what);
    client_close(client);
    return false;
}

static bool
connect_to(struct client *client, const char *path)
{
    struct sockaddr_un at = { .sun_family = AF_UNIX };
    size_t len = strlen(path);

    errno = ENAMETOOLONG;
    if (len >= sizeof at.sun_path)
        return false;
    memcpy(at.sun_path, path, len);
    client->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    return client->fd >= 0 && connect(client->fd, (const struct sockaddr *)&at, sizeof at) == 0;
}

bool
client_open(struct client *client, const char *path, struct buf *why)
{
    char greeting[256];

    *client = (struct client){ .fd = -1 };
    if (!connect_to(client, path) || !(client->in = fdopen(client->fd, "r")))
        return fail(client, path, strerror(errno), why);
    if (!fgets(greeting, sizeof greeting, client->in))
        return fail(client, path, "it is too busy to answer", why);
    if (!span_starts(span_of(greeting), SPAN(GREETING)))
        return fail(client, path, "it speaks another version; use the sipctl that came with it",
                    why);
    return true;
}

void
client_close(struct client *client)
{
    if (client->in)
        fclose(client->in);
    else if (client->fd >= 0)
        close(client->fd);
    *client = (struct client){ .fd = -1 };
}

static bool
send_all(int fd, struct span bytes)
{
    while (bytes.len > 0) {
        ssize_t sent = send(fd, bytes.at, bytes.len, MSG_NOSIGNAL);

        if (sent < 0 && errno == EINTR)
            continue;
        if (sent <= 0)
            return false;
        bytes = span_skip(bytes, (size_t)sent);
    }
    return true;
}

bool
client_can_say(const char *text)
{
    json_t *word = json_string(text);

    json_decref(word);
    return word != NULL;
}

static int
put(const char *bytes, size_t len, void *to)
{
    buf_put(to, (struct span){ bytes, len });
    return 0;
}

static bool
send_request(struct client *client, char *const *words, const char *input)
{
    json_t *request = json_object(), *list = json_array();
    struct buf line;
    bool sent;

    for (size_t i = 0; words[i]; i++)
        json_array_append_new(list, json_string(words[i]));
    json_object_set_new(request, "words", list);
    if (input)
        json_object_set_new(request, "input", json_string(input));
    buf_init(&line, 1 << 16);
    sent = json_dump_callback(request, put, &line, JSON_COMPACT) == 0;
    buf_put_char(&line, '\n');
    sent = sent && line.err == SIPD_OK && send_all(client->fd, buf_span(&line));
    if (line.bytes)
        explicit_bzero(line.bytes, line.cap);
    buf_fini(&line);
    json_decref(request);
    return sent;
}

json_t *
client_ask(struct client *client, char *const *words, const char *input)
{
    json_t *answer;

    if (!send_request(client, words, input))
        return NULL;
    /* The object ends where it ends; the line end behind it is white space before the next one. */
    answer = json_loadf(client->in, JSON_DISABLE_EOF_CHECK, NULL);
    if (answer && !json_is_object(answer)) {
        json_decref(answer);
        answer = NULL;
    }
    return answer;
}
