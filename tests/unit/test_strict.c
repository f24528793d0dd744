/*
 * Strict routers before and behind us, and maddr (RFC 3261 §16.4, §16.6 step 6, §16.12.1.2).
 */
#include "core/route.h"

#include "unit/route_rig.h"

Suite *suite_strict(void);

/* ---------------------------------------------------------------- strict routing */

START_TEST(a_strict_router_before_us_is_undone)
{
    const struct rig_sent *invite = route_call(ALICE, "sip:bob@192.0.2.9", BOB), *bye;
    const char *line = route_request("BYE", rig_value(invite, "Record-Route", 0));

    rig_ask(&rig, ALICE, line, "Route: <sip:bob@192.0.2.9>", NULL);
    bye = rig_expect(&rig, BOB, "BYE sip:bob@192.0.2.9 SIP/2.0\r\n");
    ck_assert_uint_eq(rig_count(bye, "Route"), 0);
    rig_new_branch(&rig);
    rig_ask(&rig, ALICE, line, "Route: <sip:203.0.113.5;lr>, <sip:bob@192.0.2.9>", NULL);
    bye = rig_expect(&rig, NEXT, "BYE sip:bob@192.0.2.9 SIP/2.0\r\n");
    ck_assert_str_eq(rig_value(bye, "Route", 0), "<sip:203.0.113.5;lr>");
    ck_assert_uint_eq(rig_count(bye, "Route"), 1);
}
END_TEST

START_TEST(a_strict_router_and_two_record_routes)
{
    const struct rig_sent *invite = route_call(ALICE_TCP, "sip:bob@192.0.2.9", BOB), *bye;

    rig_ask(&rig, ALICE_TCP, route_request("BYE", rig_value(invite, "Record-Route", 1)),
            route_line(invite, 0), "Route: <sip:bob@192.0.2.9>", NULL);
    bye = rig_expect(&rig, BOB, "BYE sip:bob@192.0.2.9 SIP/2.0\r\n");
    ck_assert_uint_eq(rig_count(bye, "Route"), 0);
    rig_new_branch(&rig);
    rig_ask(&rig, BOB, route_request("BYE", rig_value(invite, "Record-Route", 0)),
            route_line(invite, 1), "Route: <sip:alice@192.0.2.1:40000;transport=tcp>", NULL);
    bye = rig_expect(&rig, ALICE_TCP, "BYE sip:alice@192.0.2.1:40000;transport=tcp SIP/2.0\r\n");
    ck_assert_uint_eq(rig_count(bye, "Route"), 0);
}
END_TEST

START_TEST(our_record_route_without_a_route_leads_nowhere)
{
    const struct rig_sent *invite = route_call(ALICE, "sip:bob@192.0.2.9", BOB);

    rig_ask(&rig, ALICE, route_request("BYE", rig_value(invite, "Record-Route", 0)), NULL);
    rig_expect(&rig, ALICE, "SIP/2.0 404 ");
    rig_quiet(&rig);
}
END_TEST

START_TEST(a_strict_router_behind_us_gets_what_it_wants)
{
    const struct rig_sent *bye;

    rig.trust = true;
    rig_ask(&rig, ALICE, "BYE sip:carol@example.net SIP/2.0",
            "Route: <sip:example.com;lr>, <sip:203.0.113.5>, <sip:203.0.113.6>", NULL);
    bye = rig_expect(&rig, NEXT, "BYE sip:203.0.113.5 SIP/2.0\r\n");
    ck_assert_str_eq(rig_value(bye, "Route", 0), "<sip:203.0.113.6>");
    ck_assert_str_eq(rig_value(bye, "Route", 1), "<sip:carol@example.net>");
    ck_assert_uint_eq(rig_count(bye, "Route"), 2);
    rig_new_branch(&rig);
    rig_ask(&rig, ALICE, "BYE sip:carol@example.net SIP/2.0", "Route: <sip:203.0.113.5>", NULL);
    bye = rig_expect(&rig, NEXT, "BYE sip:203.0.113.5 SIP/2.0\r\n");
    ck_assert_str_eq(rig_value(bye, "Route", 0), "<sip:carol@example.net>");
    ck_assert_uint_eq(rig_count(bye, "Route"), 1);
}
END_TEST

/* §19.1.1: header fields and a method may not stand in a Request-URI. */
START_TEST(a_strict_router_is_no_more_than_a_request_uri)
{
    const struct rig_sent *bye;

    rig.trust = true;
    rig_ask(&rig, ALICE, "BYE sip:carol@example.net SIP/2.0",
            "Route: <sip:203.0.113.5;method=INVITE;x=y?Subject=z>", NULL);
    bye = rig_expect(&rig, NEXT, "BYE sip:203.0.113.5;x=y SIP/2.0\r\n");
    ck_assert_str_eq(rig_value(bye, "Route", 0), "<sip:carol@example.net>");
    ck_assert_uint_eq(rig_count(bye, "Route"), 1);
}
END_TEST

