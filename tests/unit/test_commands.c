/*
 * Commands: which words fit which pattern, what is handed over, and how an answer comes now, later or never.
 */
#include "unit/host_rig.h"

static uint64_t put_off;

/* A row of what was handed over. */
static void
echo(void *self, const struct sipd_ask *ask, struct sipd_answer *answer)
{
    sipd_answer_row(answer);
    sipd_answer_field(answer, "it", span_of(self));
    sipd_answer_number(answer, "words", (int64_t)ask->words_len);
    for (size_t i = 0; i < ask->words_len; i++) {
        const char *const names[] = { "a", "b", "c" };

        sipd_answer_field(answer, names[i], ask->words[i]);
    }
    if (ask->input.len > 0)
        sipd_answer_field(answer, "input", ask->input);
}

static void
refuse_it(void *self, const struct sipd_ask *ask, struct sipd_answer *answer)
{
    (void)self;
    sipd_answer_row(answer);
    sipd_answer_refuse(answer, "no \"%.*s\" here", SPAN_ARG(ask->words[0]));
}

static void
later(void *self, const struct sipd_ask *ask, struct sipd_answer *answer)
{
    (void)self;
    (void)ask;
    put_off = sipd_answer_later(answer);
}

static struct sipd_host *handle;

static void
later_at_once(void *self, const struct sipd_ask *ask, struct sipd_answer *answer)
{
    struct sipd_answer *found;

    (void)self;
    (void)ask;
    put_off = sipd_answer_later(answer);
    found = sipd_answer_find(handle, put_off);
    ck_assert_ptr_eq(found, answer);
    sipd_answer_number(found, "done", 1);
    sipd_answer_send(found);
}

static char name[] = "it";

static int
load(struct sipd_host *host, const void *conf, void **self)
{
    static const char *const patterns[] = {
        "show things [aor]",
        "add thing <aor> <contact> [expires <s>] [q <q>]",
        "show <what>",
        "put <x> away",
        "add user <name> [--password-stdin]",
    };

    (void)conf;
    *self = NULL;
    handle = host;
    for (size_t i = 0; i < countof(patterns); i++)
        ck_assert_int_eq(sipd_command(host, patterns[i], "says it", i == 1, echo, name), SIPD_OK);
    ck_assert_int_eq(sipd_command(host, "refuse <x>", "says no", false, refuse_it, NULL), SIPD_OK);
    ck_assert_int_eq(sipd_command(host, "later", "says it later", true, later, NULL), SIPD_OK);
    ck_assert_int_eq(sipd_command(host, "now", "puts off, then not", false, later_at_once, NULL),
                     SIPD_OK);
    return SIPD_OK;
}

static const struct sipd_module module = { .abi = SIPD_ABI, .name = "it", .load = load };

static void
begin(void)
{
    host_rig_begin();
    ck_assert_int_eq(host_rig_open(&module), SIPD_OK);
    ck_assert_int_eq(host_rig_start(), SIPD_OK);
}

START_TEST(test_fit)
{
    host_rig_says("show things", "{\"rows\":[{\"it\":\"it\",\"words\":0}]}");
    host_rig_says("show things sip:a@b",
                  "{\"rows\":[{\"it\":\"it\",\"words\":1,\"a\":\"sip:a@b\"}]}");
    host_rig_says("show other", "{\"rows\":[{\"it\":\"it\",\"words\":1,\"a\":\"other\"}]}");
    host_rig_says("add thing X Y",
                  "{\"rows\":[{\"it\":\"it\",\"words\":2,\"a\":\"X\",\"b\":\"Y\"}]}");
    host_rig_says("put it away", "{\"rows\":[{\"it\":\"it\",\"words\":1,\"a\":\"it\"}]}");
}
END_TEST

/* An optional part that was left out before one that was not is an empty word. */
START_TEST(test_optional)
{
    uint64_t id;

    host_rig_says("add thing X Y expires 60",
                  "{\"rows\":[{\"it\":\"it\",\"words\":3,\"a\":\"X\",\"b\":\"Y\",\"c\":\"60\"}]}");
    ck_assert_int_eq(host_rig_run("add thing X Y expires", NULL, &id), HOST_UNKNOWN);
    ck_assert_int_eq(host_rig_run("add thing X Y q", NULL, &id), HOST_UNKNOWN);
    ck_assert_int_eq(host_rig_run("add thing X Y q 1 expires 60", NULL, &id), HOST_UNKNOWN);
}
END_TEST

