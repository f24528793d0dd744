/*
 * Random calls through one sipd and two: whatever phones and network do, what must hold holds.
 *
 * SIPD_SOAK_CALLS: how many calls in all. SIPD_SEED: the first seed, else 1.
 */
#include <check.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/poison.h"
#include "sim/calls.h"

Suite *suite_calls(void);

enum { CALLS = 20000, CALLS_UNDER_ASAN = 5000, A_WORLD = 500, A_TEST = 5000 };
enum { WORLDS = 60, A_SMALL_WORLD = 60 };

static uint64_t
setting(const char *name, uint64_t otherwise)
{
    uint64_t n;

    return span_u64(span_of(getenv(name)), UINT64_MAX, &n) ? n : otherwise;
}

static unsigned
calls(void)
{
    return (unsigned)setting("SIPD_SOAK_CALLS", POISON_WORKS ? CALLS_UNDER_ASAN : CALLS);
}

START_TEST(what_must_hold_holds)
{
    struct calls_figures figures = { .calls = 0 };
    struct buf out;

    bug_doubt_fatal();
    buf_init(&out, 1 << 20);
    for (unsigned i = 0; i < A_TEST / A_WORLD; i++) {
        struct calls_conf conf = { .calls = A_WORLD };
        bool ok;

        conf.seed = setting("SIPD_SEED", 1) + (unsigned)_i * (A_TEST / A_WORLD) + i;
        ok = calls_run(&conf, &figures, &out);
        buf_put_char(&out, '\0');
        ck_assert_msg(ok, "%s", out.bytes);
        buf_clear(&out);
    }
    buf_fini(&out);
}
END_TEST

/* What never happens proves nothing. */
START_TEST(everything_happens)
{
    struct calls_figures f = { .calls = 0 };
    struct buf out;

    buf_init(&out, 1 << 20);
    for (uint64_t seed = 1; seed <= WORLDS; seed++) {
        struct calls_conf conf = { .seed = seed, .calls = A_SMALL_WORLD };

        ck_assert(calls_run(&conf, &f, &out));
    }
    ck_assert_uint_eq(f.calls, WORLDS * A_SMALL_WORLD);
    ck_assert(f.answered > 0 && f.refused > 0 && f.cancelled > 0 && f.unanswered > 0);
    ck_assert(f.lost > 0 && f.doubled > 0 && f.held > 0 && f.bounced > 0);
    ck_assert(f.passed > f.calls);
    ck_assert(f.mischief > 0 && f.by_strict > 0 && f.shed > 0 && f.thoughts > 0);
    buf_fini(&out);
}
END_TEST

Suite *
suite_calls(void)
{
    Suite *suite = suite_create("calls");
    TCase *tcase = tcase_create("calls");

    tcase_add_test(tcase, everything_happens);
    tcase_add_loop_test(tcase, what_must_hold_holds, 0, (int)((calls() + A_TEST - 1) / A_TEST));
    suite_add_tcase(suite, tcase);
    return suite;
}
