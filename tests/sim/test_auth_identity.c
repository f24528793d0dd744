/*
 * The auth module in a whole server: for whom one may speak, and whom we name to others (RFC 3325).
 */
#include "sim/auth_rig.h"

#include <stdio.h>

Suite *suite_auth_identity(void);

START_TEST(nobody_speaks_for_another)
{
    const struct auth_login as_bob = { "bob", "secret", NULL, false };
    struct digest c;

    auth_rig_usual();
    c = auth_rig_challenged(auth_rig.alice, "INVITE");
    ck_assert_uint_eq(auth_rig_ask(auth_rig.alice, "INVITE", "sip:bob@example.com",
                                   auth_rig_credentials("INVITE", &c, &as_bob), NULL),
                      403);
    c = auth_rig_challenged(auth_rig.alice, "REGISTER");
    ck_assert_uint_eq(auth_rig_ask(auth_rig.alice, "REGISTER", "sip:example.com",
                                   auth_rig_credentials("REGISTER", &c, &as_bob), NULL),
                      403);
    ck_assert_uint_eq(*counters_get(&auth_rig.world.counters, "auth_forbidden"), 2);
    ck_assert_ptr_null(auth_rig_hear(auth_rig.bob));
}
END_TEST

START_TEST(an_alias_may_be_used)
{
    static const struct auth_login bobs = { "bob", "secret", NULL, false };
    struct peer *sales;
    struct span asserted;
    struct digest c;

    auth_rig_start(
        "aliases = ( { user = \"alice@example.com\"; as = [ \"sales@EXAMPLE.com\" ]; } );",
        "udp:192.0.2.1:5060", "example.com");
    sales = auth_rig_add_peer("sales", "udp:192.0.2.30:5060");
    c = auth_rig_challenged(sales, "INVITE");
    ck_assert_uint_eq(auth_rig_ask(sales, "INVITE", "sip:bob@example.com",
                                   auth_rig_credentials("INVITE", &c, &bobs), NULL),
                      403);
    c = auth_rig_challenged(sales, "INVITE");
    auth_rig_say(sales, "INVITE", "sip:bob@example.com",
                 auth_rig_credentials("INVITE", &c, &auth_right));
    ck_assert(auth_rig_header(auth_rig_bob_hears("INVITE"), "P-Asserted-Identity", &asserted));
    ck_assert(span_eq(asserted, SPAN("<sip:sales@example.com>")));
}
END_TEST

/* RFC 3325 §5, §9: ours instead of theirs, and none for whom it shall stay unknown. */
START_TEST(identities_are_asserted)
{
    char line[1600];
    struct span value;
    struct digest c;

    auth_rig_usual();
    c = auth_rig_challenged(auth_rig.alice, "INVITE");
    snprintf(line, sizeof line,
             "%sP-Asserted-Identity: <sip:boss@example.com>\r\nP-Asserted-Identity: <tel:+1>\r\n"
             "P-Preferred-Identity: <sip:boss@example.com>\r\n",
             auth_rig_credentials("INVITE", &c, &auth_right));
    auth_rig_say(auth_rig.alice, "INVITE", "sip:bob@example.com", line);
    {
        const struct peer_heard *heard = auth_rig_bob_hears("INVITE");

        ck_assert(auth_rig_header(heard, "P-Asserted-Identity", &value));
        ck_assert(span_eq(value, SPAN("<sip:alice@example.com>")));
        ck_assert_ptr_null(msg_find_name(&heard->msg, SPAN("P-Asserted-Identity"), 1));
        ck_assert(!auth_rig_header(heard, "P-Preferred-Identity", &value));
    }
    c = auth_rig_challenged(auth_rig.alice, "MESSAGE");
    snprintf(line, sizeof line, "%sPrivacy: header; id\r\n",
             auth_rig_credentials("MESSAGE", &c, &auth_right));
    auth_rig_say(auth_rig.alice, "MESSAGE", "sip:bob@example.com", line);
    ck_assert(!auth_rig_header(auth_rig_bob_hears("MESSAGE"), "P-Asserted-Identity", &value));
}
END_TEST

Suite *
suite_auth_identity(void)
{
    Suite *suite = suite_create("auth_identity");
    TCase *all = tcase_create("all");

    tcase_add_checked_fixture(all, auth_rig_begin, auth_rig_end);
    tcase_add_test(all, nobody_speaks_for_another);
    tcase_add_test(all, an_alias_may_be_used);
    tcase_add_test(all, identities_are_asserted);
    suite_add_tcase(suite, all);
    return suite;
}
