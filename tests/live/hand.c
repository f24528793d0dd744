/*
 * A phone by hand: a socket of 127.0.0.1 whose every message the test writes itself, with help for what must be copied.
 */
#include "live/hand.h"

#include <arpa/inet.h>
#include <check.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "live/wire_text.h"

enum { ROUTES_MOST = 8, LINE_BYTES = 1024 };

void
hand_open(struct hand *h, const char *name)
{
    struct sockaddr_in at = { .sin_family = AF_INET };
    socklen_t len = sizeof at;

    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    h->name = name;
    h->heard[0] = '\0';
    h->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    ck_assert_int_ge(h->fd, 0);
    ck_assert_int_eq(bind(h->fd, (struct sockaddr *)&at, sizeof at), 0);
    ck_assert_int_eq(getsockname(h->fd, (struct sockaddr *)&at, &len), 0);
    h->port = ntohs(at.sin_port);
}

void
hand_close(struct hand *h)
{
    close(h->fd);
    h->fd = -1;
}

void
hand_says(const struct hand *h, uint16_t port, const char *format, ...)
{
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(port) };
    char wire[WIRE_TEXT_BYTES];
    va_list args;
    size_t n;

    va_start(args, format);
    n = wire_text(wire, format, args);
    va_end(args);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    (void)sendto(h->fd, wire, n, MSG_NOSIGNAL, (struct sockaddr *)&to, sizeof to);
}

bool
hand_takes(struct hand *h, unsigned timeout_ms)
{
    return server_receive(h->fd, h->heard, sizeof h->heard, timeout_ms) > 0;
}

void
hand_hears(struct hand *h, const char *start)
{
    uint64_t until = proc_now_ms() + PROC_PATIENCE_MS;

    do {
        uint64_t now = proc_now_ms();

        if (now >= until || !hand_takes(h, (unsigned)(until - now)))
            ck_abort_msg("%s heard no %s; the last was:\n%s", h->name, start, h->heard);
    } while (strncmp(h->heard, start, strlen(start)) != 0);
}

static char *
next_text(void)
{
    static char texts[8][LINE_BYTES];
    static unsigned turn;

    return texts[turn++ % 8];
}

/* The next line that begins so, from `at` on; NULL: none. */
static const char *
find_line(const char *at, const char *name)
{
    size_t len = strlen(name);

    while (*at && strncasecmp(at, name, len) != 0) {
        at += strcspn(at, "\n");
        at += *at == '\n';
    }
    return *at ? at : NULL;
}

const char *
hand_line(const char *message, const char *name)
{
    const char *at = find_line(message, name);
    char *line = next_text();

    snprintf(line, LINE_BYTES, "%.*s", at ? (int)(strcspn(at, "\n") + 1) : 0, at ? at : "");
    return line;
}

unsigned
hand_count(const char *message, const char *name)
{
    unsigned n = 0;

    for (const char *at = message; (at = find_line(at, name)); at++)
        n++;
    return n;
}

/* All lines that begin so. */
static size_t
copy_lines(const char *message, const char *name, char *to, size_t room)
{
    size_t n = 0;

    to[0] = '\0';
    for (const char *at = message; n < room && (at = find_line(at, name)); at++)
        n += (size_t)snprintf(to + n, room - n, "%.*s", (int)(strcspn(at, "\n") + 1), at);
    return n < room ? n : room - 1;
}

void
hand_answers(const struct hand *h, uint16_t to, unsigned status, const char *extra)
{
    char said[HAND_BYTES / 2], to_line[LINE_BYTES];
    size_t n, room = sizeof said;

    snprintf(to_line, sizeof to_line, "%s", hand_line(h->heard, "To:"));
    to_line[strcspn(to_line, "\r\n")] = '\0';
    n = (size_t)snprintf(said, room, "SIP/2.0 %u By Hand\r\n", status);
    n += copy_lines(h->heard, "Via:", said + n, room - n);
    n += copy_lines(h->heard, "Record-Route:", said + n, room - n);
    n += copy_lines(h->heard, "From:", said + n, room - n);
    n += (size_t)snprintf(said + n, room - n, "%s", to_line);
    if (!strstr(to_line, "tag=") && status > 100)
        n += (size_t)snprintf(said + n, room - n, ";tag=%s", h->name);
    n += (size_t)snprintf(said + n, room - n, "\r\n");
    n += copy_lines(h->heard, "Call-ID:", said + n, room - n);
    n += copy_lines(h->heard, "CSeq:", said + n, room - n);
    hand_says(h, to, "%sContact: <sip:%s@127.0.0.1:%u>\n%sContent-Length: 0\n\n", said, h->name,
              h->port, extra);
}

void
hand_routes(const char *message, bool reversed, char *to, size_t room)
{
    char routes[ROUTES_MOST][LINE_BYTES];
    const char *at = message;
    unsigned len = 0;
    size_t n = 0;

    for (; len < ROUTES_MOST && (at = find_line(at, "Record-Route:")); at++)
        snprintf(routes[len++], LINE_BYTES, "Route:%.*s",
                 (int)(strcspn(at, "\r\n") - strlen("Record-Route:")),
                 at + strlen("Record-Route:"));
    to[0] = '\0';
    for (unsigned i = 0; i < len && n < room; i++)
        n += (size_t)snprintf(to + n, room - n, "%s\n", routes[reversed ? len - 1 - i : i]);
}

const char *
hand_contact(const char *message)
{
    const char *line = hand_line(message, "Contact:"), *uri = strchr(line, '<');
    char *text = next_text();

    ck_assert_msg(uri != NULL, "no Contact in:\n%s", message);
    snprintf(text, LINE_BYTES, "%.*s", (int)strcspn(uri + 1, ">"), uri + 1);
    return text;
}
