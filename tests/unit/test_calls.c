/*
 * The calls under way, as a list tells them: INVITEs only, each with what has gone up of it.
 */
#include "core/calls.h"

#include "unit/core_rig.h"
#include "unit/text.h"

enum { PLACES = 1000 };

/* The only call; fails the test when there is none, or another one. */
static struct call
the_call(void)
{
    uint32_t places = PLACES;
    uint64_t cursor = 0;
    struct call call, other;

    ck_assert(calls_next(rig.core, &cursor, &places, &call));
    ck_assert(!calls_next(rig.core, &cursor, &places, &other));
    return call;
}

static void
must_be_none(void)
{
    uint32_t places = PLACES;
    uint64_t cursor = 0;
    struct call call;

    ck_assert(!calls_next(rig.core, &cursor, &places, &call));
    ck_assert_uint_gt(places, 0);
}

static void
must_be(const char *state, unsigned status, unsigned branches)
{
    struct call call = the_call();

    ck_assert_str_eq(call_state_name(call.state), state);
    ck_assert_uint_eq(call.status, status);
    ck_assert_uint_eq(call.branches, branches);
}

START_TEST(a_call_is_shown_until_it_is_answered)
{
    const struct rig_sent *invite;
    struct call call;

    must_be_none();
    rig_bind(&rig, "bob", "sip:bob@192.0.2.9", NULL, 1000);
    rig_ask(&rig, ALICE, INVITE_BOB, "From: <sip:alice@example.com>;tag=a", "Call-ID: one", NULL);
    invite = rig_expect(&rig, BOB, "INVITE ");
    must_be("trying", 0, 1);
    call = the_call();
    must_text(call.call_id, "one");
    must_text(call.from, "<sip:alice@example.com>;tag=a");
    must_text(call.to, "<sip:bob@example.com>");
    ck_assert(!call.in_dialog);
    ck_assert_uint_eq(call.since_ms, rig.clock.now_ms);
    ck_assert_uint_eq(call.source->port, 5060);
    rig_pass(&rig, 300);
    must_be("trying", 100, 1);
    rig_reply(&rig, invite, 100, "", NULL);
    must_be("trying", 100, 1);
    rig_reply(&rig, invite, 183, "b", NULL);
    must_be("ringing", 183, 1);
    rig_reply(&rig, invite, 200, "b", NULL);
    must_be_none();
}
END_TEST

START_TEST(one_of_several_answers)
{
    const struct rig_sent *first, *second;

    rig_bind(&rig, "bob", "sip:bob@192.0.2.9", NULL, 1000);
    rig_bind(&rig, "bob", "sip:bob@192.0.2.10", NULL, 1000);
    rig_ask(&rig, ALICE, INVITE_BOB, NULL);
    first = rig_expect(&rig, BOB, "INVITE ");
    second = rig_expect(&rig, "udp:192.0.2.10:5060", "INVITE ");
    rig_reply(&rig, first, 180, "b", NULL);
    rig_reply(&rig, second, 180, "c", NULL);
    must_be("ringing", 180, 2);
    rig_reply(&rig, first, 200, "b", NULL);
    must_be("answered", 200, 1); /* the other has not heard of it yet */
    rig_reply(&rig, second, 487, "c", NULL);
    must_be_none();
}
END_TEST

START_TEST(one_is_cancelled_and_one_declined)
{
    const struct rig_sent *first, *second;

    rig_bind(&rig, "bob", "sip:bob@192.0.2.9", NULL, 1000);
    rig_bind(&rig, "bob", "sip:bob@192.0.2.10", NULL, 1000);
    rig_ask(&rig, ALICE, INVITE_BOB, NULL);
    first = rig_expect(&rig, BOB, "INVITE ");
    second = rig_expect(&rig, "udp:192.0.2.10:5060", "INVITE ");
    rig_reply(&rig, second, 180, "c", NULL);
    rig_ask(&rig, ALICE, "CANCEL sip:bob@example.com SIP/2.0", NULL);
    must_be("cancelled", 180, 2);
    rig_reply(&rig, first, 603, "b", NULL);
    must_be("cancelled", 180, 1);
    rig_reply(&rig, second, 487, "c", NULL);
    must_be_none();
}
END_TEST

START_TEST(other_requests_are_no_calls)
{
    rig_bind(&rig, "bob", "sip:bob@192.0.2.9", NULL, 1000);
    rig_ask(&rig, ALICE, "MESSAGE sip:bob@example.com SIP/2.0", NULL);
    rig_expect(&rig, BOB, "MESSAGE ");
    must_be_none();
}
END_TEST

START_TEST(a_call_that_stands_is_changed)
{
    rig_bind(&rig, "bob", "sip:bob@192.0.2.9", NULL, 1000);
    rig_ask(&rig, ALICE, INVITE_BOB, "To: <sip:bob@example.com>;tag=b", NULL);
    ck_assert(the_call().in_dialog);
}
END_TEST

/* A walk over a table that was large is done in slices. */
START_TEST(few_places_are_looked_at)
{
    uint32_t places = 1, turns = 0;
    uint64_t cursor = 0;
    struct call call;

    rig_bind(&rig, "bob", "sip:bob@192.0.2.9", NULL, 1000);
    for (int i = 0; i < 4; i++) {
        rig_new_branch(&rig);
        rig_ask(&rig, ALICE, i == 3 ? INVITE_BOB : "MESSAGE sip:bob@example.com SIP/2.0", NULL);
    }
    for (; !calls_next(rig.core, &cursor, &places, &call); turns++) {
        ck_assert_uint_eq(places, 0);
        places = 1;
    }
    ck_assert_uint_eq(turns, 3);
    must_text(call.to, "<sip:bob@example.com>");
}
END_TEST

Suite *
suite_calls(void)
{
    Suite *suite = suite_create("calls");
    TCase *tcase = rig_case("all");

    tcase_add_test(tcase, a_call_is_shown_until_it_is_answered);
    tcase_add_test(tcase, one_of_several_answers);
    tcase_add_test(tcase, one_is_cancelled_and_one_declined);
    tcase_add_test(tcase, other_requests_are_no_calls);
    tcase_add_test(tcase, a_call_that_stands_is_changed);
    tcase_add_test(tcase, few_places_are_looked_at);
    suite_add_tcase(suite, tcase);
    return suite;
}
