/*
 * The program is asked: commands, lines, slow clients, long lists.
 */
#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "live/daemon_rig.h"

Suite *suite_daemon_ctl(void);

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

/* Those that are pending, and then what is left of the answered, in one list that may be cut anywhere. */
START_TEST(test_transactions)
{
    enum { ANSWERED = 200 };
    char text[TEXT_BYTES];
    int fd;

    server_make(&server, "lists", "proxy = { relay = \"any\"; };");
    server_start(&server);
    fd = server_socket(&server, "127.0.0.1");
    for (unsigned n = 0; n <= ANSWERED; n++) {
        const char *user = n == ANSWERED ? "silent@127.0.0.1:9" : "127.0.0.1";

        server_send(fd,
                    "%s sip:%s SIP/2.0\nVia: SIP/2.0/UDP 127.0.0.1:9;rport;branch=z9hG4bKlist%u\n"
                    "From: <sip:x@example.org>;tag=1\nTo: <sip:example.com>\nCall-ID: listed-%u\n"
                    "CSeq: 1 %s\nMax-Forwards: 70\nContent-Length: 0\n\n",
                    n == ANSWERED ? "SUBSCRIBE" : "PUBLISH", user, n, n,
                    n == ANSWERED ? "SUBSCRIBE" : "PUBLISH");
        if (n < ANSWERED)
            ck_assert_uint_gt(server_receive(fd, text, sizeof text, PROC_PATIENCE_MS), 0);
    }
    ck_assert_int_eq(ctl("--json show transactions 1000"), 0);
    ck_assert_uint_eq(proc_said(&out, "\"PUBLISH\""), ANSWERED);
    must_say("\"COMPLETED\"");
    must_say("\"SUBSCRIBE\"");
    ck_assert_int_eq(ctl("--json show transactions 150"), 0);
    ck_assert_uint_eq(proc_said(&out, "\"kind\""), 150);
    close(fd);
    server_stop(&server);
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

Suite *
suite_daemon_ctl(void)
{
    Suite *suite = suite_create("daemon_ctl");
    TCase *all = tcase_create("all");

    tcase_add_checked_fixture(all, begin, end);
    tcase_set_timeout(all, 60);
    tcase_add_test(all, test_log_of_a_floor);
    tcase_add_test(all, test_transactions);
    tcase_add_test(all, test_commands);
    tcase_add_test(all, test_lines);
    tcase_add_test(all, test_slow_client);
    tcase_add_test(all, test_no_descriptors);
    tcase_add_test(all, test_long_list);
    suite_add_tcase(suite, all);
    return suite;
}
