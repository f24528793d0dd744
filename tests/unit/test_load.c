/*
 * Modules: opened, loaded in order, told of new settings all or none, undone without a trace; and what they stand on.
 */
#include "unit/host_rig.h"

struct conf {
    uint32_t n;
    struct span path;
};

static const struct sipd_conf_item items[] = { SIPD_UINT(conf, n, 5, 0, 9, "a number"),
                                               SIPD_WRITE_PATH(conf, path, "x.db", "a file"),
                                               SIPD_CONF_END };

/* What happened, in order: "load a 5", "reload a 6", "unload a" … */
static struct buf told;
static int fails;             /* what load() or reload() of "b" says; SIPD_OK: yes */
static const char *complains; /* … and these words, or NULL */
static struct sipd_host *handles[3];
static unsigned hooked, timed, posted;
static uint64_t last_arg;

struct self {
    struct sipd_host *host;
    char name;
    uint32_t n;
};

static enum sipd_verdict
hook(struct sipd_req *req, void *self)
{
    (void)req;
    (void)self;
    hooked++;
    return SIPD_PASS;
}

static bool
knows(void *self, struct span aor)
{
    const struct self *s = self;

    return aor.len > 4 && aor.at[4] == s->name;
}

static void
nothing(void *self, const struct sipd_ask *ask, struct sipd_answer *answer)
{
    (void)self;
    (void)ask;
    (void)answer;
}

static void
on_timer(void *self, uint64_t arg)
{
    (void)self;
    timed++;
    last_arg = arg;
}

static void
on_post(void *self, void *arg)
{
    (void)self;
    posted += *(unsigned *)arg;
}

static int
load_as(char name, struct sipd_host *host, const void *conf, void **self)
{
    const struct conf *c = conf;
    struct self *s = sipd_new(host, sizeof *s);
    char command[] = "do x";

    if (!s)
        return SIPD_ENOMEM;
    *self = s;
    *s = (struct self){ host, name, c->n };
    handles[name - 'a'] = host;
    buf_printf(&told, "load %c %u\n", name, (unsigned)c->n);
    if (name == 'b' && fails != SIPD_OK && complains)
        sipd_complain(host, "%s", complains);
    if (name == 'b' && fails != SIPD_OK)
        return fails;
    command[3] = name;
    if (sipd_command(host, command, "does it", false, nothing, s) != SIPD_OK ||
        sipd_offer_users(host, knows, s) != SIPD_OK || sipd_timer(host, 1000, on_timer, s, 1) == 0)
        return SIPD_ENOMEM;
    return sipd_hook(host, SIPD_ON_REQUEST, 100 + name, hook, s);
}

static int
load_a(struct sipd_host *host, const void *conf, void **self)
{
    return load_as('a', host, conf, self);
}

static int
load_b(struct sipd_host *host, const void *conf, void **self)
{
    return load_as('b', host, conf, self);
}

static int
load_c(struct sipd_host *host, const void *conf, void **self)
{
    return load_as('c', host, conf, self);
}

static int
reload(void *self, const void *conf)
{
    struct self *s = self;
    const struct conf *c = conf;

    buf_printf(&told, "reload %c %u\n", s->name, (unsigned)c->n);
    if (s->name == 'b' && complains)
        sipd_complain(s->host, "%s", complains);
    if (s->name == 'b' && fails != SIPD_OK)
        return fails;
    s->n = c->n;
    return SIPD_OK;
}

static void
unload(void *self)
{
    const struct self *s = self;

    buf_printf(&told, "unload %c\n", s->name);
    /* What is armed now leads nowhere any more. */
    ck_assert_uint_ne(sipd_timer(s->host, 1, on_timer, self, 9), 0);
}

#define MODULE(letter, ...)                                                                \
    {                                                                                      \
        .abi = SIPD_ABI, .name = letter, .conf = items, .conf_bytes = sizeof(struct conf), \
        __VA_ARGS__                                                                        \
    }

static const struct sipd_module a = MODULE("a", .load = load_a, .reload = reload, .unload = unload);
static const struct sipd_module b = MODULE("b", .load = load_b, .reload = reload, .unload = unload);
static const struct sipd_module c = MODULE("c", .load = load_c);

static void
begin(void)
{
    host_rig_begin();
    buf_init(&told, 1 << 16);
    fails = SIPD_OK;
    complains = NULL;
    hooked = timed = posted = 0;
}

static void
end(void)
{
    host_free(&hosting.host);
    buf_fini(&told);
    host_rig_end();
}

