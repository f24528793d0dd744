/*
 * The program itself: started, checked, asked, told of new settings, drained, ended; with and without root.
 */
#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <jansson.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "live/server.h"

enum { TEXT_BYTES = 65536 };

static char modules[256], sipd[256];
static struct server server;
static struct proc out;

static void
begin(void)
{
    const char *build = getenv("SIPD_BUILD") ? getenv("SIPD_BUILD") : "build";

    snprintf(sipd, sizeof sipd, "%s/sipd", build);
    snprintf(modules, sizeof modules, "%s/modules", build);
}

static void
end(void)
{
    proc_stop(&server.proc);
}

/* Runs sipd to its end with these options; its exit code. */
static int
run_sipd(const char *option, const char *file)
{
    const char *argv[] = { sipd, "-M", modules, "-f", file, option, NULL };

    (void)proc_run(&out, "run", PROC_PATIENCE_MS, argv);
    return WIFEXITED(out.status) ? WEXITSTATUS(out.status) : -1;
}

static int
ctl(const char *words)
{
    return server_ctl(&server, &out, words, NULL);
}

static bool
said(const char *text)
{
    return strstr(proc_output(&out), text) != NULL;
}

#define must_say(text) ck_assert_msg(said(text), "not said: %s, but:\n%s", text, proc_output(&out))

/* A file of one listener and what follows, with a folder of its own for state. */
static const char *
conf(const char *name, uint16_t port, const char *more)
{
    char file[64];

    snprintf(file, sizeof file, "%s.conf", name);
    return proc_file(file,
                     "domains = [ \"example.com\" ];\n"
                     "listen = ( { transport = \"udp\"; address = \"127.0.0.1\"; port = %u; } );\n"
                     "state_dir = \"%s/%s-made\"; control = { socket = \"%s/%s-run/sock\"; };\n"
                     "user = \"root\"; group = \"root\";\n%s\n",
                     port, proc_dir(), name, proc_dir(), name, more);
}

static bool
is_there(const char *name)
{
    char path[300];

    snprintf(path, sizeof path, "%s/%s", proc_dir(), name);
    return access(path, F_OK) == 0;
}

/* ---- options and exit codes */

START_TEST(test_options)
{
    ck_assert_int_eq(run_sipd("-V", "none"), 0);
    must_say("sipd ");
    ck_assert_int_eq(run_sipd("-h", "none"), 0);
    ck_assert_int_eq(run_sipd("-x", "none"), 2);
    must_say("usage: sipd");
    ck_assert_int_eq(run_sipd("words", "none"), 2);
    ck_assert_int_eq(run_sipd("-t", "/nowhere/sipd.conf"), 1);
    must_say("/nowhere/sipd.conf: cannot be read");
    ck_assert_int_eq(run_sipd(NULL, "/nowhere/sipd.conf"), 1);
    must_say("/nowhere/sipd.conf: cannot be read");
    ck_assert_int_eq(run_sipd("-t", proc_dir()), 1);
    must_say(": is no plain file; name the file of the configuration\n");
}
END_TEST

START_TEST(test_check_makes_nothing)
{
    const char *file = conf("checked", 0, "modules = [ \"auth\", \"registrar\", \"redirect\" ];");

    ck_assert_msg(run_sipd("-t", file) == 0, "%s", proc_output(&out));
    must_say("checked.conf: fine");
    ck_assert(!is_there("checked-made"));
    ck_assert(!is_there("checked-run"));
}
END_TEST

START_TEST(test_check_tells_all)
{
    const char *file =
        conf("wrong", 0, "modules = [ \"auth\", \"none\" ];\nauth = { nonce_s = 1; };\ndrain = 4;");

    ck_assert_int_eq(run_sipd("-t", file), 1);
    must_say("wrong.conf:7: drain: there is no such key; the nearest is drain_s");
    file = conf("wrong2", 0, "modules = [ \"auth\", \"none\" ];\nauth = { nonce_s = 1; };");
    ck_assert_int_eq(run_sipd("-t", file), 1);
    must_say(
        "wrong2.conf:6: auth.nonce_s: 1 is out of bounds; write a whole number from 10 to 86400");
    must_say("wrong2.conf:5: modules[1]: \"none\": there is no such module in ");
    must_say("; there are auth, ");
    ck_assert_int_eq(run_sipd("-t", conf("wrong3", 0, "modules = [ \"regstrar\" ];")), 1);
    must_say("; the nearest is registrar\n");
    ck_assert_int_eq(run_sipd(NULL, file), 1);
    must_say("wrong2.conf:6: auth.nonce_s: 1 is out of bounds");
}
END_TEST

START_TEST(test_not_a_module)
{
    const char *file = conf("fake", 0, "modules = [ \"fake\" ];");
    const char *argv[] = { sipd, "-t", "-f", file, "-M", proc_dir(), NULL };

    proc_file("fake.so", "this is no module\n");
    ck_assert(!proc_run(&out, "run", PROC_PATIENCE_MS, argv));
    ck_assert_int_eq(WEXITSTATUS(out.status), 1);
    must_say("fake.conf:5: modules[0]: \"fake\": cannot be loaded: ");
}
END_TEST

