/*
 * The wheel: never early, never late, in order, beside a model that looks at every timer.
 */
#include "base/timers.h"

#include <check.h>

#include "base/rand.h"
#include "unit/must.h"

enum { NODES = 150, STEPS = 6000 };

static const uint64_t start_ms = UINT64_C(1700000012345);

/* One timer as the model sees it. */
struct shadow {
    bool armed;
    uint64_t due_ms; /* its deadline, or when it was armed if that was past */
    uint64_t arming; /* how many armings came before */
};

struct model {
    struct timers wheel;
    struct timer nodes[NODES];
    struct shadow shadows[NODES];
    struct rand rand;
    uint64_t now_ms; /* of the wheel: its last timer's while it is drained */
    uint64_t armings;
    unsigned reach_bits; /* timers are armed up to this far ahead */
};

static void
model_init(struct model *m, uint64_t seed, unsigned reach_bits)
{
    memset(m, 0, sizeof *m);
    rand_seed(&m->rand, seed);
    m->now_ms = start_ms + rand_below(&m->rand, UINT64_C(1) << 32);
    m->reach_bits = reach_bits;
    timers_init(&m->wheel, m->now_ms);
    for (int i = 0; i < NODES; i++)
        timer_init(&m->nodes[i]);
}

/* Small numbers as likely as large ones. */
static uint64_t
any_ms(struct model *m)
{
    return rand_below(&m->rand, UINT64_C(1) << rand_below(&m->rand, m->reach_bits + 1));
}

static void
arm_one(struct model *m)
{
    size_t i = rand_below(&m->rand, NODES);
    bool past = rand_below(&m->rand, 10) == 0;
    uint64_t deadline_ms = past ? m->now_ms - any_ms(m) % 100 : m->now_ms + any_ms(m);

    timers_arm(&m->wheel, &m->nodes[i], deadline_ms, (uint32_t)i, i * 1000);
    m->shadows[i].armed = true;
    m->shadows[i].due_ms = deadline_ms > m->now_ms ? deadline_ms : m->now_ms;
    m->shadows[i].arming = m->armings++;
}

static void
disarm_one(struct model *m)
{
    size_t i = rand_below(&m->rand, NODES);

    timers_disarm(&m->wheel, &m->nodes[i]);
    m->shadows[i].armed = false;
}

static bool
before(const struct shadow *a, const struct shadow *b)
{
    return a->due_ms != b->due_ms ? a->due_ms < b->due_ms : a->arming < b->arming;
}

/* The index of the model's next timer, NODES if none is armed. */
static size_t
model_next(const struct model *m)
{
    size_t next = NODES;

    for (size_t i = 0; i < NODES; i++)
        if (m->shadows[i].armed && (next == NODES || before(&m->shadows[i], &m->shadows[next])))
            next = i;
    return next;
}

static void
check_counts(const struct model *m)
{
    size_t next = model_next(m), armed = 0;

    for (size_t i = 0; i < NODES; i++) {
        armed += m->shadows[i].armed;
        must(timer_armed(&m->nodes[i]) == m->shadows[i].armed);
    }
    must(m->wheel.armed == armed);
    if (next == NODES)
        must(timers_next_ms(&m->wheel) == UINT64_MAX);
    else
        must(timers_next_ms(&m->wheel) <= m->shadows[next].due_ms);
}

/* One call of timers_due; false when both agree that there is nothing more. */
static bool
due_one(struct model *m, uint64_t now_ms)
{
    struct timer *node = timers_due(&m->wheel, now_ms);
    size_t next = model_next(m);
    struct shadow *shadow;

    if (next == NODES || m->shadows[next].due_ms > now_ms) {
        must(!node);
        m->now_ms = now_ms;
        return false;
    }
    must(node);
    must(node->kind < NODES && node->id == node->kind * 1000);
    shadow = &m->shadows[node->kind];
    must(shadow->armed);
    must(shadow->due_ms == m->shadows[next].due_ms);
    must(node->kind == next); /* in order of arming too */
    shadow->armed = false;
    m->now_ms = shadow->due_ms;
    return true;
}

/* Moves time on and takes what is due, while others are armed and disarmed. */
static void
drain(struct model *m, uint64_t now_ms)
{
    while (due_one(m, now_ms)) {
        if (rand_below(&m->rand, 4) == 0)
            arm_one(m);
        if (rand_below(&m->rand, 4) == 0)
            disarm_one(m);
    }
}

