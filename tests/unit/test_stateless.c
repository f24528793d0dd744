/*
 * What passes without a transaction (RFC 3261 §16.11), and strays that prove to be ours (RFC 6026 §7.3).
 */
#include "core/stateless.h"

#include <stdio.h>

#include "unit/core_rig.h"

#define CANCEL_BOB "CANCEL sip:bob@example.com SIP/2.0"
#define OTHER      "udp:192.0.2.8:5060"

static void
begin(void)
{
    rig_begin();
    rig.conf.mode = CORE_STATELESS;
    rig_bind(&rig, "bob", "sip:bob@192.0.2.9", NULL, 1000);
}

/* What bob got, and nothing is kept of it. */
static const struct rig_sent *
bob_gets(const char *line)
{
    const struct rig_sent *sent = rig_expect(&rig, BOB, line);

    rig_quiet(&rig);
    rig_alive(&rig, 0, 0, 0);
    return sent;
}

START_TEST(a_call_passes_and_nothing_is_kept)
{
    const struct rig_sent *invite, *ok;

    rig_ask(&rig, ALICE, INVITE_BOB, NULL);
    invite = bob_gets("INVITE sip:bob@192.0.2.9 SIP/2.0\r\n");
    ck_assert_uint_eq(rig_count(invite, "Via"), 2);
    ck_assert_uint_eq(rig_count(invite, "Record-Route"), 1);
    ck_assert_str_eq(rig_value(invite, "Max-Forwards", 0), "69");
    rig_pass(&rig, 60000);
    rig_quiet(&rig); /* no repeat, no 100, no 408 */
    rig_reply(&rig, invite, 180, "b1", NULL);
    rig_expect(&rig, ALICE, "SIP/2.0 180 ");
    rig_reply(&rig, invite, 200, "b1", NULL);
    ok = rig_expect(&rig, ALICE, "SIP/2.0 200 ");
    ck_assert_uint_eq(rig_count(ok, "Via"), 1);
    rig.to_tag = "b1";
    rig_new_branch(&rig);
    rig_ask(&rig, ALICE, "ACK sip:bob@192.0.2.9 SIP/2.0",
            rig_line("Route", rig_value(ok, "Record-Route", 0)), NULL);
    bob_gets("ACK sip:bob@192.0.2.9 ");
    rig.cseq++;
    rig_new_branch(&rig);
    rig_ask(&rig, ALICE, "BYE sip:bob@192.0.2.9 SIP/2.0",
            rig_line("Route", rig_value(ok, "Record-Route", 0)), NULL);
    rig_reply(&rig, bob_gets("BYE sip:bob@192.0.2.9 "), 200, "", NULL);
    rig_expect(&rig, ALICE, "SIP/2.0 200 ");
    rig_quiet(&rig);
}
END_TEST

/* A repeat leaves as its original did, to the byte; CANCEL and the ACK of a failure have its branch. */
START_TEST(repeats_cancel_and_ack_go_the_same_way)
{
    const struct rig_sent *invite, *again;
    const char *via;

    rig_bind(&rig, "bob", "sip:bob@192.0.2.8", NULL, 1000);
    rig_ask(&rig, ALICE, INVITE_BOB, NULL);
    invite = rig_expect(&rig, OTHER, "INVITE "); /* of two equals the bytes choose */
    rig_pass(&rig, 500);
    rig.binds[0].uri = "sip:bob@192.0.2.8";
    rig.binds[1].uri = "sip:bob@192.0.2.9";
    rig_ask(&rig, ALICE, INVITE_BOB, NULL);
    again = rig_expect(&rig, OTHER, "INVITE ");
    ck_assert(span_eq(invite->bytes, again->bytes));
    via = rig_value(invite, "Via", 0);
    rig_ask(&rig, ALICE, CANCEL_BOB, NULL);
    again = rig_expect(&rig, OTHER, "CANCEL sip:bob@192.0.2.8 ");
    ck_assert_str_eq(rig_value(again, "Via", 0), via);
    ck_assert_uint_eq(rig_count(again, "Via"), 2);
    rig_reply(&rig, again, 200, "t", NULL);
    ck_assert_str_eq(rig_value(rig_expect(&rig, ALICE, "SIP/2.0 200 "), "CSeq", 0), "1 CANCEL");
    rig_reply(&rig, invite, 487, "t", NULL);
    rig_expect(&rig, ALICE, "SIP/2.0 487 ");
    rig_quiet(&rig); /* the caller acknowledges, not we */
    rig.to_tag = "t";
    rig_ask(&rig, ALICE, "ACK sip:bob@example.com SIP/2.0", NULL);
    again = rig_expect(&rig, OTHER, "ACK sip:bob@192.0.2.8 ");
    ck_assert_str_eq(rig_value(again, "Via", 0), via);
    rig_quiet(&rig);
    rig_alive(&rig, 0, 0, 0);
}
END_TEST

