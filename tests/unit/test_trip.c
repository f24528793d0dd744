/*
 * One request's life: hooks that answer, wait, break and wish; the 100 in time; what is left (RFC 3261 §16.2, §16.5, §17.2.1).
 */
#include "core/trip.h"

#include "unit/core_rig.h"

/* A hook that does what a test told it, and what it saw. */
struct told {
    enum sipd_verdict says;
    unsigned status;    /* answers with this; 0: nothing */
    const char *target; /* adds this target; NULL: none */
    const char *wants;  /* speaks of this method only; NULL: of all */
    unsigned asked;
    uint64_t trip;
    uint16_t seen_status;
};

static struct told hooks[SIPD_STAGES];

static enum sipd_verdict
do_as_told(struct sipd_req *req, void *self)
{
    struct told *told = self;

    if (told->wants && !span_eq(req->trip->gist.method_text, span_of(told->wants)))
        return SIPD_PASS;
    told->asked++;
    told->trip = req->trip->id;
    told->seen_status = req->status;
    if (told->target) {
        struct sipd_target target = { .uri = span_of(told->target), .q = 1000 };

        if (trip_add_target(req->trip, &target) != SIPD_OK)
            return SIPD_FAIL;
    }
    if (told->status &&
        trip_reply(req->trip, told->status,
                   &(struct reply_with){ .lines = SPAN("X-By: hook\r\n") }) != SIPD_OK)
        return SIPD_FAIL;
    return told->says;
}

/* The hook of this stage, asked before the rig's own. */
static struct told *
hook(enum sipd_stage stage, enum sipd_verdict says)
{
    struct told *told = &hooks[stage];
    struct chain_hook added = { .order = 1, .fn = do_as_told, .self = told, .name = "test" };

    *told = (struct told){ .says = says };
    ck_assert_int_eq(chain_add(core_chain(rig.core), stage, &added), SIPD_OK);
    return told;
}

static void
bind_bob(void)
{
    rig_bind(&rig, "bob", "sip:bob@192.0.2.9", NULL, 1000);
}

/* ---------------------------------------------------------------- answers */

START_TEST(a_hook_answers)
{
    struct told *told = hook(SIPD_ON_REQUEST, SIPD_DONE);
    const struct rig_sent *sent;

    bind_bob();
    told->status = 302;
    rig_ask(&rig, ALICE, INVITE_BOB, NULL);
    sent = rig_expect(&rig, ALICE, "SIP/2.0 302 Moved Temporarily\r\n");
    ck_assert_str_eq(rig_value(sent, "X-By", 0), "hook");
    ck_assert_str_ne(rig_to_tag(sent), "");
    rig_quiet(&rig);
    rig_alive(&rig, 0, 0, 1);
    told->status = 404;
    rig_new_branch(&rig);
    rig_ask(&rig, ALICE, "REGISTER sip:example.com SIP/2.0", NULL);
    rig_expect(&rig, ALICE, "SIP/2.0 404 ");
    rig_settled(&rig);
}
END_TEST

START_TEST(a_hook_answers_instead_of_targets)
{
    hook(SIPD_ON_TARGETS, SIPD_DONE)->status = 486;
    bind_bob();
    rig_ask(&rig, ALICE, INVITE_BOB, NULL);
    rig_expect(&rig, ALICE, "SIP/2.0 486 ");
    rig_quiet(&rig);
    rig_alive(&rig, 0, 0, 1);
}
END_TEST

START_TEST(a_hook_may_ring_first)
{
    struct told *told = hook(SIPD_ON_REQUEST, SIPD_PASS);

    bind_bob();
    told->status = 180;
    rig_ask(&rig, ALICE, INVITE_BOB, NULL);
    rig_expect(&rig, ALICE, "SIP/2.0 180 Ringing\r\n");
    rig_expect(&rig, BOB, "INVITE ");
    rig_pass(&rig, 250);
    ck_assert_ptr_null(rig_last(&rig, "SIP/2.0 100 "));
}
END_TEST

