/*
 * The request as it leaves, step by step (RFC 3261 §16.6, §7.3.1, §18.3, §26.2.2).
 */
#include "core/forward.h"

#include <stdio.h>

#include "unit/core_rig.h"

/* Bob gets the request. */
static const struct rig_sent *
bob_gets(const char *method)
{
    const struct rig_sent *sent = rig_expect(&rig, BOB, method);

    rig_quiet(&rig);
    return sent;
}

static void
bind_bob(void)
{
    rig_bind(&rig, "bob", "sip:bob@192.0.2.9", NULL, 1000);
}

/* ---------------------------------------------------------------- what is not named by a step stays */

/* Takes a text off the front of what was sent. */
static void
takes(struct span *got, struct span want)
{
    if (!span_starts(*got, want))
        ck_abort_msg("want <%.*s>, got <%.*s>", SPAN_ARG(want), SPAN_ARG(*got));
    *got = span_skip(*got, want.len);
}

#define UPPER                                             \
    "v: SIP/2.0/UDP 192.0.2.1:5060 ;branch=z9hG4bKx\r\n"  \
    "X-Un-Known  :  odd \t value\r\n \tfolded, twice\r\n" \
    "f: \"Q; <x>\" <sip:alice@example.com> ;tag=1\r\n"    \
    "T:sip:bob@example.com\r\n"                           \
    "i: c1\r\n"
#define LOWER                  \
    "x-un-known: \xff\x01\r\n" \
    "l: 6\r\n"                 \
    "\r\n"                     \
    "a\0b\r\nc"
#define CSEQ    "CSeq: 00009 DANCE\r\n"
#define EARLIER "Record-Route: <sip:earlier.example.net;lr>\r\n"

/* The whole message: only Request-URI, Via, Max-Forwards, Record-Route and our own Route differ. */
START_TEST(all_else_stays_to_the_byte)
{
    const struct rig_sent *sent;
    struct span got;

    bind_bob();
    rig_bytes(&rig, ALICE,
              SPAN("DANCE sip:bob@example.com SIP/2.0\r\n" UPPER
                   "max-forwards:  0012\r\nMax-Breadth: 60\r\n" CSEQ EARLIER
                   "Route: <sip:example.com;lr>\r\n" LOWER),
              0, NULL);
    sent = bob_gets(
        "DANCE sip:bob@192.0.2.9 SIP/2.0\r\nVia: SIP/2.0/UDP 198.51.100.1:5060;branch=z9hG4bK");
    got = sent->bytes;
    (void)span_cut(&got, '\n');
    (void)span_cut(&got, '\n');
    takes(&got, SPAN(UPPER "max-forwards:  11\r\nMax-Breadth: 60\r\n" CSEQ));
    takes(&got, span_of(rig_line("Record-Route", rig_value(sent, "Record-Route", 0))));
    takes(&got, SPAN("\r\n" EARLIER LOWER));
    ck_assert_uint_eq(got.len, 0);
}
END_TEST

START_TEST(methods_that_we_do_not_know_are_forwarded_and_answered)
{
    const struct rig_sent *dance;

    bind_bob();
    rig_ask(&rig, ALICE, "DANCE sip:bob@example.com SIP/2.0", NULL);
    dance = bob_gets("DANCE ");
    rig_reply(&rig, dance, 299, "b1", NULL);
    rig_expect(&rig, ALICE, "SIP/2.0 299 ");
    rig_settled(&rig);
    rig_quiet(&rig);
}
END_TEST

/* ---------------------------------------------------------------- steps 2 and 3 */

START_TEST(the_target_is_the_request_uri)
{
    rig_bind(&rig, "bob", "sip:b%6Fb@192.0.2.9;ob;x=y?Subject=no&To=x", NULL, 1000);
    rig_ask(&rig, ALICE, INVITE_BOB, NULL);
    bob_gets("INVITE sip:b%6Fb@192.0.2.9;ob;x=y SIP/2.0\r\n");
}
END_TEST