#define must_tell(text)     (must_text(buf_span(&told), text), buf_clear(&told))
#define must_complain(text) (must_text(buf_span(&hosting.why), text), buf_clear(&hosting.why))

static void
start(void)
{
    ck_assert_int_eq(host_rig_open(&a), SIPD_OK);
    ck_assert_int_eq(host_rig_open(&b), SIPD_OK);
    ck_assert_int_eq(host_rig_open(&c), SIPD_OK);
    ck_assert_int_eq(host_rig_start(), SIPD_OK);
}

static int
reload_all(const char *names)
{
    struct span list[8], rest = span_of(names);
    size_t len = 0;

    while (rest.len > 0)
        list[len++] = span_cut(&rest, ' ');
    return host_reload(hosting.host, &hosting.source, list, len, &hosting.why);
}

/* Of modules; the core's box has one of its own. */
static unsigned
hooks(void)
{
    return core_chain(rig.core)->len[SIPD_ON_REQUEST] - 1u;
}

/* ---- open */

START_TEST(test_order)
{
    host_rig_conf("b = { n = 7; };");
    start();
    must_tell("load a 5\nload b 7\nload c 5\n");
    ck_assert_uint_eq(hooks(), 3);
    host_free(&hosting.host);
    must_tell("unload b\nunload a\n");
    ck_assert_uint_eq(hooks(), 0);
}
END_TEST

START_TEST(test_refused)
{
    static const struct sipd_conf_item unsound[] = { SIPD_UINT(conf, n, 5, 9, 0, "bounds"),
                                                     SIPD_CONF_END };
    struct sipd_module old = a, nameless = a, lame = a, odd = a;
    char words[160];

    old.abi = SIPD_ABI + 1;
    ck_assert_int_eq(host_rig_open(&old), SIPD_EABI);
    snprintf(words, sizeof(words),
             "sipd.conf: \"a\": was built for ABI %u, and this is %u; install the module that "
             "belongs to this sipd\n",
             SIPD_ABI + 1, SIPD_ABI);
    must_complain(words);
    nameless.name = NULL;
    ck_assert_int_eq(host_rig_open(&nameless), SIPD_EINVAL);
    lame.load = NULL;
    ck_assert_int_eq(host_rig_open(&lame), SIPD_EINVAL);
    odd.conf = unsound;
    ck_assert_int_eq(host_rig_open(&odd), SIPD_EINVAL);
    ck_assert_int_eq(host_rig_open(&a), SIPD_OK);
    buf_clear(&hosting.why);
    ck_assert_int_eq(host_rig_open(&a), SIPD_EEXIST);
    must_complain("sipd.conf: \"a\": stands twice in modules; write it once\n");
}
END_TEST

START_TEST(test_settings_wrong)
{
    host_rig_conf("modules = [ \"a\" ];\na = { n = 10; m = 1; };");
    ck_assert_int_eq(host_rig_open(&a), SIPD_EINVAL);
    must_complain("sipd.conf:2: a.m: there is no such key; there are n, path\n"
                  "sipd.conf:2: a.n: 10 is out of bounds; write a whole number from 0 to 9\n");
    must_tell("");
}
END_TEST

START_TEST(test_no_file)
{
    host_rig_conf("modules = [ \"a\",\n \"none\" ];");
    ck_assert_int_eq(host_open(hosting.host, &hosting.source, SPAN("none"), &hosting.why),
                     SIPD_ENOENT);
    must_complain(
        "sipd.conf:2: modules[1]: \"none\": there is no such module in /nowhere; give the "
        "right directory with -M\n");
    ck_assert_int_eq(host_open(hosting.host, &hosting.source, SPAN("../a"), &hosting.why),
                     SIPD_EINVAL);
    must_complain(
        "sipd.conf:1: modules: \"../a\": is not a module's name; write small letters, digits, - "
        "and _\n");
}
END_TEST

START_TEST(test_load_fails)
{
    host_rig_conf("a = { };\nb = { };");
    ck_assert_int_eq(host_rig_open(&a), SIPD_OK);
    ck_assert_int_eq(host_rig_open(&b), SIPD_OK);
    fails = SIPD_EIO;
    complains = "its disk is full; make room";
    ck_assert_int_eq(host_rig_start(), SIPD_EIO);
    must_complain("sipd.conf:2: b: its disk is full; make room\n");
    must_tell("load a 5\nload b 5\n");
    host_free(&hosting.host);
    must_tell("unload a\n"); /* b was never there */
}
END_TEST

