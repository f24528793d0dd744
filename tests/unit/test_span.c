/*
 * The questions one asks of a span, the empty one and the NUL byte included.
 */
#include "base/span.h"

#include <check.h>
#include <stdio.h>

static const struct span nothing = { NULL, 0 };

/* Same bytes as the text? */
static bool
is(struct span s, const char *text)
{
    return span_eq(s, span_of(text));
}

START_TEST(spans_are_made)
{
    const char *text = "abc";
    struct span s = span_between(text + 1, text + 3);

    ck_assert_uint_eq(SPAN("a\0b").len, 3);
    ck_assert_uint_eq(SPAN("").len, 0);
    ck_assert_uint_eq(span_of("abc").len, 3);
    ck_assert_uint_eq(span_of(NULL).len, 0);
    ck_assert(is(s, "bc"));
    ck_assert_ptr_eq(span_end(s), text + 3);
    ck_assert_ptr_null(span_end(nothing));
}
END_TEST

START_TEST(spans_are_written)
{
    char from[100], to[101];

    for (size_t i = 0; i < sizeof from; i++)
        from[i] = (char)('A' + i % 50);
    for (size_t len = 0; len <= sizeof from; len++) {
        memset(to, '!', sizeof to);
        ck_assert_ptr_eq(span_write(to, (struct span){ from, len }), to + len);
        ck_assert(memcmp(to, from, len) == 0 && to[len] == '!');
    }
    ck_assert_ptr_eq(span_write(to, (struct span){ NULL, 0 }), to);
}
END_TEST

START_TEST(spans_print)
{
    char out[16];

    snprintf(out, sizeof out, "<%.*s|%.*s>", SPAN_ARG(SPAN("abc")), SPAN_ARG(nothing));
    ck_assert_str_eq(out, "<abc|>");
}
END_TEST

START_TEST(bytes_decide_equality)
{
    ck_assert(span_eq(SPAN("a\0b"), SPAN("a\0b")));
    ck_assert(!span_eq(SPAN("a\0b"), SPAN("a\0c")));
    ck_assert(!span_eq(SPAN("ab"), SPAN("abc")));
    ck_assert(!span_eq(SPAN("ab"), SPAN("aB")));
    ck_assert(span_eq(nothing, SPAN("")));
}
END_TEST

START_TEST(bytes_decide_order)
{
    ck_assert_int_eq(span_order(SPAN("ab"), SPAN("ab")), 0);
    ck_assert_int_eq(span_order(nothing, SPAN("")), 0);
    ck_assert_int_lt(span_order(nothing, SPAN("a")), 0);
    ck_assert_int_lt(span_order(SPAN("a"), SPAN("ab")), 0);
    ck_assert_int_gt(span_order(SPAN("b"), SPAN("ab")), 0);
    ck_assert_int_gt(span_order(SPAN("\xff"), SPAN("a")), 0);
    ck_assert_int_lt(span_order(SPAN("a\0b"), SPAN("a\0c")), 0);
}
END_TEST

START_TEST(only_ascii_letters_have_case)
{
    for (int c = 0; c < 256; c++) {
        bool upper = c >= 'A' && c <= 'Z';

        ck_assert_int_eq((unsigned char)span_lower((char)c), upper ? c + 32 : c);
    }
    ck_assert(span_ieq(SPAN("INVITE"), SPAN("iNvItE")));
    ck_assert(span_ieq(nothing, SPAN("")));
    ck_assert(!span_ieq(SPAN("INVITE"), SPAN("INVIT")));
    ck_assert(!span_ieq(SPAN("@"), SPAN("`")));
    ck_assert(!span_ieq(SPAN("["), SPAN("{")));
    ck_assert(!span_ieq(SPAN("\xc4"), SPAN("\xe4")));
}
END_TEST

START_TEST(heads_and_tails)
{
    struct span s = SPAN("abc");

    ck_assert(span_starts(s, SPAN("ab")));
    ck_assert(span_starts(s, s));
    ck_assert(span_starts(s, nothing));
    ck_assert(span_starts(nothing, nothing));
    ck_assert(!span_starts(s, SPAN("abcd")));
    ck_assert(!span_starts(s, SPAN("b")));
    ck_assert(is(span_skip(s, 1), "bc"));
    ck_assert(is(span_skip(s, 3), ""));
    ck_assert(is(span_skip(s, SIZE_MAX), ""));
    ck_assert_ptr_eq(span_skip(s, 9).at, s.at + 3);
    ck_assert(is(span_skip(nothing, 1), ""));
    ck_assert(is(span_head(s, 2), "ab"));
    ck_assert(is(span_head(s, SIZE_MAX), "abc"));
}
END_TEST