START_TEST(test_schema)
{
    json_error_t error;
    json_t *schema, *section;
    size_t i;
    unsigned seen = 0;

    ck_assert_int_eq(run_sipd("-S", "none"), 0);
    schema = json_load_file(out.log, 0, &error);
    ck_assert_msg(json_is_array(schema), "no JSON: %s\n%s", error.text, proc_output(&out));
    json_array_foreach(schema, i, section)
    {
        const char *key = json_string_value(json_object_get(section, "key"));

        seen += strcmp(key, "listen") == 0 && json_is_array(json_object_get(section, "items"));
        seen += strcmp(key, "registrar") == 0 && json_is_array(json_object_get(section, "items"));
        seen += strcmp(key, "drain_s") == 0 &&
                json_integer_value(json_object_get(section, "default")) == 10;
    }
    ck_assert_uint_eq(seen, 3);
    json_decref(schema);
}
END_TEST

/* ---- start */

START_TEST(test_start_and_stop)
{
    char path[300], key[80];
    struct stat is;
    FILE *f;

    server_make(&server, "plain", "");
    server_start(&server);
    ck_assert_int_eq(ctl("status"), 0);
    must_say("running");
    snprintf(path, sizeof path, "%s/plain-state/sipd.key", proc_dir());
    ck_assert_int_eq(stat(path, &is), 0);
    ck_assert_uint_eq(is.st_mode & 07777, 0600);
    f = fopen(path, "r");
    ck_assert_ptr_nonnull(f);
    ck_assert_ptr_nonnull(fgets(key, sizeof key, f));
    fclose(f);
    ck_assert_uint_eq(strspn(key, "0123456789abcdef"), 64);
    server_stop(&server);
    ck_assert(!is_there("plain.sock"));
    ck_assert_int_eq(ctl("status"), 3);
    must_say("no sipd at ");

    /* The key stays what it was; one that others may read is refused. */
    ck_assert_int_eq(chmod(path, 0640), 0);
    ck_assert_int_eq(run_sipd(NULL, server.conf), 1);
    must_say("sipd.key: others may read it; chmod 600 ");
    ck_assert_int_eq(run_sipd("-t", server.conf), 1);
    ck_assert_int_eq(chmod(path, 0600), 0);
    server_start(&server);
    server_stop(&server);
}
END_TEST

START_TEST(test_port_in_use)
{
    const char *file;
    char text[100];

    server_make(&server, "first", "");
    server_start(&server);
    file = conf("second", server.port, "");
    ck_assert_int_eq(run_sipd("-t", file), 0); /* found by start and reload only */
    ck_assert_int_eq(run_sipd(NULL, file), 3);
    snprintf(text, sizeof text, "second.conf:2: listen[0]: udp:127.0.0.1:%u: ", server.port);
    must_say(text);
    must_say("end the program that has it");
    server_stop(&server);
}
END_TEST

/* Directories that cannot be had are told by start as by -t: file, line, key and remedy, and nothing else. */
START_TEST(test_directories)
{
    static const char *const some[][3] = {
        { "/etc/passwd", "/tmp/sock",
          "dirs.conf:2: state_dir: /etc/passwd is no directory; name one\n" },
        { "/none/deep", "/none/sock",
          "dirs.conf:2: state_dir: the directory /none is not there; make it: mkdir -p /none\n" },
        { "/none", "/none/deep/sock",
          "dirs.conf:2: control.socket: the directory /none is not there; make it: mkdir -p "
          "/none\n" },
    };

    for (size_t i = 0; i < sizeof some / sizeof *some; i++) {
        const char *file = proc_file(
            "dirs.conf",
            "listen = ( { transport = \"udp\"; address = \"127.0.0.1\"; port = 0; } );\n"
            "state_dir = \"%s\"; control = { socket = \"%s\"; }; user = \"root\"; group = "
            "\"root\";\n",
            some[i][0], some[i][1]);

        ck_assert_int_eq(run_sipd("-t", file), 1);
        must_say(some[i][2]);
        ck_assert_int_eq(run_sipd(NULL, file), 1);
        must_say(some[i][2]);
        ck_assert(!said("sipd.key"));
    }
}
END_TEST

START_TEST(test_control_socket)
{
    const char *file;

    server_make(&server, "one", "");
    server_start(&server);
    file = proc_file("two.conf",
                     "listen = ( { transport = \"udp\"; address = \"127.0.0.1\"; port = 0; } );\n"
                     "state_dir = \"%s/two-made\"; control = { socket = \"%s\"; }; user = "
                     "\"root\"; group = \"root\";\n",
                     proc_dir(), server.socket);
    ck_assert_int_eq(run_sipd(NULL, file), 3);
    must_say("a running sipd answers at control.socket");
    ck_assert_int_eq(ctl("status"), 0);

    /* One that was killed leaves its socket behind; the next takes its place. */
    proc_kill(&server.proc);
    ck_assert(is_there("one.sock"));
    ck_assert_int_eq(ctl("status"), 3);
    server_start(&server);
    ck_assert_int_eq(ctl("status"), 0);
    server_stop(&server);
}
END_TEST

/* A datagram socket for $NOTIFY_SOCKET. */
static int
notify_socket(char path[108])
{
    struct sockaddr_un at = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_DGRAM, 0);

    snprintf(path, 108, "%s/notify", proc_dir());
    memcpy(at.sun_path, path, strlen(path));
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
    ck_assert_int_eq(setenv("NOTIFY_SOCKET", path, 1), 0);
    return fd;
}

