/*
 * URIs to hops, question by question, with a zone that is a table: RFC 3263 §4 and §5, RFC 7984, what is asked once and what is
 * kept how long (modules/dns/finder.c, modules/dns/locate.c).
 */
#include "unit/dns_rig.h"

Suite *suite_dns_finder(void);

/* ---------------------------------------------------------------- RFC 3263 §4 */

/* The example of §4.1: NAPTR, then SRV of the most preferred transport that we have. */
static void
zone_of_rfc3263(void)
{
    dns_zone("example.com NAPTR 50 50 s SIPS+D2T _sips._tcp.example.com");
    dns_zone("example.com NAPTR 90 50 s SIP+D2T _sip._tcp.example.com");
    dns_zone("example.com NAPTR 100 50 s SIP+D2U _sip._udp.example.com");
    dns_zone("_sips._tcp.example.com SRV 0 1 5061 server1.example.com");
    dns_zone("_sip._tcp.example.com SRV 0 1 5060 server1.example.com");
    dns_zone("_sip._tcp.example.com SRV 1 2 5060 server2.example.com");
    dns_zone("_sip._udp.example.com SRV 0 0 5080 server2.example.com");
    dns_zone("server1.example.com A 192.0.2.1");
    dns_zone("server2.example.com A 192.0.2.2");
    dns_zone("example.com A 192.0.2.9");
}

START_TEST(the_example_of_the_rfc)
{
    dns_start();
    zone_of_rfc3263();
    dns_expect("sip:user@example.com", "tcp:192.0.2.1:5060 tcp:192.0.2.2:5060");
    dns_expect_asked("example.com NAPTR, _sip._tcp.example.com SRV, server1.example.com address, "
                     "server2.example.com address");
    dns.tls = true;
    dns_expect("sip:user@example.com", "tls:192.0.2.1:5061");
    dns_expect("sips:user@example.com", "tls:192.0.2.1:5061");
    dns.tls = dns.tcp = false;
    dns_expect("sip:user@example.com", "udp:192.0.2.2:5080!");
    dns_expect("sips:user@example.com", "500");
}
END_TEST

START_TEST(port_and_transport_decide_what_is_asked)
{
    dns_start();
    dns.tls = true;
    zone_of_rfc3263();
    dns_expect("sip:user@example.com:5070", "udp:192.0.2.9:5070!");
    dns_expect_asked("example.com address");
    dns_expect("sip:user@example.com:5070;transport=tcp", "tcp:192.0.2.9:5070");
    dns_expect_asked("");
    dns_expect("sips:user@example.com:5071", "tls:192.0.2.9:5071");
    dns_expect("sip:user@example.com;transport=udp", "udp:192.0.2.2:5080");
    dns_expect_asked("_sip._udp.example.com SRV, server2.example.com address");
    dns_expect("sip:user@example.com;transport=tls", "tls:192.0.2.1:5061");
    dns_expect("sips:user@example.com;transport=tcp", "tls:192.0.2.1:5061");
    dns_expect("sip:user@other.example;maddr=example.com;transport=udp", "udp:192.0.2.2:5080");
    dns_expect("sip:user@example.com;transport=sctp", "500");
}
END_TEST

/* No NAPTR: SRV for all that we have, at once; then addresses at the default port. */
START_TEST(without_naptr_and_without_srv)
{
    dns_start();
    dns_zone("_sip._tcp.srv.example SRV 1 1 5070 host.srv.example");
    dns_zone("host.srv.example A 192.0.2.3");
    dns_zone("srv.example A 192.0.2.4");
    dns_zone("plain.example A 192.0.2.5");
    dns_expect("sip:srv.example", "tcp:192.0.2.3:5070");
    dns_expect_asked("srv.example NAPTR, _sip._tcp.srv.example SRV, _sip._udp.srv.example SRV, "
                     "host.srv.example address");
    dns_expect("sip:srv.example;transport=udp", "udp:192.0.2.4:5060");
    dns_expect("sip:plain.example", "udp:192.0.2.5:5060!");
    dns_expect("sip:plain.example;transport=tcp", "tcp:192.0.2.5:5060");
    dns.tls = true;
    dns_expect("sips:plain.example", "tls:192.0.2.5:5061");
    dns_expect("sip:nowhere.example", "404");
    dns_expect("sip:nowhere.example:5060", "404");
}
END_TEST