START_TEST(a_second_answer_is_none)
{
    hook(SIPD_ON_REQUEST, SIPD_PASS)->status = 404; /* answers, and forgets to say so */
    bind_bob();
    rig_ask(&rig, ALICE, INVITE_BOB, NULL);
    rig_expect(&rig, ALICE, "SIP/2.0 404 ");
    rig_quiet(&rig);
    rig_alive(&rig, 0, 0, 1);
}
END_TEST

START_TEST(a_hook_that_breaks_is_500)
{
    hook(SIPD_ON_REQUEST, SIPD_FAIL);
    bind_bob();
    rig_ask(&rig, ALICE, INVITE_BOB, NULL);
    rig_expect(&rig, ALICE, "SIP/2.0 500 Server Internal Error\r\n");
    rig_quiet(&rig);
    rig_alive(&rig, 0, 0, 1);
}
END_TEST

START_TEST(a_hook_that_breaks_at_targets_is_500)
{
    hook(SIPD_ON_TARGETS, SIPD_FAIL);
    bind_bob();
    rig_ask(&rig, ALICE, INVITE_BOB, NULL);
    rig_expect(&rig, ALICE, "SIP/2.0 500 ");
    rig_quiet(&rig);
    rig.to_tag = "x";
    rig_new_branch(&rig);
    rig_ask(&rig, ALICE, "ACK sip:bob@example.com SIP/2.0", NULL);
    rig_quiet(&rig);
    rig_alive(&rig, 0, 0, 1);
}
END_TEST

/* ---------------------------------------------------------------- targets */

START_TEST(targets_may_come_before_their_stage)
{
    struct told *early = hook(SIPD_ON_REQUEST, SIPD_PASS), *late = hook(SIPD_ON_TARGETS, SIPD_PASS);

    early->target = "sip:desk@192.0.2.77";
    bind_bob();
    rig_ask(&rig, ALICE, INVITE_BOB, NULL);
    rig_expect(&rig, "udp:192.0.2.77:5060", "INVITE sip:desk@192.0.2.77 ");
    rig_quiet(&rig);
    ck_assert_uint_eq(late->asked, 0);
}
END_TEST

START_TEST(targets_add_up_until_a_hook_is_done)
{
    struct told *told = hook(SIPD_ON_TARGETS, SIPD_PASS);

    told->target = "sip:desk@192.0.2.77";
    bind_bob();
    rig_ask(&rig, ALICE, INVITE_BOB, NULL);
    rig_expect(&rig, "udp:192.0.2.77:5060", "INVITE ");
    rig_expect(&rig, BOB, "INVITE ");
    told->says = SIPD_DONE;
    rig_new_branch(&rig);
    rig_ask(&rig, ALICE, INVITE_BOB, NULL);
    rig_expect(&rig, "udp:192.0.2.77:5060", "INVITE ");
    rig_quiet(&rig);
}
END_TEST

START_TEST(what_is_for_another_domain_has_no_targets_of_ours)
{
    struct told *told = hook(SIPD_ON_TARGETS, SIPD_PASS);

    told->target = "sip:desk@192.0.2.77";
    rig.trust = true;
    rig_ask(&rig, ALICE, "INVITE sip:carol@203.0.113.5 SIP/2.0", NULL);
    rig_expect(&rig, "udp:203.0.113.5:5060", "INVITE sip:carol@203.0.113.5 ");
    rig_quiet(&rig);
    ck_assert_uint_eq(told->asked, 0);
}
END_TEST

/* A 3xx may be followed up by a hook: what it adds is tried next (§16.5). */
START_TEST(a_hook_may_add_targets_when_a_branch_fails)
{
    struct told *told = hook(SIPD_ON_RESPONSE, SIPD_PASS);
    const struct rig_sent *invite;

    told->target = "sip:desk@192.0.2.77";
    bind_bob();
    rig_ask(&rig, ALICE, INVITE_BOB, NULL);
    invite = rig_expect(&rig, BOB, "INVITE ");
    rig_reply(&rig, invite, 302, "t", NULL);
    rig_expect(&rig, BOB, "ACK ");
    ck_assert_uint_eq(told->seen_status, 302);
    invite = rig_expect(&rig, "udp:192.0.2.77:5060", "INVITE ");
    rig_reply(&rig, invite, 200, "u", NULL);
    rig_expect(&rig, ALICE, "SIP/2.0 200 ");
    rig_quiet(&rig);
    rig_settled(&rig);
}
END_TEST

