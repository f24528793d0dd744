/*
 * Who guesses waits: counts, windows, waits that double, friends, and tables that stay as large as they are.
 */
#include "auth/guard.h"

#include <stdio.h>

#include "base/def.h"
#include "unit/heap.h"
#include "unit/text.h"

static const uint8_t key[16] = { 7 };
static const struct guard_limits limits = {
    .failures = 3, .window_s = 600, .wait_s = 30, .longest_s = 100
};
static const uint64_t start_ms = 1000000;
static struct guard *g;
static struct hop here, there;

static struct hop
at(const char *address)
{
    struct hop hop = { .port = 5060 };

    must_for(span_of(address), hop_ip_read(span_of(address), &hop));
    return hop;
}

static void
begin(void)
{
    heap_watch();
    g = guard_new(key, 64);
    ck_assert_ptr_nonnull(g);
    here = at("192.0.2.7");
    there = at("198.51.100.9");
}

static void
end(void)
{
    guard_free(&g);
    heap_compare();
}

/* Fails n times; whether the last one began a wait. */
static bool
guess(const struct hop *source, const char *user, unsigned n, uint64_t now_ms)
{
    bool waits = false;

    while (n-- > 0)
        waits = guard_failed(g, &limits, source, span_of(user), now_ms);
    return waits;
}

static uint64_t
wait_s(const struct hop *source, const char *user, uint64_t now_ms)
{
    return guard_wait_ms(g, &limits, source, span_of(user), now_ms) / 1000;
}

START_TEST(some_failures_are_free)
{
    ck_assert(!guess(&here, "a", 2, start_ms));
    ck_assert_uint_eq(wait_s(&here, "a", start_ms), 0);
    ck_assert(guess(&here, "a", 1, start_ms));
    ck_assert_uint_eq(wait_s(&here, "a", start_ms), 30);
    ck_assert_uint_eq(wait_s(&here, "b", start_ms), 30);  /* the source waits … */
    ck_assert_uint_eq(wait_s(&there, "a", start_ms), 30); /* … and the user */
    ck_assert_uint_eq(wait_s(&there, "b", start_ms), 0);
    ck_assert_uint_eq(wait_s(&here, "a", start_ms + 30000), 0);
}
END_TEST

START_TEST(each_wait_is_twice_as_long)
{
    static const uint64_t waits[] = { 30, 60, 100, 100 };
    uint64_t now_ms = start_ms;

    for (size_t i = 0; i < countof(waits); i++) {
        ck_assert(guess(&here, "a", 3, now_ms));
        ck_assert_uint_eq(wait_s(&here, "a", now_ms), waits[i]);
        now_ms += waits[i] * 1000;
        ck_assert_uint_eq(wait_s(&here, "a", now_ms), 0);
    }
    now_ms += 200001;
    ck_assert(guess(&here, "a", 3, now_ms));
    ck_assert_uint_eq(wait_s(&here, "a", now_ms), 30);
}
END_TEST

START_TEST(what_is_long_ago_is_forgotten)
{
    ck_assert(!guess(&here, "a", 2, start_ms));
    ck_assert(!guess(&here, "a", 2, start_ms + 600001));
    ck_assert(guess(&here, "a", 1, start_ms + 600002));
}
END_TEST

START_TEST(without_a_limit_there_is_no_guard)
{
    static const struct guard_limits off = { .failures = 0 };

    for (int i = 0; i < 100; i++)
        ck_assert(!guard_failed(g, &off, &here, SPAN("a"), start_ms));
    ck_assert_uint_eq(guard_wait_ms(g, &off, &here, SPAN("a"), start_ms), 0);
}
END_TEST

START_TEST(a_friend_is_let_in_until_it_fails_as_often)
{
    guard_passed(g, &here, SPAN("a"), start_ms);
    ck_assert(guess(&there, "a", 3, start_ms));
    ck_assert_uint_eq(wait_s(&here, "a", start_ms), 0);
    ck_assert_uint_eq(wait_s(&there, "a", start_ms), 30);
    ck_assert(guess(&here, "b", 3, start_ms));
    ck_assert_uint_eq(wait_s(&here, "a", start_ms), 0); /* its source waits, it does not */
    guess(&here, "a", 2, start_ms);
    ck_assert_uint_eq(wait_s(&here, "a", start_ms), 0);
    guess(&here, "a", 1, start_ms);
    ck_assert_uint_gt(wait_s(&here, "a", start_ms), 0);
}
END_TEST

