/*
 * A 3xx that we follow ourselves (RFC 3261 §16.5, §16.7 step 4, §21.3).
 */
#include "core/recurse.h"

#include "unit/core_rig.h"

#define NEXT  "udp:192.0.2.77:5060"
#define AFTER "udp:192.0.2.78:5060"

static const struct rig_sent *invite;

/* Bob's phone got the INVITE of alice, and the switch stands so. */
static void
call(bool recurse_is_on)
{
    rig.conf.recurse = recurse_is_on;
    rig_bind(&rig, "bob", "sip:bob@192.0.2.9", NULL, 1000);
    rig_ask(&rig, ALICE, INVITE_BOB, NULL);
    invite = rig_expect(&rig, BOB, "INVITE ");
}

/* The phone redirects. */
static void
redirect(unsigned status, const char *contact)
{
    rig_reply(&rig, invite, status, "t", contact, NULL);
    rig_expect(&rig, BOB, "ACK ");
}

START_TEST(a_redirection_goes_up_unless_the_switch_is_on)
{
    call(false);
    redirect(302, "Contact: <sip:bob@192.0.2.77>");
    ck_assert_str_eq(rig_value(rig_expect(&rig, ALICE, "SIP/2.0 302 "), "Contact", 0),
                     "<sip:bob@192.0.2.77>");
    rig_quiet(&rig);
}
END_TEST

START_TEST(a_redirection_is_followed)
{
    call(true);
    redirect(302, "Contact: <sip:bob@192.0.2.77>");
    invite = rig_expect(&rig, NEXT, "INVITE sip:bob@192.0.2.77 SIP/2.0\r\n");
    rig_quiet(&rig);
    rig_reply(&rig, invite, 200, "u", NULL);
    rig_expect(&rig, ALICE, "SIP/2.0 200 ");
    rig_settled(&rig);
}
END_TEST

START_TEST(contacts_are_tried_by_their_q)
{
    rig.conf.fork = CORE_FORK_Q;
    call(true);
    redirect(300, "Contact: <sip:bob@192.0.2.78>;q=0.3, \"B, b\" "
                  "<sip:bob@192.0.2.77>;q=0.7;expires=9, <mailto:b@example.com>");
    invite = rig_expect(&rig, NEXT, "INVITE ");
    rig_quiet(&rig);
    rig_reply(&rig, invite, 486, "u", NULL);
    rig_expect(&rig, NEXT, "ACK ");
    invite = rig_expect(&rig, AFTER, "INVITE ");
    rig_reply(&rig, invite, 480, "v", NULL);
    rig_expect(&rig, AFTER, "ACK ");
    /* What was followed is no answer any more, what was not is the best one there is (§16.7 step 4). */
    ck_assert_str_eq(rig_value(rig_expect(&rig, ALICE, "SIP/2.0 300 "), "Contact", 0),
                     "<mailto:b@example.com>");
    rig_quiet(&rig);
}
END_TEST

START_TEST(a_redirection_that_loses_all_contacts_is_no_answer)
{
    call(true);
    rig_reply(&rig, invite, 302, "t", "Contact: <sip:bob@192.0.2.77>, <sip:bob@192.0.2.9>",
              "m: <sip:bob@192.0.2.77>", NULL);
    rig_expect(&rig, BOB, "ACK ");
    invite = rig_expect(&rig, NEXT, "INVITE ");
    rig_quiet(&rig);
    rig_reply(&rig, invite, 486, "u", NULL);
    rig_expect(&rig, NEXT, "ACK ");
    rig_expect(&rig, ALICE, "SIP/2.0 486 ");
    rig_quiet(&rig);
}
END_TEST

