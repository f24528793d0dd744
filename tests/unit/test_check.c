/*
 * What is refused before it is looked at further, and in which order (RFC 3261 §16.3, §21.4, §21.5.4).
 */
#include "core/check.h"

#include "unit/core_rig.h"

/* The request was refused with this; nothing of it is kept, and its repeat gets the very same. */
static const struct rig_sent *
refused(const char *status_line)
{
    const struct rig_sent *sent = rig_expect(&rig, ALICE, status_line);

    rig_quiet(&rig);
    rig_alive(&rig, 0, 0, 0);
    return sent;
}

START_TEST(bad_syntax_is_400_and_says_what)
{
    rig_ask(&rig, ALICE, INVITE_BOB, "-Call-ID", NULL);
    refused("SIP/2.0 400 Missing Call-ID\r\n");
    rig_ask(&rig, ALICE, INVITE_BOB, "CSeq: 1 OPTIONS", NULL);
    refused("SIP/2.0 400 CSeq Names Another Method\r\n");
    rig_ask(&rig, ALICE, INVITE_BOB, "Max-Forwards: many", NULL);
    refused("SIP/2.0 400 Bad Max-Forwards\r\n");
    rig_ask(&rig, ALICE, "INVITE <sip:bob@example.com> SIP/2.0", NULL);
    refused("SIP/2.0 400 Bad Request-URI\r\n");
    rig_ask(&rig, ALICE, "INVITE sip:@: SIP/2.0", NULL);
    refused("SIP/2.0 400 Bad Request-URI\r\n");
    rig_ask(&rig, ALICE, "CANCEL sip:bob@example.com SIP/2.0", "-Call-ID", NULL);
    refused("SIP/2.0 400 Missing Call-ID\r\n");
}
END_TEST

static struct repair_policy policy;
static struct hop asked_of;

static const struct repair_policy *
policy_of(void *io, const struct hop *from)
{
    (void)io;
    asked_of = *from;
    return &policy;
}

/* What is odd is refused, mended or left, as the policy of its sender has it; the record says so. */
START_TEST(deviations_go_by_the_policy)
{
    const struct rig_sent *sent;

    rig.ports.repair = policy_of;
    rig_restart(&rig);
    rig_bind(&rig, "bob", "sip:bob@192.0.2.9", NULL, 1000);
    repair_policy_default(&policy);
    rig_ask(&rig, ALICE, "MESSAGE sip:bob@example.com SIP/2.0", NULL);
    rig_expect(&rig, BOB, "MESSAGE ");
    ck_assert_uint_eq(asked_of.port, 0); /* who sends well is not asked for */

    policy.verdict[DEV_VERSION_CASE] = REPAIR_REJECT;
    rig_new_branch(&rig);
    rig_ask(&rig, ALICE, "MESSAGE sip:bob@example.com sip/2.0", NULL);
    rig_expect(&rig, ALICE, "SIP/2.0 400 Bad SIP-Version\r\n");
    ck_assert_uint_eq(asked_of.port, 5060);
    policy.verdict[DEV_VERSION_CASE] = REPAIR_ACCEPT;
    rig_new_branch(&rig);
    rig_ask(&rig, ALICE, "MESSAGE sip:bob@example.com sip/2.0", NULL);
    sent = rig_expect(&rig, BOB, "MESSAGE ");
    ck_assert(rig_has(sent, " sip/2.0\r\n"));
    policy.verdict[DEV_VERSION_CASE] = REPAIR_FIX;
    rig_new_branch(&rig);
    rig_ask(&rig, ALICE, "MESSAGE sip:bob@example.com sip/2.0", NULL);
    sent = rig_expect(&rig, BOB, "MESSAGE ");
    ck_assert(rig_has(sent, " SIP/2.0\r\n"));
    ck_assert_uint_eq(*counters_get(&rig.counters, "repair_version_case"), 3);
}
END_TEST

