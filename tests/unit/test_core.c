/*
 * Whole calls through the proxy core, and what is left of them (RFC 3261 §16).
 */
#include "core/core.h"

#include "unit/core_rig.h"

START_TEST(a_call_is_set_up_and_ended)
{
    const struct rig_sent *invite, *ok, *ack, *bye;
    const char *route;

    rig_bind(&rig, "bob", "sip:bob@192.0.2.9:5060", NULL, 1000);
    rig_ask(&rig, ALICE, INVITE_BOB, "Contact: <sip:alice@192.0.2.1:5060>", "X-Other: one", NULL);
    invite = rig_expect(&rig, BOB, "INVITE sip:bob@192.0.2.9:5060 SIP/2.0\r\n");
    rig_quiet(&rig);
    ck_assert_uint_eq(rig_count(invite, "Via"), 2);
    ck_assert_str_eq(rig_value(invite, "Via", 1), "SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKa1");
    ck_assert_str_eq(rig_value(invite, "Max-Forwards", 0), "69");
    ck_assert_uint_eq(rig_count(invite, "Record-Route"), 1);

    rig_reply(&rig, invite, 180, "b1", "Contact: <sip:bob@192.0.2.9:5060>", NULL);
    rig_expect(&rig, ALICE, "SIP/2.0 180 Whatever\r\n");
    rig_reply(&rig, invite, 200, "b1", "Contact: <sip:bob@192.0.2.9:5060>", NULL);
    ok = rig_expect(&rig, ALICE, "SIP/2.0 200 Whatever\r\n");
    ck_assert_uint_eq(rig_count(ok, "Via"), 1);
    ck_assert_str_eq(rig_to_tag(ok), "b1");
    rig_quiet(&rig);
    rig_alive(&rig, 0, 0, 2);

    route = rig_line("Route", rig_value(ok, "Record-Route", 0));
    rig.to_tag = "b1";
    rig_new_branch(&rig);
    rig_ask(&rig, ALICE, "ACK sip:bob@192.0.2.9:5060 SIP/2.0", route, NULL);
    ack = rig_expect(&rig, BOB, "ACK sip:bob@192.0.2.9:5060 SIP/2.0\r\n");
    ck_assert_uint_eq(rig_count(ack, "Route"), 0);
    ck_assert_uint_eq(rig_count(ack, "Record-Route"), 0);
    ck_assert_uint_eq(rig_count(ack, "Via"), 2);
    rig_quiet(&rig);

    rig_new_branch(&rig);
    rig.cseq++;
    rig_ask(&rig, ALICE, "BYE sip:bob@192.0.2.9:5060 SIP/2.0", route, NULL);
    bye = rig_expect(&rig, BOB, "BYE sip:bob@192.0.2.9:5060 SIP/2.0\r\n");
    ck_assert_uint_eq(rig_count(bye, "Route"), 0);
    rig_reply(&rig, bye, 200, "", NULL);
    rig_expect(&rig, ALICE, "SIP/2.0 200 Whatever\r\n");
    rig_quiet(&rig);
    rig_settled(&rig);
    rig_quiet(&rig);
}
END_TEST

/* ---------------------------------------------------------------- configuration */

START_TEST(another_ceiling_holds_for_all_that_it_limits)
{
    struct core_conf larger = rig.conf;

    rig.conf.transactions = 4;
    rig_restart(&rig);
    larger.transactions = 100;
    core_set_conf(rig.core, &larger);
    rig_bind(&rig, "bob", "sip:bob@192.0.2.9", NULL, 1000);
    for (unsigned i = 0; i < 20; i++) {
        rig_new_branch(&rig);
        rig_ask(&rig, ALICE, INVITE_BOB, NULL);
        rig_expect(&rig, BOB, "INVITE ");
    }
    rig_settled(&rig);
}
END_TEST

Suite *
suite_core(void)
{
    Suite *s = suite_create("core");
    TCase *c = rig_case("calls");

    tcase_add_test(c, a_call_is_set_up_and_ended);
    tcase_add_test(c, another_ceiling_holds_for_all_that_it_limits);
    suite_add_tcase(s, c);
    return s;
}
