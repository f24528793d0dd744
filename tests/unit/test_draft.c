/*
 * Named edits: each changes its own bytes and no other, in any order of calls (RFC 3261 §16.4, §16.6, §16.7).
 */
#include "sip/draft.h"

#include <stdio.h>

#include "base/def.h"
#include "base/err.h"
#include "base/rand.h"
#include "sip/addr.h"
#include "unit/message.h"

#define START "INVITE sip:b@x SIP/2.0\r\n"
#define V1    "Via: SIP/2.0/UDP one;branch=z9hG4bK1\r\n"
#define V2    "v : SIP/2.0/TCP two;rport\r\n"
#define REST  "From: <sip:a@x>;tag=f\r\nTo: <sip:b@x>\r\nCall-ID: c\r\nCSeq: 1 INVITE\r\n"
#define BODY  "\r\nbo\ndy"

static struct msg msg;
static struct gist gist;
static struct draft draft;

static void
begin(const char *text)
{
    msg = read_text(text);
    gist = gist_of(&msg);
    draft_init(&draft, &msg, &arena);
}

/* The message with what the draft made of it must read like this. */
#define must_render(text) must_render_at(text, __LINE__)

static void
must_render_at(const char *text, int line)
{
    struct span out, tail = draft_tail(&draft);

    ck_assert_int_eq(draft_render(&draft, &arena, &out), SIPD_OK);
    must_be_at(out, span_of(text), line);
    ck_assert_ptr_eq(tail.at + tail.len, draft.msg->bytes + draft.msg->len);
    must_be_at(span_skip(out, out.len - tail.len), tail, line);
}

static void
must_fail(int err)
{
    struct span out = SPAN("x");

    ck_assert_int_eq(draft_render(&draft, &arena, &out), err);
    ck_assert_uint_eq(out.len, 0);
}

START_TEST(no_edit_no_change)
{
    static const char odd[] = "INVITE  <sip:b@x>  sip/2.0 \nvIa\t: x\n y\r\n\r\nno\0thing";
    struct span out;

    begin(START V1 V2 REST BODY);
    must_render(START V1 V2 REST BODY);
    must_be(draft_tail(&draft), START V1 V2 REST BODY);
    msg = read_span((struct span){ odd, sizeof odd - 1 });
    draft_init(&draft, &msg, &arena);
    ck_assert_int_eq(draft_render(&draft, &arena, &out), SIPD_OK);
    must(span_eq(out, (struct span){ odd, sizeof odd - 1 }));
}
END_TEST

START_TEST(sets_the_uri)
{
    begin(START REST BODY);
    draft_set_uri(&draft, SPAN("sip:longer@y"));
    must_render("INVITE sip:longer@y SIP/2.0\r\n" REST BODY);
    draft_set_uri(&draft, SPAN("sip:again"));
    must_fail(SIPD_ECLASH);
    begin(START REST BODY);
    draft_set_uri(&draft, SPAN("sip:b@x")); /* it is that already */
    must_render(START REST BODY);
    ck_assert_uint_eq(draft.len, 0);
    draft_set_uri(&draft, (struct span){ NULL, 0 });
    must_fail(SIPD_ENOMEM);
}
END_TEST

START_TEST(lowers_max_forwards)
{
    begin(START "Max-Forwards: 70\r\n" REST BODY);
    draft_lower_max_forwards(&draft, &gist);
    must_render(START "Max-Forwards: 69\r\n" REST BODY);

    begin(START "Max-Forwards : \r\n 0010 \r\n" REST "max-forwards: 0010\r\n" BODY);
    draft_lower_max_forwards(&draft, &gist);
    must_render(START "Max-Forwards : \r\n 9 \r\n" REST BODY);

    begin(START REST BODY);
    draft_lower_max_forwards(&draft, &gist);
    must_render(START REST "Max-Forwards: 70\r\n" BODY);

    begin(START "Max-Forwards: 0\r\n" REST BODY);
    draft_lower_max_forwards(&draft, &gist);
    must_fail(SIPD_ENOENT);
}
END_TEST

