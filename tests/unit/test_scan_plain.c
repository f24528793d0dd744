/*
 * The plain scanner, which is what every other one is held against: lines, colons, the end of a head.
 */
#include "scan/scan.h"

#include "unit/message.h"

static size_t
lines_of(const char *text, uint32_t from, struct scan_line *out, size_t room)
{
    bool odd = false;

    return scan_plain.lines(guarded(span_of(text)), from, out, room, &odd);
}

static bool
is_odd(const char *text, size_t room)
{
    struct scan_line lines[8];
    bool odd = false;

    (void)scan_plain.lines(guarded(span_of(text)), 0, lines, room, &odd);
    return odd;
}

START_TEST(lines_and_first_colons)
{
    struct scan_line lines[8];

    ck_assert_uint_eq(lines_of("a:b:c\r\nno\nlast", 0, lines, 8), 2);
    ck_assert_uint_eq(lines[0].end, 7);
    ck_assert_uint_eq(lines[0].colon, 1);
    ck_assert_uint_eq(lines[1].end, 10);
    ck_assert_uint_eq(lines[1].colon, 9);
}
END_TEST

START_TEST(an_empty_line_is_the_last)
{
    struct scan_line lines[8];

    ck_assert_uint_eq(lines_of("a\r\n\r\nbody\r\n", 0, lines, 8), 2);
    ck_assert_uint_eq(lines[1].end, 5);
    ck_assert_uint_eq(lines_of("a\n\nbody\n", 0, lines, 8), 2);
    ck_assert_uint_eq(lines[1].end, 3);
    ck_assert_uint_eq(lines_of("a\n\rb\nc\n", 0, lines, 8), 3);
}
END_TEST

START_TEST(goes_on_where_room_ended)
{
    struct scan_line lines[2];

    ck_assert_uint_eq(lines_of("a\nb\nc:\n", 0, lines, 2), 2);
    ck_assert_uint_eq(lines_of("a\nb\nc:\n", lines[1].end, lines, 2), 1);
    ck_assert_uint_eq(lines[0].colon, 5);
    ck_assert_uint_eq(lines[0].end, 7);
}
END_TEST

START_TEST(nothing_to_find)
{
    struct scan_line lines[2];
    bool odd = false;

    ck_assert_uint_eq(lines_of("", 0, lines, 2), 0);
    ck_assert_uint_eq(lines_of("no end: here\r", 0, lines, 2), 0);
    ck_assert_uint_eq(lines_of("x\n", 2, lines, 2), 0);
    ck_assert_uint_eq(scan_plain.lines((struct span){ NULL, 0 }, 0, lines, 2, &odd), 0);
    ck_assert(!odd);
}
END_TEST

START_TEST(line_ends_that_are_odd)
{
    ck_assert(is_odd("a\rb\r\nc\r\n", 8));
    ck_assert(is_odd("a\r\nb\r\r\n", 8));
    ck_assert(is_odd("\r\r\n", 8));
    ck_assert(is_odd("a\nb\r\n\r\n", 8));
    ck_assert(is_odd("a\r\n\n", 8));
    ck_assert(is_odd("a\x1f\r\n", 8));
    ck_assert(is_odd("a\r\n\x0b\r\n", 8));
    ck_assert(!is_odd("\ta \x7f\x80\xff\r\n", 8));
    ck_assert(!is_odd("a\r\nb\r\n", 8));
    ck_assert(!is_odd("a\r\n\r\n", 8));
    /* in no line that was found: behind the empty one, without an end, past the room */
    ck_assert(!is_odd("a\r\n\r\nb\rc\n", 8));
    ck_assert(!is_odd("a\r\nb\rc", 8));
    ck_assert(!is_odd("a\r\nb\rc\n", 1));
}
END_TEST

START_TEST(head_ends)
{
    static const struct {
        const char *text;
        size_t from, end;
    } cases[] = {
        { "a\r\nb\r\n\r\nbody", 0, 8 },
        { "a\n\nb", 0, 3 },
        { "a\r\n\n", 0, 4 },
        { "a\n\r\n", 0, 4 },
        { "a\r\nb\r\n\r\nbody", 5, 8 },
        { "a\r\nb\r\n\r\n", 6, 0 },
        { "a\r\n\r", 0, 0 },
        { "a\r\n\rx\n", 0, 0 },
        { "\r\n\r\n", 0, 4 },
        { "", 0, 0 },
        { "a\n", 0, 0 },
        { "a", 7, 0 },
    };

    for (size_t i = 0; i < countof(cases); i++)
        ck_assert_uint_eq(scan_plain.head_end(guarded(span_of(cases[i].text)), cases[i].from),
                          cases[i].end);
}
END_TEST

START_TEST(one_of_three)
{
    ck_assert_uint_eq(scan_plain.find(guarded(SPAN("a;b,c")), ',', ';', '"'), 1);
    ck_assert_uint_eq(scan_plain.find(guarded(SPAN("a;b,c")), ',', '<', 'c'), 3);
    ck_assert_uint_eq(scan_plain.find(guarded(SPAN("abc")), 'd', 'd', '\0'), 3);
    ck_assert_uint_eq(scan_plain.find((struct span){ NULL, 0 }, 'a', 'b', 'c'), 0);
}
END_TEST

START_TEST(runs_of_a_set)
{
    static const struct scan_set digits_and_a = {
        { [0] = 8, [1] = 8 | 16 | 64, [2] = 8, [9] = 8 }
    };

    ck_assert_uint_eq(scan_plain.run(guarded(SPAN("0129aA")), &digits_and_a), 6);
    ck_assert_uint_eq(scan_plain.run(guarded(SPAN("aab")), &digits_and_a), 2);
    ck_assert_uint_eq(scan_plain.run(guarded(SPAN("a\xb1")), &digits_and_a), 1);
    ck_assert_uint_eq(scan_plain.run(guarded(SPAN("3")), &digits_and_a), 0);
    ck_assert_uint_eq(scan_plain.run((struct span){ NULL, 0 }, &digits_and_a), 0);
}
END_TEST

START_TEST(chosen_by_name)
{
    ck_assert(scan_choose(SPAN("plain")));
    ck_assert_ptr_eq(scan_chosen, &scan_plain);
    ck_assert(!scan_choose(SPAN("abacus")));
    ck_assert_ptr_eq(scan_chosen, &scan_plain);
    ck_assert(scan_choose(SPAN("")));
}
END_TEST

Suite *
suite_scan_plain(void)
{
    Suite *s = suite_create("scan_plain");
    TCase *c = message_case("scan_plain");

    tcase_add_test(c, lines_and_first_colons);
    tcase_add_test(c, an_empty_line_is_the_last);
    tcase_add_test(c, goes_on_where_room_ended);
    tcase_add_test(c, nothing_to_find);
    tcase_add_test(c, line_ends_that_are_odd);
    tcase_add_test(c, head_ends);
    tcase_add_test(c, one_of_three);
    tcase_add_test(c, runs_of_a_set);
    tcase_add_test(c, chosen_by_name);
    suite_add_tcase(s, c);
    return s;
}
