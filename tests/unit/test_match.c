/*
 * Which request belongs to which server transaction, which response to which client (RFC 3261 §17.1.3, §17.2.3, §9.2).
 */
#include "txn/match.h"

#include <stdio.h>

#include "base/mem.h"
#include "unit/message.h"
#include "unit/txn_rig.h"

#define HEAD(method, via, from, to, call_id, cseq)                                                 \
    method " sip:bob@example.com SIP/2.0\r\nVia: " via "\r\nFrom: <sip:alice@example.com>" from    \
           "\r\nTo: <sip:bob@example.com>" to "\r\nCall-ID: " call_id "\r\nCSeq: " cseq " " method \
           "\r\n\r\n"
#define V3261 "SIP/2.0/UDP pc.example.com:5062;branch=z9hG4bKa7"
#define V2543 "SIP/2.0/UDP pc.example.com:5062"

static struct txn_rig r;

static void
begin(void)
{
    message_begin();
    txn_rig_init(&r, 100);
}

static void
end(void)
{
    txn_rig_fini(&r);
    message_end();
}

static struct gist
gist_text(const char *text)
{
    static struct msg msg;

    msg = read_text(text);
    return gist_of(&msg);
}

/* Opens the server transaction of a request. */
static uint64_t
serve(const char *text)
{
    struct gist gist = gist_text(text);
    struct hop hop = txn_rig_hop("udp:192.0.2.1:5062");
    uint64_t id = 0;

    ck_assert_int_eq(txns_serve(&r.t, &gist, NULL, &hop, 1, &id), SIPD_OK);
    return id;
}

/* The id of the transaction that this request belongs to; 0: none. */
static uint64_t
found(const char *text)
{
    struct gist gist = gist_text(text);
    struct txn *txn = txn_rig_server(&r.t, &gist);

    return txn ? txn->id : 0;
}

static uint64_t
found_cancelled(const char *text)
{
    struct gist gist = gist_text(text);
    struct txn *txn = txns_find_cancelled(&r.t, &gist);

    return txn ? txn->id : 0;
}

START_TEST(branch_sent_by_and_method_decide)
{
    uint64_t id = serve(HEAD("INVITE", V3261, ";tag=1", "", "c1", "1"));

    ck_assert_uint_eq(found(HEAD("INVITE", V3261, ";tag=1", "", "c1", "1")), id);
    /* nothing else is looked at, and a host knows no case */
    ck_assert_uint_eq(
        found(HEAD("INVITE", V3261 ";rport;received=192.0.2.1", ";tag=2", ";tag=3", "c2", "2")),
        id);
    ck_assert_uint_eq(found(HEAD("INVITE", "SIP/2.0/TCP PC.Example.COM:5062;branch=z9hG4bKa7",
                                 ";tag=1", "", "c1", "1")),
                      id);
    ck_assert_uint_eq(found(HEAD("INVITE", "SIP/2.0/UDP pc.example.com : 5062 ;branch=z9hG4bKa7",
                                 ";tag=1", "", "c1", "1")),
                      id);

    ck_assert_uint_eq(found(HEAD("OPTIONS", V3261, ";tag=1", "", "c1", "1")), 0);
    ck_assert_uint_eq(found(HEAD("INVITE", V3261 "8", ";tag=1", "", "c1", "1")), 0);
    ck_assert_uint_eq(found(HEAD("INVITE", "SIP/2.0/UDP pc.example.com:5062;branch=z9hG4bKA7",
                                 ";tag=1", "", "c1", "1")),
                      0);
    ck_assert_uint_eq(found(HEAD("INVITE", "SIP/2.0/UDP pc.example.com:5063;branch=z9hG4bKa7",
                                 ";tag=1", "", "c1", "1")),
                      0);
    ck_assert_uint_eq(found(HEAD("INVITE", "SIP/2.0/UDP pc.example.com;branch=z9hG4bKa7", ";tag=1",
                                 "", "c1", "1")),
                      0);
    ck_assert_uint_eq(found(HEAD("INVITE", "SIP/2.0/UDP pd.example.com:5062;branch=z9hG4bKa7",
                                 ";tag=1", "", "c1", "1")),
                      0);
}
END_TEST

START_TEST(an_ack_belongs_to_its_invite)
{
    uint64_t id = serve(HEAD("INVITE", V3261, ";tag=1", "", "c1", "1"));

    ck_assert_uint_eq(found(HEAD("ACK", V3261, ";tag=1", ";tag=2", "c1", "1")), id);
    ck_assert_uint_eq(found(HEAD("ACK", V3261 "8", ";tag=1", ";tag=2", "c1", "1")), 0);
}
END_TEST

START_TEST(an_ack_never_belongs_to_another_method)
{
    serve(HEAD("OPTIONS", V3261, ";tag=1", "", "c1", "1"));
    ck_assert_uint_eq(found(HEAD("ACK", V3261, ";tag=1", "", "c1", "1")), 0);
    ck_assert_uint_eq(found_cancelled(HEAD("CANCEL", V3261, ";tag=1", "", "c1", "1")), 0);
}
END_TEST

