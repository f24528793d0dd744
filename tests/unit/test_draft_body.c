/*
 * Edits of a body: what goes in can come out, nothing else changes, Content-Length tells the truth (RFC 2046 §5.1.1,
 * RFC 5621).
 */
#include "sip/draft_body.h"

#include <stdio.h>

#include "base/buf.h"
#include "unit/message.h"

#define TYPE  "Content-Type: multipart/mixed;boundary=b\r\n"
#define START "INFO sip:a SIP/2.0\r\n"
#define SDP   "Content-Type: application/sdp\r\n\r\nv=0\r\n"
#define ISUP \
    "Content-Type: application/ISUP\r\nContent-Disposition: signal;handling=optional\r\n\r\n"

static struct msg msg;
static struct draft draft;
static struct mime_walk walk;

/* A message with this body; its Content-Length is added. */
static void
begin_as(const char *fields, struct span body)
{
    struct buf text;

    buf_init(&text, 1 << 20);
    buf_put(&text, SPAN(START));
    buf_put(&text, span_of(fields));
    buf_printf(&text, "Content-Length: %zu\r\n\r\n", body.len);
    buf_put(&text, body);
    msg = read_span(buf_span(&text));
    buf_fini(&text);
    draft_init(&draft, &msg, &arena);
    mime_walk_msg(&walk, &msg);
}

#define begin(body) begin_as(TYPE, SPAN(body))

/* The n-th part of the walk, 0 the body, is at hand. */
static void
go(unsigned n)
{
    mime_walk_msg(&walk, &msg);
    do
        ck_assert(mime_walk_next(&walk));
    while (n-- > 0);
}

static struct msg
rendered(void)
{
    struct span out;
    struct msg now;

    ck_assert_int_eq(draft_render(&draft, &arena, &out), SIPD_OK);
    ck_assert_int_eq(msg_read(out, &arena, &now), SIPD_OK);
    ck_assert_uint_eq(now.body_len, draft_body_len(&draft));
    return now;
}

static void
must_hold_at(const char *fields, struct span body, int line)
{
    struct msg now = rendered();
    char head[512];

    snprintf(head, sizeof head, START "%sContent-Length: %zu\r\n\r\n", fields, body.len);
    must_be_at(span_head(msg_bytes(&now), now.body_at), span_of(head), line);
    must_be_at(msg_body(&now), body, line);
}

#define must_become(body) must_hold_at(TYPE, SPAN(body), __LINE__)

static void
must_fail(int err)
{
    struct span out;

    ck_assert_int_eq(draft_render(&draft, &arena, &out), err);
}

START_TEST(content_is_set)
{
    begin("pre\r\n--b\r\n" SDP "\r\n--b\r\n" ISUP "\1\0\r\n--b--\r\npost");
    go(1);
    draft_set_content(&draft, &walk, SPAN("v=1\r\no=-\r\n"));
    must_become("pre\r\n--b\r\nContent-Type: application/sdp\r\n\r\nv=1\r\no=-\r\n\r\n--b\r\n" ISUP
                "\1\0\r\n--b--\r\npost");
    go(2);
    draft_set_content(&draft, &walk, SPAN("\r\n--\0\r\n"));
    must_become("pre\r\n--b\r\nContent-Type: application/sdp\r\n\r\nv=1\r\no=-\r\n\r\n--b\r\n" ISUP
                "\r\n--\0\r\n\r\n--b--\r\npost");
    go(1);
    draft_set_content(&draft, &walk, SPAN("again"));
    must_fail(SIPD_ECLASH);
}
END_TEST

START_TEST(content_of_a_plain_body)
{
    begin_as("c: application/sdp\r\n", SPAN("v=0\r\n"));
    go(0);
    draft_set_content(&draft, &walk, SPAN("v=0\r\ns=a longer one\r\n"));
    must_hold_at("c: application/sdp\r\n", SPAN("v=0\r\ns=a longer one\r\n"), __LINE__);
    begin_as("", SPAN(""));
    go(0);
    draft_set_content(&draft, &walk, SPAN("x"));
    must_hold_at("", SPAN("x"), __LINE__);
}
END_TEST

