/*
 * URI schemes beside sip and sips: carried by a Route byte for byte, routed and compared by who offered them, refused
 * else (RFC 3261 §16.3 step 2, §16.4, §16.5, §16.6 step 6).
 */
#include "core/scheme.h"

#include <stdio.h>

#include "base/err.h"
#include "core/rehook.h"
#include "core/route.h"
#include "unit/core_rig.h"

#define NEXT     "udp:203.0.113.5:5060"
#define BY_ROUTE "Route: <sip:203.0.113.5;lr>"
#define TEL      "tel:+1-201-555-0123;ext=1-2"
#define GATEWAY  "udp:192.0.2.30:5060"

/* What a scheme's module does: these, in this order, as far as they are set; then it says so. */
static struct told {
    enum sipd_verdict says;
    const char *becomes; /* sipd_req_set_uri() in short */
    const char *target;
    unsigned status;
    bool same;
    unsigned asked, compared;
    uint64_t trip;
} told;

static enum sipd_verdict
do_as_told(struct sipd_req *req, void *self)
{
    struct told *t = self;
    struct sipd_target target = { .uri = span_of(t->target), .q = 1000 };
    struct span none = { NULL, 0 };

    t->asked++;
    t->trip = req->trip->id;
    if (t->says == SIPD_WAIT)
        return SIPD_WAIT;
    if (t->becomes)
        must(route_set_uri(req->trip, span_of(t->becomes)) == SIPD_OK);
    if (t->target)
        must(trip_add_target(req->trip, &target) == SIPD_OK);
    if (t->status)
        must(trip_reply(req->trip, t->status, &(struct reply_with){ .phrase = none }) == SIPD_OK);
    return t->says;
}

static bool
compare(void *self, const struct uri *a, const struct uri *b)
{
    struct told *t = self;

    (void)a;
    (void)b;
    t->compared++;
    return t->same;
}

static const struct sipd_scheme_ops all = { compare, do_as_told };
static const struct sipd_scheme_ops nothing;

static void
offer(struct scheme *scheme, const void *owner)
{
    struct chain_hook hook = scheme_hook(core_chain(rig.core), scheme, owner, "test");

    ck_assert_int_eq(rehook_add(rig.core, CHAIN_SCHEME, &hook), SIPD_OK);
}

/* "tel" is offered, and does as it is told. */
static void
offer_tel(struct told what)
{
    static struct scheme tel;

    told = what;
    tel = (struct scheme){ SPAN("tel"), &all, &told };
    offer(&tel, &told);
}

/* ---------------------------------------------------------------- by a Route */

static void
must_carry(const char *uri)
{
    char line[256], want[256];

    snprintf(line, sizeof line, "INVITE %s SIP/2.0", uri);
    snprintf(want, sizeof want, "INVITE %s SIP/2.0\r\n", uri);
    rig_new_branch(&rig);
    rig_ask(&rig, ALICE, line, BY_ROUTE, NULL);
    rig_expect(&rig, NEXT, want);
    rig_quiet(&rig);
}

START_TEST(a_route_carries_any_scheme)
{
    must_carry(TEL);
    must_carry("TEL:7042;Phone-Context=example.com;x=%2B");
    must_carry("urn:service:sos.fire");
    must_carry("x-acme.phone+1:!$&'()*+,;=/?@:[]{}|\\^`~#%zz\"");
    must_carry("mailto:bob@example.com");
    must_carry("http://example.com/?a=b#c");
    must_carry("cid:4");
}
END_TEST

START_TEST(behind_routes_of_ours)
{
    const struct rig_sent *invite;

    rig_ask(&rig, ALICE, "INVITE " TEL " SIP/2.0",
            "Route: <sip:example.com;lr>, <sip:203.0.113.5;lr>", NULL);
    invite = rig_expect(&rig, NEXT, "INVITE " TEL " SIP/2.0\r\n");
    ck_assert_uint_eq(rig_count(invite, "Route"), 1);
    ck_assert_str_eq(rig_value(invite, "Route", 0), "<sip:203.0.113.5;lr>");
}
END_TEST

