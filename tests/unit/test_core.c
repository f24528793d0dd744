/*
 * Whole calls through the proxy core, and what is left of them (RFC 3261 §16).
 */
#include "core/core.h"

#include "unit/core_rig.h"

START_TEST(a_call_is_set_up_and_ended)
{
    const struct rig_sent *invite, *ok, *ack, *bye;
    const char *route;

    rig_bind(&rig, "bob", "sip:bob@192.0.2.9:5060", NULL, 1000);
    rig_ask(&rig, ALICE, INVITE_BOB, "Contact: <sip:alice@192.0.2.1:5060>", "X-Other: one", NULL);
    invite = rig_expect(&rig, BOB, "INVITE sip:bob@192.0.2.9:5060 SIP/2.0\r\n");
    rig_quiet(&rig);
    ck_assert_uint_eq(rig_count(invite, "Via"), 2);
    ck_assert_str_eq(rig_value(invite, "Via", 1), "SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKa1");
    ck_assert_str_eq(rig_value(invite, "Max-Forwards", 0), "69");
    ck_assert_uint_eq(rig_count(invite, "Record-Route"), 1);

    rig_reply(&rig, invite, 180, "b1", "Contact: <sip:bob@192.0.2.9:5060>", NULL);
    rig_expect(&rig, ALICE, "SIP/2.0 180 Whatever\r\n");
    rig_reply(&rig, invite, 200, "b1", "Contact: <sip:bob@192.0.2.9:5060>", NULL);
    ok = rig_expect(&rig, ALICE, "SIP/2.0 200 Whatever\r\n");
    ck_assert_uint_eq(rig_count(ok, "Via"), 1);
    ck_assert_str_eq(rig_to_tag(ok), "b1");
    rig_quiet(&rig);
    rig_alive(&rig, 0, 0, 2);

    route = rig_line("Route", rig_value(ok, "Record-Route", 0));
    rig.to_tag = "b1";
    rig_new_branch(&rig);
    rig_ask(&rig, ALICE, "ACK sip:bob@192.0.2.9:5060 SIP/2.0", route, NULL);
    ack = rig_expect(&rig, BOB, "ACK sip:bob@192.0.2.9:5060 SIP/2.0\r\n");
    ck_assert_uint_eq(rig_count(ack, "Route"), 0);
    ck_assert_uint_eq(rig_count(ack, "Record-Route"), 0);
    ck_assert_uint_eq(rig_count(ack, "Via"), 2);
    rig_quiet(&rig);

    rig_new_branch(&rig);
    rig.cseq++;
    rig_ask(&rig, ALICE, "BYE sip:bob@192.0.2.9:5060 SIP/2.0", route, NULL);
    bye = rig_expect(&rig, BOB, "BYE sip:bob@192.0.2.9:5060 SIP/2.0\r\n");
    ck_assert_uint_eq(rig_count(bye, "Route"), 0);
    rig_reply(&rig, bye, 200, "", NULL);
    rig_expect(&rig, ALICE, "SIP/2.0 200 Whatever\r\n");
    rig_quiet(&rig);
    rig_settled(&rig);
    rig_quiet(&rig);
}
END_TEST

/* ---------------------------------------------------------------- what is left */

START_TEST(nothing_is_due_when_nothing_is_there)
{
    ck_assert_uint_eq(core_next_ms(rig.core), UINT64_MAX);
    rig_bind(&rig, "bob", "sip:bob@192.0.2.9", NULL, 1000);
    rig_ask(&rig, ALICE, INVITE_BOB, NULL);
    ck_assert_uint_le(core_next_ms(rig.core), rig.clock.now_ms + 200);
    rig_settled(&rig);
    core_tick(rig.core);
    ck_assert_uint_eq(core_next_ms(rig.core), UINT64_MAX);
}
END_TEST

static unsigned
sent_so_far(void)
{
    return rig.sent_len;
}