static void
run_model(uint64_t seed, unsigned reach_bits)
{
    static struct model m;

    model_init(&m, seed, reach_bits);
    for (int step = 0; step < STEPS; step++) {
        uint64_t dice = rand_below(&m.rand, 10);

        if (dice < 6)
            arm_one(&m);
        else if (dice < 8)
            disarm_one(&m);
        else
            drain(&m, m.now_ms + any_ms(&m) / 4);
        check_counts(&m);
    }
    while (model_next(&m) != NODES)
        due_one(&m, m.now_ms + (UINT64_C(1) << (reach_bits - 1)));
    check_counts(&m);
}

START_TEST(near_timers_match_the_model)
{
    run_model(10 + (uint64_t)_i, 13);
}
END_TEST

START_TEST(far_timers_match_the_model)
{
    run_model(20 + (uint64_t)_i, 29);
}
END_TEST

START_TEST(timers_beyond_the_ring_match_the_model)
{
    run_model(30 + (uint64_t)_i, 34);
}
END_TEST

/* Not a ms before, and not after. */
static void
meet(uint64_t now_ms, uint64_t deadline_ms)
{
    struct timers t;
    struct timer node;

    timers_init(&t, now_ms);
    timer_init(&node);
    timers_arm(&t, &node, deadline_ms, 5, 6);
    must(!timers_due(&t, deadline_ms - 1));
    must(timers_next_ms(&t) <= deadline_ms);
    must(timers_due(&t, deadline_ms) == &node);
    must(!timer_armed(&node));
    must(node.kind == 5 && node.id == 6);
}

START_TEST(each_deadline_is_met_to_the_ms)
{
    for (uint64_t now_ms = start_ms; now_ms < start_ms + 130; now_ms += 13)
        for (unsigned bits = 1; bits < 34; bits++)
            for (int more = -1; more <= 1; more++)
                meet(now_ms, now_ms + (UINT64_C(1) << bits) + (uint64_t)more);
}
END_TEST

/* A loop that sleeps as it is told wakes once a level at most, and on the ms. */
static void
sleep_until(uint64_t now_ms, uint64_t deadline_ms)
{
    struct timers t;
    struct timer node;
    int wakes = 0;

    timers_init(&t, now_ms);
    timer_init(&node);
    timers_arm(&t, &node, deadline_ms, 0, 0);
    while (!timers_due(&t, now_ms)) {
        must(timers_next_ms(&t) > now_ms);
        now_ms = timers_next_ms(&t);
        wakes++;
    }
    must(now_ms == deadline_ms);
    must(wakes <= TIMERS_LEVELS);
    must(timers_next_ms(&t) == UINT64_MAX);
}

START_TEST(a_loop_that_sleeps_as_told_is_punctual)
{
    for (unsigned bits = 1; bits < 30; bits++)
        for (uint64_t n = 0; n < 100; n++)
            sleep_until(start_ms + (n << 24), start_ms + (n << 24) + (n << bits) % (1 << 30));
}
END_TEST

START_TEST(the_past_is_due_at_once)
{
    struct timers t;
    struct timer past, now, later;

    timers_init(&t, start_ms);
    timer_init(&past);
    timer_init(&now);
    timer_init(&later);
    timers_arm(&t, &later, start_ms + 1, 0, 0);
    timers_arm(&t, &now, start_ms, 0, 0);
    timers_arm(&t, &past, 0, 0, 0);
    ck_assert_uint_eq(timers_next_ms(&t), start_ms);
    ck_assert_ptr_eq(timers_due(&t, start_ms), &now);
    ck_assert_ptr_eq(timers_due(&t, start_ms), &past);
    ck_assert_ptr_null(timers_due(&t, start_ms));
    ck_assert_uint_eq(t.armed, 1);
}
END_TEST

START_TEST(a_clock_that_went_back_finds_nothing)
{
    struct timers t;
    struct timer node;

    timers_init(&t, start_ms);
    timer_init(&node);
    timers_arm(&t, &node, start_ms, 0, 0);
    ck_assert_ptr_null(timers_due(&t, start_ms - 1));
    ck_assert_ptr_eq(timers_due(&t, start_ms), &node);
}
END_TEST

