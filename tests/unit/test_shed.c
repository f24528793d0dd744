/*
 * Overload: who is refused, how many of them, and when that ends.
 */
#include "core/shed.h"

#include <stdio.h>

#include "unit/core_rig.h"

enum { ASKED = 64 };

static unsigned serial;

/* So many new requests of calls of their own; how many of them are refused, all at one time. */
static unsigned
refused(void)
{
    unsigned n = 0;

    for (unsigned i = 0; i < ASKED; i++) {
        char call_id[32];

        snprintf(call_id, sizeof call_id, "call-%u", ++serial);
        rig.call_id = call_id;
        rig_new_branch(&rig);
        rig_ask(&rig, ALICE, "OPTIONS sip:example.com SIP/2.0", NULL);
        n += rig_has(&rig.sent[rig.sent_len - 1], "SIP/2.0 503 ");
    }
    rig_forget(&rig);
    return n;
}

static struct core_stats
stats(void)
{
    struct core_stats now;

    core_stats(rig.core, &now);
    return now;
}

START_TEST(who_keeps_up_refuses_nobody)
{
    rig.load = (struct core_load){ rig.conf.shed_lag_ms, rig.conf.shed_queue_percent };
    ck_assert_uint_eq(refused(), 0);
    ck_assert_uint_eq(stats().shed_percent, 0);
    ck_assert_uint_eq(stats().lag_ms, rig.conf.shed_lag_ms);
}
END_TEST

START_TEST(more_and_more_are_refused_while_the_loop_lags)
{
    unsigned before = 0;

    rig.load.lag_ms = rig.conf.shed_lag_ms + 1;
    for (unsigned percent = 25; percent <= 100; percent += 25) {
        unsigned now = refused();

        ck_assert_uint_gt(now, before);
        ck_assert_uint_eq(stats().shed_percent, percent);
        before = now;
        rig_pass(&rig, 100);
    }
    ck_assert_uint_eq(before, ASKED);
    ck_assert_uint_eq(refused(), ASKED);
    ck_assert_uint_gt(rig_counter(&rig, "core_shed_load"), 2 * ASKED);
    ck_assert_uint_eq(rig_counter(&rig, "core_shed_full"), 0);
}
END_TEST

START_TEST(a_full_queue_is_too_much_too)
{
    rig.load.queue_percent = rig.conf.shed_queue_percent + 1;
    ck_assert_uint_gt(refused(), 0);
    ck_assert_uint_lt(refused(), ASKED); /* no time has passed: no more than before */
    ck_assert_uint_eq(stats().shed_percent, 25);
}
END_TEST

/* Hysteresis: less than too much is not little. */
START_TEST(it_ends_when_the_load_is_below_half_of_too_much)
{
    rig.load.lag_ms = rig.conf.shed_lag_ms * 2;
    for (int i = 0; i < 4; i++) {
        (void)refused();
        rig_pass(&rig, 100);
    }
    rig.load.lag_ms = rig.conf.shed_lag_ms - 1;
    for (int i = 0; i < 20; i++) {
        ck_assert_uint_eq(refused(), ASKED);
        rig_clear(&rig);
        rig_pass(&rig, 100);
    }
    rig.load.lag_ms = rig.conf.shed_lag_ms / 2;
    ck_assert_uint_lt(refused(), ASKED);
    rig_pass(&rig, 1600);
    ck_assert_uint_eq(stats().shed_percent, 0); /* even when nobody asks */
    ck_assert_uint_eq(refused(), 0);
}
END_TEST

START_TEST(a_repeat_hears_the_same)
{
    rig.load.lag_ms = UINT32_MAX / 4;
    for (unsigned i = 0; i < ASKED; i++) {
        char call_id[32];
        bool first;

        snprintf(call_id, sizeof call_id, "call-%u", ++serial);
        rig.call_id = call_id;
        rig_new_branch(&rig);
        rig_ask(&rig, ALICE, "OPTIONS sip:example.com SIP/2.0", NULL);
        first = rig_has(&rig.sent[rig.sent_len - 1], "SIP/2.0 503 ");
        rig_ask(&rig, ALICE, "OPTIONS sip:example.com SIP/2.0", NULL);
        ck_assert(rig_has(&rig.sent[rig.sent_len - 1], "SIP/2.0 503 ") == first);
        ck_assert_uint_eq(rig.sent_len, 2);
        rig_clear(&rig);
    }
}
END_TEST

