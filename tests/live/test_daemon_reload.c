/*
 * The program is told of new settings.
 */
#include <check.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "live/daemon_rig.h"

Suite *suite_daemon_reload(void);

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

Suite *
suite_daemon_reload(void)
{
    Suite *suite = suite_create("daemon_reload");
    TCase *all = tcase_create("all");

    tcase_add_checked_fixture(all, begin, end);
    tcase_set_timeout(all, 60);
    tcase_add_test(all, test_reload);
    tcase_add_test(all, test_reload_fixed);
    tcase_add_test(all, test_reload_port_taken);
    tcase_add_test(all, test_reload_file);
    tcase_add_test(all, test_hangup);
    suite_add_tcase(suite, all);
    return suite;
}