START_TEST(sets_numbers)
{
    begin(START REST BODY);
    draft_set_number(&draft, HDR_MAX_BREADTH, 60);
    must_render(START REST "Max-Breadth: 60\r\n" BODY);

    begin(START "Max-Breadth: 7\r\n" REST "max-breadth : 9\r\n" BODY);
    draft_set_number(&draft, HDR_MAX_BREADTH, UINT32_MAX);
    must_render(START "Max-Breadth: 4294967295\r\n" REST BODY);

    begin(START "Max-Breadth: 07\r\n" REST BODY);
    draft_set_number(&draft, HDR_MAX_BREADTH, 7);
    must_render(START "Max-Breadth: 7\r\n" REST BODY);
    begin(START "Max-Breadth: 7\r\n" REST BODY);
    draft_set_number(&draft, HDR_MAX_BREADTH, 7);
    draft_drop_field(&draft, msg_find(&msg, HDR_MAX_BREADTH, NULL)); /* nobody else edits it */
    must_render(START REST BODY);
}
END_TEST

START_TEST(pushes_via)
{
    begin(START REST V1 V2 BODY);
    draft_push_via(&draft, &gist, SPAN("SIP/2.0/UDP me;branch=z9hG4bKm"));
    must_render(START REST "Via: SIP/2.0/UDP me;branch=z9hG4bKm\r\n" V1 V2 BODY);
    draft_push_via(&draft, &gist, SPAN("top"));
    must_render(START REST "Via: top\r\nVia: SIP/2.0/UDP me;branch=z9hG4bKm\r\n" V1 V2 BODY);
    begin(START REST BODY);
    draft_push_via(&draft, &gist, SPAN("first"));
    must_render(START "Via: first\r\n" REST BODY);
    begin("A sip:a SIP/2.0\r\n\r\n");
    draft_push_via(&draft, &gist, SPAN("first"));
    must_render("A sip:a SIP/2.0\r\nVia: first\r\n\r\n");
}
END_TEST

START_TEST(pops_via)
{
    begin(START REST V1 V2 BODY);
    draft_pop_via(&draft, &gist);
    must_render(START REST V2 BODY);

    begin(START "Via: SIP/2.0/UDP one;x=\",\" ,\r\n SIP/2.0/TCP two \r\n" REST BODY);
    draft_pop_via(&draft, &gist);
    must_render(START "Via: SIP/2.0/TCP two \r\n" REST BODY);

    begin(START "Via:\r\n SIP/2.0/UDP one,,SIP/2.0/UDP two,SIP/2.0/UDP three\r\n" REST BODY);
    draft_pop_via(&draft, &gist);
    must_render(START "Via:\r\n SIP/2.0/UDP two,SIP/2.0/UDP three\r\n" REST BODY);

    begin(START "Via: , ,\r\n SIP/2.0/UDP one, SIP/2.0/UDP two\r\n" REST BODY);
    draft_pop_via(&draft, &gist);
    must_render(START "Via: SIP/2.0/UDP two\r\n" REST BODY);

    begin(START "Via: SIP/2.0/UDP one;\r\n branch=z9hG4bK,\r\n" V2 REST BODY);
    draft_pop_via(&draft, &gist);
    must_render(START V2 REST BODY);

    begin(START "Via: SIP/2.0/UDP one, rubbish\r\n" REST BODY);
    draft_pop_via(&draft, &gist);
    must_fail(SIPD_ESYNTAX);
    begin(START "Via: ,\r\n" REST BODY);
    draft_pop_via(&draft, &gist);
    must_fail(SIPD_ESYNTAX);
    begin(START REST BODY);
    draft_pop_via(&draft, &gist);
    must_fail(SIPD_ENOENT);
}
END_TEST

