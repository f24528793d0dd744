/*
 * One branch: where it goes, which hop is next, how it ends (RFC 3261 §16.6 steps 7 and 10, §16.9, RFC 3263 §4, RFC 5626 §5.3).
 */
#include "core/branch.h"

#include <stdio.h>

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
    rig.conf.silent_ms = 0;
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

/* The last INVITE that went there; NULL: none did. */
static const struct rig_sent *
invite_to(const char *to)
{
    struct hop hop = rig_hop(to);

    for (unsigned i = rig.sent_len; i-- > 0;)
        if (hop_eq(&rig.sent[i].to, &hop) && span_starts(rig.sent[i].bytes, SPAN("INVITE ")))
            return &rig.sent[i];
    return NULL;
}

/* proxy.silent_ms: its transaction goes on, and what it says late is for its branch. */
START_TEST(who_is_silent_is_left_before_it_gives_up)
{
    const struct rig_sent *one, *two;

    call_name();
    one = rig_expect(&rig, ONE, "INVITE ");
    rig_pass(&rig, rig.conf.silent_ms - 1);
    ck_assert_ptr_eq(invite_to(TWO), NULL);
    rig_pass(&rig, 1);
    two = invite_to(TWO);
    ck_assert_ptr_nonnull(two);
    rig_reply(&rig, two, 486, "b2", NULL);
    ck_assert_ptr_nonnull(rig_last(&rig, "SIP/2.0 486 "));
    rig_forget(&rig);
    rig_reply(&rig, one, 180, "b1", NULL);
    rig_expect(&rig, ONE, "CANCEL ");
}
END_TEST

/* Set to 0 while a hop is silent: then it is the transaction's own time that counts. */
START_TEST(a_silence_that_need_not_end_any_more)
{
    call_name();
    rig.conf.silent_ms = 0;
    rig_pass(&rig, 31999);
    ck_assert_ptr_eq(invite_to(TWO), NULL);
    rig_pass(&rig, 1);
    ck_assert_ptr_nonnull(invite_to(TWO));
}
END_TEST

/* All are dead: each is given the time of its transaction, and they take it side by side. */
START_TEST(silence_everywhere_is_408)
{
    call_name();
    rig_pass(&rig, 2 * rig.conf.silent_ms + 31999);
    ck_assert_ptr_null(rig_last(&rig, "SIP/2.0 408 "));
    rig_pass(&rig, 1);
    ck_assert_ptr_nonnull(rig_last(&rig, "SIP/2.0 408 "));
}
END_TEST

/* One is silent, the other rings and is cancelled. Returns what the silent one got. */
static const struct rig_sent *
give_up_beside_a_silent_one(void)
{
    const struct rig_sent *one, *two;

    call_name();
    one = rig_expect(&rig, ONE, "INVITE ");
    rig_pass(&rig, rig.conf.silent_ms);
    two = invite_to(TWO);
    rig_reply(&rig, two, 180, "b2", NULL);
    rig_forget(&rig);
    rig_ask(&rig, ALICE, "CANCEL sip:bob@example.com SIP/2.0", NULL);
    rig_expect(&rig, ALICE, "SIP/2.0 200 ");
    rig_expect(&rig, TWO, "CANCEL ");
    rig_reply(&rig, two, 487, "b2", NULL);
    rig_expect(&rig, TWO, "ACK ");
    rig_quiet(&rig);
    return one;
}

/* The silent one may have rung all the time: what it says is heard until its transaction ends. */
START_TEST(who_gives_up_hears_the_silent_one)
{
    rig_reply(&rig, give_up_beside_a_silent_one(), 200, "b1", NULL);
    ck_assert_ptr_nonnull(rig_last(&rig, "SIP/2.0 200 "));
    ck_assert_ptr_null(rig_last(&rig, "SIP/2.0 487 "));
}
END_TEST

