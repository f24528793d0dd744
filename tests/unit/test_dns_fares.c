/*
 * How hops fare, who rests and who tries for all (RFC 3263 §4.3; modules/dns/health.c), and what is shown of it
 * (modules/dns/show.c).
 */
#include <stdio.h>

#include "unit/dns_rig.h"

Suite *suite_dns_fares(void);

/* ---------------------------------------------------------------- how they fare */

static void
zone_of_three(void)
{
    dns_zone("_sip._udp.b.example SRV 10 1 5060 one.b.example");
    dns_zone("_sip._udp.b.example SRV 20 1 5060 two.b.example");
    dns_zone("_sip._udp.b.example SRV 30 1 5060 three.b.example");
    dns_zone("one.b.example A 192.0.2.31");
    dns_zone("two.b.example A 192.0.2.32");
    dns_zone("three.b.example A 192.0.2.33");
}

#define ONE   "udp:192.0.2.31:5060"
#define TWO   "udp:192.0.2.32:5060"
#define THREE "udp:192.0.2.33:5060"
#define B     "sip:b.example;transport=udp"

static void
tried(const char *hop, enum sipd_tried how, uint32_t retry_after_s)
{
    struct hop to = rig_hop(hop);

    finder_tried(&dns.finder, &to, how, retry_after_s);
}

START_TEST(who_rests_is_left_out)
{
    dns_start();
    zone_of_three();
    tried(ONE, SIPD_TRIED_FAILED, 0);
    tried(TWO, SIPD_TRIED_BUSY, 10);
    dns_expect(B, THREE);
    dns_pass(9999);
    dns_expect(B, THREE);
    dns_pass(1);
    dns_expect(B, TWO " " THREE);
    dns_pass(
        20000); /* the first is tried, by one call only, until it answers; dns_walk() has it answer */
    dns_expect(B, ONE " " TWO " " THREE);
    dns_expect(B, ONE " " TWO " " THREE);
}
END_TEST

START_TEST(one_tries_for_all)
{
    dns_start();
    zone_of_three();
    tried(ONE, SIPD_TRIED_SILENT, 0);
    dns_pass(30000);
    dns_call(B);
    ck_assert(hop_eq(&rig_last(&rig, "INVITE ")->to, &(struct hop[]){ rig_hop(ONE) }[0]));
    dns_expect(B, TWO " " THREE); /* that call has not been answered yet */
    tried(ONE, SIPD_TRIED_ANSWERED, 0);
    dns_expect(B, ONE " " TWO " " THREE);
}
END_TEST

/* An ACK has no answer, so it tries nobody for others. */
START_TEST(an_ack_tries_for_nobody)
{
    struct uri uri;
    struct sipd_place place = { .uri = &uri, .one_way = true };

    dns_start();
    zone_of_three();
    ck_assert_int_eq(uri_read(SPAN(B), &uri), SIPD_OK);
    tried(ONE, SIPD_TRIED_SILENT, 0);
    dns_pass(30000);
    ck_assert_int_eq(host_resolve(hosting.host, &place, 4711), SIPD_OK);
    dns_tick();
    dns_expect(B, ONE " " TWO " " THREE);
}
END_TEST

/* When nobody is well, those who failed are tried after all; who said when to come again is left in peace. */
START_TEST(the_last_resort)
{
    dns_start();
    zone_of_three();
    tried(ONE, SIPD_TRIED_SILENT, 0);
    tried(TWO, SIPD_TRIED_BUSY, 100);
    tried(THREE, SIPD_TRIED_FAILED, 0);
    dns_expect(B, ONE " " THREE);
    tried(ONE, SIPD_TRIED_BUSY, 100);
    tried(THREE, SIPD_TRIED_BUSY, 1000000); /* more than max_rest_s */
    dns_expect(B, "500");
    dns_pass(100000);
    dns_expect(B, ONE " " TWO);
    dns_pass(200000);
    dns_expect(B, ONE " " TWO " " THREE);
}
END_TEST

/* A late answer of a busy one does not make it less busy. */
START_TEST(busy_is_busy)
{
    dns_start();
    zone_of_three();
    tried(ONE, SIPD_TRIED_BUSY, 20);
    tried(ONE, SIPD_TRIED_ANSWERED, 0);
    dns_expect(B, TWO " " THREE);
    tried(TWO, SIPD_TRIED_FAILED, 0);
    tried(TWO, SIPD_TRIED_ANSWERED, 0);
    dns_expect(B, TWO " " THREE);
}
END_TEST

