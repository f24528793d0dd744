/*
 * CANCEL, both ways (RFC 3261 §9, §16.10, RFC 3326).
 */
#include "core/cancel.h"

#include "unit/core_rig.h"

#define CANCEL_BOB "CANCEL sip:bob@example.com SIP/2.0"
#define OTHER      "udp:192.0.2.8:5060"

/* Alice calls bob; what he got. */
static const struct rig_sent *
ring(unsigned status)
{
    const struct rig_sent *invite;

    rig_bind(&rig, "bob", "sip:bob@192.0.2.9", NULL, 1000);
    rig_ask(&rig, ALICE, INVITE_BOB, NULL);
    invite = rig_expect(&rig, BOB, "INVITE ");
    if (status)
        rig_reply(&rig, invite, status, "t", NULL);
    rig_forget(&rig);
    return invite;
}

START_TEST(a_ringing_call_is_cancelled)
{
    const struct rig_sent *invite = ring(180), *cancel, *ok;

    rig_ask(&rig, ALICE, CANCEL_BOB, NULL);
    ok = rig_expect(&rig, ALICE, "SIP/2.0 200 OK\r\n");
    ck_assert_str_eq(rig_value(ok, "CSeq", 0), "1 CANCEL");
    cancel = rig_expect(&rig, BOB, "CANCEL sip:bob@192.0.2.9 SIP/2.0\r\n");
    ck_assert_uint_eq(rig_count(cancel, "Via"), 1);
    ck_assert_str_eq(rig_value(cancel, "Via", 0), rig_value(invite, "Via", 0));
    ck_assert_str_eq(rig_value(cancel, "CSeq", 0), "1 CANCEL");
    ck_assert_str_eq(rig_value(cancel, "To", 0), "<sip:bob@example.com>");
    ck_assert_str_eq(rig_value(cancel, "Max-Forwards", 0), "70");
    ck_assert_uint_eq(rig_count(cancel, "Record-Route"), 0);
    ck_assert_uint_eq(rig_count(cancel, "Reason"), 0);
    rig_quiet(&rig);
    rig_reply(&rig, cancel, 200, "t", NULL);
    rig_quiet(&rig);
    rig_reply(&rig, invite, 487, "t", NULL);
    rig_expect(&rig, BOB, "ACK ");
    ck_assert_str_eq(rig_to_tag(rig_expect(&rig, ALICE, "SIP/2.0 487 Whatever\r\n")), "t");
    rig_quiet(&rig);
    rig_settled(&rig);
}
END_TEST

/* §9.1: it waits until the callee has shown that it is there. */
START_TEST(a_silent_call_is_cancelled_later)
{
    const struct rig_sent *invite = ring(0);

    rig_ask(&rig, ALICE, CANCEL_BOB, NULL);
    rig_expect(&rig, ALICE, "SIP/2.0 200 ");
    rig_quiet(&rig);
    rig_reply(&rig, invite, 100, "", NULL);
    rig_expect(&rig, BOB, "CANCEL ");
    rig_quiet(&rig);
    rig_reply(&rig, invite, 180, "t", NULL);
    rig_expect(&rig, ALICE, "SIP/2.0 180 ");
    rig_quiet(&rig);
    rig_reply(&rig, invite, 487, "t", NULL);
    rig_expect(&rig, BOB, "ACK ");
    rig_expect(&rig, ALICE, "SIP/2.0 487 ");
}
END_TEST

START_TEST(a_callee_that_never_speaks_is_487)
{
    ring(0);
    rig_ask(&rig, ALICE, CANCEL_BOB, NULL);
    rig_expect(&rig, ALICE, "SIP/2.0 200 ");
    rig_pass(&rig, 31999);
    ck_assert_ptr_null(rig_last(&rig, "SIP/2.0 487 "));
    rig_pass(&rig, 1);
    ck_assert_ptr_nonnull(rig_last(&rig, "SIP/2.0 487 Request Terminated\r\n"));
    ck_assert_ptr_null(rig_last(&rig, "CANCEL "));
}
END_TEST

