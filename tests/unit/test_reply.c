/*
 * Our own responses: what is copied, stamped, tagged, and what cannot be forged (RFC 3261 §8.2.6).
 */
#include "sip/reply.h"

#include "unit/message.h"

#define HEAD                                                              \
    "INVITE sip:b@x SIP/2.0\r\n"                                          \
    "v: SIP/2.0/UDP one;rport;branch=z9hG4bK1 ,\r\n SIP/2.0/TCP zero\r\n" \
    "Max-Forwards: 70\r\n"                                                \
    "Via : SIP/2.0/TCP two\r\n"                                           \
    "f: \"A\r\n B\" <sip:a@x>;tag=f1\r\n"
#define TAIL                  \
    "i: c1\r\n"               \
    "cseq: 0007   INVITE\r\n" \
    "Timestamp: 54.5\r\n"     \
    "Content-Length: 0\r\n\r\n"
#define VIAS                                                                                 \
    "Via: SIP/2.0/UDP one;rport=7;branch=z9hG4bK1;received=1.2.3.4 ,   SIP/2.0/TCP zero\r\n" \
    "Via: SIP/2.0/TCP two\r\n"                                                               \
    "From: \"A   B\" <sip:a@x>;tag=f1\r\n"

static struct buf buf;

/* Begins a response to the request in text, as a server does that saw it come from elsewhere. */
static void
begin(const char *text, unsigned status, const char *phrase)
{
    struct msg msg = read_text(text);
    struct gist gist = gist_of(&msg);
    struct reply_to to = { &msg, &gist, SPAN("1.2.3.4"), 7, SPAN("ours") };

    buf_fini(&buf);
    buf_init(&buf, 65535);
    reply_begin(&buf, &to, status, span_of(phrase));
}

START_TEST(copies_what_must_be_copied)
{
    begin(HEAD "To: <sip:b@x>\r\n" TAIL, 404, "");
    reply_end(&buf, SPAN(""), SPAN(""));
    must_be(buf_span(&buf),
            "SIP/2.0 404 Not Found\r\n" VIAS "To: <sip:b@x>;tag=ours\r\nCall-ID: c1\r\n"
            "CSeq: 0007   INVITE\r\nContent-Length: 0\r\n\r\n");
    buf_fini(&buf);
}
END_TEST

/* A field that a control byte hides from us is none in our answer either, for nobody. */
START_TEST(what_was_hidden_is_not_handed_on)
{
    static const char text[] =
        "OPTIONS sip:b@x SIP/2.0\r\nVia: SIP/2.0/UDP one;branch=z9hG4bK1\r\n"
        "Via: SIP/2.0/UDP two;x=1\0Via: SIP/2.0/UDP evil\r\nFrom: <sip:a@x>;tag=1\r\n"
        "To: <sip:b@x>\r\nCall-ID: c\r\nCSeq: 1 OPTIONS\r\n\r\n";
    struct msg msg, answer;
    struct gist gist;
    struct reply_to to = { &msg, &gist, SPAN(""), 0, SPAN("ours") };

    ck_assert_int_eq(msg_read((struct span){ text, sizeof text - 1 }, &arena, &msg), SIPD_OK);
    ck_assert_uint_eq(msg.fault, 400);
    gist_read(&msg, &gist);
    buf_init(&buf, 65535);
    reply_begin(&buf, &to, 400, SPAN(""));
    reply_end(&buf, SPAN(""), SPAN(""));
    ck_assert_int_eq(msg_read(buf_span(&buf), &arena, &answer), SIPD_OK);
    ck_assert_uint_eq(answer.fault, 0);
    ck_assert_uint_eq(answer.odd, 0);
    must_be(msg_value(&answer, &answer.fields[1]), "SIP/2.0/UDP two;x=1 Via: SIP/2.0/UDP evil");
    buf_fini(&buf);
}
END_TEST