/* Who only wants the schemas reads no settings: what must be written may be missing. */
START_TEST(test_schemas_only)
{
    static const struct sipd_conf_item needy[] = { SIPD_STR_REQUIRED(conf, path, "file"),
                                                   SIPD_CONF_END };
    struct sipd_module one = a;

    one.conf = needy;
    ck_assert_int_eq(host_rig_open(&one), SIPD_EINVAL);
    buf_clear(&hosting.why);
    hosting.source.schemas_only = true;
    ck_assert_int_eq(host_rig_open(&one), SIPD_OK);
    must_complain("");
}
END_TEST

static void
list_path(void *arg, const struct conf_path *path)
{
    buf_printf(arg, "%.*s %.*s\n", SPAN_ARG(path->where), SPAN_ARG(path->path));
}

START_TEST(test_paths)
{
    host_rig_conf("b = {\n path = \"/y.db\"; };");
    ck_assert_int_eq(host_rig_open(&a), SIPD_OK);
    ck_assert_int_eq(host_rig_open(&b), SIPD_OK);
    host_each_path(hosting.host, list_path, &told);
    must_tell("sipd.conf: a.path x.db\nsipd.conf:2: b.path /y.db\n");
}
END_TEST

/* ---- reload */

START_TEST(test_reload)
{
    start();
    buf_clear(&told);
    host_rig_conf("a = { n = 1; }; b = { n = 2; };");
    ck_assert_int_eq(reload_all("a b c"), SIPD_OK);
    must_tell("reload a 1\nreload b 2\n");
    /* c cannot take any, but its settings are what they were. */
    host_rig_conf("c = { n = 1; };");
    ck_assert_int_eq(reload_all("a b c"), SIPD_ERESTART);
    must_complain("sipd.conf:1: c: its settings cannot change while it runs; restart sipd\n");
    must_tell("reload a 5\nreload b 5\nreload a 1\nreload b 2\n"); /* all as before */
}
END_TEST

START_TEST(test_reload_wrong)
{
    start();
    buf_clear(&told);
    host_rig_conf("a = { n = 1; }; b = { n = 99; };");
    ck_assert_int_eq(reload_all("a b c"), SIPD_EINVAL);
    must_complain("sipd.conf:1: b.n: 99 is out of bounds; write a whole number from 0 to 9\n");
    must_tell("");
    ck_assert_int_eq(reload_all("a c none"), SIPD_ENOENT);
    must_tell("");
    ck_assert_uint_eq(hooks(), 3);
}
END_TEST

START_TEST(test_reload_declined)
{
    start();
    buf_clear(&told);
    fails = SIPD_EIO;
    complains = "no";
    host_rig_conf("a = { n = 1; };");
    ck_assert_int_eq(reload_all("a b c"), SIPD_EIO);
    must_complain("sipd.conf: b: no\n");
    must_tell("reload a 1\nreload b 5\nreload a 5\n");
}
END_TEST

static void
list_module(void *arg, const struct host_module_info *info)
{
    buf_printf(arg, "%s %u\n", info->name, info->hooks);
}

START_TEST(test_taken_off)
{
    start();
    buf_clear(&told);
    ck_assert(host_knows(hosting.host, SPAN("sip:bob")));
    ck_assert_int_eq(reload_all("c a"), SIPD_OK);
    must_tell("reload a 5\nunload b\n");
    ck_assert(!host_knows(hosting.host, SPAN("sip:bob")));
    ck_assert(host_knows(hosting.host, SPAN("sip:alice")));
    ck_assert_uint_eq(hooks(), 2);
    host_each_module(hosting.host, list_module, &told);
    must_tell("c 1\na 1\n");
    ck_assert_int_eq(host_command(hosting.host, "do b", "free again", false, nothing, NULL),
                     SIPD_OK);
    ck_assert_int_eq(host_command(hosting.host, "do a", "taken", false, nothing, NULL),
                     SIPD_EEXIST);
    rig_pass(&rig, 5000);
    host_tick(hosting.host);
    ck_assert_uint_eq(timed, 2); /* not those of b */
}
END_TEST

/* ---- what they stand on */

