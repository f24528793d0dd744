/*
 * Over all scenarios: what sipctl explain would say of each request just before it is heard, and what sipd then does, agree; and
 * the scenario goes as ever, for no packet leaves on a dry run and nothing is changed by it.
 */
#include <check.h>
#include <glob.h>
#include <stdio.h>

#include "base/mem.h"
#include "sim/script.h"

Suite *suite_rehearse(void);

static glob_t scenarios;

START_TEST(said_and_done_agree)
{
    uint64_t live = mem_live();
    unsigned rehearsed = 0;
    struct buf out;
    bool ok;

    buf_init(&out, 8 << 20);
    bug_doubt_fatal();
    ok = script_run_rehearsed(scenarios.gl_pathv[_i], 1, &rehearsed, &out);
    buf_put_char(&out, '\0');
    ck_assert_msg(ok, "%s", out.bytes);
    buf_fini(&out);
    ck_assert_uint_gt(rehearsed, 0);
    ck_assert_uint_eq(mem_live(), live);
}
END_TEST

Suite *
suite_rehearse(void)
{
    Suite *suite = suite_create("rehearse");
    TCase *tcase = tcase_create("rehearse");

    if (glob("tests/scenarios/*.sim", 0, NULL, &scenarios) != 0)
        fprintf(stderr, "no scenario found: tests run from the top of the tree\n");
    tcase_add_loop_test(tcase, said_and_done_agree, 0, (int)scenarios.gl_pathc);
    suite_add_tcase(suite, tcase);
    return suite;
}