/* A strict router gets itself as Request-URI, and the true one at the end of Route (§16.6 step 6). */
START_TEST(by_a_strict_router)
{
    const struct rig_sent *invite;

    rig_ask(&rig, ALICE, "INVITE " TEL " SIP/2.0", "Route: <sip:203.0.113.5>", NULL);
    invite = rig_expect(&rig, NEXT, "INVITE sip:203.0.113.5 SIP/2.0\r\n");
    ck_assert_str_eq(rig_value(invite, "Route", 0), "<" TEL ">");
}
END_TEST

START_TEST(nobody_carries_it)
{
    static const char *const lines[] = {
        "X: no Route",
        "Route: <sip:example.com;lr>",
        "Route: <sip:example.com;lr>, <sip:198.51.100.1:5060;lr>",
    };

    for (size_t i = 0; i < countof(lines); i++) {
        rig_new_branch(&rig);
        rig_ask(&rig, ALICE, "INVITE " TEL " SIP/2.0", lines[i], NULL);
        rig_expect(&rig, ALICE, "SIP/2.0 416 Unsupported URI Scheme\r\n");
        rig_alive(&rig, 0, 0, 0);
    }
    rig_ask(&rig, ALICE, "ACK " TEL " SIP/2.0", NULL);
    rig_quiet(&rig);
}
END_TEST

START_TEST(a_bad_route_is_400)
{
    rig_ask(&rig, ALICE, "INVITE " TEL " SIP/2.0", "Route: <sip:example.com;lr>, rubbish", NULL);
    rig_expect(&rig, ALICE, "SIP/2.0 400 ");
}
END_TEST

/* What a strict router before us put last is the Request-URI, and then nobody is left to carry it (§16.4). */
START_TEST(out_of_a_strict_routers_hands)
{
    const struct rig_sent *invite;
    const char *ours;
    char line[256];

    rig_bind(&rig, "bob", "sip:bob@192.0.2.9", NULL, 1000);
    rig_ask(&rig, ALICE, INVITE_BOB, NULL);
    invite = rig_expect(&rig, BOB, "INVITE ");
    ours = rig_value(invite, "Record-Route", 0);
    snprintf(line, sizeof line, "MESSAGE %.*s SIP/2.0", (int)(strlen(ours) - 2), ours + 1);
    rig_forget(&rig);
    rig_new_branch(&rig);
    rig_ask(&rig, ALICE, line, "Route: <" TEL ">", NULL);
    rig_expect(&rig, ALICE, "SIP/2.0 416 ");
    rig_quiet(&rig);
}
END_TEST

/* ---------------------------------------------------------------- by its module */

START_TEST(a_sip_uri_is_meant)
{
    offer_tel((struct told){ .says = SIPD_PASS, .becomes = "sip:bob@example.com" });
    rig_bind(&rig, "bob", "sip:bob@192.0.2.9", NULL, 1000);
    rig_ask(&rig, ALICE, "INVITE TEL:+1-201-555-0123 SIP/2.0", NULL);
    rig_expect(&rig, BOB, "INVITE sip:bob@192.0.2.9 SIP/2.0\r\n");
    told.becomes = "sip:carol@203.0.113.5"; /* another's */
    rig_new_branch(&rig);
    rig_ask(&rig, ALICE, "INVITE " TEL " SIP/2.0", NULL);
    rig_expect(&rig, NEXT, "INVITE sip:carol@203.0.113.5 SIP/2.0\r\n");
    told.becomes = "sip:nobody@example.com";
    rig_new_branch(&rig);
    rig_ask(&rig, ALICE, "INVITE " TEL " SIP/2.0", NULL);
    rig_expect(&rig, ALICE, "SIP/2.0 404 ");
    ck_assert_uint_eq(told.asked, 3);
}
END_TEST

