/*
 * One branch: where it goes, which hop is next, how it ends (RFC 3261 §16.6 steps 7 and 10, §16.9, RFC 3263 §4, RFC 5626 §5.3).
 */
#include "core/branch.h"

#include <stdio.h>

#include "unit/branch_rig.h"

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
        branch_call(cases[i].contact);
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
    branch_call("sip:bob@224.0.1.75");
    rig_expect(&rig, ALICE, "SIP/2.0 500 ");
    branch_call("sip:bob@192.0.2.9;maddr=[ff02::1]");
    rig_expect(&rig, ALICE, "SIP/2.0 500 ");
    branch_call("sip:bob@phone.example.net");
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
    branch_call("sips:bob@phone.example.net:5070");
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
    branch_call("sip:bob@phone.example.net");
    rig_resolved(&rig, 0, SIPD_ENOENT, NULL);
    rig_expect(&rig, ALICE, "SIP/2.0 404 ");
    rig_quiet(&rig);
}
END_TEST

START_TEST(a_name_that_cannot_be_looked_up_is_500)
{
    branch_call("sip:bob@phone.example.net");
    rig_resolved(&rig, 0, SIPD_EIO, NULL);
    rig_expect(&rig, ALICE, "SIP/2.0 500 ");
    rig.resolves = false;
    branch_call("sip:bob@phone.example.net");
    rig_expect(&rig, ALICE, "SIP/2.0 500 ");
    rig.ports.resolve = NULL;
    rig_restart(&rig);
    branch_call("sip:bob@phone.example.net");
    rig_expect(&rig, ALICE, "SIP/2.0 500 ");
    rig_quiet(&rig);
}
END_TEST

/* An unknown transport is for the resolver, which may know one. */
START_TEST(a_transport_that_we_do_not_know_is_looked_up)
{
    branch_call("sip:bob@192.0.2.9;transport=sctp");
    ck_assert_uint_eq(rig.asked_len, 1);
    rig_resolved(&rig, 0, SIPD_ENOENT, NULL);
    rig_expect(&rig, ALICE, "SIP/2.0 404 ");
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

    branch_call_name();
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

    branch_call_name();
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

/* ---------------------------------------------------------------- whom it must prove to be (RFC 5922 §4) */

static char asked_name[64];

static uint32_t
number_of(void *io, struct span host)
{
    (void)io;
    snprintf(asked_name, sizeof asked_name, "%.*s", SPAN_ARG(host));
    return 77;
}

START_TEST(a_hop_with_proofs_is_named_by_what_was_asked_for)
{
    const struct rig_sent *sent;

    rig.ports.name = number_of;
    rig_restart(&rig);
    branch_call("sip:bob@example.net;transport=tls");
    rig_resolved(&rig, 0, SIPD_OK, "tls:192.0.2.9:5061", NULL);
    sent = rig_expect(&rig, "tls:192.0.2.9:5061", "INVITE ");
    ck_assert_uint_eq(sent->to.name, 77);
    ck_assert_str_eq(asked_name, "example.net");
    branch_call("sips:bob@192.0.2.9");
    ck_assert_str_eq(asked_name, "192.0.2.9");
    asked_name[0] = '\0';
    branch_call("sip:bob@192.0.2.9");
    ck_assert_str_eq(asked_name, "");
}
END_TEST

/* RFC 5923 §4: whoever proves to us who he is, and hears our proof, may use that connection, too. */
START_TEST(whom_we_connect_to_may_use_the_connection)
{
    const struct rig_sent *sent;

    rig.ports.name = number_of;
    rig_restart(&rig);
    branch_call("sip:bob@192.0.2.9;transport=tls");
    sent = rig_expect(&rig, "tls:192.0.2.9:5061", "INVITE ");
    ck_assert(rig_has(sent, ";alias;branch=z9hG4bK"));
    branch_call("sip:bob@192.0.2.9;transport=tcp");
    sent = rig_expect(&rig, "tcp:192.0.2.9:5060", "INVITE ");
    ck_assert(!rig_has(sent, "alias"));
    rig.binds_len = 0;
    rig_bind(&rig, "bob", "sip:bob@192.0.2.9", "tls:192.0.2.9:40001/12", 1000);
    rig_new_branch(&rig);
    rig_ask(&rig, ALICE, INVITE_BOB, NULL);
    sent = rig_expect(&rig, "tls:192.0.2.9:40001/12", "INVITE ");
    ck_assert(!rig_has(sent, "alias"));
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
    tcase_add_test(c, a_dead_flow_is_480);
    tcase_add_test(c, a_flow_of_an_earlier_process_is_dead);
    tcase_add_test(c, a_dead_flow_does_not_hide_what_others_say);
    tcase_add_test(c, a_bounced_datagram_fails_its_branch);
    tcase_add_test(c, a_bounce_that_is_not_ours_is_ignored);
    tcase_add_test(c, a_hop_with_proofs_is_named_by_what_was_asked_for);
    tcase_add_test(c, whom_we_connect_to_may_use_the_connection);
    suite_add_tcase(s, c);
    return s;
}
