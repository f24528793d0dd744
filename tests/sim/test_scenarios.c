/*
 * Every scenario of tests/scenarios, run as written; the name of a file is the name of its test.
 */
#include <check.h>

#include "base/mem.h"
#include "sim/scenarios.h"
#include "sim/script.h"

Suite *suite_scenarios(void);

START_TEST(runs_as_written)
{
    uint64_t live = mem_live();
    struct buf out;
    bool ok;

    buf_init(&out, 8 << 20);
    bug_doubt_fatal();
    ok = script_run(scenarios_path(_i), 1, &out);
    buf_put_char(&out, '\0');
    ck_assert_msg(ok, "%.4000s", out.bytes); /* Check takes no more than 8 KiB */
    buf_fini(&out);
    ck_assert_uint_eq(mem_live(), live);
}
END_TEST

Suite *
suite_scenarios(void)
{
    Suite *suite = suite_create("scenarios");
    TCase *tcase = tcase_create("scenarios");

    scenarios_add(tcase, runs_as_written);
    suite_add_tcase(suite, tcase);
    return suite;
}
