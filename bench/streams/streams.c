/*
 * Calls over TCP or TLS through a stateful proxy, and what they cost it.
 *
 *   streams [-t] [-k KEY_AND_CERTIFICATE] [-n CALLERS] [-c CALLS] -P PID [-P PID...] PORT OWN_PORT
 *
 * So many callers, each on a connection of its own, call at once one who listens on OWN_PORT; all of them do one step of the
 * call before the next, and every message that is to come must come. A call is INVITE, 180, 200, ACK, BYE, 200: six messages
 * that the proxy receives. CPU time is that of all the processes named, after a tenth of the calls.
 */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CALLERS_MOST = 100, IN_BYTES = 262144, MESSAGE_BYTES = 8192, PIDS_MOST = 64, EACH = 6 };

struct line {
    int fd;
    SSL *ssl;
    size_t len;
    char in[IN_BYTES];
    char message[MESSAGE_BYTES]; /* the last one taken, with a NUL behind it */
};

static struct line callers[CALLERS_MOST], callee;
static char routes[CALLERS_MOST][MESSAGE_BYTES / 4], contacts[CALLERS_MOST][256],
    tags[CALLERS_MOST][64];
static const char *pids[PIDS_MOST];
static unsigned pids_len;
static SSL_CTX *as_client, *as_server;
static unsigned own_port;

static void
fail(const char *why, const char *what)
{
    fprintf(stderr, "streams: %s: %s\n", why, what);
    exit(1);
}

/* ---- lines */

static void
line_put(struct line *line, const char *text)
{
    size_t len = strlen(text);

    if (line->ssl ? SSL_write(line->ssl, text, (int)len) != (int)len
                  : send(line->fd, text, len, MSG_NOSIGNAL) != (ssize_t)len)
        fail("a message could not be sent", text);
}

/* No message here has a body. */
static void
line_take(struct line *line)
{
    const char *end;
    size_t len;

    while (!(end = memmem(line->in, line->len, "\r\n\r\n", 4))) {
        ssize_t got = line->ssl
                          ? SSL_read(line->ssl, line->in + line->len, (int)(IN_BYTES - line->len))
                          : recv(line->fd, line->in + line->len, IN_BYTES - line->len, 0);

        if (got <= 0)
            fail("a connection has ended", line->message);
        line->len += (size_t)got;
    }
    len = (size_t)(end - line->in) + 4;
    if (len >= MESSAGE_BYTES)
        fail("a message is too long", "");
    memcpy(line->message, line->in, len);
    line->message[len] = '\0';
    memmove(line->in, line->in + len, line->len - len);
    line->len -= len;
}

static void
must_begin(const struct line *line, const char *start)
{
    if (strncmp(line->message, start, strlen(start)) != 0)
        fail(start, line->message);
}

static void
answer_taken(struct line *line)
{
    do
        line_take(line);
    while (strncmp(line->message, "SIP/2.0 1", 9) == 0);
    must_begin(line, "SIP/2.0 200 ");
}

static void
line_connect(struct line *line, unsigned port)
{
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
    int one = 1;

    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    line->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connect(line->fd, (struct sockaddr *)&to, sizeof to) != 0)
        fail("no connection", "");
    setsockopt(line->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (!as_client)
        return;
    line->ssl = SSL_new(as_client);
    SSL_set_fd(line->ssl, line->fd);
    if (SSL_connect(line->ssl) != 1)
        fail("no handshake as a client", "");
}

static int
callee_listen(void)
{
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons((uint16_t)own_port) };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;

    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(fd, (struct sockaddr *)&at, sizeof at) != 0 || listen(fd, 8) != 0)
        fail("the port is taken", "");
    return fd;
}

