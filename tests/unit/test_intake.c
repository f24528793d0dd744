/*
 * A message enters: where it came from, the stamps on its Via, the way back, repeats (RFC 3261 §17.2.3, §18.2, RFC 3581 §4).
 */
#include "core/intake.h"

#include "unit/core_rig.h"

#define OPTIONS_NOBODY "OPTIONS sip:nobody@example.com SIP/2.0"

/* An OPTIONS with this Via comes; our 404 goes there and has this Via. */
static void
answered(const char *from, const char *via, const char *to, const char *stamped)
{
    const struct rig_sent *sent;

    rig_ask(&rig, from, OPTIONS_NOBODY, rig_line("Via", via), NULL);
    sent = rig_expect(&rig, to, "SIP/2.0 404 ");
    ck_assert_str_eq(rig_value(sent, "Via", 0), stamped);
    rig_quiet(&rig);
    rig_pass(&rig, 100000);
}

#define B ";branch=z9hG4bKv"

START_TEST(a_true_via_stays_as_it_is)
{
    answered("udp:192.0.2.1:5060", "SIP/2.0/UDP 192.0.2.1:5060" B, "udp:192.0.2.1:5060",
             "SIP/2.0/UDP 192.0.2.1:5060" B);
    answered("udp:192.0.2.1:5060", "SIP/2.0/UDP 192.0.2.1" B, "udp:192.0.2.1:5060",
             "SIP/2.0/UDP 192.0.2.1" B);
    answered("udp:[2001:db8::1]:5060", "SIP/2.0/UDP [2001:db8:0:0::1]:5060" B,
             "udp:[2001:db8::1]:5060", "SIP/2.0/UDP [2001:db8:0:0::1]:5060" B);
}
END_TEST

/* §18.2.1, §18.2.2: responses go to the source address and sent-by's port. */
START_TEST(another_source_is_received)
{
    answered("udp:192.0.2.1:1024", "SIP/2.0/UDP 10.0.0.1:5062" B, "udp:192.0.2.1:5062",
             "SIP/2.0/UDP 10.0.0.1:5062" B ";received=192.0.2.1");
    answered("udp:192.0.2.1:1024", "SIP/2.0/UDP phone.example.net" B, "udp:192.0.2.1:5060",
             "SIP/2.0/UDP phone.example.net" B ";received=192.0.2.1");
    answered("udp:[2001:db8::1]:1024", "SIP/2.0/UDP [2001:db8::2]:5062" B, "udp:[2001:db8::1]:5062",
             "SIP/2.0/UDP [2001:db8::2]:5062" B ";received=2001:db8::1");
}
END_TEST

START_TEST(the_source_port_alone_is_no_stamp)
{
    answered("udp:192.0.2.1:1024", "SIP/2.0/UDP 192.0.2.1:5062" B, "udp:192.0.2.1:5062",
             "SIP/2.0/UDP 192.0.2.1:5062" B);
}
END_TEST

/* RFC 3581 §4: both stamps, even when nothing differs; the response takes the way that the request came. */
START_TEST(rport_is_filled_when_asked_for)
{
    answered("udp:192.0.2.1:1024", "SIP/2.0/UDP 10.0.0.1:5062;rport" B, "udp:192.0.2.1:1024",
             "SIP/2.0/UDP 10.0.0.1:5062;rport=1024" B ";received=192.0.2.1");
    answered("udp:192.0.2.1:5062", "SIP/2.0/UDP 192.0.2.1:5062" B ";rport", "udp:192.0.2.1:5062",
             "SIP/2.0/UDP 192.0.2.1:5062" B ";rport=5062;received=192.0.2.1");
}
END_TEST

START_TEST(what_the_sender_claims_is_replaced)
{
    answered("udp:192.0.2.1:1024", "SIP/2.0/UDP 192.0.2.1:5062;received=203.0.113.66;rport=7" B,
             "udp:192.0.2.1:1024", "SIP/2.0/UDP 192.0.2.1:5062;received=192.0.2.1;rport=1024" B);
    answered("udp:192.0.2.1:1024", "SIP/2.0/UDP 192.0.2.1:5062;received=203.0.113.66" B,
             "udp:192.0.2.1:5062", "SIP/2.0/UDP 192.0.2.1:5062;received=192.0.2.1" B);
}
END_TEST

