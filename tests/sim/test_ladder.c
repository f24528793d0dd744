/*
 * Memory runs out at every place: of a tenth of the scenarios and a few random calls. SIPD_SEED chooses other ones.
 */
#include <check.h>
#include <stdio.h>

#include "base/mem.h"
#include "lib/chance.h"
#include "sim/ladder.h"
#include "sim/scenarios.h"

Suite *suite_ladder(void);

enum { ONE_IN = 10, CALLS = 4, WORLDS = 4 };

static uint64_t seed;

static bool
is_chosen(int n)
{
    struct rand rand;

    rand_seed(&rand, seed + (uint64_t)n);
    return rand_below(&rand, ONE_IN) == 0;
}

START_TEST(scenarios_end_without_memory)
{
    unsigned steps = 0;
    struct buf out;
    bool ok = true;

    if (!is_chosen(_i))
        return;
    bug_doubt_fatal();
    buf_init(&out, 8 << 20);
    for (enum ladder_outage outage = LADDER_ONE_CALL; ok && outage <= LADDER_SECONDS; outage++)
        ok = ladder_scenario(scenarios_path(_i), outage, &steps, &out);
    buf_put_char(&out, '\0');
    ck_assert_msg(ok, "SIPD_SEED=%llu %s", (unsigned long long)seed, out.bytes);
    ck_assert_uint_gt(steps, 0);
    buf_fini(&out);
}
END_TEST

START_TEST(calls_end_without_memory)
{
    unsigned steps = 0;
    struct buf out;
    bool ok = true;

    bug_doubt_fatal();
    buf_init(&out, 8 << 20);
    for (enum ladder_outage outage = LADDER_ONE_CALL; ok && outage <= LADDER_SECONDS; outage++)
        ok = ladder_calls(seed + (unsigned)_i, CALLS, outage, &steps, &out);
    buf_put_char(&out, '\0');
    ck_assert_msg(ok, "SIPD_SEED=%llu %s", (unsigned long long)seed, out.bytes);
    ck_assert_uint_gt(steps, 0);
    buf_fini(&out);
}
END_TEST

Suite *
suite_ladder(void)
{
    Suite *suite = suite_create("ladder");
    TCase *tcase = tcase_create("ladder");

    seed = chance_seed();
    printf("ladder: SIPD_SEED=%llu\n", (unsigned long long)seed);
    scenarios_add(tcase, scenarios_end_without_memory);
    tcase_add_loop_test(tcase, calls_end_without_memory, 0, WORLDS);
    suite_add_tcase(suite, tcase);
    return suite;
}