START_TEST(dialogs_cancels_and_acks_are_served)
{
    const struct rig_sent *invite;

    rig_bind(&rig, "bob", "sip:bob@192.0.2.9", NULL, 1000);
    rig_ask(&rig, ALICE, INVITE_BOB, NULL);
    invite = rig_expect(&rig, BOB, "INVITE ");
    rig_reply(&rig, invite, 180, "b", NULL);
    rig_expect(&rig, ALICE, "SIP/2.0 180 ");
    rig.load.lag_ms = 1000;
    for (int i = 0; i < 4; i++) {
        rig_pass(&rig, 100);
        rig_new_branch(&rig);
        rig_ask(&rig, ALICE, "OPTIONS sip:example.com SIP/2.0", NULL);
    }
    rig_new_branch(&rig);
    rig_ask(&rig, ALICE, "OPTIONS sip:example.com SIP/2.0", NULL);
    ck_assert_str_eq(rig_value(rig_last(&rig, "SIP/2.0 503 "), "Retry-After", 0), "5");
    rig_forget(&rig);
    rig.to_tag = "b";
    rig_ask(&rig, ALICE, "UPDATE sip:bob@example.com SIP/2.0", NULL);
    rig_expect(&rig, BOB, "UPDATE ");
    rig_new_branch(&rig);
    rig_ask(&rig, ALICE, "BYE sip:bob@example.com SIP/2.0", NULL);
    rig_expect(&rig, BOB, "BYE ");
    rig_settled(&rig);
}
END_TEST

/* limits.transactions: half of them may be pending; then it is full until clearly fewer are. */
START_TEST(who_was_full_takes_new_work_when_clearly_less_is_pending)
{
    struct core_conf small = rig.conf;
    const struct rig_sent *invites[16];

    small.transactions = 64;
    core_set_conf(rig.core, &small);
    rig_bind(&rig, "bob", "sip:bob@192.0.2.9", NULL, 1000);
    for (unsigned i = 0; i < 16; i++) {
        rig_new_branch(&rig);
        rig_ask(&rig, ALICE, INVITE_BOB, NULL);
        invites[i] = rig_expect(&rig, BOB, "INVITE ");
    }
    ck_assert(stats().full);
    ck_assert_uint_eq(stats().pending_transactions, 32);
    for (unsigned i = 0; i < 2; i++) {
        ck_assert_uint_eq(refused(), ASKED);
        rig_reply(&rig, invites[i], 200, "b", NULL);
    }
    ck_assert_uint_eq(stats().pending_transactions, 28); /* 7/16 */
    ck_assert_uint_eq(refused(), ASKED);
    rig_reply(&rig, invites[2], 200, "b", NULL);
    ck_assert_uint_eq(refused(), 0);
    ck_assert(!stats().full);
    ck_assert_uint_eq(rig_counter(&rig, "core_shed_full"), 3 * ASKED);
}
END_TEST

Suite *
suite_shed(void)
{
    Suite *s = suite_create("shed");
    TCase *c = rig_case("shed");

    tcase_add_test(c, who_keeps_up_refuses_nobody);
    tcase_add_test(c, more_and_more_are_refused_while_the_loop_lags);
    tcase_add_test(c, a_full_queue_is_too_much_too);
    tcase_add_test(c, it_ends_when_the_load_is_below_half_of_too_much);
    tcase_add_test(c, a_repeat_hears_the_same);
    tcase_add_test(c, dialogs_cancels_and_acks_are_served);
    tcase_add_test(c, who_was_full_takes_new_work_when_clearly_less_is_pending);
    suite_add_tcase(s, c);
    return s;
}