START_TEST(a_network_of_ipv6_is_one_source)
{
    struct hop one = at("2001:db8:1:2::3"), other = at("2001:db8:1:2:ffff::1"),
               far = at("2001:db8:1:3::3");
    char text[HOP_TEXT_BYTES];

    ck_assert(guess(&one, "a", 3, start_ms));
    ck_assert_uint_eq(wait_s(&other, "b", start_ms), 30);
    ck_assert_uint_eq(wait_s(&far, "b", start_ms), 0);
    ck_assert(span_eq(guard_source_write(&other, text), SPAN("2001:db8:1:2::/64")));
    ck_assert(guard_pardon(g, SPAN("2001:db8:1:2::/64")));
    ck_assert_uint_eq(wait_s(&other, "b", start_ms), 0);
}
END_TEST

START_TEST(offenders_are_listed_and_pardoned)
{
    const struct guard_offender *o;
    unsigned sources = 0, users = 0;
    size_t place = 0;

    guess(&here, "alice@example.com", 3, start_ms);
    while ((o = guard_next(g, &limits, start_ms + 1000, &place))) {
        struct span who = { o->who, o->len };

        if (o->kind == GUARD_SOURCE) {
            ck_assert(span_eq(who, SPAN("192.0.2.7")));
            sources++;
        } else {
            ck_assert(span_eq(who, SPAN("alice@example.com")));
            users++;
        }
        ck_assert_uint_eq(o->waits, 1);
    }
    ck_assert_uint_eq(sources, 1);
    ck_assert_uint_eq(users, 1);
    ck_assert(guard_pardon(g, SPAN("192.0.2.7")));
    ck_assert(!guard_pardon(g, SPAN("192.0.2.7")));
    ck_assert(guard_pardon(g, SPAN("alice@example.com")));
    ck_assert_uint_eq(wait_s(&here, "alice@example.com", start_ms), 0);
    place = 0;
    ck_assert_ptr_null(guard_next(g, &limits, start_ms, &place));
}
END_TEST

/* A crowd of guessers makes those who are quiet be forgotten, and not who waits. */
START_TEST(a_crowd_has_no_more_room)
{
    size_t place = 0, listed = 0;
    char name[32];

    guess(&here, "a", 3, start_ms);
    for (unsigned i = 0; i < 10000; i++) {
        struct hop source = { .ip = { [10] = 0xff, [11] = 0xff, [12] = 10 } };

        source.ip[14] = (uint8_t)(i >> 8);
        source.ip[15] = (uint8_t)i;
        snprintf(name, sizeof name, "user%u", i);
        guess(&source, name, 1, start_ms + i % 20000);
    }
    ck_assert_uint_gt(wait_s(&here, "zz", start_ms + 20000), 0);
    while (guard_next(g, &limits, start_ms + 20000, &place))
        listed++;
    ck_assert_uint_le(listed, 64);
}
END_TEST

Suite *suite_auth_guard(void);
Suite *
suite_auth_guard(void)
{
    Suite *suite = suite_create("auth_guard");
    TCase *all = tcase_create("all");

    tcase_add_checked_fixture(all, begin, end);
    tcase_add_test(all, some_failures_are_free);
    tcase_add_test(all, each_wait_is_twice_as_long);
    tcase_add_test(all, what_is_long_ago_is_forgotten);
    tcase_add_test(all, without_a_limit_there_is_no_guard);
    tcase_add_test(all, a_friend_is_let_in_until_it_fails_as_often);
    tcase_add_test(all, a_network_of_ipv6_is_one_source);
    tcase_add_test(all, offenders_are_listed_and_pardoned);
    tcase_add_test(all, a_crowd_has_no_more_room);
    suite_add_tcase(suite, all);
    return suite;
}