/* §9.1: 64*T1 after the CANCEL the INVITE counts as cancelled, even if the callee never says so. */
START_TEST(a_callee_that_ignores_it_is_487)
{
    ring(180);
    rig_ask(&rig, ALICE, CANCEL_BOB, NULL);
    rig_pass(&rig, 31999);
    ck_assert_ptr_null(rig_last(&rig, "SIP/2.0 487 "));
    rig_pass(&rig, 1);
    ck_assert_ptr_nonnull(rig_last(&rig, "SIP/2.0 487 "));
    ck_assert_str_eq(rig_times(&rig, "CANCEL "),
                     "0 500 1500 3500 7500 11500 15500 19500 23500 27500 31500");
    rig_settled(&rig);
}
END_TEST

START_TEST(a_call_that_is_answered_meanwhile_is_answered)
{
    const struct rig_sent *invite = ring(180);

    rig_ask(&rig, ALICE, CANCEL_BOB, NULL);
    rig_expect(&rig, ALICE, "SIP/2.0 200 ");
    rig_expect(&rig, BOB, "CANCEL ");
    rig_reply(&rig, invite, 200, "t", NULL);
    ck_assert_str_eq(rig_value(rig_expect(&rig, ALICE, "SIP/2.0 200 "), "CSeq", 0), "1 INVITE");
    rig_quiet(&rig);
    rig_settled(&rig);
}
END_TEST

START_TEST(a_call_that_is_refused_meanwhile_is_refused)
{
    const struct rig_sent *invite = ring(180);

    rig_ask(&rig, ALICE, CANCEL_BOB, NULL);
    rig_forget(&rig);
    rig_reply(&rig, invite, 486, "t", NULL);
    rig_expect(&rig, BOB, "ACK ");
    rig_expect(&rig, ALICE, "SIP/2.0 486 ");
    rig_quiet(&rig);
}
END_TEST

/* §9.2: 200 whether or not it comes in time, and for each repeat, with the tag of our own answer. */
START_TEST(repeats_and_late_ones_are_200_and_no_more)
{
    const struct rig_sent *invite = ring(180), *cancel;
    const char *tag;

    rig_ask(&rig, ALICE, CANCEL_BOB, NULL);
    tag = rig_to_tag(rig_expect(&rig, ALICE, "SIP/2.0 200 "));
    cancel = rig_expect(&rig, BOB, "CANCEL ");
    rig_ask(&rig, ALICE, CANCEL_BOB, NULL);
    ck_assert_str_eq(rig_to_tag(rig_expect(&rig, ALICE, "SIP/2.0 200 ")), tag);
    rig_quiet(&rig);
    rig_reply(&rig, cancel, 200, "", NULL);
    rig_reply(&rig, invite, 487, "t", NULL);
    rig_forget(&rig);
    rig_ask(&rig, ALICE, CANCEL_BOB, NULL);
    ck_assert_str_eq(rig_to_tag(rig_expect(&rig, ALICE, "SIP/2.0 200 ")), tag);
    rig_quiet(&rig);
}
END_TEST

/* RFC 3326 §2: the reason goes along, even if the CANCEL has to wait. */
START_TEST(the_callers_reason_is_passed_on)
{
    const struct rig_sent *invite = ring(0), *cancel;

    rig_ask(&rig, ALICE, CANCEL_BOB, "Reason: SIP;cause=600;text=\"gone\"", "X-Other: no",
            "Reason: Q.850;cause=16", NULL);
    rig_expect(&rig, ALICE, "SIP/2.0 200 ");
    rig_reply(&rig, invite, 180, "t", NULL);
    cancel = rig_expect(&rig, BOB, "CANCEL ");
    ck_assert_str_eq(rig_value(cancel, "Reason", 0), "SIP;cause=600;text=\"gone\", Q.850;cause=16");
    ck_assert_uint_eq(rig_count(cancel, "Reason"), 1);
    ck_assert_uint_eq(rig_count(cancel, "X-Other"), 0);
}
END_TEST

START_TEST(a_cancel_after_the_answer_changes_nothing)
{
    const struct rig_sent *invite = ring(180);

    rig_reply(&rig, invite, 200, "t", NULL);
    rig_forget(&rig);
    rig_ask(&rig, ALICE, CANCEL_BOB, NULL);
    rig_expect(&rig, ALICE, "SIP/2.0 200 ");
    rig_quiet(&rig);
}
END_TEST

