/*
 * The auth module in a whole server: who guesses waits, and nobody else.
 */
#include "sim/auth_rig.h"

#include <stdio.h>

#include "auth/digest.h"
#include "sim/hashed.h"

Suite *suite_auth_guesses(void);

/* Guesses until it is told to wait; the right password is not looked at then, and is again afterwards. */
START_TEST(who_guesses_waits)
{
    static const struct auth_login wrong = { "alice", "Secret", NULL, false };
    const struct peer_heard *heard;
    struct span seconds;
    struct digest c;

    auth_rig_start("guard = { failures = 3; wait_s = 30; };", "udp:192.0.2.1:5060", "example.com");
    for (unsigned i = 0; i < 3; i++) {
        c = auth_rig_challenged(auth_rig.alice, "INVITE");
        ck_assert_uint_eq(auth_rig_ask(auth_rig.alice, "INVITE", "sip:bob@example.com",
                                       auth_rig_credentials("INVITE", &c, &wrong), NULL),
                          407);
    }
    c = auth_rig_challenged(auth_rig.alice, "INVITE");
    ck_assert_uint_eq(auth_rig_ask(auth_rig.alice, "INVITE", "sip:bob@example.com",
                                   auth_rig_credentials("INVITE", &c, &auth_right), &heard),
                      503);
    ck_assert(msg_get(&heard->msg, HDR_RETRY_AFTER, &seconds));
    ck_assert(span_eq(seconds, SPAN("30")) || span_eq(seconds, SPAN("29")));
    ck_assert_ptr_null(auth_rig_hear(auth_rig.bob));
    ck_assert_uint_eq(*counters_get(&auth_rig.world.counters, "auth_waits"), 1);
    ck_assert_uint_eq(*counters_get(&auth_rig.world.counters, "auth_guarded"), 1);
    world_run(&auth_rig.world, auth_rig.world.clock.now_ms + 31000, auth_rig.alice);
    c = auth_rig_challenged(auth_rig.alice, "INVITE");
    auth_rig_say(auth_rig.alice, "INVITE", "sip:bob@example.com",
                 auth_rig_credentials("INVITE", &c, &auth_right));
    auth_rig_bob_hears("INVITE");
}
END_TEST

/* An attack from elsewhere on a user's name does not keep the user out of where it is known. */
START_TEST(friends_do_not_wait)
{
    static const struct auth_login wrong = { "alice", "Secret", NULL, false };
    struct peer *mallory;
    struct digest c;

    auth_rig_start("guard = { failures = 3; };", "udp:192.0.2.1:5060", "example.com");
    mallory = auth_rig_add_peer("alice", "udp:198.51.100.66:5060");
    c = auth_rig_challenged(auth_rig.alice, "MESSAGE");
    auth_rig_say(auth_rig.alice, "MESSAGE", "sip:bob@example.com",
                 auth_rig_credentials("MESSAGE", &c, &auth_right));
    auth_rig_bob_hears("MESSAGE");
    for (unsigned i = 0; i < 3; i++) {
        c = auth_rig_challenged(mallory, "MESSAGE");
        ck_assert_uint_eq(auth_rig_ask(mallory, "MESSAGE", "sip:bob@example.com",
                                       auth_rig_credentials("MESSAGE", &c, &wrong), NULL),
                          407);
    }
    c = auth_rig_challenged(mallory, "MESSAGE");
    ck_assert_uint_eq(auth_rig_ask(mallory, "MESSAGE", "sip:bob@example.com",
                                   auth_rig_credentials("MESSAGE", &c, &auth_right), NULL),
                      503);
    c = auth_rig_challenged(auth_rig.alice, "MESSAGE");
    auth_rig_say(auth_rig.alice, "MESSAGE", "sip:bob@example.com",
                 auth_rig_credentials("MESSAGE", &c, &auth_right));
    auth_rig_bob_hears("MESSAGE");
}
END_TEST

/*
 * Who writes another's address on what it sends hears no challenge there: it must use one of its own, and that is not looked
 * at. A friend stays one, and the address waits for nothing.
 */
START_TEST(nobody_guesses_in_anothers_place)
{
    static const struct auth_login wrong = { "alice", "Secret", NULL, false };
    const struct peer_heard *heard;
    struct peer *mallory;
    struct digest own, c;

    auth_rig_start("guard = { failures = 3; };", "udp:192.0.2.1:5060", "example.com");
    mallory = auth_rig_add_peer("alice", "udp:198.51.100.66:5060");
    c = auth_rig_challenged(auth_rig.alice, "MESSAGE");
    auth_rig_say(auth_rig.alice, "MESSAGE", "sip:bob@example.com",
                 auth_rig_credentials("MESSAGE", &c, &auth_right));
    auth_rig_bob_hears("MESSAGE");
    own = auth_rig_challenged(mallory, "MESSAGE");
    for (unsigned i = 0; i < 9; i++) { /* as if from alice's address */
        ck_assert_uint_eq(auth_rig_ask(auth_rig.alice, "MESSAGE", "sip:bob@example.com",
                                       auth_rig_credentials("MESSAGE", &own, &wrong), &heard),
                          407);
        ck_assert(auth_rig_is_stale(heard));
        own.nonce = SPAN("0123456789abcdef"); /* nor is one that is made up */
    }
    ck_assert_uint_eq(*counters_get(&auth_rig.world.counters, "auth_wrong"), 0);
    c = auth_rig_challenged(auth_rig.alice, "MESSAGE");
    auth_rig_say(auth_rig.alice, "MESSAGE", "sip:bob@example.com",
                 auth_rig_credentials("MESSAGE", &c, &auth_right));
    auth_rig_bob_hears("MESSAGE");
}
END_TEST

