/*
 * Those who wait for a name server that is slow, silent or cannot be asked, and how many may (modules/dns/finder.c).
 */
#include <stdio.h>

#include "unit/dns_rig.h"

Suite *suite_dns_waits(void);

/* ---------------------------------------------------------------- those who wait */

/* The best host is waited for, the others only a little when it is known. */
START_TEST(a_slow_name_does_not_hold_up_the_best)
{
    dns_start();
    dns.conf.stale_s = 0;
    dns_zone("_sip._udp.a.example SRV 1 1 5060 one.a.example");
    dns_zone("_sip._udp.a.example SRV 2 1 5060 two.a.example");
    dns_zone("one.a.example A 192.0.2.1");
    dns_zone("two.a.example A 192.0.2.2");
    dns.late = true;
    dns_call("sip:a.example;transport=udp");
    dns_tell("_sip._udp.a.example", DNS_SRV);
    dns_tell("two.a.example", DNS_ADDRESS);
    dns_pass(1000);
    ck_assert_ptr_null(rig_last(&rig, "INVITE "));
    dns_tell("one.a.example", DNS_ADDRESS);
    dns_tick();
    ck_assert_str_eq(dns_walk(), "udp:192.0.2.1:5060 udp:192.0.2.2:5060");
    dns_pass(301000);
    dns_call("sip:a.example;transport=udp");
    dns_tell("_sip._udp.a.example", DNS_SRV);
    dns_tell("one.a.example", DNS_ADDRESS);
    dns_pass(299);
    ck_assert_ptr_null(rig_last(&rig, "INVITE "));
    dns_pass(1);
    ck_assert_str_eq(dns_walk(), "udp:192.0.2.1:5060");
}
END_TEST

START_TEST(nobody_waits_for_ever)
{
    dns_start();
    dns_zone("a.example A 192.0.2.1");
    dns.late = true;
    dns_call("sip:a.example:5060");
    dns_pass(5999);
    ck_assert_ptr_null(rig_last(&rig, "SIP/2.0 500 "));
    dns_pass(1);
    ck_assert_ptr_nonnull(rig_last(&rig, "SIP/2.0 500 "));
    ck_assert_uint_eq(dns.finder.locates_len, 0);
    /* what comes late is good for the next one */
    dns_tell("a.example", DNS_ADDRESS);
    dns.late = false;
    dns_expect("sip:a.example:5060", "udp:192.0.2.1:5060!");
    dns_expect_asked("");
}
END_TEST

/* Some servers, and what stands before them, answer nothing to a type that they do not know. */
START_TEST(who_is_silent_about_naptr_is_found_all_the_same)
{
    dns_start();
    dns_zone("_sip._udp.a.example SRV 1 1 5070 h.a.example");
    dns_zone("h.a.example A 192.0.2.1");
    dns.late = true;
    dns_call("sip:a.example");
    dns_pass(2999);
    dns_expect_asked("a.example NAPTR");
    dns_pass(1);
    dns_expect_asked("a.example NAPTR, _sip._tcp.a.example SRV, _sip._udp.a.example SRV");
    dns_tell("_sip._tcp.a.example", DNS_SRV);
    dns_tell("_sip._udp.a.example", DNS_SRV);
    dns_tell("h.a.example", DNS_ADDRESS);
    dns_pass(299);
    ck_assert_ptr_null(rig_last(&rig, "INVITE "));
    dns_pass(1);
    ck_assert_str_eq(dns_walk(), "udp:192.0.2.1:5070!");
    ck_assert_uint_eq(dns.finder.locates_len, 0);
}
END_TEST

/* It was slow, not silent: what it says counts. */
START_TEST(naptr_that_comes_late_is_heard)
{
    dns_start();
    dns_zone("a.example NAPTR 1 1 s SIP+D2T _sip._tcp.a.example");
    dns_zone("_sip._tcp.a.example SRV 1 1 5071 h.a.example");
    dns_zone("_sip._udp.a.example SRV 1 1 5070 h.a.example");
    dns_zone("h.a.example A 192.0.2.1");
    dns.late = true;
    dns_call("sip:a.example");
    dns_pass(3000);
    dns_tell("_sip._udp.a.example", DNS_SRV);
    dns_tell("a.example", DNS_NAPTR);
    dns_tell("_sip._tcp.a.example", DNS_SRV);
    dns_tell("h.a.example", DNS_ADDRESS);
    dns_tick();
    ck_assert_str_eq(dns_walk(), "tcp:192.0.2.1:5071");
}
END_TEST