START_TEST(who_gives_up_hears_487_when_the_silent_one_has_ended)
{
    give_up_beside_a_silent_one();
    rig_pass(&rig, 31999 - rig.conf.silent_ms);
    ck_assert_ptr_null(rig_last(&rig, "SIP/2.0 487 "));
    rig_pass(&rig, 1);
    ck_assert_ptr_nonnull(rig_last(&rig, "SIP/2.0 487 "));
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

/* ---------------------------------------------------------------- what the resolver is told */

START_TEST(the_resolver_hears_how_its_hops_fare)
{
    const struct rig_sent *third;

    call_name();
    rig_gone(&rig, rig_expect(&rig, ONE, "INVITE "));
    ck_assert_str_eq(rig.fared, "192.0.2.11:5060 failed");
    rig_pass(&rig, 4000);
    ck_assert_str_eq(rig.fared, "192.0.2.11:5060 failed, 192.0.2.12:5060 silent");
    third = rig_last(&rig, "INVITE ");
    rig.fared[0] = '\0';
    rig_reply(&rig, third, 180, "b", NULL);
    rig_reply(&rig, third, 200, "b", NULL);
    ck_assert_str_eq(rig.fared, "192.0.2.13:5060 answered");
}
END_TEST

/* RFC 3261 §21.5.4: without Retry-After it is as good as a 500. */
START_TEST(a_503_says_how_long)
{
    call_name();
    rig_reply(&rig, rig_expect(&rig, ONE, "INVITE "), 503, "x",
              "Retry-After: 17 (lunch);duration=9", NULL);
    rig_expect(&rig, ONE, "ACK ");
    rig_reply(&rig, rig_expect(&rig, TWO, "INVITE "), 503, "y", NULL);
    rig_expect(&rig, TWO, "ACK ");
    rig_reply(&rig, rig_expect(&rig, THREE, "INVITE "), 503, "y", "Retry-After: soon", NULL);
    ck_assert_str_eq(rig.fared,
                     "192.0.2.11:5060 busy 17, 192.0.2.12:5060 answered, 192.0.2.13:5060 answered");
}
END_TEST

/* A large request tries TCP first; that nobody listens there says nothing of the hop (RFC 3261 §18.1.1). */
START_TEST(the_try_over_a_stream_does_not_count)
{
    char large[2000];

    memset(large, 'x', sizeof large - 1);
    large[sizeof large - 1] = '\0';
    memcpy(large, "Subject: ", 9);
    rig.binds_len = 0;
    rig_bind(&rig, "bob", "sip:bob@phone.example.net", NULL, 1000);
    rig_new_branch(&rig);
    rig_ask(&rig, ALICE, INVITE_BOB, large, NULL);
    core_resolved(rig.core, rig.asked[0].branch,
                  &(struct hop){ .ip = { [10] = 0xff, 0xff, 192, 0, 2, 11 },
                                 .port = 5060,
                                 .transport = HOP_UDP,
                                 .by_rule = true },
                  1, SIPD_OK);
    rig_pass(&rig, 0);
    rig_gone(&rig, rig_expect(&rig, "tcp:192.0.2.11:5060/105060", "INVITE "));
    ck_assert_str_eq(rig.fared, "");
    rig_gone(&rig, rig_expect(&rig, ONE, "INVITE "));
    ck_assert_str_eq(rig.fared, "192.0.2.11:5060 failed");
}
END_TEST

START_TEST(of_addresses_nobody_hears)
{
    call_contact("sip:bob@192.0.2.9");
    rig_gone(&rig, rig_expect(&rig, BOB, "INVITE "));
    ck_assert_str_eq(rig.fared, "");
}
END_TEST

/* RFC 3263 §4.3: a failure is a silence from the start, and who said 100 has the request. */
START_TEST(who_said_anything_is_not_passed_over)
{
    call_contact("sip:bob@phone.example.net");
    rig_resolved(&rig, 0, SIPD_ENOENT, NULL);
    rig_forget(&rig);
    rig_new_branch(&rig);
    rig_ask(&rig, ALICE, "OPTIONS sip:bob@example.com SIP/2.0", NULL);
    rig_resolved(&rig, 1, SIPD_OK, ONE, TWO, NULL);
    rig_reply(&rig, rig_expect(&rig, ONE, "OPTIONS "), 100, "", NULL);
    rig_pass(&rig, 40000);
    ck_assert(hop_eq(&rig_last(&rig, "OPTIONS ")->to, &(struct hop[]){ rig_hop(ONE) }[0]));
    ck_assert_str_eq(rig.fared, "192.0.2.11:5060 answered");
}
END_TEST

/* Chance is a function of the request, so a repeat without state goes the same way (RFC 3263 §4.4). */
START_TEST(the_seed_is_the_requests)
{
    call_contact("sip:bob@phone.example.net");
    ck_assert(!rig.asked[0].in_order && !rig.asked[0].stateless);
    rig.conf.mode = CORE_STATELESS;
    call_contact("sip:bob@phone.example.net");
    rig_ask(&rig, ALICE, INVITE_BOB, NULL);
    ck_assert_uint_eq(rig.asked_len, 3);
    ck_assert(rig.asked[1].stateless && rig.asked[2].stateless);
    ck_assert_uint_eq(rig.asked[1].seed, rig.asked[2].seed);
    ck_assert_uint_ne(rig.asked[0].seed, rig.asked[1].seed);
}
END_TEST

/* RFC 3261 §18.1.1 is for hops whose transport nobody named. */
START_TEST(a_hop_says_how_its_transport_was_chosen)
{
    static const struct {
        const char *contact;
        bool by_rule;
    } cases[] = {
        { "sip:bob@192.0.2.9", true },
        { "sip:bob@192.0.2.9:5070", true },
        { "sip:bob@192.0.2.9;transport=udp", false },
        { "sip:bob@192.0.2.9;transport=tcp", false },
        { "sips:bob@192.0.2.9", false },
    };

    for (size_t i = 0; i < countof(cases); i++) {
        call_contact(cases[i].contact);
        ck_assert_int_eq(rig_last(&rig, "INVITE ")->to.by_rule, cases[i].by_rule);
    }
    rig.binds_len = 0;
    rig_bind(&rig, "bob", "sip:bob@10.0.0.9", BOB, 1000);
    rig_new_branch(&rig);
    rig_ask(&rig, ALICE, INVITE_BOB, NULL);
    ck_assert(!rig_last(&rig, "INVITE ")->to.by_rule);
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

/* ---------------------------------------------------------------- what is large (§18.1.1) */

static char filler[1400];

/* Bob's contact is called with more than a datagram should carry. */
static void
call_large(const char *contact)
{
    snprintf(filler, sizeof filler, "Subject: %01200d", 1);
    rig.binds_len = 0;
    rig_bind(&rig, "bob", contact, NULL, 1000);
    rig_new_branch(&rig);
    rig_ask(&rig, ALICE, INVITE_BOB, filler, NULL);
}

START_TEST(what_is_large_goes_over_tcp_where_nobody_said_udp)
{
    const struct rig_sent *sent;

    call_large("sip:bob@192.0.2.9");
    sent = rig_expect(&rig, "tcp:192.0.2.9:5060", "INVITE ");
    ck_assert_uint_eq(sent->to.connect_ms, 500);
    ck_assert_str_eq(rig_value(sent, "Via", 0) + strlen("SIP/2.0/"),
                     strstr(rig_value(sent, "Via", 0), "TCP "));
    call_large("sip:bob@192.0.2.9;transport=udp");
    rig_expect(&rig, BOB, "INVITE ");
    rig_bind(&rig, "bob", "sip:bob@192.0.2.9", NULL, 1000);
    call_contact("sip:bob@192.0.2.9");
    rig_expect(&rig, BOB, "INVITE ");
    rig_quiet(&rig);
}
END_TEST

START_TEST(what_finds_no_connection_goes_by_datagram_to_the_same_hop)
{
    const struct rig_sent *large, *second;

    call_large("sip:bob@phone.example.net");
    rig_resolved(&rig, 0, SIPD_OK, ONE, TWO, NULL);
    rig_expect(&rig, ONE, "INVITE ");
    rig_forget(&rig);
    call_large("sip:bob@192.0.2.11");
    large = rig_expect(&rig, "tcp:192.0.2.11:5060", "INVITE ");
    rig_gone(&rig, large);
    second = rig_expect(&rig, ONE, "INVITE ");
    ck_assert_str_ne(strstr(rig_value(large, "Via", 0), "branch="),
                     strstr(rig_value(second, "Via", 0), "branch="));
    rig_gone(&rig, second);
    rig_expect(&rig, ALICE, "SIP/2.0 500 ");
    rig_quiet(&rig);
}
END_TEST

/* No listener of TCP, or one that failed not long ago: at once by datagram. */
START_TEST(without_a_way_over_tcp_it_goes_by_datagram_at_once)
{
    rig_block(&rig, "tcp:192.0.2.9:5060", SIPD_ENOENT);
    call_large("sip:bob@192.0.2.9");
    rig_expect(&rig, BOB, "INVITE ");
    rig_quiet(&rig);
}
END_TEST

/* Who was reached over TCP is not asked again over UDP. */
START_TEST(who_answers_over_tcp_is_not_asked_by_datagram)
{
    const struct rig_sent *large;

    call_large("sip:bob@192.0.2.9");
    large = rig_expect(&rig, "tcp:192.0.2.9:5060", "INVITE ");
    rig_reply(&rig, large, 503, "b", NULL);
    rig_expect(&rig, "tcp:192.0.2.9:5060", "ACK ");
    rig_expect(&rig, ALICE, "SIP/2.0 500 ");
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
    call_contact("sip:bob@example.net;transport=tls");
    rig_resolved(&rig, 0, SIPD_OK, "tls:192.0.2.9:5061", NULL);
    sent = rig_expect(&rig, "tls:192.0.2.9:5061", "INVITE ");
    ck_assert_uint_eq(sent->to.name, 77);
    ck_assert_str_eq(asked_name, "example.net");
    call_contact("sips:bob@192.0.2.9");
    ck_assert_str_eq(asked_name, "192.0.2.9");
    asked_name[0] = '\0';
    call_contact("sip:bob@192.0.2.9");
    ck_assert_str_eq(asked_name, "");
}
END_TEST

/* RFC 5923 §4: whoever proves to us who he is, and hears our proof, may use that connection, too. */
START_TEST(whom_we_connect_to_may_use_the_connection)
{
    const struct rig_sent *sent;

    rig.ports.name = number_of;
    rig_restart(&rig);
    call_contact("sip:bob@192.0.2.9;transport=tls");
    sent = rig_expect(&rig, "tls:192.0.2.9:5061", "INVITE ");
    ck_assert(rig_has(sent, ";alias;branch=z9hG4bK"));
    call_contact("sip:bob@192.0.2.9;transport=tcp");
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
    tcase_add_test(c, a_503_is_a_reason_to_try_the_next);
    tcase_add_test(c, a_silence_is_a_reason_to_try_the_next);
    tcase_add_test(c, who_is_silent_is_left_before_it_gives_up);
    tcase_add_test(c, a_silence_that_need_not_end_any_more);
    tcase_add_test(c, silence_everywhere_is_408);
    tcase_add_test(c, who_gives_up_hears_the_silent_one);
    tcase_add_test(c, who_gives_up_hears_487_when_the_silent_one_has_ended);
    tcase_add_test(c, a_transport_failure_is_a_reason_to_try_the_next);
    tcase_add_test(c, a_hop_without_a_way_is_passed_over);
    tcase_add_test(c, who_answered_is_not_asked_elsewhere);
    tcase_add_test(c, a_cancel_waits_for_the_hop_at_hand);
    tcase_add_test(c, a_lost_ack_starts_nothing);
    tcase_add_test(c, hops_without_number_are_cut_off);
    tcase_add_test(c, the_resolver_hears_how_its_hops_fare);
    tcase_add_test(c, a_503_says_how_long);
    tcase_add_test(c, the_try_over_a_stream_does_not_count);
    tcase_add_test(c, of_addresses_nobody_hears);
    tcase_add_test(c, who_said_anything_is_not_passed_over);
    tcase_add_test(c, the_seed_is_the_requests);
    tcase_add_test(c, a_hop_says_how_its_transport_was_chosen);
    tcase_add_test(c, a_dead_flow_is_480);
    tcase_add_test(c, a_flow_of_an_earlier_process_is_dead);
    tcase_add_test(c, a_dead_flow_does_not_hide_what_others_say);
    tcase_add_test(c, a_bounced_datagram_fails_its_branch);
    tcase_add_test(c, a_bounce_that_is_not_ours_is_ignored);
    tcase_add_test(c, what_is_large_goes_over_tcp_where_nobody_said_udp);
    tcase_add_test(c, what_finds_no_connection_goes_by_datagram_to_the_same_hop);
    tcase_add_test(c, without_a_way_over_tcp_it_goes_by_datagram_at_once);
    tcase_add_test(c, who_answers_over_tcp_is_not_asked_by_datagram);
    tcase_add_test(c, a_hop_with_proofs_is_named_by_what_was_asked_for);
    tcase_add_test(c, whom_we_connect_to_may_use_the_connection);
    suite_add_tcase(s, c);
    return s;
}