START_TEST(test_notify)
{
    char path[108], text[200];
    int fd = notify_socket(path);

    server_make(&server, "notified", "");
    server_start(&server);
    ck_assert_uint_gt(server_receive(fd, text, sizeof text, PROC_PATIENCE_MS), 0);
    ck_assert_str_eq(text, "READY=1\n");
    ck_assert_int_eq(ctl("reload"), 0);
    ck_assert_uint_gt(server_receive(fd, text, sizeof text, PROC_PATIENCE_MS), 0);
    ck_assert_int_eq(strncmp(text, "RELOADING=1\nMONOTONIC_USEC=", 27), 0);
    ck_assert_uint_gt(server_receive(fd, text, sizeof text, PROC_PATIENCE_MS), 0);
    ck_assert_str_eq(text, "READY=1\n");
    ck_assert_int_eq(ctl("restart"), 0);
    ck_assert_uint_gt(server_receive(fd, text, sizeof text, PROC_PATIENCE_MS), 0);
    ck_assert_int_eq(strncmp(text, "RELOADING=1\nMONOTONIC_USEC=", 27), 0);
    ck_assert_uint_gt(server_receive(fd, text, sizeof text, PROC_PATIENCE_MS), 0);
    ck_assert_str_eq(text, "READY=1\n");
    server_stop(&server);
    ck_assert_uint_gt(server_receive(fd, text, sizeof text, PROC_PATIENCE_MS), 0);
    ck_assert_str_eq(text, "STOPPING=1\n");
    close(fd);
}
END_TEST

/* ---- asking */

/* A request that the core refuses, and its answer. */
static void
be_refused(int fd, unsigned n)
{
    char text[TEXT_BYTES];

    server_send(
        fd,
        "INFO sip:example.com SIP/2.0\nVia: SIP/2.0/UDP 127.0.0.1:9;rport;branch=z9hG4bK%u\n"
        "From: <sip:x@example.org>;tag=1\nTo: <sip:example.com>\nCall-ID: refused-%u\n"
        "CSeq: many INFO\nContent-Length: 0\n\n",
        n, n);
    ck_assert_uint_gt(server_receive(fd, text, sizeof text, PROC_PATIENCE_MS), 0);
    ck_assert_msg(strncmp(text, "SIP/2.0 400 ", 12) == 0, "%s", text);
}

START_TEST(test_log_of_a_floor)
{
    int fd;

    server_make(&server, "logged", "");
    server_start(&server);
    fd = server_socket(&server, "127.0.0.1");
    be_refused(fd, 1);
    ck_assert_int_eq(ctl("log debug net"), 0);
    be_refused(fd, 2);
    ck_assert_int_eq(ctl("log debug core"), 0);
    be_refused(fd, 3);
    ck_assert_int_eq(ctl("reload"), 0);
    be_refused(fd, 4);
    server_stop(&server);
    ck_assert_ptr_null(strstr(proc_output(&server.proc), "call_id=refused-1"));
    ck_assert_ptr_null(strstr(proc_output(&server.proc), "call_id=refused-2"));
    ck_assert_ptr_nonnull(strstr(proc_output(&server.proc), "call_id=refused-3"));
    ck_assert_ptr_null(strstr(proc_output(&server.proc), "call_id=refused-4"));
    close(fd);
}
END_TEST

START_TEST(test_commands)
{
    static const char *const plain[] = {
        "status",
        "show chain",
        "show modules",
        "show listeners",
        "show connections",
        "show transactions",
        "show transactions 5",
        "show counters",
        "show counters core_",
        "show config",
        "show config proxy",
        "help",
        "help show",
        "log debug",
    };

    server_make(&server, "asked", "modules = [ \"auth\", \"registrar\" ];");
    server_start(&server);
    for (size_t i = 0; i < sizeof plain / sizeof plain[0]; i++)
        ck_assert_msg(ctl(plain[i]) == 0, "%s:\n%s", plain[i], proc_output(&out));
    ck_assert_int_eq(ctl("show chain"), 0);
    must_say("ON_REQUEST");
    must_say("registrar");
    ck_assert_int_eq(ctl("show config proxy.relay"), 0);
    must_say("proxy.relay  \"ours\"");
    ck_assert_int_eq(ctl("--json show modules"), 0);
    must_say("\"module\": \"auth\"");
    ck_assert_int_eq(ctl("help"), 0);
    must_say("add user <name> [--password-stdin]");

    ck_assert_int_eq(ctl("make coffee"), 2);
    must_say("there is no such command");
    ck_assert_int_eq(ctl("--json make coffee"), 2);
    must_say("\"usage\"");
    ck_assert_int_eq(ctl("close connection 7"), 1);
    must_say("there is no connection 7");
    ck_assert_int_eq(ctl("log loud"), 1);
    ck_assert_int_eq(ctl("log debug none"), 1);
    must_say("\"none\" is not core, net, host or daemon");
    ck_assert_int_eq(ctl("log debug core"), 0);
    ck_assert_int_eq(ctl("show transactions many"), 1);
    ck_assert_int_eq(ctl(""), 2);
    ck_assert_int_eq(ctl("show bindngs"), 2);
    must_say("show bindings [aor]");
    ck_assert_int_eq(ctl("--help"), 0);
    must_say("usage: sipctl");
    ck_assert_int_eq(ctl("--version"), 0);
    must_say("sipctl ");
    ck_assert_int_eq(ctl("add user carol@example.com </dev/null"), 2);
    must_say("--password-stdin");
    server_stop(&server);
}
END_TEST