/* RFC 8767: while no server answers, what was true is used; who is silent costs 300 ms, and that for all of a URI. */
START_TEST(what_was_true_is_used_while_nobody_answers)
{
    dns_start();
    dns.ttl_s = 10;
    dns_zone("_sip._udp.a.example SRV 1 1 5060 h.a.example");
    dns_zone("h.a.example A 192.0.2.1");
    dns_expect("sip:a.example;transport=udp", "udp:192.0.2.1:5060");
    dns_pass(10000);
    dns.late = true;
    dns_call("sip:a.example;transport=udp");
    dns_pass(299);
    ck_assert_ptr_null(rig_last(&rig, "INVITE "));
    dns_pass(1);
    ck_assert_str_eq(dns_walk(), "udp:192.0.2.1:5060");
    ck_assert_uint_eq(rig_counter(&rig, "dns_stale"), 2);
    /* one that says it failed */
    dns.late = false;
    dns.open_len = 0;
    finder_ask_again(&dns.finder);
    dns_pass(10000);
    dns_zone("_sip._udp.a.example FAILS");
    dns_zone("h.a.example FAILS");
    dns_expect("sip:a.example;transport=udp", "udp:192.0.2.1:5060");
    dns_expect_asked("_sip._udp.a.example SRV, h.a.example address");
    dns_expect("sip:a.example;transport=udp", "udp:192.0.2.1:5060");
    dns_expect_asked("");
    dns_pass(5000); /* failed_s */
    dns_expect("sip:a.example;transport=udp", "udp:192.0.2.1:5060");
    dns_expect_asked("_sip._udp.a.example SRV, h.a.example address");
    dns_pass(3600000);
    dns_expect("sip:a.example;transport=udp", "500");
    dns.lines[2] = dns.lines[3] = SPAN("x A 192.0.2.9");
    dns_pass(5000);
    dns_expect("sip:a.example;transport=udp", "udp:192.0.2.1:5060");
}
END_TEST

START_TEST(ceilings)
{
    char uri[64];

    dns_start();
    dns.conf.waiting = 3;
    dns.conf.questions = 2;
    dns.late = true;
    for (unsigned i = 0; i < 2; i++) {
        snprintf(uri, sizeof uri, "sip:n%u.example:5060", i);
        dns_call(uri);
    }
    ck_assert_uint_eq(dns.finder.questions_len, 2);
    dns_expect("sip:n2.example:5060", "500"); /* no question left */
    dns_call("sip:n1.example:5060");
    dns_expect("sip:n1.example:5060", "500"); /* nobody more may wait */
    ck_assert_uint_eq(dns.finder.locates_len, 3);
    dns.deaf = true;
    dns.conf.waiting = dns.conf.questions = 10;
    dns_expect("sip:n5.example:5060", "500");
    ck_assert_uint_eq(dns.finder.questions_len, 2);
}
END_TEST

/* The oldest answer makes room, and none that is wanted. */
START_TEST(the_cache_has_a_ceiling)
{
    char uri[64];

    dns_start();
    dns.conf.cache = 20;
    for (unsigned i = 0; i < 100; i++) {
        snprintf(uri, sizeof uri, "sip:n%u.example:5060", i);
        dns_call(uri);
        ck_assert_uint_le(dns.finder.cache.used, 20);
    }
    dns.asked[0] = '\0';
    dns_call("sip:n99.example:5060");
    dns_expect_asked("");
    dns_call("sip:n0.example:5060");
    dns_expect_asked("n0.example address");
    dns.late = true;
    for (unsigned i = 200; i < 220; i++) {
        snprintf(uri, sizeof uri, "sip:n%u.example:5060", i);
        dns_call(uri);
    }
    dns_expect("sip:n99.example:5060", "500"); /* all are being asked */
    ck_assert_uint_eq(dns.finder.cache.used, 20);
}
END_TEST

/* The module's name servers were changed: what was asked of the old ones is asked of the new. */
START_TEST(questions_are_asked_anew)
{
    dns_start();
    dns_zone("a.example A 192.0.2.1");
    dns.late = true;
    dns_call("sip:a.example:5060");
    dns.open_len = 0;
    finder_ask_again(&dns.finder);
    dns_expect_asked("a.example address, a.example address");
    dns_tell("a.example", DNS_ADDRESS);
    dns_tick();
    ck_assert_str_eq(dns_walk(), "udp:192.0.2.1:5060!");
    ck_assert_uint_eq(dns.finder.questions_len, 0);
    dns_call("sip:b.example:5060");
    dns.deaf = true;
    finder_ask_again(&dns.finder);
    dns_tick();
    ck_assert_str_eq(dns_walk(), "500");
}
END_TEST

/* The server ends while questions are open. */
START_TEST(an_end_with_open_questions)
{
    dns_start();
    dns.late = true;
    dns_call("sip:a.example");
    dns_call("sip:b.example");
    ck_assert_uint_eq(dns.finder.locates_len, 2);
}
END_TEST

Suite *
suite_dns_waits(void)
{
    Suite *s = suite_create("dns_waits");
    TCase *c = host_case("waits");

    tcase_add_test(c, a_slow_name_does_not_hold_up_the_best);
    tcase_add_test(c, nobody_waits_for_ever);
    tcase_add_test(c, who_is_silent_about_naptr_is_found_all_the_same);
    tcase_add_test(c, naptr_that_comes_late_is_heard);
    tcase_add_test(c, what_was_true_is_used_while_nobody_answers);
    tcase_add_test(c, ceilings);
    tcase_add_test(c, the_cache_has_a_ceiling);
    tcase_add_test(c, questions_are_asked_anew);
    tcase_add_test(c, an_end_with_open_questions);
    suite_add_tcase(s, c);
    return s;
}