START_TEST(disarmed_means_never)
{
    struct timers t;
    struct timer far, due;

    timers_init(&t, start_ms);
    timer_init(&far);
    timer_init(&due);
    timers_disarm(&t, &far);
    timers_arm(&t, &far, start_ms + 5000, 0, 0);
    timers_arm(&t, &due, start_ms, 0, 0);
    timers_disarm(&t, &far);
    timers_disarm(&t, &due);
    timers_disarm(&t, &due);
    ck_assert_uint_eq(t.armed, 0);
    ck_assert_uint_eq(timers_next_ms(&t), UINT64_MAX);
    ck_assert_ptr_null(timers_due(&t, start_ms + 10000));
}
END_TEST

START_TEST(one_due_may_stop_another)
{
    struct timers t;
    struct timer nodes[3];

    timers_init(&t, start_ms);
    for (uint32_t i = 0; i < 3; i++) {
        timer_init(&nodes[i]);
        timers_arm(&t, &nodes[i], start_ms + 100, i, 0);
    }
    ck_assert_ptr_eq(timers_due(&t, start_ms + 100), &nodes[0]);
    timers_disarm(&t, &nodes[1]);
    timers_arm(&t, &nodes[0], start_ms + 100, 0, 0);
    ck_assert_ptr_eq(timers_due(&t, start_ms + 100), &nodes[2]);
    ck_assert_ptr_eq(timers_due(&t, start_ms + 100), &nodes[0]);
    ck_assert_ptr_null(timers_due(&t, start_ms + 100));
}
END_TEST

/* By single ms these jumps would be more than three thousand million steps. */
START_TEST(a_jump_costs_nothing)
{
    struct timers t;
    struct timer node, far;

    timers_init(&t, start_ms);
    timer_init(&node);
    timer_init(&far);
    timers_arm(&t, &far, UINT64_MAX, 0, 0);
    for (uint64_t i = 1; i <= 100000; i++) {
        timers_arm(&t, &node, start_ms + i * 32000 - 1, 0, 0);
        must(timers_due(&t, start_ms + i * 32000) == &node);
        must(!timers_due(&t, start_ms + i * 32000));
    }
    must(timer_armed(&far));
}
END_TEST

/* The next one due; counts the calls that only sorted, in which some are armed and some disarmed. */
static struct timer *
due_after_sorting(struct timers *t, struct timer *nodes, uint32_t many, uint64_t now_ms,
                  unsigned *sorted)
{
    struct timer *node;

    while (!(node = timers_due(t, now_ms)) && timers_next_ms(t) <= now_ms) {
        uint32_t moved = ++*sorted;

        timers_disarm(t, &nodes[moved]);
        timers_disarm(t, &nodes[many - moved]);
        timers_arm(t, &nodes[many - moved], nodes[many - moved].deadline_ms, many + moved, 0);
    }
    return node;
}

/* Very many in one slot are sorted a part at a time, and come in their order nevertheless. */
START_TEST(very_many_in_a_slot_are_sorted_in_parts)
{
    enum { MANY = 30000, LATER_MS = 32000 };
    static struct timer nodes[MANY];
    uint64_t last_ms = 0, end_ms = start_ms + LATER_MS + 4096;
    uint64_t due_ms =
        (start_ms + LATER_MS) / TIMERS_SLOTS * TIMERS_SLOTS; /* all in one block of 64 ms */
    uint32_t last_kind = 0, came = 0;
    unsigned sorted = 0;
    struct timers t;

    timers_init(&t, start_ms);
    for (uint32_t i = 0; i < MANY; i++) {
        timer_init(&nodes[i]);
        timers_arm(&t, &nodes[i], due_ms + i % 16, i, 0);
    }
    for (struct timer *node; (node = due_after_sorting(&t, nodes, MANY, end_ms, &sorted)); came++) {
        must(node->deadline_ms > last_ms ||
             (node->deadline_ms == last_ms && node->kind > last_kind));
        last_ms = node->deadline_ms;
        last_kind = node->kind;
    }
    ck_assert_uint_ge(sorted, 3);
    ck_assert_uint_eq(came, MANY - sorted);
    ck_assert_uint_eq(t.armed, 0);
    ck_assert_uint_eq(timers_next_ms(&t), UINT64_MAX);
}
END_TEST

START_TEST(an_empty_wheel_reaches_any_time)
{
    struct timers t;

    timers_init(&t, 1);
    ck_assert_ptr_null(timers_due(&t, UINT64_MAX));
    ck_assert_uint_eq(timers_next_ms(&t), UINT64_MAX);
}
END_TEST

