/*
 * Route and Request-URI put right, loose and strict, one Record-Route and two (RFC 3261 §16.4, §16.6 steps 4, 6, 7, §16.12.1,
 * RFC 5658 §5).
 */
#include "core/route.h"

#include <stdio.h>

#include "unit/route_rig.h"

/* ---------------------------------------------------------------- whose Route, whose domain */

START_TEST(a_route_without_a_user_is_ours_by_its_host)
{
    rig_bind(&rig, "bob", "sip:bob@192.0.2.9", NULL, 1000);
    rig_ask(&rig, ALICE, INVITE_BOB, "Route: <sip:example.com;lr>", NULL);
    ck_assert_uint_eq(rig_count(rig_expect(&rig, BOB, "INVITE sip:bob@192.0.2.9 "), "Route"), 0);
    rig_new_branch(&rig);
    rig_ask(&rig, ALICE, INVITE_BOB, "Route: <sip:198.51.100.1:5060;lr>, <sip:example.com>;x=y",
            NULL);
    ck_assert_uint_eq(rig_count(rig_expect(&rig, BOB, "INVITE sip:bob@192.0.2.9 "), "Route"), 0);
}
END_TEST

START_TEST(a_strangers_request_leaves_only_with_leave)
{
    rig.trust = false;
    rig_ask(&rig, ALICE, "INVITE sip:carol@203.0.113.5 SIP/2.0", NULL);
    rig_expect(&rig, ALICE, "SIP/2.0 403 Forbidden\r\n");
    rig_new_branch(&rig);
    rig_ask(&rig, ALICE, "INVITE sip:carol@203.0.113.5 SIP/2.0", "Route: <sip:example.com;lr>",
            NULL);
    rig_expect(&rig, ALICE, "SIP/2.0 403 ");
    rig_new_branch(&rig);
    rig_ask(&rig, ALICE, INVITE_BOB, "Route: <sip:203.0.113.5;lr>", NULL);
    rig_expect(&rig, ALICE, "SIP/2.0 403 ");
    rig_new_branch(&rig);
    rig.trust = true;
    rig_ask(&rig, ALICE, "INVITE sip:carol@203.0.113.5 SIP/2.0", NULL);
    rig_expect(&rig, NEXT, "INVITE sip:carol@203.0.113.5 SIP/2.0\r\n");
    rig.trust = false;
    rig.conf.relay = CORE_RELAY_ANY;
    rig_new_branch(&rig);
    rig_ask(&rig, ALICE, "INVITE sip:carol@203.0.113.5 SIP/2.0", NULL);
    rig_expect(&rig, NEXT, "INVITE ");
    ck_assert_uint_eq(rig_counter(&rig, "core_forged_routes"), 0);
}
END_TEST

START_TEST(another_port_of_ours_is_not_ours)
{
    rig.trust = false;
    rig_ask(&rig, ALICE, "OPTIONS sip:example.com:5070 SIP/2.0", NULL);
    rig_expect(&rig, ALICE, "SIP/2.0 403 ");
    rig.trust = true;
    rig_ask(&rig, ALICE, INVITE_BOB, "Route: <sip:198.51.100.1:5070;lr>", NULL);
    ck_assert_str_eq(
        rig_value(rig_expect(&rig, "udp:198.51.100.1:5070", "INVITE sip:bob@example.com "), "Route",
                  0),
        "<sip:198.51.100.1:5070;lr>");
}
END_TEST

START_TEST(a_forged_token_is_403)
{
    const struct rig_sent *invite = route_call(ALICE, "sip:bob@192.0.2.9", BOB);
    const char *line = route_line(invite, 0);

    rig_ask(&rig, ALICE, "BYE sip:bob@192.0.2.9 SIP/2.0",
            "Route: <sip:0123456789abcdefgh@198.51.100.1:5060;lr>", NULL);
    rig_expect(&rig, ALICE, "SIP/2.0 403 ");
    rig_quiet(&rig);
    rig_new_branch(&rig);
    rig.call_id = "call2@192.0.2.1";
    rig_ask(&rig, ALICE, "BYE sip:bob@192.0.2.9 SIP/2.0", line, NULL);
    rig_expect(&rig, ALICE, "SIP/2.0 403 ");
    rig_quiet(&rig);
    ck_assert_uint_eq(rig_counter(&rig, "core_forged_routes"), 2);
    rig_new_branch(&rig);
    rig.call_id = "call1@192.0.2.1";
    rig_ask(&rig, ALICE, "BYE sip:bob@192.0.2.9 SIP/2.0", line, NULL);
    rig_expect(&rig, BOB, "BYE sip:bob@192.0.2.9 ");
    rig_quiet(&rig);
}
END_TEST

