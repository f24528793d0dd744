/*
 * The commands about users with their thread and their file: answered when it is on disk, there after a restart.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include <check.h>
#include <sqlite3.h>

#include "base/mem.h"
#include "core/core.h"
#include "host/host.h"
#include "lib/folder.h"

Suite *suite_auth_commands(void);

enum { PATIENCE_S = 60, POSTS = 64 };

static struct {
    pthread_mutex_t lock;
    pthread_cond_t came;
    void (*fn[POSTS])(void *arg);
    void *arg[POSTS];
    size_t len;
} posts = { .lock = PTHREAD_MUTEX_INITIALIZER, .came = PTHREAD_COND_INITIALIZER };

static struct clock now;
static struct rand chance;
static struct counters counters;
static struct log silent;
static struct arena turn;
static struct core_conf core_conf;
static struct core *core;
static struct host *host;
static config_t config;
static char folder[FOLDER_BYTES], path[96];
static struct buf said;     /* the last answer, as JSON */
static uint64_t answered;   /* its id when it came later */
static uint64_t fail_after; /* allocations of a start that succeed; 0: all */
static uint64_t live;

/* ------------------------------------------------------------------ a host with a loop of our own */

static int
post(void *io, void (*fn)(void *arg), void *arg)
{
    (void)io;
    pthread_mutex_lock(&posts.lock);
    ck_assert_uint_lt(posts.len, POSTS);
    posts.fn[posts.len] = fn;
    posts.arg[posts.len++] = arg;
    pthread_cond_signal(&posts.came);
    pthread_mutex_unlock(&posts.lock);
    return SIPD_OK;
}

static bool
is_ours(void *io, struct span domain, uint16_t port)
{
    (void)io;
    return span_ieq(domain, SPAN("example.com")) && port == 0;
}

static void
keep_answer(void *io, uint64_t answer_id, const struct sipd_answer *answer)
{
    (void)io;
    answered = answer_id;
    buf_clear(&said);
    answer_write(answer, &said);
    buf_put_char(&said, '\0');
}

/* What was posted until now, on this thread. */
static bool
run_posts(void)
{
    void (*fn)(void *arg);
    void *arg;
    bool ran = false;

    pthread_mutex_lock(&posts.lock);
    while (posts.len > 0) {
        fn = posts.fn[0];
        arg = posts.arg[0];
        posts.len--;
        memmove(posts.fn, posts.fn + 1, posts.len * sizeof posts.fn[0]);
        memmove(posts.arg, posts.arg + 1, posts.len * sizeof posts.arg[0]);
        pthread_mutex_unlock(&posts.lock);
        fn(arg);
        ran = true;
        pthread_mutex_lock(&posts.lock);
    }
    pthread_mutex_unlock(&posts.lock);
    return ran;
}

/* Waits for the thread to say something, at most PATIENCE_S. */
static void
wait_for_post(void)
{
    struct timespec until;

    clock_gettime(CLOCK_MONOTONIC, &until); /* the day's may jump */
    until.tv_sec += PATIENCE_S;
    pthread_mutex_lock(&posts.lock);
    while (posts.len == 0)
        ck_assert_int_eq(pthread_cond_clockwait(&posts.came, &posts.lock, CLOCK_MONOTONIC, &until),
                         0);
    pthread_mutex_unlock(&posts.lock);
}

static const struct host_source *
source(void)
{
    static struct host_source where;
    static char dir[256];
    const char *build = getenv("SIPD_BUILD");

    snprintf(dir, sizeof dir, "%s/modules", build ? build : "build");
    where = (struct host_source){ .dir = dir,
                                  .root = config_root_setting(&config),
                                  .file = "test.conf" };
    return &where;
}

static void
settings(const char *more)
{
    char text[512];

    snprintf(text, sizeof text, "auth = { path = \"%s\"; %s };", path, more);
    config_destroy(&config);
    config_init(&config);
    ck_assert_int_eq(config_read_string(&config, text), CONFIG_TRUE);
}