/* §16.7 step 10: what a module answers is final too, and whoever rings is called off. */
START_TEST(an_answer_of_a_hook_calls_the_branches_off)
{
    struct told *told = hook(SIPD_ON_RESPONSE, SIPD_DONE);
    const struct rig_sent *rings, *busy;

    bind_bob();
    rig_bind(&rig, "bob", "sip:bob@192.0.2.8", NULL, 1000);
    rig_ask(&rig, ALICE, INVITE_BOB, NULL);
    rings = rig_expect(&rig, BOB, "INVITE ");
    busy = rig_expect(&rig, "udp:192.0.2.8:5060", "INVITE ");
    rig_reply(&rig, rings, 180, "r", NULL);
    rig_expect(&rig, ALICE, "SIP/2.0 180 ");
    told->status = 302;
    rig_reply(&rig, busy, 486, "t", NULL);
    rig_expect(&rig, "udp:192.0.2.8:5060", "ACK ");
    rig_expect(&rig, ALICE, "SIP/2.0 302 ");
    rig_expect(&rig, BOB, "CANCEL ");
    rig_quiet(&rig);
    told->status = 0;
    rig_reply(&rig, rings, 487, "r", NULL);
    rig_expect(&rig, BOB, "ACK ");
    rig_quiet(&rig);
    rig_settled(&rig);
}
END_TEST

/* ---------------------------------------------------------------- later */

START_TEST(a_hook_waits_and_is_asked_again)
{
    struct told *told = hook(SIPD_ON_REQUEST, SIPD_WAIT);
    struct core_stats stats;

    bind_bob();
    rig_ask(&rig, ALICE, INVITE_BOB, NULL);
    rig_quiet(&rig);
    core_stats(rig.core, &stats);
    ck_assert_uint_eq(stats.pending, 1);
    rig_pass(&rig, 200);
    rig_expect(&rig, ALICE, "SIP/2.0 100 ");
    rig_ask(&rig, ALICE, INVITE_BOB, NULL);
    rig_expect(&rig, ALICE, "SIP/2.0 100 ");
    ck_assert_uint_eq(told->asked, 1);
    rig_resume(&rig, told->trip);
    ck_assert_uint_eq(told->asked, 2);
    rig_quiet(&rig);
    told->says = SIPD_PASS;
    rig_resume(&rig, told->trip);
    ck_assert_uint_eq(told->asked, 3);
    rig_expect(&rig, BOB, "INVITE ");
    rig_quiet(&rig);
    rig_resume(&rig, told->trip);
    ck_assert_uint_eq(told->asked, 3);
    rig_settled(&rig);
    rig_resume(&rig, told->trip);
}
END_TEST

/* Those before the one that waits are not asked again, those behind it are. */
START_TEST(the_chain_goes_on_where_it_stood)
{
    static struct told first = { .says = SIPD_PASS };
    struct chain_hook before = { .order = 0, .fn = do_as_told, .self = &first, .name = "test" };
    struct told *told = hook(SIPD_ON_TARGETS, SIPD_WAIT);

    ck_assert_int_eq(chain_add(core_chain(rig.core), SIPD_ON_TARGETS, &before), SIPD_OK);
    bind_bob();
    rig_ask(&rig, ALICE, INVITE_BOB, NULL);
    told->says = SIPD_PASS;
    rig_resume(&rig, told->trip);
    rig_expect(&rig, BOB, "INVITE ");
    ck_assert_uint_eq(first.asked, 1);
    ck_assert_uint_eq(told->asked, 2);
}
END_TEST

START_TEST(an_answer_may_come_later)
{
    struct told *told = hook(SIPD_ON_REQUEST, SIPD_WAIT);

    rig_ask(&rig, ALICE, "REGISTER sip:example.com SIP/2.0", NULL);
    rig_quiet(&rig);
    told->says = SIPD_DONE;
    told->status = 200;
    rig_resume(&rig, told->trip);
    rig_expect(&rig, ALICE, "SIP/2.0 200 OK\r\n");
    rig_quiet(&rig);
    rig_ask(&rig, ALICE, "REGISTER sip:example.com SIP/2.0", NULL);
    rig_expect(&rig, ALICE, "SIP/2.0 200 ");
    ck_assert_uint_eq(told->asked, 2);
    rig_settled(&rig);
}
END_TEST

