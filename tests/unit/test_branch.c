/*
 * One branch: where it goes, which hop is next, how it ends (RFC 3261 §16.6 steps 7 and 10, §16.9, RFC 3263 §4, RFC 5626 §5.3).
 */
#include "core/branch.h"

#include "unit/core_rig.h"

#define ONE   "udp:192.0.2.11:5060"
#define TWO   "udp:192.0.2.12:5060"
#define THREE "udp:192.0.2.13:5060"

/* Bob has this contact and is called. */
static void
call_contact(const char *contact)
{
    rig.binds_len = 0;
    rig_bind(&rig, "bob", contact, NULL, 1000);
    rig_new_branch(&rig);
    rig_ask(&rig, ALICE, INVITE_BOB, NULL);
}

/* Bob's contact is a name with three hops. */
static void
call_name(void)
{
    call_contact("sip:bob@phone.example.net");
    rig_quiet(&rig);
    ck_assert_uint_eq(rig.asked_len, 1);
    rig_resolved(&rig, 0, SIPD_OK, ONE, TWO, THREE, NULL);
}

/* ---------------------------------------------------------------- addresses */

START_TEST(an_address_needs_no_look_up)
{
    static const struct {
        const char *contact, *to;
    } cases[] = {
        { "sip:bob@192.0.2.9", "udp:192.0.2.9:5060" },
        { "sip:bob@192.0.2.9:5070", "udp:192.0.2.9:5070" },
        { "sip:bob@192.0.2.9;transport=TCP", "tcp:192.0.2.9:5060" },
        { "sip:bob@192.0.2.9;transport=tls", "tls:192.0.2.9:5061" },
        { "sips:bob@192.0.2.9", "tls:192.0.2.9:5061" },
        { "sips:bob@192.0.2.9;transport=tcp", "tls:192.0.2.9:5061" },
        { "sips:bob@192.0.2.9:5070;transport=udp", "tls:192.0.2.9:5070" },
        { "sip:bob@[2001:db8::9]", "udp:[2001:db8::9]:5060" },
        { "sip:bob@phone.example.net;maddr=192.0.2.9", "udp:192.0.2.9:5060" },
        { "sip:bob@203.0.113.1:5062;maddr=192.0.2.9", "udp:192.0.2.9:5062" },
    };

    for (size_t i = 0; i < countof(cases); i++) {
        call_contact(cases[i].contact);
        rig_expect(&rig, cases[i].to, "INVITE ");
        rig_quiet(&rig);
    }
    ck_assert_uint_eq(rig.asked_len, 0);
}
END_TEST

START_TEST(a_contact_with_a_way_of_its_own_goes_there)
{
    rig_bind(&rig, "bob", "sip:bob@10.0.0.9:5060", "tcp:192.0.2.9:40001/12", 1000);
    rig_ask(&rig, ALICE, INVITE_BOB, NULL);
    rig_expect(&rig, "tcp:192.0.2.9:40001/12", "INVITE sip:bob@10.0.0.9:5060 ");
    rig_quiet(&rig);
}
END_TEST

/* A group would answer with many voices, of which a transaction hears one (§18.1.1). */
START_TEST(a_group_is_no_place_to_go)
{
    call_contact("sip:bob@224.0.1.75");
    rig_expect(&rig, ALICE, "SIP/2.0 500 ");
    call_contact("sip:bob@192.0.2.9;maddr=[ff02::1]");
    rig_expect(&rig, ALICE, "SIP/2.0 500 ");
    call_contact("sip:bob@phone.example.net");
    rig_resolved(&rig, 0, SIPD_OK, "udp:239.1.1.1:5060", ONE, NULL);
    rig_expect(&rig, ONE, "INVITE ");
    rig_quiet(&rig);
}
END_TEST

/* Behind two NATs the private address is often the same. */
START_TEST(one_uri_at_two_addresses_is_two_branches)
{
    const struct rig_sent *first, *second;

    rig_bind(&rig, "bob", "sip:bob@10.0.0.9:5060", ONE, 1000);
    rig_bind(&rig, "bob", "sip:bob@10.0.0.9:5060", TWO, 1000);
    rig_ask(&rig, ALICE, INVITE_BOB, NULL);
    first = rig_expect(&rig, ONE, "INVITE ");
    second = rig_expect(&rig, TWO, "INVITE ");
    rig_quiet(&rig);
    rig_reply(&rig, first, 486, "b1", NULL);
    rig_expect(&rig, ONE, "ACK ");
    rig_quiet(&rig);
    rig_reply(&rig, second, 200, "b2", NULL);
    rig_expect(&rig, ALICE, "SIP/2.0 200 ");
    rig_quiet(&rig);
}
END_TEST