/* At the control socket, whoever opens. */
static int
knock(void)
{
    struct sockaddr_un at = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    memcpy(at.sun_path, server.socket, strlen(server.socket));
    ck_assert_int_eq(connect(fd, (struct sockaddr *)&at, sizeof at), 0);
    return fd;
}

static int
connect_ctl(void)
{
    int fd = knock();
    char greeting[64];

    ck_assert_uint_gt(server_receive(fd, greeting, sizeof greeting, PROC_PATIENCE_MS), 0);
    ck_assert_int_eq(strncmp(greeting, "sipd-ctl 1 ", 11), 0);
    return fd;
}

static void
say(int fd, const char *text)
{
    ck_assert_int_eq(send(fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
}

START_TEST(test_lines)
{
    static const char *const bad[] = {
        "hello\n", "[]\n", "{\"words\":[]}\n", "{\"words\":[1]}\n", "{\"words\":\"status\"}\n", "\n"
    };
    static char long_line[70000];
    char text[TEXT_BYTES];
    int fd;

    server_make(&server, "lines", "");
    server_start(&server);
    fd = connect_ctl();
    say(fd, "{\"words\":[\"log\",\"in");
    proc_pause(50);
    say(fd, "fo\"]}\n{\"words\":[\"drain\"]}\n{\"words\":[\"drain\",\"off\"]}\n");
    for (size_t got = 0, n; got < 33; got += n) {
        n = server_receive(fd, text + got, sizeof text - got, PROC_PATIENCE_MS);
        ck_assert_uint_gt(n, 0);
    }
    ck_assert_str_eq(text, "{\"rows\":[]}\n{\"rows\":[]}\n{\"rows\":[]}\n");
    close(fd);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        fd = connect_ctl();
        say(fd, bad[i]);
        ck_assert_uint_gt(server_receive(fd, text, sizeof text, PROC_PATIENCE_MS), 0);
        ck_assert_ptr_nonnull(strstr(text, "\"error\""));
        ck_assert_uint_eq(server_receive(fd, text, sizeof text, PROC_PATIENCE_MS), 0); /* and out */
        close(fd);
    }
    fd = connect_ctl();
    memset(long_line, 'x', sizeof long_line);
    (void)send(fd, long_line, sizeof long_line, MSG_NOSIGNAL);
    ck_assert_uint_gt(server_receive(fd, text, sizeof text, PROC_PATIENCE_MS), 0);
    ck_assert_ptr_nonnull(strstr(text, "too long"));
    close(fd);
    ck_assert_int_eq(ctl("status"), 0);
    server_stop(&server);
}
END_TEST

/* Who does not read holds nobody up, and not for ever. */
START_TEST(test_slow_client)
{
    enum { ASKED = 2000 };
    int slow, fds[40];

    server_make(&server, "slow", "");
    server_start(&server);
    slow = connect_ctl();
    for (int i = 0; i < ASKED; i++)
        if (send(slow, "{\"words\":[\"show\",\"counters\"]}\n", 29, MSG_NOSIGNAL | MSG_DONTWAIT) <
            0)
            break;
    ck_assert_int_eq(ctl("status"), 0);
    for (int i = 0; i < 40; i++)
        fds[i] = knock();
    ck_assert_int_eq(ctl("status"), 3);
    must_say("too busy");
    for (int i = 0; i < 40; i++)
        close(fds[i]);
    close(slow);
    for (uint64_t until = proc_now_ms() + PROC_PATIENCE_MS; ctl("status") != 0;)
        ck_assert_msg(proc_now_ms() < until, "%s", proc_output(&out));
    server_stop(&server);
}
END_TEST

static uint64_t
computed_ms(pid_t pid)
{
    char path[64], text[1024];
    unsigned long user = 0, system = 0;
    FILE *f;

    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    f = fopen(path, "r");
    ck_assert_ptr_nonnull(f);
    ck_assert_ptr_nonnull(fgets(text, sizeof text, f));
    fclose(f);
    (void)sscanf(strrchr(text, ')'), ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user,
                 &system);
    return (user + system) * 1000 / (uint64_t)sysconf(_SC_CLK_TCK);
}

static size_t
times(const char *text, const char *what)
{
    size_t n = 0;

    while ((text = strstr(text, what)) != NULL) {
        text += strlen(what);
        n++;
    }
    return n;
}

/* Connections took the last one: a sipctl is answered nevertheless, a second one waits its turn, and nothing spins. */
START_TEST(test_no_descriptors)
{
    enum { LIMIT = 48, PEERS = 64 };
    struct rlimit limit = { LIMIT, LIMIT };
    struct sockaddr_in at = { .sin_family = AF_INET };
    int fds[PEERS], first, second;
    char greeting[64];
    uint64_t before;

    server_make(&server, "none-left", "");
    server_start(&server);
    at.sin_port = htons(server.port);
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ck_assert_int_eq(prlimit(server.proc.pid, RLIMIT_NOFILE, &limit, NULL), 0);
    for (int i = 0; i < PEERS; i++) {
        fds[i] = socket(AF_INET, SOCK_STREAM, 0);
        ck_assert_int_eq(connect(fds[i], (struct sockaddr *)&at, sizeof at), 0);
    }
    for (uint64_t until = proc_now_ms() + PROC_PATIENCE_MS;;) { /* until all have been accepted */
        ck_assert_int_eq(ctl("--json show counters conns_no_descriptor"), 0);
        must_say("conns_no_descriptor");
        if (!said("\"value\": 0"))
            break;
        ck_assert_uint_lt(proc_now_ms(), until);
    }
    ck_assert_int_eq(ctl("status"), 0);
    first = connect_ctl();
    second = knock();
    before = computed_ms(server.proc.pid);
    ck_assert_uint_eq(server_receive(second, greeting, sizeof greeting, 1000), 0);
    ck_assert_uint_lt(computed_ms(server.proc.pid) - before, 300);
    close(first);
    ck_assert_uint_gt(server_receive(second, greeting, sizeof greeting, PROC_PATIENCE_MS), 0);
    close(second);
    for (int i = 0; i < PEERS; i++)
        close(fds[i]);
    ck_assert_int_eq(ctl("status"), 0);
    server_stop(&server);
}
END_TEST

/* A list of many turns comes whole, also when its asker goes in the middle, or the next question stands behind it. */
START_TEST(test_long_list)
{
    enum { PEERS = 300 };
    struct sockaddr_in at = { .sin_family = AF_INET };
    static char text[256 * 1024];
    int fds[PEERS], fd;
    size_t len = 0;

    server_make(&server, "long", "");
    server_start(&server);
    at.sin_port = htons(server.port);
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    for (int i = 0; i < PEERS; i++) {
        fds[i] = socket(AF_INET, SOCK_STREAM, 0);
        ck_assert_int_eq(connect(fds[i], (struct sockaddr *)&at, sizeof at), 0);
    }
    fd = connect_ctl();
    say(fd, "{\"words\":[\"show\",\"connections\"]}\n");
    close(fd);
    fd = connect_ctl();
    say(fd, "{\"words\":[\"show\",\"connections\"]}\n{\"words\":[\"drain\",\"off\"]}\n");
    while (!strstr(text, "]}\n{\"rows\":[]}\n")) {
        size_t got = server_receive(fd, text + len, sizeof text - len, PROC_PATIENCE_MS);

        ck_assert_uint_gt(got, 0);
        len += got;
    }
    ck_assert_uint_eq(times(text, "\"id\":"), PEERS);
    close(fd);
    for (int i = 0; i < PEERS; i++)
        close(fds[i]);
    server_stop(&server);
}
END_TEST

/* ---- new settings */

static uint16_t
port_of(int fd)
{
    struct sockaddr_storage at = { 0 };
    socklen_t len = sizeof at;
    uint8_t port[2];

    ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&at, &len), 0);
    memcpy(port, (const char *)&at + 2, 2); /* sin_port, in network order */
    return (uint16_t)(port[0] << 8 | port[1]);
}