START_TEST(a_failure_may_come_later)
{
    struct told *told = hook(SIPD_ON_TARGETS, SIPD_WAIT);

    bind_bob();
    rig_ask(&rig, ALICE, INVITE_BOB, NULL);
    told->says = SIPD_FAIL;
    rig_resume(&rig, told->trip);
    rig_expect(&rig, ALICE, "SIP/2.0 500 ");
    rig_quiet(&rig);
}
END_TEST

START_TEST(a_caller_may_give_up_while_a_hook_holds_its_request)
{
    struct told *told = hook(SIPD_ON_REQUEST, SIPD_WAIT);

    bind_bob();
    rig_ask(&rig, ALICE, INVITE_BOB, NULL);
    rig_ask(&rig, ALICE, "CANCEL sip:bob@example.com SIP/2.0", NULL);
    rig_expect(&rig, ALICE, "SIP/2.0 200 ");
    rig_expect(&rig, ALICE, "SIP/2.0 487 ");
    rig_alive(&rig, 0, 0, 1);
    told->says = SIPD_PASS;
    rig_resume(&rig, told->trip);
    rig_quiet(&rig);
    ck_assert_uint_eq(told->asked, 1);
}
END_TEST

START_TEST(two_resumes_in_a_turn_are_one)
{
    struct told *told = hook(SIPD_ON_REQUEST, SIPD_WAIT);

    bind_bob();
    rig_ask(&rig, ALICE, INVITE_BOB, NULL);
    core_resume(rig.core, told->trip);
    core_resume(rig.core, told->trip);
    ck_assert_uint_eq(core_next_ms(rig.core), rig.clock.now_ms);
    rig_resume(&rig, told->trip);
    ck_assert_uint_eq(told->asked, 2);
}
END_TEST

/* Resumed, and cancelled before the turn's end. */
START_TEST(what_was_to_go_on_may_end_before)
{
    struct told *told = hook(SIPD_ON_REQUEST, SIPD_WAIT);

    bind_bob();
    rig_ask(&rig, ALICE, INVITE_BOB, NULL);
    told->says = SIPD_PASS;
    core_resume(rig.core, told->trip);
    rig_ask(&rig, ALICE, "CANCEL sip:bob@example.com SIP/2.0", NULL);
    rig_expect(&rig, ALICE, "SIP/2.0 200 ");
    rig_expect(&rig, ALICE, "SIP/2.0 487 ");
    rig_quiet(&rig);
    ck_assert_uint_eq(told->asked, 1);
}
END_TEST

/* A server that answers after a wait has its server transaction; an ACK that waits has none and is let go. */
START_TEST(an_ack_may_wait_too)
{
    struct told *told = hook(SIPD_ON_TARGETS, SIPD_WAIT);

    bind_bob();
    rig.to_tag = "b";
    rig_ask(&rig, ALICE, "ACK sip:bob@example.com SIP/2.0", NULL);
    rig_alive(&rig, 1, 0, 0);
    told->says = SIPD_PASS;
    rig_resume(&rig, told->trip);
    rig_expect(&rig, BOB, "ACK ");
    rig_alive(&rig, 0, 0, 0);
    told->says = SIPD_DONE;
    told->status = 404;
    rig_new_branch(&rig);
    rig_ask(&rig, ALICE, "ACK sip:bob@example.com SIP/2.0", NULL);
    rig_forget(&rig);
    rig_quiet(&rig);
    rig_alive(&rig, 0, 0, 0);
}
END_TEST

/* ---------------------------------------------------------------- 100 */

