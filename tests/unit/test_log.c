/*
 * Log lines: what they look like, and that no value can be taken for more than a value.
 */
#include "base/log.h"

#include <stdio.h>

#include "base/rand.h"
#include "unit/dies.h"
#include "unit/must.h"

struct sunk {
    char line[4096];
    size_t len;
    enum log_level level;
    int lines;
};

static struct sunk sunk;

static void
sink(void *self, enum log_level level, struct span line)
{
    struct sunk *s = self;

    must(line.len < sizeof s->line);
    memcpy(s->line, line.at, line.len);
    s->line[line.len] = '\0';
    s->len = line.len;
    s->level = level;
    s->lines++;
}

static const struct log all_levels = { LOG_LVL_DEBUG, sink, &sunk };

/* The line of an event with one value. */
static const char *
line_of(struct span value)
{
    log_spans(&all_levels, LOG_LVL_INFO, "event", "key", &value, NULL);
    return sunk.line;
}

/*
 * Reads back the value of "event key=value", as a tool that reads logs would; false if the line
 * holds anything else. Units: at most 4096 bytes at value.
 */
static bool
read_back(const char *line, char *value, size_t *len)
{
    const char *at = line + strlen("event key="), *found;
    bool quoted = *at == '"';

    *len = 0;
    if (strncmp(line, "event key=", strlen("event key=")) != 0)
        return false;
    for (at += quoted; *at && *at != '"'; at++) {
        unsigned byte = (unsigned char)*at;

        if (!quoted && strchr(" =", *at))
            return false;
        if (quoted && *at == '\\') {
            at++;
            if (*at == 'x' && sscanf(at + 1, "%2x", &byte) == 1)
                at += 2;
            else if (*at && (found = strchr("n\nr\rt\t\\\\\"\"", *at)) != NULL)
                byte = (unsigned char)found[1];
            else
                return false;
        }
        value[(*len)++] = (char)byte;
    }
    return quoted ? strcmp(at, "\"") == 0 : *at == '\0';
}

static void
check_value(struct span value)
{
    const char *line = line_of(value);
    char back[4096];
    size_t len;

    for (size_t i = 0; i < sunk.len; i++)
        must(line[i] >= ' ' && line[i] <= '~');
    must(read_back(line, back, &len));
    must(span_eq((struct span){ back, len }, value));
}

START_TEST(an_event_is_a_word_and_pairs)
{
    log_event(&all_levels, LOG_LVL_INFO, "bind", "transport", "udp", "port", "5060", NULL);
    ck_assert_str_eq(sunk.line, "bind transport=udp port=5060");
    ck_assert_int_eq(sunk.level, LOG_LVL_INFO);
    log_event(&all_levels, LOG_LVL_ERROR, "stop", NULL);
    ck_assert_str_eq(sunk.line, "stop");
    ck_assert_int_eq(sunk.level, LOG_LVL_ERROR);
    ck_assert_int_eq(sunk.lines, 2);
}
END_TEST

START_TEST(values_may_be_spans)
{
    const struct span method = SPAN("INVITE"), id = { "a b\0c", 5 };

    log_spans(&all_levels, LOG_LVL_WARN, "refuse", "method", &method, "call_id", &id, NULL);
    ck_assert_str_eq(sunk.line, "refuse method=INVITE call_id=\"a b\\x00c\"");
}
END_TEST

START_TEST(no_value_prints_empty)
{
    log_event(&all_levels, LOG_LVL_INFO, "e", "a", NULL, "b", "", "c", "d", NULL);
    ck_assert_str_eq(sunk.line, "e a= b= c=d");
    log_spans(&all_levels, LOG_LVL_INFO, "e", "a", NULL, "b", &(struct span){ NULL, 0 }, NULL);
    ck_assert_str_eq(sunk.line, "e a= b=");
}
END_TEST

START_TEST(a_line_above_the_level_is_not_made)
{
    const struct log warn = { LOG_LVL_WARN, sink, &sunk };
    const struct log deaf = { LOG_LVL_DEBUG, NULL, NULL };
    const struct span value = SPAN("v");

    log_event(&warn, LOG_LVL_INFO, "quiet", NULL);
    log_spans(&warn, LOG_LVL_DEBUG, "quiet", "k", &value, NULL);
    log_event(&deaf, LOG_LVL_ERROR, "quiet", NULL);
    log_spans(&deaf, LOG_LVL_ERROR, "quiet", "k", &value, NULL);
    ck_assert_int_eq(sunk.lines, 0);
    log_event(&warn, LOG_LVL_WARN, "loud", NULL);
    log_event(&warn, LOG_LVL_ERROR, "loud", NULL);
    ck_assert_int_eq(sunk.lines, 2);
    ck_assert(log_on(&warn, LOG_LVL_WARN));
    ck_assert(!log_on(&warn, LOG_LVL_INFO));
    ck_assert(!log_on(&deaf, LOG_LVL_ERROR));
}
END_TEST

START_TEST(plain_values_stay_plain)
{
    ck_assert_str_eq(line_of(SPAN("sip:bob@[::1]:5060;lr")), "event key=sip:bob@[::1]:5060;lr");
    ck_assert_str_eq(line_of(SPAN("a\\b'c")), "event key=a\\b'c");
}
END_TEST

