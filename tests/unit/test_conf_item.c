/*
 * Settings by their schema: each kind with its default and its bounds, and the complaint for each mistake, word by word.
 */
#include "host/conf_item.h"

#include "base/err.h"
#include "unit/heap.h"
#include "unit/text.h"

struct inner {
    uint32_t n;
};

struct element {
    struct span name;
    uint32_t port;
};

struct conf {
    struct span text, must, in, out;
    uint32_t number;
    bool yes;
    uint32_t word;
    struct sipd_strs list;
    struct sipd_groups many;
    struct inner inner;
};

static const char *const words[] = { "red", "green", NULL };

static const struct sipd_conf_item element_items[] = {
    SIPD_STR_REQUIRED(element, name, "name of it"),
    SIPD_UINT(element, port, 5060, 0, 65535, "port"), SIPD_CONF_END
};

static const struct sipd_conf_item inner_items[] = { SIPD_UINT(inner, n, 3, 1, 9, "a small number"),
                                                     SIPD_CONF_END };

static const struct sipd_conf_item items[] = {
    SIPD_STR(conf, text, "hello", "some text"),
    SIPD_STR_REQUIRED(conf, must, "text that must be there"),
    SIPD_READ_PATH(conf, in, "", "a file"),
    SIPD_WRITE_PATH(conf, out, "made.db", "a file"),
    SIPD_UINT(conf, number, 7, 5, 100, "a number"),
    SIPD_BOOL(conf, yes, true, "a choice of two"),
    SIPD_CHOICE(conf, word, words, 1, "a colour"),
    SIPD_STRS(conf, list, "a bc", 0, 3, "words"),
    SIPD_GROUPS(conf, many, element, element_items, 0, 2, "elements"),
    SIPD_GROUP(conf, inner, inner_items, "the inner"),
    SIPD_CONF_END
};

static config_t tree;
static struct arena arena;
static struct buf why;
static struct conf_reader reader;
static struct conf conf;

static void
begin(void)
{
    heap_watch();
    config_init(&tree);
    arena_init(&arena, 1 << 20);
    buf_init(&why, 1 << 16);
}

static void
end(void)
{
    config_destroy(&tree);
    arena_fini(&arena);
    buf_fini(&why);
    heap_compare();
}

/* Reads a text as the section "here". */
static int
read_text(const char *text)
{
    if (config_read_string(&tree, text) != CONFIG_TRUE)
        ck_abort_msg("libconfig: line %d: %s", config_error_line(&tree), config_error_text(&tree));
    buf_clear(&why);
    conf_reader_init(&reader, &arena, &why, "sipd.conf");
    return conf_read(&reader, config_root_setting(&tree), SPAN("here"), items, &conf, sizeof conf);
}

START_TEST(test_defaults)
{
    ck_assert_int_eq(read_text("must = \"x\";"), SIPD_OK);
    must_text(conf.text, "hello");
    must_text(conf.must, "x");
    must_text(conf.in, "");
    must_text(conf.out, "made.db");
    ck_assert_uint_eq(conf.number, 7);
    ck_assert(conf.yes);
    ck_assert_uint_eq(conf.word, 1);
    ck_assert_uint_eq(conf.list.len, 2);
    must_text(conf.list.at[1], "bc");
    ck_assert_uint_eq(conf.many.len, 0);
    ck_assert_uint_eq(conf.inner.n, 3);
    ck_assert_uint_eq(why.len, 0);
}
END_TEST

START_TEST(test_written)
{
    const struct element *many;

    ck_assert_int_eq(
        read_text("text = \"\"; must = \"a\\\"b\"; number = 100; yes = false; word = \"red\";\n"
                  "list = ( \"one\" ); many = ( { name = \"x\"; }, { name = \"y\"; port = 1; } );\n"
                  "inner = { n = 9; }; in = \"/etc/x\";"),
        SIPD_OK);
    must_text(conf.text, "");
    must_text(conf.must, "a\"b");
    ck_assert_uint_eq(conf.number, 100);
    ck_assert(!conf.yes);
    ck_assert_uint_eq(conf.word, 0);
    ck_assert_uint_eq(conf.list.len, 1);
    ck_assert_uint_eq(conf.many.len, 2);
    many = conf.many.at;
    must_text(many[0].name, "x");
    ck_assert_uint_eq(many[0].port, 5060);
    ck_assert_uint_eq(many[1].port, 1);
    ck_assert_uint_eq(conf.inner.n, 9);
}
END_TEST

/* What was read does not lie in the tree. */
START_TEST(test_outlives)
{
    ck_assert_int_eq(read_text("must = \"kept\"; list = [ \"kept too\" ];"), SIPD_OK);
    config_destroy(&tree);
    config_init(&tree);
    must_text(conf.must, "kept");
    must_text(conf.list.at[0], "kept too");
    ck_assert_int_eq(conf.must.at[conf.must.len], '\0');
}
END_TEST

