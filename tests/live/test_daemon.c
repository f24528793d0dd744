/*
 * The program itself: its options and exit codes, and how it starts.
 */
#include <check.h>
#include <errno.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "live/daemon_rig.h"

Suite *suite_daemon(void);

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
    suite_add_tcase(suite, all);
    return suite;
}