START_TEST(strict_routers_on_both_sides)
{
    const struct rig_sent *invite = route_call(ALICE, "sip:bob@192.0.2.9", BOB), *bye;

    rig_ask(&rig, ALICE, route_request("BYE", rig_value(invite, "Record-Route", 0)),
            "Route: <sip:203.0.113.5>, <sip:203.0.113.6>", "Route: <sip:bob@192.0.2.9>", NULL);
    bye = rig_expect(&rig, NEXT, "BYE sip:203.0.113.5 SIP/2.0\r\n");
    ck_assert_str_eq(rig_value(bye, "Route", 0), "<sip:203.0.113.6>");
    ck_assert_str_eq(rig_value(bye, "Route", 1), "<sip:bob@192.0.2.9>");
    ck_assert_uint_eq(rig_count(bye, "Route"), 2);
}
END_TEST

/* §16.6 step 7: a sips resource is reached as one, whatever scheme the Route has. */
START_TEST(a_sips_resource_is_never_reached_in_the_open)
{
    rig.trust = true;
    rig_ask(&rig, ALICE, "INVITE sips:carol@example.net SIP/2.0", "Route: <sip:203.0.113.5;lr>",
            NULL);
    rig_expect(&rig, "tls:203.0.113.5:5061", "INVITE sips:carol@example.net ");
    rig_new_branch(&rig);
    rig_ask(&rig, ALICE, "INVITE sips:carol@example.net SIP/2.0",
            "Route: <sip:203.0.113.5;transport=tcp;lr>", NULL);
    rig_expect(&rig, "tls:203.0.113.5:5061", "INVITE ");
    rig_new_branch(&rig);
    rig_ask(&rig, ALICE, "INVITE sips:carol@example.net SIP/2.0",
            "Route: <sip:proxy.example.net;lr>", NULL);
    rig_quiet(&rig);
    ck_assert_uint_eq(rig.asked_len, 1);
    ck_assert_int_eq(rig.asked[0].scheme, URI_SIPS);
    ck_assert_str_eq(rig.asked[0].host, "proxy.example.net");
}
END_TEST

/* ---------------------------------------------------------------- maddr */

/* §16.4: it led here, and goes with the port and the transport that it had. */
START_TEST(a_maddr_of_ours_has_done_its_service)
{
    rig_bind(&rig, "bob", "sip:bob@192.0.2.9", NULL, 1000);
    rig_ask(&rig, ALICE, "INVITE sip:bob@example.com;maddr=198.51.100.1 SIP/2.0", NULL);
    rig_expect(&rig, BOB, "INVITE sip:bob@192.0.2.9 ");
    rig_new_branch(&rig);
    rig.trust = true;
    rig_ask(&rig, ALICE,
            "INVITE sip:carol@203.0.113.5:5061;x;maddr=198.51.100.1;transport=tls SIP/2.0", NULL);
    rig_expect(&rig, NEXT, "INVITE sip:carol@203.0.113.5;x SIP/2.0\r\n");
    rig_quiet(&rig);
}
END_TEST

/* §16.5: then the Request-URI is the only target, though its host is ours; and that is a way out. */
START_TEST(a_maddr_of_another_is_where_it_goes)
{
    rig_bind(&rig, "bob", "sip:bob@192.0.2.9", NULL, 1000);
    rig.trust = false;
    rig_ask(&rig, ALICE, "INVITE sip:bob@example.com;maddr=203.0.113.5 SIP/2.0", NULL);
    rig_expect(&rig, ALICE, "SIP/2.0 403 ");
    rig_new_branch(&rig);
    rig.trust = true;
    rig_ask(&rig, ALICE, "INVITE sip:bob@example.com;maddr=203.0.113.5 SIP/2.0", NULL);
    rig_expect(&rig, NEXT, "INVITE sip:bob@example.com;maddr=203.0.113.5 SIP/2.0\r\n");
    rig_new_branch(&rig);
    rig_ask(&rig, ALICE, "INVITE sip:bob@example.com:5070;maddr=198.51.100.1 SIP/2.0", NULL);
    rig_expect(&rig, "udp:198.51.100.1:5070", "INVITE sip:bob@example.com:5070;maddr=");
    rig_quiet(&rig);
}
END_TEST

Suite *
suite_strict(void)
{
    Suite *s = suite_create("strict");
    TCase *c = rig_case("strict");

    tcase_add_test(c, a_strict_router_before_us_is_undone);
    tcase_add_test(c, a_strict_router_and_two_record_routes);
    tcase_add_test(c, our_record_route_without_a_route_leads_nowhere);
    tcase_add_test(c, a_strict_router_behind_us_gets_what_it_wants);
    tcase_add_test(c, a_strict_router_is_no_more_than_a_request_uri);
    tcase_add_test(c, strict_routers_on_both_sides);
    tcase_add_test(c, a_sips_resource_is_never_reached_in_the_open);
    tcase_add_test(c, a_maddr_of_ours_has_done_its_service);
    tcase_add_test(c, a_maddr_of_another_is_where_it_goes);
    suite_add_tcase(s, c);
    return s;
}