/* The line ends that were missing come with what needs them. */
START_TEST(content_where_there_was_no_empty_line)
{
    begin("--b\r\n--b\r\nContent-Type: a/b\r\n--b\r\nc: d/e\r\nv=0\r\n--b--");
    go(1);
    draft_set_content(&draft, &walk, SPAN("x: y"));
    go(2);
    draft_set_content(&draft, &walk, SPAN("x: y"));
    go(3);
    draft_set_content(&draft, &walk, SPAN("x: y"));
    must_become("--b\r\n\r\nx: y\r\n--b\r\nContent-Type: a/b\r\n\r\nx: y\r\n--b\r\nc: "
                "d/e\r\n\r\nx: y\r\n--b--");
    begin("--b\r\n--b--");
    go(1);
    draft_set_part(&draft, &walk, SPAN("\r\nx"));
    must_become("--b\r\n\r\nx\r\n--b--");
}
END_TEST

/* A CR at the end stays the part's, even if the delimiter behind has none of its own. */
START_TEST(content_that_ends_with_cr)
{
    begin("--b\n\nx\n--b--");
    go(1);
    draft_set_content(&draft, &walk, SPAN("\1\r"));
    must_become("--b\n\n\1\r\r\n--b--");
    begin("--b\r\n\r\nx\r\n--b--");
    go(1);
    draft_set_content(&draft, &walk, SPAN("\1\r"));
    must_become("--b\r\n\r\n\1\r\r\n--b--");
    begin("--b\r\nContent-Type: "
          "multipart/mixed;boundary=in\r\n\r\n--in\r\n\r\nx\r\r\n--in\r\n\r\ny\n--b--");
    go(3);
    draft_drop_part(&draft, &walk);
    must_become("--b\r\nContent-Type: multipart/mixed;boundary=in\r\n\r\n--in\r\n\r\nx\r\r\n--b--");
}
END_TEST

START_TEST(parts_are_replaced)
{
    begin("--b\r\n" SDP "\r\n--b\r\n" ISUP "\1\r\n--b--");
    go(2);
    draft_set_part(
        &draft, &walk,
        draft_part(&draft, SPAN("application/QSIG; version=iso"), SPAN(""), SPAN("\2\0\r\n")));
    must_become("--b\r\n" SDP
                "\r\n--b\r\nContent-Type: application/QSIG; version=iso\r\n\r\n\2\0\r\n\r\n--b--");
    go(0);
    draft_set_part(&draft, &walk, SPAN("x"));
    must_fail(SIPD_ENOENT);
}
END_TEST

START_TEST(replaced_by_itself_is_no_edit)
{
    begin("p\n--b\n\nx\n--b\r\nc: d/e\r\nv=0\r\n--b\r\n--b");
    for (unsigned n = 0; n < 3; n++) {
        go(n);
        draft_set_content(&draft, &walk, walk.part.content);
        if (n > 0)
            draft_set_part(&draft, &walk, walk.part.whole);
    }
    ck_assert_uint_eq(draft.len, 0);
    must_fail(SIPD_OK);
}
END_TEST

START_TEST(parts_are_dropped)
{
    begin("--b\r\n" SDP "\r\n--b\r\n\r\nx\r\n--b\r\n\r\ny\r\n--b--\r\n");
    go(1);
    draft_drop_part(&draft, &walk);
    must_become("--b\r\n\r\nx\r\n--b\r\n\r\ny\r\n--b--\r\n");
    go(2);
    draft_drop_part(&draft, &walk);
    must_become("--b\r\n\r\ny\r\n--b--\r\n");
    go(3);
    draft_drop_part(&draft, &walk);
    must_become("--b--\r\n");

    begin("pre\r\n--b\r\n\r\nx\r\n--b\r\n\r\ny\r\n--b--\r\n");
    go(1);
    draft_drop_part(&draft, &walk);
    must_become("pre\r\n--b\r\n\r\ny\r\n--b--\r\n");

    begin("pre\r\n--b\r\n\r\nx\n--b\r\n\r\ny\r\n"); /* nothing closes */
    go(2);
    draft_drop_part(&draft, &walk);
    must_become("pre\r\n--b\r\n\r\nx");
    begin("pre\r\n--b\r\n\r\nx");
    go(1);
    draft_drop_part(&draft, &walk);
    must_become("pre");
}
END_TEST