START_TEST(the_best_q_is_the_one_target)
{
    rig_bind(&rig, "bob", "sip:a@192.0.2.8", NULL, 500);
    rig_ask(&rig, ALICE, INVITE_BOB, NULL);
    bob_gets("INVITE ");
}
END_TEST

START_TEST(the_next_hop_is_tried_when_there_is_no_way_to_one)
{
    rig.binds_len = 0;
    rig_bind(&rig, "bob", "sip:bob@phone.example.net", NULL, 1000);
    rig_block(&rig, OTHER, SIPD_ENOENT);
    rig_ask(&rig, ALICE, INVITE_BOB, NULL);
    rig_quiet(&rig);
    rig_pass(&rig, 1000);
    rig_quiet(&rig);
    rig_resolved(&rig, 0, SIPD_OK, OTHER, BOB, NULL);
    bob_gets("INVITE ");
}
END_TEST

START_TEST(what_cannot_be_sent_is_answered)
{
    rig_block(&rig, BOB, SIPD_ENOENT);
    rig_ask(&rig, ALICE, INVITE_BOB, NULL);
    rig_expect(&rig, ALICE, "SIP/2.0 500 ");
    rig_pass(&rig, 10000);
    rig_quiet(&rig);
    rig_alive(&rig, 0, 0, 0);
}
END_TEST

START_TEST(our_own_answers_are_given_once_for_each_repeat)
{
    const char *tag;

    rig_ask(&rig, ALICE, "INVITE sip:nobody@example.com SIP/2.0", NULL);
    tag = rig_to_tag(rig_expect(&rig, ALICE, "SIP/2.0 404 "));
    rig_pass(&rig, 10000);
    rig_quiet(&rig);
    rig_ask(&rig, ALICE, "INVITE sip:nobody@example.com SIP/2.0", NULL);
    ck_assert_str_eq(rig_to_tag(rig_expect(&rig, ALICE, "SIP/2.0 404 ")), tag);
    rig.to_tag = tag;
    rig_ask(&rig, ALICE, "ACK sip:nobody@example.com SIP/2.0", NULL);
    rig_quiet(&rig);
    rig_alive(&rig, 0, 0, 0);
    rig.to_tag = "";
    rig_ask(&rig, ALICE, "OPTIONS sip:example.com SIP/2.0", NULL);
    rig_expect(&rig, ALICE, "SIP/2.0 200 ");
    rig.trust = false;
    rig_ask(&rig, ALICE, "INVITE sip:carol@203.0.113.5 SIP/2.0", NULL);
    rig_expect(&rig, ALICE, "SIP/2.0 403 ");
    rig_alive(&rig, 0, 0, 0);
}
END_TEST

static enum sipd_verdict verdict;
static uint64_t waiting;

static enum sipd_verdict
hold(struct sipd_req *req, void *self)
{
    (void)self;
    waiting = req->trip->id;
    return verdict;
}

/* A request that waits must not be asked about again for each repeat. */
START_TEST(what_waits_gets_a_transaction)
{
    struct chain_hook hook = { .order = 1, .fn = hold, .name = "test" };
    const struct rig_sent *invite;

    ck_assert_int_eq(chain_add(core_chain(rig.core), SIPD_ON_REQUEST, &hook), SIPD_OK);
    verdict = SIPD_WAIT;
    rig_ask(&rig, ALICE, INVITE_BOB, NULL);
    rig_alive(&rig, 1, 0, 1);
    rig_ask(&rig, ALICE, INVITE_BOB, NULL);
    rig_expect(&rig, ALICE, "SIP/2.0 100 ");
    rig_alive(&rig, 1, 0, 1);
    verdict = SIPD_PASS;
    rig_resume(&rig, waiting);
    invite = rig_expect(&rig, BOB, "INVITE ");
    rig_reply(&rig, invite, 200, "t", NULL);
    rig_expect(&rig, ALICE, "SIP/2.0 200 ");
    rig_settled(&rig);
}
END_TEST

/* ---------------------------------------------------------------- responses find their way by Via */