/* Another would find a Content-Length in what came with the request. */
START_TEST(control_bytes_are_not_copied)
{
    begin("INVITE sip:b@x SIP/2.0\r\nv: SIP/2.0/UDP one\r\nf: \"\\\x0bl: 5\" <sip:a@x>\r\ni: c\x01"
          "1\r\n"
          "cseq: 1 INVITE\r\x0f"
          "Content-Length: 0\r\n\r\n",
          400, "");
    must_be(buf_span(&buf),
            "SIP/2.0 400 Bad Request\r\nVia: SIP/2.0/UDP one;received=1.2.3.4;rport=7\r\n"
            "From: \"\\ l: 5\" <sip:a@x>\r\nCall-ID: c 1\r\nCSeq: 1 INVITE  Content-Length: 0\r\n");
    begin("INVITE sip:b@x SIP/2.0\r\nv: SIP/2.0/UDP one\r\nf: \"\\\x0b\" <sip:a@x>\r\n\r\n", 400,
          "");
    must_be(buf_span(&buf),
            "SIP/2.0 400 Bad Request\r\nVia: SIP/2.0/UDP one;received=1.2.3.4;rport=7\r\n"
            "From: \"\\\x0b\" <sip:a@x>\r\n");
    buf_fini(&buf);
}
END_TEST

START_TEST(trying_has_timestamp_and_no_tag)
{
    begin(HEAD "To: <sip:b@x>\r\n" TAIL, 100, NULL);
    reply_end(&buf, SPAN(""), SPAN(""));
    must_be(buf_span(&buf),
            "SIP/2.0 100 Trying\r\n" VIAS "To: <sip:b@x>\r\nCall-ID: c1\r\nCSeq: 0007   INVITE\r\n"
            "Timestamp: 54.5\r\nContent-Length: 0\r\n\r\n");
    buf_fini(&buf);
}
END_TEST

START_TEST(a_tag_stays)
{
    begin(HEAD "t: <sip:b@x>;tag=theirs\r\n" TAIL, 481, "");
    must_be(buf_span(&buf), "SIP/2.0 481 Call/Transaction Does Not Exist\r\n" VIAS
                            "To: <sip:b@x>;tag=theirs\r\nCall-ID: c1\r\nCSeq: 0007   INVITE\r\n");
    buf_fini(&buf);
}
END_TEST

START_TEST(own_phrase_fields_and_body)
{
    begin("A sip:a SIP/2.0\r\nCSeq: 1 A\r\nVia: rubbish\r\n\r\n", 400, "Bad\r\nVia");
    reply_header(&buf, SPAN("X-Why"), SPAN("because\r\nForged: yes"));
    reply_end(&buf, SPAN("text/plain"), SPAN("a\r\nb"));
    must_be(buf_span(&buf),
            "SIP/2.0 400 Bad  Via\r\nVia: rubbish\r\nCSeq: 1 A\r\nX-Why: because  Forged: yes\r\n"
            "Content-Type: text/plain\r\nContent-Length: 4\r\n\r\na\r\nb");
    buf_fini(&buf);
}
END_TEST

START_TEST(a_full_buffer_tells)
{
    struct msg msg = read_text(HEAD "To: <sip:b@x>\r\n" TAIL);
    struct gist gist = gist_of(&msg);
    struct reply_to to = { .request = &msg, .gist = &gist };

    for (size_t limit = 0; limit < 200; limit += 7) {
        buf_init(&buf, limit);
        reply_begin(&buf, &to, 200, SPAN(""));
        reply_end(&buf, SPAN(""), SPAN(""));
        ck_assert_int_eq(buf.err, SIPD_ETOOBIG);
        buf_fini(&buf);
    }
}
END_TEST

Suite *
suite_reply(void)
{
    Suite *s = suite_create("reply");
    TCase *c = message_case("reply");

    tcase_add_test(c, copies_what_must_be_copied);
    tcase_add_test(c, what_was_hidden_is_not_handed_on);
    tcase_add_test(c, control_bytes_are_not_copied);
    tcase_add_test(c, trying_has_timestamp_and_no_tag);
    tcase_add_test(c, a_tag_stays);
    tcase_add_test(c, own_phrase_fields_and_body);
    tcase_add_test(c, a_full_buffer_tells);
    suite_add_tcase(s, c);
    return s;
}
