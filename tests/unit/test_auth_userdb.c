/*
 * The users' file: what is written is there after a restart, and files that are not fit for use are named as such.
 */
#include "auth/userdb.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/def.h"
#include "lib/folder.h"
#include "unit/heap.h"
#include "unit/text.h"

static const uint8_t key[16] = "0123456789abcde";
static char folder[FOLDER_BYTES], path[96];

static void
begin(void)
{
    ck_assert(folder_make("users", folder));
    snprintf(path, sizeof path, "%s/users.db", folder);
    heap_watch();
}

static void
end(void)
{
    char journal[112];

    heap_compare();
    snprintf(journal, sizeof journal, "%s-journal", path);
    unlink(journal);
    unlink(path);
    rmdir(path); /* one test makes a folder of that name */
    ck_assert_int_eq(rmdir(folder), 0);
}

static struct user_id
id_of(const char *name, const char *domain)
{
    struct user_id id;

    must(user_id_write(span_of(name), span_of(domain), &id));
    return id;
}

/* Writes a user with all HA1s of one byte. */
static void
put(struct userdb *db, const char *name, const char *domain, const char *realm, uint8_t byte)
{
    struct user_id id = id_of(name, domain);
    struct user *user = user_new(&id);
    struct user_keys *keys = user_keys_get(user, span_of(realm));

    memset(keys->ha1, byte, sizeof keys->ha1);
    memset(keys->has, 1, sizeof keys->has);
    must(userdb_put(db, user) == SIPD_OK);
    user_free(&user);
}

static const uint8_t *
ha1_of(const struct users *users, const char *name, const char *domain, const char *realm,
       enum user_form form, enum digest_algorithm algorithm)
{
    struct user_id id = id_of(name, domain);

    return user_ha1(users_find(users, &id), form, span_of(realm), algorithm);
}

static void
open_fine(struct userdb *db)
{
    int err = userdb_open(db, path);

    if (err != SIPD_OK)
        ck_abort_msg("%d: %s", err, db->why);
}

static struct users *
read_all(struct userdb *db, size_t bad_wanted)
{
    struct users *users;
    size_t bad;

    must(userdb_read(db, key, &users, &bad) == SIPD_OK);
    must(bad == bad_wanted);
    return users;
}

/* As another program would write into the file. */
static void
by_hand(const char *sql)
{
    sqlite3 *raw;

    must(sqlite3_open(path, &raw) == SQLITE_OK);
    if (sqlite3_exec(raw, sql, NULL, NULL, NULL) != SQLITE_OK)
        ck_abort_msg("%s: %s", sql, sqlite3_errmsg(raw));
    sqlite3_close(raw);
}

static void
write_file(const char *bytes, size_t len)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0640);

    must(fd >= 0 && write(fd, bytes, len) == (ssize_t)len);
    close(fd);
}

START_TEST(users_outlive_a_restart)
{
    struct userdb db;
    struct users *users;
    struct stat info;

    open_fine(&db);
    put(&db, "alice", "example.com", "example.com", 0x11);
    put(&db, "bob", "example.com", "example.com", 0x22);
    userdb_close(&db);
    ck_assert_int_eq(stat(path, &info), 0);
    ck_assert_uint_eq(info.st_mode & 07137, 0);

    open_fine(&db);
    users = read_all(&db, 0);
    userdb_close(&db);
    ck_assert_uint_eq(users_count(users), 2);
    for (size_t i = 0; i < DIGEST_ALGORITHMS; i++)
        for (size_t form = 0; form < USER_FORMS; form++) {
            const uint8_t *ha1 = ha1_of(users, "alice", "example.com", "example.com",
                                        (enum user_form)form, (enum digest_algorithm)i);

            must(ha1 && ha1[0] == 0x11 && ha1[digest_bytes((enum digest_algorithm)i) - 1] == 0x11);
        }
    users_free(&users);
}
END_TEST

START_TEST(a_change_takes_away_what_was_before)
{
    struct userdb db;
    struct users *users;

    open_fine(&db);
    put(&db, "alice", "example.com", "old", 0x11);
    put(&db, "alice", "example.org", "example.org", 0x22);
    put(&db, "alice", "example.com", "new", 0x33);
    users = read_all(&db, 0);
    ck_assert_ptr_null(ha1_of(users, "alice", "example.com", "old", USER_SHORT, DIGEST_MD5));
    ck_assert_uint_eq(*ha1_of(users, "alice", "example.com", "new", USER_LONG, DIGEST_MD5), 0x33);
    ck_assert_uint_eq(*ha1_of(users, "alice", "example.org", "example.org", USER_LONG, DIGEST_MD5),
                      0x22);
    users_free(&users);
    userdb_close(&db);
}
END_TEST

