/*
 * The auth module in a whole server: who is asked for a proof, and what a proof opens.
 */
#include "sim/auth_rig.h"

#include <stdio.h>

Suite *suite_auth_gate(void);

START_TEST(a_claim_is_challenged)
{
    const struct peer_heard *heard;
    struct digest c;

    auth_rig_usual();
    ck_assert_uint_eq(auth_rig_ask(auth_rig.alice, "INVITE", "sip:bob@example.com", "", &heard),
                      407);
    c = auth_rig_challenge_of(heard, 0);
    ck_assert(span_eq(c.realm, SPAN("example.com")) && span_eq(c.qop, SPAN("auth")) &&
              span_eq(c.algorithm, SPAN("MD5")));
    ck_assert(c.nonce.len > 0 && c.stale.len == 0);
    ck_assert_uint_eq(auth_rig_challenge_of(heard, 1).nonce.len, 0);
    ck_assert_uint_eq(auth_rig_ask(auth_rig.alice, "MESSAGE", "sip:bob@example.com", "", &heard),
                      407);
    ck_assert(!span_eq(auth_rig_challenge_of(heard, 0).nonce, c.nonce));
    ck_assert_uint_eq(auth_rig_ask(auth_rig.alice, "REGISTER", "sip:example.com", "", &heard), 401);
    ck_assert_ptr_null(auth_rig_hear(auth_rig.bob));
    /* Not in `challenge`. */
    auth_rig_say(auth_rig.alice, "OPTIONS", "sip:bob@example.com", "");
    auth_rig_bob_hears("OPTIONS");
}
END_TEST

START_TEST(a_proof_opens_the_way)
{
    struct digest c;
    const struct peer_heard *heard;
    char extra[1200];

    auth_rig_usual();
    c = auth_rig_challenged(auth_rig.alice, "INVITE");
    snprintf(extra, sizeof extra,
             "Proxy-Authorization: Digest realm=\"elsewhere\", nonce=\"1\"\r\n%s",
             auth_rig_credentials("INVITE", &c, &auth_right));
    auth_rig_say(auth_rig.alice, "INVITE", "sip:bob@example.com", extra);
    heard = auth_rig_bob_hears("INVITE");
    /* What was for us is gone, what is for another stays (§22.3). */
    ck_assert_ptr_nonnull(msg_find_name(&heard->msg, SPAN("Proxy-Authorization"), 0));
    ck_assert_ptr_null(msg_find_name(&heard->msg, SPAN("Proxy-Authorization"), 1));
    ck_assert(span_find(msg_value(&heard->msg,
                                  msg_find_name(&heard->msg, SPAN("Proxy-Authorization"), 0)),
                        'w') < 100);
    /* Here is no registrar: 405 is what comes after the gate. */
    c = auth_rig_challenged(auth_rig.alice, "REGISTER");
    ck_assert_uint_eq(auth_rig_ask(auth_rig.alice, "REGISTER", "sip:example.com",
                                   auth_rig_credentials("REGISTER", &c, &auth_right), NULL),
                      405);
}
END_TEST

START_TEST(loopback_is_no_exemption)
{
    const struct auth_login wrong = { "alice", "guess", NULL, false };
    const struct peer_heard *heard;
    struct peer *local;
    struct digest c;

    auth_rig_start("", "udp:127.0.0.1:5060", "example.com");
    local = auth_rig_add_peer("alice", "udp:127.0.0.1:5062");
    c = auth_rig_challenged(local, "REGISTER");
    ck_assert_uint_eq(auth_rig_ask(local, "REGISTER", "sip:example.com",
                                   auth_rig_credentials("REGISTER", &c, &wrong), &heard),
                      401);
    c = auth_rig_challenged(local, "REGISTER");
    ck_assert_uint_eq(auth_rig_ask(local, "REGISTER", "sip:example.com",
                                   auth_rig_credentials("REGISTER", &c, &auth_right), NULL),
                      405);
}
END_TEST

START_TEST(strangers_may_call_us)
{
    auth_rig_usual();
    auth_rig_say(auth_rig.alice, "MESSAGE", "sip:bob@example.com",
                 "From: <sip:alice@example.org>;tag=1\r\n");
    auth_rig_bob_hears("MESSAGE");
    auth_rig_say(auth_rig.alice, "MESSAGE", "sip:bob@example.com",
                 "From: <tel:+4930123456>;tag=2\r\n");
    auth_rig_bob_hears("MESSAGE");
    /* A program beside us at our address is not us, but our name with any port is. */
    auth_rig_say(auth_rig.alice, "MESSAGE", "sip:bob@example.com",
                 "From: <sip:alice@192.0.2.1:5070>;tag=3\r\n");
    auth_rig_bob_hears("MESSAGE");
    ck_assert_uint_eq(auth_rig_ask(auth_rig.alice, "MESSAGE", "sip:bob@example.com",
                                   "From: <sip:alice@192.0.2.1>;tag=4\r\n", NULL),
                      407);
    ck_assert_uint_eq(auth_rig_ask(auth_rig.alice, "MESSAGE", "sip:bob@example.com",
                                   "From: <sip:alice@example.com:5070>;tag=5\r\n", NULL),
                      407);
    ck_assert_uint_eq(auth_rig_ask(auth_rig.alice, "MESSAGE", "sip:bob@example.com",
                                   "From: <sips:alice@example.com>;tag=6\r\n", NULL),
                      407);
}
END_TEST