/* A module's field is refused in its name. */
static enum sipd_fix
never(struct sipd_field *field, void *self)
{
    (void)field;
    (void)self;
    return SIPD_FIX_REFUSE;
}

START_TEST(a_fixer_refuses_by_name)
{
    struct fixer event = { .name = SPAN("Event"), .fn = never },
                 other = { .name = SPAN("X-Own"), .fn = never };
    struct fixer again = { .name = SPAN("o"), .fn = never },
                 via = { .name = SPAN("v"), .fn = never };
    struct fixer length = { .name = SPAN("Content-Length"), .fn = never },
                 none = { .name = SPAN("a b"), .fn = never };
    struct fixers *fixers = core_fixers(rig.core);

    ck_assert_int_eq(fixers_add(fixers, &event), SIPD_OK);
    ck_assert_int_eq(fixers_add(fixers, &other), SIPD_OK);
    ck_assert_int_eq(fixers_add(fixers, &again), SIPD_EEXIST);
    ck_assert_int_eq(fixers_add(fixers, &via), SIPD_EINVAL);
    ck_assert_int_eq(fixers_add(fixers, &length), SIPD_EINVAL);
    ck_assert_int_eq(fixers_add(fixers, &none), SIPD_EINVAL);
    rig_ask(&rig, ALICE, "MESSAGE sip:bob@example.com SIP/2.0", "o: x", NULL);
    refused("SIP/2.0 400 Bad Event\r\n");
    rig_new_branch(&rig);
    rig_ask(&rig, ALICE, "MESSAGE sip:bob@example.com SIP/2.0", "X-OWN: x", NULL);
    refused("SIP/2.0 400 Bad X-Own\r\n");
    fixers_remove(fixers, &event);
    fixers_remove(fixers, &other);
    rig_new_branch(&rig);
    rig_ask(&rig, ALICE, "MESSAGE sip:bob@example.com SIP/2.0", "o: x", "X-Own: x", NULL);
    rig_expect(&rig, ALICE, "SIP/2.0 404 ");
}
END_TEST

/* A Route is needed wherever there is one. */
START_TEST(a_bad_route_is_400)
{
    rig_ask(&rig, ALICE, "MESSAGE sip:bob@example.com SIP/2.0", "Route: <sip:a", NULL);
    rig_expect(&rig, ALICE, "SIP/2.0 400 Bad Route\r\n");
}
END_TEST

/* Whoever can be found by Via and CSeq hears why. */
START_TEST(a_first_line_that_says_nothing_is_400)
{
    rig_ask(&rig, ALICE, "INVITE", NULL);
    refused("SIP/2.0 400 Bad Request-Line\r\n");
    rig_ask(&rig, ALICE, "INVITE sip:bob@example.com", NULL);
    refused("SIP/2.0 400 Bad Request-Line\r\n");
    rig_ask(&rig, ALICE, "GET / HTTP/1.1", "-Via", "-CSeq", NULL);
    rig_quiet(&rig);
    rig_ask(&rig, ALICE, "ACK sip:bob@example.com", "CSeq: 1 ACK", NULL);
    rig_quiet(&rig);
}
END_TEST

/* §16.3 step 1: what we don't look at may be anything. */
START_TEST(bad_syntax_elsewhere_passes)
{
    rig_bind(&rig, "bob", "sip:bob@192.0.2.9", NULL, 1000);
    rig_ask(&rig, ALICE, INVITE_BOB, "Date: yesterday", "Contact: <<>>", "Expires: never",
            "Authorization: ,,", NULL);
    rig_expect(&rig, BOB, "INVITE ");
}
END_TEST

START_TEST(another_version_is_505)
{
    rig_ask(&rig, ALICE, "INVITE sip:bob@example.com SIP/3.0", NULL);
    refused("SIP/2.0 505 ");
}
END_TEST