START_TEST(removed_is_gone)
{
    struct user_id alice = id_of("alice", "example.com"), nobody = id_of("nobody", "example.com");
    struct userdb db;
    struct users *users;

    open_fine(&db);
    put(&db, "alice", "example.com", "example.com", 0x11);
    put(&db, "bob", "example.com", "example.com", 0x22);
    ck_assert_int_eq(userdb_remove(&db, &alice), SIPD_OK);
    ck_assert_int_eq(userdb_remove(&db, &nobody), SIPD_OK);
    userdb_close(&db);
    open_fine(&db);
    users = read_all(&db, 0);
    ck_assert_uint_eq(users_count(users), 1);
    ck_assert_ptr_null(users_find(users, &alice));
    users_free(&users);
    userdb_close(&db);
}
END_TEST

START_TEST(others_may_write_rows)
{
    struct userdb db;
    struct users *users;

    open_fine(&db);
    userdb_close(&db);
    by_hand("INSERT INTO users VALUES"
            " ('carol', 'Example.COM', 'r', 'md5', '0123456789ABCDEF0123456789abcdef'),"
            " ('carol@example.com', 'example.com', 'r', 'SHA-256',"
            "  '0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef'),"
            " ('dave', 'example.com', 'r', 'MD4', '0123456789abcdef0123456789abcdef'),"
            " ('dave', 'example.com', 'r', '', '0123456789abcdef0123456789abcdef'),"
            " ('dave', 'example.com', 'r', 'MD5', 'secret'),"
            " ('', 'example.com', 'r', 'MD5', '0123456789abcdef0123456789abcdef'),"
            " ('erin@example.org', 'example.com', 'r', 'MD5', '0123456789abcdef0123456789abcdef')");
    open_fine(&db);
    users = read_all(&db, 5);
    ck_assert_uint_eq(*ha1_of(users, "carol", "example.com", "r", USER_SHORT, DIGEST_MD5), 0x01);
    ck_assert_ptr_nonnull(ha1_of(users, "carol", "example.com", "r", USER_LONG, DIGEST_SHA256));
    ck_assert_ptr_null(ha1_of(users, "dave", "example.com", "r", USER_SHORT, DIGEST_MD5));
    ck_assert_ptr_null(ha1_of(users, "erin", "example.org", "r", USER_LONG, DIGEST_MD5));
    users_free(&users);
    /* What differs in the domain's case only is replaced too. */
    put(&db, "carol", "example.com", "s", 0x44);
    users = read_all(&db, 5);
    ck_assert_ptr_null(ha1_of(users, "carol", "example.com", "r", USER_SHORT, DIGEST_MD5));
    users_free(&users);
    userdb_close(&db);
}
END_TEST

static void
list_row(void *arg, struct span name, struct span domain, struct span realm, struct span algorithms)
{
    char *text = arg;
    size_t len = strlen(text);

    snprintf(text + len, 512 - len, "%.*s@%.*s %.*s: %.*s\n", SPAN_ARG(name), SPAN_ARG(domain),
             SPAN_ARG(realm), SPAN_ARG(algorithms));
}

START_TEST(the_list_is_sorted_and_has_no_secret)
{
    struct userdb db;
    char text[512] = "";

    open_fine(&db);
    put(&db, "bob", "example.com", "example.com", 0x22);
    put(&db, "alice", "example.com", "example.com", 0x11);
    put(&db, "zoe", "a.example", "r", 0x11);
    by_hand("INSERT INTO users VALUES"
            " ('carol', 'example.com', 'r', 'MD5', '0123456789abcdef0123456789abcdef')");
    ck_assert_int_eq(userdb_list(&db, list_row, text), SIPD_OK);
    ck_assert_str_eq(text, "zoe@a.example r: SHA-512-256 SHA-256 MD5\n"
                           "alice@example.com example.com: SHA-512-256 SHA-256 MD5\n"
                           "bob@example.com example.com: SHA-512-256 SHA-256 MD5\n"
                           "carol@example.com r: MD5\n");
    userdb_close(&db);
}
END_TEST