START_TEST(stamps_via)
{
    static const struct {
        const char *via, *received;
        unsigned rport;
        const char *stamped;
    } cases[] = {
        { "SIP/2.0/UDP a;branch=z9", "1.2.3.4", 0, "SIP/2.0/UDP a;branch=z9;received=1.2.3.4" },
        { "SIP/2.0/UDP a", "1.2.3.4", 5060, "SIP/2.0/UDP a;received=1.2.3.4;rport=5060" },
        { "SIP/2.0/UDP a;rport;branch=z9", "1.2.3.4", 65535,
          "SIP/2.0/UDP a;rport=65535;branch=z9;received=1.2.3.4" },
        { "SIP/2.0/UDP a ; RPORT ; branch=z9", "", 7, "SIP/2.0/UDP a ; RPORT=7 ; branch=z9" },
        { "SIP/2.0/UDP a;received = 9.9.9.9 ;rport=", "1.2.3.4", 7,
          "SIP/2.0/UDP a;received = 1.2.3.4 ;rport=7" },
        { "SIP/2.0/UDP a;rport=1;x=\";received=1\";received", "1.2.3.4", 7,
          "SIP/2.0/UDP a;rport=7;x=\";received=1\";received=1.2.3.4" },
        { "SIP/2.0/UDP a;received=9.9.9.9;rport=9", "", 0,
          "SIP/2.0/UDP a;received=9.9.9.9;rport=9" },
        { "SIP/2.0/UDP a; ", "1.2.3.4", 7, "SIP/2.0/UDP a;received=1.2.3.4;rport=7; " },
        { "SIP/2.0/UDP a;rport;", "1.2.3.4", 7, "SIP/2.0/UDP a;rport=7;received=1.2.3.4;" },
        { "SIP/2.0/UDP a;rport , SIP/2.0/UDP b;rport", "1.2.3.4", 7,
          "SIP/2.0/UDP a;rport=7;received=1.2.3.4 , SIP/2.0/UDP b;rport" },
        { "SIP/2.0/UDP a;branch=z9\r\n  ;rport", "1.2.3.4", 7,
          "SIP/2.0/UDP a;branch=z9\r\n  ;rport=7;received=1.2.3.4" },
    };

    for (size_t i = 0; i < countof(cases); i++) {
        char before[256], after[256];

        snprintf(before, sizeof before, START "Via: %s\r\n" V2 REST BODY, cases[i].via);
        snprintf(after, sizeof after, START "Via: %s\r\n" V2 REST BODY, cases[i].stamped);
        begin(before);
        draft_stamp_via(&draft, &gist, span_of(cases[i].received), (uint16_t)cases[i].rport);
        must_render(after);
    }
    begin(START REST BODY);
    draft_stamp_via(&draft, &gist, SPAN("1.2.3.4"), 7);
    must_fail(SIPD_ENOENT);
}
END_TEST

START_TEST(record_routes)
{
    begin(START V1 REST "Route: <sip:r>\r\nRecord-Route: <sip:o>\r\n" BODY);
    draft_push_record_route(&draft, SPAN("<sip:1>"));
    draft_push_record_route(&draft, SPAN("<sip:2>"));
    must_render(START V1 REST "Route: <sip:r>\r\nRecord-Route: <sip:2>\r\nRecord-Route: <sip:1>\r\n"
                              "Record-Route: <sip:o>\r\n" BODY);
    begin(START V1 REST "Route: <sip:r>\r\n" BODY);
    draft_push_record_route(&draft, SPAN("<sip:1>"));
    must_render(START V1 REST "Record-Route: <sip:1>\r\nRoute: <sip:r>\r\n" BODY);
    begin(START V1 V2 REST BODY);
    draft_push_record_route(&draft, SPAN("<sip:1>"));
    must_render(START V1 V2 "Record-Route: <sip:1>\r\n" REST BODY);
}
END_TEST

START_TEST(paths)
{
    begin(START V1 REST "Path: <sip:o>\r\n" BODY);
    draft_push_path(&draft, SPAN("<sip:1>"));
    must_render(START V1 REST "Path: <sip:1>\r\nPath: <sip:o>\r\n" BODY);
    begin(START V1 V2 REST BODY);
    draft_push_path(&draft, SPAN("<sip:1>"));
    must_render(START V1 V2 "Path: <sip:1>\r\n" REST BODY);
}
END_TEST

START_TEST(routes_are_pushed_and_appended)
{
    begin(START V1 "Route: <sip:r>\r\n" REST "Route: <sip:s>,\r\n <sip:t>\r\n" BODY);
    draft_append_route(&draft, SPAN("<sip:y>"));
    draft_push_route(&draft, SPAN("<sip:1>"));
    draft_append_route(&draft, SPAN("<sip:z>"));
    draft_push_route(&draft, SPAN("<sip:2>"));
    must_render(START V1 "Route: <sip:2>\r\nRoute: <sip:1>\r\nRoute: <sip:r>\r\n" REST
                         "Route: <sip:s>,\r\n <sip:t>\r\n"
                         "Route: <sip:y>\r\nRoute: <sip:z>\r\n" BODY);
    begin(START V1 REST BODY);
    draft_append_route(&draft, SPAN("<sip:z>"));
    draft_push_route(&draft, SPAN("<sip:1>"));
    must_render(START V1 "Route: <sip:1>\r\nRoute: <sip:z>\r\n" REST BODY);
}
END_TEST