/* NAPTR may lead into another domain, and on when a service of it has no records. */
START_TEST(naptr_leads_where_it_wants)
{
    dns_start();
    dns_zone("school.example NAPTR 1 1 s SIP+D2T _sip._tcp.gone.example");
    dns_zone("school.example NAPTR 2 1 s SIP+D2U _sip._udp.hosted.example");
    dns_zone("_sip._udp.hosted.example SRV 1 1 5060 n1.hosted.example");
    dns_zone("n1.hosted.example A 192.0.2.6");
    dns_zone("empty.example NAPTR 1 1 s SIP+D2T _sip._tcp.gone.example");
    dns_zone("empty.example A 192.0.2.7");
    dns_zone("enum.example NAPTR 1 1 u E2U+sip !^.*$!sip:a@b!");
    dns_zone("enum.example A 192.0.2.8");
    dns_expect("sip:school.example", "udp:192.0.2.6:5060!");
    dns_expect("sip:empty.example", "tcp:192.0.2.7:5060");
    dns_expect("sip:enum.example", "udp:192.0.2.8:5060!");
    dns.tcp = false;
    dns_expect("sip:empty.example", "500"); /* by TCP only, and we have none */
}
END_TEST

/* RFC 2782: a single "." */
START_TEST(a_service_that_is_denied)
{
    dns_start();
    dns_zone("_sip._udp.no.example SRV 0 0 0 .");
    dns_zone("_sip._tcp.no.example SRV 0 0 0 .");
    dns_zone("no.example A 192.0.2.4");
    dns_zone("_sip._udp.half.example SRV 0 0 0 .");
    dns_zone("_sip._tcp.half.example SRV 0 0 5060 half.example");
    dns_zone("half.example A 192.0.2.5");
    dns_expect("sip:no.example", "404");
    dns_expect("sip:no.example;transport=udp", "404");
    dns_expect("sip:no.example:5060", "udp:192.0.2.4:5060!");
    dns_expect("sip:half.example", "tcp:192.0.2.5:5060");
}
END_TEST

/* ---------------------------------------------------------------- RFC 7984 */

/* The example of §4: the addresses of two hosts are never mixed, whatever their families. */
START_TEST(the_example_of_rfc7984)
{
    dns_start();
    dns.v6 = true;
    dns_zone("_sip._tcp.example.com SRV 10 1 5060 sip-1.example.com");
    dns_zone("_sip._tcp.example.com SRV 20 1 5060 sip-2.example.com");
    dns_zone("sip-1.example.com AAAA 2001:0db8:58:c02::face");
    dns_zone("sip-1.example.com AAAA 2001:0db8:c:a06::2:cafe");
    dns_zone("sip-1.example.com AAAA 2001:0db8:44:204::d1ce");
    dns_zone("sip-1.example.com A 192.0.2.45");
    dns_zone("sip-1.example.com A 203.0.113.109");
    dns_zone("sip-1.example.com A 198.51.100.24");
    dns_zone("sip-2.example.com AAAA 2001:0db8:58:c02::dead");
    dns_zone("sip-2.example.com AAAA 2001:0db8:c:a06::2:beef");
    dns_zone("sip-2.example.com AAAA 2001:0db8:44:204::c0de");
    dns_zone("sip-2.example.com A 192.0.2.75");
    dns_zone("sip-2.example.com A 203.0.113.38");
    dns_zone("sip-2.example.com A 198.51.100.140");
    dns_expect("sip:example.com;transport=tcp",
               "tcp:[2001:db8:58:c02::face]:5060 tcp:[2001:db8:c:a06::2:cafe]:5060 "
               "tcp:[2001:db8:44:204::d1ce]:5060 tcp:192.0.2.45:5060 tcp:203.0.113.109:5060 "
               "tcp:198.51.100.24:5060 tcp:[2001:db8:58:c02::dead]:5060 "
               "tcp:[2001:db8:c:a06::2:beef]:5060 tcp:[2001:db8:44:204::c0de]:5060 "
               "tcp:192.0.2.75:5060 tcp:203.0.113.38:5060 tcp:198.51.100.140:5060");
    /* §3.1: a family that we do not have is passed over */
    dns.v6 = false;
    dns_expect(
        "sip:example.com;transport=tcp",
        "tcp:192.0.2.45:5060 tcp:203.0.113.109:5060 tcp:198.51.100.24:5060 tcp:192.0.2.75:5060 "
        "tcp:203.0.113.38:5060 tcp:198.51.100.140:5060");
}
END_TEST

/* ---------------------------------------------------------------- what is kept, and asked once */

START_TEST(answers_hold_as_long_as_they_say)
{
    dns_start();
    dns.ttl_s = 10;
    dns_zone("a.example A 192.0.2.1");
    dns_expect("sip:a.example:5060", "udp:192.0.2.1:5060!");
    dns_expect("sip:A.Example:5060", "udp:192.0.2.1:5060!");
    dns_expect_asked("");
    dns_pass(9999);
    dns_expect("sip:a.example:5060", "udp:192.0.2.1:5060!");
    dns_expect_asked("");
    dns_pass(1);
    dns_expect("sip:a.example.:5060", "udp:192.0.2.1:5060!");
    dns_expect_asked("a.example address");
}
END_TEST

