/*
 * The auth module in a whole server: which credentials prove a claim (RFC 3261 §22, RFC 7616, RFC 8760).
 */
#include "sim/auth_rig.h"

#include <stdio.h>

Suite *suite_auth_proof(void);

START_TEST(either_name_and_any_case_of_the_domain)
{
    const struct auth_login whole = { "alice@example.com", "secret", NULL, false };
    struct digest c;

    auth_rig_usual();
    c = auth_rig_challenged(auth_rig.alice, "MESSAGE");
    auth_rig_say(auth_rig.alice, "MESSAGE", "sip:bob@example.com",
                 auth_rig_credentials("MESSAGE", &c, &whole));
    auth_rig_bob_hears("MESSAGE");
    /* The user part may be escaped, and the domain of From in capitals: the realm is the same. */
    c = auth_rig_challenged(auth_rig.alice, "MESSAGE");
    {
        char extra[1200];

        snprintf(extra, sizeof extra, "From: <sip:%%61lice@EXAMPLE.com>;tag=1\r\n%s",
                 auth_rig_credentials("MESSAGE", &c, &auth_right));
        auth_rig_say(auth_rig.alice, "MESSAGE", "sip:bob@example.com", extra);
    }
    auth_rig_bob_hears("MESSAGE");
}
END_TEST

START_TEST(a_wrong_proof_is_challenged_anew)
{
    static const struct auth_login wrong[] = {
        { "alice", "Secret", NULL, false },
        { "nobody", "secret", NULL, false },
        { "alice@example.org", "secret", NULL, false },
        { "bob@example.com", "x", NULL, false },
        { "alice", "secret", NULL, true },
        { "", "secret", NULL, false },
        { "alice", "secret", "1", false },
        { "alice", "secret", "00000000", false },
    };
    const struct peer_heard *heard;
    struct digest c;

    auth_rig_usual();
    for (size_t i = 0; i < countof(wrong); i++) {
        c = auth_rig_challenged(auth_rig.alice, "INVITE");
        ck_assert_uint_eq(auth_rig_ask(auth_rig.alice, "INVITE", "sip:bob@example.com",
                                       auth_rig_credentials("INVITE", &c, &wrong[i]), &heard),
                          407);
        ck_assert(!auth_rig_is_stale(heard));
        c = auth_rig_challenged(auth_rig.alice, "REGISTER");
        ck_assert_uint_eq(auth_rig_ask(auth_rig.alice, "REGISTER", "sip:example.com",
                                       auth_rig_credentials("REGISTER", &c, &wrong[i]), &heard),
                          401);
        ck_assert(!auth_rig_is_stale(heard));
    }
    ck_assert_ptr_null(auth_rig_hear(auth_rig.bob));
    ck_assert_uint_gt(*counters_get(&auth_rig.world.counters, "auth_wrong"), 0);
}
END_TEST

START_TEST(a_count_is_good_once)
{
    const struct auth_login second = { "alice", "secret", "00000002", false };
    const struct peer_heard *heard;
    struct digest c;

    auth_rig_usual();
    c = auth_rig_challenged(auth_rig.alice, "REGISTER");
    ck_assert_uint_eq(auth_rig_ask(auth_rig.alice, "REGISTER", "sip:example.com",
                                   auth_rig_credentials("REGISTER", &c, &auth_right), NULL),
                      405);
    ck_assert_uint_eq(auth_rig_ask(auth_rig.alice, "REGISTER", "sip:example.com",
                                   auth_rig_credentials("REGISTER", &c, &auth_right), &heard),
                      401);
    ck_assert(auth_rig_is_stale(heard));
    ck_assert_uint_eq(auth_rig_ask(auth_rig.alice, "REGISTER", "sip:example.com",
                                   auth_rig_credentials("REGISTER", &c, &second), NULL),
                      405);
}
END_TEST

START_TEST(an_old_nonce_is_stale)
{
    const struct peer_heard *heard;
    struct digest c;

    auth_rig_usual();
    c = auth_rig_challenged(auth_rig.alice, "REGISTER");
    world_run(&auth_rig.world, auth_rig.world.clock.now_ms + 301000, NULL);
    ck_assert_uint_eq(auth_rig_ask(auth_rig.alice, "REGISTER", "sip:example.com",
                                   auth_rig_credentials("REGISTER", &c, &auth_right), &heard),
                      401);
    ck_assert(auth_rig_is_stale(heard));
    c = auth_rig_challenge_of(heard, 0);
    ck_assert_uint_eq(auth_rig_ask(auth_rig.alice, "REGISTER", "sip:example.com",
                                   auth_rig_credentials("REGISTER", &c, &auth_right), NULL),
                      405);
}
END_TEST