START_TEST(a_response_goes_where_the_via_says)
{
    static const struct {
        const char *from, *via, *to;
    } cases[] = {
        { ALICE, "SIP/2.0/UDP 192.0.2.1:5060", "udp:192.0.2.1:5060" },
        { "udp:192.0.2.1:1024", "SIP/2.0/UDP 10.0.0.1:5062", "udp:192.0.2.1:5062" },
        { "udp:192.0.2.1:1024", "SIP/2.0/UDP 10.0.0.1:5062;rport", "udp:192.0.2.1:1024" },
        { "udp:192.0.2.1:1024", "SIP/2.0/UDP phone.example.net", "udp:192.0.2.1:5060" },
        { "udp:[2001:db8::1]:5060", "SIP/2.0/UDP [2001:db8::1]", "udp:[2001:db8::1]:5060" },
    };
    char via[128];

    for (size_t i = 0; i < countof(cases); i++) {
        rig_new_branch(&rig);
        snprintf(via, sizeof via, "Via: %s;branch=z9hG4bKq%zu", cases[i].via, i);
        rig_ask(&rig, cases[i].from, INVITE_BOB, via, NULL);
        rig_reply(&rig, bob_gets("INVITE "), 180, "t", NULL);
        rig_expect(&rig, cases[i].to, "SIP/2.0 180 ");
        rig_quiet(&rig);
    }
}
END_TEST

/* RFC 3581 §4: with several listeners on one address, the one that was asked answers; our Via remembers which. */
START_TEST(a_response_leaves_from_where_the_request_came_to)
{
    enum { SECOND = 9 };
    const struct rig_sent *asked;

    rig.came_to = SECOND;
    rig_ask(&rig, ALICE, "OPTIONS sip:bob@example.com SIP/2.0", NULL);
    asked = bob_gets("OPTIONS ");
    ck_assert_uint_ne(asked->to.listener, SECOND);
    rig_reply(&rig, asked, 200, "t", NULL);
    ck_assert_uint_eq(rig_expect(&rig, ALICE, "SIP/2.0 200 ")->to.listener, SECOND);
    rig.came_to = 0;
    rig_new_branch(&rig);
    rig_ask(&rig, ALICE, "OPTIONS sip:bob@example.com SIP/2.0", NULL);
    rig_reply(&rig, bob_gets("OPTIONS "), 200, "t", NULL);
    ck_assert_uint_ne(rig_expect(&rig, ALICE, "SIP/2.0 200 ")->to.listener, SECOND);
    rig_quiet(&rig);
}
END_TEST

/* Who keeps transactions knows it by them. */
START_TEST(a_via_names_a_listener_only_without_transactions)
{
    rig_ask(&rig, ALICE, "OPTIONS sip:bob@example.com SIP/2.0", NULL);
    ck_assert_ptr_nonnull(strstr(rig_value(bob_gets("OPTIONS "), "Via", 0), ";in=1"));
    rig.conf.mode = CORE_STATEFUL;
    rig_new_branch(&rig);
    rig_ask(&rig, ALICE, "OPTIONS sip:bob@example.com SIP/2.0", NULL);
    ck_assert_ptr_null(strstr(rig_value(rig_expect(&rig, BOB, "OPTIONS "), "Via", 0), ";in="));
}
END_TEST

/* Alice calls Bob, both on streams. */
static const struct rig_sent *
call_by_streams(const char *via)
{
    const struct rig_sent *invite;

    rig.binds_len = 0;
    rig_bind(&rig, "bob", "sip:bob@192.0.2.9;transport=tcp", NULL, 1000);
    rig_new_branch(&rig);
    rig_ask(&rig, "tcp:192.0.2.1:40000/7", INVITE_BOB, via, NULL);
    invite = rig_expect(&rig, "tcp:192.0.2.9:5060", "INVITE ");
    rig_quiet(&rig);
    rig_alive(&rig, 0, 0, 0);
    return invite;
}

START_TEST(a_response_goes_back_on_its_connection)
{
    const struct rig_sent *invite = call_by_streams("Via: SIP/2.0/TCP 10.0.0.1;branch=z9hG4bKq");

    rig_reply(&rig, invite, 180, "t", NULL);
    rig_expect(&rig, "tcp:192.0.2.1:40000", "SIP/2.0 180 ");
    rig_quiet(&rig);
}
END_TEST