START_TEST(test_paths)
{
    ck_assert_int_eq(read_text("must = \"x\";\nin = \"/etc/x\";"), SIPD_OK);
    ck_assert_ptr_nonnull(reader.paths);
    ck_assert(reader.paths->write);
    must_text(reader.paths->path, "made.db");
    must_text(reader.paths->where, "sipd.conf: here.out");
    ck_assert(!reader.paths->next->write);
    must_text(reader.paths->next->path, "/etc/x");
    must_text(reader.paths->next->where, "sipd.conf:2: here.in");
    ck_assert_ptr_null(reader.paths->next->next);
}
END_TEST

static const struct {
    const char *text, *complaint;
} mistakes[] = {
    { "number = 5;", "sipd.conf: here.must: is missing; write the text that must be there\n" },
    { "must = 5;", "sipd.conf:1: here.must: is a number; write text in quotes: must = \"…\";\n" },
    { "must = \"x\";\n\nnumber = 4;",
      "sipd.conf:3: here.number: 4 is out of bounds; write a whole number from 5 to 100\n" },
    { "must = \"x\"; number = 101L;",
      "sipd.conf:1: here.number: 101 is out of bounds; write a whole number from 5 to 100\n" },
    { "must = \"x\"; number = -7;",
      "sipd.conf:1: here.number: -7 is out of bounds; write a whole number from 5 to 100\n" },
    { "must = \"x\"; number = 9.5;",
      "sipd.conf:1: here.number: has a fraction; write a whole number from 5 to 100\n" },
    { "must = \"x\"; number = \"9\";",
      "sipd.conf:1: here.number: is text; write a whole number from 5 to 100\n" },
    { "must = \"x\"; yes = 1;",
      "sipd.conf:1: here.yes: is a number; write true or false, without quotes\n" },
    { "must = \"x\"; word = \"blue\";", "sipd.conf:1: here.word: \"blue\" is not one of its words; "
                                        "write one of \"red\", \"green\"\n" },
    { "must = \"x\"; word = true;",
      "sipd.conf:1: here.word: is true or false; write one of \"red\", \"green\"\n" },
    { "must = \"x\"; list = \"one\";",
      "sipd.conf:1: here.list: is text; write texts in brackets: list = [ \"…\", \"…\" ];\n" },
    { "must = \"x\"; list = [ 1, 2 ];",
      "sipd.conf:1: here.list: is a number; write texts in brackets: list = [ \"…\", \"…\" ];\n" },
    { "must = \"x\"; list = [ \"a\", \"b\", \"c\", \"d\" ];",
      "sipd.conf:1: here.list: has 4 of them; write 0 to 3\n" },
    { "must = \"x\"; many = { };", "sipd.conf:1: here.many: is a group { … }; write groups in "
                                   "parentheses: many = ( { … }, { … } );\n" },
    { "must = \"x\"; many = ( 3 );", "sipd.conf:1: here.many: is a number; write groups in "
                                     "parentheses: many = ( { … }, { … } );\n" },
    { "must = \"x\"; many = ( { port = 1; } );",
      "sipd.conf:1: here.many[0].name: is missing; write the name of it\n" },
    { "must = \"x\"; many = ( { name = \"a\"; },\n { name = \"b\"; port = 70000; } );",
      "sipd.conf:2: here.many[1].port: 70000 is out of bounds; write a whole number from 0 to "
      "65535\n" },
    { "must = \"x\"; many = ( { name = \"a\"; }, { name = \"a\"; }, { name = \"a\"; } );",
      "sipd.conf:1: here.many: has 3 of them; write 0 to 2\n" },
    { "must = \"x\"; inner = 4;",
      "sipd.conf:1: here.inner: is a number; write a group in braces: inner = { … };\n" },
    { "must = \"x\"; inner = { m = 4; };",
      "sipd.conf:1: here.inner.m: there is no such key; there are n\n" },
    { "must = \"x\"; nubmer = 9;",
      "sipd.conf:1: here.nubmer: there is no such key; the nearest is number\n" },
    { "must = \"x\"; Number = 9;",
      "sipd.conf:1: here.Number: there is no such key; the nearest is number\n" },
    { "must = \"x\"; xyzzyplugh = 9;",
      "sipd.conf:1: here.xyzzyplugh: there is no such key; there are text, must, in, out, number, "
      "yes, word, list, many, inner\n" },
};

START_TEST(test_mistake)
{
    ck_assert_int_eq(read_text(mistakes[_i].text), SIPD_EINVAL);
    must_text(buf_span(&why), mistakes[_i].complaint);
    ck_assert_uint_eq(reader.wrong, 1);
}
END_TEST