START_TEST(a_bad_route_is_400)
{
    static const char *const bad[] = {
        "Route: sip:example.com;lr",
        "Route: <sip:example.com;lr",
        "Route: <sip:exa mple.com>",
        "Route: <>",
        "Route: <sip:example.com;lr>, rubbish",
    };

    rig_bind(&rig, "bob", "sip:bob@192.0.2.9", NULL, 1000);
    for (size_t i = 0; i < countof(bad); i++) {
        rig_new_branch(&rig);
        rig_ask(&rig, ALICE, INVITE_BOB, bad[i], NULL);
        rig_expect(&rig, ALICE, "SIP/2.0 400 ");
        rig_quiet(&rig);
    }
}
END_TEST

/* ---------------------------------------------------------------- loose routing */

START_TEST(what_is_left_of_routes_tells_the_way)
{
    const struct rig_sent *invite;

    rig.trust = true;
    rig_ask(&rig, ALICE, INVITE_BOB, "Route: <sip:example.com;lr>, <sip:203.0.113.5;lr>;x=1",
            "Subject: x", "Route: <sip:last.example.net;lr>", NULL);
    invite = rig_expect(&rig, NEXT, "INVITE sip:bob@example.com SIP/2.0\r\n");
    ck_assert_str_eq(rig_value(invite, "Route", 0), "<sip:203.0.113.5;lr>;x=1");
    ck_assert_str_eq(rig_value(invite, "Route", 1), "<sip:last.example.net;lr>");
    ck_assert_uint_eq(rig_count(invite, "Route"), 2);
}
END_TEST

START_TEST(requests_of_the_dialog_come_and_go)
{
    const struct rig_sent *invite = route_call(ALICE, "sip:bob@192.0.2.9", BOB), *bye;

    ck_assert_uint_eq(rig_count(invite, "Record-Route"), 1);
    ck_assert(strstr(rig_value(invite, "Record-Route", 0), "@198.51.100.1:5060;lr>"));
    rig_ask(&rig, ALICE, "BYE sip:bob@192.0.2.9 SIP/2.0", route_line(invite, 0), NULL);
    bye = rig_expect(&rig, BOB, "BYE sip:bob@192.0.2.9 SIP/2.0\r\n");
    ck_assert_uint_eq(rig_count(bye, "Route"), 0);
    rig_new_branch(&rig);
    rig_ask(&rig, BOB, "BYE sip:alice@192.0.2.1 SIP/2.0", route_line(invite, 0), NULL);
    bye = rig_expect(&rig, ALICE, "BYE sip:alice@192.0.2.1 SIP/2.0\r\n");
    ck_assert_uint_eq(rig_count(bye, "Route"), 0);
}
END_TEST

/* One of our Record-Routes with another beginning and end around what stands between < > in it. */
static void
spell(char *to, size_t room, const char *record_route, const char *const ends[2])
{
    const char *inside = strchr(record_route, ':') + 1;

    snprintf(to, room, "%s%.*s%s", ends[0], (int)strcspn(inside, ">"), inside, ends[1]);
}

/* As we wrote it, where it is known by its bytes, and so that it must be read. */
static const char *const spellings[][2] = {
    { "<sip:", ">" },   { "<SIP:", ">" },      { "x <sip:", ">" },     { "<sip:", ";x=y>" },
    { "<sip:", ">;x" }, { ",, <sip:", "> ," }, { "<sip:", ";ttl=1>" },
};