START_TEST(a_cancel_of_nothing_is_481)
{
    rig_ask(&rig, ALICE, CANCEL_BOB, NULL);
    rig_expect(&rig, ALICE, "SIP/2.0 481 Call/Transaction Does Not Exist\r\n");
    rig_bind(&rig, "bob", "sip:bob@192.0.2.9", NULL, 1000);
    rig_ask(&rig, ALICE, "MESSAGE sip:bob@example.com SIP/2.0", NULL);
    rig_forget(&rig);
    rig_ask(&rig, ALICE, CANCEL_BOB, NULL);
    rig_expect(&rig, ALICE, "SIP/2.0 481 ");
    rig_quiet(&rig);
}
END_TEST

START_TEST(all_branches_are_cancelled)
{
    const struct rig_sent *first, *second;

    rig_bind(&rig, "bob", "sip:bob@192.0.2.9", NULL, 1000);
    rig_bind(&rig, "bob", "sip:bob@192.0.2.8", NULL, 1000);
    rig_bind(&rig, "bob", "sip:bob@phone.example.net", NULL, 1000);
    rig_ask(&rig, ALICE, INVITE_BOB, NULL);
    first = rig_expect(&rig, BOB, "INVITE ");
    second = rig_expect(&rig, OTHER, "INVITE ");
    rig_reply(&rig, first, 180, "t", NULL);
    rig_reply(&rig, second, 180, "u", NULL);
    rig_forget(&rig);
    rig_ask(&rig, ALICE, CANCEL_BOB, NULL);
    rig_expect(&rig, ALICE, "SIP/2.0 200 ");
    rig_expect(&rig, BOB, "CANCEL ");
    rig_expect(&rig, OTHER, "CANCEL ");
    rig_quiet(&rig);
    rig_resolved(&rig, 0, SIPD_OK, "udp:192.0.2.7:5060", NULL);
    rig_quiet(&rig);
    rig_reply(&rig, first, 487, "t", NULL);
    rig_expect(&rig, BOB, "ACK ");
    rig_quiet(&rig);
    rig_reply(&rig, second, 487, "u", NULL);
    rig_expect(&rig, OTHER, "ACK ");
    rig_expect(&rig, ALICE, "SIP/2.0 487 ");
    rig_quiet(&rig);
}
END_TEST

/* Nobody was asked yet: the 487 is ours. */
START_TEST(a_call_that_is_still_looked_up_is_487_at_once)
{
    rig_bind(&rig, "bob", "sip:bob@phone.example.net", NULL, 1000);
    rig_ask(&rig, ALICE, INVITE_BOB, NULL);
    rig_ask(&rig, ALICE, CANCEL_BOB, NULL);
    rig_expect(&rig, ALICE, "SIP/2.0 200 ");
    rig_expect(&rig, ALICE, "SIP/2.0 487 Request Terminated\r\n");
    rig_quiet(&rig);
    rig_resolved(&rig, 0, SIPD_OK, BOB, NULL);
    rig_quiet(&rig);
}
END_TEST

/* §16.10: the end is a choice as ever (§16.7 step 6), among what was heard already. */
START_TEST(what_was_heard_before_a_cancel_is_chosen_from)
{
    rig.conf.fork = CORE_FORK_Q;
    rig.resolves = true;
    rig_bind(&rig, "bob", "sip:bob@192.0.2.9", NULL, 1000);
    rig_bind(&rig, "bob", "sip:bob@phone.example.net", NULL, 500);
    rig_ask(&rig, ALICE, INVITE_BOB, NULL);
    rig_reply(&rig, rig_expect(&rig, BOB, "INVITE "), 302, "t", NULL);
    rig_expect(&rig, BOB, "ACK ");
    rig_quiet(&rig);
    rig_ask(&rig, ALICE, CANCEL_BOB, NULL);
    rig_expect(&rig, ALICE, "SIP/2.0 200 ");
    rig_expect(&rig, ALICE, "SIP/2.0 302 ");
    rig_settled(&rig);
}
END_TEST

START_TEST(no_group_follows_a_cancel)
{
    const struct rig_sent *invite;

    rig.conf.fork = CORE_FORK_Q;
    rig_bind(&rig, "bob", "sip:bob@192.0.2.8", NULL, 500);
    invite = ring(180);
    rig_ask(&rig, ALICE, CANCEL_BOB, NULL);
    rig_forget(&rig);
    rig_reply(&rig, invite, 487, "t", NULL);
    rig_expect(&rig, BOB, "ACK ");
    rig_expect(&rig, ALICE, "SIP/2.0 487 ");
    rig_quiet(&rig);
}
END_TEST

