/*
 * linphone calls linphone through sipd: Digest with SHA-256 alone (RFC 8760), public GRUUs, also within the dialog (RFC 5627),
 * one over UDP and one over TCP. And one whose network changes while it runs.
 */
#include <check.h>
#include <fcntl.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "live/server.h"

Suite *suite_linphone(void);

enum { LOG_BYTES = 1 << 20, CABLE_PORT = 5060 };

#define SERVER_AT "10.9.0.1" /* at the other end of a cable */

struct line {
    struct proc proc;
    char log[310];
    int commands;
};

static struct server server;
static struct line alice, bob;

/*
 * A phone of this user, who registers; commands go through a named pipe. It keeps to 127.0.0.1 and the server there, or, at the end of
 * a cable, looks every few seconds which address it has.
 */
static void
start_line_at(struct line *line, const char *user, const char *transport, bool far)
{
    uint16_t port = proc_port("127.0.0.1"), to = far ? CABLE_PORT : server.port;
    const char *ip = far ? SERVER_AT : "127.0.0.1";
    char home[300], name[64], path[400], command[1000], own[200];

    snprintf(home, sizeof home, "%s/%s", proc_dir(), user);
    snprintf(name, sizeof name, "%s/rc", user);
    snprintf(own, sizeof own,
             far ? "auto_net_state_mon=1\n"
                 : "bind_address=127.0.0.1\nauto_net_state_mon=0\n"
                   "guess_hostname=0\ncontact=sip:%s@127.0.0.1\n",
             user);
    proc_file(name,
              "[sip]\n%ssip_port=%u\nsip_tcp_port=%u\nsip_tls_port=-1\n"
              "register_only_when_network_is_up=0\ndefault_proxy=0\n"
              "[auth_info_0]\nusername=%s\npasswd=secret\nrealm=example.com\n"
              "domain=example.com\nalgorithm=SHA-256\n"
              "[proxy_0]\nreg_proxy=<sip:%s:%u;transport=%s>\n"
              "reg_route=<sip:%s:%u;transport=%s;lr>\nreg_identity=<sip:%s@example.com>\n"
              "reg_expires=120\nreg_sendregister=1\npublish=0\n",
              own, port, port, user, ip, to, transport, ip, to, transport, user);
    snprintf(line->log, sizeof line->log, "%s/log", home);
    snprintf(path, sizeof path, "%s/commands", home);
    ck_assert(mkfifo(path, 0600) == 0);
    line->commands = open(path, O_RDWR | O_CLOEXEC);
    ck_assert_int_ge(line->commands, 0);
    snprintf(command, sizeof command,
             "cd %s && mkdir -p .local/share/linphone && HOME=%s exec linphone-daemon --config rc "
             "--log log --auto-answer <commands",
             home, home);
    proc_start(&line->proc, user, (const char *const[]){ "/bin/sh", "-c", command, NULL });
}

static void
start_line(struct line *line, const char *user, const char *transport)
{
    start_line_at(line, user, transport, false);
}

static void
say(const struct line *line, const char *command)
{
    ck_assert_int_eq(write(line->commands, command, strlen(command)), (ssize_t)strlen(command));
}

/* Does its log come to have this? It has every message. */
static void
must_log(struct line *line, const char *text)
{
    char *log = malloc(LOG_BYTES);
    uint64_t until = proc_now_ms() + PROC_PATIENCE_MS;
    bool has = false;

    ck_assert_ptr_nonnull(log);
    while (!has && proc_now_ms() < until) {
        FILE *file = fopen(line->log, "r");
        size_t len = file ? fread(log, 1, LOG_BYTES - 1, file) : 0;

        if (file)
            fclose(file);
        log[len] = '\0';
        has = strstr(log, text) != NULL;
        if (!has)
            proc_pause(50);
    }
    if (!has)
        fprintf(stderr, "%s\n", strlen(log) > 3000 ? log + strlen(log) - 3000 : log);
    free(log);
    ck_assert_msg(has, "%s: never \"%s\"", line->log, text);
}

/* Is there a binding with a device, once the phone has registered? */
static void
must_register(const char *words)
{
    uint64_t until = proc_now_ms() + PROC_PATIENCE_MS;
    struct proc out;

    while (server_ctl(&server, &out, words, NULL) != 0) {
        ck_assert_msg(proc_now_ms() < until, "%s: never", words);
        proc_pause(100);
    }
    ck_assert_ptr_nonnull(strstr(proc_output(&out), "urn:uuid:"));
}

static void
stop_line(struct line *line)
{
    say(line, "quit\n");
    (void)proc_ends(&line->proc, 5000); /* this one is known to hang at its end */
    proc_stop(&line->proc);
    close(line->commands);
}

START_TEST(a_call_with_sha_256_and_gruus)
{
    ck_assert_msg(access("/usr/bin/linphone-daemon", X_OK) == 0,
                  "there is no linphone-daemon (Debian package linphone-cli)");
    server_make(&server, "linphone",
                "modules = [ \"auth\", \"registrar\" ];\nregistrar = { path = \"location.db\"; };\n"
                "auth = { path = \"users.db\"; algorithms = [ \"SHA-256\" ]; };");
    server_start(&server);
    server_add_user(&server, "alice", "secret");
    server_add_user(&server, "bob", "secret");
    start_line(&alice, "alice", "udp");
    start_line(&bob, "bob", "tcp");
    must_register("show bindings alice@example.com");
    must_register("show bindings bob@example.com");
    must_log(&bob, "algorithm=SHA-256");
    must_log(&bob, "pub-gruu=\"sip:bob@example.com;gr=urn:uuid:");
    say(&bob, "call sip:alice@example.com\n");
    must_log(&bob, "\nACK sip:alice@example.com;gr=urn:uuid:");
    must_log(&alice, "\nACK sip:alice@127.0.0.1:");
    say(&bob, "terminate 1\n");
    must_log(&bob, "\nBYE sip:alice@example.com;gr=urn:uuid:");
    must_log(&alice, "\nBYE sip:alice@127.0.0.1:");
    stop_line(&bob);
    stop_line(&alice);
    server_stop(&server);
}
END_TEST

