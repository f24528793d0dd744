/*
 * Hops one after the other: what is a reason to try the next, and what the resolver is told of each (RFC 3261 §16.7, §16.9,
 * RFC 3263 §4.3).
 */
#include "core/branch.h"

#include <stdio.h>

#include "unit/branch_rig.h"

Suite *suite_next_hop(void);

/* ---------------------------------------------------------------- the next hop (RFC 3263 §4.3) */

/* Each attempt is another transaction with another branch. */
START_TEST(a_503_is_a_reason_to_try_the_next)
{
    const struct rig_sent *first, *second;

    branch_call_name();
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
    branch_call_name();
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

    branch_call_name();
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
    branch_call_name();
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
    branch_call_name();
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

    branch_call_name();
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
    branch_call_name();
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
    branch_call_name();
    rig_expect(&rig, THREE, "INVITE ");
    rig_quiet(&rig);
    rig_block(&rig, THREE, SIPD_ENOENT);
    rig.asked_len = 0;
    branch_call_name();
    rig_expect(&rig, ALICE, "SIP/2.0 500 ");
    rig_quiet(&rig);
}
END_TEST

START_TEST(who_answered_is_not_asked_elsewhere)
{
    branch_call_name();
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

    branch_call_name();
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

    branch_call("sip:bob@phone.example.net");
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

    branch_call_name();
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
    branch_call_name();
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
    branch_call("sip:bob@192.0.2.9");
    rig_gone(&rig, rig_expect(&rig, BOB, "INVITE "));
    ck_assert_str_eq(rig.fared, "");
}
END_TEST

/* RFC 3263 §4.3: a failure is a silence from the start, and who said 100 has the request. */
START_TEST(who_said_anything_is_not_passed_over)
{
    branch_call("sip:bob@phone.example.net");
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
    branch_call("sip:bob@phone.example.net");
    ck_assert(!rig.asked[0].in_order && !rig.asked[0].stateless);
    rig.conf.mode = CORE_STATELESS;
    branch_call("sip:bob@phone.example.net");
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
        branch_call(cases[i].contact);
        ck_assert_int_eq(rig_last(&rig, "INVITE ")->to.by_rule, cases[i].by_rule);
    }
    rig.binds_len = 0;
    rig_bind(&rig, "bob", "sip:bob@10.0.0.9", BOB, 1000);
    rig_new_branch(&rig);
    rig_ask(&rig, ALICE, INVITE_BOB, NULL);
    ck_assert(!rig_last(&rig, "INVITE ")->to.by_rule);
}
END_TEST

Suite *
suite_next_hop(void)
{
    Suite *s = suite_create("next_hop");
    TCase *c = rig_case("hops");

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
    suite_add_tcase(s, c);
    return s;
}