START_TEST(test_timers)
{
    uint64_t first, second;

    start();
    host_tick(hosting.host);
    ck_assert_uint_eq(timed, 0);
    first = sipd_timer(handles[0], 0, on_timer, NULL, 7);
    second = sipd_timer(handles[0], 50, on_timer, NULL, 8);
    ck_assert_uint_le(host_next_ms(hosting.host), rig.clock.now_ms + 1);
    sipd_timer_cancel(handles[1], second); /* not its own */
    sipd_timer_cancel(handles[0], 0);
    rig_pass(&rig, 1);
    host_tick(hosting.host);
    ck_assert_uint_eq(timed, 1);
    ck_assert_uint_eq(last_arg, 7);
    sipd_timer_cancel(handles[0], first); /* has fired */
    sipd_timer_cancel(handles[0], second);
    rig_pass(&rig, 100);
    host_tick(hosting.host);
    ck_assert_uint_eq(timed, 1);
    rig_pass(&rig, 1000);
    host_tick(hosting.host);
    ck_assert_uint_eq(timed, 4);
    ck_assert_uint_eq(host_next_ms(hosting.host), UINT64_MAX);
}
END_TEST

START_TEST(test_posts)
{
    unsigned one = 1, two = 2;

    start();
    ck_assert_int_eq(sipd_post(handles[0], on_post, NULL, &one), SIPD_OK);
    ck_assert_int_eq(sipd_post(handles[1], on_post, NULL, &two), SIPD_OK);
    ck_assert_uint_eq(hosting.wakes, 1);
    ck_assert_uint_eq(posted, 0);
    ck_assert_int_eq(reload_all("b c"), SIPD_OK); /* a goes, and with it what it posted */
    host_rig_wake();
    ck_assert_uint_eq(posted, 2);
    ck_assert_int_eq(sipd_post(handles[1], on_post, NULL, &two), SIPD_OK);
    ck_assert_uint_eq(hosting.wakes, 2);
    host_free(&hosting.host); /* what has not run is dropped */
    ck_assert_uint_eq(posted, 2);
}
END_TEST

START_TEST(test_trial)
{
    const struct prf_key key = { 0, 0 };
    unsigned one = 1;

    ck_assert_int_eq(host_rig_open(&a), SIPD_OK);
    ck_assert_int_eq(host_start(hosting.host, &hosting.source, NULL, &key, &hosting.why), SIPD_OK);
    ck_assert(sipd_is_trial(handles[0]));
    ck_assert_uint_eq(hooks(), 0);
    ck_assert_int_eq(sipd_post(handles[0], on_post, NULL, &one), SIPD_ECLOSED);
    sipd_resume(handles[0], 1);
}
END_TEST

START_TEST(test_same_order)
{
    start();
    ck_assert_int_eq(sipd_hook(handles[0], SIPD_ON_REQUEST, 100 + 'b', hook, NULL), SIPD_EEXIST);
    ck_assert_int_eq(sipd_hook(handles[0], SIPD_ON_TARGETS, 100 + 'b', hook, NULL), SIPD_OK);
    ck_assert_int_eq(sipd_command(handles[0], "do b", "taken", false, nothing, NULL), SIPD_EEXIST);
}
END_TEST

START_TEST(test_secrets)
{
    uint8_t one[16], same[16], other[16], hash[16], again[16];

    start();
    sipd_secret(handles[0], SPAN("nonce"), one);
    sipd_secret(handles[1], SPAN("nonce"), same);
    sipd_secret(handles[0], SPAN("token"), other);
    ck_assert_mem_eq(one, same, 16);
    ck_assert_mem_ne(one, other, 16);
    sipd_prf(one, SPAN("bytes"), hash);
    sipd_prf(same, SPAN("bytes"), again);
    ck_assert_mem_eq(hash, again, 16);
    sipd_prf(other, SPAN("bytes"), again);
    ck_assert_mem_ne(hash, again, 16);
    ck_assert(sipd_hash(one, SPAN("bytes")) == sipd_hash(same, SPAN("bytes")));
    ck_assert(sipd_hash(one, SPAN("bytes")) != sipd_hash(other, SPAN("bytes")));
    ck_assert(sipd_hash(one, SPAN("bytes")) != sipd_hash(one, SPAN("byteS")));
}
END_TEST

