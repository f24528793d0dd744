/*
 * Our own responses: what is copied, stamped, tagged, and what cannot be forged (RFC 3261 §8.2.6).
 */
#include "sip/reply.h"

#include <stdio.h>

#include "base/def.h"
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
#define END "Content-Length: 0\r\n\r\n"
#define VIAS                                                                                 \
    "Via: SIP/2.0/UDP one;rport=7;branch=z9hG4bK1;received=1.2.3.4 ,   SIP/2.0/TCP zero\r\n" \
    "Via: SIP/2.0/TCP two\r\n"                                                               \
    "From: \"A   B\" <sip:a@x>;tag=f1\r\n"

static struct span answer;

/* The response to the request in text, as a server writes it that saw it come from elsewhere. */
static void
write(const char *text, unsigned status, const struct reply_with *with)
{
    struct msg msg = read_text(text);
    struct gist gist = gist_of(&msg);
    struct reply_to to = { &msg, &gist, SPAN("1.2.3.4"), 7, SPAN("ours") };

    answer = reply_write(&arena, &to, status, with);
    ck_assert_ptr_nonnull(answer.at);
}

static void
write_plain(const char *text, unsigned status)
{
    write(text, status, &(struct reply_with){ .phrase = SPAN("") });
}

START_TEST(copies_what_must_be_copied)
{
    write_plain(HEAD "To: <sip:b@x>\r\n" TAIL, 404);
    must_be(answer, "SIP/2.0 404 Not Found\r\n" VIAS "To: <sip:b@x>;tag=ours\r\nCall-ID: c1\r\n"
                    "CSeq: 0007   INVITE\r\nContent-Length: 0\r\n\r\n");
}
END_TEST

/* A field that a control byte hides from us is none in our answer either, for nobody. */
START_TEST(what_was_hidden_is_not_handed_on)
{
    static const char text[] =
        "OPTIONS sip:b@x SIP/2.0\r\nVia: SIP/2.0/UDP one;branch=z9hG4bK1\r\n"
        "Via: SIP/2.0/UDP two;x=1\0Via: SIP/2.0/UDP evil\r\nFrom: <sip:a@x>;tag=1\r\n"
        "To: <sip:b@x>\r\nCall-ID: c\r\nCSeq: 1 OPTIONS\r\n\r\n";
    struct reply_with with = { .phrase = SPAN("") };
    struct msg msg, read;
    struct gist gist;
    struct reply_to to = { &msg, &gist, SPAN(""), 0, SPAN("ours") };

    ck_assert_int_eq(msg_read((struct span){ text, sizeof text - 1 }, &arena, &msg), SIPD_OK);
    ck_assert_uint_eq(msg.fault, 400);
    gist_read(&msg, &gist);
    answer = reply_write(&arena, &to, 400, &with);
    ck_assert_int_eq(msg_read(answer, &arena, &read), SIPD_OK);
    ck_assert_uint_eq(read.fault, 0);
    ck_assert_uint_eq(read.odd, 0);
    must_be(msg_value(&read, &read.fields[1]), "SIP/2.0/UDP two;x=1 Via: SIP/2.0/UDP evil");
}
END_TEST

/* Another would find a Content-Length in what came with the request. */
START_TEST(control_bytes_are_not_copied)
{
    write_plain(
        "INVITE sip:b@x SIP/2.0\r\nv: SIP/2.0/UDP one\r\nf: \"\\\x0bl: 5\" <sip:a@x>\r\ni: c\x01"
        "1\r\n"
        "cseq: 1 INVITE\r\x0f"
        "Content-Length: 0\r\n\r\n",
        400);
    must_be(
        answer,
        "SIP/2.0 400 Bad Request\r\nVia: SIP/2.0/UDP one;received=1.2.3.4;rport=7\r\n"
        "From: \"\\ l: 5\" <sip:a@x>\r\nCall-ID: c 1\r\nCSeq: 1 INVITE  Content-Length: 0\r\n" END);
    write_plain("INVITE sip:b@x SIP/2.0\r\nv: SIP/2.0/UDP one\r\nf: \"\\\x0b\" <sip:a@x>\r\n\r\n",
                400);
    must_be(answer, "SIP/2.0 400 Bad Request\r\nVia: SIP/2.0/UDP one;received=1.2.3.4;rport=7\r\n"
                    "From: \"\\\x0b\" <sip:a@x>\r\n" END);
}
END_TEST

