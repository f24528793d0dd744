/*
 * A sipd of the test's own: a folder, free ports, a configuration, and datagrams to it by hand.
 */
#include "live/server.h"

#include <arpa/inet.h>
#include <check.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "live/wire_text.h"

enum { STEP_MS = 10, AGAIN_MS = 500, MESSAGE_BYTES = 65536 };

static const char *
build(void)
{
    const char *dir = getenv("SIPD_BUILD");

    return dir ? dir : "build";
}

static uint16_t fixed_port;

void
server_use_port(uint16_t port)
{
    fixed_port = port;
}

static const char *also;

void
server_also_listen(const char *listeners)
{
    also = listeners;
}

/* Listeners of a configuration, on whatever loopback addresses there are. */
static void
write_listeners(const struct server *s, const char *listener, char *to, size_t room)
{
    static const char *const ips[] = { "127.0.0.1", "::1" };
    static const char *const transports[] = { "udp", "tcp" };
    size_t n = 0;

    for (int i = 0; i < 4; i++)
        if (proc_has_ip(ips[i / 2]) && n < room)
            n += (size_t)snprintf(
                to + n, room - n, "%s{ transport = \"%s\"; address = \"%s\"; port = %u; %s }",
                n > 0 ? ",\n           " : "", transports[i % 2], ips[i / 2], s->port, listener);
    if (also && n < room)
        n += (size_t)snprintf(to + n, room - n, ",\n           %s", also);
    ck_assert_uint_lt(n, room);
}

/* One whose test failed is killed with it, and may need a moment to be gone. */
static uint16_t
take_port(void)
{
    uint64_t until = proc_now_ms() + PROC_PATIENCE_MS;

    while (fixed_port != 0 && proc_listens("127.0.0.1", false, fixed_port) && proc_now_ms() < until)
        proc_pause(10);
    return fixed_port != 0 ? fixed_port : proc_server_port();
}

/* How long a peer may be silent concerns tests that say so: those who wait for others here are slow when the machine is. */
static const char *
patience(const char *settings)
{
    return strstr(settings, "limits = {") ? ""
                                          : "limits = { first_byte_s = 0; first_message_s = 0; "
                                            "message_s = 600; connect_s = 120; };";
}

void
server_make_with(struct server *s, const char *name, const char *listener, const char *settings)
{
    char file[64], state[300], listeners[1024];

    memset(s, 0, sizeof *s);
    snprintf(s->name, sizeof s->name, "%s", name);
    s->port = take_port();
    s->registers = strstr(settings, "\"registrar\"") != NULL;
    snprintf(s->socket, sizeof s->socket, "%s/%s.sock", proc_dir(), name);
    snprintf(state, sizeof state, "%s/%s-state", proc_dir(), name);
    (void)mkdir(state, 0750);
    write_listeners(s, listener, listeners, sizeof listeners);
    snprintf(file, sizeof file, "%s.conf", name);
    snprintf(s->conf, sizeof s->conf, "%s",
             proc_file(file,
                       "domains = [ \"example.com\" ];\n"
                       "listen = ( %s );\n"
                       "state_dir = \"%s\";\n"
                       "control = { socket = \"%s\"; };\n"
                       "user = \"root\"; group = \"root\";\n"
                       "%s\n%s\n",
                       listeners, state, s->socket, settings, patience(settings)));
}

void
server_make(struct server *s, const char *name, const char *settings)
{
    server_make_with(s, name, "", settings);
}

/* The same each time, so that the server takes the second for a repetition of the first. */
static void
say_ready(int fd, uint16_t port, unsigned serial)
{
    server_send(fd,
                "OPTIONS sip:127.0.0.1:%u SIP/2.0\nVia: SIP/2.0/UDP "
                "127.0.0.1;branch=z9hG4bKready%u-%d;rport\n"
                "Max-Forwards: 70\nFrom: <sip:test@127.0.0.1>;tag=1\nTo: <sip:127.0.0.1>\n"
                "Call-ID: ready-%u\nCSeq: 1 OPTIONS\nContent-Length: 0\n\n",
                port, serial, (int)getpid(), serial);
}

/* Until then those that were not read hear 503. */
static bool
is_reading(const struct server *s)
{
    struct proc out;

    return s->registers &&
           server_ctl(s, &out, "--json show counters registrar_reading", NULL) == 0 &&
           strstr(proc_output(&out), "\"value\": 1");
}

