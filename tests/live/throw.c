/*
 * Bytes thrown at a server as they are, over UDP or TCP, and what comes of it.
 */
#include "live/throw.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/def.h"

enum { WRITE_MS = 10000, PROBE_AGAIN_MS = 500 };

/* ---------------------------------------------------------------- sockets */

static int
connect_tcp(const struct server *server)
{
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(server->port) };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;

    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ck_assert_int_ge(fd, 0);
    ck_assert_msg(connect(fd, (struct sockaddr *)&at, sizeof at) == 0, "no connection: %s",
                  strerror(errno));
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    fcntl(fd, F_SETFL, O_NONBLOCK);
    return fd;
}

void
throw_open(struct throw *t, const struct server *server, bool tcp)
{
    t->server = server;
    t->tcp = tcp;
    t->fd = tcp ? connect_tcp(server) : server_socket(server, "127.0.0.1");
    t->len = 0;
    snprintf(t->outcome, sizeof t->outcome, "none");
}

void throw_close(struct throw *t)
{
    if (t->fd >= 0)
        close(t->fd);
    t->fd = -1;
}

void throw_reset(struct throw *t)
{
    struct linger at_once = { .l_onoff = 1 };

    setsockopt(t->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    throw_close(t);
}

static bool
is_ready(int fd, short what, unsigned timeout_ms)
{
    struct pollfd at = { .fd = fd, .events = what };

    return poll(&at, 1, (int)timeout_ms) == 1;
}

bool
throw_bytes(struct throw *t, const void *bytes, size_t len)
{
    const char *at = bytes;

    while (len > 0) {
        ssize_t sent = send(t->fd, at, len, MSG_NOSIGNAL);

        if (sent < 0 && (errno != EAGAIN || !is_ready(t->fd, POLLOUT, WRITE_MS)))
            return !t->tcp && errno == ECONNREFUSED;
        at += sent > 0 ? sent : 0;
        len -= sent > 0 ? (size_t)sent : 0;
    }
    return true;
}

void throw_arrived(struct throw *t)
{
    uint64_t until = proc_now_ms() + PROC_PATIENCE_MS;
    int left = 1;

    while (t->tcp && ioctl(t->fd, SIOCOUTQ, &left) == 0 && left > 0 && proc_now_ms() < until)
        proc_pause(1);
}

/* ---------------------------------------------------------------- answers */

static void
settle(struct throw *t, const char *outcome)
{
    snprintf(t->outcome, sizeof t->outcome, "%s", outcome);
}

/* A whole message at the start of what was read from a stream; its length, or 0. */
static size_t
message_len(const struct throw *t)
{
    const char *end = memmem(t->bytes, t->len, "\r\n\r\n", 4), *length;
    size_t len;

    if (!end)
        return 0;
    len = (size_t)(end - t->bytes) + 4;
    length = memmem(t->bytes, len, "\r\nContent-Length:", 17);
    len += length ? strtoul(length + 17, NULL, 10) : 0;
    return len <= t->len ? len : 0;
}

/* Reads what is there; false: the end. */
static bool take(struct throw *t)
{
    ssize_t n = recv(t->fd, t->bytes + t->len, sizeof t->bytes - 1 - t->len, 0);

    if (n < 0)
        return errno == EAGAIN || (!t->tcp && errno == ECONNREFUSED);
    t->len += (size_t)n;
    t->bytes[t->len] = '\0';
    return n > 0 || !t->tcp;
}

static void name_message(struct throw *t)
{
    char status[4] = "";

    if (sscanf(t->bytes, "SIP/2.0 %3[0-9] ", status) == 1)
        settle(t, status);
    else
        settle(t, "fwd");
}

/* Bytes that follow a message stay for the next time, when drop_message() moves them down. */
static bool
stream_heard(struct throw *t, uint64_t until)
{
    while (message_len(t) == 0) {
        uint64_t now = proc_now_ms();

        if (now >= until || !is_ready(t->fd, POLLIN, (unsigned)(until - now))) {
            settle(t, "none");
            return false;
        }
        if (!take(t)) {
            settle(t, "closed");
            return false;
        }
    }
    name_message(t);
    return true;
}

static void drop_message(struct throw *t)
{
    size_t len = t->tcp ? message_len(t) : t->len;

    memmove(t->bytes, t->bytes + len, t->len - len);
    t->len -= len;
    t->bytes[t->len] = '\0';
}

static bool
datagram_heard(struct throw *t, uint64_t until)
{
    for (uint64_t now = proc_now_ms(); t->len == 0; now = proc_now_ms()) {
        if (now >= until || !is_ready(t->fd, POLLIN, (unsigned)(until - now))) {
            settle(t, "none");
            return false;
        }
        (void)take(t);
    }
    name_message(t);
    return true;
}

bool
throw_heard(struct throw *t, unsigned timeout_ms)
{
    uint64_t until = proc_now_ms() + timeout_ms;

    drop_message(t);
    return t->tcp ? stream_heard(t, until) : datagram_heard(t, until);
}

void
throw_settled(struct throw *t, unsigned timeout_ms)
{
    uint64_t until = proc_now_ms() + timeout_ms, now;

    do {
        now = proc_now_ms();
        if (!throw_heard(t, now < until ? (unsigned)(until - now) : 0))
            return;
    } while (t->outcome[0] == '1');
}

/* ---------------------------------------------------------------- verdicts */

static bool
is_syntax_refusal(int status)
{
    static const int refusals[] = { 400, 413, 414, 416, 420, 493, 500, 505, 513 };

    for (size_t i = 0; i < countof(refusals); i++)
        if (refusals[i] == status)
            return true;
    return false;
}

static bool
word_fits(const char *word, const char *outcome)
{
    int status = (int)strtol(outcome, NULL, 10);

    if (strcmp(word, outcome) == 0)
        return true;
    if (status == 0)
        return strcmp(outcome, "fwd") == 0 &&
               (strcmp(word, "accept") == 0 || strcmp(word, "routed") == 0 ||
                strcmp(word, "any") == 0);
    if (strcmp(word, "any") == 0)
        return true;
    if (strcmp(word, "accept") == 0)
        return !is_syntax_refusal(status);
    if (strcmp(word, "routed") == 0)
        return status == 500 || !is_syntax_refusal(status);
    return strlen(word) == 3 && strcmp(word + 1, "xx") == 0 && word[0] == outcome[0];
}

bool
throw_fits(const char *wanted, const char *outcome)
{
    char words[256], *rest = words;
    bool fits = false;

    snprintf(words, sizeof words, "%s", wanted);
    for (char *word = strsep(&rest, " "); word; word = strsep(&rest, " ")) {
        if (word[0] == '!' && word_fits(word + 1, outcome))
            return false;
        fits |= word_fits(word, outcome);
    }
    return fits;
}

/* Another's answer may come late to a port that is ours now. */
static bool
is_answered(struct throw *t, const char *call_id)
{
    return throw_heard(t, PROBE_AGAIN_MS) && strstr(t->bytes, call_id);
}

void
throw_probe(const struct server *server)
{
    static unsigned serial;
    static struct throw t;
    char message[1024], text[512], call_id[48];
    size_t len;
    uint64_t until = proc_now_ms() + PROC_PATIENCE_MS;

    snprintf(call_id, sizeof call_id, "probe-%d-%u", (int)getpid(), ++serial);
    snprintf(
        text, sizeof text,
        "OPTIONS sip:example.com SIP/2.0\nVia: SIP/2.0/UDP 127.0.0.1:9;branch=z9hG4bK$B;rport\n"
        "Max-Forwards: 70\nFrom: <sip:probe@example.com>;tag=1\nTo: <sip:example.com>\n"
        "Call-ID: %s\nCSeq: 1 OPTIONS\nContent-Length: 0\n\n",
        call_id);
    len = throw_write(message, sizeof message, false, text);
    throw_open(&t, server, false);
    do {
        ck_assert_msg(proc_now_ms() < until && kill(server->proc.pid, 0) == 0,
                      "the server is gone:\n%s", proc_output(&server->proc));
        (void)throw_bytes(&t, message, len);
    } while (!is_answered(&t, call_id));
    throw_close(&t);
    ck_assert_str_eq(t.outcome, "200");
}

/* ---------------------------------------------------------------- counters */

static bool
begins_with_one(const char *name, const char *prefixes)
{
    char words[256], *rest = words;

    snprintf(words, sizeof words, "%s", prefixes);
    for (char *word = strsep(&rest, " "); word; word = strsep(&rest, " "))
        if (strncmp(name, word, strlen(word)) == 0)
            return true;
    return false;
}

uint64_t
throw_count(const struct server *server, const char *prefixes)
{
    struct proc out;
    json_error_t error;
    json_t *all, *row;
    uint64_t sum = 0;
    size_t i;

    ck_assert_msg(server_ctl(server, &out, "--json show counters", NULL) == 0, "no counters:\n%s",
                  proc_output(&out));
    all = json_load_file(out.log, 0, &error);
    ck_assert_msg(all != NULL, "%s:\n%s", error.text, proc_output(&out));
    json_array_foreach(
        json_object_get(all, "rows"), i,
        row) if (begins_with_one(json_string_value(json_object_get(row, "counter")), prefixes))
        sum += (uint64_t)json_integer_value(json_object_get(row, "value"));
    json_decref(all);
    unlink(out.log);
    return sum;
}

/* ---------------------------------------------------------------- messages */

/* What a "$" stands for is appended; returns how many characters of text it took. */
static size_t
write_mark(FILE *out, bool tcp, const char *text, const char *unique)
{
    char *end;

    switch (text[1]) {
    case 'T': fputs(tcp ? "TCP" : "UDP", out); return 2;
    case 'B': fputs(unique, out); return 2;
    case 'N': fputc('\0', out); return 2;
    case 'R': fputc('\r', out); return 2;
    case 'L': fputc('\n', out); return 2;
    case '*':
        for (unsigned long n = strtoul(text + 2, &end, 10); n > 0; n--)
            fputc(*end, out);
        return (size_t)(end + 1 - text);
    default: ck_abort_msg("no such mark: %s", text);
    }
    return 1;
}

size_t
throw_write(char *to, size_t room, bool tcp, const char *text)
{
    static unsigned serial;
    char unique[48];
    FILE *out = fmemopen(to, room, "w");
    long len;

    ck_assert_ptr_nonnull(out);
    setvbuf(out, NULL, _IONBF, 0);
    snprintf(unique, sizeof unique, "t%d-%u", (int)getpid(), ++serial);
    for (const char *at = text; *at;)
        if (*at == '$') {
            at += write_mark(out, tcp, at, unique);
        } else {
            if (*at == '\n')
                fputc('\r', out);
            fputc(*at++, out);
        }
    len = ftell(out);
    fclose(out);
    ck_assert_int_lt(len, (long)room);
    return (size_t)len;
}
