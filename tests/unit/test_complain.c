/*
 * Complaints about modules: what one says of its settings is told with file, line and the whole name of the key.
 */
#include "host/complain.h"

#include "unit/host_rig.h"

struct inner {
    uint32_t at;
};

struct conf {
    uint32_t n;
    struct span path;
    struct sipd_strs names;
    struct sipd_groups list;
};

static const struct sipd_conf_item inner_items[] = { SIPD_UINT(inner, at, 0, 0, 9, "where"),
                                                     SIPD_CONF_END };
static const struct sipd_conf_item items[] = {
    SIPD_UINT(conf, n, 5, 0, 9, "a number"), SIPD_STR(conf, path, "x.db", "a file"),
    SIPD_STRS(conf, names, "", 0, 9, "names"),
    SIPD_GROUPS(conf, list, inner, inner_items, 0, 9, "a list"), SIPD_CONF_END
};

static const char *complains; /* what load() says before it fails */

static int
load(struct sipd_host *host, const void *conf, void **self)
{
    (void)conf;
    (void)self;
    sipd_complain(host, "%s", complains);
    return SIPD_ENOENT;
}

static const struct sipd_module needy = {
    .abi = SIPD_ABI, .name = "b", .conf = items, .conf_bytes = sizeof(struct conf), .load = load
};

static const char written[] = "modules = [ \"a\",\n"
                              "  \"b\" ];\n"
                              "b = {\n"
                              "  n = 4;\n"
                              "  names = [ \"x\",\n"
                              "    \"y\" ];\n"
                              "  list = (\n"
                              "    { at = 1; },\n"
                              "    { at = 2; } );\n"
                              "};\n";

static const struct {
    const char *words, *told;
} some[] = {
    { "n: 4 is odd; write 5", "sipd.conf:4: b.n: 4 is odd; write 5\n" },
    { "names: \"y\" is none", "sipd.conf:5: b.names: \"y\" is none\n" },
    { "names[1]: \"y\" is none", "sipd.conf:6: b.names[1]: \"y\" is none\n" },
    { "list[1].at: is far", "sipd.conf:9: b.list[1].at: is far\n" },
    /* what is not written is told of where it would stand */
    { "path: x.db is damaged", "sipd.conf:3: b.path: x.db is damaged\n" },
    { "list[0].to: is far", "sipd.conf:8: b.list[0].to: is far\n" },
    { "list[7].at: is far", "sipd.conf:7: b.list[7].at: is far\n" },
    { "n.at[0]: is far", "sipd.conf:4: b.n.at[0]: is far\n" },
    { "list[x]: is far", "sipd.conf:7: b.list[x]: is far\n" },
    /* no key of b's */
    { "m: is unknown", "sipd.conf:3: b: m: is unknown\n" },
    { "n of b: 7", "sipd.conf:3: b: n of b: 7\n" },
    { "[", "sipd.conf:3: b: [\n" },
    { ": n", "sipd.conf:3: b: : n\n" },
    { "it is full; make room", "sipd.conf:3: b: it is full; make room\n" },
    { "", "sipd.conf:3: b: not found\n" },
};

START_TEST(a_key_is_told_with_its_line)
{
    host_rig_conf(written);
    ck_assert_int_eq(host_rig_open(&needy), SIPD_OK);
    complains = some[_i].words;
    ck_assert_int_eq(host_rig_start(), SIPD_ENOENT);
    must_text(buf_span(&hosting.why), some[_i].told);
}
END_TEST

/* Without a section of its own the list of modules is where it stands; without a file there is no line. */
START_TEST(without_a_section)
{
    host_rig_conf("\nmodules = [ \"b\" ];");
    complains = "path: x.db is damaged";
    ck_assert_int_eq(host_rig_open(&needy), SIPD_OK);
    ck_assert_int_eq(host_rig_start(), SIPD_ENOENT);
    must_text(buf_span(&hosting.why), "sipd.conf:2: b.path: x.db is damaged\n");
    buf_clear(&hosting.why);
    hosting.source.root = NULL;
    ck_assert_int_eq(host_rig_start(), SIPD_ENOENT);
    must_text(buf_span(&hosting.why), "sipd.conf: b.path: x.db is damaged\n");
}
END_TEST

START_TEST(a_module_is_told_with_its_place)
{
    host_rig_conf(written);
    complain_listed(&hosting.source, SPAN("b"), &hosting.why, "is odd");
    must_text(buf_span(&hosting.why), "sipd.conf:2: modules[1]: \"b\": is odd\n");
    buf_clear(&hosting.why);
    complain_listed(&hosting.source, SPAN("none"), &hosting.why, "is odd");
    must_text(buf_span(&hosting.why), "sipd.conf:1: modules: \"none\": is odd\n");
    buf_clear(&hosting.why);
    hosting.source.root = NULL;
    complain_listed(&hosting.source, SPAN("b"), &hosting.why, "is odd");
    must_text(buf_span(&hosting.why), "sipd.conf: \"b\": is odd\n");
}
END_TEST

Suite *
suite_complain(void)
{
    Suite *s = suite_create("complain");
    TCase *all = tcase_create("all");

    tcase_add_checked_fixture(all, host_rig_begin, host_rig_end);
    tcase_add_loop_test(all, a_key_is_told_with_its_line, 0, (int)countof(some));
    tcase_add_test(all, without_a_section);
    tcase_add_test(all, a_module_is_told_with_its_place);
    suite_add_tcase(s, all);
    return s;
}
