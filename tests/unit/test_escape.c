/*
 * Escaped text: taken apart, compared by three rules, written up to a ceiling (RFC 3261 §19.1.4, RFC 3966 §4).
 */
#include "sip/escape.h"

#include "base/err.h"
#include "unit/text.h"

START_TEST(letters)
{
    struct span text = SPAN("a%41%2b%4%zz%%20");
    const struct escape_letter want[] = {
        { 'a', false, false }, { 'A', true, false },  { '+', true, true },   { '%', false, false },
        { '4', false, false }, { '%', false, false }, { 'z', false, false }, { 'z', false, false },
        { '%', false, false }, { ' ', true, false },
    };

    for (size_t i = 0; i < sizeof want / sizeof want[0]; i++) {
        struct escape_letter got = escape_next(&text);

        ck_assert_int_eq(got.byte, want[i].byte);
        ck_assert(got.escaped == want[i].escaped && got.fixed == want[i].fixed);
    }
    ck_assert_uint_eq(text.len, 0);
}
END_TEST

START_TEST(rules)
{
    ck_assert(escape_eq(SPAN("%61"), SPAN("a"), ESCAPE_CASE));
    ck_assert(!escape_eq(SPAN("%61"), SPAN("A"), ESCAPE_CASE));
    ck_assert(escape_eq(SPAN("%61"), SPAN("A"), ESCAPE_FOLD));
    ck_assert(!escape_eq(SPAN("1-2"), SPAN("12"), ESCAPE_FOLD));
    ck_assert(escape_eq(SPAN("1%2D(2).a-"), SPAN("12A"), ESCAPE_NUMBER));
    ck_assert(!escape_eq(SPAN("12"), SPAN("123"), ESCAPE_NUMBER));
    ck_assert(escape_eq(SPAN("-"), SPAN(""), ESCAPE_NUMBER));
    ck_assert(!escape_eq(SPAN("%3B"), SPAN(";"), ESCAPE_CASE));
    ck_assert(escape_eq(SPAN("%3B"), SPAN("%3b"), ESCAPE_CASE));
    ck_assert(escape_eq(SPAN(""), (struct span){ NULL, 0 }, ESCAPE_CASE));
}
END_TEST

START_TEST(texts_have_an_order)
{
    static const char *const ordered[] = { "", "%00", "+", "%2B", "A", "AB", "B", "a", "~", "%ff" };

    for (size_t i = 0; i < sizeof ordered / sizeof ordered[0]; i++)
        for (size_t j = 0; j < sizeof ordered / sizeof ordered[0]; j++) {
            int order = escape_order(span_of(ordered[i]), span_of(ordered[j]), ESCAPE_CASE);

            must_for(span_of(ordered[i]), (order < 0) == (i < j) && (order > 0) == (i > j));
        }
    ck_assert_int_eq(escape_order(SPAN("%41b"), SPAN("aB"), ESCAPE_FOLD), 0);
    ck_assert_int_lt(escape_order(SPAN("1-2"), SPAN("1.3"), ESCAPE_NUMBER), 0);
}
END_TEST

START_TEST(escapes_are_undone)
{
    char to[] = "........";

    ck_assert_int_eq(escape_undo(SPAN("%41%3b%4%00"), to, 5), 5);
    ck_assert_int_eq(memcmp(to, "A;%4\0...", 8), 0);
    ck_assert_int_eq(escape_undo(SPAN("abcdef"), to, 5), SIPD_ETOOBIG);
    ck_assert_int_eq(to[5], '.');
    ck_assert_int_eq(escape_undo(SPAN(""), NULL, 0), 0);
}
END_TEST

START_TEST(classes)
{
    ck_assert(escape_all(SPAN("ab%00c"), CHARS_ALPHA));
    ck_assert(!escape_all(SPAN("ab%0"), CHARS_ALPHA));
    ck_assert(!escape_all(SPAN("ab1"), CHARS_ALPHA));
    ck_assert(escape_all(SPAN(""), CHARS_ALPHA));
}
END_TEST

START_TEST(writes_up_to_its_room)
{
    char to[] = "........";
    struct escape_out out = { to, 6, 0 };

    escape_put(&out, 'A');
    escape_put_hex(&out, '\xe9');
    escape_put_lower(&out, SPAN("Bc"));
    ck_assert_int_eq(escape_done(&out), 6);
    must_text(span_head(span_of(to), 8), "A%E9bc..");
    escape_put(&out, 'd');
    ck_assert_int_eq(escape_done(&out), SIPD_ETOOBIG);
    must_text(span_head(span_of(to), 8), "A%E9bc..");
}
END_TEST

Suite *
suite_escape(void)
{
    Suite *s = suite_create("escape");
    TCase *c = tcase_create("escape");

    tcase_add_test(c, letters);
    tcase_add_test(c, rules);
    tcase_add_test(c, texts_have_an_order);
    tcase_add_test(c, escapes_are_undone);
    tcase_add_test(c, classes);
    tcase_add_test(c, writes_up_to_its_room);
    suite_add_tcase(s, c);
    return s;
}