START_TEST(targets_are_named)
{
    offer_tel(
        (struct told){ .says = SIPD_DONE, .target = "sip:+12015550123@192.0.2.30;user=phone" });
    rig_ask(&rig, ALICE, "INVITE " TEL " SIP/2.0", "Route: <sip:example.com;lr>", NULL);
    rig_expect(&rig, GATEWAY, "INVITE sip:+12015550123@192.0.2.30;user=phone SIP/2.0\r\n");
    rig_quiet(&rig);
}
END_TEST

/* A gateway costs money: what leaves for it needs leave as ever (proxy.relay). */
START_TEST(a_stranger_may_not_leave_so)
{
    rig.trust = false;
    offer_tel((struct told){ .says = SIPD_DONE, .target = "sip:+12015550123@192.0.2.30" });
    rig_ask(&rig, ALICE, "INVITE " TEL " SIP/2.0", NULL);
    rig_expect(&rig, ALICE, "SIP/2.0 403 ");
    told = (struct told){ .says = SIPD_PASS, .becomes = "sip:bob@example.com" };
    rig_bind(&rig, "bob", "sip:bob@192.0.2.9", NULL, 1000);
    rig_new_branch(&rig);
    rig_ask(&rig, ALICE, "INVITE " TEL " SIP/2.0", NULL); /* but our users may be called */
    rig_expect(&rig, BOB, "INVITE ");
}
END_TEST

START_TEST(it_is_refused)
{
    offer_tel((struct told){ .says = SIPD_DONE, .status = 604 });
    rig_ask(&rig, ALICE, "INVITE " TEL " SIP/2.0", NULL);
    rig_expect(&rig, ALICE, "SIP/2.0 604 ");
    told = (struct told){ .says = SIPD_FAIL };
    rig_new_branch(&rig);
    rig_ask(&rig, ALICE, "INVITE " TEL " SIP/2.0", NULL);
    rig_expect(&rig, ALICE, "SIP/2.0 500 ");
    told = (struct told){ .says = SIPD_PASS };
    rig_new_branch(&rig);
    rig_ask(&rig, ALICE, "INVITE " TEL " SIP/2.0", NULL);
    rig_expect(&rig, ALICE, "SIP/2.0 404 ");
    told = (struct told){ .says = SIPD_PASS, .becomes = "urn:service:sos" }; /* nobody's */
    rig_new_branch(&rig);
    rig_ask(&rig, ALICE, "INVITE " TEL " SIP/2.0", NULL);
    rig_expect(&rig, ALICE, "SIP/2.0 416 ");
    rig_settled(&rig);
}
END_TEST

START_TEST(without_ops_it_is_404)
{
    static struct scheme empty = { { "x-acme", 6 }, &nothing, NULL };

    offer(&empty, &empty);
    rig_ask(&rig, ALICE, "INVITE X-Acme:1 SIP/2.0", NULL);
    rig_expect(&rig, ALICE, "SIP/2.0 404 ");
}
END_TEST

/* A Route has precedence: its module is not asked. */
START_TEST(routes_come_first)
{
    offer_tel((struct told){ .says = SIPD_FAIL });
    must_carry(TEL);
    ck_assert_uint_eq(told.asked, 0);
}
END_TEST

START_TEST(one_scheme_may_mean_another)
{
    static struct told acme_told = { .says = SIPD_PASS, .becomes = "tel:1" };
    static struct scheme acme = { { "x-acme", 6 }, &all, &acme_told };

    acme_told.asked = 0;
    offer(&acme, &acme);
    offer_tel((struct told){ .says = SIPD_PASS, .becomes = "sip:carol@203.0.113.5" });
    rig_ask(&rig, ALICE, "INVITE x-acme:1 SIP/2.0", NULL);
    rig_expect(&rig, NEXT, "INVITE sip:carol@203.0.113.5 ");
    ck_assert_uint_eq(acme_told.asked, 1);
    ck_assert_uint_eq(told.asked, 1);
}
END_TEST