/* ---------------------------------------------------------------- names */

START_TEST(a_name_is_looked_up)
{
    call_contact("sips:bob@phone.example.net:5070");
    rig_quiet(&rig);
    ck_assert_uint_eq(rig.asked_len, 1);
    ck_assert_str_eq(rig.asked[0].host, "phone.example.net");
    ck_assert_int_eq(rig.asked[0].scheme, URI_SIPS);
    rig_pass(&rig, 200);
    rig_expect(&rig, ALICE, "SIP/2.0 100 ");
    rig_resolved(&rig, 0, SIPD_OK, ONE, NULL);
    rig_expect(&rig, ONE, "INVITE sip:bob@phone.example.net:5070 ");
    rig_resolved(&rig, 0, SIPD_OK, TWO, NULL); /* stale */
    rig_quiet(&rig);
}
END_TEST

START_TEST(a_name_that_is_not_there_is_404)
{
    call_contact("sip:bob@phone.example.net");
    rig_resolved(&rig, 0, SIPD_ENOENT, NULL);
    rig_expect(&rig, ALICE, "SIP/2.0 404 ");
    rig_quiet(&rig);
}
END_TEST

START_TEST(a_name_that_cannot_be_looked_up_is_500)
{
    call_contact("sip:bob@phone.example.net");
    rig_resolved(&rig, 0, SIPD_EIO, NULL);
    rig_expect(&rig, ALICE, "SIP/2.0 500 ");
    rig.resolves = false;
    call_contact("sip:bob@phone.example.net");
    rig_expect(&rig, ALICE, "SIP/2.0 500 ");
    rig.ports.resolve = NULL;
    rig_restart(&rig);
    call_contact("sip:bob@phone.example.net");
    rig_expect(&rig, ALICE, "SIP/2.0 500 ");
    rig_quiet(&rig);
}
END_TEST

/* An unknown transport is for the resolver, which may know one. */
START_TEST(a_transport_that_we_do_not_know_is_looked_up)
{
    call_contact("sip:bob@192.0.2.9;transport=sctp");
    ck_assert_uint_eq(rig.asked_len, 1);
    rig_resolved(&rig, 0, SIPD_ENOENT, NULL);
    rig_expect(&rig, ALICE, "SIP/2.0 404 ");
}
END_TEST

/* ---------------------------------------------------------------- the next hop (RFC 3263 §4.3) */

/* Each attempt is another transaction with another branch. */
START_TEST(a_503_is_a_reason_to_try_the_next)
{
    const struct rig_sent *first, *second;

    call_name();
    first = rig_expect(&rig, ONE, "INVITE ");
    rig_reply(&rig, first, 503, "x", NULL);
    rig_expect(&rig, ONE, "ACK ");
    second = rig_expect(&rig, TWO, "INVITE ");
    ck_assert_str_ne(rig_value(first, "Via", 0), rig_value(second, "Via", 0));
    rig_reply(&rig, first, 503, "x", NULL);
    rig_expect(&rig, ONE, "ACK ");
    rig_quiet(&rig);
    rig_reply(&rig, second, 486, "y", NULL);
    rig_expect(&rig, TWO, "ACK ");
    rig_expect(&rig, ALICE, "SIP/2.0 486 ");
    rig_quiet(&rig);
}
END_TEST

START_TEST(a_silence_is_a_reason_to_try_the_next)
{
    call_name();
    rig_expect(&rig, ONE, "INVITE ");
    rig_pass(&rig, 31999);
    ck_assert_ptr_null(strstr(rig_times(&rig, "INVITE "), "32000"));
    rig_pass(&rig, 1);
    ck_assert_ptr_nonnull(strstr(rig_times(&rig, "INVITE "), "32000"));
    rig_forget(&rig);
    rig_pass(&rig, 31500);
    rig_reply(&rig, rig_last(&rig, "INVITE "), 200, "b", NULL);
    ck_assert_ptr_nonnull(rig_last(&rig, "SIP/2.0 200 "));
}
END_TEST

START_TEST(a_transport_failure_is_a_reason_to_try_the_next)
{
    call_name();
    rig_gone(&rig, rig_expect(&rig, ONE, "INVITE "));
    rig_gone(&rig, rig_expect(&rig, TWO, "INVITE "));
    rig_gone(&rig, rig_expect(&rig, THREE, "INVITE "));
    rig_expect(&rig, ALICE, "SIP/2.0 500 "); /* 503 of one branch, §16.7 step 6 */
    rig_quiet(&rig);
}
END_TEST