/* Much is due at once: a turn does a part of it, and the next one comes without a wait (house rule 16). */
START_TEST(what_is_too_much_for_a_turn_waits_for_the_next)
{
    enum { CALLS = 40, A_TURN = 16 };
    unsigned before, turns = 0;

    rig_bind(&rig, "bob", "sip:bob@192.0.2.9", NULL, 1000);
    for (unsigned i = 0; i < CALLS; i++) {
        rig_new_branch(&rig);
        rig_ask(&rig, ALICE, INVITE_BOB, NULL);
    }
    rig_pass(&rig, 400); /* each got its 100 */
    before = sent_so_far();
    ck_assert_uint_eq(before, 2 * CALLS);
    rig.spent = true;
    rig.clock.now_ms += 100; /* Timer A of all of them */
    for (; core_next_ms(rig.core) <= rig.clock.now_ms; turns++) {
        unsigned at = sent_so_far();

        ck_assert_uint_lt(turns, CALLS);
        core_tick(rig.core);
        ck_assert_uint_le(sent_so_far() - at, A_TURN);
        ck_assert_uint_gt(sent_so_far() - at, 0);
    }
    ck_assert_uint_eq(sent_so_far() - before, CALLS);
    ck_assert_uint_ge(turns, 3);
    rig.spent = false;
    rig_settled(&rig);
}
END_TEST

START_TEST(what_is_alive_is_told)
{
    const struct rig_sent *invite;
    struct core_stats stats;

    rig_bind(&rig, "bob", "sip:bob@192.0.2.9", NULL, 1000);
    rig_bind(&rig, "bob", "sip:bob@192.0.2.8", NULL, 1000);
    rig_ask(&rig, ALICE, INVITE_BOB, NULL);
    core_stats(rig.core, &stats);
    ck_assert_uint_eq(stats.trips, 1);
    ck_assert_uint_eq(stats.branches, 2);
    ck_assert_uint_eq(stats.transactions, 3);
    ck_assert_uint_eq(stats.pending, 1);
    invite = rig_expect(&rig, BOB, "INVITE ");
    rig_reply(&rig, invite, 200, "t", NULL);
    core_stats(rig.core, &stats);
    ck_assert_uint_eq(stats.pending, 0);
    ck_assert_uint_eq(stats.trips, 1); /* the other branch */
    ck_assert_ptr_eq(core_txns(rig.core)->clock, &rig.clock);
}
END_TEST

START_TEST(stale_ids_are_ignored)
{
    struct hop hop = rig_hop(BOB);

    core_resume(rig.core, 0);
    core_resume(rig.core, UINT64_MAX);
    core_gone(rig.core, 0, SIPD_ECLOSED);
    core_gone(rig.core, UINT64_MAX, SIPD_ECLOSED);
    core_resolved(rig.core, 0, &hop, 1, SIPD_OK);
    core_resolved(rig.core, UINT64_MAX, NULL, 0, SIPD_ENOENT);
    rig_pass(&rig, 0);
    rig_quiet(&rig);
    rig_alive(&rig, 0, 0, 0);
}
END_TEST

/* A server may be ended in the middle of everything; the fixture compares the memory. */
START_TEST(an_end_in_the_middle_leaks_nothing)
{
    rig_bind(&rig, "bob", "sip:bob@192.0.2.9", NULL, 1000);
    rig_bind(&rig, "bob", "sip:bob@phone.example.net", NULL, 1000);
    rig_bind(&rig, "carol", "sip:carol@192.0.2.8", NULL, 1000);
    rig_ask(&rig, ALICE, INVITE_BOB, NULL);
    rig_reply(&rig, rig_expect(&rig, BOB, "INVITE "), 180, "t", NULL);
    rig_new_branch(&rig);
    rig_ask(&rig, ALICE, "INVITE sip:carol@example.com SIP/2.0", NULL);
    rig_reply(&rig, rig_last(&rig, "INVITE "), 486, "t", NULL);
    rig_new_branch(&rig);
    rig_ask(&rig, ALICE, "MESSAGE sip:carol@example.com SIP/2.0", NULL);
    rig_alive(&rig, 2, 3, 6);
}
END_TEST