START_TEST(it_may_wait)
{
    offer_tel((struct told){ .says = SIPD_WAIT });
    rig_bind(&rig, "bob", "sip:bob@192.0.2.9", NULL, 1000);
    rig_ask(&rig, ALICE, "INVITE " TEL " SIP/2.0", NULL);
    rig_quiet(&rig);
    rig_alive(&rig, 1, 0, 1);
    told.says = SIPD_PASS;
    told.becomes = "sip:bob@example.com";
    rig_resume(&rig, told.trip);
    rig_expect(&rig, BOB, "INVITE sip:bob@192.0.2.9 ");
    ck_assert_uint_eq(told.asked, 2);
}
END_TEST

START_TEST(what_waits_is_answered_when_the_module_goes)
{
    static struct told other_told = { .says = SIPD_WAIT };
    static struct scheme other = { { "x-acme", 6 }, &all, &other_told };

    offer_tel((struct told){ .says = SIPD_WAIT });
    offer(&other, &other);
    rig_ask(&rig, ALICE, "INVITE " TEL " SIP/2.0", NULL);
    rig_new_branch(&rig);
    rig_ask(&rig, ALICE, "INVITE x-acme:1 SIP/2.0", NULL);
    rehook_remove(rig.core, &told);
    rig_pass(&rig, 0);
    rig_expect(&rig, ALICE, "SIP/2.0 503 ");
    rig_quiet(&rig);
    other_told.says = SIPD_DONE;
    other_told.status = 600;
    rig_resume(&rig, other_told.trip);
    rig_expect(&rig, ALICE, "SIP/2.0 600 ");
    rig_new_branch(&rig);
    rig_ask(&rig, ALICE, "INVITE " TEL " SIP/2.0", NULL);
    rig_expect(&rig, ALICE, "SIP/2.0 416 ");
    other_told = (struct told){ .says = SIPD_WAIT };
}
END_TEST

/* The ACK of a 2xx finds the way of its INVITE. */
START_TEST(an_ack_is_asked_about_too)
{
    const struct rig_sent *invite;

    offer_tel((struct told){ .says = SIPD_PASS, .becomes = "sip:bob@example.com" });
    rig_bind(&rig, "bob", "sip:bob@192.0.2.9", NULL, 1000);
    rig_ask(&rig, ALICE, "INVITE " TEL " SIP/2.0", NULL);
    invite = rig_expect(&rig, BOB, "INVITE ");
    rig_reply(&rig, invite, 200, "b1", NULL);
    rig_expect(&rig, ALICE, "SIP/2.0 200 ");
    rig.to_tag = "b1";
    rig_new_branch(&rig);
    rig_ask(&rig, ALICE, "ACK " TEL " SIP/2.0", NULL);
    rig_expect(&rig, BOB, "ACK sip:bob@192.0.2.9 ");
    rig_quiet(&rig);
}
END_TEST

START_TEST(options_that_end_here_are_answered)
{
    offer_tel((struct told){ .says = SIPD_FAIL });
    rig_ask(&rig, ALICE, "OPTIONS " TEL " SIP/2.0", "Max-Forwards: 0", NULL);
    rig_expect(&rig, ALICE, "SIP/2.0 200 ");
}
END_TEST

/* ---------------------------------------------------------------- comparing */

static bool
eq(const char *a, const char *b)
{
    struct uri x, y;

    must(uri_read(span_of(a), &x) == SIPD_OK && uri_read(span_of(b), &y) == SIPD_OK);
    return scheme_uri_eq(core_chain(rig.core), &x, &y);
}