/* Neither start nor trial takes it, and both say why. */
static void
must_be_refused(const char *words, bool by_trial)
{
    struct userdb db;
    size_t locked_out;

    must(userdb_open(&db, path) != SIPD_OK);
    must(!db.sql);
    if (!strstr(db.why, words))
        ck_abort_msg("want \"%s\" in \"%s\"", words, db.why);
    if (!by_trial)
        return;
    must(userdb_check(path, SPAN(""), &locked_out, &db) != SIPD_OK);
    if (!strstr(db.why, words))
        ck_abort_msg("trial: want \"%s\" in \"%s\"", words, db.why);
}

START_TEST(a_newer_schema_is_refused)
{
    struct userdb db;

    open_fine(&db);
    userdb_close(&db);
    by_hand("PRAGMA user_version = 3");
    must_be_refused("newer sipd", true);
}
END_TEST

static const char *const others[] = {
    "CREATE TABLE songs (title)",
    "CREATE TABLE songs (title); PRAGMA user_version = 1",
    "CREATE TABLE songs (title); PRAGMA user_version = 2",
    "CREATE TABLE users (name, domain, realm, algorithm, ha1); PRAGMA user_version = 2",
    ("CREATE TABLE users (name, domain, realm, algorithm, ha1); PRAGMA user_version = 1;"
     " PRAGMA application_id = 7"),
    "PRAGMA application_id = 7",
};

START_TEST(another_database_is_refused)
{
    by_hand(others[_i]);
    must_be_refused("not of sipd's users", true);
}
END_TEST

/* ------------------------------------------------------------------ older files */

/* As version 1 made it: without an application_id. */
static const char version_1[] =
    "CREATE TABLE users (name TEXT NOT NULL, domain TEXT NOT NULL, realm TEXT NOT NULL,"
    " algorithm TEXT NOT NULL, ha1 TEXT NOT NULL,"
    " PRIMARY KEY (name, domain, realm, algorithm)) WITHOUT ROWID;"
    "PRAGMA user_version = 1;"
    "INSERT INTO users VALUES ('alice', 'example.com', 'example.com', 'MD5',"
    " '000102030405060708090a0b0c0d0e0f')";

static int
number_of(const char *file, const char *sql)
{
    sqlite3_stmt *row;
    sqlite3 *raw;
    int number;

    must(sqlite3_open_v2(file, &raw, SQLITE_OPEN_READONLY, NULL) == SQLITE_OK);
    must_for(span_of(sql), sqlite3_prepare_v2(raw, sql, -1, &row, NULL) == SQLITE_OK);
    must(sqlite3_step(row) == SQLITE_ROW);
    number = sqlite3_column_int(row, 0);
    sqlite3_finalize(row);
    sqlite3_close(raw);
    return number;
}

START_TEST(an_older_file_is_brought_up_to_date)
{
    struct userdb db;
    struct users *users;
    size_t locked_out;
    struct stat info;
    char copy[112];

    by_hand(version_1);
    snprintf(copy, sizeof copy, "%s.schema1", path);
    must(userdb_check(path, SPAN(""), &locked_out, &db) == SIPD_OK); /* a trial leaves it */
    must(number_of(path, "PRAGMA user_version") == 1 && access(copy, F_OK) != 0);
    open_fine(&db);
    must_for(span_of(db.news), strstr(db.news, "from version 1 to 2") && strstr(db.news, copy));
    users = read_all(&db, 0);
    must(ha1_of(users, "alice", "example.com", "example.com", USER_SHORT, DIGEST_MD5)[15] == 15);
    users_free(&users);
    userdb_close(&db);
    must(number_of(path, "PRAGMA user_version") == 2);
    must(number_of(path, "PRAGMA application_id") == 0x73697075);
    must(number_of(copy, "PRAGMA user_version") == 1);
    must(number_of(copy, "SELECT count(*) FROM users") == 1);
    must(stat(copy, &info) == 0 && (info.st_mode & 0777) == 0640);
    open_fine(&db); /* once is enough */
    must(db.news[0] == '\0');
    userdb_close(&db);
    must(unlink(copy) == 0);
}
END_TEST

