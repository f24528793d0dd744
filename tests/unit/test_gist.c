/*
 * The gist: what is read, what is a fault and in whose name, what hurts nobody (RFC 3261 §8.1.1, RFC 4475).
 */
#include "sip/gist.h"

#include <stdio.h>

#include "base/def.h"
#include "unit/message.h"

#define VIA "Via: SIP/2.0/UDP a:5062;branch=z9hG4bKx;rport\r\n"
#define FROM "From: \"A\" <sip:a@x>;tag=f1\r\n"
#define TO "To: <sip:b@x>\r\n"
#define CALL_ID "Call-ID: c1@a\r\n"
#define CSEQ "CSeq: 7 INVITE\r\n"
#define REST "Max-Forwards: 70\r\nContent-Length: 0\r\n"

/* The gist of an INVITE with these lines. */
static struct gist
gist_lines(const char *lines)
{
    static struct msg msg;
    char text[4096];

    snprintf(text, sizeof text, "INVITE sip:b@x SIP/2.0\r\n%s\r\n", lines);
    msg = read_text(text);
    return gist_of(&msg);
}

START_TEST(a_request)
{
    struct gist g = gist_lines(VIA "v: SIP/2.0/TCP b\r\n" FROM TO CALL_ID CSEQ REST);

    ck_assert_uint_eq(g.fault, 0);
    ck_assert_ptr_null(g.fault_reason);
    ck_assert(g.answerable);
    ck_assert_int_eq(g.method, METHOD_INVITE);
    must_be(g.method_text, "INVITE");
    must_be(g.cseq_method, "INVITE");
    ck_assert_uint_eq(g.cseq, 7);
    must_be(g.call_id, "c1@a");
    must_be(g.from, "\"A\" <sip:a@x>;tag=f1");
    must_be(g.from_tag, "f1");
    must_be(g.to, "<sip:b@x>");
    ck_assert(!g.has_to_tag);
    must_be(g.via.branch, "z9hG4bKx");
    ck_assert_uint_eq(g.via.port, 5062);
    ck_assert(g.has_max_forwards);
    ck_assert_uint_eq(g.max_forwards, 70);
}
END_TEST

START_TEST(a_response)
{
    struct msg m = read_text("SIP/2.0 200 OK\r\n" VIA FROM "t: <sip:b@x>;tag=t1\r\n" CALL_ID "CSeq: 9 BYE\r\n"
                             "Max-Forwards: none\r\n\r\n");
    struct gist g = gist_of(&m);

    ck_assert_uint_eq(g.fault, 0);
    ck_assert_int_eq(g.method, METHOD_BYE);
    must_be(g.method_text, "BYE");
    ck_assert(g.has_to_tag);
    must_be(g.to_tag, "t1");
}
END_TEST