static void
expect_in_order(const struct timers *t, unsigned lane)
{
    uint64_t last_ms = 0;

    for (struct timer *node = timers_head(t, lane); node; node = timers_after(t, node)) {
        must(timer_armed(node) && timers_lane(node) == (int)lane && node->deadline_ms >= last_ms);
        last_ms = node->deadline_ms;
    }
}

/* Each lane has its own time, and whoever was queued comes when that has passed, unless he was disarmed or armed anew. */
START_TEST(a_lane_needs_no_placing)
{
    enum { EACH = 100, ALL = EACH * TIMERS_LANES };
    static const uint64_t after_ms[TIMERS_LANES] = { 0, 1, 37, 90 };
    static struct timer nodes[ALL];
    uint64_t now_ms = start_ms;
    unsigned queued = 0, came = 0;
    struct timer *node;
    struct timers t;

    timers_init(&t, now_ms);
    for (unsigned i = 0; i < ALL; i++)
        timer_init(&nodes[i]);
    for (; now_ms < start_ms + EACH; now_ms++) {
        for (unsigned lane = 0; lane < TIMERS_LANES; lane++, queued++)
            timers_queue(&t, &nodes[queued], lane, now_ms + after_ms[lane], 0, now_ms);
        if (queued >= 6 && queued < ALL)
            timers_disarm(&t, &nodes[queued - 6]);
        for (; (node = timers_due(&t, now_ms)); came++) {
            unsigned lane = (unsigned)(node - nodes) % TIMERS_LANES;

            must(!timer_armed(node));
            must(node->id + after_ms[lane] == now_ms);
            must(timers_lane(node) == (int)lane);
            expect_in_order(&t, lane);
        }
        must(timers_next_ms(&t) > now_ms);
    }
    for (; (node = timers_due(&t, timers_next_ms(&t))); came++)
        now_ms = node->deadline_ms;
    ck_assert_uint_eq(t.armed, 0);
    ck_assert_uint_eq(came + EACH - 2, ALL);
    ck_assert_uint_eq(now_ms, start_ms + EACH - 1 + after_ms[TIMERS_LANES - 1]);
}
END_TEST

START_TEST(a_lane_can_be_brought_in_order)
{
    enum { MANY = 1000 };
    static struct timer nodes[MANY];
    uint64_t last_ms = 0;
    struct timers t;

    timers_init(&t, start_ms);
    for (unsigned i = 0; i < MANY; i++) {
        timer_init(&nodes[i]);
        timers_queue(&t, &nodes[i], 1, start_ms + i * 7919 % MANY, 0, 0);
    }
    timers_arm(&t, &nodes[0], start_ms + 1, 0, 0);
    timers_sort(&t, 1);
    ck_assert_ptr_eq(timers_due(&t, start_ms + 1), &nodes[0]);
    for (unsigned i = 1; i < MANY; i++) {
        struct timer *node = timers_first(&t);

        must(node->deadline_ms > last_ms);
        must(timers_next_ms(&t) == node->deadline_ms);
        must(!timers_due(&t, node->deadline_ms - 1));
        must(timers_due(&t, node->deadline_ms) == node);
        last_ms = node->deadline_ms;
    }
    ck_assert_ptr_null(timers_first(&t));
    ck_assert_uint_eq(t.armed, 0);
}
END_TEST

Suite *
suite_timers(void)
{
    Suite *suite = suite_create("timers");
    TCase *all = tcase_create("all");

    tcase_add_loop_test(all, near_timers_match_the_model, 0, 3);
    tcase_add_loop_test(all, far_timers_match_the_model, 0, 3);
    tcase_add_loop_test(all, timers_beyond_the_ring_match_the_model, 0, 3);
    tcase_add_test(all, each_deadline_is_met_to_the_ms);
    tcase_add_test(all, a_loop_that_sleeps_as_told_is_punctual);
    tcase_add_test(all, the_past_is_due_at_once);
    tcase_add_test(all, a_clock_that_went_back_finds_nothing);
    tcase_add_test(all, a_lane_needs_no_placing);
    tcase_add_test(all, a_lane_can_be_brought_in_order);
    tcase_add_test(all, disarmed_means_never);
    tcase_add_test(all, one_due_may_stop_another);
    tcase_add_test(all, a_jump_costs_nothing);
    tcase_add_test(all, very_many_in_a_slot_are_sorted_in_parts);
    tcase_add_test(all, an_empty_wheel_reaches_any_time);
    suite_add_tcase(suite, all);
    return suite;
}