START_TEST(what_is_left_of_a_redirection_keeps_its_other_fields)
{
    const struct rig_sent *redirection;

    call(true);
    rig_reply(
        &rig, invite, 302, "t", "X-Before: 1", "Contact: <mailto:a@example.com>",
        "Contact: <sip:bob@192.0.2.77>", "X-Between: 2",
        "Contact: <tel:+15551234> , <sip:bob@192.0.2.77>, \"x, y\" <mailto:c@example.com>;q=0.1",
        "X-After: 3", NULL);
    rig_expect(&rig, BOB, "ACK ");
    rig_reply(&rig, rig_expect(&rig, NEXT, "INVITE "), 404, "u", NULL);
    rig_expect(&rig, NEXT, "ACK ");
    redirection = rig_expect(&rig, ALICE, "SIP/2.0 302 ");
    ck_assert_uint_eq(rig_count(redirection, "Contact"), 2);
    ck_assert_str_eq(rig_value(redirection, "Contact", 0), "<mailto:a@example.com>");
    ck_assert_str_eq(rig_value(redirection, "Contact", 1),
                     "<tel:+15551234>, \"x, y\" <mailto:c@example.com>;q=0.1");
    ck_assert_str_eq(rig_value(redirection, "X-Before", 0), "1");
    ck_assert_str_eq(rig_value(redirection, "X-Between", 0), "2");
    ck_assert_str_eq(rig_value(redirection, "X-After", 0), "3");
}
END_TEST

/* §16.5: no target twice. */
START_TEST(a_circle_comes_to_its_end)
{
    call(true);
    redirect(302, "Contact: <sip:bob@192.0.2.77>");
    invite = rig_expect(&rig, NEXT, "INVITE ");
    rig_reply(&rig, invite, 302, "u", "Contact: <sip:bob@192.0.2.9>, <sip:bob@192.0.2.77>", NULL);
    rig_expect(&rig, NEXT, "ACK ");
    rig_expect(&rig, ALICE, "SIP/2.0 302 ");
    rig_quiet(&rig);
}
END_TEST

/* The phone registered over a connection; a Contact says no more than where it is, and there it was asked. */
START_TEST(who_was_reached_over_a_flow_is_not_tried_again)
{
    rig.conf.recurse = true;
    rig_bind(&rig, "bob", "sip:bob@192.0.2.9;transport=tcp", "tcp:192.0.2.9:5060/7", 1000);
    rig_bind(&rig, "bob", "sip:bob@192.0.2.12", NULL, 1000);
    rig_ask(&rig, ALICE, "MESSAGE sip:bob@example.com SIP/2.0", NULL);
    rig_reply(&rig, rig_expect(&rig, "tcp:192.0.2.9:5060/7", "MESSAGE "), 480, "t", NULL);
    rig_pass(&rig, 0); /* Timer K of a connection */
    rig_reply(&rig, rig_expect(&rig, "udp:192.0.2.12:5060", "MESSAGE "), 302, "t",
              "Contact: <sip:bob@192.0.2.9;transport=tcp>", NULL);
    rig_expect(&rig, ALICE, "SIP/2.0 302 ");
    rig_quiet(&rig);
}
END_TEST

START_TEST(what_cannot_be_followed_goes_up)
{
    static const char *const contacts[] = {
        "Contact: <mailto:bob@example.com>",
        "Contact: <tel:+15551234>",
        "Contact: rubbish",
        "X-Contact: <sip:bob@192.0.2.77>",
        "Contact: *",
    };

    for (size_t i = 0; i < countof(contacts); i++) {
        rig.binds_len = 0;
        rig_new_branch(&rig);
        call(true);
        redirect(301, contacts[i]);
        rig_expect(&rig, ALICE, "SIP/2.0 301 ");
        rig_quiet(&rig);
    }
}
END_TEST

/* Their Contacts are no places where the callee could be: a proxy, another service (§21.3.4, §21.3.5). */
START_TEST(other_redirections_go_up)
{
    static const unsigned statuses[] = { 305, 380, 399 };

    for (size_t i = 0; i < countof(statuses); i++) {
        rig.binds_len = 0;
        rig_new_branch(&rig);
        call(true);
        redirect(statuses[i], "Contact: <sip:bob@192.0.2.77>");
        rig_expect(&rig, ALICE, "SIP/2.0 3");
        rig_quiet(&rig);
    }
}
END_TEST

/* §16.5: a proxy MUST NOT add targets to a request for a resource that it is not responsible for. */
START_TEST(anothers_redirection_goes_up)
{
    rig.conf.recurse = rig.trust = true;
    rig_ask(&rig, ALICE, "INVITE sip:carol@192.0.2.9 SIP/2.0", NULL);
    invite = rig_expect(&rig, BOB, "INVITE ");
    redirect(302, "Contact: <sip:carol@192.0.2.77>");
    rig_expect(&rig, ALICE, "SIP/2.0 302 ");
    rig_quiet(&rig);
}
END_TEST

