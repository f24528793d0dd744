/*
 * Deviations at a running server: settings by server, listener and network, a reload, and sipctl show repairs.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <check.h>
#include <jansson.h>

#include "live/throw.h"

Suite *suite_repair(void);

static struct server server;
static struct proc out;

/* clang-format off */
#define OPTIONS(version) "OPTIONS sip:example.com " version "\n" \
    "Via: SIP/2.0/$T 127.0.0.1:9;branch=z9hG4bK$B;rport\nMax-Forwards: 70\nFrom: <sip:a@example.com>;tag=1\n" \
    "To: \"\"b\"\" <sip:example.com>\nCall-ID: $B\nCSeq: 1 OPTIONS\n"
/* clang-format on */

static void
must_get(bool tcp, const char *text, const char *outcome, const char *phrase)
{
    static struct throw t;
    static char bytes[4096];
    size_t len = throw_write(bytes, sizeof bytes, tcp, text);

    throw_open(&t, &server, tcp);
    ck_assert(throw_bytes(&t, bytes, len));
    throw_settled(&t, PROC_PATIENCE_MS);
    throw_close(&t);
    ck_assert_msg(strcmp(t.outcome, outcome) == 0 && strstr(t.bytes, phrase),
                  "wanted %s %s, got %s", outcome, phrase, t.bytes);
}

/* The count in the row of a rule and verdict, 0 if there is none. */
static json_int_t
counted(const char *rule, const char *verdict)
{
    json_error_t error;
    json_t *rows, *row;
    json_int_t count = 0;
    size_t i;

    ck_assert_int_eq(server_ctl(&server, &out, "--json show repairs 127.0.0.1", NULL), 0);
    rows = json_loads(proc_output(&out), JSON_DECODE_ANY, &error);
    ck_assert_msg(rows != NULL, "%s", proc_output(&out));
    json_array_foreach(json_object_get(rows, "rows"), i, row)
    {
        ck_assert_str_eq(json_string_value(json_object_get(row, "peer")), "127.0.0.1");
        ck_assert(json_integer_value(json_object_get(row, "last_s")) < 600);
        if (strcmp(json_string_value(json_object_get(row, "rule")), rule) == 0 &&
            strcmp(json_string_value(json_object_get(row, "verdict")), verdict) == 0)
            count += json_integer_value(json_object_get(row, "count"));
    }
    json_decref(rows);
    return count;
}

static void
start(void)
{
    server_make_with(&server, "sipd", "repair = { no_content_length = \"reject\"; };",
                     "repair = { display_name = \"reject\"; /* here */ }; drain_s = 1;");
    server_start(&server);
}

static void
stop(void)
{
    server_stop(&server);
}

START_TEST(settings_and_record)
{
    must_get(false, OPTIONS("SIP/2.0") "\n", "400", "400 Bad To\r\n");
    must_get(true, OPTIONS("SIP/2.0") "\n", "400", "400 Bad To\r\n");
    ck_assert_int_eq(counted("display_name", "reject"), 2);
    ck_assert_int_eq(server_ctl(&server, &out, "show repairs", NULL), 0);
    ck_assert_ptr_nonnull(strstr(proc_output(&out), "display_name"));
    ck_assert_int_eq(server_ctl(&server, &out, "show counters repair_display_name", NULL), 0);
    ck_assert_ptr_nonnull(strstr(proc_output(&out), "2"));
}
END_TEST

/* Puts other text into the configuration. */
static void
rewrite(const char *old, const char *new)
{
    static char text[16384];
    FILE *file = fopen(server.conf, "r");
    size_t len, at;

    ck_assert_ptr_nonnull(file);
    len = fread(text, 1, sizeof text - 1, file);
    text[len] = '\0';
    fclose(file);
    ck_assert_ptr_nonnull(strstr(text, old));
    at = (size_t)(strstr(text, old) - text);
    file = fopen(server.conf, "w");
    ck_assert_ptr_nonnull(file);
    fprintf(file, "%.*s%s%s", (int)at, text, new, text + at + strlen(old));
    fclose(file);
}

START_TEST(a_reload_is_another_policy)
{
    must_get(false, OPTIONS("SIP/2.0") "\n", "400", "400 Bad To\r\n");
    rewrite("/* here */", "networks = ( { from = [ \"127.0.0.0/8\" ]; display_name = \"fix\"; "
                          "version_case = \"reject\"; } );");
    ck_assert_int_eq(server_ctl(&server, &out, "reload", NULL), 0);
    must_get(false, OPTIONS("SIP/2.0") "\n", "200", "200 OK\r\n");
    must_get(false, OPTIONS("sip/2.0") "\n", "400", "400 Bad SIP-Version\r\n");
    must_get(true, OPTIONS("SIP/2.0") "\n", "400", "400 Missing Content-Length\r\n");
    must_get(true, OPTIONS("SIP/2.0") "Content-Length: 0\n\n", "200",
             "To: \"b\" <sip:example.com>");
    ck_assert_int_eq(counted("display_name", "fix"), 2);
    ck_assert_int_eq(counted("version_case", "reject"), 1);
    ck_assert_int_eq(counted("no_content_length", "reject"), 1);
}
END_TEST

Suite *
suite_repair(void)
{
    Suite *suite = suite_create("repair");
    TCase *tcase = tcase_create("repair");

    tcase_set_timeout(tcase, 90);
    tcase_add_checked_fixture(tcase, start, stop);
    tcase_add_test(tcase, settings_and_record);
    tcase_add_test(tcase, a_reload_is_another_policy);
    suite_add_tcase(suite, tcase);
    return suite;
}
