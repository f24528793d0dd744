/*
 * Over all scenarios: what sipctl explain would say of each request just before it is heard, and what sipd then does, agree; and
 * the scenario goes as ever, for no packet leaves on a dry run and nothing is changed by it.
 */
#include <check.h>

#include "base/mem.h"
#include "sim/scenarios.h"
#include "sim/script.h"

Suite *suite_rehearse(void);

START_TEST(said_and_done_agree)
{
    uint64_t live = mem_live();
    unsigned rehearsed = 0;
    struct buf out;
    bool ok;

    buf_init(&out, 8 << 20);
    bug_doubt_fatal();
    ok = script_run_rehearsed(scenarios_path(_i), 1, &rehearsed, &out);
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

    scenarios_add(tcase, said_and_done_agree);
    suite_add_tcase(suite, tcase);
    return suite;
}