START_TEST(a_body_is_dropped_with_its_fields)
{
    begin_as("c: application/sdp\r\nSubject: s\r\nContent-Disposition: session\r\ne: "
             "gzip\r\nContent-ID: <a>\r\n",
             SPAN("v=0\r\n"));
    go(0);
    draft_drop_part(&draft, &walk);
    must_hold_at("Subject: s\r\n", SPAN(""), __LINE__);
}
END_TEST

START_TEST(parts_are_added)
{
    begin("pre\r\n--b\r\n" SDP "\r\n--b--\r\npost");
    go(0);
    draft_append_part(&draft, &walk,
                      draft_part(&draft, SPAN("application/ISUP"), SPAN("signal;handling=optional"),
                                 SPAN("\1\0\2")));
    must_become("pre\r\n--b\r\n" SDP "\r\n--b\r\n" ISUP "\1\0\2\r\n--b--\r\npost");
    draft_append_part(&draft, &walk, SPAN("\r\nlast"));
    go(1);
    draft_insert_part(&draft, &walk, SPAN("\r\nfirst"));
    draft_insert_part(&draft, &walk, SPAN("\r\nsecond"));
    must_become("pre\r\n--b\r\n\r\nfirst\r\n--b\r\n\r\nsecond\r\n--b\r\n" SDP "\r\n--b\r\n" ISUP
                "\1\0\2\r\n--b\r\n\r\nlast"
                "\r\n--b--\r\npost");
}
END_TEST

START_TEST(parts_are_added_beside_others_that_go)
{
    begin("--b\r\n\r\nx\r\n--b\r\n\r\ny\r\n--b--");
    go(1);
    draft_drop_part(&draft, &walk);
    draft_insert_part(&draft, &walk, SPAN("\r\n1"));
    go(2);
    draft_insert_part(&draft, &walk, SPAN("\r\n2"));
    draft_drop_part(&draft, &walk);
    go(0);
    draft_append_part(&draft, &walk, SPAN("\r\n3"));
    must_become("--b\r\n\r\n1\r\n--b\r\n\r\n2\r\n--b\r\n\r\n3\r\n--b--");
}
END_TEST

START_TEST(parts_are_added_at_an_open_end)
{
    begin("");
    go(0);
    draft_append_part(&draft, &walk, SPAN("\r\nx"));
    draft_append_part(&draft, &walk, SPAN("\r\ny"));
    must_become("\r\n--b\r\n\r\nx\r\n--b\r\n\r\ny");
    begin("pre\r\n");
    go(0);
    draft_append_part(&draft, &walk, SPAN("\r\nx"));
    must_become("pre\r\n\r\n--b\r\n\r\nx");
    begin("--b\r\n\r\nx");
    go(0);
    draft_append_part(&draft, &walk, SPAN("\r\ny"));
    must_become("--b\r\n\r\nx\r\n--b\r\n\r\ny");
    begin("--b\r\n\r\nx\r\n--b"); /* a closing one cut short */
    go(0);
    draft_append_part(&draft, &walk, SPAN("\r\ny"));
    must_become("--b\r\n\r\nx\r\n--b\r\n\r\ny\r\n--b");
}
END_TEST

START_TEST(quoted_boundaries_are_written_plain)
{
    const char *type = "Content-Type: multipart/mixed;boundary=\"a \\\"b\\;\"\r\n";

    begin_as(type, SPAN("--a \"b;\r\n\r\nx\r\n--a \"b;--"));
    go(0);
    draft_append_part(&draft, &walk, SPAN("\r\ny"));
    must_hold_at(type, SPAN("--a \"b;\r\n\r\nx\r\n--a \"b;\r\n\r\ny\r\n--a \"b;--"), __LINE__);
}
END_TEST

#define NESTED "--b\r\nContent-Type: multipart/alternative;boundary=in\r\n\r\n"

