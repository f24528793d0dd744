/*
 * What sipctl shows of the calls that are being made, and of the log.
 */
#include <check.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "live/hand.h"

Suite *suite_show(void);

static struct server server;
static struct proc out;

static void
end(void)
{
    proc_stop(&server.proc);
}

/* The rows of an answer; owned. */
static json_t *
rows(const char *words)
{
    char all[256];
    json_t *answer, *its;

    snprintf(all, sizeof all, "--json %s", words);
    ck_assert_msg(server_ctl(&server, &out, all, NULL) == 0, "%s", proc_output(&out));
    answer = json_load_file(out.log, 0, NULL);
    its = json_incref(json_object_get(answer, "rows"));
    json_decref(answer);
    ck_assert_msg(json_is_array(its), "%s", proc_output(&out));
    return its;
}

static const char *
text(const json_t *of, size_t row, const char *name)
{
    const char *value = json_string_value(json_object_get(json_array_get(of, row), name));

    ck_assert_msg(value != NULL, "row %zu has no %s", row, name);
    return value;
}

static json_int_t
number(const json_t *of, size_t row, const char *name)
{
    return json_integer_value(json_object_get(json_array_get(of, row), name));
}

/* ---- calls */

static void
must_show(const char *state, int status)
{
    json_t *calls = rows("show calls");

    ck_assert_uint_eq(json_array_size(calls), 1);
    ck_assert_str_eq(text(calls, 0, "call_id"), "shown");
    ck_assert_str_eq(text(calls, 0, "from"), "sip:alice:***@example.com");
    ck_assert_str_eq(text(calls, 0, "to"), "sip:bob@example.com");
    ck_assert_str_eq(text(calls, 0, "state"), state);
    ck_assert_int_eq(number(calls, 0, "status"), status);
    ck_assert_int_eq(number(calls, 0, "branches"), 1);
    ck_assert_str_eq(text(calls, 0, "in_dialog"), "no");
    json_decref(calls);
}

static void
must_show_none(void)
{
    json_t *calls = rows("show calls");

    ck_assert_uint_eq(json_array_size(calls), 0);
    json_decref(calls);
}

START_TEST(a_call_is_shown)
{
    struct hand alice, bob;
    char words[128];

    server_make(&server, "calls",
                "modules = [ \"registrar\" ]; registrar = { store = \"ram\"; };\n"
                "proxy = { trying_ms = 0; };");
    server_start(&server);
    hand_open(&alice, "alice");
    hand_open(&bob, "bob");
    snprintf(words, sizeof words, "add binding sip:bob@example.com 'sip:bob@127.0.0.1:%u'",
             bob.port);
    ck_assert_int_eq(server_ctl(&server, &out, words, NULL), 0);
    must_show_none();
    hand_says(&alice, server.port,
              "INVITE sip:bob@example.com SIP/2.0\nVia: SIP/2.0/UDP "
              "127.0.0.1:%u;branch=z9hG4bKshown\nMax-Forwards: 70\n"
              "From: \"Alice\" <sip:alice:secret@example.com>;tag=a\nTo: <sip:bob@example.com>\n"
              "Call-ID: shown\nCSeq: 1 INVITE\nContact: <sip:alice@127.0.0.1>\n"
              "Content-Length: 0\n\n",
              alice.port);
    hand_hears(&bob, "INVITE ");
    hand_hears(&alice, "SIP/2.0 100 ");
    must_show("trying", 100);
    hand_answers(&bob, server.port, 180, "");
    hand_hears(&alice, "SIP/2.0 180 ");
    must_show("ringing", 180);
    ck_assert_int_eq(server_ctl(&server, &out, "show calls", NULL), 0);
    ck_assert_ptr_nonnull(strstr(proc_output(&out), "ringing"));
    hand_answers(&bob, server.port, 200, "");
    hand_hears(&alice, "SIP/2.0 200 ");
    must_show_none();
    ck_assert_int_eq(server_ctl(&server, &out, "show calls many", NULL), 1);
    ck_assert_ptr_nonnull(strstr(proc_output(&out), "\"many\" is not a number up to 100000"));
    hand_close(&alice);
    hand_close(&bob);
    server_stop(&server);
}
END_TEST

/* ---- the log */

START_TEST(the_newest_lines_are_shown)
{
    json_t *lines;

    server_make(&server, "lines", "");
    server_start(&server);
    ck_assert_int_eq(server_ctl(&server, &out, "drain", NULL), 0);
    lines = rows("show log");
    ck_assert_uint_gt(json_array_size(lines), 2);
    json_decref(lines);
    lines = rows("show log 2");
    ck_assert_uint_eq(json_array_size(lines), 2);
    ck_assert_str_eq(text(lines, 0, "floor"), "daemon");
    ck_assert_str_eq(text(lines, 0, "level"), "info");
    ck_assert_int_eq(strncmp(text(lines, 0, "line"), "ready file=", 11), 0);
    ck_assert_str_eq(text(lines, 1, "floor"), "host");
    ck_assert_int_eq(strncmp(text(lines, 1, "line"), "command by=", 11), 0);
    ck_assert_uint_eq(strlen(text(lines, 1, "at")), strlen("2027-01-31T12:00:00Z"));
    json_decref(lines);
    ck_assert_int_eq(server_ctl(&server, &out, "show log 1001", NULL), 1);
    server_stop(&server);
}
END_TEST