START_TEST(routes_are_dropped)
{
    static const struct {
        const char *before;
        unsigned first, last;
        const char *after;
    } cases[] = {
        { "Route: <sip:1>\r\n", 1, 0, "" },
        { "Route: <sip:1>\r\n", 0, 1, "" },
        { "Route: <sip:1>, <sip:2>\r\n", 1, 0, "Route: <sip:2>\r\n" },
        { "Route: <sip:1>, <sip:2>\r\n", 0, 1, "Route: <sip:1>\r\n" },
        { "Route: <sip:1>, <sip:2>\r\n", 1, 1, "" },
        { "Route: <sip:1>,\r\n <sip:2>\r\n ,<sip:3>\r\n", 1, 1, "Route: <sip:2>\r\n" },
        { "Route: <sip:1>,<sip:2>,<sip:3>\r\n", 2, 0, "Route: <sip:3>\r\n" },
        { "Route: ,<sip:1>,,<sip:2>,\r\n", 1, 0, "Route: <sip:2>,\r\n" },
        { "Route: ,<sip:1>,,<sip:2>,\r\n", 0, 1, "Route: ,<sip:1>\r\n" },
        { "Route: <sip:1>\r\nroute : \"a,<b\" <sip:2;x=,>;y , <sip:3>\r\n", 2, 0,
          "route : <sip:3>\r\n" },
        { "Route: <sip:1>\r\nRoute:\r\nRoute: <sip:2>\r\n", 1, 1, "Route:\r\n" },
        { "Route: <sip:1>, <sip:broken , <sip:3>\r\n", 1, 0, "Route: <sip:broken , <sip:3>\r\n" },
        { "Route: <sip:1>, <sip:broken\r\n", 0, 1, "Route: <sip:1>\r\n" },
        { "Route: <sip:1>\r\nRoute: <sip:2>\r\n", 0, 0, "Route: <sip:1>\r\nRoute: <sip:2>\r\n" },
    };

    for (size_t i = 0; i < 2 * countof(cases); i++) {
        unsigned first = cases[i / 2].first, last = cases[i / 2].last;
        char before[256], after[256];

        snprintf(before, sizeof before, START V1 "%s" REST BODY, cases[i / 2].before);
        snprintf(after, sizeof after, START V1 "%s" REST BODY, cases[i / 2].after);
        begin(before);
        if (i % 2 == 0)
            draft_drop_routes(&draft, first);
        for (unsigned n = 0; n < last; n++)
            draft_drop_last_route(&draft);
        if (i % 2 == 1)
            draft_drop_routes(&draft, first);
        must_render(after);
    }
    begin(START V1 "Route: <sip:1>, <sip:2>\r\n" REST BODY);
    draft_drop_routes(&draft, 3);
    must_fail(SIPD_ENOENT);
    begin(START V1 "Route: <sip:1>\r\n" REST BODY);
    draft_drop_last_route(&draft);
    draft_drop_routes(&draft, 1);
    must_fail(SIPD_ENOENT);
}
END_TEST

/* As many as addr_next() finds; what it cannot read is one element, to the end. */
static unsigned
elements_of(struct span value)
{
    unsigned n = 0;
    struct addr addr;
    int err;

    while ((err = addr_next(&value, &addr)) == SIPD_OK)
        n++;
    return n + (err != SIPD_ENOENT);
}

/* Whatever a Route is made of, its line goes with the last of its elements, and there is none behind that. */
START_TEST(routes_of_all_kinds)
{
    static const char *const pieces[] = { "<", ">",   "<",  ">",     "<sip:1>",
                                          ",", ";lr", "\"", "sip:2", " " };
    struct rand r;

    rand_seed(&r, 7);
    for (unsigned i = 0; i < 20000; i++) {
        char value[128], text[512];
        size_t len = 0;
        unsigned n;

        for (uint64_t left = 1 + rand_below(&r, 7); left > 0; left--)
            len += (size_t)snprintf(value + len, sizeof value - len, "%s",
                                    pieces[rand_below(&r, countof(pieces))]);
        snprintf(text, sizeof text, START V1 "Route: %s\r\n" REST BODY, value);
        begin(text);
        n = elements_of(msg_value(&msg, msg_find(&msg, HDR_ROUTE, NULL)));
        if (n == 0)
            continue;
        draft_drop_routes(&draft, n);
        must_render(START V1 REST BODY);
        draft_drop_routes(&draft, 1);
        must_fail(SIPD_ENOENT);
    }
}
END_TEST