START_TEST(inner_parts_too)
{
    begin(NESTED "--in\r\n\r\nx\r\n--in--\r\n--b\r\n\r\ny\r\n--b--");
    go(1);
    draft_append_part(&draft, &walk, SPAN("\r\nz"));
    go(2);
    draft_set_content(&draft, &walk, SPAN("xx"));
    draft_insert_part(&draft, &walk, SPAN("\r\nw"));
    must_become(
        NESTED
        "--in\r\n\r\nw\r\n--in\r\n\r\nxx\r\n--in\r\n\r\nz\r\n--in--\r\n--b\r\n\r\ny\r\n--b--");
    begin(NESTED "--in\r\n\r\nx\r\n--b--"); /* the inner one is open */
    go(1);
    draft_append_part(&draft, &walk, SPAN("\r\nz"));
    must_become(NESTED "--in\r\n\r\nx\r\n--in\r\n\r\nz\r\n--b--");
}
END_TEST

/* Bytes that would end a multipart around them are refused. */
START_TEST(delimiters_are_refused)
{
    static const char *const bad[] = { "--b", "x\r\n--b--\r\n", "x\n--in \r\ny", "--in--" };

    for (size_t i = 0; i < countof(bad); i++) {
        begin(NESTED "--in\r\n\r\nx\r\n--in--\r\n--b--");
        go(2);
        draft_set_content(&draft, &walk, span_of(bad[i]));
        must_fail(SIPD_EINVAL);
        draft_init(&draft, &msg, &arena);
        draft_set_part(&draft, &walk, span_of(bad[i]));
        must_fail(SIPD_EINVAL);
        draft_init(&draft, &msg, &arena);
        draft_insert_part(&draft, &walk, span_of(bad[i]));
        must_fail(SIPD_EINVAL);
        draft_init(&draft, &msg, &arena);
        go(1);
        draft_append_part(&draft, &walk, span_of(bad[i]));
        must_fail(SIPD_EINVAL);
    }
    /* its own would be the outer one's */
    begin("--b\r\nContent-Type: multipart/mixed;boundary=b\r\n\r\n\r\n--b--");
    go(1);
    draft_append_part(&draft, &walk, SPAN("\r\nx"));
    must_fail(SIPD_EINVAL);
    begin(NESTED "--in\r\n\r\nx\r\n--in--\r\n--b--");
    go(0);
    draft_append_part(&draft, &walk, SPAN("\r\n--in\r\n"));
    must_fail(SIPD_OK);
}
END_TEST

START_TEST(what_is_not_there_is_not_edited)
{
    begin_as("c: application/sdp\r\n", SPAN("v=0\r\n"));
    go(0);
    draft_append_part(&draft, &walk, SPAN("\r\nx"));
    must_fail(SIPD_ENOENT);
    draft_init(&draft, &msg, &arena);
    draft_insert_part(&draft, &walk, SPAN("\r\nx"));
    must_fail(SIPD_ENOENT);
    draft_init(&draft, &msg, &arena);
    ck_assert(!mime_walk_next(&walk));
    draft_drop_part(&draft, &walk);
    must_fail(SIPD_ENOENT);
    draft_init(&draft, &msg, &arena);
    draft_set_content(&draft, &walk, SPAN("x"));
    must_fail(SIPD_ENOENT);
    begin("--b\r\n" TYPE "--b--"); /* a head that never ends */
    go(1);
    draft_append_part(&draft, &walk, SPAN("\r\nx"));
    must_fail(SIPD_ENOENT);
    msg = read_text("INFO sip:a SIP/2.0\r\nContent-Type: a/b\r\n"); /* no empty line, no body */
    draft_init(&draft, &msg, &arena);
    go(0);
    draft_set_content(&draft, &walk, SPAN("x"));
    must_fail(SIPD_ENOENT);
}
END_TEST

START_TEST(a_body_becomes_another)
{
    begin_as("Content-Disposition: session\r\nc: application/sdp\r\nSubject: s\r\n",
             SPAN("v=0\r\n"));
    draft_set_body(&draft, SPAN("text/plain"), SPAN("hello, all"));
    must_hold_at("c: text/plain\r\nSubject: s\r\n", SPAN("hello, all"), __LINE__);
    draft_set_body(&draft, SPAN("text/plain"), SPAN("again"));
    must_fail(SIPD_ECLASH);
    begin_as("Subject: s\r\n", SPAN(""));
    draft_set_body(&draft, SPAN("text/plain"), SPAN("hello"));
    must_be(msg_bytes(&(struct msg){ rendered().bytes, rendered().len, .status = 0 }),
            START "Subject: s\r\nContent-Length: 5\r\nContent-Type: text/plain\r\n\r\nhello");
}
END_TEST

