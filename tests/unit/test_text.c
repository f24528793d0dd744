/*
 * What others wrote, made fit for a terminal, measured and wrapped.
 */
#include "sipctl/text.h"

#include "unit/heap.h"
#include "unit/text.h"

struct put_case {
    const char *text, *shown;
    size_t places;
};

static const struct put_case puts_[] = {
    { "", "", 0 },
    { "plain: 100% %s", "plain: 100% %s", 14 },
    { "a\tb\nc\rd", "a b c?d", 7 },
    { "\033[31mred\033[0m", "?[31mred?[0m", 12 },
    { "\007\b\x7f", "???", 3 },
    { "caf\xc3\xa9", "caf\xc3\xa9", 4 },
    { "\xc2\x9b"
      "2J",
      "?2J", 3 }, /* CSI, of one character */
    { "\xe2\x80\xae"
      "evil",
      "?evil", 5 },                          /* right to left from here on */
    { "\xe2\x80\x8b\xef\xbb\xbf", "??", 2 }, /* not to be seen */
    { "e\xcc\x81", "e\xcc\x81", 1 },         /* an accent of its own */
    { "\xe6\xbc\xa2\xe5\xad\x97", "\xe6\xbc\xa2\xe5\xad\x97", 4 },
    { "\xff\xc0\x80\xe2\x82", "?????", 5 }, /* no UTF-8: a wrong byte, too long, cut short */
    { "\xed\xa0\x80", "???", 3 },           /* half of a UTF-16 pair */
    { "\xf4\x90\x80\x80", "????", 4 },      /* past the last character */
    { "\x80", "?", 1 },
};

START_TEST(what_is_shown_is_no_command)
{
    const struct put_case *c = &puts_[_i];
    struct buf out;

    buf_init(&out, 1000);
    text_put(&out, span_of(c->text));
    must_text(buf_span(&out), c->shown);
    ck_assert_uint_eq(text_places(buf_span(&out)), c->places);
    buf_clear(&out);
    text_put(&out, span_of(c->shown));
    must_text(buf_span(&out), c->shown);
    buf_fini(&out);
}
END_TEST

START_TEST(a_nul_is_shown_too)
{
    struct buf out;

    buf_init(&out, 1000);
    text_put(&out, SPAN("a\0b"));
    must_text(buf_span(&out), "a?b");
    buf_fini(&out);
}
END_TEST

START_TEST(no_character_is_torn)
{
    must_text(text_head(SPAN("caf\xc3\xa9s"), 4), "caf\xc3\xa9");
    must_text(text_head(SPAN("\xe6\xbc\xa2\xe5\xad\x97"), 3), "\xe6\xbc\xa2");
    must_text(text_head(SPAN("\xe6\xbc\xa2"), 1), "");
    must_text(text_head(SPAN("e\xcc\x81x"), 1), "e\xcc\x81");
    must_text(text_head(SPAN("abc"), 9), "abc");
}
END_TEST

START_TEST(lines_break_at_blanks)
{
    struct span rest = SPAN("  one two  three fourteen-letters ");

    must_text(text_line(&rest, 8), "one two");
    must_text(text_line(&rest, 8), "three");
    must_text(text_line(&rest, 8), "fourteen");
    must_text(text_line(&rest, 8), "-letters");
    must_text(text_line(&rest, 8), "");
}
END_TEST

START_TEST(a_word_that_just_fits_stays)
{
    struct span rest = SPAN("one two");

    must_text(text_line(&rest, 3), "one");
    must_text(text_line(&rest, 3), "two");
    must(rest.len == 0);
}
END_TEST

Suite *
suite_text(void)
{
    Suite *suite = suite_create("text");
    TCase *all = heap_case("all");

    tcase_add_loop_test(all, what_is_shown_is_no_command, 0, (int)countof(puts_));
    tcase_add_test(all, a_nul_is_shown_too);
    tcase_add_test(all, no_character_is_torn);
    tcase_add_test(all, lines_break_at_blanks);
    tcase_add_test(all, a_word_that_just_fits_stays);
    suite_add_tcase(suite, all);
    return suite;
}