START_TEST(trying_has_timestamp_and_no_tag)
{
    write_plain(HEAD "To: <sip:b@x>\r\n" TAIL, 100);
    must_be(answer,
            "SIP/2.0 100 Trying\r\n" VIAS "To: <sip:b@x>\r\nCall-ID: c1\r\nCSeq: 0007   INVITE\r\n"
            "Timestamp: 54.5\r\nContent-Length: 0\r\n\r\n");
}
END_TEST

START_TEST(a_tag_stays)
{
    write_plain(HEAD "t: <sip:b@x>;tag=theirs\r\n" TAIL, 481);
    must_be(answer, "SIP/2.0 481 Call/Transaction Does Not Exist\r\n" VIAS
                    "To: <sip:b@x>;tag=theirs\r\nCall-ID: c1\r\nCSeq: 0007   INVITE\r\n" END);
}
END_TEST

START_TEST(own_phrase_fields_and_body)
{
    struct reply_with with = {
        .phrase = SPAN("Bad\r\nVia"),
        .lines = SPAN("X-Why: because\r\n"),
        .more = SPAN("X-More: y\r\n"),
        .type = SPAN("text/plain"),
        .body = SPAN("a\r\nb"),
    };

    write("A sip:a SIP/2.0\r\nCSeq: 1 A\r\nVia: rubbish\r\n\r\n", 400, &with);
    must_be(answer,
            "SIP/2.0 400 Bad  Via\r\nVia: rubbish\r\nCSeq: 1 A\r\nX-Why: because\r\nX-More: y\r\n"
            "Content-Type: text/plain\r\nContent-Length: 4\r\n\r\na\r\nb");
}
END_TEST

#define TOP  "A sip:a SIP/2.0\r\nVia: SIP/2.0/UDP one\r\n"
#define FROM "From: <sip:a@x>;tag=1\r\n"
#define TO   "To: <sip:b@x>\r\n"
#define ID   "Call-ID: c\r\n"
#define SEQ  "CSeq: 1 A\r\n"

/* Whether copied at once or one by one: the same comes out. */
START_TEST(order_and_spelling_do_not_matter)
{
    static const char *const heads[] = {
        FROM TO ID SEQ,
        "Max-Forwards: 70\r\n" FROM TO ID SEQ "X: y\r\n",
        TO FROM ID SEQ,
        FROM TO "X: y\r\n" ID SEQ,
        FROM TO SEQ ID,
        "f: <sip:a@x>;tag=1\r\n" TO ID SEQ,
        "From:<sip:a@x>;tag=1\r\n" TO ID SEQ,
        "From : <sip:a@x>;tag=1\r\n" TO ID SEQ,
        FROM "To: <sip:b@x> \r\n" ID SEQ,
        FROM TO "Call-ID:  c\r\n" SEQ,
        FROM TO ID "CSeq: 1 A\r\n ",
        FROM TO ID "CSeq: 1 A\n",
    };
    char text[256];

    for (size_t i = 0; i < countof(heads); i++) {
        snprintf(text, sizeof text, TOP "%s\r\n", heads[i]);
        write_plain(text, 200);
        must_be(answer, "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP one;received=1.2.3.4;rport=7\r\n" FROM
                        "To: <sip:b@x>;tag=ours\r\n" ID SEQ END);
    }
}
END_TEST

/* Nothing that is not there is copied, however few lines there are. */
START_TEST(what_is_missing_is_left_out)
{
    write_plain(TOP FROM "\r\n", 400);
    must_be(
        answer,
        "SIP/2.0 400 Bad Request\r\nVia: SIP/2.0/UDP one;received=1.2.3.4;rport=7\r\n" FROM END);
    write_plain(TOP FROM TO ID "CSeq: \r\n\r\n", 400);
    must_be(answer,
            "SIP/2.0 400 Bad Request\r\nVia: SIP/2.0/UDP one;received=1.2.3.4;rport=7\r\n" FROM
            "To: <sip:b@x>;tag=ours\r\n" ID END);
}
END_TEST

START_TEST(no_memory_is_told)
{
    struct msg msg = read_text(HEAD "To: <sip:b@x>\r\n" TAIL);
    struct gist gist = gist_of(&msg);
    struct reply_to to = { .request = &msg, .gist = &gist };
    struct reply_with with = { .phrase = SPAN("") };
    struct arena little;

    arena_init(&little, 64);
    ck_assert_ptr_null(reply_write(&little, &to, 200, &with).at);
    arena_fini(&little);
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
    tcase_add_test(c, order_and_spelling_do_not_matter);
    tcase_add_test(c, what_is_missing_is_left_out);
    tcase_add_test(c, no_memory_is_told);
    suite_add_tcase(s, c);
    return s;
}