START_TEST(a_byte_is_found_or_not)
{
    ck_assert_uint_eq(span_find(SPAN("a\0b"), 'b'), 2);
    ck_assert_uint_eq(span_find(SPAN("a\0b"), '\0'), 1);
    ck_assert_uint_eq(span_find(SPAN("aba"), 'a'), 0);
    ck_assert_uint_eq(span_find(SPAN("abc"), 'x'), 3);
    ck_assert_uint_eq(span_find(nothing, 'x'), 0);
}
END_TEST

START_TEST(white_space_is_trimmed)
{
    ck_assert(is(span_trim(SPAN(" \t\r\n a b \r\n ")), "a b"));
    ck_assert(is(span_trim(SPAN("\f\v")), "\f\v"));
    ck_assert(is(span_trim(SPAN(" \t ")), ""));
    ck_assert(is(span_trim(nothing), ""));
}
END_TEST

START_TEST(pieces_are_cut_off)
{
    struct span rest = SPAN("a;;b");

    ck_assert(is(span_cut(&rest, ';'), "a"));
    ck_assert(is(rest, ";b"));
    ck_assert(is(span_cut(&rest, ';'), ""));
    ck_assert(is(span_cut(&rest, ';'), "b"));
    ck_assert(is(rest, ""));
    ck_assert(is(span_cut(&rest, ';'), ""));
    rest = SPAN("a;");
    ck_assert(is(span_cut(&rest, ';'), "a"));
    ck_assert(is(rest, ""));
}
END_TEST

START_TEST(numbers_are_read_or_left_alone)
{
    const char *const wrong[] = {
        "", "-1", "+1", " 1", "1 ", "1a", "0x1", "18446744073709551616", "99999999999999999999999"
    };
    uint64_t n = 7;

    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        ck_assert(!span_u64(span_of(wrong[i]), UINT64_MAX, &n));
    ck_assert(!span_u64(nothing, UINT64_MAX, &n));
    ck_assert(!span_u64(SPAN("101"), 100, &n));
    ck_assert_uint_eq(n, 7);
    ck_assert(span_u64(SPAN("100"), 100, &n) && n == 100);
    ck_assert(span_u64(SPAN("000000000000000000000000042"), 100, &n) && n == 42);
    ck_assert(span_u64(SPAN("18446744073709551615"), UINT64_MAX, &n) && n == UINT64_MAX);
}
END_TEST

START_TEST(small_numbers_fit_32_bits)
{
    uint32_t n = 7;

    ck_assert(!span_u32(SPAN("4294967296"), UINT32_MAX, &n));
    ck_assert(!span_u32(SPAN("x"), UINT32_MAX, &n));
    ck_assert_uint_eq(n, 7);
    ck_assert(span_u32(SPAN("4294967295"), UINT32_MAX, &n) && n == UINT32_MAX);
    ck_assert(!span_u32(SPAN("65536"), UINT16_MAX, &n));
}
END_TEST

Suite *
suite_span(void)
{
    Suite *suite = suite_create("span");
    TCase *all = tcase_create("all");

    tcase_add_test(all, spans_are_made);
    tcase_add_test(all, spans_are_written);
    tcase_add_test(all, spans_print);
    tcase_add_test(all, bytes_decide_equality);
    tcase_add_test(all, bytes_decide_order);
    tcase_add_test(all, only_ascii_letters_have_case);
    tcase_add_test(all, heads_and_tails);
    tcase_add_test(all, a_byte_is_found_or_not);
    tcase_add_test(all, white_space_is_trimmed);
    tcase_add_test(all, pieces_are_cut_off);
    tcase_add_test(all, numbers_are_read_or_left_alone);
    tcase_add_test(all, small_numbers_fit_32_bits);
    suite_add_tcase(suite, all);
    return suite;
}
