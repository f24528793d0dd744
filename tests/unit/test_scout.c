/*
 * Who looks ahead in a lane stands in it, as far ahead as he says, and never looks at one that has ended.
 */
#include "txn/scout.h"

#include <stdio.h>

#include "base/rand.h"
#include "unit/must.h"
#include "unit/txn_cast.h"

Suite *suite_scout(void);

enum { FAR = 256, MOST = 1000 };

static unsigned served;
static unsigned lane; /* in which answered ones wait */

static void
begin_large(void)
{
    message_begin();
    txn_rig_init(&r, MOST);
    served = 0;
}

/* A request that comes and is answered at once, over a new connection: one over datagrams leaves the lanes (txn/answered). */
static uint64_t
serve(void)
{
    struct hop hop = txn_rig_hop(TCP);
    uint64_t id = 0;
    char via[64];
    struct gist gist;

    snprintf(via, sizeof via, "SIP/2.0/TCP a;branch=z9hG4bK%u", served++);
    gist = gist_text(txn_rig_request("OPTIONS", via));
    must(txns_serve(&r.t, &gist, NULL, &hop, 0, &id) == SIPD_OK);
    must(txns_answer(&r.t, id, 200, SPAN("SIP/2.0 200 OK")) == SIPD_OK);
    lane = (unsigned)timers_lane(&txns_find(&r.t, id)->timer);
    r.sent_len = 0;
    arena_reset(&r.turn);
    return id;
}

/* The place in the lane of the one that was asked for last, from 1; 0: he is not there. */
static uint32_t
place(void)
{
    uint32_t n = 1;

    for (const struct timer *t = timers_head(&r.t.timers, lane); t;
         t = timers_after(&r.t.timers, t), n++)
        if (t->id == r.t.scout[lane].id)
            return n;
    return 0;
}

START_TEST(he_goes_a_step_with_each_that_joins_and_not_too_far)
{
    for (unsigned i = 1; i <= MOST; i++) {
        (void)serve();
        ck_assert_uint_eq(place(), i < FAR ? i : FAR);
        ck_assert_uint_eq(r.t.scout[lane].ahead, place());
    }
}
END_TEST

START_TEST(he_stays_ahead_of_those_that_end)
{
    for (unsigned i = 0; i < FAR + 100; i++)
        (void)serve();
    for (unsigned i = 0; i < 500; i++) {
        txns_end(&r.t, timers_head(&r.t.timers, lane)->id);
        ck_assert_uint_eq(place(), FAR - 1);
        (void)serve();
        ck_assert_uint_eq(place(), FAR);
    }
}
END_TEST

/* Nobody joins any more: he goes on with those that end. */
START_TEST(he_is_met_by_those_that_end_and_goes_on)
{
    for (unsigned i = 0; i < MOST; i++)
        (void)serve();
    for (unsigned left = MOST; left > 4; left--) {
        txns_end(&r.t, timers_head(&r.t.timers, lane)->id);
        must(place() >= 3 && place() <= FAR);
    }
    txn_rig_pass(&r, 64 * TXN_T1_MS);
    ck_assert_uint_eq(r.t.slots.used, 0);
    ck_assert_ptr_null(timers_head(&r.t.timers, lane));
    (void)serve();
    ck_assert_uint_eq(place(), 1);
}
END_TEST

/* What was lost while nobody joined is won back when as many join as end. */
START_TEST(he_gets_ahead_again)
{
    for (unsigned i = 0; i < 900; i++)
        (void)serve();
    for (unsigned i = 0; i < 300; i++)
        txns_end(&r.t, timers_head(&r.t.timers, lane)->id);
    must(place() < 10);
    for (unsigned i = 0; i < FAR; i++) {
        txns_end(&r.t, timers_head(&r.t.timers, lane)->id);
        (void)serve();
    }
    ck_assert_uint_eq(place(), FAR);
}
END_TEST

/* Who ends behind him brings nobody nearer. */
START_TEST(he_does_not_count_those_behind_him)
{
    uint64_t ids[MOST];

    for (unsigned i = 0; i < MOST; i++) {
        ids[i] = serve();
        r.clock.now_ms++;
    }
    for (unsigned i = FAR; i < MOST; i++)
        txns_end(&r.t, ids[i]);
    ck_assert_uint_eq(r.t.scout[lane].ahead, FAR);
    ck_assert_uint_eq(place(), FAR);
}
END_TEST

/* Whoever ends where: what he says is never less than where he stands once all that were before him have ended. */
START_TEST(any_may_end_at_any_time)
{
    uint64_t ids[MOST], seed = 20261130;
    struct rand rand;
    size_t n = 0;

    rand_seed(&rand, seed);
    for (unsigned step = 0; step < 20000; step++) {
        if (n < MOST && rand_below(&rand, 2) == 0) {
            ids[n++] = serve();
        } else if (n > 0) {
            size_t at = rand_below(&rand, (uint32_t)n);

            txns_end(&r.t, ids[at]);
            ids[at] = ids[--n];
        }
        must(r.t.scout[lane].ahead <= FAR);
    }
    while (n > 0)
        txns_end(&r.t, ids[--n]);
    for (unsigned i = 1; i <= FAR; i++) {
        (void)serve();
        must(place() == i);
    }
}
END_TEST

Suite *
suite_scout(void)
{
    Suite *s = suite_create("scout");
    TCase *c = tcase_create("scout");

    tcase_add_checked_fixture(c, begin_large, end);
    tcase_add_test(c, he_goes_a_step_with_each_that_joins_and_not_too_far);
    tcase_add_test(c, he_stays_ahead_of_those_that_end);
    tcase_add_test(c, he_is_met_by_those_that_end_and_goes_on);
    tcase_add_test(c, he_gets_ahead_again);
    tcase_add_test(c, he_does_not_count_those_behind_him);
    tcase_add_test(c, any_may_end_at_any_time);
    suite_add_tcase(s, c);
    return s;
}