START_TEST(the_trusted_are_not_asked)
{
    struct peer *trunk;

    auth_rig_start("trusted = [ \"198.51.100.0/24\", \"2001:db8::/32\" ];", "udp:192.0.2.1:5060",
                   "example.com");
    trunk = auth_rig_add_peer("alice", "udp:198.51.100.7:5060");
    auth_rig_say(trunk, "INVITE", "sip:bob@example.com", "");
    auth_rig_bob_hears("INVITE");
    /* Nor are they kept from calling out: the relay rule knows them. */
    auth_rig_say(trunk, "MESSAGE", "sip:carol@192.0.2.20:5060", "");
    auth_rig_bob_hears("MESSAGE");
    ck_assert_uint_eq(auth_rig_ask(auth_rig.alice, "INVITE", "sip:bob@example.com", "", NULL), 407);
}
END_TEST

START_TEST(the_authenticated_may_call_out)
{
    struct digest c;

    auth_rig_usual();
    ck_assert_uint_eq(
        auth_rig_ask(auth_rig.alice, "OPTIONS", "sip:carol@192.0.2.20:5060", "", NULL), 403);
    c = auth_rig_challenged(auth_rig.alice, "MESSAGE");
    auth_rig_say(auth_rig.alice, "MESSAGE", "sip:carol@192.0.2.20:5060",
                 auth_rig_credentials("MESSAGE", &c, &auth_right));
    auth_rig_bob_hears("MESSAGE");
}
END_TEST

/* The callee is one of ours and was never asked; its requests in the dialog are not either. */
START_TEST(a_dialog_goes_on)
{
    struct digest c;
    const struct peer_heard *heard;

    auth_rig_usual();
    c = auth_rig_challenged(auth_rig.alice, "INVITE");
    auth_rig_say(auth_rig.alice, "INVITE", "sip:bob@example.com",
                 auth_rig_credentials("INVITE", &c, &auth_right));
    auth_rig_bob_hears("INVITE");
    auth_rig_say(auth_rig.bob, "200", "", "");
    heard = auth_rig_hear(auth_rig.alice);
    ck_assert(heard && heard->msg.status == 200);
    auth_rig_say(auth_rig.alice, "ACK", "", "");
    auth_rig_bob_hears("ACK");
    auth_rig_say(auth_rig.alice, "reINVITE", "", "");
    auth_rig_bob_hears("INVITE");
    auth_rig_say(auth_rig.bob, "200", "", "");
    heard = auth_rig_hear(auth_rig.alice);
    ck_assert(heard && heard->msg.status == 200);
    auth_rig_say(auth_rig.alice, "ACK", "", "");
    auth_rig_bob_hears("ACK");
    auth_rig_say(auth_rig.bob, "MESSAGE", "", "");
    heard = auth_rig_hear(auth_rig.alice);
    ck_assert(heard && msg_is_request(&heard->msg));
}
END_TEST

START_TEST(a_made_up_dialog_does_not)
{
    auth_rig_usual();
    ck_assert_uint_eq(auth_rig_ask(auth_rig.alice, "INVITE", "sip:bob@example.com",
                                   "To: <sip:bob@example.com>;tag=7\r\n", NULL),
                      407);
}
END_TEST

START_TEST(one_realm_for_all)
{
    struct digest c;

    auth_rig_start("realm = \"the house\"; challenge = [ \"OPTIONS\" ];", "udp:192.0.2.1:5060",
                   "the house");
    c = auth_rig_challenged(auth_rig.alice, "OPTIONS");
    ck_assert(span_eq(c.realm, SPAN("the house")));
    auth_rig_say(auth_rig.alice, "OPTIONS", "sip:bob@example.com",
                 auth_rig_credentials("OPTIONS", &c, &auth_right));
    auth_rig_bob_hears("OPTIONS");
    auth_rig_say(auth_rig.alice, "INVITE", "sip:bob@example.com", "");
    auth_rig_bob_hears("INVITE");
}
END_TEST

START_TEST(who_is_known_and_who_is_not)
{
    auth_rig_usual();
    ck_assert_uint_eq(auth_rig_ask(auth_rig.alice, "OPTIONS", "sip:alice@example.com", "", NULL),
                      480);
    ck_assert_uint_eq(auth_rig_ask(auth_rig.alice, "OPTIONS", "sip:Alice@example.com", "", NULL),
                      404);
    ck_assert_uint_eq(auth_rig_ask(auth_rig.alice, "OPTIONS", "sip:carol@example.com", "", NULL),
                      404);
}
END_TEST

Suite *
suite_auth_gate(void)
{
    Suite *suite = suite_create("auth_gate");
    TCase *all = tcase_create("all");

    tcase_add_checked_fixture(all, auth_rig_begin, auth_rig_end);
    tcase_add_test(all, a_claim_is_challenged);
    tcase_add_test(all, a_proof_opens_the_way);
    tcase_add_test(all, loopback_is_no_exemption);
    tcase_add_test(all, strangers_may_call_us);
    tcase_add_test(all, the_trusted_are_not_asked);
    tcase_add_test(all, the_authenticated_may_call_out);
    tcase_add_test(all, a_dialog_goes_on);
    tcase_add_test(all, a_made_up_dialog_does_not);
    tcase_add_test(all, one_realm_for_all);
    tcase_add_test(all, who_is_known_and_who_is_not);
    suite_add_tcase(suite, all);
    return suite;
}