START_TEST(odd_values_are_quoted)
{
    ck_assert_str_eq(line_of(SPAN("a b")), "event key=\"a b\"");
    ck_assert_str_eq(line_of(SPAN("a=b")), "event key=\"a=b\"");
    ck_assert_str_eq(line_of(SPAN("a\"b\\c")), "event key=\"a\\\"b\\\\c\"");
    ck_assert_str_eq(line_of(SPAN("a\r\n\tb")), "event key=\"a\\r\\n\\tb\"");
    ck_assert_str_eq(line_of(SPAN("\x1b[2J\x7f")), "event key=\"\\x1b[2J\\x7f\"");
    ck_assert_str_eq(line_of(SPAN("J\xc3\xbcrg")), "event key=\"J\\xc3\\xbcrg\"");
}
END_TEST

START_TEST(no_value_forges_a_line_or_a_pair)
{
    check_value(SPAN("x\nstop reason=\"none\""));
    check_value(SPAN("x\r\nerror"));
    check_value(SPAN("x\" user=\"root"));
    check_value(SPAN("\\\" user=root"));
    check_value(SPAN("x user=root"));
    check_value(SPAN("\xe2\x80\xa8next"));
    check_value(SPAN("x\0stop"));
    check_value(SPAN("\""));
    check_value(SPAN("\\"));
}
END_TEST

START_TEST(every_byte_comes_back)
{
    for (int a = 0; a < 256; a++)
        for (int b = 0; b < 256; b += 5) {
            char bytes[] = { (char)a, (char)b };

            check_value((struct span){ bytes, 2 });
        }
}
END_TEST

START_TEST(random_values_come_back)
{
    const char alphabet[] = "ab\"\\ =\n\r\tnrx0\x01\x80";
    struct rand r;

    rand_seed(&r, 9);
    for (int round = 0; round < 2000; round++) {
        char bytes[60];
        size_t len = rand_below(&r, sizeof bytes);

        for (size_t i = 0; i < len; i++)
            bytes[i] = alphabet[rand_below(&r, sizeof alphabet)];
        check_value((struct span){ bytes, len });
    }
}
END_TEST

START_TEST(odd_words_and_keys_are_tamed)
{
    log_event(&all_levels, LOG_LVL_INFO, "a b\n", "k=\"\xff", "v", NULL);
    ck_assert_str_eq(sunk.line, "a_b_ k___=v");
}
END_TEST

START_TEST(a_long_line_is_cut_with_a_mark)
{
    static char text[5000];

    for (size_t len = 2000; len < sizeof text; len += len < 2100 ? 1 : 500)
        for (int c = 0; c < 2; c++) {
            memset(text, "x\n"[c], len);
            line_of((struct span){ text, len });
            ck_assert_uint_le(sunk.len, 2048);
            if (len > 2040 || c)
                ck_assert_str_eq(sunk.line + sunk.len - 3, "...");
            ck_assert_ptr_null(strchr(sunk.line, '\n'));
            if (c)
                ck_assert_str_eq(sunk.line + sunk.len - 5, "\\n...");
        }
}
END_TEST

START_TEST(nothing_follows_a_cut)
{
    static char text[3000];

    memset(text, 'x', sizeof text - 1);
    log_event(&all_levels, LOG_LVL_INFO, "e", "a", text, "b", "c", NULL);
    ck_assert_str_eq(sunk.line + sunk.len - 4, "x...");
    log_event(&all_levels, LOG_LVL_INFO, text, "a", "b", NULL);
    ck_assert_str_eq(sunk.line + sunk.len - 4, "x...");
    ck_assert_uint_eq(sunk.len, 2048);
}
END_TEST

START_TEST(levels_have_names)
{
    const char *const names[] = { "error", "warn", "info", "debug" };
    enum log_level level = LOG_LVL_INFO;

    for (size_t i = 0; i < countof(names); i++) {
        ck_assert_str_eq(log_level_name((enum log_level)i), names[i]);
        ck_assert(log_level_read(span_of(names[i]), &level));
        ck_assert_uint_eq(level, i);
    }
    ck_assert(!log_level_read(SPAN("warning"), &level));
    ck_assert(!log_level_read(SPAN(""), &level));
    ck_assert_int_eq(level, LOG_LVL_DEBUG);
}
END_TEST

static void
name_no_level(void)
{
    log_level_name((enum log_level)9);
}

START_TEST(a_level_out_of_range_is_a_bug)
{
    ck_assert(dies_saying(name_no_level, "countof(names)"));
}
END_TEST

static void
empty_sink(void)
{
    memset(&sunk, 0, sizeof sunk);
}

Suite *
suite_log(void)
{
    Suite *suite = suite_create("log");
    TCase *all = tcase_create("all");

    tcase_add_checked_fixture(all, empty_sink, NULL);
    tcase_add_test(all, an_event_is_a_word_and_pairs);
    tcase_add_test(all, values_may_be_spans);
    tcase_add_test(all, no_value_prints_empty);
    tcase_add_test(all, a_line_above_the_level_is_not_made);
    tcase_add_test(all, plain_values_stay_plain);
    tcase_add_test(all, odd_values_are_quoted);
    tcase_add_test(all, no_value_forges_a_line_or_a_pair);
    tcase_add_test(all, every_byte_comes_back);
    tcase_add_test(all, random_values_come_back);
    tcase_add_test(all, odd_words_and_keys_are_tamed);
    tcase_add_test(all, a_long_line_is_cut_with_a_mark);
    tcase_add_test(all, nothing_follows_a_cut);
    tcase_add_test(all, levels_have_names);
    tcase_add_test(all, a_level_out_of_range_is_a_bug);
    suite_add_tcase(suite, all);
    return suite;
}