START_TEST(the_same_input_gives_the_same_server)
{
    static char first[4096];
    const struct rig_sent *invite;

    for (int run = 0; run < 2; run++) {
        rig.binds_len = 0;
        rig_bind(&rig, "bob", "sip:bob@192.0.2.9", NULL, 1000);
        rig_ask(&rig, ALICE, INVITE_BOB, NULL);
        invite = rig_last(&rig, "INVITE ");
        if (run == 0)
            memcpy(first, invite->bytes.at, invite->bytes.len);
        else
            ck_assert_mem_eq(first, invite->bytes.at, invite->bytes.len);
        rig_restart(&rig);
    }
}
END_TEST

/* ---------------------------------------------------------------- facts */

/* What leaves in a turn rests on all that was noted in it (that nothing was left out is checked in the rig). */
START_TEST(what_leaves_rests_on_what_was_noted)
{
    const struct rig_sent *invite;
    uint64_t need;

    rig_bind(&rig, "bob", "sip:bob@192.0.2.9", NULL, 1000);
    rig_ask(&rig, ALICE, INVITE_BOB, NULL);
    invite = rig_expect(&rig, BOB, "INVITE ");
    need = invite->need;
    ck_assert_uint_eq(need, rig.notes);
    rig_reply(&rig, invite, 200, "t", NULL);
    ck_assert_uint_gt(rig_expect(&rig, ALICE, "SIP/2.0 200 ")->need, need);
    ck_assert_uint_eq(rig_last(&rig, "SIP/2.0 200 ")->need, rig.notes);
}
END_TEST

START_TEST(nobody_needs_to_watch)
{
    rig.ports.note = NULL;
    rig_restart(&rig);
    rig_bind(&rig, "bob", "sip:bob@192.0.2.9", NULL, 1000);
    rig_ask(&rig, ALICE, INVITE_BOB, NULL);
    ck_assert_uint_eq(rig_expect(&rig, BOB, "INVITE ")->need, 0);
    rig_settled(&rig);
}
END_TEST

/* ---------------------------------------------------------------- configuration */

START_TEST(another_ceiling_holds_for_all_that_it_limits)
{
    struct core_conf larger = rig.conf;

    rig.conf.transactions = 4;
    rig_restart(&rig);
    larger.transactions = 100;
    core_set_conf(rig.core, &larger);
    rig_bind(&rig, "bob", "sip:bob@192.0.2.9", NULL, 1000);
    for (unsigned i = 0; i < 20; i++) {
        rig_new_branch(&rig);
        rig_ask(&rig, ALICE, INVITE_BOB, NULL);
        rig_expect(&rig, BOB, "INVITE ");
    }
    rig_settled(&rig);
}
END_TEST

Suite *
suite_core(void)
{
    Suite *s = suite_create("core");
    TCase *c = rig_case("calls");

    tcase_add_test(c, a_call_is_set_up_and_ended);
    tcase_add_test(c, nothing_is_due_when_nothing_is_there);
    tcase_add_test(c, what_is_too_much_for_a_turn_waits_for_the_next);
    tcase_add_test(c, what_is_alive_is_told);
    tcase_add_test(c, stale_ids_are_ignored);
    tcase_add_test(c, an_end_in_the_middle_leaks_nothing);
    tcase_add_test(c, the_same_input_gives_the_same_server);
    tcase_add_test(c, what_leaves_rests_on_what_was_noted);
    tcase_add_test(c, nobody_needs_to_watch);
    tcase_add_test(c, another_ceiling_holds_for_all_that_it_limits);
    suite_add_tcase(s, c);
    return s;
}