START_TEST(a_cancel_is_known_by_the_fields_of_rfc_2543_too)
{
    const struct rig_sent *invite;

    rig_bind(&rig, "bob", "sip:bob@192.0.2.9", NULL, 1000);
    rig_ask(&rig, ALICE, INVITE_BOB, "Via: SIP/2.0/UDP 192.0.2.1", NULL);
    invite = rig_expect(&rig, BOB, "INVITE ");
    rig_reply(&rig, invite, 180, "t", NULL);
    rig_forget(&rig);
    rig_ask(&rig, ALICE, CANCEL_BOB, "Via: SIP/2.0/UDP 192.0.2.1", NULL);
    rig_expect(&rig, ALICE, "SIP/2.0 200 ");
    rig_expect(&rig, BOB, "CANCEL ");
}
END_TEST

/* No room for a transaction when the CANCEL should leave: Timer C does not let the call hang. */
START_TEST(a_cancel_that_cannot_leave_is_no_call_for_ever)
{
    struct core_conf full = rig.conf;

    ring(180);
    full.transactions = 2;
    core_set_conf(rig.core, &full);
    rig_ask(&rig, ALICE, CANCEL_BOB, NULL);
    rig_expect(&rig, ALICE, "SIP/2.0 200 ");
    rig_quiet(&rig);
    rig_pass(&rig, full.timer_c_ms);
    ck_assert_ptr_nonnull(rig_last(&rig, "SIP/2.0 487 "));
    ck_assert_ptr_null(rig_last(&rig, "CANCEL "));
    rig_settled(&rig);
}
END_TEST

START_TEST(timer_c_sends_the_cancel_that_could_not_leave)
{
    struct core_conf full = rig.conf;

    ring(180);
    full.transactions = 2;
    core_set_conf(rig.core, &full);
    rig_ask(&rig, ALICE, CANCEL_BOB, NULL);
    rig_expect(&rig, ALICE, "SIP/2.0 200 ");
    core_set_conf(rig.core, &rig.conf);
    rig_pass(&rig, full.timer_c_ms);
    rig_expect(&rig, BOB, "CANCEL ");
    rig_settled(&rig);
    ck_assert_ptr_nonnull(rig_last(&rig, "SIP/2.0 487 "));
}
END_TEST

START_TEST(a_cancel_that_could_not_leave_is_tried_again)
{
    const struct rig_sent *invite = ring(180);
    struct core_conf full = rig.conf;

    full.transactions = 2;
    core_set_conf(rig.core, &full);
    rig_ask(&rig, ALICE, CANCEL_BOB, NULL);
    rig_expect(&rig, ALICE, "SIP/2.0 200 ");
    core_set_conf(rig.core, &rig.conf);
    rig_reply(&rig, invite, 180, "t", NULL);
    rig_expect(&rig, BOB, "CANCEL ");
}
END_TEST

Suite *
suite_cancel(void)
{
    Suite *s = suite_create("cancel");
    TCase *c = rig_case("giving up");

    tcase_add_test(c, a_ringing_call_is_cancelled);
    tcase_add_test(c, a_silent_call_is_cancelled_later);
    tcase_add_test(c, a_callee_that_never_speaks_is_487);
    tcase_add_test(c, a_callee_that_ignores_it_is_487);
    tcase_add_test(c, a_call_that_is_answered_meanwhile_is_answered);
    tcase_add_test(c, a_call_that_is_refused_meanwhile_is_refused);
    tcase_add_test(c, repeats_and_late_ones_are_200_and_no_more);
    tcase_add_test(c, the_callers_reason_is_passed_on);
    tcase_add_test(c, a_cancel_after_the_answer_changes_nothing);
    tcase_add_test(c, a_cancel_of_nothing_is_481);
    tcase_add_test(c, all_branches_are_cancelled);
    tcase_add_test(c, a_call_that_is_still_looked_up_is_487_at_once);
    tcase_add_test(c, what_was_heard_before_a_cancel_is_chosen_from);
    tcase_add_test(c, no_group_follows_a_cancel);
    tcase_add_test(c, a_cancel_is_known_by_the_fields_of_rfc_2543_too);
    tcase_add_test(c, a_cancel_that_cannot_leave_is_no_call_for_ever);
    tcase_add_test(c, timer_c_sends_the_cancel_that_could_not_leave);
    tcase_add_test(c, a_cancel_that_could_not_leave_is_tried_again);
    suite_add_tcase(s, c);
    return s;
}