/* ---------------------------------------------------------------- another network */

#define BEFORE "10.9.0.2"
#define AFTER  "10.9.0.3"

static bool __attribute__((format(printf, 1, 2))) shell(const char *format, ...)
{
    char command[600];
    struct proc out;
    va_list args;

    va_start(args, format);
    vsnprintf(command, sizeof command, format, args);
    va_end(args);
    return proc_run(&out, "shell", PROC_PATIENCE_MS,
                    (const char *const[]){ "/bin/sh", "-c", command, NULL });
}

static struct proc
    place; /* whoever has a network of its own, the phone's, at the other end of a cable */

static void
have_own_network(void)
{
    if (unshare(CLONE_NEWNET) != 0)
        _exit(1);
}

/* The phone's end has this address, and no other. */
static bool
set_address(const char *ip)
{
    return shell(
        "exec nsenter -t %d -n sh -c 'ip addr flush dev phone && ip addr add %s/24 dev phone && "
        "ip link set phone up && ip route add default via " SERVER_AT "'",
        (int)place.pid, ip);
}

/* False: this user, or this machine, can't. */
static bool
lay_cable(void)
{
    static const char *const argv[] = { "sh", "-c", "readlink /proc/self/ns/net; exec sleep 600",
                                        NULL };

    if (!shell("ip link del cable 2>/dev/null; ip link add cable type veth peer name phone && ip "
               "addr add " SERVER_AT "/24 dev cable && ip link set cable up"))
        return false;
    proc_in_next(have_own_network);
    proc_start(&place, "place", argv);
    return proc_says(&place, "net:", PROC_PATIENCE_MS) &&
           shell("ip link set phone netns %d", (int)place.pid) &&
           shell("nsenter -t %d -n ip link set lo up", (int)place.pid) && set_address(BEFORE);
}

static void
enter_place(void)
{
    char name[64];
    int fd;

    snprintf(name, sizeof name, "/proc/%d/ns/net", (int)place.pid);
    fd = open(name, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || setns(fd, CLONE_NEWNET) != 0)
        _exit(1);
}

/* Is one of bob's bindings at this address? */
static bool
is_bound_at(const char *ip)
{
    struct proc out;
    char words[64];

    snprintf(words, sizeof words, "\"contact\": \"sip:bob@%s:", ip);
    return server_ctl(&server, &out, "--json show bindings bob@example.com", NULL) == 0 &&
           strstr(proc_output(&out), words);
}

static void
must_be_bound_at(const char *ip)
{
    for (uint64_t until = proc_now_ms() + PROC_PATIENCE_MS; !is_bound_at(ip); proc_pause(100))
        ck_assert_msg(proc_now_ms() < until, "bob is never bound at %s", ip);
}

static void
start_moving_server(void)
{
    char listeners[300];

    snprintf(listeners, sizeof listeners,
             "{ transport = \"udp\"; address = \"" SERVER_AT "\"; port = %d; },\n"
             "{ transport = \"tcp\"; address = \"" SERVER_AT "\"; port = %d; }",
             CABLE_PORT, CABLE_PORT);
    server_also_listen(listeners);
    server_make(
        &server, "moving",
        "modules = [ \"auth\", \"registrar\" ];\nregistrar = { path = \"moving.db\"; };\n"
        "auth = { path = \"moving-users.db\"; algorithms = [ \"SHA-256\" ]; };\ndrain_s = 1;");
    server_also_listen(NULL);
    server_start(&server);
    server_add_user(&server, "alice", "secret");
    server_add_user(&server, "bob", "secret");
}

/*
 * The phone lives on while its address is replaced under it; it finds out by itself, within seconds, and registers at the new one,
 * by the instance-id that it had, but it asks for no flow. So the old Contact stands until it expires (RFC 3261 §10.3), and nobody is
 * there: a call rings at the new one all the same.
 */
START_TEST(a_living_phone_changes_its_network)
{
    const char *transport = _i == 0 ? "udp" : "tcp";

    if (!lay_cable()) {
        proc_skip("a phone whose network changes", "this user may have no networks of its own");
        return;
    }
    start_moving_server();
    start_line(&alice, "alice", "udp");
    proc_in_next(enter_place);
    start_line_at(&bob, "bob", transport, true);
    must_register("show bindings alice@example.com");
    must_be_bound_at(BEFORE);
    ck_assert(set_address(AFTER));
    must_be_bound_at(AFTER);
    ck_assert(is_bound_at(BEFORE));
    say(&alice, "call sip:bob@example.com\n");
    must_log(&bob, "\nACK sip:bob@" AFTER ":");
    say(&alice, "terminate 1\n");
    must_log(&bob, "\nBYE sip:bob@" AFTER ":");
    stop_line(&bob);
    stop_line(&alice);
    proc_stop(&place);
    server_stop(&server);
}
END_TEST

Suite *
suite_linphone(void)
{
    Suite *suite = suite_create("linphone");
    TCase *tcase = tcase_create("linphone");

    tcase_set_timeout(tcase, 180);
    tcase_add_test(tcase, a_call_with_sha_256_and_gruus);
    tcase_add_loop_test(tcase, a_living_phone_changes_its_network, 0, 2);
    suite_add_tcase(suite, tcase);
    return suite;
}