START_TEST(a_hop_without_a_way_is_passed_over)
{
    rig_block(&rig, ONE, SIPD_ENOENT);
    rig_block(&rig, TWO, SIPD_EFULL);
    call_name();
    rig_expect(&rig, THREE, "INVITE ");
    rig_quiet(&rig);
    rig_block(&rig, THREE, SIPD_ENOENT);
    rig.asked_len = 0;
    call_name();
    rig_expect(&rig, ALICE, "SIP/2.0 500 ");
    rig_quiet(&rig);
}
END_TEST

START_TEST(who_answered_is_not_asked_elsewhere)
{
    call_name();
    rig_reply(&rig, rig_expect(&rig, ONE, "INVITE "), 500, "x", NULL);
    rig_expect(&rig, ONE, "ACK ");
    rig_expect(&rig, ALICE, "SIP/2.0 500 Whatever");
    rig_quiet(&rig);
}
END_TEST

/* §9.1: the second hop has not said that it is there, whatever the first one said. */
START_TEST(a_cancel_waits_for_the_hop_at_hand)
{
    const struct rig_sent *invite;

    call_name();
    invite = rig_expect(&rig, ONE, "INVITE ");
    rig_reply(&rig, invite, 100, "", NULL);
    rig_reply(&rig, invite, 503, "x", NULL);
    rig_expect(&rig, ONE, "ACK ");
    invite = rig_expect(&rig, TWO, "INVITE ");
    rig_ask(&rig, ALICE, "CANCEL sip:bob@example.com SIP/2.0", NULL);
    rig_expect(&rig, ALICE, "SIP/2.0 200 ");
    rig_quiet(&rig);
    rig_reply(&rig, invite, 180, "b", NULL);
    rig_expect(&rig, TWO, "CANCEL ");
}
END_TEST

/* The ACK of a branch that is over may fail to leave; that is no reason to begin anew. */
START_TEST(a_lost_ack_starts_nothing)
{
    const struct rig_sent *first, *ack, *second;

    rig_bind(&rig, "bob", "sip:bob@phone.example.net", NULL, 1000);
    rig_bind(&rig, "bob", "sip:bob@192.0.2.9", NULL, 1000);
    rig_ask(&rig, ALICE, INVITE_BOB, NULL);
    second = rig_expect(&rig, BOB, "INVITE ");
    rig_resolved(&rig, 0, SIPD_OK, ONE, TWO, NULL);
    first = rig_expect(&rig, ONE, "INVITE ");
    rig_reply(&rig, first, 486, "x", NULL);
    ack = rig_expect(&rig, ONE, "ACK ");
    rig_gone(&rig, ack);
    rig_quiet(&rig);
    rig_reply(&rig, second, 404, "y", NULL);
    rig_expect(&rig, BOB, "ACK ");
    rig_expect(&rig, ALICE, "SIP/2.0 ");
    rig_quiet(&rig);
    rig_settled(&rig);
}
END_TEST

START_TEST(hops_without_number_are_cut_off)
{
    struct hop hops[600];

    call_contact("sip:bob@phone.example.net");
    rig_block(&rig, ONE, SIPD_ENOENT);
    for (size_t i = 0; i < countof(hops); i++)
        hops[i] = rig_hop(ONE);
    core_resolved(rig.core, rig.asked[0].branch, hops, countof(hops), SIPD_OK);
    rig_pass(&rig, 0);
    rig_expect(&rig, ALICE, "SIP/2.0 500 ");
    rig_quiet(&rig);
}
END_TEST

/* ---------------------------------------------------------------- dead flows */

START_TEST(a_dead_flow_is_480)
{
    rig_bind(&rig, "bob", "sip:bob@10.0.0.9;transport=tcp", "tcp:192.0.2.9:40001/12", 1000);
    rig_block(&rig, "tcp:192.0.2.9:40001", SIPD_ECLOSED);
    rig_ask(&rig, ALICE, INVITE_BOB, NULL);
    rig_expect(&rig, ALICE, "SIP/2.0 480 Temporarily Unavailable\r\n");
    rig_quiet(&rig);
}
END_TEST