START_TEST(a_listener_may_fill_rport_unasked_for_private_addresses)
{
    rig.rport = 1;
    answered("udp:192.0.2.1:1024", "SIP/2.0/UDP 10.0.0.1:5062" B, "udp:192.0.2.1:1024",
             "SIP/2.0/UDP 10.0.0.1:5062" B ";received=192.0.2.1;rport=1024");
    answered("udp:192.0.2.1:1024", "SIP/2.0/UDP 203.0.113.9:5062" B, "udp:192.0.2.1:5062",
             "SIP/2.0/UDP 203.0.113.9:5062" B ";received=192.0.2.1");
    answered("udp:10.0.0.1:1024", "SIP/2.0/UDP 10.0.0.1:5062" B, "udp:10.0.0.1:5062",
             "SIP/2.0/UDP 10.0.0.1:5062" B);
}
END_TEST

START_TEST(a_listener_may_fill_rport_always)
{
    rig.rport = 2;
    answered("udp:192.0.2.1:1024", "SIP/2.0/UDP 192.0.2.1:5062" B, "udp:192.0.2.1:1024",
             "SIP/2.0/UDP 192.0.2.1:5062" B ";received=192.0.2.1;rport=1024");
}
END_TEST

START_TEST(a_groups_maddr_is_where_responses_go)
{
    answered("udp:192.0.2.1:1024", "SIP/2.0/UDP 192.0.2.1:5062;maddr=224.0.1.75" B,
             "udp:224.0.1.75:5062", "SIP/2.0/UDP 192.0.2.1:5062;maddr=224.0.1.75" B);
    answered("udp:192.0.2.1:1024", "SIP/2.0/UDP 192.0.2.1:5062;maddr=192.0.2.77" B,
             "udp:192.0.2.1:5062", "SIP/2.0/UDP 192.0.2.1:5062;maddr=192.0.2.77" B);
    answered("udp:192.0.2.1:1024", "SIP/2.0/UDP 192.0.2.1:5062;maddr=proxy.example.net" B,
             "udp:192.0.2.1:5062", "SIP/2.0/UDP 192.0.2.1:5062;maddr=proxy.example.net" B);
}
END_TEST

START_TEST(a_connection_is_its_own_way_back)
{
    answered("tcp:192.0.2.1:40000/7", "SIP/2.0/TCP 192.0.2.1:5060" B, "tcp:192.0.2.1:40000/7",
             "SIP/2.0/TCP 192.0.2.1:5060" B);
    answered("tcp:192.0.2.1:40000/7", "SIP/2.0/TCP 10.0.0.1;maddr=192.0.2.77;rport" B,
             "tcp:192.0.2.1:40000/7",
             "SIP/2.0/TCP 10.0.0.1;maddr=192.0.2.77;rport=40000" B ";received=192.0.2.1");
}
END_TEST

/* The stamps stand on the Via beneath ours too, and the response follows it. */
START_TEST(what_is_forwarded_is_stamped)
{
    const struct rig_sent *invite;

    rig_bind(&rig, "bob", "sip:bob@192.0.2.9", NULL, 1000);
    rig_ask(&rig, "udp:192.0.2.1:1024", INVITE_BOB,
            "Via: SIP/2.0/UDP 10.0.0.1:5062;rport" B ", SIP/2.0/UDP below" B, NULL);
    invite = rig_expect(&rig, BOB, "INVITE ");
    ck_assert_str_eq(rig_value(invite, "Via", 1), "SIP/2.0/UDP 10.0.0.1:5062;rport=1024" B
                                                  ";received=192.0.2.1, SIP/2.0/UDP below" B);
    rig_reply(&rig, invite, 180, "b", NULL);
    rig_expect(&rig, "udp:192.0.2.1:1024", "SIP/2.0 180 ");
}
END_TEST

/* ---------------------------------------------------------------- what is no request that can be answered */