START_TEST(a_connection_that_is_gone_is_opened_anew)
{
    const struct rig_sent *invite = call_by_streams("Via: SIP/2.0/TCP 192.0.2.1;branch=z9hG4bKq");

    rig_block(&rig, "tcp:192.0.2.1:40000", SIPD_ECLOSED);
    rig_reply(&rig, invite, 180, "t", NULL);
    rig_expect(&rig, "tcp:192.0.2.1:5060", "SIP/2.0 180 ");
}
END_TEST

/* §16.1: who sent it over a stream repeats nothing, so we do. */
START_TEST(from_a_stream_to_datagrams_there_is_state)
{
    const struct rig_sent *invite;

    rig_ask(&rig, "tcp:192.0.2.1:40000/7", INVITE_BOB, "Via: SIP/2.0/TCP 192.0.2.1;branch=z9hG4bKq",
            NULL);
    invite = rig_expect(&rig, BOB, "INVITE ");
    rig_alive(&rig, 1, 1, 2);
    rig_pass(&rig, 600);
    rig_expect(&rig, "tcp:192.0.2.1:40000/7", "SIP/2.0 100 ");
    rig_expect(&rig, BOB, "INVITE ");
    rig_reply(&rig, invite, 180, "t", NULL);
    rig_expect(&rig, "tcp:192.0.2.1:40000/7", "SIP/2.0 180 ");
    rig_ask(&rig, "tcp:192.0.2.1:40000/7", CANCEL_BOB, "Via: SIP/2.0/TCP 192.0.2.1;branch=z9hG4bKq",
            NULL);
    rig_expect(&rig, "tcp:192.0.2.1:40000/7", "SIP/2.0 200 ");
    rig_expect(&rig, BOB, "CANCEL ");
    rig_reply(&rig, invite, 487, "t", NULL);
    rig_expect(&rig, BOB, "ACK ");
    rig_expect(&rig, "tcp:192.0.2.1:40000/7", "SIP/2.0 487 ");
    rig_quiet(&rig);
    rig_settled(&rig);
}
END_TEST

/* … and a failure that comes over a stream comes once, when its INVITE is no longer repeated. */
START_TEST(from_datagrams_to_a_stream_there_is_state)
{
    const struct rig_sent *invite;

    rig.binds_len = 0;
    rig_bind(&rig, "bob", "sip:bob@192.0.2.9;transport=tcp", NULL, 1000);
    rig_ask(&rig, ALICE, INVITE_BOB, NULL);
    invite = rig_expect(&rig, "tcp:192.0.2.9:5060", "INVITE ");
    rig_alive(&rig, 1, 1, 2);
    rig_reply(&rig, invite, 486, "t", NULL);
    rig_expect(&rig, "tcp:192.0.2.9:5060", "ACK ");
    rig_pass(&rig, 600);
    ck_assert_str_eq(rig_times(&rig, "SIP/2.0 486 "), "0 500");
    rig.to_tag = "t";
    rig_ask(&rig, ALICE, "ACK sip:bob@example.com SIP/2.0", NULL);
    rig_forget(&rig);
    rig_pass(&rig, 40000);
    rig_quiet(&rig);
    rig_settled(&rig);
}
END_TEST

START_TEST(a_response_that_is_not_ours_is_dropped)
{
    static const char *const vias[] = {
        "SIP/2.0/UDP 198.51.100.1:5060;branch=z9hG4bKnone",
        "SIP/2.0/UDP 198.51.100.1:5060;branch=z9hG4bKbaa0000000000000000000000000000000000000000",
        "SIP/2.0/UDP 203.0.113.5:5060;branch=z9hG4bKx",
    };
    char text[1024];

    for (size_t i = 0; i < countof(vias); i++) {
        snprintf(text, sizeof text,
                 "SIP/2.0 200 OK\r\nVia: %s\r\nVia: SIP/2.0/UDP 192.0.2.1\r\nFrom: x:y;tag=1\r\n"
                 "To: x:y;tag=2\r\nCall-ID: c\r\nCSeq: 1 INVITE\r\n\r\n",
                 vias[i]);
        rig_bytes(&rig, BOB, span_of(text), 0, NULL);
        rig_quiet(&rig);
    }
}
END_TEST