START_TEST(fields_that_go_alone)
{
    struct arena none;

    begin(START V1 V2 REST "X:\n\r\n" BODY);
    for (unsigned i = 0; i < msg.fields_len; i++) {
        struct span out;

        draft_init(&draft, &msg, &arena);
        draft_drop_field(&draft, &msg.fields[i]);
        ck_assert_int_eq(draft_render(&draft, &arena, &out), SIPD_OK);
        must(span_eq(draft_without(&msg, &msg.fields[i], &arena), out));
    }
    arena_init(&none, 0);
    ck_assert_ptr_null(draft_without(&msg, &msg.fields[0], &none).at);
}
END_TEST

/* A strict router before us and behind us (RFC 3261 §16.4, §16.6 step 6), all in one message. */
START_TEST(strict_routing)
{
    begin(START V1 "Route: <sip:me>, <sip:strict>, <sip:ua>\r\n" REST BODY);
    draft_drop_last_route(&draft);
    draft_drop_routes(&draft, 1);
    draft_set_uri(&draft, SPAN("sip:strict"));
    draft_append_route(&draft, SPAN("<sip:ua>"));
    draft_push_route(&draft, SPAN("<sip:pre>"));
    must_render("INVITE sip:strict SIP/2.0\r\n" V1
                "Route: <sip:pre>\r\nRoute: <sip:strict>\r\nRoute: <sip:ua>\r\n" REST BODY);
    begin(START V1 "Route: <sip:me>\r\n" REST BODY);
    draft_append_route(&draft, SPAN("<sip:ua>"));
    draft_push_route(&draft, SPAN("<sip:pre>"));
    draft_drop_routes(&draft, 1);
    must_render(START V1 "Route: <sip:pre>\r\nRoute: <sip:ua>\r\n" REST BODY);
}
END_TEST

START_TEST(fields_added_dropped_changed)
{
    begin(START V1 "Subject: old\r\n too\r\nEmpty:\r\n" REST BODY);
    draft_add_header(&draft, SPAN("X-One"), SPAN("1"));
    draft_add_header(&draft, SPAN("X-Two"), SPAN("2\r\nForged: yes"));
    draft_drop_field(&draft, msg_find(&msg, HDR_SUBJECT, NULL));
    draft_set_value(&draft, msg_find_name(&msg, SPAN("Empty"), 0), SPAN("full"));
    draft_set_value(&draft, msg_find(&msg, HDR_CALL_ID, NULL), SPAN(""));
    must_render(
        START V1
        "Empty:full\r\nFrom: <sip:a@x>;tag=f\r\nTo: <sip:b@x>\r\nCall-ID: \r\nCSeq: 1 INVITE\r\n"
        "X-One: 1\r\nX-Two: 2  Forged: yes\r\n" BODY);
}
END_TEST

START_TEST(sets_a_status)
{
    begin("SIP/2.0 404 Not Found\r\n" V1 REST BODY);
    draft_set_status(&draft, 480, SPAN("Try\r\nLater"));
    must_render("SIP/2.0 480 Try  Later\r\n" V1 REST BODY);
    begin("SIP/2.0 404\r\n" V1 REST BODY);
    draft_set_status(&draft, 480, SPAN(""));
    must_render("SIP/2.0 480 \r\n" V1 REST BODY);
    begin(START V1 REST BODY);
    draft_set_status(&draft, 480, SPAN("x"));
    must_fail(SIPD_ENOENT);
}
END_TEST