/* Opens and loads the module; the error, with its words in `said`. */
static int
start(bool trial)
{
    const struct host_ports ports = { .post = post,
                                      .is_ours = is_ours,
                                      .answered = keep_answer,
                                      .clock = &now,
                                      .rand = &chance,
                                      .counters = &counters,
                                      .log = &silent,
                                      .state_dir = SPAN("/nonexistent") };
    const struct core_ports core_ports = { .clock = &now,
                                           .rand = &chance,
                                           .turn = &turn,
                                           .counters = &counters,
                                           .log = &silent,
                                           .key = { 1, 2 } };
    const struct prf_key key = { 1, 2 };
    struct buf why;
    int err;

    buf_init(&why, 4096);
    ck_assert_int_eq(core_new(&core, &core_ports, &core_conf), SIPD_OK);
    ck_assert_int_eq(host_new(&host, &ports), SIPD_OK);
    if (fail_after > 0)
        mem_fail_after(fail_after);
    err = host_open(host, source(), SPAN("auth"), &why);
    if (err == SIPD_OK)
        err = host_start(host, source(), trial ? NULL : core, &key, &why);
    mem_fail_never();
    buf_clear(&said);
    buf_put(&said, buf_span(&why));
    buf_put_char(&said, '\0');
    buf_fini(&why);
    return err;
}

static void
stop(void)
{
    host_free(&host);
    core_free(&core);
    posts.len = 0; /* nothing of a host that has ended may run */
}

static void
begin(void)
{
    live = mem_live();
    now = (struct clock){ .now_ms = 1000, .wall_s = 1800000000 };
    rand_seed(&chance, 1);
    counters_init(&counters);
    arena_init(&turn, 1 << 20);
    core_conf_default(&core_conf);
    buf_init(&said, 16 << 20);
    config_init(&config);
    ck_assert(folder_make("commands", folder));
    snprintf(path, sizeof path, "%s/users.db", folder);
    settings("");
}

static void
end(void)
{
    stop();
    config_destroy(&config);
    buf_fini(&said);
    arena_fini(&turn);
    counters_fini(&counters);
    unlink(path);
    ck_assert_int_eq(rmdir(folder), 0);
    ck_assert_uint_eq(mem_live(), live);
}

/* ------------------------------------------------------------------ typing */

/* Types a command. Returns the id of an answer that comes later, or 0 and the answer is in `said`. */
static uint64_t
type(const char *line, const char *input)
{
    struct span rest = span_of(line), words[8];
    struct host_ask asked = { .words = words, .input = span_of(input), .by = SPAN("uid 0") };
    struct sipd_answer *answer;
    uint64_t later = 0;

    while (rest.len > 0)
        words[asked.len++] = span_cut(&rest, ' ');
    if (host_run(host, &asked, &answer, &later) == HOST_LATER)
        return later;
    ck_assert_ptr_nonnull(answer);
    keep_answer(NULL, 0, answer);
    answer_free(&answer);
    return 0;
}

/* Types it and waits for the answer. */
static const char *
command(const char *line, const char *input)
{
    uint64_t later = type(line, input);

    answered = later ? 0 : answered;
    while (later && answered != later) {
        if (host_next_ms(host) == UINT64_MAX)
            wait_for_post();
        run_posts();
        now.now_ms++;
        host_tick(host);
    }
    return said.bytes;
}

static void
must_say(const char *line, const char *input, const char *words)
{
    const char *answer = command(line, input);

    ck_assert_msg(strstr(answer, words), "%s: want <%s> in <%s>", line, words, answer);
}

static void
must_start(void)
{
    ck_assert_msg(start(false) == SIPD_OK, "%s", said.bytes);
}

static void
by_hand(const char *sql)
{
    sqlite3 *raw;

    ck_assert_int_eq(sqlite3_open(path, &raw), SQLITE_OK);
    ck_assert_msg(sqlite3_exec(raw, sql, NULL, NULL, NULL) == SQLITE_OK, "%s", sqlite3_errmsg(raw));
    sqlite3_close(raw);
}

/* ------------------------------------------------------------------ tests */

START_TEST(users_come_and_go)
{
    must_start();
    must_say("show users", "", "{\"rows\":[]}");
    must_say("add user alice@example.com", "secret",
             "\"user\":\"alice@example.com\",\"done\":\"added\"");
    must_say("add user alice@Example.Com --password-stdin", "secret2\n", "\"done\":\"changed\"");
    must_say("add user bob@example.com", "x", "\"done\":\"added\"");
    ck_assert(host_knows(host, SPAN("sip:alice@example.com")));
    ck_assert(!host_knows(host, SPAN("sip:carol@example.com")));
    must_say("show users", "",
             "{\"rows\":[{\"name\":\"alice\",\"domain\":\"example.com\",\"realm\":\"example.com\","
             "\"algorithms\":\"SHA-512-256 SHA-256 MD5\"},{\"name\":\"bob\"");
    stop();
    must_start();
    ck_assert(host_knows(host, SPAN("sip:alice@example.com")));
    must_say("remove user alice@example.com", "", "\"done\":\"removed\"");
    ck_assert(!host_knows(host, SPAN("sip:alice@example.com")));
    must_say("remove user alice@example.com", "", "there is no user alice@example.com");
    must_say("show users", "", "{\"rows\":[{\"name\":\"bob\"");
}
END_TEST