START_TEST(a_response_that_ends_here_or_leads_nowhere_is_dropped)
{
    static const char *const lower[] = { "", "Via: SIP/2.0/UDP nowhere.example.net\r\n",
                                         "Via: SIP/2.0/SCTP 192.0.2.1\r\n", "Via: rubbish\r\n" };
    const struct rig_sent *invite;
    char text[1024];

    rig_ask(&rig, ALICE, INVITE_BOB, NULL);
    invite = bob_gets("INVITE ");
    for (size_t i = 0; i < countof(lower); i++) {
        snprintf(text, sizeof text,
                 "SIP/2.0 200 OK\r\nVia: %s\r\n%sFrom: x:y;tag=1\r\nTo: x:y;tag=2\r\nCall-ID: c\r\n"
                 "CSeq: 1 INVITE\r\n\r\n",
                 rig_value(invite, "Via", 0), lower[i]);
        rig_bytes(&rig, BOB, span_of(text), 0, NULL);
        rig_quiet(&rig);
    }
}
END_TEST

/* ---------------------------------------------------------------- strays of a core with state */

/* The same request went by another node with the same key. */
static const struct rig_sent *
sent_by_another_node(void)
{
    const struct rig_sent *invite;

    rig.conf.mode = CORE_STATEFUL;
    rig_ask(&rig, ALICE, INVITE_BOB, NULL);
    invite = rig_expect(&rig, BOB, "INVITE ");
    rig_restart(&rig);
    return invite;
}

START_TEST(strays_are_dropped)
{
    const struct rig_sent *invite = sent_by_another_node();

    rig_reply(&rig, invite, 200, "t", NULL);
    rig_quiet(&rig);
    rig_ask(&rig, ALICE, CANCEL_BOB, NULL);
    rig_expect(&rig, ALICE, "SIP/2.0 481 ");
    rig_quiet(&rig);
    ck_assert_uint_eq(rig_counter(&rig, "core_stray_responses"), 1);
}
END_TEST

START_TEST(strays_that_prove_to_be_ours_may_pass)
{
    const struct rig_sent *invite, *cancel;

    rig.conf.stray = CORE_STRAY_VERIFIED;
    invite = sent_by_another_node();
    rig_reply(&rig, invite, 180, "t", NULL);
    rig_expect(&rig, ALICE, "SIP/2.0 180 ");
    rig_ask(&rig, ALICE, CANCEL_BOB, NULL);
    cancel = rig_expect(&rig, BOB, "CANCEL ");
    ck_assert_str_eq(rig_value(cancel, "Via", 0), rig_value(invite, "Via", 0));
    rig_reply(&rig, cancel, 200, "t", NULL);
    rig_expect(&rig, ALICE, "SIP/2.0 200 ");
    rig_reply(&rig, invite, 487, "t", NULL);
    rig_expect(&rig, ALICE, "SIP/2.0 487 ");
    rig.to_tag = "t";
    rig_ask(&rig, ALICE, "ACK sip:bob@example.com SIP/2.0", NULL);
    ck_assert_str_eq(rig_value(rig_expect(&rig, BOB, "ACK "), "Via", 0),
                     rig_value(invite, "Via", 0));
    rig_quiet(&rig);
    rig_alive(&rig, 0, 0, 0);
}
END_TEST

/* One that comes before its INVITE and waits for a hook must not stand in the way of the CANCEL that we send then. */
START_TEST(a_stray_cancel_that_waits_has_no_transaction)
{
    struct chain_hook hook = { .order = 1, .fn = hold, .name = "test" };
    const struct rig_sent *invite;

    rig.conf.mode = CORE_STATEFUL;
    rig.conf.stray = CORE_STRAY_VERIFIED;
    ck_assert_int_eq(chain_add(core_chain(rig.core), SIPD_ON_TARGETS, &hook), SIPD_OK);
    verdict = SIPD_WAIT;
    rig_ask(&rig, ALICE, CANCEL_BOB, NULL);
    rig_alive(&rig, 1, 0, 0);
    verdict = SIPD_PASS;
    rig_resume(&rig, waiting);
    rig_reply(&rig, rig_expect(&rig, BOB, "CANCEL "), 481, "t", NULL);
    rig_expect(&rig, ALICE, "SIP/2.0 481 ");
    rig_ask(&rig, ALICE, INVITE_BOB, NULL);
    invite = rig_expect(&rig, BOB, "INVITE ");
    rig_reply(&rig, invite, 180, "t", NULL);
    rig_expect(&rig, ALICE, "SIP/2.0 180 ");
    rig_ask(&rig, ALICE, CANCEL_BOB, NULL);
    rig_expect(&rig, ALICE, "SIP/2.0 200 ");
    rig_expect(&rig, BOB, "CANCEL ");
    rig_settled(&rig);
}
END_TEST