/* §19.1.1, table 1. */
START_TEST(what_may_not_stand_in_a_request_uri_goes)
{
    rig_bind(&rig, "bob", "sip:bob@192.0.2.9;a;method=REGISTER;transport=udp?Subject=x", NULL,
             1000);
    rig_ask(&rig, ALICE, INVITE_BOB, NULL);
    bob_gets("INVITE sip:bob@192.0.2.9;a;transport=udp SIP/2.0\r\n");
}
END_TEST

/* RFC 5630 §5.3: the callee registered a sips Contact, the caller asked for a sip resource. */
START_TEST(a_sips_contact_is_reached_by_tls_as_sip)
{
    rig_bind(&rig, "bob", "sips:bob@192.0.2.9;x=y", NULL, 1000);
    rig_ask(&rig, ALICE, INVITE_BOB, NULL);
    rig_expect(&rig, "tls:192.0.2.9:5061", "INVITE sip:bob@192.0.2.9;x=y SIP/2.0\r\n");
    rig_new_branch(&rig);
    rig_ask(&rig, ALICE, "INVITE sips:bob@example.com SIP/2.0", NULL);
    rig_expect(&rig, "tls:192.0.2.9:5061", "INVITE sips:bob@192.0.2.9;x=y SIP/2.0\r\n");
    rig_quiet(&rig);
}
END_TEST

START_TEST(anothers_request_uri_is_left_alone)
{
    rig.trust = true;
    rig_ask(&rig, ALICE, "INVITE sip:Carol@192.0.2.9;transport=UDP;x SIP/2.0", NULL);
    bob_gets("INVITE sip:Carol@192.0.2.9;transport=UDP;x SIP/2.0\r\n");
}
END_TEST

START_TEST(max_forwards_is_added_where_it_is_missing)
{
    bind_bob();
    rig_ask(&rig, ALICE, INVITE_BOB, "-Max-Forwards", NULL);
    ck_assert_str_eq(rig_value(bob_gets("INVITE "), "Max-Forwards", 0), "70");
}
END_TEST

/* ---------------------------------------------------------------- step 4 */

START_TEST(what_may_make_a_dialog_is_recorded)
{
    static const char *const yes[] = {
        "INVITE", "SUBSCRIBE", "NOTIFY", "REFER", "UPDATE", "DANCE"
    };
    static const char *const no[] = { "OPTIONS", "MESSAGE", "REGISTER", "BYE",
                                      "INFO",    "PRACK",   "PUBLISH" };
    char line[100];

    bind_bob();
    for (size_t i = 0; i < countof(yes); i++) {
        rig_new_branch(&rig);
        snprintf(line, sizeof line, "%s sip:bob@example.com SIP/2.0", yes[i]);
        rig_ask(&rig, ALICE, line, NULL);
        ck_assert_uint_eq(rig_count(bob_gets(yes[i]), "Record-Route"), 1);
    }
    for (size_t i = 0; i < countof(no); i++) {
        rig_new_branch(&rig);
        snprintf(line, sizeof line, "%s sip:bob@example.com SIP/2.0", no[i]);
        rig_ask(&rig, ALICE, line, NULL);
        ck_assert_uint_eq(rig_count(bob_gets(no[i]), "Record-Route"), 0);
    }
}
END_TEST

START_TEST(recording_may_be_switched_off)
{
    rig.conf.record_route = false;
    bind_bob();
    rig_ask(&rig, ALICE, INVITE_BOB, NULL);
    ck_assert_uint_eq(rig_count(bob_gets("INVITE "), "Record-Route"), 0);
}
END_TEST

/* How a Record-Route begins and ends. */
static void
is_recorded(const struct rig_sent *sent, unsigned n, const char *head, const char *tail)
{
    const char *value = rig_value(sent, "Record-Route", n);

    ck_assert_ptr_nonnull(value);
    ck_assert_int_eq(strncmp(value, head, strlen(head)), 0);
    ck_assert_uint_ge(strlen(value), strlen(tail));
    ck_assert_str_eq(value + strlen(value) - strlen(tail), tail);
}