START_TEST(faults)
{
    static const struct {
        const char *lines, *reason;
        bool answerable;
    } cases[] = {
        { FROM TO CALL_ID CSEQ REST, "Missing Via", false },
        { "Via: rubbish\r\n" FROM TO CALL_ID CSEQ REST, "Bad Via", false },
        { "Via:\r\n" VIA FROM TO CALL_ID CSEQ REST, "Bad Via", false },
        { "Via: SIP/2.0/UDP a;branch=z9hG4bKx, rubbish\r\n" FROM TO CALL_ID CSEQ REST, "Bad Via", true },
        { VIA TO CALL_ID CSEQ REST, "Missing From", true },
        { VIA "From: <sip:a@x\r\n" TO CALL_ID CSEQ REST, "Bad From", true },
        { VIA "From:\r\n" TO CALL_ID CSEQ REST, "Bad From", true },
        { VIA "From: *\r\n" TO CALL_ID CSEQ REST, "Bad From", true },
        { VIA "From: <sip:a@x>;tag=\r\n" TO CALL_ID CSEQ REST, "Bad From", true },
        { VIA FROM CALL_ID CSEQ REST, "Missing To", true },
        { VIA FROM "To: \"B <sip:b@x>\r\n" CALL_ID CSEQ REST, "Bad To", true },
        { VIA FROM TO CSEQ REST, "Missing Call-ID", true },
        { VIA FROM TO "Call-ID:\r\n" CSEQ REST, "Bad Call-ID", true },
        { VIA FROM TO "Call-ID: a b\r\n" CSEQ REST, "Bad Call-ID", true },
        { VIA FROM TO CALL_ID REST, "Missing CSeq", false },
        { VIA FROM TO CALL_ID "CSeq: x INVITE\r\n" REST, "Bad CSeq", true },
        { VIA FROM TO CALL_ID "CSeq: 36893488147419103232 INVITE\r\n" REST, "Bad CSeq", true },
        { VIA FROM TO CALL_ID "CSeq: 7 OPTIONS\r\n" REST, "CSeq Names Another Method", true },
        { VIA FROM TO CALL_ID "CSeq: 7 invite\r\n" REST, "CSeq Names Another Method", true },
        { VIA FROM TO CALL_ID CSEQ "Max-Forwards: 300\r\n", "Bad Max-Forwards", true },
        { VIA FROM TO CALL_ID CSEQ "Max-Forwards:\r\n", "Bad Max-Forwards", true },
        { VIA FROM TO CALL_ID CSEQ "Content-Length: -1\r\n", "Bad Content-Length", true },
        { VIA FROM TO CALL_ID CSEQ "Content-Length: 1\r\n", "Body Shorter Than Content-Length", true },
        { VIA FROM TO CALL_ID CSEQ REST "l: 1\r\n", "Repeated Content-Length", true },
        { VIA FROM TO CALL_ID CSEQ REST "Max-Forwards: 5\r\n", "Repeated Max-Forwards", true },
        { VIA FROM TO CALL_ID CSEQ REST "CSeq: 8 INVITE\r\n", "Repeated CSeq", true },
        { VIA FROM TO CALL_ID CSEQ REST "i: c2@a\r\n", "Repeated Call-ID", true },
        { VIA FROM TO CALL_ID CSEQ REST "f: <sip:c@x>\r\n", "Repeated From", true },
        { VIA FROM TO CALL_ID CSEQ REST "t: <sip:c@x>\r\n", "Repeated To", true },
        { "junk\r\n" VIA FROM TO CALL_ID REST, "Bad Header Line", false },
    };

    for (size_t i = 0; i < countof(cases); i++) {
        struct gist g = gist_lines(cases[i].lines);

        if (g.fault != 400 || strcmp(g.fault_reason, cases[i].reason) != 0 || g.answerable != cases[i].answerable)
            ck_abort_msg("%s: got %u %s", cases[i].lines, g.fault, g.fault ? g.fault_reason : "");
    }
}
END_TEST

START_TEST(what_hurts_nobody)
{
    static const char *const cases[] = {
        VIA FROM TO CALL_ID CSEQ,
        VIA FROM TO CALL_ID CSEQ REST REST CSEQ CALL_ID TO FROM,
        VIA FROM TO CALL_ID CSEQ "Contact: <\r\nRoute: \"\r\nDate: never\r\nExpires: -1\r\n",
        VIA "Via: rubbish\r\n" FROM TO CALL_ID CSEQ,
        VIA "From: sip:a@x\r\n" TO CALL_ID CSEQ,
        VIA "From: <sip:a@x>;tag=1,2\r\n" TO CALL_ID CSEQ,
        VIA FROM TO "Call-ID: \xff<>{}\r\n" CSEQ,
        VIA FROM TO CALL_ID "CSeq: 0009\r\n INVITE\r\nMax-Forwards: 0068\r\n",
    };

    for (size_t i = 0; i < countof(cases); i++) {
        struct gist g = gist_lines(cases[i]);

        if (g.fault)
            ck_abort_msg("%s: %s", cases[i], g.fault_reason);
        ck_assert(g.answerable);
    }
}
END_TEST

START_TEST(brackets_are_no_uri)
{
    struct msg m = read_text("INVITE <sip:b@x> SIP/2.0\r\n" VIA FROM TO CALL_ID CSEQ "\r\n");
    struct gist g = gist_of(&m);

    ck_assert_uint_eq(g.fault, 400);
    ck_assert_str_eq(g.fault_reason, "Bad Request-URI");
    ck_assert(g.answerable);
}
END_TEST

START_TEST(the_message_speaks_first)
{
    struct msg m = read_text("INVITE <sip:b@x> SIP/7.0\r\nCSeq: x\r\n\r\n");
    struct gist g = gist_of(&m);

    ck_assert_uint_eq(g.fault, 505);
    ck_assert_str_eq(g.fault_reason, "Version Not Supported");
}
END_TEST

Suite *
suite_gist(void)
{
    Suite *s = suite_create("gist");
    TCase *c = message_case("gist");

    tcase_add_test(c, a_request);
    tcase_add_test(c, a_response);
    tcase_add_test(c, faults);
    tcase_add_test(c, what_hurts_nobody);
    tcase_add_test(c, brackets_are_no_uri);
    tcase_add_test(c, the_message_speaks_first);
    suite_add_tcase(s, c);
    return s;
}
