/*
 * The program ends: drained, in time, and not after all.
 */
#include <check.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "live/daemon_rig.h"

Suite *suite_daemon_end(void);

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

Suite *
suite_daemon_end(void)
{
    Suite *suite = suite_create("daemon_end");
    TCase *all = tcase_create("all");

    tcase_add_checked_fixture(all, begin, end);
    tcase_set_timeout(all, 60);
    tcase_add_test(all, test_drain);
    tcase_add_test(all, test_drain_time);
    tcase_add_test(all, test_drain_off);
    suite_add_tcase(suite, all);
    return suite;
}