static void
dropped(const char *text)
{
    uint64_t before = rig_counter(&rig, "core_dropped");

    rig_bytes(&rig, ALICE, span_of(text), 0, NULL);
    rig_quiet(&rig);
    ck_assert_uint_eq(rig_counter(&rig, "core_dropped"), before + 1);
    rig_alive(&rig, 0, 0, 0);
}

START_TEST(what_cannot_be_answered_is_dropped)
{
    dropped("rubbish\r\n\r\n");
    dropped("");
    dropped("SIP/2.0 abc\r\n\r\n");
    dropped("OPTIONS sip:x@example.com SIP/2.0\r\nFrom: <sip:a@x>;tag=1\r\nTo: "
            "<sip:b@x>\r\nCall-ID: 1\r\nCSeq: 1 OPTIONS\r\n\r\n");
    dropped("OPTIONS sip:x@example.com SIP/2.0\r\nVia: rubbish\r\nCSeq: 1 OPTIONS\r\n\r\n");
    dropped("OPTIONS sip:x@example.com SIP/2.0\r\nVia: SIP/2.0/UDP a;branch=z9hG4bK1\r\nFrom: "
            "<sip:a@x>;tag=1\r\n\r\n");
}
END_TEST

START_TEST(what_framing_found_wrong_is_refused)
{
    static const char text[] =
        "OPTIONS sip:bob@example.com SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\r\n"
        "From: <sip:a@x>;tag=1\r\nTo: <sip:b@x>\r\nCall-ID: 1\r\nCSeq: 1 OPTIONS\r\n\r\n";

    rig_bytes(&rig, ALICE, span_of(text), 413, "Too Long");
    rig_expect(&rig, ALICE, "SIP/2.0 413 Too Long\r\n");
    rig_quiet(&rig);
    rig_alive(&rig, 0, 0, 0);
}
END_TEST

/* A stream hands on the head only: that the body is missing is not what was wrong. */
START_TEST(what_framing_found_wrong_is_told_first)
{
    static const char text[] =
        "OPTIONS sip:bob@example.com SIP/2.0\r\nVia: SIP/2.0/TCP 192.0.2.1;branch=z9hG4bK1\r\n"
        "From: <sip:a@x>;tag=1\r\nTo: <sip:b@x>\r\nCall-ID: 1\r\nCSeq: 1 OPTIONS\r\n"
        "Content-Length: 70000\r\n\r\n";

    rig_bytes(&rig, ALICE, span_of(text), 413, "Too Long");
    rig_expect(&rig, ALICE, "SIP/2.0 413 Too Long\r\n");
    rig_alive(&rig, 0, 0, 0);
}
END_TEST

START_TEST(a_faulty_response_is_a_stray)
{
    const struct rig_sent *invite;

    rig_bind(&rig, "bob", "sip:bob@192.0.2.9", NULL, 1000);
    rig_ask(&rig, ALICE, INVITE_BOB, NULL);
    invite = rig_expect(&rig, BOB, "INVITE ");
    rig_reply(&rig, invite, 200, "b", "Content-Length: 500", NULL);
    rig_quiet(&rig);
    ck_assert_uint_eq(rig_counter(&rig, "core_stray_responses"), 1);
    rig_reply(&rig, invite, 200, "b", NULL);
    rig_expect(&rig, ALICE, "SIP/2.0 200 ");
}
END_TEST

/* ---------------------------------------------------------------- repeats */

START_TEST(a_repeated_invite_is_no_new_one)
{
    const struct rig_sent *invite;

    rig_bind(&rig, "bob", "sip:bob@192.0.2.9", NULL, 1000);
    rig_ask(&rig, ALICE, INVITE_BOB, NULL);
    invite = rig_expect(&rig, BOB, "INVITE ");
    rig_ask(&rig, ALICE, INVITE_BOB, NULL);
    rig_expect(&rig, ALICE, "SIP/2.0 100 Trying\r\n");
    rig_ask(&rig, ALICE, INVITE_BOB, NULL);
    rig_expect(&rig, ALICE, "SIP/2.0 100 Trying\r\n");
    rig_reply(&rig, invite, 180, "b", NULL);
    rig_expect(&rig, ALICE, "SIP/2.0 180 ");
    rig_ask(&rig, ALICE, INVITE_BOB, NULL);
    rig_expect(&rig, ALICE, "SIP/2.0 180 ");
    rig_reply(&rig, invite, 200, "b", NULL);
    rig_expect(&rig, ALICE, "SIP/2.0 200 ");
    rig_ask(&rig, ALICE, INVITE_BOB, NULL);
    rig_quiet(&rig);
    ck_assert_uint_eq(rig_counter(&rig, "core_requests"), 1);
    ck_assert_uint_eq(rig_counter(&rig, "core_trips"), 1);
}
END_TEST

