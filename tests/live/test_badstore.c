/*
 * The registrar's file in other hands: held by another program, kept from growing or from any change, or written over while the
 * server runs. What cannot be kept is refused with a time to come back (RFC 3261 §10.3 step 7, §20.33), look-ups go on from memory,
 * an alarm says so, and all goes on by itself when the trouble is over.
 * What lies beside it, log and index, may go as well; and the process in the middle of all that.
 */
#include <check.h>
#include <fcntl.h>
#include <glob.h>
#include <linux/fs.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/def.h"
#include "live/readonly.h"
#include "live/users.h"

Suite *suite_badstore(void);

enum { USERS = 40, WAITING = 4, MANY = 12, TRIES = 10 };

static struct server server;
static char path[300];

static void
begin(const char *name, const char *settings)
{
    char all[600];

    snprintf(path, sizeof path, "%s/%s.db", proc_dir(), name);
    snprintf(all, sizeof all,
             "modules = [ \"registrar\" ];\nregistrar = { path = \"%s\"; %s };\ndrain_s = 1;", path,
             settings);
    server_make(&server, name, all);
    server_start(&server);
    users_begin(&server);
    for (unsigned n = 0; n < USERS; n++)
        ck_assert_uint_eq(users_keep(n), 200);
}

/* After a restart too: those who were acknowledged and nobody else. */
static void
end(unsigned kept, unsigned refused)
{
    server_stop(&server);
    server_start(&server);
    for (unsigned n = 0; n < USERS; n++)
        ck_assert(users_found(n));
    ck_assert(users_found(kept));
    ck_assert(!users_found(refused));
    users_end();
    server_stop(&server);
}

static bool
counts(const char *counter, const char *value)
{
    char words[100];
    struct proc out;
    const char *at;

    snprintf(words, sizeof words, "show counters %s", counter);
    ck_assert_int_eq(server_ctl(&server, &out, words, NULL), 0);
    at = strstr(proc_output(&out), counter);
    return at && strncmp(at + strlen(counter) + strspn(at + strlen(counter), " "), value,
                         strlen(value)) == 0;
}

/* ---------------------------------------------------------------- held by another */