/* server's file anew, with other listeners and settings. */
static void
rewrite(uint16_t port, const char *more)
{
    char name[64];

    snprintf(name, sizeof name, "%s.conf", server.name);
    proc_file(name,
              "listen = ( { transport = \"udp\"; address = \"127.0.0.1\"; port = %u; } );\n"
              "state_dir = \"%s/%s-state\"; control = { socket = \"%s\"; }; user = \"root\"; group "
              "= \"root\";\n%s\n",
              port, proc_dir(), server.name, server.socket, more);
}

/* The status that an OPTIONS for this domain gets, asked at the port; 0: none. */
static int
options(uint16_t port, const char *domain)
{
    static unsigned serial;
    struct server at = server;
    char reply[TEXT_BYTES];
    int fd, status = 0;

    at.port = port;
    fd = server_socket(&at, "127.0.0.1");
    server_send(fd,
                "OPTIONS sip:%s SIP/2.0\nVia: SIP/2.0/UDP "
                "127.0.0.1;branch=z9hG4bKo%u;rport\nMax-Forwards: 70\n"
                "From: <sip:test@example.org>;tag=1\nTo: <sip:%s>\nCall-ID: options\nCSeq: 1 "
                "OPTIONS\nContent-Length: 0\n\n",
                domain, ++serial, domain);
    if (server_receive(fd, reply, sizeof reply, PROC_PATIENCE_MS) >
        0) /* refused at once when nobody listens */
        (void)sscanf(reply, "SIP/2.0 %d", &status);
    close(fd);
    return status;
}

START_TEST(test_reload)
{
    uint16_t port, taken;

    server_make(&server, "again", "modules = [ \"redirect\" ];");
    server_start(&server);
    port = server.port;
    ck_assert_int_eq(options(port, "example.com"), 200);
    ck_assert_int_eq(options(port, "example.net"), 403);

    /* Other domains, another port, a module off, one on. */
    taken = proc_port("127.0.0.1");
    rewrite(taken, "domains = [ \"example.net\" ]; modules = [ \"registrar\" ]; log = { level = "
                   "\"debug\"; };");
    ck_assert_int_eq(ctl("reload --dry-run"), 0);
    ck_assert_int_eq(options(port, "example.com"), 200); /* nothing has happened */
    ck_assert_int_eq(options(taken, "example.net"), 0);
    ck_assert_msg(ctl("reload") == 0, "%s", proc_output(&out));
    ck_assert_int_eq(options(taken, "example.net"), 200);
    ck_assert_int_eq(options(taken, "example.com"), 403);
    ck_assert_int_eq(options(port, "example.net"), 0);
    ck_assert_int_eq(ctl("show modules"), 0);
    must_say("registrar");
    ck_assert(!said("redirect"));
    ck_assert_int_eq(ctl("show bindings"), 0);

    /* A wrong file changes nothing. */
    rewrite(port, "domains = [ \"example.org\" ]; registrar = { };");
    ck_assert_int_eq(ctl("reload --dry-run"), 1);
    must_say("again.conf:3: registrar: its module is not loaded");
    ck_assert_int_eq(ctl("reload"), 1);
    must_say("again.conf:3: registrar: its module is not loaded");
    ck_assert_int_eq(options(taken, "example.net"), 200);

    server_stop(&server);
}
END_TEST