START_TEST(secrets_are_in_no_line)
{
    struct hand alice;
    json_t *lines;

    server_make(&server, "secrets", "");
    server_start(&server);
    ck_assert_int_eq(server_ctl(&server, &out, "log debug core", NULL), 0);
    hand_open(&alice, "alice");
    hand_says(&alice, server.port,
              "INFO sip:example.com SIP/2.0\nVia: SIP/2.0/UDP 127.0.0.1:%u;branch=z9hG4bKs\n"
              "From: <sip:x@example.org>;tag=1\nTo: <sip:example.com>\n"
              "Call-ID: sip:alice:wonderland@x\nCSeq: many INFO\nContent-Length: 0\n\n",
              alice.port);
    hand_hears(&alice, "SIP/2.0 400 ");
    lines = rows("show log 1");
    ck_assert_str_eq(text(lines, 0, "level"), "debug");
    ck_assert_str_eq(text(lines, 0, "floor"), "core");
    ck_assert_ptr_nonnull(strstr(text(lines, 0, "line"), "call_id=sip:alice:***@x"));
    json_decref(lines);
    server_stop(&server);
    ck_assert_uint_eq(proc_said(&server.proc, "call_id=sip:alice:***@x"), 1);
    ck_assert_uint_eq(proc_said(&server.proc, "wonderland"), 0);
    hand_close(&alice);
}
END_TEST

START_TEST(levels_are_shown)
{
    static const char *const floors[] = { "core", "net", "host", "daemon" };
    json_t *levels;

    server_make(&server, "levels", "");
    server_start(&server);
    ck_assert_int_eq(server_ctl(&server, &out, "log debug net", NULL), 0);
    levels = rows("show log levels");
    ck_assert_uint_eq(json_array_size(levels), 4);
    for (size_t i = 0; i < 4; i++) {
        ck_assert_str_eq(text(levels, i, "floor"), floors[i]);
        ck_assert_str_eq(text(levels, i, "level"), i == 1 ? "debug" : "info");
    }
    json_decref(levels);
    server_stop(&server);
}
END_TEST

/* Commands that each write a line, by one connection. */
static void
write_lines(unsigned n)
{
    struct sockaddr_un at = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    char answer[256];

    memcpy(at.sun_path, server.socket, strlen(server.socket));
    ck_assert_int_eq(connect(fd, (struct sockaddr *)&at, sizeof at), 0);
    ck_assert_uint_gt(server_receive(fd, answer, sizeof answer, PROC_PATIENCE_MS), 0);
    for (unsigned i = 0; i < n; i++) {
        char line[80];
        int len =
            snprintf(line, sizeof line, "{\"words\":[\"close\",\"connection\",\"x%u\"]}\n", i);

        ck_assert_int_eq(send(fd, line, (size_t)len, MSG_NOSIGNAL), len);
        ck_assert_uint_gt(server_receive(fd, answer, sizeof answer, PROC_PATIENCE_MS), 0);
    }
    close(fd);
}

START_TEST(no_more_than_a_thousand_are_kept)
{
    enum { WRITTEN = 1100, KEPT = 1000 };
    json_t *lines;

    server_make(&server, "kept", "");
    server_start(&server);
    write_lines(WRITTEN);
    lines = rows("show log 1000");
    ck_assert_uint_eq(json_array_size(lines), KEPT);
    ck_assert_ptr_nonnull(strstr(text(lines, 0, "line"), "close connection x100\""));
    ck_assert_ptr_nonnull(strstr(text(lines, KEPT - 1, "line"), "close connection x1099\""));
    json_decref(lines);
    server_stop(&server);
}
END_TEST

Suite *
suite_show(void)
{
    Suite *suite = suite_create("show");
    TCase *tcase = tcase_create("all");

    tcase_add_unchecked_fixture(tcase, proc_begin, NULL);
    tcase_add_checked_fixture(tcase, NULL, end);
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, a_call_is_shown);
    tcase_add_test(tcase, the_newest_lines_are_shown);
    tcase_add_test(tcase, secrets_are_in_no_line);
    tcase_add_test(tcase, levels_are_shown);
    tcase_add_test(tcase, no_more_than_a_thousand_are_kept);
    suite_add_tcase(suite, tcase);
    return suite;
}
