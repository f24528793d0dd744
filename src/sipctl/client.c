/*
 * The other end of sipd's control socket: one request, one answer, as lines of JSON (protocol version 1).
 */
#include "sipctl/client.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/mem.h"

enum { ANSWER_BYTES = 128 << 20, STEP_BYTES = 65536 };

/* Room for one more read. */
static bool
make_room(struct client *c)
{
    char *bytes;

    if (c->cap - c->len > STEP_BYTES)
        return true;
    bytes = c->cap < ANSWER_BYTES ? mem_grow(c->bytes, c->cap * 2 + 2 * STEP_BYTES) : NULL;
    if (!bytes)
        return false;
    c->bytes = bytes;
    c->cap = c->cap * 2 + 2 * STEP_BYTES;
    return true;
}

/* The next line without its end, lent until the next call; an empty one when there is none any more. */
static struct span
read_line(struct client *c)
{
    size_t seen = 0;

    for (;;) {
        size_t end = seen + span_find((struct span){ c->bytes + seen, c->len - seen }, '\n');
        ssize_t got;

        if (end < c->len)
            return (struct span){ c->bytes, end };
        seen = c->len;
        if (!make_room(c))
            return (struct span){ NULL, 0 };
        got = recv(c->fd, c->bytes + c->len, STEP_BYTES, 0);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return (struct span){ NULL, 0 };
        c->len += (size_t)got;
    }
}

/* The line read last is done with. */
static void
drop_line(struct client *c, struct span line)
{
    c->len -= line.len + 1;
    memmove(c->bytes, c->bytes + line.len + 1, c->len);
}

/* "sipd-ctl 1 0.1.0" */
static bool
read_greeting(struct client *c, const char **why)
{
    struct span line = read_line(c), rest = line, word;
    uint32_t version;

    if (line.len == 0) {
        *why = "it does not answer";
        return false;
    }
    word = span_cut(&rest, ' ');
    if (!span_eq(word, SPAN("sipd-ctl")) || !span_u32(span_cut(&rest, ' '), 1000, &version) || version != CLIENT_VERSION) {
        *why = "it speaks another language: sipd and sipctl are of different versions";
        return false;
    }
    drop_line(c, line);
    return true;
}

bool
client_open(struct client *c, const char *path, const char **why)
{
    struct sockaddr_un at = { .sun_family = AF_UNIX };

    memset(c, 0, sizeof *c);
    c->fd = -1;
    if (strlen(path) >= sizeof at.sun_path) {
        *why = "the path is too long for a socket";
        return false;
    }
    memcpy(at.sun_path, path, strlen(path));
    c->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (c->fd < 0 || connect(c->fd, (const struct sockaddr *)&at, sizeof at) != 0) {
        *why = errno == ENOENT || errno == ECONNREFUSED ? "no sipd runs there" : strerror(errno);
        return false;
    }
    return make_room(c) && read_greeting(c, why);
}

static bool
send_all(int fd, const char *bytes, size_t len)
{
    while (len > 0) {
        ssize_t sent = send(fd, bytes, len, MSG_NOSIGNAL);

        if (sent < 0 && errno == EINTR)
            continue;
        if (sent <= 0)
            return false;
        bytes += sent;
        len -= (size_t)sent;
    }
    return true;
}

/* The request as a line; NULL when it cannot be one (a word that is no UTF-8). Owns: the caller, ends it with mem_free(). */
static char *
write_request(const char *const words[], size_t len, const char *input)
{
    json_t *list = json_array(), *line = json_object();
    char *text;

    for (size_t i = 0; i < len; i++)
        json_array_append_new(list, json_string(words[i]));
    json_object_set_new(line, "words", list);
    if (input)
        json_object_set_new(line, "input", json_string(input));
    text = json_array_size(list) == len ? json_dumps(line, JSON_COMPACT) : NULL;
    json_decref(line);
    return text;
}

json_t *
client_ask(struct client *c, const char *const words[], size_t len, const char *input)
{
    char *request = write_request(words, len, input);
    bool sent = request && send_all(c->fd, request, strlen(request)) && send_all(c->fd, "\n", 1);
    struct span line;
    json_t *answer;

    if (request)
        explicit_bzero(request, strlen(request)); /* there may be a password in it */
    mem_free(request);
    if (!sent)
        return NULL;
    line = read_line(c);
    if (line.len == 0)
        return NULL;
    answer = json_loadb(line.at, line.len, 0, NULL);
    drop_line(c, line);
    return answer;
}

void
client_close(struct client *c)
{
    if (c->fd >= 0)
        close(c->fd);
    mem_free(c->bytes);
}