START_TEST(test_reload_fixed)
{
    server_make(&server, "fixed", "");
    server_start(&server);
    proc_file("fixed.conf",
              "listen = ( { transport = \"udp\"; address = \"127.0.0.1\"; port = %u; } );\n"
              "state_dir = \"%s/else\"; control = { socket = \"%s\"; }; user = \"root\"; group = "
              "\"root\";\n",
              server.port, proc_dir(), server.socket);
    ck_assert_int_eq(ctl("reload"), 1);
    must_say("fixed.conf:2: state_dir: cannot change while sipd runs; restart sipd, or put the old "
             "value back");
    ck_assert_int_eq(options(server.port, "127.0.0.1"), 200);
    server_stop(&server);
}
END_TEST

/* A port that another has is found before anything is taken away. */
START_TEST(test_reload_port_taken)
{
    int fd;

    server_make(&server, "taken", "");
    server_start(&server);
    fd = server_socket(&server, "127.0.0.1");
    rewrite(port_of(fd), "domains = [ \"example.net\" ]; modules = [ \"registrar\" ];");
    ck_assert_int_eq(ctl("reload"), 1);
    must_say("end the program that has it");
    ck_assert_int_eq(options(server.port, "example.com"), 200);
    ck_assert_int_eq(ctl("show modules"), 0);
    ck_assert(!said("registrar"));
    close(fd);
    server_stop(&server);
}
END_TEST

/* A new module whose file cannot be had is refused before any other has heard of it. */
START_TEST(test_reload_file)
{
    server_make(&server, "filed", "modules = [ \"redirect\" ];");
    server_start(&server);
    rewrite(server.port, "domains = [ \"example.net\" ]; modules = [ \"redirect\", \"auth\" ];\n"
                         "auth = { path = \"/none/users.db\"; };");
    ck_assert_int_eq(ctl("reload --dry-run"), 1);
    must_say(
        "filed.conf:4: auth.path: the directory /none is not there; make it: install -d -m 750 ");
    ck_assert_int_eq(ctl("reload"), 1);
    must_say("filed.conf:4: auth.path: the directory /none is not there");
    ck_assert_int_eq(options(server.port, "example.com"), 200);
    server_stop(&server);
}
END_TEST

START_TEST(test_hangup)
{
    server_make(&server, "hung", "");
    server_start(&server);
    rewrite(server.port, "domains = [ \"example.net\" ];");
    ck_assert_int_eq(kill(server.proc.pid, SIGHUP), 0);
    ck_assert(proc_says(&server.proc, "reloaded", PROC_PATIENCE_MS));
    ck_assert_int_eq(options(server.port, "example.net"), 200);
    rewrite(server.port, "drain_s = -1;");
    ck_assert_int_eq(kill(server.proc.pid, SIGHUP), 0);
    ck_assert(proc_says(&server.proc, "not-reloaded", PROC_PATIENCE_MS));
    ck_assert_uint_eq(proc_said(&server.proc, "drain_s: -1 is out of bounds"), 1);
    ck_assert_int_eq(options(server.port, "example.net"), 200);
    server_stop(&server);
}
END_TEST

/* ---- the end */

/* An INVITE to a phone that is this socket, and stays unanswered. */
static void
leave_pending(int phone, uint16_t phone_port, int caller)
{
    char text[TEXT_BYTES];

    server_send(caller,
                "INVITE sip:127.0.0.1:%u SIP/2.0\nVia: SIP/2.0/UDP "
                "127.0.0.1;branch=z9hG4bKpending;rport\nMax-Forwards: 70\n"
                "From: <sip:a@example.com>;tag=1\nTo: <sip:b@example.com>\nCall-ID: pending\nCSeq: "
                "1 INVITE\n"
                "Contact: <sip:a@127.0.0.1>\nContent-Length: 0\n\n",
                phone_port);
    ck_assert_uint_gt(server_receive(phone, text, sizeof text, PROC_PATIENCE_MS), 0);
    ck_assert_int_eq(strncmp(text, "INVITE ", 7), 0);
}

static void
start_with_pending(const char *name, const char *settings, int *phone, int *caller)
{
    char all[200];

    snprintf(all, sizeof all, "proxy = { relay = \"any\"; }; %s", settings);
    server_make(&server, name, all);
    server_start(&server);
    *phone = server_socket(&server, "127.0.0.1");
    *caller = server_socket(&server, "127.0.0.1");
    leave_pending(*phone, port_of(*phone), *caller);
}

