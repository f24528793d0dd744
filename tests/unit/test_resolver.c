/*
 * A module finds the hops of names: it is asked, its answers come at the next tick, and nobody waits for one that is gone
 * (src/host/resolver.c).
 */
#include "unit/host_rig.h"

#define ONE "udp:192.0.2.11:5060"
#define TWO "udp:192.0.2.12:5060"

static struct sipd_host *handle;
static uint64_t asked;
static unsigned questions;
static bool at_once;
static int says, offered;
static enum sipd_tried fared;
static uint32_t wait_s;

static void
answer(int err)
{
    struct hop hops[] = { rig_hop(ONE), rig_hop(TWO) };

    sipd_resolved(handle, asked, hops, err == SIPD_OK ? 2 : 0, err);
}

static int
ask(void *self, const struct sipd_place *place, uint64_t id)
{
    (void)self;
    must(span_eq(place->uri->host, SPAN("phone.example.net")));
    asked = id;
    questions++;
    if (at_once)
        answer(SIPD_OK);
    return says;
}

static void
tried(void *self, const struct hop *hop, enum sipd_tried how, uint32_t retry_after_s)
{
    (void)self;
    must(hop_eq(hop, &(struct hop[]){ rig_hop(ONE) }[0]));
    fared = how;
    wait_s = retry_after_s;
}

static const struct sipd_resolver_ops ops = { ask, tried };

static int
load(struct sipd_host *host, const void *conf, void **self)
{
    (void)conf;
    *self = NULL;
    handle = host;
    return offered = sipd_offer_resolver(host, &ops, NULL);
}

static int
load_other(struct sipd_host *host, const void *conf, void **self)
{
    (void)conf;
    *self = NULL;
    return offered = sipd_offer_resolver(host, &ops, NULL);
}

static const struct sipd_module finder = { .abi = SIPD_ABI, .name = "finder", .load = load };
static const struct sipd_module other = { .abi = SIPD_ABI, .name = "other", .load = load_other };

static int
port_resolve(void *io, const struct sipd_place *place, uint64_t id)
{
    (void)io;
    return host_resolve(hosting.host, place, id);
}

static void
port_tried(void *io, const struct hop *hop, enum sipd_tried how, uint32_t retry_after_s)
{
    (void)io;
    host_tried(hosting.host, hop, how, retry_after_s);
}

static uint32_t rest_ms;

static void
port_set_rest(void *io, uint32_t ms)
{
    (void)io;
    rest_ms = ms;
}

static void
start(void)
{
    says = SIPD_OK;
    at_once = false;
    questions = 0;
    rig.ports.resolve = port_resolve;
    rig.ports.tried = port_tried;
    rig_restart(&rig);
    rig_bind(&rig, "bob", "sip:bob@phone.example.net", NULL, 1000);
    ck_assert_int_eq(host_rig_open(&finder), SIPD_OK);
    ck_assert_int_eq(host_rig_start(), SIPD_OK);
}

static void
call(void)
{
    rig_new_branch(&rig);
    rig_ask(&rig, ALICE, INVITE_BOB, NULL);
}

static void
tick(void)
{
    host_tick(hosting.host);
    rig_pass(&rig, 0);
}

START_TEST(an_answer_comes_at_the_next_tick)
{
    start();
    call();
    ck_assert_uint_eq(questions, 1);
    ck_assert(host_next_ms(hosting.host) > rig.clock.now_ms);
    answer(SIPD_OK);
    answer(SIPD_ENOENT); /* once is enough */
    rig_quiet(&rig);
    ck_assert_uint_eq(host_next_ms(hosting.host), rig.clock.now_ms);
    tick();
    rig_reply(&rig, rig_expect(&rig, ONE, "INVITE "), 503, "x", "Retry-After: 8", NULL);
    ck_assert_int_eq(fared, SIPD_TRIED_BUSY);
    ck_assert_uint_eq(wait_s, 8);
    rig_expect(&rig, ONE, "ACK ");
    rig_expect(&rig, TWO, "INVITE ");
    answer(SIPD_OK); /* stale */
    tick();
    rig_quiet(&rig);
}
END_TEST

START_TEST(also_one_that_was_known)
{
    start();
    at_once = true;
    call();
    rig_quiet(&rig);
    tick();
    rig_expect(&rig, ONE, "INVITE ");
}
END_TEST

START_TEST(a_question_may_be_refused)
{
    start();
    says = SIPD_EFULL;
    call();
    rig_expect(&rig, ALICE, "SIP/2.0 500 ");
    says = SIPD_OK;
    call();
    answer(SIPD_ENOENT);
    tick();
    rig_expect(&rig, ALICE, "SIP/2.0 404 ");
}
END_TEST

/* Who waits for a module that goes is told that there is no way, and afterwards only addresses are reached. */
START_TEST(a_resolver_that_goes_leaves_nobody_waiting)
{
    start();
    call();
    ck_assert_int_eq(host_reload(hosting.host, &hosting.source, NULL, 0, &hosting.why), SIPD_OK);
    rig_pass(&rig, 0);
    rig_expect(&rig, ALICE, "SIP/2.0 500 ");
    call();
    ck_assert_uint_eq(questions, 1);
    rig_expect(&rig, ALICE, "SIP/2.0 500 ");
    rig_settled(&rig);
}
END_TEST

/* The server ends with questions open and answers on their way. */
START_TEST(a_host_that_ends_with_questions_open)
{
    start();
    call();
    answer(SIPD_OK);
    call();
    host_free(&hosting.host);
    ck_assert_int_eq(host_new(&hosting.host, &hosting.ports), SIPD_OK);
}
END_TEST

/* For how long who failed is left alone, the one says who knows how targets fare, as long as it is there. */
START_TEST(who_finds_hops_says_how_long_they_rest)
{
    hosting.ports.set_rest = port_set_rest;
    host_free(&hosting.host);
    ck_assert_int_eq(host_new(&hosting.host, &hosting.ports), SIPD_OK);
    start();
    sipd_set_rest(handle, 7000);
    ck_assert_uint_eq(rest_ms, 7000);
    ck_assert_int_eq(host_reload(hosting.host, &hosting.source, NULL, 0, &hosting.why), SIPD_OK);
    ck_assert_uint_eq(rest_ms, 0);
}
END_TEST

START_TEST(one_resolver_is_enough)
{
    ck_assert_int_eq(host_rig_open(&finder), SIPD_OK);
    ck_assert_int_eq(host_rig_open(&other), SIPD_OK);
    ck_assert_int_eq(host_rig_start(), SIPD_EEXIST);
    must_text(buf_span(&hosting.why),
              "sipd.conf: other: finder finds the hops of names already; load one of the two\n");
}
END_TEST

Suite *
suite_resolver(void)
{
    Suite *s = suite_create("resolver");
    TCase *c = host_case("hops");

    tcase_add_test(c, an_answer_comes_at_the_next_tick);
    tcase_add_test(c, also_one_that_was_known);
    tcase_add_test(c, a_question_may_be_refused);
    tcase_add_test(c, a_resolver_that_goes_leaves_nobody_waiting);
    tcase_add_test(c, a_host_that_ends_with_questions_open);
    tcase_add_test(c, who_finds_hops_says_how_long_they_rest);
    tcase_add_test(c, one_resolver_is_enough);
    suite_add_tcase(s, c);
    return s;
}