/* A call without state, if its first hop is well, that goes to this one. */
static void
passes_to(const char *hop, bool with_state)
{
    struct core_stats stats;

    rig.conf.mode = CORE_STATELESS;
    dns_call(B);
    ck_assert(hop_eq(&rig_last(&rig, "INVITE ")->to, &(struct hop[]){ rig_hop(hop) }[0]));
    core_stats(rig.core, &stats);
    ck_assert_uint_eq(stats.pending, with_state);
}

static void
one_answers(const char *hop)
{
    struct hop to = rig_hop(hop);

    for (unsigned i = rig.sent_len; i > 0; i--)
        if (hop_eq(&rig.sent[i - 1].to, &to)) {
            rig_reply(&rig, &rig.sent[i - 1], 486, "b", NULL);
            return;
        }
    ck_abort_msg("nothing went to %s", hop);
}

/* RFC 3263 §4.4: a hop that stands in for one that failed is asked with state, so that repeats do not go back to the other. */
START_TEST(without_state_who_failed_is_left_with_state)
{
    dns_start();
    zone_of_three();
    passes_to(ONE, false);
    tried(ONE, SIPD_TRIED_FAILED, 0);
    passes_to(TWO, true);
    one_answers(TWO);
    dns_pass(30000);
    passes_to(ONE, true); /* who tries it for all, so that he does not fail if it does … */
    one_answers(ONE);
    dns_pass(100);
    passes_to(ONE, false); /* … and all is as before */
}
END_TEST

/* Nobody waits for an answer; but from one that nothing comes from for 64*T1, though requests pass, none will come. */
START_TEST(without_state_silence_is_found_out_by_one_for_all)
{
    dns_start();
    zone_of_three();
    passes_to(ONE, false);
    dns_pass(31999);
    passes_to(ONE, false);
    dns_pass(1);
    passes_to(ONE, false); /* this one has found it out; the next has state, as has its repeat */
    passes_to(ONE, true);
    dns_pass(4000);
    one_answers(TWO);
    dns_pass(100);
    passes_to(TWO, true);
}
END_TEST

START_TEST(without_state_any_answer_breaks_the_silence)
{
    dns_start();
    zone_of_three();
    passes_to(ONE, false);
    dns_pass(20000);
    one_answers(ONE);
    for (unsigned n = 0; n < 3; n++) {
        dns_pass(31000);
        passes_to(ONE, false);
        one_answers(ONE);
    }
}
END_TEST

/* RFC 3261 §18.4: the network says that nobody is there. Anybody could say so who has seen a branch of ours: it is tried with state. */
START_TEST(without_state_a_bounce_is_a_doubt)
{
    const struct rig_sent *invite;

    dns_start();
    zone_of_three();
    passes_to(ONE, false);
    invite = rig_last(&rig, "INVITE ");
    core_bounced(rig.core, &(struct hop[]){ rig_hop(THREE) }[0], invite->bytes);
    passes_to(ONE, false); /* nothing was passed to the third */
    core_bounced(rig.core, &(struct hop[]){ rig_hop(ONE) }[0], invite->bytes);
    passes_to(ONE, true);
    core_bounced(rig.core, &rig_last(&rig, "INVITE ")->to, rig_last(&rig, "INVITE ")->bytes);
    dns_tick();
    one_answers(TWO);
}
END_TEST

/* A CANCEL finds where its INVITE went, however that fares. */
START_TEST(without_state_a_cancel_follows_its_invite)
{
    dns_start();
    zone_of_three();
    passes_to(ONE, false);
    tried(ONE, SIPD_TRIED_FAILED, 0);
    rig_ask(&rig, ALICE, "CANCEL sip:bob@example.com SIP/2.0", NULL);
    dns_tick();
    ck_assert(hop_eq(&rig_last(&rig, "CANCEL ")->to, &(struct hop[]){ rig_hop(ONE) }[0]));
    rig.to_tag = "b";
    rig_ask(&rig, ALICE, "ACK sip:bob@example.com SIP/2.0", NULL);
    dns_tick();
    ck_assert(hop_eq(&rig_last(&rig, "ACK ")->to, &(struct hop[]){ rig_hop(ONE) }[0]));
}
END_TEST