START_TEST(our_route_is_ours_however_it_is_spelt)
{
    const struct rig_sent *invite = route_call(ALICE_TCP, "sip:bob@192.0.2.9", BOB), *sent;
    char top[256], next[256], line[1024];

    for (size_t i = 0; i < countof(spellings) * countof(spellings); i++) {
        spell(top, sizeof top, rig_value(invite, "Record-Route", 1),
              spellings[i % countof(spellings)]);
        spell(next, sizeof next, rig_value(invite, "Record-Route", 0),
              spellings[i / countof(spellings)]);
        snprintf(line, sizeof line, "Route: %s,%s", top, next);
        rig_new_branch(&rig);
        rig_ask(&rig, ALICE_TCP, "INFO sip:bob@192.0.2.9 SIP/2.0", line, NULL);
        ck_assert_uint_eq(rig_count(rig_expect(&rig, BOB, "INFO "), "Route"), 0);
        snprintf(line, sizeof line, "Route: %s,%s,<sip:203.0.113.5;lr>", next, top);
        rig_new_branch(&rig);
        rig_ask(&rig, BOB, "INFO sip:alice@192.0.2.1 SIP/2.0", line, NULL);
        sent = rig_expect(&rig, NEXT, "INFO sip:alice@192.0.2.1 ");
        ck_assert_uint_eq(rig_count(sent, "Route"), 1);
        rig_forget(&rig);
    }
}
END_TEST

START_TEST(a_forged_one_is_403_however_it_is_spelt)
{
    const struct rig_sent *invite = route_call(ALICE, "sip:bob@192.0.2.9", BOB);
    char text[256], line[512];
    char *token = text + strlen("<sip:");

    for (size_t i = 0; i < countof(spellings); i++) {
        snprintf(text, sizeof text, "%s", rig_value(invite, "Record-Route", 0));
        token[i * 3] = token[i * 3] == '7' ? '8' : '7';
        snprintf(line, sizeof line, "Route: ");
        spell(line + strlen(line), sizeof line - strlen(line), text, spellings[i]);
        rig_new_branch(&rig);
        rig_ask(&rig, ALICE, "INFO sip:bob@192.0.2.9 SIP/2.0", line, NULL);
        rig_expect(&rig, ALICE, "SIP/2.0 403 ");
        rig_quiet(&rig);
    }
}
END_TEST

/* Its listener may have another name by now: so it is another's, as any Route with a host that is not ours. */
START_TEST(our_token_on_another_host_is_not_ours)
{
    const struct rig_sent *invite = route_call(ALICE, "sip:bob@192.0.2.9", BOB);
    char line[512];

    snprintf(line, sizeof line, "Route: <sip:%.24s@203.0.113.5:5060;lr>",
             rig_value(invite, "Record-Route", 0) + strlen("<sip:"));
    rig.trust = true;
    rig_ask(&rig, ALICE, "INFO sip:bob@192.0.2.9 SIP/2.0", line, NULL);
    ck_assert_uint_eq(rig_count(rig_expect(&rig, NEXT, "INFO "), "Route"), 1);
}
END_TEST

/* RFC 5626 §5.3: behind a NAT only the way that the INVITE took leads back. */
START_TEST(a_caller_behind_a_nat_is_reached_where_it_came_from)
{
    const struct rig_sent *invite;

    rig_bind(&rig, "bob", "sip:bob@192.0.2.9", NULL, 1000);
    rig_ask(&rig, "udp:192.0.2.1:1024", INVITE_BOB,
            "Via: SIP/2.0/UDP 10.0.0.1;rport;branch=z9hG4bK1", NULL);
    invite = rig_expect(&rig, BOB, "INVITE ");
    ck_assert_uint_eq(rig_count(invite, "Record-Route"), 2);
    rig_reply(&rig, invite, 200, "b1", NULL);
    rig_forget(&rig);
    rig.to_tag = "b1";
    rig_ask(&rig, BOB, "BYE sip:alice@10.0.0.1 SIP/2.0", route_line(invite, 0),
            route_line(invite, 1), NULL);
    rig_expect(&rig, "udp:192.0.2.1:1024", "BYE sip:alice@10.0.0.1 SIP/2.0\r\n");
}
END_TEST

/* RFC 5658 §5: each side has its own Record-Route, and either direction takes both of them off. */
START_TEST(tcp_and_udp_have_a_record_route_each)
{
    const struct rig_sent *invite = route_call(ALICE_TCP, "sip:bob@192.0.2.9", BOB), *bye;

    ck_assert_uint_eq(rig_count(invite, "Record-Route"), 2);
    ck_assert(!strstr(rig_value(invite, "Record-Route", 0), "transport"));
    ck_assert(strstr(rig_value(invite, "Record-Route", 1), "@198.51.100.1:5060;transport=tcp;lr>"));
    rig_ask(&rig, ALICE_TCP, "BYE sip:bob@192.0.2.9 SIP/2.0", route_line(invite, 1),
            route_line(invite, 0), NULL);
    bye = rig_expect(&rig, BOB, "BYE ");
    ck_assert_uint_eq(rig_count(bye, "Route"), 0);
    ck_assert(strstr(rig_value(bye, "Via", 0), "SIP/2.0/UDP"));
    rig_new_branch(&rig);
    rig_ask(&rig, BOB, "BYE sip:alice@192.0.2.1:40000;transport=tcp SIP/2.0", route_line(invite, 0),
            route_line(invite, 1), NULL);
    bye = rig_expect(&rig, ALICE_TCP, "BYE ");
    ck_assert_uint_eq(rig_count(bye, "Route"), 0);
    ck_assert(strstr(rig_value(bye, "Via", 0), "SIP/2.0/TCP"));
}
END_TEST

