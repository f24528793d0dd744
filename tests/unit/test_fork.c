/*
 * Several branches, at once and one group after the other: whose answer goes up, and what becomes of the others (RFC 3261 §16.7,
 * RFC 6026 §7).
 */
#include "core/best.h"

#include <stdio.h>

#include "unit/fork_rig.h"

#define MESSAGE_BOB "MESSAGE sip:bob@example.com SIP/2.0"

Suite *suite_fork(void);

/* ---------------------------------------------------------------- several branches */

START_TEST(the_best_answer_waits_for_all)
{
    static const struct {
        unsigned statuses[FORK_PHONES];
        const char *best;
    } cases[] = {
        { { 404, 486, 480, 0 }, "SIP/2.0 404 " },   /* equally good: the first branch */
        { { 503, 407, 501, 404 }, "SIP/2.0 407 " }, /* the RFC's own example */
        { { 500, 404, 302, 486 }, "SIP/2.0 302 " },
        { { 487, 408, 486, 0 }, "SIP/2.0 486 " },
        { { 503, 503, 0, 0 }, "SIP/2.0 500 Server " },
        { { 503, 500, 0, 0 }, "SIP/2.0 500 Whatever" },
        { { 404, 484, 0, 0 }, "SIP/2.0 484 " },
    };

    for (size_t i = 0; i < countof(cases); i++) {
        unsigned n = 0;

        while (n < FORK_PHONES && cases[i].statuses[n])
            n++;
        rig_new_branch(&rig);
        fork_to(n, INVITE_BOB);
        for (unsigned j = 0; j < n; j++) {
            rig_quiet(&rig);
            fork_fails(j, cases[i].statuses[j]);
        }
        rig_expect(&rig, ALICE, cases[i].best);
        rig_quiet(&rig);
    }
}
END_TEST

START_TEST(provisional_responses_of_all_go_up)
{
    fork_to(3, INVITE_BOB);
    rig_reply(&rig, fork_got[0], 180, "a", NULL);
    rig_expect(&rig, ALICE, "SIP/2.0 180 ");
    rig_reply(&rig, fork_got[2], 183, "c", NULL);
    rig_expect(&rig, ALICE, "SIP/2.0 183 ");
    rig_reply(&rig, fork_got[1], 180, "b", NULL);
    ck_assert_str_eq(rig_to_tag(rig_expect(&rig, ALICE, "SIP/2.0 180 ")), "b");
}
END_TEST

START_TEST(a_success_goes_up_at_once_and_cancels_the_others)
{
    const struct rig_sent *cancel;

    fork_to(3, INVITE_BOB);
    rig_reply(&rig, fork_got[0], 180, "a", NULL);
    rig_expect(&rig, ALICE, "SIP/2.0 180 ");
    rig_reply(&rig, fork_got[2], 180, "c", NULL);
    rig_expect(&rig, ALICE, "SIP/2.0 180 ");
    rig_reply(&rig, fork_got[2], 200, "c", NULL);
    rig_expect(&rig, ALICE, "SIP/2.0 200 ");
    cancel = rig_expect(&rig, fork_phones[0], "CANCEL sip:bob@192.0.2.11 SIP/2.0\r\n");
    ck_assert_str_eq(rig_value(cancel, "Reason", 0),
                     "SIP;cause=200;text=\"Call completed elsewhere\"");
    ck_assert_str_eq(rig_value(cancel, "Via", 0), rig_value(fork_got[0], "Via", 0));
    ck_assert_uint_eq(rig_count(cancel, "Via"), 1);
    rig_quiet(&rig); /* the second phone has said nothing yet (§9.1) */
    rig_reply(&rig, fork_got[1], 180, "b", NULL);
    rig_expect(&rig, fork_phones[1], "CANCEL ");
    rig_quiet(&rig);
    rig_reply(&rig, cancel, 200, "", NULL);
    fork_fails(0, 487);
    fork_fails(1, 487);
    rig_quiet(&rig);
    rig_alive(&rig, 0, 0, 6);
    rig_settled(&rig);
}
END_TEST

