/*
 * Responses arrive, or none does: what goes up at once, what waits, what never does (RFC 3261 §16.7, RFC 6026 §7, RFC 4320).
 */
#include "core/answer.h"

#include <stdio.h>

#include "unit/fork_rig.h"

#define MESSAGE_BOB "MESSAGE sip:bob@example.com SIP/2.0"

/* ---------------------------------------------------------------- one branch */

START_TEST(provisional_responses_go_up_but_100_does_not)
{
    fork_to(1, INVITE_BOB);
    rig_reply(&rig, fork_got[0], 100, "", NULL);
    rig_quiet(&rig);
    rig_reply(&rig, fork_got[0], 180, "t", NULL);
    ck_assert_str_eq(rig_to_tag(rig_expect(&rig, ALICE, "SIP/2.0 180 Whatever\r\n")), "t");
    rig_reply(&rig, fork_got[0], 183, "t", "Content-Type: application/sdp", "", "v=0", NULL);
    ck_assert(rig_has(rig_expect(&rig, ALICE, "SIP/2.0 183 "), "\r\n\r\nv=0\r\n"));
    rig_reply(&rig, fork_got[0], 199, "t", NULL);
    rig_expect(&rig, ALICE, "SIP/2.0 199 ");
    rig_quiet(&rig);
}
END_TEST

START_TEST(a_response_loses_our_via_and_nothing_else)
{
    const struct rig_sent *ok;

    rig_bind(&rig, "bob", fork_contacts[0], NULL, 1000);
    rig_ask(&rig, ALICE, INVITE_BOB,
            "Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKx,SIP/2.0/TCP below", NULL);
    fork_got[0] = rig_expect(&rig, fork_phones[0], "INVITE ");
    rig_reply(&rig, fork_got[0], 200, "t", "X-Unknown:  kept ", "Server: bob's", NULL);
    ok = rig_expect(&rig, ALICE,
                    "SIP/2.0 200 Whatever\r\nVia: SIP/2.0/UDP "
                    "192.0.2.1:5060;branch=z9hG4bKx,SIP/2.0/TCP below\r\n");
    ck_assert(rig_has(ok, "\r\nX-Unknown:  kept \r\nServer: bob's\r\n"));
    ck_assert_uint_eq(rig_count(ok, "Via"), 1);
}
END_TEST

/* All Vias may stand in one line. */
/* §18.3: what came in a datagram may lack it, a stream may not. */
START_TEST(a_response_gets_a_length_for_a_stream)
{
    static const char body[] = "four\r\n";
    const struct rig_sent *invite;
    char text[1024];

    rig_bind(&rig, "bob", "sip:bob@192.0.2.9", NULL, 1000);
    rig_ask(&rig, "tcp:192.0.2.1:40000/7", INVITE_BOB, "Via: SIP/2.0/TCP a;branch=z9hG4bKa", NULL);
    invite = rig_expect(&rig, BOB, "INVITE ");
    snprintf(
        text, sizeof text,
        "SIP/2.0 183 Whatever\r\nVia: %s\r\nVia: %s\r\nFrom: %s\r\nTo: %s;tag=t\r\nCall-ID: %s\r\n"
        "CSeq: %s\r\n\r\n%s",
        rig_value(invite, "Via", 0), rig_value(invite, "Via", 1), rig_value(invite, "From", 0),
        rig_value(invite, "To", 0), rig_value(invite, "Call-ID", 0), rig_value(invite, "CSeq", 0),
        body);
    rig_bytes(&rig, BOB, span_of(text), 0, NULL);
    ck_assert_str_eq(
        rig_value(rig_expect(&rig, "tcp:192.0.2.1:40000/7", "SIP/2.0 183 "), "Content-Length", 0),
        "6");
}
END_TEST

START_TEST(our_via_may_share_a_line)
{
    char text[2048];

    fork_to(1, INVITE_BOB);
    snprintf(text, sizeof text,
             "SIP/2.0 200 OK\r\nv: %s , %s\r\nFrom: x:y;tag=1\r\nTo: x:y;tag=2\r\nCall-ID: %s\r\n"
             "CSeq: 1 INVITE\r\n\r\n",
             rig_value(fork_got[0], "Via", 0), rig_value(fork_got[0], "Via", 1), rig.call_id);
    rig_bytes(&rig, fork_phones[0], span_of(text), 0, NULL);
    rig_expect(&rig, ALICE, "SIP/2.0 200 OK\r\nv: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKa1\r\n");
}
END_TEST

START_TEST(a_failure_is_acknowledged_here_and_goes_up_as_it_came)
{
    const struct rig_sent *busy;

    fork_to(1, INVITE_BOB);
    rig_reply(&rig, fork_got[0], 486, "t", "X-Reason: on the phone", NULL);
    rig_expect(&rig, fork_phones[0], "ACK sip:bob@192.0.2.11 SIP/2.0\r\n");
    busy = rig_expect(&rig, ALICE, "SIP/2.0 486 Whatever\r\n");
    ck_assert_str_eq(rig_value(busy, "X-Reason", 0), "on the phone");
    ck_assert_str_eq(rig_to_tag(busy), "t");
    rig_quiet(&rig);
    rig_reply(&rig, fork_got[0], 486, "t", NULL);
    rig_expect(&rig, fork_phones[0], "ACK ");
    rig_quiet(&rig);
    rig_alive(&rig, 0, 0, 2);
}
END_TEST