START_TEST(test_all_mistakes)
{
    ck_assert_int_eq(read_text("number = 4;\nyes = 3;\nwrod = 1;"), SIPD_EINVAL);
    ck_assert_uint_eq(reader.wrong, 4);
    must_text(buf_span(&why),
              "sipd.conf:3: here.wrod: there is no such key; the nearest is word\n"
              "sipd.conf: here.must: is missing; write the text that must be there\n"
              "sipd.conf:1: here.number: 4 is out of bounds; write a whole number from 5 to 100\n"
              "sipd.conf:2: here.yes: is a number; write true or false, without quotes\n");
}
END_TEST

START_TEST(test_no_group)
{
    ck_assert_int_eq(config_read_string(&tree, "here = 5;"), CONFIG_TRUE);
    conf_reader_init(&reader, &arena, &why, "sipd.conf");
    ck_assert_int_eq(
        conf_read(&reader, config_lookup(&tree, "here"), SPAN("here"), items, &conf, sizeof conf),
        SIPD_EINVAL);
    must_text(buf_span(&why),
              "sipd.conf:1: here: is a number; write a group in braces: here = { … };\n");
}
END_TEST

START_TEST(test_others)
{
    const struct span others[] = { SPAN("auth"), SPAN("registrar") };

    ck_assert_int_eq(config_read_string(&tree, "must = \"x\"; registrar = { }; regsitrar = { };"),
                     CONFIG_TRUE);
    conf_reader_init(&reader, &arena, &why, "sipd.conf");
    reader.others = others;
    reader.others_len = 2;
    ck_assert_int_eq(conf_read(&reader, config_root_setting(&tree), (struct span){ NULL, 0 }, items,
                               &conf, sizeof conf),
                     SIPD_EINVAL);
    must_text(buf_span(&why),
              "sipd.conf:1: regsitrar: there is no such key; the nearest is registrar\n");
}
END_TEST

START_TEST(test_no_schema)
{
    ck_assert_int_eq(config_read_string(&tree, "here = { }; there = { x = 1; };"), CONFIG_TRUE);
    conf_reader_init(&reader, &arena, &why, "sipd.conf");
    ck_assert_int_eq(conf_read(&reader, config_lookup(&tree, "here"), SPAN("here"), NULL, NULL, 0),
                     SIPD_OK);
    ck_assert_int_eq(conf_read(&reader, NULL, SPAN("here"), NULL, NULL, 0), SIPD_OK);
    ck_assert_int_eq(
        conf_read(&reader, config_lookup(&tree, "there"), SPAN("there"), NULL, NULL, 0),
        SIPD_EINVAL);
}
END_TEST

START_TEST(test_nearest)
{
    const struct span known[] = { SPAN("no_answer_s"), SPAN("timer_c_s"), SPAN("fork") };

    must_text(conf_nearest(SPAN("no_answer"), known, 3), "no_answer_s");
    must_text(conf_nearest(SPAN("timer_b_s"), known, 3), "timer_c_s");
    must_text(conf_nearest(SPAN("frok"), known, 3), "fork");
    must_text(conf_nearest(SPAN("spoon"), known, 3), "");
    must_text(
        conf_nearest(SPAN("a_key_that_is_longer_than_any_that_we_know_of_and_then_some"), known, 3),
        "");
}
END_TEST

/* Memory goes out at each allocation in turn: an error, never half a struct taken for a whole. */
START_TEST(test_memory)
{
    const char *text =
        "must = \"x\"; list = [ \"a\", \"b\" ]; many = ( { name = \"x\"; } ); in = \"/f\";";
    uint64_t n = 0;
    int err;

    do {
        arena_fini(&arena);
        arena_init(&arena, 1 << 20);
        buf_fini(&why);
        buf_init(&why, 1 << 16);
        ck_assert_int_eq(config_read_string(&tree, text), CONFIG_TRUE);
        conf_reader_init(&reader, &arena, &why, "sipd.conf");
        mem_fail_after(n++);
        err =
            conf_read(&reader, config_root_setting(&tree), SPAN("here"), items, &conf, sizeof conf);
        must(err == SIPD_OK || (err == SIPD_ENOMEM && mem_failed()));
        if (!mem_failed())
            break;
        mem_fail_never();
    } while (n < 100);
    mem_fail_never();
    ck_assert_int_eq(err, SIPD_OK);
}
END_TEST

Suite *
suite_conf_item(void)
{
    Suite *suite = suite_create("conf_item");
    TCase *all = tcase_create("all");

    tcase_add_checked_fixture(all, begin, end);
    tcase_add_test(all, test_defaults);
    tcase_add_test(all, test_written);
    tcase_add_test(all, test_outlives);
    tcase_add_test(all, test_paths);
    tcase_add_loop_test(all, test_mistake, 0, sizeof mistakes / sizeof mistakes[0]);
    tcase_add_test(all, test_all_mistakes);
    tcase_add_test(all, test_no_group);
    tcase_add_test(all, test_others);
    tcase_add_test(all, test_no_schema);
    tcase_add_test(all, test_nearest);
    tcase_add_test(all, test_memory);
    suite_add_tcase(suite, all);
    return suite;
}