START_TEST(a_connection_that_is_gone_has_another_way)
{
    const struct rig_sent *invite = route_call(ALICE_TCP, "sip:bob@192.0.2.9", BOB);

    rig_block(&rig, "tcp:192.0.2.1:40000", SIPD_ECLOSED);
    rig_ask(&rig, BOB, "BYE sip:alice@192.0.2.1:5060;transport=tcp SIP/2.0", route_line(invite, 0),
            route_line(invite, 1), NULL);
    rig_expect(&rig, "tcp:192.0.2.1:5060", "BYE ");
    rig_quiet(&rig);
}
END_TEST

/* RFC 5626 §5.3: a phone that is reached by its connection only is reached by it within the dialog too. */
START_TEST(a_callee_on_a_connection_is_reached_by_it)
{
    const struct rig_sent *invite, *again, *bye;

    rig_bind(&rig, "bob", "sip:bob@10.0.0.9;transport=tcp", "tcp:192.0.2.9:40001/12", 1000);
    rig_ask(&rig, ALICE, INVITE_BOB, NULL);
    invite = rig_expect(&rig, "tcp:192.0.2.9:40001/12", "INVITE ");
    ck_assert_uint_eq(rig_count(invite, "Record-Route"), 2);
    rig_reply(&rig, invite, 200, "b1", NULL);
    rig_forget(&rig);
    rig.to_tag = "b1";
    rig_new_branch(&rig);
    rig_ask(&rig, ALICE, "INVITE sip:bob@10.0.0.9;transport=tcp SIP/2.0", route_line(invite, 1),
            route_line(invite, 0), NULL);
    again = rig_expect(&rig, "tcp:192.0.2.9:40001/12", "INVITE sip:bob@10.0.0.9;transport=tcp ");
    ck_assert_uint_eq(rig_count(again, "Route"), 0);
    ck_assert_uint_eq(rig_count(again, "Record-Route"), 2);
    rig_new_branch(&rig);
    rig_ask(&rig, "tcp:192.0.2.9:40001/12", "BYE sip:alice@192.0.2.1 SIP/2.0",
            route_line(invite, 0), route_line(invite, 1), NULL);
    bye = rig_expect(&rig, ALICE, "BYE sip:alice@192.0.2.1 SIP/2.0\r\n");
    ck_assert_uint_eq(rig_count(bye, "Route"), 0);
}
END_TEST

START_TEST(ipv4_and_ipv6_have_a_record_route_each)
{
    const struct rig_sent *invite =
                              route_call(ALICE, "sip:bob@[2001:db8::9]", "udp:[2001:db8::9]:5060"),
                          *bye;

    ck_assert_uint_eq(rig_count(invite, "Record-Route"), 2);
    ck_assert(strstr(rig_value(invite, "Record-Route", 0), "@[2001:db8::5]:5060;lr>"));
    ck_assert(strstr(rig_value(invite, "Record-Route", 1), "@198.51.100.1:5060;lr>"));
    ck_assert(strstr(rig_value(invite, "Via", 0), "SIP/2.0/UDP [2001:db8::5]:5060;branch="));
    rig_ask(&rig, "udp:[2001:db8::9]:5060", "BYE sip:alice@192.0.2.1 SIP/2.0",
            route_line(invite, 0), route_line(invite, 1), NULL);
    bye = rig_expect(&rig, ALICE, "BYE ");
    ck_assert_uint_eq(rig_count(bye, "Route"), 0);
    rig_new_branch(&rig);
    rig_ask(&rig, ALICE, "BYE sip:bob@[2001:db8::9] SIP/2.0", route_line(invite, 1),
            route_line(invite, 0), NULL);
    rig_expect(&rig, "udp:[2001:db8::9]:5060", "BYE ");
}
END_TEST

