/*
 * ACK: for a failure it ends here, for a 2xx it goes on (RFC 3261 §16.7 last words, §17.2.1, RFC 6026 §7.1).
 */
#include "core/ack.h"

#include "unit/core_rig.h"

/* Alice calls bob, who answers so. */
static const struct rig_sent *
call(unsigned status)
{
    const struct rig_sent *invite;

    rig_bind(&rig, "bob", "sip:bob@192.0.2.9", NULL, 1000);
    rig_ask(&rig, ALICE, INVITE_BOB, NULL);
    invite = rig_expect(&rig, BOB, "INVITE ");
    rig_reply(&rig, invite, status, "b1", NULL);
    rig_forget(&rig);
    rig.to_tag = "b1";
    return invite;
}

START_TEST(the_ack_of_a_failure_stops_its_repeats)
{
    call(486);
    rig_pass(&rig, 1600);
    ck_assert_str_eq(rig_times(&rig, "SIP/2.0 486 "), "0 500 1500");
    rig_forget(&rig);
    rig_ask(&rig, ALICE, "ACK sip:bob@example.com SIP/2.0", NULL);
    rig_ask(&rig, ALICE, "ACK sip:bob@example.com SIP/2.0", NULL);
    rig_settled(&rig);
    rig_quiet(&rig);
}
END_TEST

START_TEST(the_ack_of_a_success_goes_on_without_a_transaction)
{
    const struct rig_sent *invite = call(200), *ack;

    rig_new_branch(&rig);
    rig_ask(&rig, ALICE, "ACK sip:bob@192.0.2.9 SIP/2.0",
            rig_line("Route", rig_value(invite, "Record-Route", 0)), NULL);
    ack = rig_expect(&rig, BOB, "ACK sip:bob@192.0.2.9 SIP/2.0\r\n");
    ck_assert_uint_eq(rig_count(ack, "Via"), 2);
    ck_assert_str_eq(rig_value(ack, "Max-Forwards", 0), "69");
    ck_assert_uint_eq(ack->token, 0);
    rig_alive(&rig, 0, 0, 2);
    rig_ask(&rig, ALICE, "ACK sip:bob@192.0.2.9 SIP/2.0",
            rig_line("Route", rig_value(invite, "Record-Route", 0)), NULL);
    ck_assert_str_eq(rig_value(rig_expect(&rig, BOB, "ACK "), "Via", 0), rig_value(ack, "Via", 0));
    rig_quiet(&rig);
    rig_settled(&rig);
    rig_quiet(&rig);
}
END_TEST

/* Some peers use the INVITE's branch again; RFC 2543 peers cannot do else. */
START_TEST(the_ack_of_a_success_goes_on_even_with_the_branch_of_its_invite)
{
    const struct rig_sent *invite = call(200);

    rig_ask(&rig, ALICE, "ACK sip:bob@192.0.2.9 SIP/2.0",
            rig_line("Route", rig_value(invite, "Record-Route", 0)), NULL);
    rig_expect(&rig, BOB, "ACK sip:bob@192.0.2.9 ");
    rig_quiet(&rig);
}
END_TEST

START_TEST(an_ack_needs_leave_to_leave)
{
    call(200);
    rig_new_branch(&rig);
    rig_ask(&rig, ALICE, "ACK sip:bob@192.0.2.9 SIP/2.0", NULL);
    rig_quiet(&rig);
    rig.conf.relay = CORE_RELAY_ANY;
    rig_ask(&rig, ALICE, "ACK sip:bob@192.0.2.9 SIP/2.0", NULL);
    rig_expect(&rig, BOB, "ACK ");
}
END_TEST

START_TEST(an_ack_to_a_user_of_ours_finds_its_contact)
{
    call(200);
    rig_new_branch(&rig);
    rig_ask(&rig, ALICE, "ACK sip:bob@example.com SIP/2.0", NULL);
    rig_expect(&rig, BOB, "ACK sip:bob@192.0.2.9 SIP/2.0\r\n");
    rig_quiet(&rig);
}
END_TEST