/* §16.7 step 5: every 2xx to an INVITE goes up, whoever was first. */
START_TEST(two_successes_both_go_up)
{
    fork_to(2, INVITE_BOB);
    rig_reply(&rig, fork_got[0], 200, "a", NULL);
    ck_assert_str_eq(rig_to_tag(rig_expect(&rig, ALICE, "SIP/2.0 200 ")), "a");
    rig_reply(&rig, fork_got[1], 200, "b", NULL);
    ck_assert_str_eq(rig_to_tag(rig_expect(&rig, ALICE, "SIP/2.0 200 ")), "b");
    rig_reply(&rig, fork_got[0], 200, "a", NULL);
    ck_assert_str_eq(rig_to_tag(rig_expect(&rig, ALICE, "SIP/2.0 200 ")), "a");
    rig_quiet(&rig);
}
END_TEST

START_TEST(nothing_but_successes_goes_up_after_a_success)
{
    fork_to(2, INVITE_BOB);
    rig_reply(&rig, fork_got[0], 200, "a", NULL);
    rig_expect(&rig, ALICE, "SIP/2.0 200 ");
    rig_reply(&rig, fork_got[1], 180, "b", NULL);
    rig_expect(&rig, fork_phones[1], "CANCEL ");
    fork_fails(1, 603);
    rig_quiet(&rig);
}
END_TEST

/* A 6xx ends the search, but goes up only when the others are done: one may still succeed. */
START_TEST(a_global_failure_cancels_the_others_and_waits)
{
    fork_to(3, INVITE_BOB);
    rig_reply(&rig, fork_got[0], 180, "a", NULL);
    rig_expect(&rig, ALICE, "SIP/2.0 180 ");
    rig_reply(&rig, fork_got[1], 603, "b", NULL);
    rig_expect(&rig, fork_phones[1], "ACK ");
    ck_assert_uint_eq(rig_count(rig_expect(&rig, fork_phones[0], "CANCEL "), "Reason"), 0);
    rig_quiet(&rig);
    fork_fails(0, 487);
    rig_quiet(&rig);
    fork_fails(2, 404);
    rig_expect(&rig, ALICE, "SIP/2.0 603 Whatever");
    rig_quiet(&rig);
}
END_TEST

START_TEST(a_success_beats_a_global_failure)
{
    fork_to(2, INVITE_BOB);
    fork_fails(0, 603);
    rig_reply(&rig, fork_got[1], 200, "b", NULL);
    rig_expect(&rig, ALICE, "SIP/2.0 200 ");
    rig_quiet(&rig);
}
END_TEST

/* §16.7 step 7: the caller needs every challenge. */
START_TEST(challenges_are_gathered)
{
    const struct rig_sent *challenge;

    fork_to(4, INVITE_BOB);
    rig_reply(&rig, fork_got[0], 404, "a", "WWW-Authenticate: Digest realm=\"not this\"", NULL);
    rig_reply(&rig, fork_got[1], 407, "b", "Proxy-Authenticate: Digest realm=\"b\", nonce=\"1\"",
              "Proxy-Authenticate: Digest realm=\"b2\", nonce=\"2\"", NULL);
    rig_reply(&rig, fork_got[2], 401, "c", "WWW-Authenticate: Digest realm=\"c\", nonce=\"3\"",
              NULL);
    rig_reply(&rig, fork_got[3], 401, "d", "WWW-Authenticate: Digest realm=\"d\", nonce=\"4\"",
              NULL);
    challenge = rig_last(&rig, "SIP/2.0 407 ");
    ck_assert_ptr_nonnull(challenge);
    ck_assert_str_eq(rig_to_tag(challenge), "b");
    ck_assert_uint_eq(rig_count(challenge, "Proxy-Authenticate"), 2);
    ck_assert_uint_eq(rig_count(challenge, "WWW-Authenticate"), 2);
    ck_assert_str_eq(rig_value(challenge, "WWW-Authenticate", 0),
                     "Digest realm=\"c\", nonce=\"3\"");
    ck_assert_str_eq(rig_value(challenge, "WWW-Authenticate", 1),
                     "Digest realm=\"d\", nonce=\"4\"");
}
END_TEST

/* ---------------------------------------------------------------- one group after the other */