START_TEST(what_is_refused)
{
    char longest[1100];

    must_start();
    must_say("add user alice", "secret", "written as name@domain");
    must_say("add user @example.com", "secret", "written as name@domain");
    must_say("add user alice@", "secret", "written as name@domain");
    must_say("add user al%69ce@example.com", "secret", "a name has 1 to 64");
    must_say("add user al\"ice@example.com", "secret", "a name has 1 to 64");
    must_say("add user al:ice@example.com", "secret", "a name has 1 to 64");
    must_say("add user alice@exa_mple@com", "secret", "is no domain");
    must_say("add user alice@example.com:5060", "secret", "is no domain");
    must_say("add user alice@example.com;lr", "secret", "is no domain");
    must_say("add user alice@example.org", "secret", "is not ours");
    must_say("add user alice@example.com", "\n", "the password is empty");
    must_say("add user alice@example.com", "sec\tret", "control character");
    must_say("add user alice@example.com", "sec\nret", "control character");
    memset(longest, 'x', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    must_say("add user alice@example.com", longest, "longer than 1024");
    must_say("remove user alice", "", "written as name@domain");
    must_say("show users", "", "{\"rows\":[]}");
}
END_TEST

START_TEST(what_the_disk_refuses_does_not_happen)
{
    must_start();
    must_say("add user bob@example.com", "secret", "added");
    by_hand(
        "CREATE TRIGGER no BEFORE INSERT ON users BEGIN SELECT RAISE(ABORT, 'disk of glass'); END");
    must_say("add user alice@example.com", "secret",
             "nothing was changed: the users' file cannot be written: disk of glass");
    ck_assert(!host_knows(host, SPAN("sip:alice@example.com")));
    must_say("show users", "", "{\"rows\":[{\"name\":\"bob\"");
}
END_TEST

START_TEST(no_password_is_kept)
{
    char bytes[65536];
    FILE *file;
    size_t len;

    must_start();
    must_say("add user alice@example.com", "correct horse battery", "added");
    stop();
    file = fopen(path, "rb");
    ck_assert_ptr_nonnull(file);
    len = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    ck_assert_uint_gt(len, 0);
    ck_assert_ptr_null(memmem(bytes, len, "horse", 5));
}
END_TEST

START_TEST(a_long_list_takes_several_turns)
{
    const char *at;
    size_t rows = 0;

    must_start();
    by_hand("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000)"
            " INSERT INTO users SELECT 'u' || i, 'example.com', 'example.com', 'MD5',"
            " '0123456789abcdef0123456789abcdef' FROM n");
    for (at = command("show users", ""); (at = strstr(at, "\"name\"")); at++)
        rows++;
    ck_assert_uint_eq(rows, 1000);
    ck_assert_uint_gt(now.now_ms, 1002);
}
END_TEST

START_TEST(the_end_comes_while_jobs_are_waiting)
{
    must_start();
    ck_assert_uint_ne(type("add user alice@example.com", "secret"), 0);
    ck_assert_uint_ne(type("show users", ""), 0);
    stop();
    /* What was asked was done. */
    must_start();
    ck_assert(host_knows(host, SPAN("sip:alice@example.com")));
}
END_TEST

START_TEST(a_list_is_half_written_at_the_end)
{
    must_start();
    by_hand("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000)"
            " INSERT INTO users SELECT 'u' || i, 'example.com', 'example.com', 'MD5',"
            " '0123456789abcdef0123456789abcdef' FROM n");
    ck_assert_uint_ne(type("show users", ""), 0);
    wait_for_post();
    run_posts();
}
END_TEST

static int
reload(void)
{
    const struct span names[] = { SPAN("auth") };
    struct buf why;
    int err;

    buf_init(&why, 4096);
    err = host_reload(host, source(), names, 1, &why);
    buf_clear(&said);
    buf_put(&said, buf_span(&why));
    buf_put_char(&said, '\0');
    buf_fini(&why);
    return err;
}

START_TEST(a_reload_reads_the_file_again)
{
    must_start();
    by_hand("INSERT INTO users VALUES"
            " ('carol', 'example.com', 'r', 'MD5', '0123456789abcdef0123456789abcdef')");
    ck_assert(!host_knows(host, SPAN("sip:carol@example.com")));
    ck_assert_int_eq(reload(), SIPD_OK);
    wait_for_post();
    run_posts();
    ck_assert(host_knows(host, SPAN("sip:carol@example.com")));
    settings("nonces = 2048; algorithms = [ \"SHA-256\", \"MD5\" ]; trusted = [ \"10.0.0.0/8\" ];");
    ck_assert_int_eq(reload(), SIPD_OK);
    settings("trusted = [ \"10.0.0.1/8\" ];");
    ck_assert_int_eq(reload(), SIPD_EINVAL);
    ck_assert_ptr_nonnull(strstr(said.bytes, "write the network"));
    unlink(path);
    snprintf(path, sizeof path, "%s/users2.db", folder);
    settings("");
    ck_assert_int_eq(reload(), SIPD_ERESTART);
    ck_assert_ptr_nonnull(strstr(said.bytes, "needs a restart"));
}
END_TEST

START_TEST(a_trial_leaves_no_trace)
{
    ck_assert_msg(start(true) == SIPD_OK, "%s", said.bytes);
    stop();
    ck_assert_int_ne(access(path, F_OK), 0);
    must_start();
    stop();
    by_hand("PRAGMA user_version = 9");
    ck_assert_int_eq(start(true), SIPD_EINVAL);
    ck_assert_ptr_nonnull(strstr(said.bytes, "was written by a newer sipd"));
    stop();
    ck_assert_int_eq(start(false), SIPD_EINVAL);
    ck_assert_ptr_nonnull(strstr(said.bytes, "was written by a newer sipd"));
}
END_TEST

/* A trial says what a change of realm does to the users; it is no error, for it may be wanted. */
START_TEST(a_trial_counts_who_is_locked_out)
{
    must_start();
    command("add user alice@example.com", "secret");
    command("add user bob@example.com", "secret");
    stop();
    settings("realm = \"another.example\"");
    ck_assert_int_eq(start(true), SIPD_OK);
    ck_assert_msg(strstr(said.bytes, "realm: 2 users"), "%s", said.bytes);
    ck_assert_ptr_nonnull(strstr(said.bytes, "cannot log in with this realm"));
    stop();
    settings("realm = \"example.com\"");
    ck_assert_int_eq(start(true), SIPD_OK);
    ck_assert_msg(!strstr(said.bytes, "realm"), "%s", said.bytes);
}
END_TEST

START_TEST(offenders_are_asked_for)
{
    must_start();
    must_say("show offenders", "", "{\"rows\":[]}");
    must_say("unban 192.0.2.7", "", "192.0.2.7: no such offender");
    must_say("unban 2001:db8::5", "", "2001:db8::/64: no such offender");
    must_say("unban alice@example.com", "", "no such offender");
}
END_TEST

START_TEST(without_memory_it_does_not_start)
{
    for (fail_after = 1; start(false) != SIPD_OK; fail_after++) {
        ck_assert_uint_lt(fail_after, 500);
        stop();
    }
    fail_after = 0;
    must_say("add user alice@example.com", "secret", "added");
}
END_TEST

START_TEST(without_memory_nothing_is_reloaded)
{
    int err = SIPD_ENOMEM;

    settings("nonces = 2048;");
    for (uint64_t n = 0; err != SIPD_OK; n++) {
        ck_assert_uint_lt(n, 500);
        must_start(); /* so that the memory of core and host is not in question */
        mem_fail_after(n);
        err = reload();
        mem_fail_never();
        stop();
    }
}
END_TEST

Suite *
suite_auth_commands(void)
{
    Suite *suite = suite_create("auth_commands");
    TCase *all = tcase_create("all");

    tcase_set_timeout(all, 60);
    tcase_add_checked_fixture(all, begin, end);
    tcase_add_test(all, users_come_and_go);
    tcase_add_test(all, what_is_refused);
    tcase_add_test(all, what_the_disk_refuses_does_not_happen);
    tcase_add_test(all, no_password_is_kept);
    tcase_add_test(all, a_long_list_takes_several_turns);
    tcase_add_test(all, the_end_comes_while_jobs_are_waiting);
    tcase_add_test(all, a_list_is_half_written_at_the_end);
    tcase_add_test(all, a_reload_reads_the_file_again);
    tcase_add_test(all, a_trial_leaves_no_trace);
    tcase_add_test(all, a_trial_counts_who_is_locked_out);
    tcase_add_test(all, offenders_are_asked_for);
    tcase_add_test(all, without_memory_it_does_not_start);
    tcase_add_test(all, without_memory_nothing_is_reloaded);
    suite_add_tcase(suite, all);
    return suite;
}
