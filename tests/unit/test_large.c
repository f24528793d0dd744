/*
 * What is too large for a datagram, and when the path is asked (RFC 3261 §18.1.1).
 */
#include <stdio.h>

#include "core/large.h"
#include "unit/branch_rig.h"

Suite *suite_large(void);

/* ---------------------------------------------------------------- the rule */

static bool
is_large(const char *to, uint32_t mtu, size_t bytes)
{
    struct hop hop = rig_hop(to);

    rig.mtu = mtu;
    rig.mtu_asked = 0;
    return large_is(&rig.ports, &hop, bytes);
}

START_TEST(a_path_must_have_200_bytes_more)
{
    ck_assert(!is_large("udp:192.0.2.9:5060", 1000, 800));
    ck_assert(is_large("udp:192.0.2.9:5060", 1000, 801));
    ck_assert(!is_large("udp:192.0.2.9:5060", 1500, 1300));
    ck_assert(is_large("udp:192.0.2.9:5060", 1499, 1300));
    ck_assert(is_large("udp:192.0.2.9:5060", 1499, 1301));
    ck_assert(!is_large("udp:[2001:db8::9]:5060", 1300, 1100));
    ck_assert(is_large("udp:[2001:db8::9]:5060", 1300, 1101));
}
END_TEST

/* 1300 stays, however much more the path takes, and where nobody knows how much that is. */
START_TEST(over_1300_bytes_it_is_large_anywhere)
{
    static const uint32_t mtus[] = { 0, 1500, 9000, 65536 };

    for (size_t i = 0; i < countof(mtus); i++) {
        ck_assert(!is_large("udp:192.0.2.9:5060", mtus[i], 1300));
        ck_assert(is_large("udp:192.0.2.9:5060", mtus[i], 1301));
    }
    rig.ports.path_mtu = NULL;
    ck_assert(!is_large("udp:192.0.2.9:5060", 1000, 1300));
    ck_assert(is_large("udp:192.0.2.9:5060", 1000, 1301));
}
END_TEST

/* A path with less room than there can be is no reason to wrap around. */
START_TEST(a_path_without_any_room_is_narrow)
{
    ck_assert(is_large("udp:192.0.2.9:5060", 68, 377));
    ck_assert(is_large("udp:192.0.2.9:5060", 1, 377));
}
END_TEST

static unsigned
asked(const char *to, size_t bytes)
{
    (void)is_large(to, 1500, bytes);
    return rig.mtu_asked;
}

START_TEST(the_path_is_asked_only_where_it_matters)
{
    ck_assert_uint_eq(asked("udp:192.0.2.9:5060", 376), 0);
    ck_assert_uint_eq(asked("udp:192.0.2.9:5060", 377), 1);
    ck_assert_uint_eq(asked("udp:192.0.2.9:5060", 1300), 1);
    ck_assert_uint_eq(asked("udp:192.0.2.9:5060", 1301), 0);
    ck_assert_uint_eq(asked("udp:[2001:db8::9]:5060", 1080), 0);
    ck_assert_uint_eq(asked("udp:[2001:db8::9]:5060", 1081), 1);
}
END_TEST

/* ---------------------------------------------------------------- what becomes of it */

/* Bob, who has this contact, and this way if he has one of his own, is called with some 900 bytes on a path of 1000. */
static void
call(const char *contact, const char *hop)
{
    static char filler[700];

    snprintf(filler, sizeof filler, "Subject: %0500d", 1);
    rig.mtu = 1000;
    rig.mtu_asked = 0;
    rig.binds_len = 0;
    rig_bind(&rig, "bob", contact, hop, 1000);
    rig_new_branch(&rig);
    rig_ask(&rig, ALICE, INVITE_BOB, filler, NULL);
}

START_TEST(on_a_narrow_path_it_goes_over_tcp)
{
    const struct rig_sent *sent;

    call("sip:bob@192.0.2.9", NULL);
    sent = rig_expect(&rig, "tcp:192.0.2.9:5060", "INVITE ");
    ck_assert_uint_gt(sent->bytes.len, 800);
    ck_assert_uint_lt(sent->bytes.len, 1300);
    ck_assert_uint_eq(sent->to.connect_ms, 500);
    ck_assert(rig_has(sent, "Via: SIP/2.0/TCP 198.51.100.1"));
    ck_assert_uint_eq(rig.mtu_asked, 1);
    rig_quiet(&rig);
}
END_TEST

START_TEST(and_by_datagram_when_there_is_no_connection)
{
    const struct rig_sent *sent;

    call("sip:bob@192.0.2.9", NULL);
    rig_gone(&rig, rig_expect(&rig, "tcp:192.0.2.9:5060", "INVITE "));
    sent = rig_expect(&rig, BOB, "INVITE ");
    ck_assert(rig_has(sent, "Via: SIP/2.0/UDP 198.51.100.1"));
    ck_assert_uint_eq(rig.mtu_asked, 1);
    rig_quiet(&rig);
}
END_TEST

START_TEST(what_a_name_leads_to_is_looked_at_too)
{
    static const char NARROW[] = "tcp:192.0.2.11:5060";
    struct hop hop = rig_hop("udp:192.0.2.11:5060");

    hop.by_rule = true;
    call("sip:bob@phone.example.net", NULL);
    core_resolved(rig.core, rig.asked[0].branch, &hop, 1, SIPD_OK);
    rig_pass(&rig, 0);
    rig_expect(&rig, NARROW, "INVITE ");
    rig_quiet(&rig);
}
END_TEST