/* What is pushed out of a full memory may have been used; who has the password is told to take another, and gets on. */
START_TEST(a_forgotten_nonce_is_stale)
{
    enum { NONCES = 1024 };
    const struct auth_login second = { "alice", "secret", "00000002", false };
    const struct peer_heard *heard;
    struct digest first, c;

    auth_rig_start("nonces = 1024; nonce_s = 86400;", "udp:192.0.2.1:5060", "example.com");
    first = auth_rig_challenged(auth_rig.alice, "REGISTER");
    for (unsigned i = 0; i <= NONCES; i++) {
        c = i == 0 ? first : auth_rig_challenged(auth_rig.alice, "REGISTER");
        ck_assert_uint_eq(auth_rig_ask(auth_rig.alice, "REGISTER", "sip:example.com",
                                       auth_rig_credentials("REGISTER", &c, &auth_right), NULL),
                          405);
    }
    ck_assert_uint_eq(*counters_get(&auth_rig.world.counters, "auth_stale"), 0);
    ck_assert_uint_eq(auth_rig_ask(auth_rig.alice, "REGISTER", "sip:example.com",
                                   auth_rig_credentials("REGISTER", &first, &second), &heard),
                      401);
    ck_assert(auth_rig_is_stale(heard));
    ck_assert_uint_eq(*counters_get(&auth_rig.world.counters, "auth_stale"), 1);
    first = auth_rig_challenge_of(heard, 0);
    ck_assert_uint_eq(auth_rig_ask(auth_rig.alice, "REGISTER", "sip:example.com",
                                   auth_rig_credentials("REGISTER", &first, &auth_right), NULL),
                      405);
    /* One that is remembered is as good as ever. */
    ck_assert_uint_eq(auth_rig_ask(auth_rig.alice, "REGISTER", "sip:example.com",
                                   auth_rig_credentials("REGISTER", &c, &second), NULL),
                      405);
}
END_TEST

START_TEST(a_nonce_belongs_to_an_address)
{
    struct peer *thief;
    const struct peer_heard *heard;
    struct digest c;

    auth_rig_usual();
    thief = auth_rig_add_peer("alice", "udp:192.0.2.66:5060");
    c = auth_rig_challenged(auth_rig.alice, "REGISTER");
    ck_assert_uint_eq(auth_rig_ask(thief, "REGISTER", "sip:example.com",
                                   auth_rig_credentials("REGISTER", &c, &auth_right), &heard),
                      401);
    ck_assert(auth_rig_is_stale(heard));
    /* The same address by another port is a NAT's doing. */
    thief = auth_rig_add_peer("alice", "udp:192.0.2.10:40000");
    ck_assert_uint_eq(auth_rig_ask(thief, "REGISTER", "sip:example.com",
                                   auth_rig_credentials("REGISTER", &c, &auth_right), NULL),
                      405);
}
END_TEST

START_TEST(several_algorithms_the_strongest_first)
{
    const struct peer_heard *heard;
    struct digest all[4];

    auth_rig_start("algorithms = [ \"MD5\", \"SHA-256\", \"sha-512-256\" ];", "udp:192.0.2.1:5060",
                   "example.com");
    ck_assert_uint_eq(auth_rig_ask(auth_rig.alice, "REGISTER", "sip:example.com", "", &heard), 401);
    for (unsigned i = 0; i < countof(all); i++)
        all[i] = auth_rig_challenge_of(heard, i);
    ck_assert(span_eq(all[0].algorithm, SPAN("SHA-512-256")));
    ck_assert(span_eq(all[1].algorithm, SPAN("SHA-256")));
    ck_assert(span_eq(all[2].algorithm, SPAN("MD5")));
    ck_assert_uint_eq(all[3].nonce.len, 0);
    for (unsigned i = 0; i < 3; i++) {
        struct auth_login login = { "alice", "secret",
                                    i == 0   ? "00000001"
                                    : i == 1 ? "00000002"
                                             : "00000003",
                                    false };

        ck_assert_uint_eq(auth_rig_ask(auth_rig.alice, "REGISTER", "sip:example.com",
                                       auth_rig_credentials("REGISTER", &all[i], &login), NULL),
                          405);
    }
}
END_TEST

START_TEST(what_is_not_offered_is_not_taken)
{
    const struct peer_heard *heard;
    struct digest c;

    auth_rig_start("algorithms = [ \"SHA-256\" ];", "udp:192.0.2.1:5060", "example.com");
    c = auth_rig_challenged(auth_rig.alice, "REGISTER");
    c.algorithm = SPAN("MD5");
    ck_assert_uint_eq(auth_rig_ask(auth_rig.alice, "REGISTER", "sip:example.com",
                                   auth_rig_credentials("REGISTER", &c, &auth_right), &heard),
                      401);
    ck_assert(!auth_rig_is_stale(heard));
}
END_TEST

START_TEST(the_right_one_among_several)
{
    const struct auth_login wrong = { "alice", "guess", NULL, false };
    struct digest c;
    char extra[2400];

    auth_rig_usual();
    c = auth_rig_challenged(auth_rig.alice, "MESSAGE");
    snprintf(extra, sizeof extra, "%s", auth_rig_credentials("MESSAGE", &c, &wrong));
    strncat(extra, auth_rig_credentials("MESSAGE", &c, &auth_right),
            sizeof extra - strlen(extra) - 1);
    auth_rig_say(auth_rig.alice, "MESSAGE", "sip:bob@example.com", extra);
    ck_assert_ptr_null(
        msg_find_name(&auth_rig_bob_hears("MESSAGE")->msg, SPAN("Proxy-Authorization"), 0));
}
END_TEST

Suite *
suite_auth_proof(void)
{
    Suite *suite = suite_create("auth_proof");
    TCase *all = tcase_create("all");

    tcase_add_checked_fixture(all, auth_rig_begin, auth_rig_end);
    tcase_add_test(all, either_name_and_any_case_of_the_domain);
    tcase_add_test(all, a_wrong_proof_is_challenged_anew);
    tcase_add_test(all, a_count_is_good_once);
    tcase_add_test(all, an_old_nonce_is_stale);
    tcase_add_test(all, a_forgotten_nonce_is_stale);
    tcase_add_test(all, a_nonce_belongs_to_an_address);
    tcase_add_test(all, several_algorithms_the_strongest_first);
    tcase_add_test(all, what_is_not_offered_is_not_taken);
    tcase_add_test(all, the_right_one_among_several);
    suite_add_tcase(suite, all);
    return suite;
}