START_TEST(a_scheme_that_we_cannot_route_is_416)
{
    rig_ask(&rig, ALICE, "INVITE tel:+15551234 SIP/2.0", NULL);
    refused("SIP/2.0 416 Unsupported URI Scheme\r\n");
    rig_ask(&rig, ALICE, "INVITE http://example.com/ SIP/2.0", NULL);
    refused("SIP/2.0 416 Unsupported URI Scheme\r\n");
    rig_ask(&rig, ALICE, "INVITE soap.beep://192.0.2.103:3002 SIP/2.0", NULL);
    refused("SIP/2.0 416 ");
}
END_TEST

START_TEST(too_many_hops_is_483)
{
    rig_bind(&rig, "bob", "sip:bob@192.0.2.9", NULL, 1000);
    rig_ask(&rig, ALICE, INVITE_BOB, "Max-Forwards: 0", NULL);
    refused("SIP/2.0 483 Too Many Hops\r\n");
    rig_ask(&rig, ALICE, "DANCE sip:bob@example.com SIP/2.0", "Max-Forwards: 0", NULL);
    refused("SIP/2.0 483 ");
}
END_TEST

START_TEST(the_last_hop_may_be_ours)
{
    rig_bind(&rig, "bob", "sip:bob@192.0.2.9", NULL, 1000);
    rig_ask(&rig, ALICE, INVITE_BOB, "Max-Forwards: 1", NULL);
    ck_assert_str_eq(rig_value(rig_expect(&rig, BOB, "INVITE "), "Max-Forwards", 0), "0");
}
END_TEST

/* The second pass of the same routing input; a spiral, whose Request-URI changed, goes on. */
START_TEST(a_loop_is_482_and_a_spiral_is_not)
{
    const struct rig_sent *invite;
    const char *vias[3];

    rig_bind(&rig, "bob", "sip:carol@198.51.100.1", BOB, 1000);
    rig_bind(&rig, "carol", "sip:bob@198.51.100.1", BOB, 1000);
    rig_ask(&rig, ALICE, "INVITE sip:bob@198.51.100.1 SIP/2.0", NULL);
    invite = rig_expect(&rig, BOB, "INVITE sip:carol@198.51.100.1 ");
    vias[0] = rig_line("Via", rig_value(invite, "Via", 0));
    vias[1] = rig_line("Via", rig_value(invite, "Via", 1));
    rig_ask(&rig, "udp:198.51.100.1:5060", "INVITE sip:carol@198.51.100.1 SIP/2.0", vias[0],
            vias[1], NULL);
    invite = rig_expect(&rig, BOB, "INVITE sip:bob@198.51.100.1 ");
    vias[2] = vias[1];
    vias[1] = vias[0];
    vias[0] = rig_line("Via", rig_value(invite, "Via", 0));
    rig_ask(&rig, "udp:198.51.100.1:5060", "INVITE sip:bob@198.51.100.1 SIP/2.0", vias[0], vias[1],
            vias[2], NULL);
    rig_expect(&rig, "udp:198.51.100.1:5060", "SIP/2.0 482 Loop Detected\r\n");
}
END_TEST

START_TEST(a_via_that_only_looks_like_ours_is_no_loop)
{
    rig_bind(&rig, "bob", "sip:bob@192.0.2.9", NULL, 1000);
    rig_ask(&rig, ALICE, INVITE_BOB, "Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1",
            "Via: SIP/2.0/UDP "
            "198.51.100.1:5060;branch=z9hG4bKbaa0000000000000000000000000000000000000000",
            NULL);
    rig_expect(&rig, BOB, "INVITE ");
}
END_TEST

/* §16.3 step 5: each tag is named. */
START_TEST(extensions_that_we_do_not_know_are_420)
{
    const struct rig_sent *sent;

    rig_ask(&rig, ALICE, INVITE_BOB, "Proxy-Require: one, two", "Proxy-Require: three", NULL);
    sent = refused("SIP/2.0 420 Bad Extension\r\n");
    ck_assert_str_eq(rig_value(sent, "Unsupported", 0), "one, two");
    ck_assert_str_eq(rig_value(sent, "Unsupported", 1), "three");
    ck_assert_uint_eq(rig_count(sent, "Unsupported"), 2);
}
END_TEST