START_TEST(whoever_must_get_datagrams_gets_them_unasked)
{
    call("sip:bob@192.0.2.9;transport=udp", NULL);
    rig_expect(&rig, BOB, "INVITE ");
    call("sip:bob@192.0.2.9", BOB);
    rig_expect(&rig, BOB, "INVITE ");
    call("sip:bob@192.0.2.9;transport=tcp", NULL);
    rig_expect(&rig, "tcp:192.0.2.9:5060", "INVITE ");
    ck_assert_uint_eq(rig.mtu_asked, 0);
    rig_quiet(&rig);
}
END_TEST

/* ---------------------------------------------------------------- what nobody named a transport for */

static char filler[1400];

/* Bob's contact is called with more than a datagram should carry. */
static void
call_large(const char *contact)
{
    snprintf(filler, sizeof filler, "Subject: %01200d", 1);
    rig.binds_len = 0;
    rig_bind(&rig, "bob", contact, NULL, 1000);
    rig_new_branch(&rig);
    rig_ask(&rig, ALICE, INVITE_BOB, filler, NULL);
}

START_TEST(what_is_large_goes_over_tcp_where_nobody_said_udp)
{
    const struct rig_sent *sent;

    call_large("sip:bob@192.0.2.9");
    sent = rig_expect(&rig, "tcp:192.0.2.9:5060", "INVITE ");
    ck_assert_uint_eq(sent->to.connect_ms, 500);
    ck_assert_str_eq(rig_value(sent, "Via", 0) + strlen("SIP/2.0/"),
                     strstr(rig_value(sent, "Via", 0), "TCP "));
    call_large("sip:bob@192.0.2.9;transport=udp");
    rig_expect(&rig, BOB, "INVITE ");
    rig_bind(&rig, "bob", "sip:bob@192.0.2.9", NULL, 1000);
    branch_call("sip:bob@192.0.2.9");
    rig_expect(&rig, BOB, "INVITE ");
    rig_quiet(&rig);
}
END_TEST

START_TEST(what_finds_no_connection_goes_by_datagram_to_the_same_hop)
{
    const struct rig_sent *large, *second;

    call_large("sip:bob@phone.example.net");
    rig_resolved(&rig, 0, SIPD_OK, ONE, TWO, NULL);
    rig_expect(&rig, ONE, "INVITE ");
    rig_forget(&rig);
    call_large("sip:bob@192.0.2.11");
    large = rig_expect(&rig, "tcp:192.0.2.11:5060", "INVITE ");
    rig_gone(&rig, large);
    second = rig_expect(&rig, ONE, "INVITE ");
    ck_assert_str_ne(strstr(rig_value(large, "Via", 0), "branch="),
                     strstr(rig_value(second, "Via", 0), "branch="));
    rig_gone(&rig, second);
    rig_expect(&rig, ALICE, "SIP/2.0 500 ");
    rig_quiet(&rig);
}
END_TEST

/* No listener of TCP, or one that failed not long ago: at once by datagram. */
START_TEST(without_a_way_over_tcp_it_goes_by_datagram_at_once)
{
    rig_block(&rig, "tcp:192.0.2.9:5060", SIPD_ENOENT);
    call_large("sip:bob@192.0.2.9");
    rig_expect(&rig, BOB, "INVITE ");
    rig_quiet(&rig);
}
END_TEST

/* Who was reached over TCP is not asked again over UDP. */
START_TEST(who_answers_over_tcp_is_not_asked_by_datagram)
{
    const struct rig_sent *large;

    call_large("sip:bob@192.0.2.9");
    large = rig_expect(&rig, "tcp:192.0.2.9:5060", "INVITE ");
    rig_reply(&rig, large, 503, "b", NULL);
    rig_expect(&rig, "tcp:192.0.2.9:5060", "ACK ");
    rig_expect(&rig, ALICE, "SIP/2.0 500 ");
    rig_quiet(&rig);
}
END_TEST

Suite *
suite_large(void)
{
    Suite *s = suite_create("large");
    TCase *c = rig_case("large");

    tcase_add_test(c, a_path_must_have_200_bytes_more);
    tcase_add_test(c, over_1300_bytes_it_is_large_anywhere);
    tcase_add_test(c, a_path_without_any_room_is_narrow);
    tcase_add_test(c, the_path_is_asked_only_where_it_matters);
    tcase_add_test(c, on_a_narrow_path_it_goes_over_tcp);
    tcase_add_test(c, and_by_datagram_when_there_is_no_connection);
    tcase_add_test(c, what_a_name_leads_to_is_looked_at_too);
    tcase_add_test(c, whoever_must_get_datagrams_gets_them_unasked);
    tcase_add_test(c, what_is_large_goes_over_tcp_where_nobody_said_udp);
    tcase_add_test(c, what_finds_no_connection_goes_by_datagram_to_the_same_hop);
    tcase_add_test(c, without_a_way_over_tcp_it_goes_by_datagram_at_once);
    tcase_add_test(c, who_answers_over_tcp_is_not_asked_by_datagram);
    suite_add_tcase(s, c);
    return s;
}