/* One that cannot be copied stays as it is, and is not used. */
START_TEST(no_copy_no_change)
{
    struct userdb db;
    char copy[112];

    by_hand(version_1);
    for (int n = 0; n < 100; n++) {
        snprintf(copy, sizeof copy, n ? "%s.schema1.%d" : "%s.schema1", path, n);
        must(mkdir(copy, 0700) == 0);
    }
    must(userdb_open(&db, path) == SIPD_EIO);
    must_for(span_of(db.why), strstr(db.why, "no copy can be made"));
    must(number_of(path, "PRAGMA user_version") == 1);
    for (int n = 0; n < 100; n++) {
        snprintf(copy, sizeof copy, n ? "%s.schema1.%d" : "%s.schema1", path, n);
        must(rmdir(copy) == 0);
    }
}
END_TEST

START_TEST(a_file_of_something_else_is_refused)
{
    char bytes[8192];

    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (char)('a' + i % 26);
    write_file(bytes, sizeof bytes);
    must_be_refused("no SQLite database", true);
}
END_TEST

START_TEST(a_damaged_file_is_refused)
{
    char zeros[2048] = { 0 };
    struct userdb db;
    struct stat info;
    int fd;

    open_fine(&db);
    for (int i = 0; i < 200; i++) {
        char name[16];

        snprintf(name, sizeof name, "u%d", i);
        put(&db, name, "example.com", "example.com", (uint8_t)i);
    }
    userdb_close(&db);
    /* Every second page after the first two loses its head. */
    fd = open(path, O_WRONLY);
    must(fd >= 0 && fstat(fd, &info) == 0);
    for (off_t at = 8192; at + 4096 < info.st_size; at += 8192)
        must(pwrite(fd, zeros, sizeof zeros, at) == (ssize_t)sizeof zeros);
    close(fd);
    must_be_refused("damaged", true);
}
END_TEST

START_TEST(an_empty_file_is_a_new_one)
{
    struct userdb db;
    size_t locked_out;

    write_file("", 0);
    ck_assert_int_eq(userdb_check(path, SPAN(""), &locked_out, &db), SIPD_OK);
    open_fine(&db);
    put(&db, "alice", "example.com", "example.com", 0x11);
    userdb_close(&db);
}
END_TEST

START_TEST(where_no_file_can_be)
{
    char nowhere[112];
    struct userdb db;

    ck_assert_int_eq(mkdir(path, 0700), 0);
    ck_assert_int_ne(userdb_open(&db, path), SIPD_OK);
    ck_assert_str_ne(db.why, "");
    snprintf(nowhere, sizeof nowhere, "%s/no/users.db", folder);
    ck_assert_int_eq(userdb_open(&db, nowhere), SIPD_EIO);
    ck_assert_ptr_nonnull(strstr(db.why, "cannot be made"));
}
END_TEST

/* root may write anything, so this proves something for other users only. */
START_TEST(a_file_that_cannot_be_written)
{
    struct userdb db;

    open_fine(&db);
    userdb_close(&db);
    if (geteuid() == 0)
        return;
    ck_assert_int_eq(chmod(path, 0440), 0);
    must_be_refused("cannot be written", false);
}
END_TEST

/* A folder lies where the journal goes: SQLite's words would not tell. */
START_TEST(why_a_change_is_not_kept)
{
    struct user_id id = id_of("alice", "example.com");
    struct userdb db;
    char journal[112];

    open_fine(&db);
    snprintf(journal, sizeof journal, "%s-journal", path);
    ck_assert_int_eq(mkdir(journal, 0700), 0);
    ck_assert_int_eq(userdb_remove(&db, &id), SIPD_EIO);
    must_for(span_of(db.why), strstr(db.why, strerror(EISDIR)));
    ck_assert_int_eq(rmdir(journal), 0);
    put(&db, "alice", "example.com", "example.com", 0x11);
    userdb_close(&db);
}
END_TEST

/* Such a log keeps what was an HA1, and its index is mapped. */
START_TEST(a_log_of_anothers_is_given_up)
{
    static const char asked[] = "SELECT journal_mode = 'delete' FROM pragma_journal_mode";
    struct userdb db;

    open_fine(&db);
    userdb_close(&db);
    by_hand("PRAGMA journal_mode = WAL");
    open_fine(&db);
    put(&db, "alice", "example.com", "example.com", 0x11);
    ck_assert_int_eq(number_of(path, asked), 1);
    userdb_close(&db);
}
END_TEST

START_TEST(a_trial_makes_nothing)
{
    struct userdb db;
    size_t locked_out;

    ck_assert_int_eq(userdb_check(path, SPAN(""), &locked_out, &db), SIPD_OK);
    ck_assert_int_ne(access(path, F_OK), 0);
}
END_TEST