START_TEST(test_drain)
{
    int phone, caller;

    start_with_pending("drained", "drain_s = 600;", &phone, &caller);
    ck_assert_int_eq(kill(server.proc.pid, SIGTERM), 0);
    ck_assert(proc_says(&server.proc, "stopping", PROC_PATIENCE_MS));
    ck_assert_int_eq(options(server.port, "example.com"), 503);
    ck_assert_int_eq(ctl("status"), 0);
    must_say("stopping");
    ck_assert_int_eq(ctl("reload"), 1);
    ck_assert(!proc_ends(&server.proc, 200));
    ck_assert_int_eq(kill(server.proc.pid, SIGTERM), 0); /* the second ends it at once */
    ck_assert(proc_ends(&server.proc, PROC_PATIENCE_MS));
    ck_assert(WIFEXITED(server.proc.status) && WEXITSTATUS(server.proc.status) == 0);
    close(phone);
    close(caller);
}
END_TEST

START_TEST(test_drain_time)
{
    int phone, caller;

    start_with_pending("timed", "drain_s = 1;", &phone, &caller);
    ck_assert_int_eq(ctl("stop"), 0);
    ck_assert(proc_ends(&server.proc, PROC_PATIENCE_MS));
    ck_assert(WIFEXITED(server.proc.status) && WEXITSTATUS(server.proc.status) == 0);
    close(phone);
    close(caller);
}
END_TEST

START_TEST(test_drain_off)
{
    server_make(&server, "dry", "");
    server_start(&server);
    ck_assert_int_eq(ctl("drain"), 0);
    ck_assert_int_eq(options(server.port, "example.com"), 503);
    ck_assert_int_eq(ctl("drain off"), 0);
    ck_assert_int_eq(options(server.port, "example.com"), 200);
    server_stop(&server);
}
END_TEST

/* ---- rights: these need root, which then becomes nobody */

static bool
is_root(void)
{
    return geteuid() == 0 && getpwnam("nobody") != NULL;
}

static const char *
nobody_conf(const char *name, uint16_t port)
{
    char file[64];

    snprintf(file, sizeof file, "%s.conf", name);
    return proc_file(file,
                     "listen = ( { transport = \"udp\"; address = \"127.0.0.1\"; port = %u; } );\n"
                     "state_dir = \"%s/%s-state\"; control = { socket = \"%s/%s-run/sock\"; };\n"
                     "user = \"nobody\"; group = \"nogroup\";\n",
                     port, proc_dir(), name, proc_dir(), name);
}

static void
start_as_nobody(const char *name, uint16_t port)
{
    const char *file = nobody_conf(name, port);
    const char *argv[] = { sipd, "-M", modules, "-f", file, NULL };

    snprintf(server.socket, sizeof server.socket, "%s/%s-run/sock", proc_dir(), name);
    proc_start(&server.proc, name, argv);
    ck_assert_msg(proc_says(&server.proc, " ready ", PROC_PATIENCE_MS), "%s",
                  proc_output(&server.proc));
}

/* A line of /proc/PID/status, from behind its colon. */
static const char *
status_line(const char *key)
{
    static char line[256];
    char path[64];
    FILE *f;

    snprintf(path, sizeof path, "/proc/%d/status", (int)server.proc.pid);
    f = fopen(path, "r");
    ck_assert_ptr_nonnull(f);
    while (fgets(line, sizeof line, f))
        if (strncmp(line, key, strlen(key)) == 0) {
            fclose(f);
            return line + strlen(key) + 2;
        }
    fclose(f);
    ck_abort_msg("no %s", key);
    return NULL;
}

START_TEST(test_rights)
{
    char path[300];
    struct stat is;
    uint16_t low;

    if (!is_root())
        return;
    start_as_nobody("nobody", 0);
    ck_assert_uint_eq(strtoul(status_line("Uid"), NULL, 10), getpwnam("nobody")->pw_uid);
    ck_assert_uint_eq(strtoull(status_line("CapPrm"), NULL, 16), 0);
    ck_assert_uint_eq(strtoull(status_line("CapEff"), NULL, 16), 0);
    ck_assert_uint_eq(strtoul(status_line("NoNewPrivs"), NULL, 10), 1);
    snprintf(path, sizeof path, "%s/nobody-state", proc_dir());
    ck_assert_int_eq(stat(path, &is), 0);
    ck_assert_uint_eq(is.st_mode & 07777, 0750);
    ck_assert_uint_eq(is.st_uid, getpwnam("nobody")->pw_uid);
    ck_assert_int_eq(ctl("reload"), 0);
    server_stop(&server);

    /* A low port needs the one right, which stays for reloads; nothing else does. */
    low = proc_low_port();
    if (low == 0) {
        proc_skip("a right that low ports need", "they need none here");
        return;
    }
    start_as_nobody("low", low);
    ck_assert_uint_eq(strtoull(status_line("CapEff"), NULL, 16), 1u << 10);
    ck_assert_uint_eq(strtoull(status_line("CapPrm"), NULL, 16), 1u << 10);
    nobody_conf("low", (uint16_t)(low - 1));
    ck_assert_msg(ctl("reload") == 0, "%s", proc_output(&out));

    /* … and for who it becomes. */
    ck_assert_msg(ctl("restart") == 0, "%s", proc_output(&out));
    ck_assert_uint_eq(strtoul(status_line("Uid"), NULL, 10), getpwnam("nobody")->pw_uid);
    ck_assert_uint_eq(strtoull(status_line("CapPrm"), NULL, 16), 1u << 10);
    ck_assert_uint_eq(strtoull(status_line("CapAmb"), NULL, 16), 0);
    nobody_conf("low", low);
    ck_assert_msg(ctl("reload") == 0, "%s", proc_output(&out));
    server_stop(&server);
}
END_TEST