/* Empty elements of a list are none: only commas ask for nothing, and Unsupported has what was asked for alone. */
START_TEST(nothing_is_required_between_commas)
{
    const struct rig_sent *sent;

    rig_ask(&rig, ALICE, INVITE_BOB, "Proxy-Require: ,", "Proxy-Require: ,, one\r\n ,two,", NULL);
    sent = refused("SIP/2.0 420 Bad Extension\r\n");
    ck_assert_str_eq(rig_value(sent, "Unsupported", 0), "one, two");
    ck_assert_uint_eq(rig_count(sent, "Unsupported"), 1);
    rig_bind(&rig, "bob", "sip:bob@192.0.2.9", NULL, 1000);
    rig_new_branch(&rig);
    rig_ask(&rig, ALICE, INVITE_BOB, "Proxy-Require: , ,,", "Proxy-Require: ", NULL);
    ck_assert_str_eq(rig_value(rig_expect(&rig, BOB, "INVITE "), "Proxy-Require", 0), ", ,,");
}
END_TEST

START_TEST(require_is_not_for_proxies)
{
    rig_bind(&rig, "bob", "sip:bob@192.0.2.9", NULL, 1000);
    rig_ask(&rig, ALICE, INVITE_BOB, "Require: 100rel", NULL);
    ck_assert_str_eq(rig_value(rig_expect(&rig, BOB, "INVITE "), "Require", 0), "100rel");
}
END_TEST

START_TEST(without_memory_no_extension_passes)
{
    rig_bind(&rig, "bob", "sip:bob@192.0.2.9", NULL, 1000);
    for (uint64_t n = 0; n < 20; n++) {
        mem_fail_after(n);
        rig_ask(&rig, ALICE, INVITE_BOB, "Proxy-Require: one", NULL);
        mem_fail_never();
        must(!rig_last(&rig, "INVITE "));
    }
}
END_TEST

START_TEST(who_drains_takes_no_new_work)
{
    const struct rig_sent *sent;

    rig_bind(&rig, "bob", "sip:bob@192.0.2.9", NULL, 1000);
    core_drain(rig.core, true, 17);
    rig_ask(&rig, ALICE, INVITE_BOB, NULL);
    sent = refused("SIP/2.0 503 Service Unavailable\r\n");
    ck_assert_str_eq(rig_value(sent, "Retry-After", 0), "17");
    rig_ask(&rig, ALICE, "OPTIONS sip:example.com SIP/2.0", NULL);
    refused("SIP/2.0 503 ");
    core_drain(rig.core, true, 0);
    rig_ask(&rig, ALICE, INVITE_BOB, NULL);
    sent = refused("SIP/2.0 503 ");
    ck_assert_str_eq(rig_value(sent, "Retry-After", 0), "5");
    core_drain(rig.core, false, 0);
    rig_ask(&rig, ALICE, INVITE_BOB, NULL);
    rig_expect(&rig, BOB, "INVITE ");
}
END_TEST

START_TEST(who_drains_ends_what_has_begun)
{
    const struct rig_sent *invite;

    rig_bind(&rig, "bob", "sip:bob@192.0.2.9", NULL, 1000);
    rig_ask(&rig, ALICE, INVITE_BOB, NULL);
    invite = rig_expect(&rig, BOB, "INVITE ");
    core_drain(rig.core, true, 17);
    rig_ask(&rig, ALICE, INVITE_BOB, NULL);
    rig_expect(&rig, ALICE, "SIP/2.0 100 ");
    rig_reply(&rig, invite, 200, "b", NULL);
    rig_expect(&rig, ALICE, "SIP/2.0 200 ");
    rig.to_tag = "b";
    rig_new_branch(&rig);
    rig_ask(&rig, ALICE, "BYE sip:bob@example.com SIP/2.0", NULL);
    rig_expect(&rig, BOB, "BYE ");
}
END_TEST