START_TEST(clashes_are_refused)
{
    begin(START V1 "Subject: s\r\n" REST BODY);
    draft_set_value(&draft, msg_find(&msg, HDR_SUBJECT, NULL), SPAN("t"));
    draft_drop_field(&draft, msg_find(&msg, HDR_SUBJECT, NULL));
    must_fail(SIPD_ECLASH);
    draft_add_header(&draft, SPAN("a"), SPAN("b"));
    must_fail(SIPD_ECLASH);
    begin(START V1 "Subject: s\r\n" REST BODY);
    draft_drop_field(&draft, msg_find(&msg, HDR_SUBJECT, NULL));
    draft_set_value(&draft, msg_find(&msg, HDR_SUBJECT, NULL), SPAN("t"));
    must_fail(SIPD_ECLASH);
    begin(START "Via: SIP/2.0/UDP one, SIP/2.0/UDP two\r\n" REST BODY);
    draft_stamp_via(&draft, &gist, SPAN("1.2.3.4"), 0);
    draft_pop_via(&draft, &gist);
    must_fail(SIPD_ECLASH);
    begin(START "Route: <sip:1>\r\n" REST BODY);
    draft_drop_field(&draft, msg_find(&msg, HDR_ROUTE, NULL));
    draft_drop_routes(&draft, 1);
    must_fail(SIPD_ECLASH);
}
END_TEST

/* What a proxy does to a request, and a few more, so that the splices outgrow their first room. */
static void
many_edits(void)
{
    draft_push_via(&draft, &gist, SPAN("mine"));
    draft_add_header(&draft, SPAN("P-One"), SPAN("1"));
    draft_push_record_route(&draft, SPAN("<sip:me>"));
    draft_lower_max_forwards(&draft, &gist);
    draft_stamp_via(&draft, &gist, SPAN("1.2.3.4"), 7);
    draft_drop_routes(&draft, 1);
    draft_set_uri(&draft, SPAN("sip:c@y"));
    draft_append_route(&draft, SPAN("<sip:ua>"));
    draft_add_header(&draft, SPAN("P-Two"), SPAN("2"));
    draft_drop_field(&draft, msg_find(&msg, HDR_SUBJECT, NULL));
}

static const char many_before[] =
    START "Max-Forwards: 10\r\n" V1 "Route: <sip:me>\r\nSubject: s\r\n" REST BODY;
static const char many_after[] =
    "INVITE sip:c@y SIP/2.0\r\nMax-Forwards: 9\r\nVia: mine\r\n"
    "Via: SIP/2.0/UDP one;branch=z9hG4bK1;received=1.2.3.4;rport=7\r\nRecord-Route: "
    "<sip:me>\r\nRoute: <sip:ua>\r\n" REST "P-One: 1\r\nP-Two: 2\r\n" BODY;

START_TEST(many_edits_at_once)
{
    begin(many_before);
    many_edits();
    must_render(many_after);
    ck_assert_uint_gt(draft.cap, 8);
}
END_TEST

START_TEST(memory_runs_out)
{
    unsigned failures = 0;

    begin(many_before);
    for (size_t limit = 0;; limit += 64) {
        struct arena small;
        struct span out;
        int err;

        arena_init(&small, limit);
        draft_init(&draft, &msg, &small);
        many_edits();
        err = draft_render(&draft, &small, &out);
        if (err == SIPD_OK)
            must_be(out, many_after);
        arena_fini(&small);
        if (err == SIPD_OK)
            break;
        ck_assert_int_eq(err, SIPD_ENOMEM);
        failures++;
    }
    ck_assert_uint_gt(failures, 5);
}
END_TEST

Suite *
suite_draft(void)
{
    Suite *s = suite_create("draft");
    TCase *c = message_case("draft");

    tcase_add_test(c, no_edit_no_change);
    tcase_add_test(c, sets_the_uri);
    tcase_add_test(c, lowers_max_forwards);
    tcase_add_test(c, sets_numbers);
    tcase_add_test(c, pushes_via);
    tcase_add_test(c, pops_via);
    tcase_add_test(c, stamps_via);
    tcase_add_test(c, record_routes);
    tcase_add_test(c, paths);
    tcase_add_test(c, routes_are_pushed_and_appended);
    tcase_add_test(c, routes_are_dropped);
    tcase_add_test(c, routes_of_all_kinds);
    tcase_add_test(c, fields_that_go_alone);
    tcase_add_test(c, strict_routing);
    tcase_add_test(c, fields_added_dropped_changed);
    tcase_add_test(c, sets_a_status);
    tcase_add_test(c, clashes_are_refused);
    tcase_add_test(c, many_edits_at_once);
    tcase_add_test(c, memory_runs_out);
    suite_add_tcase(s, c);
    return s;
}