START_TEST(test_places)
{
    char path[32];

    start();
    ck_assert_int_eq(sipd_path(handles[0], SPAN("a.db"), path, sizeof path), SIPD_OK);
    ck_assert_str_eq(path, "/var/lib/sipd/a.db");
    ck_assert_int_eq(sipd_path(handles[0], SPAN("/a.db"), path, sizeof path), SIPD_OK);
    ck_assert_str_eq(path, "/a.db");
    ck_assert_int_eq(sipd_path(handles[0], SPAN("a.db"), path, 19), SIPD_OK);
    ck_assert_int_eq(sipd_path(handles[0], SPAN("a.db"), path, 18), SIPD_ETOOBIG);
    ck_assert(sipd_is_ours(handles[0], SPAN("EXAMPLE.com"), 0));
    must_text(sipd_domain(handles[0], 0), "example.com");
    ck_assert_uint_eq(sipd_domain(handles[0], 1).len, 0);
    must_text(sipd_listener_text(handles[0], 1), "udp:198.51.100.1:5060");
    ck_assert_uint_eq(sipd_listener_find(handles[0], SPAN("udp:198.51.100.1:5060")), 1);
    ck_assert_uint_eq(sipd_now_ms(handles[0]), rig.clock.now_ms);
    ck_assert_int_eq(sipd_wall_s(handles[0]), rig.clock.wall_s);
}
END_TEST

START_TEST(test_log)
{
    start();
    buf_clear(&hosting.log);
    sipd_log(handles[1], 1, "odd-thing", "key", "a value", "none", NULL, NULL);
    sipd_log(handles[1], 7, "detail", NULL);
    must_text(buf_span(&hosting.log),
              "warn odd-thing module=b key=\"a value\" none=\ndebug detail module=b\n");
    buf_clear(&hosting.log);
    rig.log.level = LOG_LVL_ERROR;
    sipd_log(handles[1], 1, "unheard", NULL);
    ck_assert_uint_eq(hosting.log.len, 0);
}
END_TEST

START_TEST(test_counter)
{
    start();
    ++*sipd_counter(handles[0], "things");
    ck_assert_uint_eq(*sipd_counter(handles[1], "things"), 1);
}
END_TEST

static uint64_t
count_fact(void *io, const struct fact *fact)
{
    (void)io;
    buf_printf(&told, "%s %u %llu %.*s\n", fact->kind, (unsigned)fact->version,
               (unsigned long long)fact->id, SPAN_ARG(fact->bytes));
    return 42;
}

START_TEST(test_facts)
{
    start();
    buf_clear(&told);
    ck_assert_uint_eq(sipd_note(handles[0], "bind", 1, 7, SPAN("x")), 0);
    host_free(&hosting.host);
    buf_clear(&told);
    hosting.ports.note = count_fact;
    ck_assert_int_eq(host_new(&hosting.host, &hosting.ports), SIPD_OK);
    start();
    buf_clear(&told);
    ck_assert_uint_eq(sipd_note(handles[0], "bind", 1, 7, SPAN("x")), 42);
    must_tell("bind 1 7 x\n");
}
END_TEST

/* Memory goes out at each allocation of opening and loading in turn: said, and nothing is left behind. */
START_TEST(test_memory)
{
    uint64_t n = 0;
    int err;

    do {
        host_free(&hosting.host);
        ck_assert_int_eq(host_new(&hosting.host, &hosting.ports), SIPD_OK);
        mem_fail_after(n++);
        err = host_rig_open(&a);
        if (err == SIPD_OK)
            err = host_rig_start();
        must(err == SIPD_OK || mem_failed());
        if (!mem_failed())
            break;
        mem_fail_never();
    } while (n < 200);
    mem_fail_never();
    ck_assert_int_eq(err, SIPD_OK);
    ck_assert_uint_eq(hooks(), 1);
}
END_TEST

Suite *
suite_load(void)
{
    Suite *suite = suite_create("load");
    TCase *all = tcase_create("all");

    tcase_add_checked_fixture(all, begin, end);
    tcase_add_test(all, test_order);
    tcase_add_test(all, test_refused);
    tcase_add_test(all, test_settings_wrong);
    tcase_add_test(all, test_no_file);
    tcase_add_test(all, test_load_fails);
    tcase_add_test(all, test_schemas_only);
    tcase_add_test(all, test_paths);
    tcase_add_test(all, test_reload);
    tcase_add_test(all, test_reload_wrong);
    tcase_add_test(all, test_reload_declined);
    tcase_add_test(all, test_taken_off);
    tcase_add_test(all, test_timers);
    tcase_add_test(all, test_posts);
    tcase_add_test(all, test_trial);
    tcase_add_test(all, test_same_order);
    tcase_add_test(all, test_secrets);
    tcase_add_test(all, test_places);
    tcase_add_test(all, test_log);
    tcase_add_test(all, test_counter);
    tcase_add_test(all, test_facts);
    tcase_add_test(all, test_memory);
    suite_add_tcase(suite, all);
    return suite;
}