/* limits.transactions: half of them pending, and new work is refused; dialogs last. */
START_TEST(who_is_full_takes_no_new_work)
{
    struct core_conf small = rig.conf;

    small.transactions = 8;
    core_set_conf(rig.core, &small);
    rig_bind(&rig, "bob", "sip:bob@192.0.2.9", NULL, 1000);
    for (unsigned i = 0; i < 2; i++) {
        rig_new_branch(&rig);
        rig_ask(&rig, ALICE, INVITE_BOB, NULL);
        rig_expect(&rig, BOB, "INVITE ");
    }
    rig_new_branch(&rig);
    rig_ask(&rig, ALICE, INVITE_BOB, NULL);
    ck_assert_str_eq(rig_value(rig_expect(&rig, ALICE, "SIP/2.0 503 "), "Retry-After", 0), "5");
    rig.to_tag = "b";
    for (unsigned i = 0; i < 2; i++) {
        rig_new_branch(&rig);
        rig_ask(&rig, ALICE, "BYE sip:bob@example.com SIP/2.0", NULL);
        rig_expect(&rig, BOB, "BYE ");
    }
    rig_new_branch(&rig);
    rig_ask(&rig, ALICE, "BYE sip:bob@example.com SIP/2.0", NULL); /* at the ceiling even this */
    rig_expect(&rig, ALICE, "SIP/2.0 503 ");
    rig_quiet(&rig);
    rig_settled(&rig);
}
END_TEST

START_TEST(refusals_come_in_the_order_of_the_rfc)
{
    rig_ask(&rig, ALICE, "INVITE tel:1 SIP/2.0", "Max-Forwards: 0", "Proxy-Require: x", "-Call-ID",
            NULL);
    refused("SIP/2.0 400 ");
    rig_ask(&rig, ALICE, "INVITE tel:1 SIP/2.0", "Max-Forwards: 0", "Proxy-Require: x", NULL);
    refused("SIP/2.0 416 ");
    rig_ask(&rig, ALICE, INVITE_BOB, "Max-Forwards: 0", "Proxy-Require: x", NULL);
    refused("SIP/2.0 483 ");
    core_drain(rig.core, true, 0);
    rig_ask(&rig, ALICE, INVITE_BOB, "Proxy-Require: x", NULL);
    refused("SIP/2.0 420 ");
    ck_assert_uint_eq(rig_counter(&rig, "core_refused"), 4);
}
END_TEST

Suite *
suite_check(void)
{
    Suite *s = suite_create("check");
    TCase *c = rig_case("refusals");

    tcase_add_test(c, bad_syntax_is_400_and_says_what);
    tcase_add_test(c, deviations_go_by_the_policy);
    tcase_add_test(c, a_fixer_refuses_by_name);
    tcase_add_test(c, a_bad_route_is_400);
    tcase_add_test(c, a_first_line_that_says_nothing_is_400);
    tcase_add_test(c, bad_syntax_elsewhere_passes);
    tcase_add_test(c, another_version_is_505);
    tcase_add_test(c, a_scheme_that_we_cannot_route_is_416);
    tcase_add_test(c, too_many_hops_is_483);
    tcase_add_test(c, the_last_hop_may_be_ours);
    tcase_add_test(c, a_loop_is_482_and_a_spiral_is_not);
    tcase_add_test(c, a_via_that_only_looks_like_ours_is_no_loop);
    tcase_add_test(c, extensions_that_we_do_not_know_are_420);
    tcase_add_test(c, nothing_is_required_between_commas);
    tcase_add_test(c, require_is_not_for_proxies);
    tcase_add_test(c, without_memory_no_extension_passes);
    tcase_add_test(c, who_drains_takes_no_new_work);
    tcase_add_test(c, who_drains_ends_what_has_begun);
    tcase_add_test(c, who_is_full_takes_no_new_work);
    tcase_add_test(c, refusals_come_in_the_order_of_the_rfc);
    suite_add_tcase(s, c);
    return s;
}