START_TEST(a_body_is_wrapped)
{
    struct mime_walk now_walk;
    struct span value;
    struct msg now;

    begin_as("c: application/sdp\r\nSubject: s\r\nContent-Disposition: session;\r\n "
             "handling=required\r\nContent-ID: <a@b>\r\n",
             SPAN("v=0\r\n"));
    draft_wrap_body(&draft,
                    draft_part(&draft, SPAN("application/ISUP"), SPAN("signal"), SPAN("\1\0")));
    now = rendered();
    must_be(span_head(msg_bytes(&now), 20 + 28), START "c: multipart/mixed;boundary=");
    ck_assert(!msg_get(&now, HDR_CONTENT_DISPOSITION, &value));
    ck_assert(msg_get(&now, HDR_SUBJECT, &value));
    mime_walk_msg(&now_walk, &now);
    ck_assert(mime_walk_next(&now_walk) && mime_walk_next(&now_walk));
    must_be(now_walk.part.whole,
            "Content-Type: application/sdp\r\nContent-Disposition: session;   handling=required\r\n"
            "Content-ID: <a@b>\r\n\r\nv=0\r\n");
    ck_assert(mime_walk_next(&now_walk));
    must_be_at(now_walk.part.content, SPAN("\1\0"), __LINE__);
    ck_assert(mime_type_is(&now_walk.part.type, SPAN("application/isup")));
    ck_assert(!mime_walk_next(&now_walk));
    draft_wrap_body(&draft, SPAN("\r\nx"));
    must_fail(SIPD_ECLASH);
    begin_as("", SPAN(""));
    draft_wrap_body(&draft, SPAN("\r\nx"));
    must_fail(SIPD_ENOENT);
}
END_TEST

/* The boundary that these bytes would get stands in them already. */
START_TEST(a_boundary_that_was_foreseen)
{
    struct mime_walk now_walk;
    struct msg now;
    struct span type;
    char line[64];

    begin_as("", SPAN("x"));
    draft_wrap_body(&draft, SPAN("\r\ny"));
    now = rendered();
    ck_assert(msg_get(&now, HDR_CONTENT_TYPE, &type));
    snprintf(line, sizeof line, "\r\n--%.*s\r\n", 16, span_end(type) - 16);
    draft_init(&draft, &msg, &arena);
    draft_wrap_body(&draft, span_of(line));
    now = rendered();
    mime_walk_msg(&now_walk, &now);
    ck_assert(mime_walk_next(&now_walk) && mime_walk_next(&now_walk));
    must_be(now_walk.part.content, "x");
    ck_assert(mime_walk_next(&now_walk));
    must_be(now_walk.part.whole, line);
}
END_TEST

/* As it was written, when it does not change; everywhere, when it does; and nowhere, when it was not there. */
START_TEST(content_length)
{
    struct msg now;

    msg = read_text(START "c: application/sdp\r\nl: 0005\r\nContent-Length : 5\r\n\r\nv=0\r\n");
    draft_init(&draft, &msg, &arena);
    go(0);
    draft_set_content(&draft, &walk, SPAN("v=1\r\n"));
    now = rendered();
    must_be(msg_bytes(&now),
            START "c: application/sdp\r\nl: 0005\r\nContent-Length : 5\r\n\r\nv=1\r\n");
    draft_init(&draft, &msg, &arena);
    draft_set_content(&draft, &walk, SPAN("v=10\r\n"));
    now = rendered();
    must_be(msg_bytes(&now),
            START "c: application/sdp\r\nl: 6\r\nContent-Length : 6\r\n\r\nv=10\r\n");
    msg = read_text(START "c: application/sdp\r\n\r\nv=0\r\n");
    draft_init(&draft, &msg, &arena);
    go(0);
    draft_set_content(&draft, &walk, SPAN("v=10\r\n"));
    now = rendered();
    must_be(msg_bytes(&now), START "c: application/sdp\r\n\r\nv=10\r\n");
}
END_TEST