/* RFC 5630 §5.3: nor does another become one. */
START_TEST(a_sips_resource_stays_one)
{
    rig.conf.recurse = true;
    rig_bind(&rig, "bob", "sips:bob@192.0.2.9", NULL, 1000);
    rig_ask(&rig, ALICE, "INVITE sips:bob@example.com SIP/2.0", NULL);
    invite = rig_expect(&rig, "tls:192.0.2.9:5061", "INVITE ");
    rig_reply(&rig, invite, 302, "t", "Contact: <sip:bob@192.0.2.77>, <sips:bob@192.0.2.78>", NULL);
    rig_expect(&rig, "tls:192.0.2.9:5061", "ACK ");
    rig_expect(&rig, "tls:192.0.2.78:5061", "INVITE sips:bob@192.0.2.78 ");
    rig_quiet(&rig);
    rig.binds_len = 0;
    rig_new_branch(&rig);
    call(true);
    redirect(302, "Contact: <sips:bob@192.0.2.78>");
    rig_expect(&rig, ALICE, "SIP/2.0 302 ");
    rig_quiet(&rig);
}
END_TEST

START_TEST(nothing_is_followed_after_a_cancel)
{
    call(true);
    rig_reply(&rig, invite, 180, "t", NULL);
    rig_ask(&rig, ALICE, "CANCEL sip:bob@example.com SIP/2.0", NULL);
    rig_forget(&rig);
    redirect(302, "Contact: <sip:bob@192.0.2.77>");
    rig_expect(&rig, ALICE, "SIP/2.0 302 ");
    rig_quiet(&rig);
}
END_TEST

START_TEST(nothing_is_followed_after_a_global_failure)
{
    const struct rig_sent *other;

    rig_bind(&rig, "bob", "sip:bob@192.0.2.8", NULL, 1000);
    rig.conf.recurse = true;
    rig_bind(&rig, "bob", "sip:bob@192.0.2.9", NULL, 1000);
    rig_ask(&rig, ALICE, INVITE_BOB, NULL);
    other = rig_expect(&rig, "udp:192.0.2.8:5060", "INVITE ");
    invite = rig_expect(&rig, BOB, "INVITE ");
    rig_reply(&rig, other, 603, "u", NULL);
    rig_expect(&rig, "udp:192.0.2.8:5060", "ACK ");
    redirect(302, "Contact: <sip:bob@192.0.2.77>");
    rig_expect(&rig, ALICE, "SIP/2.0 603 ");
    rig_quiet(&rig);
}
END_TEST

START_TEST(there_is_a_ceiling_on_what_is_followed)
{
    rig.conf.max_targets = 2;
    call(true);
    redirect(302, "Contact: <sip:bob@192.0.2.77>, <sip:bob@192.0.2.78>");
    invite = rig_expect(&rig, NEXT, "INVITE ");
    rig_quiet(&rig);
}
END_TEST

Suite *
suite_recurse(void)
{
    Suite *s = suite_create("recurse");
    TCase *c = rig_case("redirections");

    tcase_add_test(c, a_redirection_goes_up_unless_the_switch_is_on);
    tcase_add_test(c, a_redirection_is_followed);
    tcase_add_test(c, contacts_are_tried_by_their_q);
    tcase_add_test(c, a_redirection_that_loses_all_contacts_is_no_answer);
    tcase_add_test(c, what_is_left_of_a_redirection_keeps_its_other_fields);
    tcase_add_test(c, a_circle_comes_to_its_end);
    tcase_add_test(c, who_was_reached_over_a_flow_is_not_tried_again);
    tcase_add_test(c, what_cannot_be_followed_goes_up);
    tcase_add_test(c, other_redirections_go_up);
    tcase_add_test(c, anothers_redirection_goes_up);
    tcase_add_test(c, a_sips_resource_stays_one);
    tcase_add_test(c, nothing_is_followed_after_a_cancel);
    tcase_add_test(c, nothing_is_followed_after_a_global_failure);
    tcase_add_test(c, there_is_a_ceiling_on_what_is_followed);
    suite_add_tcase(s, c);
    return s;
}