/* §16.6 step 4: between TLS and none; RFC 6157 §3.1: between IPv4 and IPv6. */
START_TEST(at_an_edge_recording_is_no_choice)
{
    const struct rig_sent *sent;

    rig.conf.record_route = false;
    rig_bind(&rig, "bob", "sip:bob@[2001:db8::9]", NULL, 1000);
    rig_ask(&rig, ALICE, INVITE_BOB, NULL);
    sent = rig_expect(&rig, "udp:[2001:db8::9]:5060", "INVITE ");
    ck_assert_uint_eq(rig_count(sent, "Record-Route"), 2);
    is_recorded(sent, 0, "<sip:", "@[2001:db8::5]:5060;lr>");
    is_recorded(sent, 1, "<sip:", "@198.51.100.1:5060;lr>");

    rig.binds_len = 0;
    rig_bind(&rig, "bob", "sips:bob@192.0.2.9", NULL, 1000);
    rig_new_branch(&rig);
    rig_ask(&rig, ALICE, "INVITE sips:bob@example.com SIP/2.0", NULL);
    sent = rig_expect(&rig, "tls:192.0.2.9:5061", "INVITE ");
    is_recorded(sent, 0, "<sips:", "@sip.example.com:5061;lr>");
    is_recorded(sent, 1, "<sip:", "@198.51.100.1:5060;lr>");

    rig.binds_len = 0;
    bind_bob();
    rig_new_branch(&rig);
    rig_ask(&rig, "tls:192.0.2.1:40000/7", INVITE_BOB, "Via: SIP/2.0/TLS a;branch=z9hG4bKa", NULL);
    sent = rig_expect(&rig, BOB, "INVITE ");
    is_recorded(sent, 0, "<sip:", "@198.51.100.1:5060;lr>");
    is_recorded(sent, 1, "<sip:", "@sip.example.com:5061;transport=tls;lr>");
}
END_TEST

/* §16.6 step 4: one of sips, and no transport in it (RFC 5630 §5.3). */
START_TEST(what_goes_to_a_sips_resource_is_recorded_so)
{
    const struct rig_sent *sent;

    rig_bind(&rig, "bob", "sips:bob@192.0.2.9", NULL, 1000);
    rig_ask(&rig, "tls:192.0.2.1:40000/7", "INVITE sips:bob@example.com SIP/2.0",
            "Via: SIP/2.0/TLS a;branch=z9hG4bKa", NULL);
    sent = rig_expect(&rig, "tls:192.0.2.9:5061", "INVITE ");
    ck_assert_uint_eq(rig_count(sent, "Record-Route"), 2);
    is_recorded(sent, 0, "<sips:", "@sip.example.com:5061;lr>");
    is_recorded(sent, 1, "<sips:", "@sip.example.com:5061;lr>");
    rig.trust = true;
    rig_new_branch(&rig);
    rig_ask(&rig, "tls:192.0.2.1:40000/7", "INVITE sip:carol@203.0.113.5 SIP/2.0",
            "Via: SIP/2.0/TLS a;branch=z9hG4bKb", "Route: <sips:203.0.113.6;lr>", NULL);
    sent = rig_expect(&rig, "tls:203.0.113.6:5061", "INVITE ");
    is_recorded(sent, 0, "<sips:", "@sip.example.com:5061;lr>");
}
END_TEST

START_TEST(ours_stands_above_those_of_others)
{
    const struct rig_sent *invite;

    bind_bob();
    rig_ask(&rig, ALICE, INVITE_BOB, "Record-Route: <sip:one.example.net;lr>",
            "Record-Route: <sip:two.example.net;lr>", NULL);
    invite = bob_gets("INVITE ");
    ck_assert_uint_eq(rig_count(invite, "Record-Route"), 3);
    ck_assert(strstr(rig_value(invite, "Record-Route", 0), "@198.51.100.1:5060;lr>"));
    ck_assert_str_eq(rig_value(invite, "Record-Route", 1), "<sip:one.example.net;lr>");
    ck_assert_str_eq(rig_value(invite, "Record-Route", 2), "<sip:two.example.net;lr>");
}
END_TEST

/* ---------------------------------------------------------------- step 5 */

