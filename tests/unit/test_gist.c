/*
 * The gist: what is read, what is a fault and in whose name, what hurts nobody (RFC 3261 §8.1.1, RFC 4475).
 */
#include "sip/gist.h"

#include <stdio.h>

#include "base/def.h"
#include "unit/message.h"

#define VIA     "Via: SIP/2.0/UDP a:5062;branch=z9hG4bKx;rport\r\n"
#define FROM    "From: \"A\" <sip:a@x>;tag=f1\r\n"
#define TO      "To: <sip:b@x>\r\n"
#define CALL_ID "Call-ID: c1@a\r\n"
#define CSEQ    "CSeq: 7 INVITE\r\n"
#define REST    "Max-Forwards: 70\r\nContent-Length: 0\r\n"

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
    struct msg m =
        read_text("SIP/2.0 200 OK\r\n" VIA FROM "t: <sip:b@x>;tag=t1\r\n" CALL_ID "CSeq: 9 BYE\r\n"
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
        { "Via:\r\n" VIA FROM TO CALL_ID CSEQ REST, "Bad Via", true },
        { "Via: ,\r\n" VIA FROM TO CALL_ID CSEQ REST, "Bad Via", true },
        { "Via:\r\n" FROM TO CALL_ID CSEQ REST, "Bad Via", false },
        { "Via: SIP/2.0/UDP a;;branch=z9hG4bKx\r\n" FROM TO CALL_ID CSEQ REST, "Bad Via", true },
        { "Via: SIP/2.0/UDP a;x=\"y;branch=z9hG4bKx\r\n" FROM TO CALL_ID CSEQ REST, "Bad Via",
          true },
        { "Via: SIP/2.0/UDP a:0;branch=z9hG4bKx\r\n" FROM TO CALL_ID CSEQ REST, "Bad Via", true },
        { "Via: SIP/2.0/UDP a:70000;branch=z9hG4bKx\r\n" FROM TO CALL_ID CSEQ REST, "Bad Via",
          true },
        { "Via: SIP/2.0/UDP ;branch=z9hG4bKx\r\n" FROM TO CALL_ID CSEQ REST, "Bad Via", true },
        { "Via: SIP/2.0/UDP a;branch=z9hG4bKx, SIP/2.0/UDP b:0\r\n" FROM TO CALL_ID CSEQ REST,
          "Bad Via", true },
        { "Via: SIP/2.0/UDP a;branch=z9hG4bKx, rubbish\r\n" FROM TO CALL_ID CSEQ REST, "Bad Via",
          true },
        { VIA TO CALL_ID CSEQ REST, "Missing From", true },
        { VIA "From: <sip:a@x\r\n" TO CALL_ID CSEQ REST, "Bad From", true },
        { VIA "From:\r\n" TO CALL_ID CSEQ REST, "Bad From", true },
        { VIA "From: *\r\n" TO CALL_ID CSEQ REST, "Bad From", true },
        { VIA FROM CALL_ID CSEQ REST, "Missing To", true },
        { VIA FROM "To: \"B <sip:b@x\r\n" CALL_ID CSEQ REST, "Bad To", true },
        { VIA FROM "To: \"B <sip:b@x> C <sip:c@x>\r\n" CALL_ID CSEQ REST, "Bad To", true },
        { VIA FROM TO CSEQ REST, "Missing Call-ID", true },
        { VIA FROM TO "Call-ID:\r\n" CSEQ REST, "Bad Call-ID", true },
        { VIA FROM TO "Call-ID: a\x01"
                      "b\r\n" CSEQ REST,
          "Bad Call-ID", true },
        { VIA FROM TO CALL_ID REST, "Missing CSeq", false },
        { VIA FROM TO CALL_ID "CSeq: x INVITE\r\n" REST, "Bad CSeq", true },
        { VIA FROM TO CALL_ID "CSeq: 36893488147419103232 INVITE\r\n" REST, "Bad CSeq", true },
        { VIA FROM TO CALL_ID "CSeq: 7 OPTIONS\r\n" REST, "CSeq Names Another Method", true },
        { VIA FROM TO CALL_ID "CSeq: 7 invite\r\n" REST, "CSeq Names Another Method", true },
        { VIA FROM TO CALL_ID CSEQ "Content-Length: -1\r\n", "Bad Content-Length", true },
        { VIA FROM TO CALL_ID CSEQ "Content-Length: 1\r\n", "Body Shorter Than Content-Length",
          true },
        { VIA FROM TO CALL_ID CSEQ REST "l: 1\r\n", "Repeated Content-Length", true },
        { VIA FROM TO CALL_ID CSEQ REST "Max-Forwards: 5\r\n", "Repeated Max-Forwards", true },
        { VIA FROM TO CALL_ID CSEQ REST "CSeq: 8 INVITE\r\n", "Repeated CSeq", true },
        { VIA FROM TO CALL_ID CSEQ REST "i: c2@a\r\n", "Repeated Call-ID", true },
        { VIA FROM TO CALL_ID CSEQ REST "f: <sip:c@x>\r\n", "Repeated From", true },
        { VIA FROM TO CALL_ID CSEQ REST "t: <sip:c@x>\r\n", "Repeated To", true },
        { "l\x01: 0\r\n" VIA FROM TO CALL_ID REST, "Bad Content-Length", false },
    };

    for (size_t i = 0; i < countof(cases); i++) {
        struct gist g = gist_lines(cases[i].lines);

        if (g.fault != 400 || strcmp(g.fault_reason, cases[i].reason) != 0 ||
            g.answerable != cases[i].answerable)
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

#define BIT(id) (UINT64_C(1) << DEV_##id)

START_TEST(odd_uris)
{
    static const struct {
        const char *uri;
        uint64_t odd;
    } cases[] = {
        { "sip:b@x", 0 },
        { "sip:[2001:db8::1];x=%20", 0 },
        { "<sip:b@x>", BIT(URI_BRACKETS) },
        { "<sip:b@x; lr>", BIT(URI_BRACKETS) | BIT(URI_BLANKS) },
        { "sip:b@x; lr", BIT(URI_BLANKS) },
        { "sip:b@x;\tlr", BIT(URI_BLANKS) },
        { "sip:#31#1@x", BIT(URI_CHARACTERS) },
        { "sip:@x", BIT(URI_EMPTY_USER) },
        { "sip:b@x?a=b", BIT(URI_FOREIGN) },
        { "sip:b@x;lr;Method=BYE", BIT(URI_FOREIGN) },
        { "sip:b;method=a?b@x;methods=c", 0 },
        { "tel:+1;method=a", 0 },
        { "http://x/?a=b", 0 },
        { "sips:@x", BIT(URI_EMPTY_USER) },
        { "SIP:@x", BIT(URI_EMPTY_USER) },
        { "acme:@x", 0 }, /* whatever it means */
        { "foo:@x", 0 },
        { "s:b:@x", 0 },
        { "sip:a@x", 0 },
        { "sips:a@x", 0 },
    };
    static const char *const bad[] = { "<sip:b@x",       "sip:b@x>",    "<<sip:b@x>>",
                                       "sip:\xc3\xa4@x", "sip:a\x01@x", "<>" };

    for (size_t i = 0; i < countof(cases) + countof(bad); i++) {
        const char *uri = i < countof(cases) ? cases[i].uri : bad[i - countof(cases)];
        char text[1024];
        struct msg m;
        struct gist g;

        snprintf(text, sizeof text, "INVITE %s SIP/2.0\r\n" VIA FROM TO CALL_ID CSEQ REST "\r\n",
                 uri);
        m = read_text(text);
        g = gist_of(&m);
        if ((g.fault == 0) != (i < countof(cases)) || (!g.fault && g.odd != cases[i].odd))
            ck_abort_msg("%s: %llx %u", uri, (unsigned long long)g.odd, g.fault);
        if (g.fault)
            ck_assert_str_eq(g.fault_reason, "Bad Request-URI");
    }
}
END_TEST

#define TOP "Via: SIP/2.0/UDP a;branch=z9hG4bKx"

START_TEST(odd_fields)
{
    static const struct {
        const char *lines;
        uint64_t odd;
    } cases[] = {
        { VIA FROM TO CALL_ID CSEQ REST, 0 },
        { VIA "From: A B <sip:a@x>;tag=1\r\n"
              "To: \"B \\\" <\" <sip:b@x>\r\n" CALL_ID CSEQ REST,
          0 },
        { VIA "From: \"A\"<sip:a@x>;tag=1\r\n"
              "To: sip:b@x\r\n" CALL_ID CSEQ REST,
          0 },
        { VIA "From: \"\"a\"\" <sip:a@x>;tag=1\r\n" TO CALL_ID CSEQ REST, BIT(DISPLAY_NAME) },
        { VIA FROM "To: b, c <sip:b@x>\r\n" CALL_ID CSEQ REST, BIT(DISPLAY_NAME) },
        { VIA FROM "To: \"b\" c <sip:b@x>\r\n" CALL_ID CSEQ REST, BIT(DISPLAY_NAME) },
        { VIA FROM "To: \"b\" \"c\" <sip:b@x>\r\n" CALL_ID CSEQ REST, BIT(DISPLAY_NAME) },
        { VIA FROM "To: \xc3\xa4 <sip:b@x>\r\n" CALL_ID CSEQ REST, BIT(DISPLAY_NAME) },
        { VIA FROM "To: < sip:b@x>\r\n" CALL_ID CSEQ REST, BIT(ADDRESS_BLANKS) },
        { VIA FROM "To: <sip:b@x >\r\n" CALL_ID CSEQ REST, BIT(ADDRESS_BLANKS) },
        { VIA FROM "To: sip:b@x?a=b\r\n" CALL_ID CSEQ REST, BIT(NO_BRACKETS) },
        { VIA FROM "To: sip:b,c@x\r\n" CALL_ID CSEQ REST, BIT(NO_BRACKETS) },
        { VIA FROM "To: \"B <sip:b@x>;tag=1\r\n" CALL_ID CSEQ REST, BIT(OPEN_QUOTE) },
        { VIA FROM "To: <sip:b@x>;tag=\r\n" CALL_ID CSEQ REST, BIT(EMPTY_TAG) },
        { VIA FROM "To: <sip:b@x>;tag\r\n" CALL_ID CSEQ REST, BIT(EMPTY_TAG) },
        { VIA FROM "To: <sip:b@x>;tag=1;TAG=2\r\n" CALL_ID CSEQ REST, BIT(TAG_TWICE) },
        { VIA "From: <sip:a@x>\r\n" TO CALL_ID CSEQ REST, BIT(NO_FROM_TAG) },
        { VIA FROM TO "Call-ID: a b\r\n" CSEQ REST, BIT(CALL_ID_BLANKS) },
        { VIA FROM TO "Call-ID: a#b\r\n" CSEQ REST, BIT(CALL_ID_CHARACTERS) },
        { VIA FROM TO "Call-ID: a\xff\r\n" CSEQ REST, BIT(CALL_ID_CHARACTERS) },
        { VIA FROM TO CALL_ID CSEQ, BIT(NO_MAX_FORWARDS) },
        { VIA FROM TO CALL_ID CSEQ "Max-Forwards: 300\r\n", BIT(MAX_FORWARDS) },
        { VIA FROM TO CALL_ID CSEQ "Max-Forwards:\r\n", BIT(MAX_FORWARDS) },
        { VIA FROM TO CALL_ID CSEQ REST FROM, BIT(REPEATED_FIELD) },
        { TOP ";\r\n" FROM TO CALL_ID CSEQ REST, BIT(VIA_LOOSE) },
        { TOP ";=x;rport\r\n" FROM TO CALL_ID CSEQ REST, BIT(VIA_LOOSE) },
        { "Via: , SIP/2.0/UDP a;branch=z9hG4bKx\r\n" FROM TO CALL_ID CSEQ REST, BIT(VIA_LOOSE) },
        { TOP ";branch=z9hG4bKx\r\n" FROM TO CALL_ID CSEQ REST, BIT(VIA_TWICE) },
        { TOP ";rport;rport\r\n" FROM TO CALL_ID CSEQ REST, BIT(VIA_TWICE) },
        { TOP ";rport=1;received=1.2.3.4;maddr=a\r\n" FROM TO CALL_ID CSEQ REST, 0 },
        { "Via: SIP/2.0/UDP ::1;branch=z9hG4bKx\r\n" FROM TO CALL_ID CSEQ REST, BIT(VIA_LOOSE) },
        { "Via: SIP/2.0/UDP a;branch=1\r\n" FROM TO CALL_ID CSEQ REST, BIT(NO_COOKIE) },
        { TOP ",\r\n" FROM TO CALL_ID CSEQ REST, BIT(VIA_LOOSE) },
        { TOP ", , SIP/2.0/UDP b;x=\",,\"\r\n" FROM TO CALL_ID CSEQ REST, BIT(VIA_LOOSE) },
        { TOP ";x=\",,\", SIP/2.0/UDP b;x=\", ,\"\r\n" FROM TO CALL_ID CSEQ REST, 0 },
        { TOP " y\r\n" FROM TO CALL_ID CSEQ REST, BIT(VIA_BLANKS) },
        { "Via: SIP/2.0/UDP a;branch=z9hG4bK+/==\r\n" FROM TO CALL_ID CSEQ REST,
          BIT(VIA_CHARACTERS) },
        { TOP ";rport=99999\r\n" FROM TO CALL_ID CSEQ REST, BIT(VIA_CHARACTERS) },
        { TOP ";rport=\r\n" FROM TO CALL_ID CSEQ REST, BIT(VIA_CHARACTERS) },
        { TOP ";rport=0 \r\n" FROM TO CALL_ID CSEQ REST, BIT(VIA_CHARACTERS) },
        { TOP ";received=a\r\n" FROM TO CALL_ID CSEQ REST, BIT(VIA_CHARACTERS) },
        { TOP ";received=[::1];ttl=255;maddr=a.b\r\n" FROM TO CALL_ID CSEQ REST, 0 },
        { TOP ";ttl=256\r\n" FROM TO CALL_ID CSEQ REST, BIT(VIA_CHARACTERS) },
        { TOP ";ttl=1;TTL=1\r\n" FROM TO CALL_ID CSEQ REST, BIT(VIA_TWICE) },
        { VIA "From: <sip:a@x>;tag=a b\r\n" TO CALL_ID CSEQ REST, BIT(TAG_BLANKS) },
        { VIA "From: <sip:a@x>;tag=\"a b\"\r\n" TO CALL_ID CSEQ REST, BIT(TAG_CHARACTERS) },
        { VIA "From: <sip:a@x>;tag=1,2\r\n" TO CALL_ID CSEQ REST, BIT(TAG_CHARACTERS) },
        { VIA FROM "To: <hello>\r\n" CALL_ID CSEQ REST, BIT(ADDRESS_URI) },
        { VIA FROM "To: <sip:>\r\n" CALL_ID CSEQ REST, BIT(ADDRESS_URI) },
        { VIA FROM "To: <sip:b @x>\r\n" CALL_ID CSEQ REST, BIT(ADDRESS_URI) },
        { VIA FROM "To: <1sip:b@x>\r\n" CALL_ID CSEQ REST, BIT(ADDRESS_URI) },
        { VIA FROM "To: sip:#b@x\r\n" CALL_ID CSEQ REST, BIT(ADDRESS_CHARACTERS) },
        { VIA FROM "To: <sip:\xc3\xa4@x>\r\n" CALL_ID CSEQ REST, BIT(ADDRESS_CHARACTERS) },
        { VIA FROM "To: <im:b@x>\r\n" CALL_ID CSEQ REST, 0 },
        { VIA FROM TO CALL_ID CSEQ REST "Subject: a\x01\r\n", BIT(CONTROL_BYTES) },
        { VIA FROM TO CALL_ID CSEQ REST "Event: a\r\no: b\r\n", BIT(REPEATED_OTHER) },
        { VIA FROM TO CALL_ID CSEQ REST "Expires: 1\r\nExpires: 1\r\n", BIT(REPEATED_OTHER) },
        { VIA FROM TO CALL_ID CSEQ REST "P-Charging-Vector: a\r\nP-Charging-Vector: a\r\n",
          BIT(REPEATED_OTHER) },
        { VIA FROM TO CALL_ID CSEQ REST
          "P-Charging-Vector: a\r\nP-Associated-URI: b\r\nReject-Contact: *\r\n",
          0 },
        { VIA FROM TO CALL_ID CSEQ REST
          "Allow: a\r\nAllow: b\r\nAccept-Contact: a\r\nAccept-Contact: b\r\n",
          0 },
        { VIA FROM TO CALL_ID CSEQ REST "Contact: sip:a@b?c\r\n", 0 },
        { "Via: SIP/2.0/UDP a\r\n" FROM TO CALL_ID CSEQ REST, BIT(NO_COOKIE) },
    };

    for (size_t i = 0; i < countof(cases); i++) {
        struct gist g = gist_lines(cases[i].lines);

        if (g.fault || g.odd != cases[i].odd)
            ck_abort_msg("%s: %llx %u %s", cases[i].lines, (unsigned long long)g.odd, g.fault,
                         g.fault ? g.fault_reason : "");
    }
}
END_TEST

/* Of a REGISTER alone a server reads Contact. */
START_TEST(odd_contacts)
{
    static const struct {
        const char *contact;
        uint64_t odd;
    } cases[] = {
        { "*", 0 },
        { "<sip:a@b?c=d>;q=1;expires=3", 0 },
        { "sip:a@b?c=d", BIT(CONTACT_BRACKETS) },
        { "<sip:a@b>, sip:a@b?c=d", BIT(CONTACT_BRACKETS) },
        { "<sip:a@b>;q=1;q=1", BIT(CONTACT_TWICE) },
        { "<sip:a@b>;expires=1, <sip:c@b>;EXPIRES=1;expires=2", BIT(CONTACT_TWICE) },
        { "<sip:a@b>;expires=1, <sip:c@b>;expires=2", 0 },
        { "<", 0 },
    };

    for (size_t i = 0; i < countof(cases); i++) {
        char text[1024];
        struct msg m;

        snprintf(text, sizeof text,
                 "REGISTER sip:x SIP/2.0\r\n" VIA FROM TO CALL_ID "CSeq: 1 REGISTER\r\n" REST
                 "m: %s\r\n\r\n",
                 cases[i].contact);
        m = read_text(text);
        ck_assert_uint_eq(gist_of(&m).fault, 0);
        ck_assert_msg(gist_of(&m).odd == cases[i].odd, "%s", cases[i].contact);
    }
}
END_TEST

/* Of a response we read what we have written ourselves, or what the request had. */
START_TEST(responses_are_excused)
{
    struct msg m = read_text(
        "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP a\r\nFrom: <sip:a@x>\r\n" TO CALL_ID CSEQ "\r\n");
    struct gist g = gist_of(&m);

    ck_assert_uint_eq(g.fault, 0);
    ck_assert_uint_eq(g.odd, 0);
    /* but not for a comma in front: another may take what is there for the topmost */
    m = read_text("SIP/2.0 200 OK\r\nVia: ,SIP/2.0/UDP a\r\nFrom: <sip:a@x>\r\n" TO CALL_ID CSEQ
                  "\r\n");
    g = gist_of(&m);
    ck_assert_uint_eq(g.fault, 0);
    ck_assert_uint_eq(g.odd, BIT(VIA_LOOSE));
    m = read_text("SIP/2.0 200 OK\r\n" VIA FROM TO CALL_ID CSEQ "\r\nbody");
    ck_assert_uint_eq(gist_of(&m).odd, BIT(NO_TYPE));
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

START_TEST(kept_with_its_message)
{
    struct msg m = read_text("INVITE sip:b@x SIP/2.0\r\n" FROM
                             "v: SIP/2.0/UDP a;branch=z9hG4bKx;rport=1;received=1.2.3.4;maddr=m, "
                             "SIP/2.0/TCP b\r\n" TO CALL_ID CSEQ REST "\r\n");
    struct gist g = gist_of(&m), moved;
    struct msg kept;

    ck_assert_int_eq(msg_keep(&m, &arena, &kept), SIPD_OK);
    gist_keep(&g, &m, &kept, &moved);
    memset((char *)(uintptr_t)m.bytes, 'x', m.len);
    memset((struct msg_field *)(uintptr_t)m.fields, 0, m.fields_len * sizeof *m.fields);
    ck_assert_ptr_eq(moved.via_field, &kept.fields[1]);
    must_be(moved.method_text, "INVITE");
    must_be(moved.cseq_method, "INVITE");
    must_be(moved.call_id, "c1@a");
    must_be(moved.from, "\"A\" <sip:a@x>;tag=f1");
    must_be(moved.from_tag, "f1");
    must_be(moved.to, "<sip:b@x>");
    must_be(moved.vias_below, ", SIP/2.0/TCP b");
    must_be(moved.via.whole, "SIP/2.0/UDP a;branch=z9hG4bKx;rport=1;received=1.2.3.4;maddr=m");
    must_be(moved.via.transport_text, "UDP");
    must_be(moved.via.sent_by, "a");
    must_be(moved.via.host, "a");
    must_be(moved.via.params, ";branch=z9hG4bKx;rport=1;received=1.2.3.4;maddr=m");
    must_be(moved.via.branch, "z9hG4bKx");
    must_be(moved.via.rport, "1");
    must_be(moved.via.received, "1.2.3.4");
    must_be(moved.via.maddr, "m");
    must_be(moved.to_tag, "");
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
    tcase_add_test(c, odd_uris);
    tcase_add_test(c, odd_fields);
    tcase_add_test(c, odd_contacts);
    tcase_add_test(c, responses_are_excused);
    tcase_add_test(c, the_message_speaks_first);
    tcase_add_test(c, kept_with_its_message);
    suite_add_tcase(s, c);
    return s;
}