/* In a trial and at the start: whoever has no HA1 of the realm in force cannot log in. */
START_TEST(a_changed_realm_locks_out)
{
    static const struct {
        const char *realm;
        size_t locked_out;
    } cases[] = { { "", 1 }, { "example.com", 1 }, { "one.example", 2 }, { "none.example", 3 } };
    struct userdb db;
    size_t n;

    open_fine(&db);
    put(&db, "alice", "example.com", "example.com", 0x11);
    put(&db, "bob", "example.com", "example.com", 0x22);
    put(&db, "carol", "example.com", "one.example", 0x33);
    for (size_t i = 0; i < countof(cases); i++) {
        ck_assert_int_eq(userdb_count_locked_out(&db, span_of(cases[i].realm), &n), SIPD_OK);
        ck_assert_uint_eq(n, cases[i].locked_out);
    }
    userdb_close(&db);
    ck_assert_int_eq(userdb_check(path, SPAN("none.example"), &n, &db), SIPD_OK);
    ck_assert_uint_eq(n, 3);
}
END_TEST

START_TEST(a_failed_write_leaves_all)
{
    struct user_id id = id_of("alice", "example.com");
    struct user *user = user_new(&id);
    struct userdb db;
    struct users *users;

    open_fine(&db);
    put(&db, "alice", "example.com", "example.com", 0x11);
    by_hand(
        "CREATE TRIGGER no BEFORE INSERT ON users BEGIN SELECT RAISE(ABORT, 'disk of glass'); END");
    memset(user_keys_get(user, SPAN("r"))->has, 1, sizeof user->keys->has);
    ck_assert_int_eq(userdb_put(&db, user), SIPD_EIO);
    ck_assert_ptr_nonnull(strstr(db.why, "disk of glass"));
    user_free(&user);
    users = read_all(&db, 0);
    ck_assert_uint_eq(*ha1_of(users, "alice", "example.com", "example.com", USER_SHORT, DIGEST_MD5),
                      0x11);
    users_free(&users);
    userdb_close(&db);
}
END_TEST

START_TEST(reading_without_memory)
{
    struct userdb db;
    struct users *users;
    size_t bad;
    int err = SIPD_ENOMEM;

    open_fine(&db);
    put(&db, "alice", "example.com", "example.com", 0x11);
    put(&db, "bob", "example.com", "example.com", 0x22);
    for (uint64_t n = 0; err != SIPD_OK; n++) {
        mem_fail_after(n);
        err = userdb_read(&db, key, &users, &bad);
        mem_fail_never();
        must(err == SIPD_ENOMEM ? !users : err == SIPD_OK);
        must(n < 50);
    }
    ck_assert_uint_eq(users_count(users), 2);
    users_free(&users);
    userdb_close(&db);
}
END_TEST

Suite *
suite_auth_userdb(void)
{
    Suite *suite = suite_create("auth_userdb");
    TCase *all = tcase_create("all");

    tcase_add_checked_fixture(all, begin, end);
    tcase_add_test(all, users_outlive_a_restart);
    tcase_add_test(all, a_change_takes_away_what_was_before);
    tcase_add_test(all, removed_is_gone);
    tcase_add_test(all, others_may_write_rows);
    tcase_add_test(all, the_list_is_sorted_and_has_no_secret);
    tcase_add_test(all, a_newer_schema_is_refused);
    tcase_add_loop_test(all, another_database_is_refused, 0, countof(others));
    tcase_add_test(all, an_older_file_is_brought_up_to_date);
    tcase_add_test(all, no_copy_no_change);
    tcase_add_test(all, a_file_of_something_else_is_refused);
    tcase_add_test(all, a_damaged_file_is_refused);
    tcase_add_test(all, an_empty_file_is_a_new_one);
    tcase_add_test(all, where_no_file_can_be);
    tcase_add_test(all, a_file_that_cannot_be_written);
    tcase_add_test(all, why_a_change_is_not_kept);
    tcase_add_test(all, a_log_of_anothers_is_given_up);
    tcase_add_test(all, a_trial_makes_nothing);
    tcase_add_test(all, a_changed_realm_locks_out);
    tcase_add_test(all, a_failed_write_leaves_all);
    tcase_add_test(all, reading_without_memory);
    suite_add_tcase(suite, all);
    return suite;
}
