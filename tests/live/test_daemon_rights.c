/*
 * Rights, networks and groups of the program: these need root, which then becomes nobody.
 */
#include <check.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "live/daemon_rig.h"

Suite *suite_daemon_rights(void);

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

/* The program where nobody may run it anew, to check a configuration or to restart: the folder of the build may be closed to others. */
static const char *
open_program(void)
{
    static char copy[300];
    const char *argv[] = { "/usr/bin/install", "-m", "755", sipd, copy, NULL };

    snprintf(copy, sizeof copy, "%s/sipd", proc_dir());
    ck_assert_msg(proc_run(&out, "install", PROC_PATIENCE_MS, argv), "%s", proc_output(&out));
    return copy;
}

static void
start_as_nobody(const char *name, uint16_t port)
{
    const char *file = nobody_conf(name, port);
    const char *argv[] = { open_program(), "-M", proc_dir(), "-f", file, NULL };

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
suite_daemon_rights(void)
{
    Suite *suite = suite_create("daemon_rights");
    TCase *all = tcase_create("all");

    tcase_add_checked_fixture(all, begin, end);
    tcase_set_timeout(all, 60);
    tcase_add_test(all, test_rights);
    tcase_add_test(all, test_unreadable);
    tcase_add_test(all, test_no_user);
    tcase_add_test(all, test_addresses_followed);
    tcase_add_test(all, test_control_group);
    suite_add_tcase(suite, all);
    return suite;
}
