/*
 * How long a call may ring: Timer C, and no_answer for each group (RFC 3261 §16.6 step 11, §16.7 step 2, §16.8).
 */
#include "core/timer_c.h"

#include "unit/core_rig.h"

#define OTHER "udp:192.0.2.8:5060"

/* Bob's phone rings, and nothing but Timer C ends that. */
static const struct rig_sent *
ring(unsigned status)
{
    const struct rig_sent *invite;

    rig.conf.no_answer_ms = 0;
    rig_bind(&rig, "bob", "sip:bob@192.0.2.9", NULL, 1000);
    rig_ask(&rig, ALICE, INVITE_BOB, NULL);
    invite = rig_expect(&rig, BOB, "INVITE ");
    rig_reply(&rig, invite, status, status > 100 ? "t" : "", NULL);
    rig_forget(&rig);
    return invite;
}

START_TEST(it_is_longer_than_three_minutes)
{
    ck_assert_uint_gt(rig.conf.timer_c_ms, 180000);
}
END_TEST

/* §16.8: a CANCEL, and the 487 counts as what it is about: nobody answered. */
START_TEST(a_call_that_rings_too_long_is_cancelled)
{
    const struct rig_sent *invite = ring(180);

    rig_pass(&rig, rig.conf.timer_c_ms - 1);
    rig_quiet(&rig);
    rig_pass(&rig, 1);
    rig_expect(&rig, BOB, "CANCEL ");
    rig_quiet(&rig);
    rig_reply(&rig, invite, 487, "t", NULL);
    rig_expect(&rig, BOB, "ACK ");
    rig_expect(&rig, ALICE, "SIP/2.0 408 ");
    rig_quiet(&rig);
}
END_TEST

START_TEST(a_provisional_response_gives_more_time)
{
    const struct rig_sent *invite = ring(180);

    rig_pass(&rig, 100000);
    rig_reply(&rig, invite, 183, "t", NULL);
    rig_forget(&rig);
    rig_pass(&rig, rig.conf.timer_c_ms - 1);
    rig_quiet(&rig);
    rig_pass(&rig, 1);
    rig_expect(&rig, BOB, "CANCEL ");
}
END_TEST

START_TEST(a_100_gives_no_more_time)
{
    const struct rig_sent *invite = ring(100);

    rig_pass(&rig, 100000);
    rig_reply(&rig, invite, 100, "", NULL);
    rig_forget(&rig);
    rig_pass(&rig, rig.conf.timer_c_ms - 100000);
    rig_expect(&rig, BOB, "CANCEL ");
}
END_TEST

START_TEST(who_ignores_the_cancel_is_408)
{
    ring(180);
    rig_pass(&rig, rig.conf.timer_c_ms);
    rig_expect(&rig, BOB, "CANCEL ");
    rig_pass(&rig, 31999);
    ck_assert_ptr_null(rig_last(&rig, "SIP/2.0 408 "));
    rig_pass(&rig, 1);
    ck_assert_ptr_nonnull(rig_last(&rig, "SIP/2.0 408 "));
    rig_settled(&rig);
}
END_TEST

START_TEST(who_answers_late_is_heard)
{
    const struct rig_sent *invite = ring(180);

    rig_pass(&rig, rig.conf.timer_c_ms);
    rig_expect(&rig, BOB, "CANCEL ");
    rig_reply(&rig, invite, 200, "t", NULL);
    rig_expect(&rig, ALICE, "SIP/2.0 200 ");
    rig_settled(&rig);
    ck_assert_ptr_null(rig_last(&rig, "SIP/2.0 408 "));
}
END_TEST

/* One branch timing out leaves the others alone. */
START_TEST(each_branch_has_its_own)
{
    const struct rig_sent *first, *second;

    rig.conf.no_answer_ms = 0;
    rig_bind(&rig, "bob", "sip:bob@192.0.2.9", NULL, 1000);
    rig_bind(&rig, "bob", "sip:bob@192.0.2.8", NULL, 1000);
    rig_ask(&rig, ALICE, INVITE_BOB, NULL);
    first = rig_expect(&rig, BOB, "INVITE ");
    second = rig_expect(&rig, OTHER, "INVITE ");
    rig_reply(&rig, first, 180, "t", NULL);
    rig_pass(&rig, 10000);
    rig_reply(&rig, second, 180, "u", NULL);
    rig_forget(&rig);
    rig_pass(&rig, rig.conf.timer_c_ms - 10000);
    rig_expect(&rig, BOB, "CANCEL ");
    rig_quiet(&rig);
    rig_reply(&rig, first, 487, "t", NULL);
    rig_forget(&rig);
    rig_reply(&rig, second, 200, "u", NULL);
    rig_expect(&rig, ALICE, "SIP/2.0 200 ");
}
END_TEST