static enum sipd_verdict
wish(struct sipd_req *req, void *self)
{
    struct trip *trip = req->trip;
    const struct msg_field *subject = msg_find_name(&trip->msg, SPAN("Subject"), 0);

    (void)self;
    if (trip_add_edit(trip, SPAN("X-All"), SPAN("a\r\nForged: yes"), NULL, 0) != SIPD_OK ||
        trip_add_edit(trip, SPAN(""), SPAN(""), subject, 0) != SIPD_OK)
        return SIPD_FAIL;
    return SIPD_PASS;
}

static enum sipd_verdict
wish_for_branch(struct sipd_req *req, void *self)
{
    char text[20];

    (void)self;
    snprintf(text, sizeof text, "%u", (unsigned)req->branch->target->is.tag);
    if (trip_add_edit(req->trip, SPAN("X-Branch"), span_of(text), NULL, req->branch->id) != SIPD_OK)
        return SIPD_FAIL;
    return SIPD_PASS;
}

static void
hook(enum sipd_stage stage, sipd_hook_fn *fn)
{
    struct chain_hook added = { .order = 500, .fn = fn, .name = "test" };

    ck_assert_int_eq(chain_add(core_chain(rig.core), stage, &added), SIPD_OK);
}

START_TEST(modules_wish_for_all_branches_or_for_one)
{
    const struct rig_sent *sent;

    hook(SIPD_ON_REQUEST, wish);
    hook(SIPD_ON_BRANCH, wish_for_branch);
    bind_bob();
    rig_bind(&rig, "bob", "sip:bob@192.0.2.8", NULL, 1000);
    rig_ask(&rig, ALICE, INVITE_BOB, "Subject: secret", "Priority: urgent", NULL);
    sent = rig_expect(&rig, BOB, "INVITE ");
    ck_assert_str_eq(rig_value(sent, "X-Branch", 0), "0");
    ck_assert_str_eq(rig_value(sent, "X-All", 0), "a  Forged: yes");
    ck_assert_uint_eq(rig_count(sent, "X-Branch"), 1);
    ck_assert_uint_eq(rig_count(sent, "X-All"), 1);
    ck_assert_uint_eq(rig_count(sent, "Forged"), 0);
    ck_assert_uint_eq(rig_count(sent, "Subject"), 0);
    ck_assert_str_eq(rig_value(sent, "Priority", 0), "urgent");
    sent = rig_expect(&rig, "udp:192.0.2.8:5060", "INVITE ");
    ck_assert_str_eq(rig_value(sent, "X-Branch", 0), "1");
    ck_assert_uint_eq(rig_count(sent, "X-Branch"), 1);
}
END_TEST

START_TEST(a_wish_holds_for_each_attempt)
{
    const struct rig_sent *sent;

    hook(SIPD_ON_BRANCH, wish_for_branch);
    rig_bind(&rig, "bob", "sip:bob@phone.example.net", NULL, 1000);
    rig_ask(&rig, ALICE, INVITE_BOB, NULL);
    rig_resolved(&rig, 0, SIPD_OK, "udp:192.0.2.8:5060", BOB, NULL);
    sent = rig_expect(&rig, "udp:192.0.2.8:5060", "INVITE ");
    ck_assert_uint_eq(rig_count(sent, "X-Branch"), 1);
    rig_gone(&rig, sent);
    ck_assert_uint_eq(rig_count(rig_expect(&rig, BOB, "INVITE "), "X-Branch"), 1);
}
END_TEST

static enum sipd_verdict
break_down(struct sipd_req *req, void *self)
{
    (void)req, (void)self;
    return SIPD_FAIL;
}

START_TEST(a_module_that_breaks_on_a_branch_is_500)
{
    hook(SIPD_ON_BRANCH, break_down);
    bind_bob();
    rig_ask(&rig, ALICE, INVITE_BOB, NULL);
    rig_expect(&rig, ALICE, "SIP/2.0 500 ");
    rig_quiet(&rig);
    rig_alive(&rig, 0, 0, 1);
}
END_TEST

/* ---------------------------------------------------------------- steps 8 and 9 */

