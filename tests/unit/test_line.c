/*
 * Lines as we write them: no value can forge a field (RFC 3261 §7.3.1).
 */
#include "sip/line.h"

#include "unit/message.h"

START_TEST(into_room)
{
    char to[32];

    must_be(span_between(to, line_write(to, SPAN("A"), SPAN("b c"))), "A: b c\r\n");
    ck_assert_uint_eq(line_bytes(SPAN("A"), SPAN("b c")), 8);
    must_be(span_between(to, line_write(to, SPAN(""), SPAN(""))), ": \r\n");
    must_be(span_between(to, line_write(to, SPAN("A"), SPAN("\r\n b\n\nC: d\r"))),
            "A:    b  C: d \r\n");
    must_be(span_between(to, line_text_write(to, SPAN("\n"))), " ");
    ck_assert_ptr_eq(line_text_write(to, (struct span){ NULL, 0 }), to);
}
END_TEST

/* Texts of every length around those that go by words, a line end at every place. */
START_TEST(line_ends_anywhere)
{
    char text[80], to[81];

    for (size_t len = 1; len < sizeof text; len++)
        for (size_t at = 0; at < len; at++)
            for (unsigned kind = 0; kind < 4; kind++) {
                memset(text, kind & 1 ? 'x' : '\xc3',
                       len); /* a byte that looks low to a quick look */
                text[at] = kind & 2 ? '\r' : '\n';
                memset(to, '!', sizeof to);
                must(line_text_write(to, (struct span){ text, len }) == to + len);
                text[at] = ' ';
                must(memcmp(to, text, len) == 0 && to[len] == '!');
                text[at] = '\t';
                line_text_write(to, (struct span){ text, len });
                must(memcmp(to, text, len) == 0);
            }
}
END_TEST

START_TEST(into_a_buffer)
{
    struct buf b;

    buf_init(&b, 12);
    line_put(&b, SPAN("A"), SPAN("b\rc"));
    line_text_put(&b, SPAN("x\ny"));
    must_be(buf_span(&b), "A: b c\r\nx y");
    line_text_put(&b, SPAN("more"));
    line_put(&b, SPAN("A"), SPAN("b"));
    ck_assert_int_eq(b.err, SIPD_ETOOBIG);
    must_be(buf_span(&b), "A: b c\r\nx y");
    buf_fini(&b);
}
END_TEST

Suite *
suite_line(void)
{
    Suite *s = suite_create("line");
    TCase *c = message_case("line");

    tcase_add_test(c, into_room);
    tcase_add_test(c, line_ends_anywhere);
    tcase_add_test(c, into_a_buffer);
    suite_add_tcase(s, c);
    return s;
}