START_TEST(an_ack_may_need_a_look_up)
{
    const struct rig_sent *invite = call(200);

    rig_new_branch(&rig);
    rig_ask(&rig, ALICE, "ACK sip:bob@phone.example.net SIP/2.0",
            rig_line("Route", rig_value(invite, "Record-Route", 0)), NULL);
    rig_quiet(&rig);
    rig_alive(&rig, 1, 1, 2);
    rig_resolved(&rig, 0, SIPD_OK, "udp:192.0.2.77:5060", "udp:192.0.2.78:5060", NULL);
    rig_expect(&rig, "udp:192.0.2.77:5060", "ACK sip:bob@phone.example.net ");
    rig_quiet(&rig);
    rig_alive(&rig, 0, 0, 2);
    rig_new_branch(&rig);
    rig_ask(&rig, ALICE, "ACK sip:bob@phone.example.net SIP/2.0",
            rig_line("Route", rig_value(invite, "Record-Route", 0)), NULL);
    rig_resolved(&rig, 1, SIPD_ENOENT, NULL);
    rig_quiet(&rig);
    rig_alive(&rig, 0, 0, 2);
}
END_TEST

START_TEST(an_ack_for_several_contacts_reaches_all)
{
    call(200);
    rig_bind(&rig, "bob", "sip:bob@phone.example.net", NULL, 1000);
    rig_bind(&rig, "bob", "sip:bob@192.0.2.8", NULL, 1000);
    rig_new_branch(&rig);
    rig_ask(&rig, ALICE, "ACK sip:bob@example.com SIP/2.0", NULL);
    rig_expect(&rig, BOB, "ACK ");
    rig_expect(&rig, "udp:192.0.2.8:5060", "ACK ");
    rig_resolved(&rig, 0, SIPD_OK, "udp:192.0.2.7:5060", NULL);
    rig_expect(&rig, "udp:192.0.2.7:5060", "ACK ");
    rig_quiet(&rig);
    rig_alive(&rig, 0, 0, 2);
}
END_TEST

START_TEST(an_ack_before_any_answer_is_absorbed)
{
    rig_bind(&rig, "bob", "sip:bob@192.0.2.9", NULL, 1000);
    rig_ask(&rig, ALICE, INVITE_BOB, NULL);
    rig_expect(&rig, BOB, "INVITE ");
    rig_ask(&rig, ALICE, "ACK sip:bob@example.com SIP/2.0", NULL);
    rig_quiet(&rig);
}
END_TEST

/* Hooks see it from ON_TARGETS on; one that answers it only drops it. */
static unsigned asked[SIPD_STAGES];

static enum sipd_verdict
count(struct sipd_req *req, void *self)
{
    (void)self;
    asked[req->stage]++;
    return SIPD_PASS;
}

START_TEST(hooks_see_it_from_targets_on)
{
    struct chain_hook hook = { .order = 1, .fn = count, .name = "test" };

    call(200);
    for (enum sipd_stage stage = 0; stage < SIPD_STAGES; stage++)
        ck_assert_int_eq(chain_add(core_chain(rig.core), stage, &hook), SIPD_OK);
    memset(asked, 0, sizeof asked);
    rig_new_branch(&rig);
    rig_ask(&rig, ALICE, "ACK sip:bob@example.com SIP/2.0", NULL);
    rig_expect(&rig, BOB, "ACK ");
    ck_assert_uint_eq(asked[SIPD_ON_REQUEST], 0);
    ck_assert_uint_eq(asked[SIPD_ON_TARGETS], 1);
    ck_assert_uint_eq(asked[SIPD_ON_BRANCH], 1);
    ck_assert_uint_eq(asked[SIPD_ON_RESPONSE], 0);
    ck_assert_uint_eq(asked[SIPD_ON_REPLY], 0);
}
END_TEST

Suite *
suite_ack(void)
{
    Suite *s = suite_create("ack");
    TCase *c = rig_case("ways");

    tcase_add_test(c, the_ack_of_a_failure_stops_its_repeats);
    tcase_add_test(c, the_ack_of_a_success_goes_on_without_a_transaction);
    tcase_add_test(c, the_ack_of_a_success_goes_on_even_with_the_branch_of_its_invite);
    tcase_add_test(c, an_ack_needs_leave_to_leave);
    tcase_add_test(c, an_ack_to_a_user_of_ours_finds_its_contact);
    tcase_add_test(c, an_ack_may_need_a_look_up);
    tcase_add_test(c, an_ack_for_several_contacts_reaches_all);
    tcase_add_test(c, an_ack_before_any_answer_is_absorbed);
    tcase_add_test(c, hooks_see_it_from_targets_on);
    suite_add_tcase(s, c);
    return s;
}