/* Two fork_phones of q 1, one of 0.5, one of 0. */
static void
fork_by_q(void)
{
    static const uint32_t q[FORK_PHONES] = { 1000, 500, 1000, 0 };

    rig.conf.fork = CORE_FORK_Q;
    for (unsigned i = 0; i < FORK_PHONES; i++)
        rig_bind(&rig, "bob", fork_contacts[i], NULL, q[i]);
    rig_ask(&rig, ALICE, INVITE_BOB, NULL);
    fork_got[0] = rig_expect(&rig, fork_phones[0], "INVITE ");
    fork_got[2] = rig_expect(&rig, fork_phones[2], "INVITE ");
    rig_quiet(&rig);
}

START_TEST(the_next_group_follows_when_all_failed)
{
    fork_by_q();
    fork_fails(0, 486);
    rig_quiet(&rig);
    fork_fails(2, 404);
    fork_got[1] = rig_expect(&rig, fork_phones[1], "INVITE ");
    rig_quiet(&rig);
    rig_gone(&rig, fork_got[1]);
    fork_got[3] = rig_expect(&rig, fork_phones[3], "INVITE ");
    rig_quiet(&rig);
    fork_fails(3, 480);
    rig_expect(&rig, ALICE, "SIP/2.0 486 ");
    rig_quiet(&rig);
}
END_TEST

START_TEST(no_group_follows_a_success)
{
    fork_by_q();
    fork_fails(0, 486);
    rig_reply(&rig, fork_got[2], 200, "c", NULL);
    rig_expect(&rig, ALICE, "SIP/2.0 200 ");
    rig_settled(&rig);
    rig_quiet(&rig);
}
END_TEST

START_TEST(no_group_follows_a_global_failure)
{
    fork_by_q();
    fork_fails(0, 600);
    fork_fails(2, 404);
    rig_expect(&rig, ALICE, "SIP/2.0 600 ");
    rig_quiet(&rig);
}
END_TEST

/* No new branch at all: neither the next hop of another, nor one whose hops come late. */
START_TEST(no_hop_follows_a_global_failure)
{
    rig_bind(&rig, "bob", fork_contacts[0], NULL, 1000);
    rig_bind(&rig, "bob", "sip:bob@one.example.net", NULL, 1000);
    rig_bind(&rig, "bob", "sip:bob@two.example.net", NULL, 1000);
    rig_ask(&rig, ALICE, MESSAGE_BOB, NULL);
    fork_got[0] = rig_expect(&rig, fork_phones[0], "MESSAGE ");
    rig_resolved(&rig, 0, SIPD_OK, fork_phones[1], fork_phones[2], NULL);
    fork_got[1] = rig_expect(&rig, fork_phones[1], "MESSAGE ");
    rig_reply(&rig, fork_got[0], 600, "a", NULL);
    rig_reply(&rig, fork_got[1], 503, "b", NULL);
    rig_quiet(&rig);
    rig_resolved(&rig, 1, SIPD_OK, fork_phones[3], NULL);
    rig_expect(&rig, ALICE, "SIP/2.0 600 ");
    rig_quiet(&rig);
}
END_TEST

Suite *
suite_fork(void)
{
    Suite *s = suite_create("fork");
    TCase *c = rig_case("several branches");

    tcase_add_test(c, the_best_answer_waits_for_all);
    tcase_add_test(c, provisional_responses_of_all_go_up);
    tcase_add_test(c, a_success_goes_up_at_once_and_cancels_the_others);
    tcase_add_test(c, two_successes_both_go_up);
    tcase_add_test(c, nothing_but_successes_goes_up_after_a_success);
    tcase_add_test(c, a_global_failure_cancels_the_others_and_waits);
    tcase_add_test(c, a_success_beats_a_global_failure);
    tcase_add_test(c, challenges_are_gathered);
    tcase_add_test(c, the_next_group_follows_when_all_failed);
    tcase_add_test(c, no_group_follows_a_success);
    tcase_add_test(c, no_group_follows_a_global_failure);
    tcase_add_test(c, no_hop_follows_a_global_failure);
    suite_add_tcase(s, c);
    return s;
}
