/*
 * etc/sipctl.bash: what bash offers while a sipctl command is typed comes from the running server.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/def.h"
#include "live/server.h"

Suite *suite_completion(void);

static struct server server;
static struct proc out;

static void
begin(void)
{
    server_make(&server, "typed", "modules = [ \"auth\", \"registrar\" ];");
    server_start(&server);
}

static void
end(void)
{
    server_stop(&server);
}

/* What is offered when this was typed behind "sipctl -s SOCKET ", a blank behind each word. */
static const char *
offered(const char *socket, const char *typed)
{
    static const char script[] =
        "set -u; . etc/sipctl.bash; COMP_LINE=$1; COMP_POINT=${#COMP_LINE}; _sipctl; "
        "echo \"offered: ${COMPREPLY[*]-} .\"";
    const char *build = getenv("SIPD_BUILD");
    char line[600];
    const char *argv[] = { "bash", "-c", script, "bash", line, NULL };

    snprintf(line, sizeof line, "%s/sipctl -s %s %s", build ? build : "build", socket, typed);
    ck_assert_msg(proc_run(&out, "bash", PROC_PATIENCE_MS, argv), "%s", proc_output(&out));
    return proc_output(&out);
}

static const struct {
    const char *typed, *wanted;
} words[] = {
    { "sh", "offered: show ." },
    { "sta", "offered: status ." },
    { "show b", "offered: bindings ." },
    { "show bindings ", "offered:  ." }, /* any word */
    { "--json show u", "offered: users ." },
    { "add ", "offered: binding user ." },
    { "add user alice@example.com ", "offered: --password-stdin ." },
    { "add binding sip:a@example.com sip:a@[::1]:5070 ", "offered: expires ." },
    { "add binding sip:a@example.com sip:a@192.0.2.1 expires 60 ", "offered: q ." },
    { "explain INVITE sip:a@example.com ", "offered: from ." },
    { "reload ", "offered: --dry-run ." },
    { "trace ", "offered: all call user ." }, /* those are sipctl's own */
    { "nothing ", "offered:  ." },
    { "show \"$(echo b", "offered:  ." }, /* typed text is never run */
};

START_TEST(the_servers_words_are_offered)
{
    const char *said = offered(server.socket, words[_i].typed);

    ck_assert_msg(strstr(said, words[_i].wanted) != NULL, "%s: %s", words[_i].typed, said);
}
END_TEST

START_TEST(without_a_server_there_are_options)
{
    ck_assert_ptr_nonnull(strstr(offered("/nowhere/sock", "--js"), "offered: --json ."));
    ck_assert_ptr_nonnull(strstr(offered("/nowhere/sock", "sho"), "offered:  ."));
}
END_TEST

Suite *
suite_completion(void)
{
    Suite *s = suite_create("completion");
    TCase *all = tcase_create("all"), *none = tcase_create("none");

    tcase_add_unchecked_fixture(all, begin, end);
    tcase_add_loop_test(all, the_servers_words_are_offered, 0, (int)countof(words));
    suite_add_tcase(s, all);
    tcase_add_test(none, without_a_server_there_are_options);
    suite_add_tcase(s, none);
    return s;
}