START_TEST(our_routes_go_and_others_stay)
{
    const struct rig_sent *invite = route_call(ALICE_TCP, "sip:bob@192.0.2.9", BOB), *bye;
    const char *first = rig_value(invite, "Record-Route", 1),
               *second = rig_value(invite, "Record-Route", 0);
    char line[1024];

    snprintf(line, sizeof line, "Route: %s,%s , <sip:203.0.113.5;lr>", first, second);
    rig_ask(&rig, ALICE_TCP, "BYE sip:bob@192.0.2.9 SIP/2.0", line, NULL);
    bye = rig_expect(&rig, NEXT, "BYE sip:bob@192.0.2.9 ");
    ck_assert_str_eq(rig_value(bye, "Route", 0), "<sip:203.0.113.5;lr>");
    ck_assert_uint_eq(rig_count(bye, "Route"), 1);
}
END_TEST

/* Thousands of Routes are walked over once, whether ours or before a forged one. */
START_TEST(many_routes_cost_no_more_than_their_bytes)
{
    static const char route_text[] = "Route: <sip:example.com>\r\n";
    static char text[65000];
    size_t len = 0;

    rig_bind(&rig, "bob", "sip:bob@192.0.2.9", NULL, 1000);
    len += (size_t)snprintf(
        text, sizeof text,
        "INVITE sip:bob@example.com SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKm\r\n"
        "From: <sip:alice@example.com>;tag=1\r\nTo: <sip:bob@example.com>\r\n"
        "Call-ID: c\r\nCSeq: 1 INVITE\r\nRoute: ");
    while (len + 100 < sizeof text)
        len += (size_t)snprintf(text + len, sizeof text - len, "<sip:example.com>,");
    len += (size_t)snprintf(text + len, sizeof text - len, "<sip:example.com;lr>\r\n%s\r\n",
                            route_text);
    rig_bytes(&rig, ALICE, (struct span){ text, len }, 0, NULL);
    ck_assert_uint_eq(rig_count(rig_expect(&rig, BOB, "INVITE sip:bob@192.0.2.9 "), "Route"), 0);
}
END_TEST

/* ---------------------------------------------------------------- dialogs with strangers */

/* A stranger calls bob: two Record-Routes that lead to the two ends of that call, and nowhere else. */
static const struct rig_sent *
call_of_a_stranger(void)
{
    const struct rig_sent *invite;

    rig.trust = false;
    invite = route_call(ALICE, "sip:bob@192.0.2.9", BOB);
    ck_assert_uint_eq(rig_count(invite, "Record-Route"), 2);
    return invite;
}

START_TEST(a_strangers_dialog_leads_to_its_two_ends)
{
    const struct rig_sent *invite = call_of_a_stranger(), *bye;

    rig_ask(&rig, ALICE, "BYE sip:bob@192.0.2.9 SIP/2.0", route_line(invite, 1),
            route_line(invite, 0), NULL);
    bye = rig_expect(&rig, BOB, "BYE sip:bob@192.0.2.9 ");
    ck_assert_uint_eq(rig_count(bye, "Route"), 0);
    rig_new_branch(&rig);
    rig_ask(&rig, BOB, "BYE sip:alice@192.0.2.1 SIP/2.0", route_line(invite, 0),
            route_line(invite, 1), NULL);
    bye = rig_expect(&rig, ALICE, "BYE sip:alice@192.0.2.1 ");
    ck_assert_uint_eq(rig_count(bye, "Route"), 0);
    rig_quiet(&rig);
}
END_TEST

START_TEST(a_strangers_dialog_is_no_relay)
{
    const struct rig_sent *invite = call_of_a_stranger();

    rig_ask(&rig, ALICE, "MESSAGE sip:carol@203.0.113.5 SIP/2.0", route_line(invite, 1),
            route_line(invite, 0), NULL);
    rig_expect(&rig, BOB, "MESSAGE sip:carol@203.0.113.5 ");
    rig_new_branch(&rig);
    rig_ask(&rig, ALICE, "MESSAGE sip:carol@203.0.113.5 SIP/2.0", route_line(invite, 1),
            route_line(invite, 0), "Route: <sip:203.0.113.5;lr>", NULL);
    rig_expect(&rig, BOB, "MESSAGE sip:carol@203.0.113.5 ");
    rig_new_branch(&rig);
    rig.to_tag = "";
    rig_ask(&rig, ALICE, "MESSAGE sip:carol@203.0.113.5 SIP/2.0", route_line(invite, 1),
            route_line(invite, 0), NULL);
    rig_expect(&rig, ALICE, "SIP/2.0 403 ");
    rig_quiet(&rig);
}
END_TEST

