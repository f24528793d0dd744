/*
 * Scenarios are found once, before the tests that run them are made.
 */
#include "sim/scenarios.h"

#include <glob.h>

static glob_t found;

int
scenarios_count(void)
{
    if (!found.gl_pathv)
        (void)glob("tests/scenarios/*.sim", 0, NULL, &found);
    return (int)found.gl_pathc;
}

const char *
scenarios_path(int n)
{
    return n < scenarios_count() ? found.gl_pathv[n] : NULL;
}

START_TEST(scenarios_are_found)
{
    ck_assert_msg(scenarios_count() > 0, "none: tests run from the top of the tree");
}
END_TEST

void
scenarios_add(TCase *tcase, const TTest *test)
{
    if (scenarios_count() > 0)
        tcase_add_loop_test(tcase, test, 0, scenarios_count());
    else
        tcase_add_test(tcase, scenarios_are_found);
}