START_TEST(a_repeated_request_gets_its_answer_again)
{
    const struct rig_sent *message;

    rig_bind(&rig, "bob", "sip:bob@192.0.2.9", NULL, 1000);
    rig_ask(&rig, ALICE, "MESSAGE sip:bob@example.com SIP/2.0", NULL);
    message = rig_expect(&rig, BOB, "MESSAGE ");
    rig_ask(&rig, ALICE, "MESSAGE sip:bob@example.com SIP/2.0", NULL);
    rig_quiet(&rig);
    rig_reply(&rig, message, 202, "b", NULL);
    rig_expect(&rig, ALICE, "SIP/2.0 202 ");
    rig_ask(&rig, ALICE, "MESSAGE sip:bob@example.com SIP/2.0", NULL);
    rig_expect(&rig, ALICE, "SIP/2.0 202 ");
    rig_quiet(&rig);
}
END_TEST

START_TEST(a_peer_without_branches_is_served)
{
    const struct rig_sent *invite;

    rig_bind(&rig, "bob", "sip:bob@192.0.2.9", NULL, 1000);
    rig_ask(&rig, ALICE, INVITE_BOB, "Via: SIP/2.0/UDP 192.0.2.1", NULL);
    invite = rig_expect(&rig, BOB, "INVITE ");
    rig_ask(&rig, ALICE, INVITE_BOB, "Via: SIP/2.0/UDP 192.0.2.1", NULL);
    rig_expect(&rig, ALICE, "SIP/2.0 100 ");
    rig_reply(&rig, invite, 486, "b", NULL);
    rig_expect(&rig, BOB, "ACK ");
    rig_expect(&rig, ALICE, "SIP/2.0 486 ");
    rig.to_tag = "b";
    rig_ask(&rig, ALICE, "ACK sip:bob@example.com SIP/2.0", "Via: SIP/2.0/UDP 192.0.2.1", NULL);
    rig_pass(&rig, 60000);
    rig_quiet(&rig);
    rig_alive(&rig, 0, 0, 0);
}
END_TEST

Suite *
suite_intake(void)
{
    Suite *s = suite_create("intake");
    TCase *c = rig_case("entering");

    tcase_add_test(c, a_true_via_stays_as_it_is);
    tcase_add_test(c, another_source_is_received);
    tcase_add_test(c, the_source_port_alone_is_no_stamp);
    tcase_add_test(c, rport_is_filled_when_asked_for);
    tcase_add_test(c, what_the_sender_claims_is_replaced);
    tcase_add_test(c, a_listener_may_fill_rport_unasked_for_private_addresses);
    tcase_add_test(c, a_listener_may_fill_rport_always);
    tcase_add_test(c, a_groups_maddr_is_where_responses_go);
    tcase_add_test(c, a_connection_is_its_own_way_back);
    tcase_add_test(c, what_is_forwarded_is_stamped);
    tcase_add_test(c, what_cannot_be_answered_is_dropped);
    tcase_add_test(c, what_framing_found_wrong_is_refused);
    tcase_add_test(c, what_framing_found_wrong_is_told_first);
    tcase_add_test(c, a_faulty_response_is_a_stray);
    tcase_add_test(c, a_repeated_invite_is_no_new_one);
    tcase_add_test(c, a_repeated_request_gets_its_answer_again);
    tcase_add_test(c, a_peer_without_branches_is_served);
    suite_add_tcase(s, c);
    return s;
}