START_TEST(targets_have_a_ceiling)
{
    char hop[32];

    dns_start();
    for (unsigned i = 0; i < 300; i++) {
        snprintf(hop, sizeof hop, "udp:192.0.2.1:%u", 1000 + i);
        tried(hop, SIPD_TRIED_FAILED, 0);
    }
    ck_assert_uint_eq(dns.finder.health.used, 100);
    ck_assert_ptr_null(
        health_find(&dns.finder.health, &(struct hop[]){ rig_hop("udp:192.0.2.1:1000") }[0]));
    ck_assert_ptr_nonnull(
        health_find(&dns.finder.health, &(struct hop[]){ rig_hop("udp:192.0.2.1:1299") }[0]));
}
END_TEST

/* ---------------------------------------------------------------- what is shown */

START_TEST(what_operators_see)
{
    dns_start();
    dns_zone("a.example NAPTR 10 20 s SIP+D2U _sip._udp.a.example");
    dns_zone("_sip._udp.a.example SRV 1 2 5060 h.a.example");
    dns_zone("h.a.example A 192.0.2.1");
    dns_zone("h.a.example AAAA 2001:db8::1");
    dns_expect("sip:a.example", "udp:192.0.2.1:5060!");
    dns_expect("sip:no.example:5060", "404");
    tried("tcp:192.0.2.7:5060", SIPD_TRIED_BUSY, 7);
    tried("udp:192.0.2.8:5060", SIPD_TRIED_SILENT, 0);
    dns_pass(1000);
    host_rig_says(
        "show dns a.example",
        "{\"rows\":[{\"name\":\"h.a.example\",\"type\":\"address\",\"state\":\"found\","
        "\"ttl_s\":299,\"says\":\"192.0.2.1, 2001:db8::1\"},"
        "{\"name\":\"_sip._udp.a.example\",\"type\":\"SRV\",\"state\":\"found\",\"ttl_s\":299,"
        "\"says\":\"1 2 5060 h.a.example\"},"
        "{\"name\":\"a.example\",\"type\":\"NAPTR\",\"state\":\"found\",\"ttl_s\":299,"
        "\"says\":\"10 20 SIP+D2U _sip._udp.a.example\"}]}");
    host_rig_says("show dns no.example",
                  "{\"rows\":[{\"name\":\"no.example\",\"type\":\"address\",\"state\":\"none\","
                  "\"ttl_s\":59,\"says\":\"\"}]}");
    host_rig_says(
        "show targets",
        "{\"rows\":[{\"target\":\"192.0.2.8:5060\",\"transport\":\"udp\",\"state\":\"down\","
        "\"rests_s\":29,\"answered\":0,\"failed\":1,\"busy\":0},"
        "{\"target\":\"192.0.2.7:5060\",\"transport\":\"tcp\",\"state\":\"busy\",\"rests_s\":6,"
        "\"answered\":0,\"failed\":0,\"busy\":1},"
        "{\"target\":\"192.0.2.1:5060\",\"transport\":\"udp\",\"state\":\"good\",\"rests_s\":0,"
        "\"answered\":1,\"failed\":0,\"busy\":0}]}");
    ck_assert_uint_eq(rig_counter(&rig, "dns_target_rests"), 2);
}
END_TEST

Suite *
suite_dns_fares(void)
{
    Suite *s = suite_create("dns_fares");
    TCase *c = host_case("fares");

    tcase_add_test(c, who_rests_is_left_out);
    tcase_add_test(c, one_tries_for_all);
    tcase_add_test(c, an_ack_tries_for_nobody);
    tcase_add_test(c, the_last_resort);
    tcase_add_test(c, busy_is_busy);
    tcase_add_test(c, without_state_who_failed_is_left_with_state);
    tcase_add_test(c, without_state_silence_is_found_out_by_one_for_all);
    tcase_add_test(c, without_state_any_answer_breaks_the_silence);
    tcase_add_test(c, without_state_a_bounce_is_a_doubt);
    tcase_add_test(c, without_state_a_cancel_follows_its_invite);
    tcase_add_test(c, targets_have_a_ceiling);
    tcase_add_test(c, what_operators_see);
    suite_add_tcase(s, c);
    return s;
}