START_TEST(silence_is_408_for_an_invite)
{
    fork_to(1, INVITE_BOB);
    rig_pass(&rig, 31999);
    ck_assert_ptr_null(rig_last(&rig, "SIP/2.0 408 "));
    rig_pass(&rig, 1);
    ck_assert_ptr_nonnull(rig_last(&rig, "SIP/2.0 408 Request Timeout\r\n"));
    ck_assert_str_eq(rig_times(&rig, "INVITE "), "0 500 1500 3500 7500 15500 31500");
    rig_settled(&rig);
}
END_TEST

START_TEST(a_failed_transport_is_500)
{
    fork_to(1, INVITE_BOB);
    rig_gone(&rig, fork_got[0]);
    rig_expect(&rig, ALICE, "SIP/2.0 500 ");
    rig_quiet(&rig);
}
END_TEST

START_TEST(a_503_goes_up_as_500)
{
    fork_to(1, INVITE_BOB);
    fork_fails(0, 503);
    rig_expect(&rig, ALICE, "SIP/2.0 500 Server Internal Error\r\n");
    rig_quiet(&rig);
}
END_TEST

/* The lines stand where the Vias of those before us would. */
static void
must_end_here(const char *lines)
{
    char text[2048];

    fork_to(1, INVITE_BOB);
    for (unsigned status = 180; status <= 480; status += 300) {
        snprintf(
            text, sizeof text,
            "SIP/2.0 %u Odd\r\nVia: %s\r\n%sFrom: x:y;tag=1\r\nTo: x:y;tag=2\r\nCall-ID: %s\r\n"
            "CSeq: 1 INVITE\r\n\r\n",
            status, rig_value(fork_got[0], "Via", 0), lines, rig.call_id);
        rig_bytes(&rig, fork_phones[0], span_of(text), 0, NULL);
        if (status < 200)
            rig_quiet(&rig);
    }
    rig_expect(&rig, fork_phones[0], "ACK ");
    rig_expect(&rig, ALICE, "SIP/2.0 480 Temporarily Unavailable\r\n"); /* ours */
    rig_quiet(&rig);
}

/* §16.7 step 3: a response without another Via was meant for us. */
START_TEST(a_response_that_ends_here_goes_nowhere)
{
    must_end_here("");
}
END_TEST

START_TEST(a_response_whose_next_via_is_none_goes_nowhere)
{
    must_end_here("Via: SIP/2.0/UDP\r\n");
}
END_TEST

START_TEST(a_success_that_ends_here_is_500)
{
    char text[2048];

    fork_to(1, INVITE_BOB);
    snprintf(text, sizeof text,
             "SIP/2.0 200 Odd\r\nVia: %s\r\nFrom: x:y;tag=1\r\nTo: x:y;tag=2\r\nCall-ID: %s\r\n"
             "CSeq: 1 INVITE\r\n\r\n",
             rig_value(fork_got[0], "Via", 0), rig.call_id);
    rig_bytes(&rig, fork_phones[0], span_of(text), 0, NULL);
    rig_expect(&rig, ALICE, "SIP/2.0 500 ");
    rig_quiet(&rig);
}
END_TEST

/* ---------------------------------------------------------------- RFC 6026 */

START_TEST(a_stray_response_is_dropped)
{
    struct rig_sent stray;
    char text[2048];

    fork_to(1, INVITE_BOB);
    snprintf(text, sizeof text,
             "INVITE x SIP/2.0\r\nVia: SIP/2.0/UDP 198.51.100.1:5060;branch=z9hG4bKnone\r\n"
             "Via: SIP/2.0/UDP 192.0.2.1\r\nFrom: x:y;tag=1\r\nTo: x:y\r\nCall-ID: c\r\nCSeq: 1 "
             "INVITE\r\n\r\n");
    stray = *fork_got[0];
    stray.bytes = span_of(text);
    rig_reply(&rig, &stray, 180, "t", NULL);
    rig_reply(&rig, &stray, 200, "t", NULL);
    rig_reply(&rig, &stray, 486, "t", NULL);
    rig_quiet(&rig);
    ck_assert_uint_eq(rig_counter(&rig, "core_stray_responses"), 3);
}
END_TEST