START_TEST(its_module_compares)
{
    static struct scheme empty = { { "x-acme", 6 }, &nothing, NULL };

    ck_assert(eq("tel:+1-2", "tel:+12"));
    ck_assert(!eq("x-acme:A", "x-acme:a"));
    offer_tel((struct told){ .same = false });
    offer(&empty, &empty);
    ck_assert(!eq("tel:+1-2", "tel:+12"));
    ck_assert_uint_eq(told.compared, 1);
    ck_assert(eq("tel:+1-2", "tel:+1-2")); /* the same bytes are the same */
    ck_assert_uint_eq(told.compared, 1);
    told.same = true;
    ck_assert(eq("tel:1", "TEL:2"));
    ck_assert(!eq("tel:1", "x-acme:1"));
    ck_assert(!eq("tel:1", "sip:h"));
    ck_assert(!eq("sip:a@h", "sip:b@h"));
    ck_assert(eq("X-ACME:a", "x-acme:a"));
    ck_assert_uint_eq(told.compared, 2);
}
END_TEST

/* No target twice (§16.5), by that rule. */
START_TEST(targets_that_are_the_same)
{
    offer_tel((struct told){ .says = SIPD_PASS, .same = true, .becomes = "sip:bob@example.com" });
    rig_bind(&rig, "bob", "tel:1", BOB, 1000);
    rig_bind(&rig, "bob", "tel:2", BOB, 1000);
    rig_bind(&rig, "bob", "x:1", BOB, 1000);
    rig_ask(&rig, ALICE, INVITE_BOB, NULL);
    rig_expect(&rig, BOB, "INVITE tel:1 ");
    rig_expect(&rig, BOB, "INVITE x:1 ");
    rig_quiet(&rig);
}
END_TEST

/* A target of a scheme without an address of its own cannot be reached. */
START_TEST(a_target_that_nobody_can_reach)
{
    rig.resolves = true;
    rig_bind(&rig, "bob", "tel:1", NULL, 1000);
    rig_ask(&rig, ALICE, INVITE_BOB, NULL);
    rig_expect(&rig, ALICE, "SIP/2.0 416 ");
    ck_assert_uint_eq(rig.asked_len, 0);
    rig_new_branch(&rig);
    rig_ask(&rig, ALICE, "INVITE " TEL " SIP/2.0", "Route: <tel:+2;lr>", NULL);
    rig_expect(&rig, ALICE, "SIP/2.0 416 ");
    rig_settled(&rig);
}
END_TEST

START_TEST(is_found_without_case)
{
    ck_assert_ptr_null(scheme_find(core_chain(rig.core), SPAN("tel")));
    offer_tel((struct told){ .says = SIPD_PASS });
    ck_assert_ptr_nonnull(scheme_find(core_chain(rig.core), SPAN("Tel")));
    ck_assert_ptr_null(scheme_find(core_chain(rig.core), SPAN("te")));
}
END_TEST

Suite *
suite_scheme(void)
{
    Suite *s = suite_create("scheme");
    TCase *c = rig_case("routes");

    tcase_add_test(c, a_route_carries_any_scheme);
    tcase_add_test(c, behind_routes_of_ours);
    tcase_add_test(c, by_a_strict_router);
    tcase_add_test(c, nobody_carries_it);
    tcase_add_test(c, a_bad_route_is_400);
    tcase_add_test(c, out_of_a_strict_routers_hands);
    suite_add_tcase(s, c);
    c = rig_case("modules");
    tcase_add_test(c, a_sip_uri_is_meant);
    tcase_add_test(c, targets_are_named);
    tcase_add_test(c, a_stranger_may_not_leave_so);
    tcase_add_test(c, it_is_refused);
    tcase_add_test(c, without_ops_it_is_404);
    tcase_add_test(c, routes_come_first);
    tcase_add_test(c, one_scheme_may_mean_another);
    tcase_add_test(c, it_may_wait);
    tcase_add_test(c, what_waits_is_answered_when_the_module_goes);
    tcase_add_test(c, an_ack_is_asked_about_too);
    tcase_add_test(c, options_that_end_here_are_answered);
    suite_add_tcase(s, c);
    c = rig_case("comparing");
    tcase_add_test(c, its_module_compares);
    tcase_add_test(c, targets_that_are_the_same);
    tcase_add_test(c, a_target_that_nobody_can_reach);
    tcase_add_test(c, is_found_without_case);
    suite_add_tcase(s, c);
    return s;
}