START_TEST(a_strangers_dialog_has_no_other_way)
{
    const struct rig_sent *invite = call_of_a_stranger();

    rig_block(&rig, BOB, SIPD_ECLOSED);
    rig_ask(&rig, ALICE, "BYE sip:carol@203.0.113.5 SIP/2.0", route_line(invite, 1),
            route_line(invite, 0), NULL);
    rig_expect(&rig, ALICE, "SIP/2.0 480 ");
    rig_quiet(&rig);
}
END_TEST

/* Whose connection is gone listens on the same host still, and at no other; and by no maddr, nor Route. */
START_TEST(a_strangers_dialog_finds_the_same_host_again)
{
    static const struct {
        const char *uri, *more, *to; /* NULL: nowhere */
    } cases[] = {
        { "sip:bob@192.0.2.9:5062;transport=tcp", NULL, "tcp:192.0.2.9:5062" },
        { "sip:bob@192.0.2.8:5062;transport=tcp", NULL, NULL },
        { "sip:bob@192.0.2.9;maddr=192.0.2.8;transport=tcp", NULL, NULL },
        { "sip:bob@192.0.2.9;transport=tcp", "Route: <sip:192.0.2.8;lr>", NULL },
        { "sip:bob@phone.example;transport=tcp", NULL, NULL },
    };
    const struct rig_sent *invite;

    rig.trust = false;
    invite = route_call(ALICE, "sip:bob@192.0.2.9;transport=tcp", "tcp:192.0.2.9:5060");
    rig_block(&rig, "tcp:192.0.2.9:5060", SIPD_ECLOSED);
    for (size_t i = 0; i < countof(cases); i++) {
        char line[256];

        rig_new_branch(&rig);
        rig.cseq++;
        snprintf(line, sizeof line, "BYE %s SIP/2.0", cases[i].uri);
        rig_ask(&rig, ALICE, line, route_line(invite, 1), route_line(invite, 0), cases[i].more,
                NULL);
        rig_expect(&rig, cases[i].to ? cases[i].to : ALICE, cases[i].to ? "BYE " : "SIP/2.0 480 ");
    }
    rig_forget(&rig);
}
END_TEST

Suite *
suite_route(void)
{
    Suite *s = suite_create("route");
    TCase *c = rig_case("routes");

    tcase_add_test(c, a_route_without_a_user_is_ours_by_its_host);
    tcase_add_test(c, a_strangers_request_leaves_only_with_leave);
    tcase_add_test(c, another_port_of_ours_is_not_ours);
    tcase_add_test(c, a_forged_token_is_403);
    tcase_add_test(c, a_bad_route_is_400);
    tcase_add_test(c, what_is_left_of_routes_tells_the_way);
    tcase_add_test(c, requests_of_the_dialog_come_and_go);
    tcase_add_test(c, our_route_is_ours_however_it_is_spelt);
    tcase_add_test(c, a_forged_one_is_403_however_it_is_spelt);
    tcase_add_test(c, our_token_on_another_host_is_not_ours);
    tcase_add_test(c, a_caller_behind_a_nat_is_reached_where_it_came_from);
    tcase_add_test(c, tcp_and_udp_have_a_record_route_each);
    tcase_add_test(c, a_connection_that_is_gone_has_another_way);
    tcase_add_test(c, a_callee_on_a_connection_is_reached_by_it);
    tcase_add_test(c, ipv4_and_ipv6_have_a_record_route_each);
    tcase_add_test(c, our_routes_go_and_others_stay);
    tcase_add_test(c, many_routes_cost_no_more_than_their_bytes);
    tcase_add_test(c, a_strangers_dialog_leads_to_its_two_ends);
    tcase_add_test(c, a_strangers_dialog_is_no_relay);
    tcase_add_test(c, a_strangers_dialog_has_no_other_way);
    tcase_add_test(c, a_strangers_dialog_finds_the_same_host_again);
    suite_add_tcase(s, c);
    return s;
}