/* §7.2: as long as M runs, each further 2xx goes up by the INVITE's own transaction; then it is a stray. */
START_TEST(late_successes_go_up_until_l_and_m_end)
{
    fork_to(1, INVITE_BOB);
    rig_reply(&rig, fork_got[0], 200, "t", NULL);
    rig_expect(&rig, ALICE, "SIP/2.0 200 ");
    rig_alive(&rig, 0, 0, 2);
    rig_pass(&rig, 500);
    rig_reply(&rig, fork_got[0], 200, "t", NULL);
    rig_expect(&rig, ALICE, "SIP/2.0 200 ");
    rig_pass(&rig, 31499);
    rig_reply(&rig, fork_got[0], 200, "other", NULL);
    ck_assert_str_eq(rig_to_tag(rig_expect(&rig, ALICE, "SIP/2.0 200 ")), "other");
    rig_reply(&rig, fork_got[0], 180, "t", NULL);
    rig_reply(&rig, fork_got[0], 486, "t", NULL);
    rig_quiet(&rig);
    rig_pass(&rig, 1);
    rig_alive(&rig, 0, 0, 0);
    rig_reply(&rig, fork_got[0], 200, "t", NULL);
    rig_quiet(&rig);
    ck_assert_uint_eq(rig_counter(&rig, "core_stray_responses"), 1);
}
END_TEST

/* ---------------------------------------------------------------- other methods */

START_TEST(another_request_is_answered_once)
{
    fork_to(2, MESSAGE_BOB);
    rig_reply(&rig, fork_got[0], 200, "a", NULL);
    rig_expect(&rig, ALICE, "SIP/2.0 200 ");
    rig_reply(&rig, fork_got[1], 200, "b", NULL);
    rig_quiet(&rig);
    rig_settled(&rig);
    rig_quiet(&rig);
}
END_TEST

/* RFC 4320 §4.2: its sender's own timer has fired. */
START_TEST(silence_is_no_408_for_others)
{
    fork_to(1, MESSAGE_BOB);
    rig_pass(&rig, 60000);
    ck_assert_ptr_null(rig_last(&rig, "SIP/2.0 408 "));
    rig_alive(&rig, 0, 0, 0);
    rig_forget(&rig);
    rig_new_branch(&rig);
    fork_to(2, MESSAGE_BOB);
    rig_reply(&rig, fork_got[0], 408, "a", NULL);
    rig_reply(&rig, fork_got[1], 408, "b", NULL);
    rig_quiet(&rig);
    rig_settled(&rig);
}
END_TEST

/* RFC 4320 §4.1: no provisional response but 100, and that one when Timer E has come to T2: 3.5 s. */
START_TEST(others_hear_100_when_it_takes_long_and_nothing_else)
{
    fork_to(1, MESSAGE_BOB);
    rig_reply(&rig, fork_got[0], 100, "", NULL);
    rig_reply(&rig, fork_got[0], 183, "t", NULL);
    rig_ask(&rig, ALICE, MESSAGE_BOB, NULL);
    rig_quiet(&rig);
    rig_pass(&rig, 3499);
    ck_assert_str_eq(rig_times(&rig, "SIP/2.0 100 "), "");
    rig_pass(&rig, 1);
    ck_assert_str_eq(rig_times(&rig, "SIP/2.0 100 Trying"), "3500");
    rig_ask(&rig, ALICE, MESSAGE_BOB, NULL);
    ck_assert_str_eq(rig_times(&rig, "SIP/2.0 100 Trying"), "3500 3500");
    rig_forget(&rig);
    rig_reply(&rig, fork_got[0], 200, "t", NULL);
    rig_expect(&rig, ALICE, "SIP/2.0 200 ");
    rig_settled(&rig);
}
END_TEST

START_TEST(others_hear_no_100_when_it_is_fast)
{
    fork_to(1, MESSAGE_BOB);
    rig_pass(&rig, 3000);
    rig_reply(&rig, fork_got[0], 200, "t", NULL);
    rig_settled(&rig);
    ck_assert_ptr_null(rig_last(&rig, "SIP/2.0 100 "));
}
END_TEST

static void
add_case(Suite *s, const char *name, const TTest *const *tests, size_t n)
{
    TCase *c = rig_case(name);

    for (size_t i = 0; i < n; i++)
        tcase_add_test(c, tests[i]);
    suite_add_tcase(s, c);
}

Suite *
suite_answer(void)
{
    const TTest *const alone[] = {
        provisional_responses_go_up_but_100_does_not,
        a_response_loses_our_via_and_nothing_else,
        a_response_gets_a_length_for_a_stream,
        our_via_may_share_a_line,
        a_failure_is_acknowledged_here_and_goes_up_as_it_came,
        silence_is_408_for_an_invite,
        a_failed_transport_is_500,
        a_503_goes_up_as_500,
        a_response_that_ends_here_goes_nowhere,
        a_response_whose_next_via_is_none_goes_nowhere,
        a_success_that_ends_here_is_500,
        a_stray_response_is_dropped,
        late_successes_go_up_until_l_and_m_end,
    };
    const TTest *const others[] = {
        another_request_is_answered_once,
        silence_is_no_408_for_others,
        others_hear_100_when_it_takes_long_and_nothing_else,
        others_hear_no_100_when_it_is_fast,
    };
    Suite *s = suite_create("answer");

    add_case(s, "one branch", alone, countof(alone));
    add_case(s, "other methods", others, countof(others));
    return s;
}
