/*
 * Settings word by word: the whole name of each key, where it stands, and which one stands twice.
 */
#include "daemon/keys.h"

#include <check.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/buf.h"
#include "unit/text.h"

static char file[] = "/tmp/sipd-keys-XXXXXX";
static int fd = -1;

static void
begin(void)
{
    strcpy(file + sizeof file - 7, "XXXXXX");
    fd = mkstemp(file);
    ck_assert_int_ge(fd, 0);
}

static void
end(void)
{
    close(fd);
    unlink(file);
}

static void
put(const char *text)
{
    ck_assert_int_eq(ftruncate(fd, 0), 0);
    ck_assert_int_eq(pwrite(fd, text, strlen(text), 0), (ssize_t)strlen(text));
}

/* "1 proxy; 2 proxy.fork=q …": keys with their lines, words with a = before them. */
static void
must_read(const char *text, const char *wanted)
{
    enum keys_event event;
    struct buf said;
    struct keys k;

    put(text);
    buf_init(&said, 1 << 16);
    ck_assert(keys_open(&k, file));
    while ((event = keys_next(&k)) != KEYS_END) {
        if (event == KEYS_KEY)
            buf_printf(&said, "%u %s;", k.word_line, k.name);
        else
            buf_printf(&said, "=%s;", k.word);
    }
    keys_close(&k);
    must_text(buf_span(&said), wanted);
    buf_fini(&said);
}

START_TEST(names_are_whole)
{
    must_read("", "");
    must_read("a = 1;\nb : 0x2L", "=a;1 a;=1;=b;2 b;=0x2L;");
    must_read("p = { a = 1; q = {\n b = 2; }; };\nc = 3;",
              "=p;1 p;=a;1 p.a;=1;=q;1 p.q;=b;2 p.q.b;=2;=c;3 c;=3;");
    must_read("l = ( { a = 1; }, { a = 2; b = [ 3, 4 ]; } );",
              "=l;1 l;=a;1 l[0].a;=1;=a;1 l[1].a;=2;=b;1 l[1].b;=3;=4;");
    must_read("l = ( ( { a = 1; } ), 2 )", "=l;1 l;=a;1 l[0][0].a;=1;=2;");
}
END_TEST

START_TEST(texts_and_comments_are_passed)
{
    must_read("a = \"b = 1; \\\" c = 2\"; # d = 3\n// e = 4\n/* f = \n5 **/ g = 6;/",
              "=a;1 a;=g;4 g;=6;");
    must_read("a = \"b", "=a;1 a;");
    must_read("/* a = 1", "");
    must_read("a = ,,]})= 1", "=a;1 a;1 a;=1;");
}
END_TEST

/* Deeper than any settings, and longer than any name: nothing breaks. */
START_TEST(depth_and_length_have_ends)
{
    struct buf text;
    struct keys k;
    unsigned events = 0;

    buf_init(&text, 1 << 16);
    for (int i = 0; i < 3 * KEYS_DEPTH; i++)
        buf_printf(&text, "a_long_name_of_a_section_%d = {", i);
    buf_put(&text, SPAN("x = 1;"));
    for (int i = 0; i < 4 * KEYS_DEPTH; i++)
        buf_put(&text, SPAN("};"));
    buf_printf(&text, "%0*d = 1;\n", 2 * KEYS_WORD_BYTES, 1);
    buf_put_char(&text, '\0');
    put(text.bytes);
    ck_assert(keys_open(&k, file));
    while (keys_next(&k) != KEYS_END)
        events++;
    keys_close(&k);
    ck_assert_uint_ge(events, 2 * 3 * KEYS_DEPTH + 3);
    buf_fini(&text);
}
END_TEST

static void
must_be_twice(const char *text, const char *wanted, unsigned wanted_line, unsigned wanted_first)
{
    char name[KEYS_NAME_BYTES];
    unsigned line = 0, first = 0;

    put(text);
    ck_assert_int_eq(keys_find_twice(file, name, &line, &first), wanted != NULL);
    if (!wanted)
        return;
    ck_assert_str_eq(name, wanted);
    ck_assert_uint_eq(line, wanted_line);
    ck_assert_uint_eq(first, wanted_first);
}

START_TEST(what_stands_twice_is_found)
{
    must_be_twice("a = 1;\nb = 2;\na = 3;", "a", 3, 1);
    must_be_twice("p = { a = 1; };\nq = { a = 1; b = 1;\n a = 2; };", "q.a", 3, 2);
    must_be_twice("l = ( { a = 1; }, { a = 1; }, { b = 1;\n b = 1; } );", "l[2].b", 2, 1);
    must_be_twice("p = { a = 1; };\na = 1;", NULL, 0, 0);
    must_be_twice("a = \"a = 1; a = 2;\"; # a = 3", NULL, 0, 0);
}
END_TEST

START_TEST(a_line_has_a_key)
{
    char name[KEYS_NAME_BYTES];

    put("p = {\n a = 1; b = 2;\n};\n");
    ck_assert(keys_find_line(file, 2, name));
    ck_assert_str_eq(name, "p.a");
    ck_assert(!keys_find_line(file, 3, name));
    ck_assert(!keys_find_line("/nowhere/at/all", 1, name));
}
END_TEST

Suite *
suite_keys(void)
{
    Suite *s = suite_create("keys");
    TCase *all = tcase_create("all");

    tcase_add_checked_fixture(all, begin, end);
    tcase_add_test(all, names_are_whole);
    tcase_add_test(all, texts_and_comments_are_passed);
    tcase_add_test(all, depth_and_length_have_ends);
    tcase_add_test(all, what_stands_twice_is_found);
    tcase_add_test(all, a_line_has_a_key);
    suite_add_tcase(s, all);
    return s;
}