START_TEST(our_via_names_the_side_that_it_leaves_by)
{
    static const struct {
        const char *contact, *to, *via;
    } cases[] = {
        { "sip:bob@192.0.2.9", "udp:192.0.2.9:5060",
          "SIP/2.0/UDP 198.51.100.1:5060;branch=z9hG4bK" },
        { "sip:bob@192.0.2.9;transport=tcp", "tcp:192.0.2.9:5060",
          "SIP/2.0/TCP 198.51.100.1:5060;branch=z9hG4bK" },
        { "sips:bob@192.0.2.9", "tls:192.0.2.9:5061",
          "SIP/2.0/TLS sip.example.com:5061;branch=z9hG4bK" },
        { "sip:bob@[2001:db8::9]:5070", "udp:[2001:db8::9]:5070",
          "SIP/2.0/UDP [2001:db8::5]:5060;branch=z9hG4bK" },
    };

    for (size_t i = 0; i < countof(cases); i++) {
        const struct rig_sent *sent;

        rig.binds_len = 0;
        rig_bind(&rig, "bob", cases[i].contact, NULL, 1000);
        rig_new_branch(&rig);
        rig_ask(&rig, ALICE, INVITE_BOB, NULL);
        sent = rig_expect(&rig, cases[i].to, "INVITE ");
        ck_assert_int_eq(strncmp(rig_value(sent, "Via", 0), cases[i].via, strlen(cases[i].via)), 0);
        ck_assert_uint_eq(rig_count(sent, "Via"), 2);
    }
}
END_TEST

START_TEST(a_stream_gets_a_length)
{
    rig_bind(&rig, "bob", "sip:bob@192.0.2.9;transport=tcp", NULL, 1000);
    rig_ask(&rig, ALICE, "MESSAGE sip:bob@example.com SIP/2.0", "-Content-Length", "", "four",
            NULL);
    ck_assert_str_eq(
        rig_value(rig_expect(&rig, "tcp:192.0.2.9:5060", "MESSAGE "), "Content-Length", 0), "6");
    rig_new_branch(&rig);
    rig_ask(&rig, ALICE, "MESSAGE sip:bob@example.com SIP/2.0", "Content-Length: 6", "", "four",
            NULL);
    ck_assert_uint_eq(
        rig_count(rig_expect(&rig, "tcp:192.0.2.9:5060", "MESSAGE "), "Content-Length"), 1);
}
END_TEST

START_TEST(a_datagram_needs_none)
{
    bind_bob();
    rig_ask(&rig, ALICE, "MESSAGE sip:bob@example.com SIP/2.0", "-Content-Length", "", "four",
            NULL);
    ck_assert_uint_eq(rig_count(bob_gets("MESSAGE "), "Content-Length"), 0);
}
END_TEST

Suite *
suite_forward(void)
{
    Suite *s = suite_create("forward");
    TCase *c = rig_case("steps");

    tcase_add_test(c, all_else_stays_to_the_byte);
    tcase_add_test(c, methods_that_we_do_not_know_are_forwarded_and_answered);
    tcase_add_test(c, the_target_is_the_request_uri);
    tcase_add_test(c, what_may_not_stand_in_a_request_uri_goes);
    tcase_add_test(c, a_sips_contact_is_reached_by_tls_as_sip);
    tcase_add_test(c, anothers_request_uri_is_left_alone);
    tcase_add_test(c, max_forwards_is_added_where_it_is_missing);
    tcase_add_test(c, what_may_make_a_dialog_is_recorded);
    tcase_add_test(c, recording_may_be_switched_off);
    tcase_add_test(c, at_an_edge_recording_is_no_choice);
    tcase_add_test(c, what_goes_to_a_sips_resource_is_recorded_so);
    tcase_add_test(c, ours_stands_above_those_of_others);
    tcase_add_test(c, modules_wish_for_all_branches_or_for_one);
    tcase_add_test(c, a_wish_holds_for_each_attempt);
    tcase_add_test(c, a_module_that_breaks_on_a_branch_is_500);
    tcase_add_test(c, our_via_names_the_side_that_it_leaves_by);
    tcase_add_test(c, a_stream_gets_a_length);
    tcase_add_test(c, a_datagram_needs_none);
    suite_add_tcase(s, c);
    return s;
}