static void
callee_accept(int listening)
{
    int one = 1;

    callee.fd = accept(listening, NULL, NULL);
    setsockopt(callee.fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (!as_server)
        return;
    callee.ssl = SSL_new(as_server);
    SSL_set_fd(callee.ssl, callee.fd);
    if (SSL_accept(callee.ssl) != 1)
        fail("no handshake as a server", "");
}

/* ---- messages */

/* Copies the lines of this name, as they are, behind what is there. */
static void
copy_lines(const char *message, const char *name, char *to, size_t room)
{
    size_t name_len = strlen(name), at = strlen(to);

    for (const char *line = message; (line = strstr(line, "\r\n")) && line[2] != '\r';) {
        size_t len = strcspn(line += 2, "\r");

        if (strncasecmp(line, name, name_len) == 0 && at + len + 3 < room)
            at += (size_t)snprintf(to + at, room - at, "%.*s\r\n", (int)len, line);
    }
}

static void
answer(const char *status)
{
    static const char *const names[] = { "Via:", "Record-Route:", "From:", "Call-ID:", "CSeq:" };
    char text[MESSAGE_BYTES] = "", to[512] = "";

    snprintf(text, sizeof text, "SIP/2.0 %s\r\n", status);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        copy_lines(callee.message, names[i], text, sizeof text);
    copy_lines(callee.message, "To:", to, sizeof to);
    to[strcspn(to, "\r")] = '\0';
    snprintf(text + strlen(text), sizeof text - strlen(text),
             "%s%s\r\nContact: <sip:b@127.0.0.1:%u;transport=%s>\r\nContent-Length: 0\r\n\r\n", to,
             strstr(to, "tag=") ? "" : ";tag=b", own_port, as_client ? "tls" : "tcp");
    line_put(&callee, text);
}

/* What a 200 says of the way: Routes are its Record-Routes, the last one first (RFC 3261 §12.1.2). */
static void
learn(unsigned n)
{
    char lines[MESSAGE_BYTES] = "", text[256] = "";

    copy_lines(callers[n].message, "Record-Route:", lines, sizeof lines);
    routes[n][0] = '\0';
    while (lines[0]) {
        char *last = strrchr(lines, 'R');

        while (last > lines && (last[-1] != '\n' || strncasecmp(last, "Record-Route:", 13) != 0))
            last--;
        snprintf(routes[n] + strlen(routes[n]), sizeof routes[n] - strlen(routes[n]), "Route:%s",
                 last + 13);
        *last = '\0';
    }
    copy_lines(callers[n].message, "Contact:", text, sizeof text);
    snprintf(contacts[n], sizeof contacts[n], "%.*s", (int)strcspn(strchr(text, '<') + 1, ">"),
             strchr(text, '<') + 1);
    snprintf(tags[n], sizeof tags[n], ";tag=b");
}

static void
ask(unsigned n, long call, const char *method, unsigned cseq)
{
    bool first = strcmp(method, "INVITE") == 0;
    const char *transport = as_client ? "TLS" : "TCP", *param = as_client ? "tls" : "tcp";
    char text[MESSAGE_BYTES], uri[300];

    snprintf(uri, sizeof uri, "sip:b@127.0.0.1:%u;transport=%s", own_port, param);
    snprintf(text, sizeof text,
             "%s %s SIP/2.0\r\nVia: SIP/2.0/%s 127.0.0.1:7;branch=z9hG4bK%ld-%s\r\nMax-Forwards: "
             "70\r\n%s"
             "From: <sip:a%u@127.0.0.1>;tag=a\r\nTo: <sip:b@127.0.0.1>%s\r\nCall-ID: "
             "s%ld-%u@127.0.0.1\r\n"
             "CSeq: %u %s\r\nContact: <sip:a%u@127.0.0.1:7;transport=%s>\r\n"
             "User-Agent: streams\r\nAllow: INVITE, ACK, BYE, CANCEL, OPTIONS\r\nContent-Length: "
             "0\r\n\r\n",
             method, first ? uri : contacts[n], transport, call, method, first ? "" : routes[n], n,
             first ? "" : tags[n], call, n, cseq, method, n, param);
    line_put(&callers[n], text);
}

/* ---- calls */

static void
round_of_calls(unsigned len, long first, int listening)
{
    for (unsigned n = 0; n < len; n++)
        ask(n, first + n, "INVITE", 1);
    if (callee.fd < 0)
        callee_accept(listening);
    for (unsigned n = 0; n < len; n++) {
        line_take(&callee);
        must_begin(&callee, "INVITE ");
        answer("180 Ringing");
        answer("200 OK");
    }
    for (unsigned n = 0; n < len; n++) {
        answer_taken(&callers[n]);
        learn(n);
        ask(n, first + n, "ACK", 1);
    }
    for (unsigned n = 0; n < len; n++) {
        line_take(&callee);
        must_begin(&callee, "ACK ");
    }
    for (unsigned n = 0; n < len; n++)
        ask(n, first + n, "BYE", 2);
    for (unsigned n = 0; n < len; n++) {
        line_take(&callee);
        must_begin(&callee, "BYE ");
        answer("200 OK");
    }
    for (unsigned n = 0; n < len; n++)
        answer_taken(&callers[n]);
}

static unsigned long long
cpu_ns(void)
{
    unsigned long long sum = 0, one;

    for (unsigned n = 0; n < pids_len; n++) {
        char path[64];
        FILE *f;

        snprintf(path, sizeof path, "/proc/%s/schedstat", pids[n]);
        f = fopen(path, "re");
        if (f && fscanf(f, "%llu", &one) == 1)
            sum += one;
        if (f)
            fclose(f);
    }
    return sum;
}

static void
run(unsigned len, long calls, unsigned port)
{
    int listening = callee_listen();
    unsigned long long from = 0;
    long done = 0, since = 0;

    callee.fd = -1;
    for (unsigned n = 0; n < len; n++)
        line_connect(&callers[n], port);
    for (; done < calls; done += len) {
        if (from == 0 && done >= calls / 10) {
            from = cpu_ns();
            since = done;
        }
        round_of_calls(len, done, listening);
    }
    printf("transport=%s calls=%ld cpu_us_per_message=%.2f\n", as_client ? "tls" : "tcp",
           done - since, (double)(cpu_ns() - from) / 1000 / (double)((done - since) * EACH));
}

static void
use_tls(const char *pair)
{
    as_client = SSL_CTX_new(TLS_client_method());
    as_server = SSL_CTX_new(TLS_server_method());
    if (!as_client || !as_server || SSL_CTX_use_certificate_chain_file(as_server, pair) != 1 ||
        SSL_CTX_use_PrivateKey_file(as_server, pair, SSL_FILETYPE_PEM) != 1)
        fail("a certificate with its key is needed", pair);
}

int
main(int argc, char **argv)
{
    unsigned len = 20;
    long calls = 20000;
    const char *pair = "";
    bool tls = false;
    int opt;

    signal(SIGPIPE, SIG_IGN);
    while ((opt = getopt(argc, argv, "tk:n:c:P:")) != -1) {
        if (opt == 't')
            tls = true;
        else if (opt == 'k')
            pair = optarg;
        else if (opt == 'n')
            len = (unsigned)strtoul(optarg, NULL, 10);
        else if (opt == 'c')
            calls = strtol(optarg, NULL, 10);
        else if (opt == 'P' && pids_len < PIDS_MOST)
            pids[pids_len++] = optarg;
    }
    if (argc - optind != 2 || pids_len == 0 || len < 1 || len > CALLERS_MOST)
        fail("usage", "streams [-t -k PAIR] [-n CALLERS] [-c CALLS] -P PID PORT OWN_PORT");
    if (tls)
        use_tls(pair);
    own_port = (unsigned)strtoul(argv[optind + 1], NULL, 10);
    run(len, calls, (unsigned)strtoul(argv[optind], NULL, 10));
    return 0;
}