/* §16.7 step 5: a 100 is for us alone. RFC 4320 §4.2: without its transaction no other request than INVITE is answered. */
START_TEST(strays_that_may_not_pass_do_not)
{
    const struct rig_sent *invite, *message;

    rig.conf.stray = CORE_STRAY_VERIFIED;
    invite = sent_by_another_node();
    rig_reply(&rig, invite, 100, "", NULL);
    rig_quiet(&rig);
    rig_new_branch(&rig);
    rig_ask(&rig, ALICE, "MESSAGE sip:bob@example.com SIP/2.0", NULL);
    message = rig_expect(&rig, BOB, "MESSAGE ");
    rig_restart(&rig);
    rig_reply(&rig, message, 200, "t", NULL);
    rig_quiet(&rig);
}
END_TEST

/* RFC 6026 §7.3: who has the server transaction knows that the response is late; it would cross what goes up by that. */
START_TEST(what_is_late_is_no_stray)
{
    struct rig_sent invite;

    rig.conf.stray = CORE_STRAY_VERIFIED;
    rig.conf.mode = CORE_STATEFUL;
    rig_ask(&rig, ALICE, INVITE_BOB, NULL);
    invite = *rig_expect(&rig, BOB, "INVITE ");
    rig_pass(&rig, 33000);
    ck_assert_ptr_nonnull(rig_last(&rig, "SIP/2.0 408 "));
    rig_reply(&rig, &invite, 200, "t", NULL);
    ck_assert_ptr_null(rig_last(&rig, "SIP/2.0 200 "));
}
END_TEST

/* A repeat that another node handles is a repeat to the callee, over connections too. */
START_TEST(nodes_that_share_the_key_write_the_same_branch)
{
    const struct rig_sent *invite, *again;

    rig.binds_len = 0;
    rig_bind(&rig, "bob", "sip:bob@192.0.2.9;transport=tcp", NULL, 1000);
    rig.conf.mode = CORE_STATEFUL;
    rig_ask(&rig, ALICE, INVITE_BOB, NULL);
    invite = rig_expect(&rig, "tcp:192.0.2.9:5060", "INVITE ");
    rig.flows += 1000;
    rig_restart(&rig);
    rig_ask(&rig, ALICE, INVITE_BOB, NULL);
    again = rig_expect(&rig, "tcp:192.0.2.9:5060", "INVITE ");
    ck_assert_uint_ne(again->to.flow, invite->to.flow);
    ck_assert_str_eq(rig_value(again, "Via", 0), rig_value(invite, "Via", 0));
}
END_TEST

Suite *
suite_stateless(void)
{
    Suite *s = suite_create("stateless");
    TCase *c = tcase_create("passing");

    tcase_add_checked_fixture(c, begin, rig_end);
    tcase_add_test(c, a_call_passes_and_nothing_is_kept);
    tcase_add_test(c, repeats_cancel_and_ack_go_the_same_way);
    tcase_add_test(c, the_best_q_is_the_one_target);
    tcase_add_test(c, the_next_hop_is_tried_when_there_is_no_way_to_one);
    tcase_add_test(c, what_cannot_be_sent_is_answered);
    tcase_add_test(c, our_own_answers_are_given_once_for_each_repeat);
    tcase_add_test(c, what_waits_gets_a_transaction);
    tcase_add_test(c, a_response_goes_where_the_via_says);
    tcase_add_test(c, a_response_leaves_from_where_the_request_came_to);
    tcase_add_test(c, a_via_names_a_listener_only_without_transactions);
    tcase_add_test(c, a_response_goes_back_on_its_connection);
    tcase_add_test(c, a_connection_that_is_gone_is_opened_anew);
    tcase_add_test(c, from_a_stream_to_datagrams_there_is_state);
    tcase_add_test(c, from_datagrams_to_a_stream_there_is_state);
    tcase_add_test(c, a_response_that_is_not_ours_is_dropped);
    tcase_add_test(c, a_response_that_ends_here_or_leads_nowhere_is_dropped);
    tcase_add_test(c, strays_are_dropped);
    tcase_add_test(c, strays_that_prove_to_be_ours_may_pass);
    tcase_add_test(c, a_stray_cancel_that_waits_has_no_transaction);
    tcase_add_test(c, strays_that_may_not_pass_do_not);
    tcase_add_test(c, what_is_late_is_no_stray);
    tcase_add_test(c, nodes_that_share_the_key_write_the_same_branch);
    suite_add_tcase(s, c);
    return s;
}