START_TEST(test_unreadable)
{
    const char *file;

    if (!is_root())
        return;
    file = nobody_conf("hidden", 0);
    ck_assert_int_eq(chmod(file, 0600), 0);
    ck_assert_int_eq(run_sipd("-t", file), 1);
    must_say("user nobody cannot read ");
    must_say("; chgrp nogroup ");
    ck_assert_int_eq(run_sipd(NULL, file), 1);
    must_say("; chgrp nogroup ");
}
END_TEST

START_TEST(test_no_user)
{
    const char *file;

    if (!is_root())
        return;
    file = proc_file("who.conf",
                     "listen = ( { transport = \"udp\"; address = \"127.0.0.1\"; port = 0; } );\n"
                     "state_dir = \"%s/who\"; control = { socket = \"%s/who.sock\"; };\nuser = "
                     "\"nobody-else\";\n"
                     "group = \"nogroup\";\n",
                     proc_dir(), proc_dir());
    ck_assert_int_eq(run_sipd("-t", file), 1);
    must_say("who.conf:3: user: there is no user \"nobody-else\"; make it: useradd --system "
             "nobody-else; or name another");
}
END_TEST

/* In a network of its own, whose addresses come and go. */
START_TEST(test_addresses_followed)
{
    const char *try[] = { "unshare", "-n", "ip", "link", "set", "lo", "up", NULL };
    char script[2048], file[300], log[300];
    const char *argv[] = { "unshare", "-n", "sh", "-c", script, NULL };

    if (!is_root() || !proc_run(&out, "unshare", PROC_PATIENCE_MS, try))
        return;
    snprintf(
        file, sizeof file, "%s",
        proc_file("follow.conf",
                  "listen = ( { transport = \"udp\"; address = \"0.0.0.0\"; port = 5060; },\n"
                  "           { transport = \"tcp\"; address = \"0.0.0.0\"; port = 5060; } );\n"
                  "state_dir = \"%s/follow\"; control = { socket = \"%s/follow.sock\"; };\n"
                  "user = \"root\"; group = \"root\";\n",
                  proc_dir(), proc_dir()));
    snprintf(log, sizeof log, "%s", proc_log("follow"));
    snprintf(script, sizeof script,
             "ip link set lo up; %s -f %s -M %s & sipd=$!\n"
             "seen() { i=0; until [ $(grep -c \"$1.*203.0.113.5\" %s) = 2 ]; do\n"
             "    i=$((i + 1)); [ $i -lt 600 ] || exit 1; sleep 0.1; done; }\n"
             "i=0; until grep -q ' ready ' %s; do i=$((i + 1)); [ $i -lt 600 ] || exit "
             "1; sleep 0.1; done\n"
             "ip addr add 203.0.113.5/32 dev lo; seen ' listen '\n"
             "ip addr del 203.0.113.5/32 dev lo; seen ' unlisten '\n"
             "kill $sipd; wait $sipd\n",
             sipd, file, modules, log, log);
    ck_assert_msg(proc_run(&out, "follow", 2 * PROC_PATIENCE_MS, argv), "%s", proc_output(&out));
}
END_TEST

START_TEST(test_control_group)
{
    struct stat is;

    if (!is_root())
        return;
    server_make(&server, "grouped", "");
    proc_file(
        "grouped.conf",
        "listen = ( { transport = \"udp\"; address = \"127.0.0.1\"; port = %u; } );\n"
        "state_dir = \"%s/grouped-state\"; control = { socket = \"%s\"; group = \"nogroup\"; };\n"
        "user = \"root\"; group = \"root\";\n",
        server.port, proc_dir(), server.socket);
    server_start(&server);
    ck_assert_int_eq(stat(server.socket, &is), 0);
    ck_assert_uint_eq(is.st_mode & 07777, 0660);
    server_stop(&server);
}
END_TEST

Suite *
suite_daemon(void)
{
    Suite *suite = suite_create("daemon");
    TCase *all = tcase_create("all");

    tcase_add_checked_fixture(all, begin, end);
    tcase_set_timeout(all, 60);
    tcase_add_test(all, test_options);
    tcase_add_test(all, test_check_makes_nothing);
    tcase_add_test(all, test_check_tells_all);
    tcase_add_test(all, test_not_a_module);
    tcase_add_test(all, test_schema);
    tcase_add_test(all, test_start_and_stop);
    tcase_add_test(all, test_port_in_use);
    tcase_add_test(all, test_directories);
    tcase_add_test(all, test_control_socket);
    tcase_add_test(all, test_notify);
    tcase_add_test(all, test_log_of_a_floor);
    tcase_add_test(all, test_commands);
    tcase_add_test(all, test_lines);
    tcase_add_test(all, test_slow_client);
    tcase_add_test(all, test_no_descriptors);
    tcase_add_test(all, test_long_list);
    tcase_add_test(all, test_reload);
    tcase_add_test(all, test_reload_fixed);
    tcase_add_test(all, test_reload_port_taken);
    tcase_add_test(all, test_reload_file);
    tcase_add_test(all, test_hangup);
    tcase_add_test(all, test_drain);
    tcase_add_test(all, test_drain_time);
    tcase_add_test(all, test_drain_off);
    tcase_add_test(all, test_rights);
    tcase_add_test(all, test_unreadable);
    tcase_add_test(all, test_no_user);
    tcase_add_test(all, test_addresses_followed);
    tcase_add_test(all, test_control_group);
    suite_add_tcase(suite, all);
    return suite;
}