START_TEST(test_unknown)
{
    static const char *const unknown[] = { "show",    "shows things", "show things a b",
                                           "put it",  "put it back",  "things",
                                           "later on" };
    uint64_t id;

    for (size_t i = 0; i < countof(unknown); i++)
        must_for(span_of(unknown[i]), host_rig_run(unknown[i], NULL, &id) == HOST_UNKNOWN);
}
END_TEST

static void
suggests(const char *words, const char *wanted)
{
    struct span list[32], rest = span_of(words);
    struct host_ask ask = { .words = list };
    struct buf text;

    while (rest.len > 0)
        list[ask.len++] = span_cut(&rest, ' ');
    buf_init(&text, 1024);
    ck_assert(host_suggest(hosting.host, &ask, &text) == (wanted[0] != '\0'));
    must_text_at(buf_span(&text), wanted, __LINE__);
    buf_fini(&text);
}

/* What begins alike is named: those that share most words. */
START_TEST(test_suggest)
{
    suggests("show", "there is: show things [aor], show <what>");
    suggests("show things a b", "there is: show things [aor]");
    suggests("add", "there is: add thing <aor> <contact> [expires <s>] [q <q>], add user <name> "
                    "[--password-stdin]");
    suggests("add user", "there is: add user <name> [--password-stdin]");
    suggests("shows", "");
    suggests("", "");
}
END_TEST

START_TEST(test_input)
{
    uint64_t id;

    ck_assert_int_eq(host_rig_run("add user bob", NULL, &id), HOST_WANTS);
    ck_assert_int_eq(host_rig_run("add user bob --password-stdin", "secret", &id), HOST_ANSWERED);
    must_text(buf_span(&hosting.answer),
              "{\"rows\":[{\"it\":\"it\",\"words\":1,\"a\":\"bob\",\"input\":\"secret\"}]}");
    ck_assert_int_eq(host_rig_run("add user --password-stdin bob", "secret", &id), HOST_ANSWERED);
    must_text(buf_span(&hosting.answer),
              "{\"rows\":[{\"it\":\"it\",\"words\":1,\"a\":\"bob\",\"input\":\"secret\"}]}");
    ck_assert_int_eq(host_rig_run("add user --password-stdin", "secret", &id), HOST_UNKNOWN);
}
END_TEST

START_TEST(test_refuse)
{
    host_rig_says("refuse a\"b", "{\"error\":\"no \\\"a\\\"b\\\" here\"}");
}
END_TEST

/* What alters something is logged with who asked; never the password. */
START_TEST(test_log)
{
    uint64_t id;

    host_rig_run("show things", NULL, &id);
    ck_assert_uint_eq(hosting.log.len, 0);
    host_rig_run("add thing X Y", "secret", &id);
    must_text(buf_span(&hosting.log), "info command by=\"uid 7\" words=\"add thing X Y\"\n");
}
END_TEST

START_TEST(test_later)
{
    struct sipd_answer *answer;
    uint64_t id;

    ck_assert_int_eq(host_rig_run("later", NULL, &id), HOST_LATER);
    ck_assert_uint_eq(id, put_off);
    answer = sipd_answer_find(handle, id);
    ck_assert_ptr_nonnull(answer);
    sipd_answer_field(answer, "text", SPAN("here"));
    sipd_answer_send(answer);
    ck_assert_uint_eq(hosting.answered, id);
    must_text(buf_span(&hosting.answer), "{\"rows\":[{\"text\":\"here\"}]}");
    ck_assert_ptr_null(sipd_answer_find(handle, id));
    ck_assert_ptr_null(sipd_answer_find(handle, 0));
}
END_TEST

/* Who asked has gone: the command finds nobody to answer to. */
START_TEST(test_forgotten)
{
    uint64_t id;

    ck_assert_int_eq(host_rig_run("later", NULL, &id), HOST_LATER);
    host_forget_answer(hosting.host, id);
    host_forget_answer(hosting.host, id);
    ck_assert_ptr_null(sipd_answer_find(handle, id));
}
END_TEST