/* Whether a guess was right is told by no nonce but one that is good: else old ones would be for guessing that nobody counts. */
START_TEST(an_old_nonce_tells_nothing)
{
    static const struct auth_login wrong = { "alice", "Secret", NULL, false };
    const struct peer_heard *heard;
    struct digest c;

    auth_rig_usual();
    c = auth_rig_challenged(auth_rig.alice, "REGISTER");
    world_run(&auth_rig.world, auth_rig.world.clock.now_ms + 301000, NULL);
    ck_assert_uint_eq(auth_rig_ask(auth_rig.alice, "REGISTER", "sip:example.com",
                                   auth_rig_credentials("REGISTER", &c, &wrong), &heard),
                      401);
    ck_assert(auth_rig_is_stale(heard));
    c = auth_rig_challenge_of(heard, 0);
    ck_assert_uint_eq(auth_rig_ask(auth_rig.alice, "REGISTER", "sip:example.com",
                                   auth_rig_credentials("REGISTER", &c, &wrong), &heard),
                      401);
    ck_assert(!auth_rig_is_stale(heard));
}
END_TEST

/* One guess with a fresh challenge; what the server answers is the same, whoever the guess is for. */
static struct hashed
guess(const char *method, struct digest challenge, const struct auth_login *login)
{
    const char *credentials = auth_rig_credentials(method, &challenge, login);
    bool registers = strcmp(method, "REGISTER") == 0;
    struct hashed before = hashed_now();
    const struct peer_heard *heard;

    ck_assert_uint_eq(auth_rig_ask(auth_rig.alice, method,
                                   registers ? "sip:example.com" : "sip:bob@example.com",
                                   credentials, &heard),
                      registers ? 401 : 407);
    ck_assert(!auth_rig_is_stale(heard));
    return hashed_since(&before);
}

/* The time that a refusal takes tells nothing, for the same is hashed and compared: this counts the work instead of the time. */
START_TEST(who_exists_costs_no_more)
{
    static const struct auth_login logins[] = {
        { "alice", "Secret", NULL, false },
        { "nobody", "Secret", NULL, false },
        { "alice@example.com", "Secret", NULL, false },
        { "nobody@example.com", "Secret", NULL, false },
        { "alice@example.org", "Secret", NULL, false },
        { "", "Secret", NULL, false },
    };
    static const char *const methods[] = { "REGISTER", "INVITE" };

    auth_rig_start(
        "algorithms = [ \"MD5\", \"SHA-256\", \"SHA-512-256\" ]; guard = { failures = 0; };",
        "udp:192.0.2.1:5060", "example.com");
    for (unsigned i = 0; i < countof(methods) * DIGEST_ALGORITHMS; i++) {
        const char *method = methods[i % countof(methods)];
        struct hashed first = { 0 };

        for (size_t n = 0; n < countof(logins); n++) {
            const struct peer_heard *heard;
            struct hashed cost;

            (void)auth_rig_ask(auth_rig.alice, method, "sip:bob@example.com", "", &heard);
            cost = guess(method, auth_rig_challenge_of(heard, i / countof(methods)), &logins[n]);
            ck_assert(cost.ended > 0 && cost.bytes > 0 && cost.compared > 0);
            first = n == 0 ? cost : first;
            ck_assert_msg(memcmp(&cost, &first, sizeof cost) == 0,
                          "a guess at \"%s\" costs other work than one at \"%s\"", logins[n].user,
                          logins[0].user);
        }
    }
}
END_TEST

/* A name's two forms are one name, whether its user exists or not; each guess comes from another place. */
START_TEST(who_exists_waits_no_longer)
{
    static const char *const names[][2] = { { "alice", "alice@example.com" },
                                            { "nobody", "nobody@EXAMPLE.com" } };

    auth_rig_start("guard = { failures = 4; };", "udp:192.0.2.1:5060", "example.com");
    for (unsigned i = 0; i < countof(names); i++)
        for (unsigned n = 0; n < 5; n++) {
            const struct auth_login login = { names[i][n % 2], "Secret", NULL, false };
            char at[40];
            struct peer *p;
            struct digest c;

            snprintf(at, sizeof at, "udp:198.51.100.%u:5060", 1 + i * 5 + n);
            p = auth_rig_add_peer("alice", at);
            c = auth_rig_challenged(p, "MESSAGE");
            ck_assert_uint_eq(auth_rig_ask(p, "MESSAGE", "sip:bob@example.com",
                                           auth_rig_credentials("MESSAGE", &c, &login), NULL),
                              n < 4 ? 407 : 503);
        }
}
END_TEST

Suite *
suite_auth_guesses(void)
{
    Suite *suite = suite_create("auth_guesses");
    TCase *all = tcase_create("all");

    tcase_add_checked_fixture(all, auth_rig_begin, auth_rig_end);
    tcase_add_test(all, who_guesses_waits);
    tcase_add_test(all, friends_do_not_wait);
    tcase_add_test(all, nobody_guesses_in_anothers_place);
    tcase_add_test(all, an_old_nonce_tells_nothing);
    tcase_add_test(all, who_exists_costs_no_more);
    tcase_add_test(all, who_exists_waits_no_longer);
    suite_add_tcase(suite, all);
    return suite;
}