START_TEST(a_cancel_is_a_transaction_of_its_own_about_the_invite)
{
    uint64_t id = serve(HEAD("INVITE", V3261, ";tag=1", "", "c1", "1"));

    ck_assert_uint_eq(found(HEAD("CANCEL", V3261, ";tag=1", "", "c1", "1")), 0);
    ck_assert_uint_eq(found_cancelled(HEAD("CANCEL", V3261, ";tag=1", "", "c1", "1")), id);
    ck_assert_uint_eq(found_cancelled(HEAD("CANCEL", V3261 "8", ";tag=1", "", "c1", "1")), 0);
}
END_TEST

START_TEST(methods_that_we_do_not_know_are_told_apart)
{
    uint64_t id = serve(HEAD("DANCE", V3261, ";tag=1", "", "c1", "1"));

    ck_assert_uint_eq(found(HEAD("DANCE", V3261, ";tag=1", "", "c1", "1")), id);
    ck_assert_uint_eq(found(HEAD("SING", V3261, ";tag=1", "", "c1", "1")), 0);
    ck_assert_uint_eq(found(HEAD("dance", V3261, ";tag=1", "", "c1", "1")), 0);
}
END_TEST

/* §17.2.3: without the cookie Call-ID, CSeq, From tag and the top Via decide; fields may not run into each other. */
START_TEST(peers_of_rfc_2543_are_known_by_their_fields)
{
    uint64_t id = serve(HEAD("INVITE", V2543, ";tag=1", "", "c1", "7"));

    ck_assert_uint_eq(found(HEAD("INVITE", V2543, ";tag=1", "", "c1", "7")), id);
    ck_assert_uint_eq(found(HEAD("ACK", V2543, ";tag=1", ";tag=9", "c1", "7")), id);
    ck_assert_uint_eq(found_cancelled(HEAD("CANCEL", V2543, ";tag=1", "", "c1", "7")), id);

    ck_assert_uint_eq(found(HEAD("INVITE", V2543, ";tag=1", "", "c1", "8")), 0);
    ck_assert_uint_eq(found(HEAD("INVITE", V2543, ";tag=2", "", "c1", "7")), 0);
    ck_assert_uint_eq(found(HEAD("INVITE", V2543, "", "", "c1", "7")), 0);
    ck_assert_uint_eq(found(HEAD("INVITE", V2543, ";tag=1", "", "c2", "7")), 0);
    ck_assert_uint_eq(found(HEAD("INVITE", V2543 "1", ";tag=1", "", "c1", "7")), 0);
    ck_assert_uint_eq(found(HEAD("INVITE", V2543 ";branch=1", ";tag=1", "", "c1", "7")), 0);
    ck_assert_uint_eq(found(HEAD("INVITE", V2543, ";tag=", "", "c11", "7")), 0);
    ck_assert_uint_eq(found(HEAD("OPTIONS", V2543, ";tag=1", "", "c1", "7")), 0);
    ck_assert_uint_eq(found(HEAD("INVITE", V3261, ";tag=1", "", "c1", "7")), 0);
    ck_assert_uint_eq(found_cancelled(HEAD("CANCEL", V2543, ";tag=1", "", "c1", "8")), 0);
}
END_TEST

START_TEST(a_branch_without_the_cookie_is_no_branch)
{
    uint64_t id = serve(HEAD("INVITE", V2543 ";branch=abc", ";tag=1", "", "c1", "7"));

    ck_assert_uint_eq(found(HEAD("INVITE", V2543 ";branch=abc", ";tag=1", "", "c1", "7")), id);
    ck_assert_uint_eq(found(HEAD("INVITE", V2543 ";branch=abc", ";tag=1", "", "c2", "7")), 0);
    id = serve(HEAD("INVITE", V2543 ";branch=z9hG4bK", ";tag=1", "", "c1", "7"));
    ck_assert_uint_eq(found(HEAD("INVITE", V2543 ";branch=z9hG4bK", ";tag=1", "", "c1", "7")), id);
    ck_assert_uint_eq(found(HEAD("INVITE", V2543 ";branch=z9hG4bK", ";tag=1", "", "c2", "7")), 0);
}
END_TEST

/* The tuple of one peer and the branch of another never meet, whatever the peers write. */
START_TEST(keys_of_different_kinds_differ)
{
    struct gist modern = gist_text(HEAD("INVITE", V3261, ";tag=1", "", "c1", "1"));
    struct span server = match_server_key(&arena, &modern, SPAN("INVITE"));
    struct span client = match_client_key(&arena, SPAN("z9hG4bKa7"), SPAN("INVITE"));
    struct gist old = gist_text(HEAD("INVITE", V2543, ";tag=1", "", "c1", "1"));
    struct span tuple = match_server_key(&arena, &old, SPAN("INVITE"));

    ck_assert(!span_eq(server, client));
    ck_assert(!span_eq(server, tuple));
    ck_assert(!span_eq(client, tuple));
    ck_assert_int_eq(server.at[0], 'S');
    ck_assert_int_eq(client.at[0], 'C');
    ck_assert_int_eq(tuple.at[0], 'O');
}
END_TEST