START_TEST(a_flow_of_an_earlier_process_is_dead)
{
    rig_bind(&rig, "bob", "sip:bob@10.0.0.9;transport=tcp",
             "tcp:192.0.2.9:40001/18446744073709551615", 1000);
    rig_ask(&rig, ALICE, INVITE_BOB, NULL);
    rig_expect(&rig, ALICE, "SIP/2.0 480 ");
    rig_quiet(&rig);
}
END_TEST

START_TEST(a_dead_flow_does_not_hide_what_others_say)
{
    rig_bind(&rig, "bob", "sip:bob@10.0.0.9;transport=tcp", "tcp:192.0.2.9:40001/12", 1000);
    rig_bind(&rig, "bob", "sip:bob@192.0.2.9", NULL, 1000);
    rig_block(&rig, "tcp:192.0.2.9:40001", SIPD_ECLOSED);
    rig_ask(&rig, ALICE, INVITE_BOB, NULL);
    rig_reply(&rig, rig_expect(&rig, BOB, "INVITE "), 486, "b", NULL);
    rig_expect(&rig, BOB, "ACK ");
    rig_expect(&rig, ALICE, "SIP/2.0 486 ");
    rig_quiet(&rig);
}
END_TEST

/* ---------------------------------------------------------------- what the network gives back */

/* The start of a datagram that we sent comes back from the network. */
static void
bounce(const struct rig_sent *sent, size_t bytes, const char *to)
{
    struct hop hop = rig_hop(to);

    core_bounced(rig.core, &hop, span_head(sent->bytes, bytes));
    rig_pass(&rig, 0);
}

START_TEST(a_bounced_datagram_fails_its_branch)
{
    const struct rig_sent *invite;

    call_name();
    invite = rig_expect(&rig, ONE, "INVITE ");
    bounce(invite, invite->bytes.len, ONE);
    rig_expect(&rig, TWO, "INVITE ");
    bounce(invite, invite->bytes.len, ONE);
    rig_quiet(&rig);
}
END_TEST

START_TEST(a_bounce_that_is_not_ours_is_ignored)
{
    const struct rig_sent *invite;
    struct rig_sent forged;

    call_name();
    invite = rig_expect(&rig, ONE, "INVITE ");
    bounce(invite, invite->bytes.len, TWO);
    bounce(invite, 30, ONE);
    bounce(invite, 0, ONE);
    forged = *invite;
    forged.bytes =
        SPAN("INVITE sip:bob@x SIP/2.0\r\nVia: SIP/2.0/UDP 198.51.100.1:5060;branch=z9hG4bKx\r\n"
             "CSeq: 1 INVITE\r\n\r\n");
    bounce(&forged, forged.bytes.len, ONE);
    forged.bytes =
        SPAN("SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKx\r\n\r\n");
    bounce(&forged, forged.bytes.len, ONE);
    rig_quiet(&rig);
}
END_TEST

Suite *
suite_branch(void)
{
    Suite *s = suite_create("branch");
    TCase *c = rig_case("hops");

    tcase_add_test(c, an_address_needs_no_look_up);
    tcase_add_test(c, a_contact_with_a_way_of_its_own_goes_there);
    tcase_add_test(c, a_group_is_no_place_to_go);
    tcase_add_test(c, one_uri_at_two_addresses_is_two_branches);
    tcase_add_test(c, a_name_is_looked_up);
    tcase_add_test(c, a_name_that_is_not_there_is_404);
    tcase_add_test(c, a_name_that_cannot_be_looked_up_is_500);
    tcase_add_test(c, a_transport_that_we_do_not_know_is_looked_up);
    tcase_add_test(c, a_503_is_a_reason_to_try_the_next);
    tcase_add_test(c, a_silence_is_a_reason_to_try_the_next);
    tcase_add_test(c, a_transport_failure_is_a_reason_to_try_the_next);
    tcase_add_test(c, a_hop_without_a_way_is_passed_over);
    tcase_add_test(c, who_answered_is_not_asked_elsewhere);
    tcase_add_test(c, a_cancel_waits_for_the_hop_at_hand);
    tcase_add_test(c, a_lost_ack_starts_nothing);
    tcase_add_test(c, hops_without_number_are_cut_off);
    tcase_add_test(c, a_dead_flow_is_480);
    tcase_add_test(c, a_flow_of_an_earlier_process_is_dead);
    tcase_add_test(c, a_dead_flow_does_not_hide_what_others_say);
    tcase_add_test(c, a_bounced_datagram_fails_its_branch);
    tcase_add_test(c, a_bounce_that_is_not_ours_is_ignored);
    suite_add_tcase(s, c);
    return s;
}