START_TEST(test_not_put_off_after_all)
{
    uint64_t id;

    ck_assert_int_eq(host_rig_run("now", NULL, &id), HOST_ANSWERED);
    must_text(buf_span(&hosting.answer), "{\"rows\":[{\"done\":1}]}");
    ck_assert_ptr_null(sipd_answer_find(handle, put_off));
    ck_assert_uint_eq(hosting.answered, 0);
}
END_TEST

/* An answer that is still put off when the host ends just ends with it (the fixture looks at the heap). */
START_TEST(test_never)
{
    uint64_t id;

    ck_assert_int_eq(host_rig_run("later", NULL, &id), HOST_LATER);
}
END_TEST

START_TEST(test_declare)
{
    static const char *const wrong[] = { "",           "<x>",     "[x]",
                                         "show [x] y", "show [x", "a b c d e f g h i j k l m" };

    for (size_t i = 0; i < countof(wrong); i++)
        must_for(span_of(wrong[i]),
                 host_command(hosting.host, wrong[i], "doc", false, echo, name) == SIPD_EINVAL);
    ck_assert_int_eq(host_command(hosting.host, "show things [other]", "doc", false, echo, name),
                     SIPD_EEXIST);
    ck_assert_int_eq(host_command(hosting.host, "show things --all", "doc", false, echo, name),
                     SIPD_OK);
}
END_TEST

static void
count(void *arg, const struct host_command_info *info)
{
    unsigned *counts = arg;

    counts[0]++;
    counts[1] += info->changes;
    counts[2] += info->owner != NULL;
}

START_TEST(test_list)
{
    unsigned counts[3] = { 0, 0, 0 };

    ck_assert_int_eq(host_command(hosting.host, "own", "doc", true, echo, name), SIPD_OK);
    host_each_command(hosting.host, count, counts);
    ck_assert_uint_eq(counts[0], 9);
    ck_assert_uint_eq(counts[1], 3);
    ck_assert_uint_eq(counts[2], 8);
}
END_TEST

START_TEST(test_memory)
{
    uint64_t id, n = 0;
    enum host_ran ran;

    do {
        mem_fail_after(n++);
        ran = host_rig_run("show things x", NULL, &id);
        must(ran == HOST_BROKE || ran == HOST_ANSWERED);
    } while (mem_failed() && n < 50);
    mem_fail_never();
    ck_assert_int_eq(ran, HOST_ANSWERED);
    must_text(buf_span(&hosting.answer), "{\"rows\":[{\"it\":\"it\",\"words\":1,\"a\":\"x\"}]}");
}
END_TEST

/* What came by the wire need not be UTF-8, and may hold anything. */
static void
dirty(void *self, const struct sipd_ask *ask, struct sipd_answer *answer)
{
    (void)self;
    (void)ask;
    sipd_answer_field(answer, "bytes", SPAN("a\xff\0b\xc3\xa9"));
    sipd_answer_field(answer, "text", SPAN("\xc3\xa9\n"));
    sipd_answer_field(answer, "empty", (struct span){ NULL, 0 });
    sipd_answer_row(answer);
    sipd_answer_number(answer, "least", INT64_MIN);
}

START_TEST(test_bytes)
{
    ck_assert_int_eq(host_command(hosting.host, "dirty", "doc", false, dirty, NULL), SIPD_OK);
    host_rig_says("dirty",
                  "{\"rows\":[{\"bytes\":\"a?\\u0000b??\",\"text\":\"\xc3\xa9\\n\",\"empty\":\"\"},"
                  "{\"least\":-9223372036854775808}]}");
}
END_TEST

Suite *
suite_commands(void)
{
    Suite *suite = suite_create("commands");
    TCase *all = tcase_create("all");

    tcase_add_checked_fixture(all, begin, host_rig_end);
    tcase_add_test(all, test_fit);
    tcase_add_test(all, test_optional);
    tcase_add_test(all, test_unknown);
    tcase_add_test(all, test_suggest);
    tcase_add_test(all, test_input);
    tcase_add_test(all, test_refuse);
    tcase_add_test(all, test_log);
    tcase_add_test(all, test_later);
    tcase_add_test(all, test_forgotten);
    tcase_add_test(all, test_not_put_off_after_all);
    tcase_add_test(all, test_never);
    tcase_add_test(all, test_declare);
    tcase_add_test(all, test_list);
    tcase_add_test(all, test_memory);
    tcase_add_test(all, test_bytes);
    suite_add_tcase(suite, all);
    return suite;
}
