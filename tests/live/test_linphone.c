/*
 * linphone calls linphone through sipd: Digest with SHA-256 alone (RFC 8760), public GRUUs, also within the dialog (RFC 5627),
 * one over UDP and one over TCP.
 */
#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "live/server.h"

Suite *suite_linphone(void);

enum { LOG_BYTES = 1 << 20 };

struct line {
    struct proc proc;
    char log[310];
    int commands;
};

static struct server server;
static struct line alice, bob;

/* A phone of this user, who registers; commands go through a named pipe. */
static void
start_line(struct line *line, const char *user, const char *transport)
{
    uint16_t port = proc_port("127.0.0.1");
    char home[300], name[64], path[400], command[1000];

    snprintf(home, sizeof home, "%s/%s", proc_dir(), user);
    snprintf(name, sizeof name, "%s/rc", user);
    proc_file(name,
              "[sip]\nbind_address=127.0.0.1\nsip_port=%u\nsip_tcp_port=%u\nsip_tls_port=-1\n"
              "auto_net_state_mon=0\nregister_only_when_network_is_up=0\nguess_hostname=0\n"
              "contact=sip:%s@127.0.0.1\ndefault_proxy=0\n"
              "[auth_info_0]\nusername=%s\npasswd=secret\nrealm=example.com\n"
              "domain=example.com\nalgorithm=SHA-256\n"
              "[proxy_0]\nreg_proxy=<sip:127.0.0.1:%u;transport=%s>\n"
              "reg_route=<sip:127.0.0.1:%u;transport=%s;lr>\nreg_identity=<sip:%s@example.com>\n"
              "reg_expires=120\nreg_sendregister=1\npublish=0\n",
              port, port, user, user, server.port, transport, server.port, transport, user);
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

Suite *
suite_linphone(void)
{
    Suite *suite = suite_create("linphone");
    TCase *tcase = tcase_create("linphone");

    tcase_set_timeout(tcase, 180);
    tcase_add_test(tcase, a_call_with_sha_256_and_gruus);
    suite_add_tcase(suite, tcase);
    return suite;
}
