/*
 * What a schema tells about itself: is it sound, its JSON, the settings in force, whether two structs differ.
 */
#include "base/err.h"
#include "daemon/config.h"
#include "host/conf_item.h"
#include "unit/heap.h"
#include "unit/text.h"

struct element {
    uint32_t port;
};

struct conf {
    struct span text;
    uint32_t number;
    bool yes;
    uint32_t word;
    struct sipd_strs list;
    struct sipd_groups many;
    struct element inner;
};

static const char *const words[] = { "red", "green", NULL };
static const char *const no_words[] = { NULL };

static const struct sipd_conf_item element_items[] = {
    SIPD_UINT(element, port, 5060, 0, 65535, "port"), SIPD_CONF_END
};

static const struct sipd_conf_item items[] = { SIPD_STR(conf, text, "hello", "some text"),
                                               SIPD_UINT(conf, number, 7, 5, 100, "a number"),
                                               SIPD_BOOL(conf, yes, true, "a choice of two"),
                                               SIPD_CHOICE(conf, word, words, 1, "a colour"),
                                               SIPD_STRS(conf, list, "a bc", 0, 3, "words"),
                                               SIPD_GROUPS(conf, many, element, element_items, 0, 2,
                                                           "elements"),
                                               SIPD_GROUP(conf, inner, element_items, "the inner"),
                                               SIPD_CONF_END };

static const struct {
    struct sipd_conf_item item;
    const char *wrong;
} schemas[] = {
    { SIPD_UINT(element, port, 5, 0, 9, "fine"), NULL },
    { SIPD_UINT(element, port, 10, 0, 9, "default"), "a default out of its own bounds" },
    { SIPD_UINT(element, port, 5, 9, 0, "bounds"),
      "bounds out of order, or past 2147483647, which libconfig cannot read" },
    { SIPD_UINT(element, port, 5, 0, 2147483648, "bounds"),
      "bounds out of order, or past 2147483647, which libconfig cannot read" },
    { SIPD_UINT(element, port, 5, 0, 9, NULL), "a key without name or doc" },
    { SIPD_CHOICE(conf, word, no_words, 0, "empty"), "a choice without words" },
    { SIPD_GROUP(conf, inner, NULL, "nothing"), "a group without items" },
    { { .key = "many", .kind = SIPD_CONF_GROUPS, .items = element_items, .doc = "size" },
      "groups without size" },
};

START_TEST(test_wrong)
{
    const struct sipd_conf_item schema[] = { schemas[_i].item, SIPD_CONF_END };
    const char *wrong = conf_items_wrong(schema);

    must_text(span_of(wrong), schemas[_i].wrong ? schemas[_i].wrong : "");
}
END_TEST

START_TEST(test_required)
{
    static const struct sipd_conf_item some[] = {
        SIPD_STRS(conf, list, "", 1, 3, "words"),
        SIPD_STRS(conf, list, "one", 1, 3, "words"),
        SIPD_GROUPS(conf, many, element, element_items, 1, 2, "elements"),
        SIPD_GROUPS(conf, many, element, element_items, 0, 2, "elements"),
    };

    ck_assert(conf_item_required(&some[0]));
    ck_assert(!conf_item_required(&some[1]));
    ck_assert(conf_item_required(&some[2]));
    ck_assert(!conf_item_required(&some[3]));
}
END_TEST

static const struct span red[] = { { "red", 3 }, { "rot", 3 } },
                         blue[] = { { "red", 3 }, { "blau", 4 } };
static const struct element ports[] = { { 1 }, { 2 } }, other_ports[] = { { 1 }, { 3 } };

static struct conf
sample(void)
{
    return (struct conf){
        .text = SPAN("a \"b\""),
        .number = 5,
        .yes = true,
        .word = 1,
        .list = { red, 2 },
        .many = { ports, 2 },
        .inner = { 9 },
    };
}

START_TEST(test_eq)
{
    struct conf a = sample(), b = sample();

    ck_assert(conf_items_eq(items, &a, &b));
    b.text = SPAN("b");
    ck_assert(!conf_items_eq(items, &a, &b));
    b = sample();
    b.number = 6;
    ck_assert(!conf_items_eq(items, &a, &b));
    b = sample();
    b.yes = false;
    ck_assert(!conf_items_eq(items, &a, &b));
    b = sample();
    b.word = 0;
    ck_assert(!conf_items_eq(items, &a, &b));
    b = sample();
    b.list.at = blue;
    ck_assert(!conf_items_eq(items, &a, &b));
    b = sample();
    b.list.len = 1;
    ck_assert(!conf_items_eq(items, &a, &b));
    b = sample();
    b.many.at = other_ports;
    ck_assert(!conf_items_eq(items, &a, &b));
    b = sample();
    b.many.len = 1;
    ck_assert(!conf_items_eq(items, &a, &b));
    b = sample();
    b.inner.port = 8;
    ck_assert(!conf_items_eq(items, &a, &b));
    ck_assert(conf_items_eq(NULL, NULL, NULL));
}
END_TEST