START_TEST(fields_of_a_key_do_not_run_into_each_other)
{
    struct span one = match_client_key(&arena, SPAN("ab"), SPAN("c"));
    struct span two = match_client_key(&arena, SPAN("a"), SPAN("bc"));

    ck_assert(!span_eq(one, two));
    ck_assert_uint_eq(one.len, two.len);
}
END_TEST

static uint64_t
send_request(enum method method, const char *branch)
{
    struct hop hop = txn_rig_hop("udp:192.0.2.9:5060");
    uint64_t id = 0;

    ck_assert_int_eq(txns_request(&r.t, method, txn_rig_key(&r.t, method, span_of(branch)), &hop,
                                  SPAN("bytes"), SPAN(""), 1, &id),
                     SIPD_OK);
    return id;
}

static uint64_t
found_client(const char *method, const char *branch)
{
    struct gist gist = gist_text(txn_rig_response(200, method, branch, "t1"));
    struct txn *txn = txns_find_client(&r.t, &gist);

    return txn ? txn->id : 0;
}

/* §17.1.3: the CANCEL shares its INVITE's branch. */
START_TEST(a_response_belongs_to_the_branch_and_method)
{
    uint64_t invite = send_request(METHOD_INVITE, "z9hG4bKours");
    uint64_t cancel = send_request(METHOD_CANCEL, "z9hG4bKours");

    ck_assert_uint_eq(found_client("INVITE", "z9hG4bKours"), invite);
    ck_assert_uint_eq(found_client("CANCEL", "z9hG4bKours"), cancel);
    ck_assert_uint_eq(found_client("BYE", "z9hG4bKours"), 0);
    ck_assert_uint_eq(found_client("INVITE", "z9hG4bKour"), 0);
    ck_assert_uint_eq(found_client("INVITE", "z9hG4bKOURS"), 0);
    txns_end(&r.t, invite);
    ck_assert_uint_eq(found_client("INVITE", "z9hG4bKours"), 0);
    ck_assert_uint_eq(found_client("CANCEL", "z9hG4bKours"), cancel);
}
END_TEST

START_TEST(a_request_is_no_response)
{
    send_request(METHOD_OPTIONS, "z9hG4bKa7");
    ck_assert_uint_eq(found(HEAD("OPTIONS", V3261, ";tag=1", "", "c1", "1")), 0);
    serve(HEAD("INVITE", V3261, ";tag=1", "", "c1", "1"));
    ck_assert_uint_eq(found_client("INVITE", "z9hG4bKa7"), 0);
}
END_TEST

START_TEST(without_memory_nothing_is_found)
{
    struct gist modern = gist_text(HEAD("INVITE", V3261, ";tag=1", "", "c1", "1"));
    struct gist old = gist_text(HEAD("INVITE", V2543, ";tag=1", "", "c1", "1"));
    struct arena none;

    arena_init(&none, 0);
    ck_assert_ptr_null(match_server_key(&none, &modern, SPAN("INVITE")).at);
    ck_assert_ptr_null(match_server_key(&none, &old, SPAN("INVITE")).at);
    ck_assert_ptr_null(match_client_key(&none, SPAN("a"), SPAN("b")).at);
    ck_assert_ptr_null(match_find(&r.t, &(struct txn_key){ .hash = 0 }));
    arena_fini(&none);
}
END_TEST

Suite *
suite_match(void)
{
    Suite *s = suite_create("match");
    TCase *c = tcase_create("keys");

    tcase_add_checked_fixture(c, begin, end);
    tcase_add_test(c, branch_sent_by_and_method_decide);
    tcase_add_test(c, an_ack_belongs_to_its_invite);
    tcase_add_test(c, an_ack_never_belongs_to_another_method);
    tcase_add_test(c, a_cancel_is_a_transaction_of_its_own_about_the_invite);
    tcase_add_test(c, methods_that_we_do_not_know_are_told_apart);
    tcase_add_test(c, peers_of_rfc_2543_are_known_by_their_fields);
    tcase_add_test(c, a_branch_without_the_cookie_is_no_branch);
    tcase_add_test(c, keys_of_different_kinds_differ);
    tcase_add_test(c, fields_of_a_key_do_not_run_into_each_other);
    tcase_add_test(c, a_response_belongs_to_the_branch_and_method);
    tcase_add_test(c, a_request_is_no_response);
    tcase_add_test(c, without_memory_nothing_is_found);
    suite_add_tcase(s, c);
    return s;
}
