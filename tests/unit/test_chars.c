/*
 * Classes of bytes, once as a table and once as sets, and the walks that know quotes (RFC 3261 §25.1).
 */
#include "sip/chars.h"

#include "base/def.h"
#include "unit/message.h"

static size_t
run_of(char byte, const struct scan_set *set)
{
    return scan_run((struct span){ &byte, 1 }, set);
}

START_TEST(sets_are_the_classes)
{
    for (unsigned c = 0; c < 256; c++) {
        must(run_of((char)c, &chars_token) == chars_is((char)c, CHARS_TOKEN));
        must(run_of((char)c, &chars_host) == chars_is((char)c, CHARS_HOST));
        must(run_of((char)c, &chars_call_id) ==
             (c > ' ' && c < 0x7f && !strchr("#$&,;=^|", (int)c)));
        must(run_of((char)c, &chars_uri) ==
             (c > ' ' && c < 0x7f && !strchr("\"#<>\\^`{|}", (int)c)));
        must(run_of((char)c, &chars_simple_uri) ==
             (run_of((char)c, &chars_uri) && c != '?' && c != ';'));
        must(run_of((char)c, &chars_user) == (chars_is((char)c, CHARS_USER) && c != ':'));
        must(run_of((char)c, &chars_plain_user) ==
             (chars_is((char)c, CHARS_UNRESERVED) || c == '+'));
        must(run_of((char)c, &chars_plain_host) == (chars_is((char)c, CHARS_HOST) && c != '_' &&
                                                    c == (unsigned char)span_lower((char)c)));
    }
}
END_TEST

START_TEST(quoted_strings)
{
    static const struct {
        const char *text;
        size_t len;
    } cases[] = {
        { "\"\"", 2 }, { "\"a\"b", 3 }, { "\"a\\\"b\"c", 6 }, { "\"a\\\\\"", 5 },
        { "\"", 0 },   { "\"a", 0 },    { "\"a\\\"", 0 },     { "\"a\\", 0 },
    };

    for (size_t i = 0; i < countof(cases); i++)
        ck_assert_uint_eq(chars_quoted(guarded(span_of(cases[i].text))), cases[i].len);
}
END_TEST

START_TEST(found_outside_of_quotes)
{
    static const struct {
        const char *text;
        size_t at;
    } cases[] = {
        { "", 0 },
        { "abc", 3 },
        { "a,b;", 1 },
        { "a;b,", 1 },
        { "\",;\";", 4 },
        { "a\"\"\"\\\",\"b,", 9 },
        { "a\"b;", CHARS_OPEN },
        { ",\"", 0 },
    };

    for (size_t i = 0; i < countof(cases); i++)
        ck_assert_uint_eq(chars_find(guarded(span_of(cases[i].text)), ',', ';'), cases[i].at);
}
END_TEST

Suite *
suite_chars(void)
{
    Suite *s = suite_create("chars");
    TCase *c = message_case("chars");

    tcase_add_test(c, sets_are_the_classes);
    tcase_add_test(c, quoted_strings);
    tcase_add_test(c, found_outside_of_quotes);
    suite_add_tcase(s, c);
    return s;
}