static void
collect(void *arg, struct span key, struct span value)
{
    buf_put(arg, key);
    buf_put(arg, SPAN(" = "));
    buf_put(arg, value);
    buf_put(arg, SPAN("\n"));
}

START_TEST(test_each)
{
    struct conf conf = sample();
    struct buf all;

    buf_init(&all, 1 << 16);
    conf_items_each(items, SPAN("here"), &conf, collect, &all);
    must_text(buf_span(&all), "here.text = \"a \\\"b\\\"\"\n"
                              "here.number = 5\n"
                              "here.yes = true\n"
                              "here.word = \"green\"\n"
                              "here.list = [ \"red\", \"rot\" ]\n"
                              "here.many[0].port = 1\n"
                              "here.many[1].port = 2\n"
                              "here.inner.port = 9\n");
    buf_clear(&all);
    conf = (struct conf){ .text = SPAN("") };
    conf_items_each(items, (struct span){ NULL, 0 }, &conf, collect, &all);
    must_text(buf_span(&all), "text = \"\"\nnumber = 0\nyes = false\nword = \"red\"\nlist = [  "
                              "]\nmany = ( )\ninner.port = 0\n");
    buf_fini(&all);
}
END_TEST

static int
put(const char *bytes, size_t len, void *to)
{
    buf_put(to, (struct span){ bytes, len });
    return 0;
}

START_TEST(test_json)
{
    json_t *schema = conf_items_json(items);
    struct buf text;

    ck_assert_ptr_nonnull(schema);
    buf_init(&text, 1 << 16);
    ck_assert_int_eq(json_dump_callback(schema, put, &text, JSON_COMPACT), 0);
    must_text(buf_span(&text),
              "[{\"key\":\"text\",\"kind\":\"text\",\"default\":\"hello\",\"doc\":\"some text\"},"
              "{\"key\":\"number\",\"kind\":\"number\",\"default\":7,\"min\":5,\"max\":100,\"doc\":"
              "\"a number\"},"
              "{\"key\":\"yes\",\"kind\":\"boolean\",\"default\":true,\"doc\":\"a choice of two\"},"
              "{\"key\":\"word\",\"kind\":\"choice\",\"default\":\"green\",\"choices\":[\"red\","
              "\"green\"],\"doc\":\"a colour\"},"
              "{\"key\":\"list\",\"kind\":\"texts\",\"default\":[\"a\",\"bc\"],\"min\":0,\"max\":3,"
              "\"doc\":\"words\"},"
              "{\"key\":\"many\",\"kind\":\"groups\",\"default\":[],\"min\":0,\"max\":2,\"doc\":"
              "\"elements\",\"items\":"
              "[{\"key\":\"port\",\"kind\":\"number\",\"default\":5060,\"min\":0,\"max\":65535,"
              "\"doc\":\"port\"}]},"
              "{\"key\":\"inner\",\"kind\":\"group\",\"doc\":\"the inner\",\"items\":"
              "[{\"key\":\"port\",\"kind\":\"number\",\"default\":5060,\"min\":0,\"max\":65535,"
              "\"doc\":\"port\"}]}]");
    buf_fini(&text);
    json_decref(schema);
}
END_TEST

/* Our own schema is sound, and so is what it says of itself. */
START_TEST(test_own)
{
    json_t *schema = conf_items_json(config_items);

    ck_assert_ptr_null(conf_items_wrong(config_items));
    ck_assert_uint_eq(json_array_size(schema), 13);
    json_decref(schema);
}
END_TEST

Suite *
suite_conf_schema(void)
{
    Suite *suite = suite_create("conf_schema");
    TCase *all = heap_case("all");

    tcase_add_loop_test(all, test_wrong, 0, sizeof schemas / sizeof schemas[0]);
    tcase_add_test(all, test_required);
    tcase_add_test(all, test_eq);
    tcase_add_test(all, test_each);
    tcase_add_test(all, test_json);
    tcase_add_test(all, test_own);
    suite_add_tcase(suite, all);
    return suite;
}