const char *
server_redirects(void)
{
    static const char stateless[] = "mode = \"stateless\";", any[] = " relay = \"any\";";
    static char text[8192];
    char file[4096];
    FILE *in = fopen("etc/redirect.conf", "rb");
    const char *from, *mode;
    size_t len;

    ck_assert_ptr_nonnull(in);
    len = fread(file, 1, sizeof file - 1, in);
    fclose(in);
    file[len] = '\0';
    from = strstr(file, "modules = ");
    mode = from ? strstr(from, stateless) : NULL;
    ck_assert_ptr_nonnull(mode);
    mode += sizeof stateless - 1;
    snprintf(text, sizeof text, "%.*s%s%s", (int)(mode - from), from, any, mode);
    return text;
}

void
server_start(struct server *s)
{
    static unsigned serial;
    char sipd[256], modules[256], reply[MESSAGE_BYTES];
    const char *argv[] = { sipd, "-f", s->conf, "-M", modules, NULL };
    uint64_t until = proc_now_ms() + PROC_PATIENCE_MS, again = 0;
    int fd = server_socket(s, "127.0.0.1");

    serial++;
    snprintf(sipd, sizeof sipd, "%s/sipd", build());
    snprintf(modules, sizeof modules, "%s/modules", build());
    proc_start(&s->proc, s->name, argv);
    do {
        ck_assert_msg(proc_now_ms() < until && !proc_ends(&s->proc, 0), "sipd did not start:\n%s",
                      proc_output(&s->proc));
        if (proc_now_ms() >= again && proc_listens("127.0.0.1", false, s->port)) {
            say_ready(fd, s->port, serial);
            again = proc_now_ms() + AGAIN_MS;
        }
        proc_pause(again ? 0 : STEP_MS);
    } while (server_receive(fd, reply, sizeof reply, again ? STEP_MS : 0) == 0 ||
             strncmp(reply, "SIP/2.0 200", 11) != 0);
    close(fd);
    while (is_reading(s))
        ck_assert_msg(proc_now_ms() < until, "it does not read its store:\n%s",
                      proc_output(&s->proc));
}

void
server_stop(struct server *s)
{
    if (!proc_ends(&s->proc, 0)) {
        kill(s->proc.pid, SIGTERM);
        (void)proc_ends(&s->proc, PROC_PATIENCE_MS); /* it drains */
    }
    ck_assert_msg(s->proc.pid == 0, "sipd does not end:\n%s", proc_output(&s->proc));
    ck_assert_msg(WIFEXITED(s->proc.status) && WEXITSTATUS(s->proc.status) == 0,
                  "sipd ended badly (status %d):\n%s", s->proc.status, proc_output(&s->proc));
}

int
server_ctl(const struct server *s, struct proc *out, const char *words, const char *input)
{
    static unsigned serial;
    char command[1024], name[32];
    const char *argv[] = { "sh", "-c", command, NULL };

    snprintf(command, sizeof command, "%s%s%s exec %s/sipctl -s %s %s",
             input ? "printf '%s\\n' '" : "", input ? input : "", input ? "' |" : "", build(),
             s->socket, words);
    snprintf(name, sizeof name, "sipctl-%u", ++serial);
    (void)proc_run(out, name, PROC_PATIENCE_MS, argv);
    return WIFEXITED(out->status) ? WEXITSTATUS(out->status) : -1;
}

void
server_add_user(const struct server *s, const char *user, const char *password)
{
    struct proc out;
    char words[128];

    snprintf(words, sizeof words, "add user %s@example.com --password-stdin", user);
    ck_assert_msg(server_ctl(s, &out, words, password) == 0, "no user was added:\n%s",
                  proc_output(&out));
}

int
server_socket(const struct server *s, const char *ip)
{
    struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_port = htons(s->port) };
    struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_port = htons(s->port) };
    bool is_v6 = strchr(ip, ':') != NULL;
    int fd = socket(is_v6 ? AF_INET6 : AF_INET, SOCK_DGRAM, 0);

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(inet_pton(is_v6 ? AF_INET6 : AF_INET, ip,
                               is_v6 ? (void *)&v6.sin6_addr : (void *)&v4.sin_addr),
                     1);
    ck_assert_int_eq(connect(fd, is_v6 ? (struct sockaddr *)&v6 : (struct sockaddr *)&v4,
                             is_v6 ? sizeof v6 : sizeof v4),
                     0);
    return fd;
}

void
server_send(int fd, const char *format, ...)
{
    char wire[WIRE_TEXT_BYTES];
    va_list args;
    size_t n;

    va_start(args, format);
    n = wire_text(wire, format, args);
    va_end(args);
    (void)send(fd, wire, n, MSG_NOSIGNAL);
}

size_t
server_receive(int fd, char *to, size_t room, unsigned timeout_ms)
{
    struct pollfd at = { .fd = fd, .events = POLLIN };
    ssize_t n = poll(&at, 1, (int)timeout_ms) == 1 ? recv(fd, to, room - 1, 0) : 0;

    to[n > 0 ? n : 0] = '\0';
    return n > 0 ? (size_t)n : 0;
}