static sqlite3 *
hold(void)
{
    sqlite3 *db = NULL;

    ck_assert_int_eq(sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
    sqlite3_busy_timeout(db, PROC_PATIENCE_MS);
    ck_assert_int_eq(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    return db;
}

static void
let_go(sqlite3 *db)
{
    ck_assert_int_eq(sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
    ck_assert_int_eq(sqlite3_close(db), SQLITE_OK);
}

START_TEST(held_for_long)
{
    sqlite3 *db;

    begin("held", "");
    db = hold();
    for (unsigned n = USERS; n < USERS + 3; n++)
        users_must_come_back(users_keep(n));
    ck_assert(users_found(0));
    ck_assert(!users_found(USERS));
    ck_assert_uint_eq(users_ask(0), 200);
    ck_assert(counts("registrar_store_down", "1"));
    ck_assert(proc_says(&server.proc, "locked", PROC_PATIENCE_MS));
    ck_assert_uint_eq(proc_said(&server.proc, "registrar_store module=registrar reason="),
                      1); /* and not for each */
    let_go(db);
    users_keep_in_the_end(USERS + 1);
    ck_assert(proc_says(&server.proc, "registrar_store_works_again", PROC_PATIENCE_MS));
    ck_assert(counts("registrar_store_down", "0"));
    end(USERS + 1, USERS + 2);
}
END_TEST

/* A disk that takes its time: calls do not wait for it, and no more REGISTERs than are allowed to. */
static bool
try_slow(unsigned user)
{
    enum { WRITTEN_MS = 10000, LATE_MS = 500 };
    unsigned full = 0, status;
    sqlite3 *db = hold();
    bool well;

    for (unsigned n = 0; n < MANY; n++)
        users_send(user + n);
    while (full < MANY - WAITING && (status = users_hear(1000)) == 503) {
        users_must_come_back(status);
        full++;
    }
    if (full == MANY - WAITING)
        for (unsigned n = 0; n < USERS; n++)
            ck_assert(users_found(n));
    let_go(db);
    well = full == MANY - WAITING;
    /* if one hears anything else, this machine was slower still, and the store gave up */
    for (unsigned n = 0; well && n < WAITING; n++)
        well = users_hear(WRITTEN_MS) == 200;
    while (users_hear(LATE_MS) != 0)
        continue; /* what comes late is no answer to the next */
    return well;
}

START_TEST(slow)
{
    unsigned user = 100, tries = 0;

    begin("slow", "max_waiting = 4;");
    while (!try_slow(user) && tries++ < TRIES)
        user += MANY;
    ck_assert_uint_lt(tries, TRIES);
    for (unsigned n = 0; n < MANY; n++)
        ck_assert(users_found(user + n) == (n < WAITING));
    end(user, user + WAITING);
}
END_TEST

/* ---------------------------------------------------------------- kept from growing */

static off_t
log_bytes(void)
{
    char name[320];
    struct stat st;

    snprintf(name, sizeof name, "%s-wal", path);
    ck_assert_int_eq(stat(name, &st), 0);
    return st.st_size;
}

/* No file of the server's may have more bytes. Its own log has fewer. */
static void
limit_files(rlim_t bytes)
{
    struct rlimit limit;

    ck_assert_int_eq(prlimit(server.proc.pid, RLIMIT_FSIZE, NULL, &limit), 0);
    limit.rlim_cur = bytes == RLIM_INFINITY ? limit.rlim_max : bytes;
    ck_assert_int_eq(prlimit(server.proc.pid, RLIMIT_FSIZE, &limit, NULL), 0);
}

START_TEST(kept_from_growing)
{
    begin("small", "");
    ck_assert_int_gt(log_bytes(), 65536);
    limit_files((rlim_t)log_bytes());
    for (unsigned n = USERS; n < USERS + 20; n++)
        users_must_come_back(users_keep(n));
    ck_assert(users_found(0));
    ck_assert_uint_eq(users_ask(0), 200);
    ck_assert(counts("registrar_store_down", "1"));
    ck_assert_uint_eq(proc_said(&server.proc, "registrar_store module=registrar reason="), 1);
    limit_files(RLIM_INFINITY);
    users_keep_in_the_end(USERS + 1);
    ck_assert(proc_says(&server.proc, "registrar_store_works_again", PROC_PATIENCE_MS));
    end(USERS + 1, USERS + 2);
}
END_TEST

/* ---------------------------------------------------------------- read-only */

/* The file system, beneath a server that holds the file open: none of its calls that write does. */
START_TEST(turned_read_only)
{
    if (!readonly_begin(proc_dir())) {
        proc_skip("a disk that turns read-only",
                  "the kernel lets this user answer no system calls");
        return;
    }
    begin("turned", "");
    readonly_set(true);
    for (unsigned n = USERS; n < USERS + 20; n++)
        users_must_come_back(users_keep(n));
    for (unsigned n = 0; n < USERS; n++)
        ck_assert(users_found(n));
    ck_assert(!users_found(USERS));
    ck_assert_uint_eq(users_ask(0), 200);
    ck_assert(counts("registrar_store_down", "1"));
    ck_assert(proc_says(&server.proc, "turned.db: disk I/O error: Read-only file system",
                        PROC_PATIENCE_MS));
    ck_assert_uint_eq(proc_said(&server.proc, "registrar_store module=registrar reason="), 1);
    ck_assert_uint_eq(proc_said(&server.proc, "registrar_store_lost"), 0);
    readonly_set(false);
    users_keep_in_the_end(USERS + 1);
    ck_assert(proc_says(&server.proc, "registrar_store_works_again", PROC_PATIENCE_MS));
    ck_assert(counts("registrar_store_down", "0"));
    end(USERS + 1, USERS + 2);
}
END_TEST

/* ---------------------------------------------------------------- killed meanwhile */

static void
be_held(bool on)
{
    static sqlite3 *db;

    if (on)
        db = hold();
    else
        let_go(db);
}

/* Its successor has no limit. */
static void
be_small(bool on)
{
    if (on)
        limit_files((rlim_t)log_bytes());
}

static const struct trouble {
    const char *name;
    void (*set)(bool on);
    bool stays; /* for its successor, too, until that is killed as well */
} troubles[] = {
    { "held-killed", be_held, false },
    { "held-killed-twice", be_held, true },
    { "small-killed", be_small, false },
    { "turned-killed", readonly_set, false },
};

/* Three are refused, and with them it is killed. */
static void
refuse_and_kill(void)
{
    for (unsigned n = USERS; n < USERS + 3; n++)
        users_must_come_back(users_keep(n));
    for (unsigned n = 0; n < USERS; n++)
        ck_assert(users_found(n));
    proc_kill(&server.proc);
}

/* The process ends in the middle of it: what was acknowledged is there, and what was refused is not, when it is over. */
START_TEST(killed)
{
    const struct trouble *trouble = &troubles[_i];

    if (trouble->set == readonly_set && !readonly_begin(proc_dir())) {
        proc_skip("kill -9 on a disk that turned read-only",
                  "the kernel lets this user answer no system calls");
        return;
    }
    begin(trouble->name, "");
    trouble->set(true);
    refuse_and_kill();
    if (trouble->stays) {
        server_start(&server);
        refuse_and_kill();
    }
    trouble->set(false);
    server_start(&server);
    for (unsigned n = 0; n < USERS + 3; n++)
        ck_assert(users_found(n) == (n < USERS));
    ck_assert_uint_eq(users_keep(USERS + 1), 200);
    end(USERS + 1, USERS + 2);
}
END_TEST

/* ---------------------------------------------------------------- written over */

static void
write_over_from(off_t at)
{
    static char others[8192];
    int fd = open(path, O_RDWR | O_CLOEXEC);

    memset(others, 'x', sizeof others);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(pwrite(fd, others, sizeof others, at), sizeof others);
    close(fd);
}

static void
write_over(void)
{
    write_over_from(0);
}

START_TEST(written_over)
{
    begin("over", "");
    write_over();
    ck_assert_uint_eq(users_keep(USERS), 200);
    ck_assert(proc_says(&server.proc, "another program has written to it", PROC_PATIENCE_MS));
    ck_assert(proc_says(&server.proc, "registrar_store_lost", PROC_PATIENCE_MS));
    ck_assert(proc_says(&server.proc, "registrar_store_written_anew", PROC_PATIENCE_MS));
    ck_assert(counts("registrar_store_lost", "1"));
    ck_assert_uint_eq(users_keep(USERS + 1), 200);
    end(USERS, USERS + 2);
}
END_TEST

/* Nobody registers any more: it is found out all the same, by the watch or at the stop, whichever comes first. */
static void
begin_in_anothers_hands(const char *name, void (*meddle)(void))
{
    begin(name, "");
    ck_assert_uint_eq(users_keep(USERS), 200);
    meddle();
}

START_TEST(written_over_in_silence)
{
    begin_in_anothers_hands("silent", write_over);
    ck_assert(proc_says(&server.proc, "another program has written to it", PROC_PATIENCE_MS));
    ck_assert(proc_says(&server.proc, "registrar_store_written_anew", PROC_PATIENCE_MS));
    ck_assert(counts("registrar_store_lost", "1"));
    end(USERS, USERS + 2);
}
END_TEST

START_TEST(written_over_before_the_stop)
{
    begin_in_anothers_hands("stopped", write_over);
    end(USERS, USERS + 2);
}
END_TEST

/* As an editor, or who restores a backup, does it: another file by that name. */
static void
replace(void)
{
    char name[320];
    int fd;

    snprintf(name, sizeof name, "%s.new", path);
    fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    ck_assert_int_ge(fd, 0);
    close(fd);
    ck_assert_int_eq(rename(name, path), 0);
}

START_TEST(replaced_before_the_stop)
{
    begin_in_anothers_hands("replaced", replace);
    end(USERS, USERS + 2);
}
END_TEST

/* ---------------------------------------------------------------- damaged while the server stands */

/* Is what was written over still there, under its other name? */
static bool
is_aside(off_t at)
{
    char pattern[320], byte = 0;
    glob_t found;
    bool kept = false;

    snprintf(pattern, sizeof pattern, "%s.damaged-*Z", path);
    if (glob(pattern, 0, NULL, &found) == 0 && found.gl_pathc == 1) {
        int fd = open(found.gl_pathv[0], O_RDONLY | O_CLOEXEC);

        kept = fd >= 0 && pread(fd, &byte, 1, at) == 1 && byte == 'x';
        close(fd);
    }
    globfree(&found);
    return kept;
}

/* The head, which is found out when the file is opened; pages, when they are looked at: at once, or by the thread if it is large. */
static const struct {
    const char *name;
    off_t at;
    unsigned users; /* besides */
} damages[] = {
    { "head", 0, 0 },
    { "pages", 8192, 0 },
    { "many", 1 << 20, 12000 },
};

static void
fill(unsigned users)
{
    char sql[400];
    sqlite3 *db = NULL;

    snprintf(
        sql, sizeof sql,
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %u)"
        " INSERT INTO binding SELECT 'sip:x' || i || '@example.com', contact, '', 0,"
        " printf('%%.400c', 'x'), '', NULL, call_id, cseq, expires_s, granted_s, transport, ip,"
        " scope_id, port, listener, reach, user_agent, step_s FROM n, (SELECT * FROM binding LIMIT "
        "1)",
        users);
    ck_assert_int_eq(sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
    ck_assert_int_eq(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    ck_assert_int_eq(sqlite3_close(db), SQLITE_OK);
}

/* It is an alarm as it is while the server runs; phones register again. */
START_TEST(damaged_before_the_start)
{
    begin(damages[_i].name, "");
    ck_assert(counts("registrar_store_lost", "0"));
    server_stop(&server);
    if (damages[_i].users > 0)
        fill(damages[_i].users);
    write_over_from(damages[_i].at);
    server_start(&server);
    ck_assert(proc_says(&server.proc, "registrar_store_lost", PROC_PATIENCE_MS));
    ck_assert(
        proc_says(&server.proc, "bindings=\"none until phones register again\"", PROC_PATIENCE_MS));
    ck_assert_uint_eq(proc_said(&server.proc, "registrar_store_lost"), 1);
    ck_assert(counts("registrar_store_lost", "1"));
    ck_assert(counts("registrar_store_rewriting", "0"));
    ck_assert(counts("registrar_store_down", "0"));
    ck_assert(is_aside(damages[_i].at));
    for (unsigned n = 0; n < USERS; n++) {
        ck_assert(!users_found(n));
        ck_assert_uint_eq(users_keep(n), 200);
    }
    ck_assert_uint_eq(users_keep(USERS), 200);
    end(USERS, USERS + 1);
}
END_TEST

/* ---------------------------------------------------------------- what lies beside it */

static const char *
beside(const char *end)
{
    static char name[320];

    snprintf(name, sizeof name, "%s%s", path, end);
    return name;
}

/* A page that is mapped and on disk may then not be written; not even by root. */
static bool
set_immutable(const char *name, bool on)
{
    int fd = open(name, O_RDONLY | O_CLOEXEC), flags = 0;
    bool done;

    ck_assert_int_ge(fd, 0);
    done = fsync(fd) == 0 && ioctl(fd, FS_IOC_GETFLAGS, &flags) == 0;
    flags = on ? flags | FS_IMMUTABLE_FL : flags & ~FS_IMMUTABLE_FL;
    done = done && ioctl(fd, FS_IOC_SETFLAGS, &flags) == 0;
    close(fd);
    return done;
}

START_TEST(an_index_that_may_not_be_written)
{
    begin("index", "");
    if (!set_immutable(beside("-shm"), true)) {
        proc_skip("a file that may not be changed", "this user, or the disk, knows none");
        users_end();
        server_stop(&server);
        return;
    }
    for (unsigned n = USERS; n < USERS + 5; n++)
        users_must_come_back(users_keep(n));
    for (unsigned n = 0; n < USERS; n++)
        ck_assert(users_found(n));
    ck_assert(counts("registrar_store_down", "1"));
    ck_assert(proc_says(&server.proc, "-shm: Operation not permitted", PROC_PATIENCE_MS));
    ck_assert_uint_eq(proc_said(&server.proc, "registrar_store module=registrar reason="), 1);
    ck_assert(set_immutable(beside("-shm"), false));
    users_keep_in_the_end(USERS + 1);
    ck_assert(proc_says(&server.proc, "registrar_store_works_again", PROC_PATIENCE_MS));
    ck_assert(counts("registrar_store_down", "0"));
    end(USERS + 1, USERS + 2);
}
END_TEST

static atomic_bool cuts;

static void *
cut_on_and_on(void *name)
{
    while (atomic_load(&cuts))
        if (truncate(name, 0) != 0)
            continue; /* it is about to be made */
    return NULL;
}

/* Between any two steps of the writer. It need not be able to write, but no word of it may be wrong. */
START_TEST(an_index_that_is_cut_short_on_and_on)
{
    pthread_t thread;
    bool kept[USERS];

    begin("cut", "");
    atomic_store(&cuts, true);
    ck_assert_int_eq(
        pthread_create(&thread, NULL, cut_on_and_on, (void *)(uintptr_t)beside("-shm")), 0);
    for (unsigned n = 0; n < USERS; n++) {
        unsigned status = users_keep(USERS + n);

        kept[n] = status == 200;
        if (!kept[n])
            users_must_come_back(status);
        ck_assert(users_found(n));
    }
    atomic_store(&cuts, false);
    pthread_join(thread, NULL);
    users_keep_in_the_end(2 * USERS);
    ck_assert(counts("registrar_store_down", "0"));
    server_stop(&server);
    server_start(&server);
    for (unsigned n = 0; n < USERS; n++)
        ck_assert(users_found(USERS + n) == kept[n]);
    end(2 * USERS, 2 * USERS + 1);
}
END_TEST

/* And the process is killed: what was in it is not. */
START_TEST(a_log_that_is_gone)
{
    begin("gone", "");
    ck_assert_int_eq(unlink(beside("-wal")), 0);
    ck_assert_uint_eq(users_keep(USERS), 200);
    ck_assert(proc_says(&server.proc, "registrar_store_written_anew", PROC_PATIENCE_MS));
    proc_kill(&server.proc);
    server_start(&server);
    end(USERS, USERS + 2);
}
END_TEST

Suite *
suite_badstore(void)
{
    Suite *suite = suite_create("badstore");
    TCase *tcase = tcase_create("badstore");

    tcase_set_timeout(tcase, 90);
    tcase_add_test(tcase, held_for_long);
    tcase_add_test(tcase, slow);
    tcase_add_test(tcase, kept_from_growing);
    tcase_add_test(tcase, turned_read_only);
    tcase_add_loop_test(tcase, killed, 0, (int)countof(troubles));
    tcase_add_test(tcase, written_over);
    tcase_add_test(tcase, written_over_in_silence);
    tcase_add_test(tcase, written_over_before_the_stop);
    tcase_add_test(tcase, replaced_before_the_stop);
    tcase_add_loop_test(tcase, damaged_before_the_start, 0, countof(damages));
    tcase_add_test(tcase, an_index_that_may_not_be_written);
    tcase_add_test(tcase, an_index_that_is_cut_short_on_and_on);
    tcase_add_test(tcase, a_log_that_is_gone);
    suite_add_tcase(suite, tcase);
    return suite;
}