/* A time to live of nothing holds for those who wait, and for a second. */
START_TEST(answers_that_hold_for_nothing)
{
    dns_start();
    dns.ttl_s = 0;
    dns_zone("_sip._udp.a.example SRV 1 1 5060 h.a.example");
    dns_zone("h.a.example A 192.0.2.1");
    dns.late = true;
    dns_call("sip:a.example;transport=udp");
    dns_pass(2000);
    dns_tell("_sip._udp.a.example", DNS_SRV);
    dns_pass(2000);
    dns_expect_asked("_sip._udp.a.example SRV, h.a.example address");
    dns_tell("h.a.example", DNS_ADDRESS);
    dns_tick();
    ck_assert_str_eq(dns_walk(), "udp:192.0.2.1:5060");
}
END_TEST

/* RFC 2308 */
START_TEST(what_is_not_there_is_remembered)
{
    dns_start();
    dns_expect("sip:no.example:5060", "404");
    dns_expect("sip:no.example:5060", "404");
    dns_expect_asked("");
    dns_pass(60000);
    dns_zone("no.example A 192.0.2.1");
    dns_expect("sip:no.example:5060", "udp:192.0.2.1:5060!");
    /* nobody answered: asked again after failed_s */
    dns_zone("bad.example FAILS");
    dns_expect("sip:bad.example:5060", "500");
    dns_pass(4999);
    dns_expect("sip:bad.example:5060", "500");
    dns_expect_asked("");
    dns_pass(1);
    dns_expect("sip:bad.example:5060", "500");
    dns_expect_asked("bad.example address");
}
END_TEST

START_TEST(equal_questions_are_asked_once)
{
    dns_start();
    dns_zone("a.example A 192.0.2.1");
    dns.late = true;
    for (unsigned i = 0; i < 50; i++) {
        rig.binds_len = 0;
        rig_bind(&rig, "bob", "sip:a.example:5060", NULL, 1000);
        rig_new_branch(&rig);
        rig_ask(&rig, ALICE, INVITE_BOB, NULL);
    }
    dns_tick();
    dns_expect_asked("a.example address");
    ck_assert_uint_eq(rig_counter(&rig, "dns_joined"), 49);
    rig_clear(&rig);
    dns_tell("a.example", DNS_ADDRESS);
    dns_tick();
    ck_assert_uint_eq(rig.sent_len, 50);
    ck_assert_uint_eq(dns.finder.locates_len, 0);
}
END_TEST

START_TEST(names_that_dns_cannot_know)
{
    char uri[400];

    dns_start();
    memset(uri, 'a', sizeof uri);
    memcpy(uri, "sip:", 4);
    for (size_t i = 50; i < 350; i += 50)
        uri[i] = '.';
    memcpy(uri + 350, ":5060", 6);
    dns_expect(uri, "500");
    dns_expect_asked("");
    uri[260] = '\0'; /* long, but for what stands in front of it for SRV */
    memcpy(uri + 252, ".x", 3);
    dns.late = false;
    dns_expect(uri, "404");
}
END_TEST

/* RFC 3263 §7: whoever takes SIPS out of the NAPTR records may be an attacker. */
START_TEST(sips_that_vanishes_is_told)
{
    dns_start();
    dns.ttl_s = 5;
    dns_zone("a.example NAPTR 10 20 s SIPS+D2T _sips._tcp.a.example");
    dns_zone("a.example NAPTR 20 20 s SIP+D2U _sip._udp.a.example");
    dns_call("sip:a.example");
    dns_pass(5000);
    dns.lines[0] = SPAN("a.example FAILS");
    dns_call("sip:a.example");
    ck_assert_uint_eq(rig_counter(&rig, "dns_sips_vanished"), 0);
    dns_pass(5000);
    dns.lines[0] = SPAN("else.example A 192.0.2.1");
    dns_call("sip:a.example");
    ck_assert_uint_eq(rig_counter(&rig, "dns_sips_vanished"), 1);
    ck_assert_ptr_nonnull(strstr(hosting.log.bytes, "sips-vanished"));
}
END_TEST

Suite *
suite_dns_finder(void)
{
    Suite *s = suite_create("dns_finder");
    TCase *c = host_case("hops");

    tcase_add_test(c, the_example_of_the_rfc);
    tcase_add_test(c, port_and_transport_decide_what_is_asked);
    tcase_add_test(c, without_naptr_and_without_srv);
    tcase_add_test(c, naptr_leads_where_it_wants);
    tcase_add_test(c, a_service_that_is_denied);
    tcase_add_test(c, the_example_of_rfc7984);
    tcase_add_test(c, answers_hold_as_long_as_they_say);
    tcase_add_test(c, answers_that_hold_for_nothing);
    tcase_add_test(c, what_is_not_there_is_remembered);
    tcase_add_test(c, equal_questions_are_asked_once);
    tcase_add_test(c, names_that_dns_cannot_know);
    tcase_add_test(c, sips_that_vanishes_is_told);
    suite_add_tcase(s, c);
    return s;
}