START_TEST(a_100_leaves_after_200_ms_unless_something_else_did)
{
    const struct rig_sent *trying;

    bind_bob();
    rig_ask(&rig, ALICE, INVITE_BOB, "Timestamp: 54", NULL);
    rig_expect(&rig, BOB, "INVITE ");
    rig_pass(&rig, 199);
    rig_quiet(&rig);
    rig_pass(&rig, 1);
    trying = rig_expect(&rig, ALICE, "SIP/2.0 100 Trying\r\n");
    ck_assert_str_eq(rig_to_tag(trying), "");
    ck_assert_str_eq(rig_value(trying, "Timestamp", 0), "54");
    rig_pass(&rig, 250);
    rig_quiet(&rig);
}
END_TEST

START_TEST(no_100_after_180)
{
    const struct rig_sent *invite;

    bind_bob();
    rig_ask(&rig, ALICE, INVITE_BOB, NULL);
    invite = rig_expect(&rig, BOB, "INVITE ");
    rig_pass(&rig, 150);
    rig_reply(&rig, invite, 180, "t", NULL);
    rig_expect(&rig, ALICE, "SIP/2.0 180 ");
    rig_pass(&rig, 5000);
    rig_quiet(&rig);
}
END_TEST

START_TEST(a_100_from_below_is_no_100_of_ours)
{
    const struct rig_sent *invite;

    bind_bob();
    rig_ask(&rig, ALICE, INVITE_BOB, NULL);
    invite = rig_expect(&rig, BOB, "INVITE ");
    rig_reply(&rig, invite, 100, "", NULL);
    rig_pass(&rig, 200);
    rig_expect(&rig, ALICE, "SIP/2.0 100 ");
}
END_TEST

/* ---------------------------------------------------------------- the other stages */

START_TEST(hooks_see_responses_and_replies)
{
    struct told *response = hook(SIPD_ON_RESPONSE, SIPD_PASS),
                *reply = hook(SIPD_ON_REPLY, SIPD_PASS);
    const struct rig_sent *invite;

    bind_bob();
    rig_ask(&rig, ALICE, INVITE_BOB, NULL);
    invite = rig_expect(&rig, BOB, "INVITE ");
    rig_reply(&rig, invite, 100, "", NULL);
    ck_assert_uint_eq(response->asked, 0);
    rig_pass(&rig, 200);
    ck_assert_uint_eq(reply->asked, 0);
    rig_reply(&rig, invite, 180, "t", NULL);
    ck_assert_uint_eq(response->asked, 1);
    ck_assert_uint_eq(response->seen_status, 180);
    ck_assert_uint_eq(reply->asked, 1);
    ck_assert_uint_eq(reply->seen_status, 180);
    rig_reply(&rig, invite, 503, "t", NULL);
    ck_assert_uint_eq(response->seen_status, 503);
    ck_assert_uint_eq(reply->seen_status, 500);
    ck_assert_uint_eq(reply->asked, 2);
}
END_TEST

Suite *
suite_trip(void)
{
    const TTest *const tests[] = {
        a_hook_answers,
        a_hook_answers_instead_of_targets,
        a_hook_may_ring_first,
        a_second_answer_is_none,
        a_hook_that_breaks_is_500,
        a_hook_that_breaks_at_targets_is_500,
        targets_may_come_before_their_stage,
        targets_add_up_until_a_hook_is_done,
        what_is_for_another_domain_has_no_targets_of_ours,
        a_hook_may_add_targets_when_a_branch_fails,
        an_answer_of_a_hook_calls_the_branches_off,
        a_hook_waits_and_is_asked_again,
        the_chain_goes_on_where_it_stood,
        an_answer_may_come_later,
        a_failure_may_come_later,
        a_caller_may_give_up_while_a_hook_holds_its_request,
        two_resumes_in_a_turn_are_one,
        what_was_to_go_on_may_end_before,
        an_ack_may_wait_too,
        a_100_leaves_after_200_ms_unless_something_else_did,
        no_100_after_180,
        a_100_from_below_is_no_100_of_ours,
        hooks_see_responses_and_replies,
    };
    Suite *s = suite_create("trip");
    TCase *c = rig_case("lives");

    for (size_t i = 0; i < countof(tests); i++)
        tcase_add_test(c, tests[i]);
    suite_add_tcase(s, c);
    return s;
}
