/*
 * ACK to a failure and CANCEL, made of the INVITE as sent (RFC 3261 §17.1.1.3, §9.1).
 */
#include "sip/derive.h"

#include "unit/message.h"

static const char invite_text[] = "INVITE sip:b@x SIP/2.0\r\n"
                                  "Via: SIP/2.0/UDP me;branch=z9hG4bKm , SIP/2.0/UDP below\r\n"
                                  "Via: SIP/2.0/UDP one;branch=z9hG4bK1\r\n"
                                  "Route: <sip:r;lr>,\r\n <sip:s;lr>\r\n"
                                  "Max-Forwards: 12\r\n"
                                  "Require: x\r\n"
                                  "route: <sip:t;lr>\r\n"
                                  "f: <sip:a@x>;tag=f1\r\n"
                                  "To: <sip:b@x>\r\n"
                                  "Call-ID: c1\r\n"
                                  "CSeq: 0007 INVITE\r\n"
                                  "Content-Length: 4\r\n"
                                  "\r\nbody";
#define PATH                                  \
    "Via: SIP/2.0/UDP me;branch=z9hG4bKm\r\n" \
    "Route: <sip:r;lr>,   <sip:s;lr>\r\n"     \
    "Route: <sip:t;lr>\r\n"                   \
    "Max-Forwards: 70\r\n"                    \
    "From: <sip:a@x>;tag=f1\r\n"

static struct buf buf;

START_TEST(an_ack)
{
    struct msg invite = read_text(invite_text);
    struct msg response = read_text(
        "SIP/2.0 486 Busy\r\nVia: SIP/2.0/UDP me;branch=z9hG4bKm\r\nFrom: <sip:other@x>\r\n"
        "To: <sip:b@x>;tag=t1\r\nCall-ID: c1\r\nCSeq: 7 INVITE\r\n\r\n");
    struct gist gist = gist_of(&invite), answer = gist_of(&response);
    struct msg ack;

    buf_init(&buf, 65535);
    derive_ack(&buf, &invite, &gist, &answer);
    must_be(buf_span(&buf),
            "ACK sip:b@x SIP/2.0\r\n" PATH "To: <sip:b@x>;tag=t1\r\nCall-ID: c1\r\nCSeq: 7 ACK\r\n"
            "Content-Length: 0\r\n\r\n");
    ack = read_span(buf_span(&buf));
    gist = gist_of(&ack);
    ck_assert_uint_eq(gist.fault, 0);
    ck_assert_int_eq(gist.method, METHOD_ACK);
    buf_fini(&buf);
}
END_TEST

START_TEST(a_cancel)
{
    struct msg invite = read_text(invite_text), cancel;
    struct gist gist = gist_of(&invite), other;

    buf_init(&buf, 65535);
    derive_cancel(&buf, &invite, &gist, SPAN("SIP;cause=200\r\n"));
    must_be(buf_span(&buf),
            "CANCEL sip:b@x SIP/2.0\r\n" PATH "To: <sip:b@x>\r\nCall-ID: c1\r\nCSeq: 7 CANCEL\r\n"
            "Reason: SIP;cause=200  \r\nContent-Length: 0\r\n\r\n");
    cancel = read_span(buf_span(&buf));
    other = gist_of(&cancel);
    ck_assert_uint_eq(other.fault, 0);
    ck_assert_int_eq(other.method, METHOD_CANCEL);
    must(span_eq(other.via.branch, gist.via.branch));
    buf_clear(&buf);
    derive_cancel(&buf, &invite, &gist, SPAN(""));
    ck_assert_ptr_null(memmem(buf.bytes, buf.len, "Reason", 6));
    buf_fini(&buf);
}
END_TEST

START_TEST(a_full_buffer_tells)
{
    struct msg invite = read_text(invite_text);
    struct gist gist = gist_of(&invite);

    buf_init(&buf, 100);
    derive_cancel(&buf, &invite, &gist, SPAN(""));
    ck_assert_int_eq(buf.err, SIPD_ETOOBIG);
    buf_fini(&buf);
}
END_TEST

Suite *
suite_derive(void)
{
    Suite *s = suite_create("derive");
    TCase *c = message_case("derive");

    tcase_add_test(c, an_ack);
    tcase_add_test(c, a_cancel);
    tcase_add_test(c, a_full_buffer_tells);
    suite_add_tcase(s, c);
    return s;
}