/* Edits of the head and of the body do not know of each other. */
START_TEST(beside_other_edits)
{
    struct msg now;

    begin("--b\r\n\r\nx\r\n--b--");
    draft_set_uri(&draft, SPAN("sip:elsewhere"));
    go(1);
    draft_set_content(&draft, &walk, SPAN("yy"));
    draft_add_header(&draft, SPAN("X"), SPAN("1"));
    draft_insert_part(&draft, &walk, SPAN("\r\n"));
    now = rendered();
    must_be(msg_bytes(&now),
            "INFO sip:elsewhere SIP/2.0\r\n" TYPE "Content-Length: 25\r\nX: 1\r\n\r\n"
            "--b\r\n\r\n\r\n--b\r\n\r\nyy\r\n--b--");
}
END_TEST

static void
wrap(void)
{
    draft_wrap_body(&draft, draft_part(&draft, SPAN("a/b"), SPAN(""), SPAN("x")));
}

static void
append(void)
{
    go(0);
    draft_append_part(&draft, &walk, SPAN("\r\nx"));
}

/* Wherever memory runs out, the draft tells it and nothing breaks. */
static void
check_ladder(void (*edit)(void))
{
    unsigned failures = 0, good = 0;

    for (size_t bytes = 0; bytes < 2048; bytes += 8) {
        struct arena small;
        struct span out;

        arena_init(&small, bytes);
        draft_init(&draft, &msg, &small);
        edit();
        ck_assert(draft.err == SIPD_OK || draft.err == SIPD_ENOMEM);
        ck_assert_int_eq(draft_render(&draft, &arena, &out), draft.err);
        failures += draft.err != SIPD_OK;
        good += draft.err == SIPD_OK;
        arena_fini(&small);
    }
    ck_assert_uint_gt(failures, 8);
    ck_assert_uint_gt(good, 8);
}

START_TEST(memory_runs_out)
{
    begin_as("c: application/sdp\r\n", SPAN("v=0\r\n"));
    check_ladder(wrap);
    begin_as("c: multipart/mixed;boundary=\"a\\b\"\r\n", SPAN("--ab--"));
    check_ladder(append);
}
END_TEST

/* After a failure no edit does anything. */
START_TEST(the_first_failure_stays)
{
    begin_as("c: application/sdp\r\n", SPAN("v=0\r\n"));
    draft_wrap_body(&draft, SPAN(""));
    draft_wrap_body(&draft, SPAN(""));
    must_fail(SIPD_ECLASH);
    wrap();
    append();
    draft_drop_part(&draft, &walk);
    must_fail(SIPD_ECLASH);
}
END_TEST

Suite *
suite_draft_body(void)
{
    Suite *s = suite_create("draft_body");
    TCase *c = message_case("edits");

    tcase_add_test(c, content_is_set);
    tcase_add_test(c, content_of_a_plain_body);
    tcase_add_test(c, content_where_there_was_no_empty_line);
    tcase_add_test(c, content_that_ends_with_cr);
    tcase_add_test(c, parts_are_replaced);
    tcase_add_test(c, replaced_by_itself_is_no_edit);
    tcase_add_test(c, parts_are_dropped);
    tcase_add_test(c, a_body_is_dropped_with_its_fields);
    tcase_add_test(c, parts_are_added);
    tcase_add_test(c, parts_are_added_beside_others_that_go);
    tcase_add_test(c, parts_are_added_at_an_open_end);
    tcase_add_test(c, quoted_boundaries_are_written_plain);
    tcase_add_test(c, inner_parts_too);
    tcase_add_test(c, delimiters_are_refused);
    tcase_add_test(c, what_is_not_there_is_not_edited);
    tcase_add_test(c, a_body_becomes_another);
    tcase_add_test(c, a_body_is_wrapped);
    tcase_add_test(c, a_boundary_that_was_foreseen);
    tcase_add_test(c, content_length);
    tcase_add_test(c, beside_other_edits);
    tcase_add_test(c, memory_runs_out);
    tcase_add_test(c, the_first_failure_stays);
    suite_add_tcase(s, c);
    return s;
}