START_TEST(it_is_for_invites_only)
{
    rig_bind(&rig, "bob", "sip:bob@192.0.2.9", NULL, 1000);
    rig_ask(&rig, ALICE, "MESSAGE sip:bob@example.com SIP/2.0", NULL);
    rig_reply(&rig, rig_expect(&rig, BOB, "MESSAGE "), 100, "", NULL);
    rig_settled(&rig);
    ck_assert_ptr_null(rig_last(&rig, "CANCEL "));
}
END_TEST

/* ---------------------------------------------------------------- proxy.no_answer_s */

START_TEST(a_group_rings_so_long_then_the_next)
{
    const struct rig_sent *first, *second;

    rig.conf.fork = CORE_FORK_Q;
    rig.conf.no_answer_ms = 20000;
    rig_bind(&rig, "bob", "sip:bob@192.0.2.9", NULL, 1000);
    rig_bind(&rig, "bob", "sip:bob@192.0.2.8", NULL, 500);
    rig_ask(&rig, ALICE, INVITE_BOB, NULL);
    first = rig_expect(&rig, BOB, "INVITE ");
    rig_reply(&rig, first, 180, "t", NULL);
    rig_forget(&rig);
    rig_pass(&rig, 19999);
    rig_quiet(&rig);
    rig_pass(&rig, 1);
    rig_expect(&rig, BOB, "CANCEL ");
    rig_quiet(&rig);
    rig_reply(&rig, first, 487, "t", NULL);
    rig_expect(&rig, BOB, "ACK ");
    second = rig_expect(&rig, OTHER, "INVITE ");
    rig_reply(&rig, second, 180, "u", NULL);
    rig_forget(&rig);
    rig_pass(&rig, 20000);
    rig_reply(&rig, second, 487, "u", NULL);
    ck_assert_ptr_nonnull(rig_last(&rig, "SIP/2.0 408 "));
    rig_settled(&rig);
}
END_TEST

START_TEST(what_others_said_is_better_than_nobody_answered)
{
    const struct rig_sent *first, *second;

    rig.conf.no_answer_ms = 20000;
    rig_bind(&rig, "bob", "sip:bob@192.0.2.9", NULL, 1000);
    rig_bind(&rig, "bob", "sip:bob@192.0.2.8", NULL, 1000);
    rig_ask(&rig, ALICE, INVITE_BOB, NULL);
    first = rig_expect(&rig, BOB, "INVITE ");
    second = rig_expect(&rig, OTHER, "INVITE ");
    rig_reply(&rig, second, 486, "u", NULL);
    rig_reply(&rig, first, 180, "t", NULL);
    rig_forget(&rig);
    rig_pass(&rig, 20000);
    rig_expect(&rig, BOB, "CANCEL ");
    rig_reply(&rig, first, 487, "t", NULL);
    rig_expect(&rig, BOB, "ACK ");
    rig_expect(&rig, ALICE, "SIP/2.0 486 ");
}
END_TEST

START_TEST(an_answer_ends_the_wait)
{
    const struct rig_sent *invite;

    rig.conf.no_answer_ms = 20000;
    rig_bind(&rig, "bob", "sip:bob@192.0.2.9", NULL, 1000);
    rig_ask(&rig, ALICE, INVITE_BOB, NULL);
    invite = rig_expect(&rig, BOB, "INVITE ");
    rig_pass(&rig, 15000);
    rig_reply(&rig, invite, 200, "t", NULL);
    rig_settled(&rig);
    ck_assert_ptr_null(rig_last(&rig, "CANCEL "));
}
END_TEST

Suite *
suite_timer_c(void)
{
    Suite *s = suite_create("timer_c");
    TCase *c = rig_case("ringing");

    tcase_add_test(c, it_is_longer_than_three_minutes);
    tcase_add_test(c, a_call_that_rings_too_long_is_cancelled);
    tcase_add_test(c, a_provisional_response_gives_more_time);
    tcase_add_test(c, a_100_gives_no_more_time);
    tcase_add_test(c, who_ignores_the_cancel_is_408);
    tcase_add_test(c, who_answers_late_is_heard);
    tcase_add_test(c, each_branch_has_its_own);
    tcase_add_test(c, it_is_for_invites_only);
    tcase_add_test(c, a_group_rings_so_long_then_the_next);
    tcase_add_test(c, what_others_said_is_better_than_nobody_answered);
    tcase_add_test(c, an_answer_ends_the_wait);
    suite_add_tcase(s, c);
    return s;
}
