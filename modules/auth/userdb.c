/*
 * The users' file in SQLite: opened with care, read whole, changed in one transaction each.
 */
#include "userdb.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <unistd.h>

#include <sipd/sqlite.h>

#include "migrate.h"

#define BUSY_TIMEOUT_MS 5000

static const char make_schema[] =
    "BEGIN IMMEDIATE;"
    "CREATE TABLE users (name TEXT NOT NULL, domain TEXT NOT NULL, realm TEXT NOT NULL,"
    " algorithm TEXT NOT NULL, ha1 TEXT NOT NULL,"
    " PRIMARY KEY (name, domain, realm, algorithm)) WITHOUT ROWID;" MIGRATE_MARKS "COMMIT";

/* Changes nothing, yet needs all that a change needs: the file, a journal beside it, the lock. */
static const char prove_writable[] =
    "BEGIN IMMEDIATE; PRAGMA user_version = " MIGRATE_TEXT_OF(MIGRATE_SCHEMA) "; COMMIT";

int
userdb_failed(struct userdb *db, const char *what)
{
    int code = sqlite3_extended_errcode(db->sql);
    char words[SQLITE_WORDS_BYTES];

    snprintf(db->why, sizeof db->why, "%s: %s", what, sqlite_words(db->sql, words));
    return (code & 0xff) == SQLITE_NOMEM ? SIPD_ENOMEM : SIPD_EIO;
}

static int
run(struct userdb *db, const char *sql, const char *what)
{
    return sqlite3_exec(db->sql, sql, NULL, NULL, NULL) == SQLITE_OK ? SIPD_OK
                                                                     : userdb_failed(db, what);
}

static sqlite3_stmt *
prepare(struct userdb *db, const char *sql)
{
    sqlite3_stmt *statement = NULL;

    sqlite3_prepare_v2(db->sql, sql, -1, &statement, NULL);
    return statement;
}

static struct span
column(sqlite3_stmt *statement, int n)
{
    const void *text = sqlite3_column_blob(statement, n);

    return (struct span){ text, (size_t)sqlite3_column_bytes(statement, n) };
}

static bool
bind(sqlite3_stmt *statement, int n, struct span text)
{
    return sqlite3_bind_text64(statement, n, text.len ? text.at : "", text.len, SQLITE_STATIC,
                               SQLITE_UTF8) == SQLITE_OK;
}

/* Runs a statement that answers with one number. */
static int
ask_number(struct userdb *db, const char *sql, int *out)
{
    sqlite3_stmt *statement = prepare(db, sql);
    int err = SIPD_OK;

    if (statement && sqlite3_step(statement) == SQLITE_ROW)
        *out = sqlite3_column_int(statement, 0);
    else
        err = userdb_failed(db, "cannot be read");
    sqlite3_finalize(statement);
    return err;
}

/* Is every page as it should be? */
static int
check_pages(struct userdb *db)
{
    sqlite3_stmt *statement = prepare(db, "PRAGMA quick_check(1)");
    int err = SIPD_OK;

    if (!statement || sqlite3_step(statement) != SQLITE_ROW)
        err = userdb_failed(db, "cannot be read");
    else if (!span_eq(column(statement, 0), SPAN("ok"))) {
        snprintf(db->why, sizeof db->why, "is damaged (%.*s): put a good copy in its place",
                 SPAN_ARG(column(statement, 0)));
        err = SIPD_EINVAL;
    }
    sqlite3_finalize(statement);
    return err;
}

/* Files of version 1 have no application_id; they are known by their table. */
static bool
is_ours(struct userdb *db, int application, int version)
{
    sqlite3_stmt *statement;

    if (version > 1 || application != 0)
        return application == MIGRATE_APPLICATION_ID;
    statement = prepare(db, "SELECT name, domain, realm, algorithm, ha1 FROM users LIMIT 0");
    sqlite3_finalize(statement);
    return version == 1 && statement;
}

static int
judge(struct userdb *db, int application, int version)
{
    if (!is_ours(db, application, version)) {
        snprintf(db->why, sizeof db->why,
                 "is a database, but not of sipd's users: give another path");
        return SIPD_EINVAL;
    }
    if (version <= MIGRATE_SCHEMA)
        return SIPD_OK;
    snprintf(db->why, sizeof db->why,
             "was written by a newer sipd: its schema has number %d, this sipd knows %d", version,
             MIGRATE_SCHEMA);
    return SIPD_EINVAL;
}

/* Is it ours, and may it be used? *version: 0 if there is nothing in it yet. */
static int
check_schema(struct userdb *db, int *version)
{
    int application = 0, tables = 0, err = ask_number(db, "PRAGMA user_version", version);

    if (err == SIPD_OK)
        err = ask_number(db, "SELECT count(*) FROM sqlite_master", &tables);
    if (err == SIPD_OK)
        err = ask_number(db, "PRAGMA application_id", &application);
    if ((sqlite3_errcode(db->sql) & 0xff) == SQLITE_NOTADB) {
        snprintf(db->why, sizeof db->why,
                 "is no SQLite database, or its head is damaged: put a good copy in its place");
        return SIPD_EINVAL;
    }
    if (err == SIPD_OK && (*version != 0 || tables != 0 || application != 0))
        err = judge(db, application, *version);
    return err == SIPD_OK ? check_pages(db) : err;
}

/* A new file is ours alone from its first moment: SQLite would make it by the umask. */
static int
make_file(struct userdb *db, const char *path)
{
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0640);

    if (fd >= 0) {
        close(fd);
        return SIPD_OK;
    }
    if (errno == EEXIST)
        return SIPD_OK;
    snprintf(db->why, sizeof db->why, "cannot be made: %s", strerror(errno));
    return SIPD_EIO;
}

static int
connect_file(struct userdb *db, const char *path, int how)
{
    int err = SIPD_OK;

    if (sqlite3_open_v2(path, &db->sql, how, NULL) != SQLITE_OK) {
        err = userdb_failed(db, "cannot be opened");
        userdb_close(db);
        return err;
    }
    sqlite3_extended_result_codes(db->sql, 1);
    sqlite3_busy_timeout(db->sql, BUSY_TIMEOUT_MS);
    return SIPD_OK;
}

static int
open_and_prove(struct userdb *db, const char *path)
{
    int version = 0, err;

    if (sqlite3_db_readonly(db->sql, "main") == 1) {
        snprintf(db->why, sizeof db->why, "cannot be written by the user that sipd runs as");
        return SIPD_EIO;
    }
    /* What was an HA1 shall not stay in free pages, and what was answered shall survive a power cut. */
    err = run(db, "PRAGMA secure_delete = ON; PRAGMA synchronous = FULL; PRAGMA mmap_size = 0",
              "cannot be opened");
    if (err == SIPD_OK || (sqlite3_errcode(db->sql) & 0xff) == SQLITE_NOTADB)
        err = check_schema(db, &version);
    if (err == SIPD_OK && version > 0 && version < MIGRATE_SCHEMA)
        err = migrate_file(db, path, version);
    if (err != SIPD_OK)
        return err;
    /* Another program may have given it a log, whose index is mapped, and which keeps what was an HA1. */
    sqlite3_exec(db->sql, "PRAGMA journal_mode = DELETE", NULL, NULL, NULL);
    return run(db, version == 0 ? make_schema : prove_writable, "cannot be written");
}

int
userdb_open(struct userdb *db, const char *path)
{
    int err;

    *db = (struct userdb){ 0 };
    err = make_file(db, path);
    if (err == SIPD_OK)
        err = connect_file(db, path, SQLITE_OPEN_READWRITE);
    if (err != SIPD_OK)
        return err;
    err = open_and_prove(db, path);
    if (err != SIPD_OK)
        userdb_close(db);
    return err;
}

int
userdb_count_locked_out(struct userdb *db, struct span realm, size_t *out)
{
    sqlite3_stmt *statement = prepare(
        db, "SELECT count(*) FROM (SELECT 1 FROM users GROUP BY domain,"
            " CASE instr(name, '@') WHEN 0 THEN name ELSE substr(name, 1, instr(name, '@') - 1) END"
            " HAVING max(realm = CASE ?1 WHEN '' THEN domain ELSE ?1 END) = 0)");
    int err = SIPD_OK;

    *out = 0;
    if (statement && bind(statement, 1, realm) && sqlite3_step(statement) == SQLITE_ROW)
        *out = (size_t)sqlite3_column_int64(statement, 0);
    else
        err = userdb_failed(db, "cannot be read");
    sqlite3_finalize(statement);
    return err;
}

int
userdb_check(const char *path, struct span realm, size_t *locked_out, struct userdb *db)
{
    int version = 0, err;

    *locked_out = 0;
    *db = (struct userdb){ 0 };
    if (access(path, F_OK) != 0 && errno == ENOENT)
        return SIPD_OK;
    err = connect_file(db, path, SQLITE_OPEN_READONLY);
    if (err == SIPD_OK)
        err = check_schema(db, &version);
    if (err == SIPD_OK && version > 0)
        err = userdb_count_locked_out(db, realm, locked_out);
    userdb_close(db);
    return err;
}

void
userdb_close(struct userdb *db)
{
    sqlite3_close(db->sql);
    db->sql = NULL;
}

/* Which of a user's two names is this, and whose? A name with an @ must be the one of its own row's domain. */
static bool
name_read(struct span name, struct span domain, enum user_form *form, struct user_id *id)
{
    size_t at = span_find(name, '@');

    *form = at < name.len ? USER_LONG : USER_SHORT;
    if (*form == USER_LONG && !span_ieq(span_skip(name, at + 1), domain))
        return false;
    return user_id_write(span_head(name, at), domain, id);
}

/* One row into the index: SIPD_OK, SIPD_ESYNTAX for a row that cannot be used, SIPD_ENOMEM. */
static int
row_read(struct users *users, sqlite3_stmt *row)
{
    enum digest_algorithm algorithm;
    enum user_form form;
    struct user_id id;
    struct user *user;
    struct user_keys *keys;

    /* A row that names no algorithm is not one of MD5, as a header field would be. */
    if (column(row, 3).len == 0 || !digest_algorithm_read(column(row, 3), &algorithm) ||
        !name_read(column(row, 0), column(row, 1), &form, &id))
        return SIPD_ESYNTAX;
    user = users_find(users, &id);
    if (!user) {
        user = user_new(&id);
        if (!user)
            return SIPD_ENOMEM;
        users_put(users, user);
    }
    keys = user_keys_get(user, column(row, 2));
    if (!keys)
        return SIPD_ENOMEM;
    keys->has[form][algorithm] =
        digest_hex_read(column(row, 4), keys->ha1[form][algorithm], digest_bytes(algorithm));
    return keys->has[form][algorithm] ? SIPD_OK : SIPD_ESYNTAX;
}

int
userdb_read(struct userdb *db, const uint8_t key[16], struct users **out, size_t *bad)
{
    struct users *users = users_new(key);
    sqlite3_stmt *rows;
    int step = SQLITE_DONE, err = SIPD_OK;

    *out = NULL;
    *bad = 0;
    if (!users)
        return SIPD_ENOMEM;
    rows = prepare(db, "SELECT name, domain, realm, algorithm, ha1 FROM users");
    while (rows && err == SIPD_OK && (step = sqlite3_step(rows)) == SQLITE_ROW) {
        err = row_read(users, rows);
        if (err == SIPD_ESYNTAX) {
            ++*bad;
            err = SIPD_OK;
        }
    }
    if (err == SIPD_OK && (!rows || step != SQLITE_DONE))
        err = userdb_failed(db, "cannot be read");
    sqlite3_finalize(rows);
    if (err == SIPD_OK)
        *out = users;
    else
        users_free(&users);
    return err;
}

/* Ends a transaction by what came of it. */
static int
finish(struct userdb *db, int err)
{
    if (err == SIPD_OK)
        err = run(db, "COMMIT", "cannot be written");
    if (err != SIPD_OK && !sqlite3_get_autocommit(db->sql))
        sqlite3_exec(db->sql, "ROLLBACK", NULL, NULL, NULL);
    return err;
}

/* Takes away both names in all realms. The domain's case is not told apart: others may have written the row. */
static int
delete_rows(struct userdb *db, struct span name, struct span id)
{
    sqlite3_stmt *statement =
        prepare(db, "DELETE FROM users WHERE name IN (?1, ?2) AND domain = ?3 COLLATE NOCASE");
    bool done = statement && bind(statement, 1, name) && bind(statement, 2, id) &&
                bind(statement, 3, span_skip(id, name.len + 1)) &&
                sqlite3_step(statement) == SQLITE_DONE;
    int err = done ? SIPD_OK : userdb_failed(db, "cannot be written");

    sqlite3_finalize(statement);
    return err;
}

static bool
insert_row(sqlite3_stmt *statement, struct span name, enum digest_algorithm algorithm,
           const uint8_t *ha1)
{
    char hex[DIGEST_HEX_BYTES];
    size_t bytes = digest_bytes(algorithm);
    bool done;

    digest_hex_write(ha1, bytes, hex);
    done = bind(statement, 1, name) && bind(statement, 4, digest_algorithm_text(algorithm)) &&
           bind(statement, 5, (struct span){ hex, 2 * bytes }) &&
           sqlite3_step(statement) == SQLITE_DONE;
    sqlite3_reset(statement);
    return done;
}

static bool
insert_keys(sqlite3_stmt *statement, const struct user *user, const struct user_keys *keys)
{
    const struct span names[USER_FORMS] = {
        [USER_SHORT] = user_name(user), [USER_LONG] = user_id(user)
    };

    if (!bind(statement, 2, user_domain(user)) ||
        !bind(statement, 3, (struct span){ keys->realm, keys->realm_len }))
        return false;
    for (size_t form = 0; form < USER_FORMS; form++)
        for (size_t i = 0; i < DIGEST_ALGORITHMS; i++)
            if (keys->has[form][i] &&
                !insert_row(statement, names[form], (enum digest_algorithm)i, keys->ha1[form][i]))
                return false;
    return true;
}

static int
insert_rows(struct userdb *db, const struct user *user)
{
    sqlite3_stmt *statement = prepare(
        db, "INSERT INTO users (name, domain, realm, algorithm, ha1) VALUES (?1, ?2, ?3, ?4, ?5)");
    bool done = statement != NULL;
    int err;

    for (const struct user_keys *keys = user->keys; done && keys; keys = keys->next)
        done = insert_keys(statement, user, keys);
    err = done ? SIPD_OK : userdb_failed(db, "cannot be written");
    sqlite3_finalize(statement);
    return err;
}

int
userdb_put(struct userdb *db, const struct user *user)
{
    int err = run(db, "BEGIN IMMEDIATE", "cannot be written");

    if (err != SIPD_OK)
        return err;
    err = delete_rows(db, user_name(user), user_id(user));
    if (err == SIPD_OK)
        err = insert_rows(db, user);
    return finish(db, err);
}

int
userdb_remove(struct userdb *db, const struct user_id *id)
{
    struct span text = user_id_span(id);
    int err = run(db, "BEGIN IMMEDIATE", "cannot be written");

    if (err != SIPD_OK)
        return err;
    return finish(db, delete_rows(db, span_head(text, id->name_len), text));
}

/* Writes the names of a row's algorithms, strongest first: its columns from the fourth on say which are there. */
static struct span
algorithms_write(sqlite3_stmt *row, char *to, size_t room)
{
    size_t len = 0;

    for (size_t i = 0; i < DIGEST_ALGORITHMS; i++) {
        struct span text = digest_algorithm_text((enum digest_algorithm)i);

        if (!sqlite3_column_int(row, (int)i + 3) || len + 1 + text.len > room)
            continue;
        if (len > 0)
            to[len++] = ' ';
        memcpy(to + len, text.at, text.len);
        len += text.len;
    }
    return (struct span){ to, len };
}

int
userdb_list(struct userdb *db, userdb_list_fn *fn, void *arg)
{
    sqlite3_stmt *rows = prepare(
        db,
        "SELECT CASE instr(name, '@') WHEN 0 THEN name ELSE substr(name, 1, instr(name, '@') - 1)"
        " END AS short, domain, realm, max(algorithm = 'SHA-512-256'),"
        " max(algorithm = 'SHA-256'), max(algorithm = 'MD5')"
        " FROM users GROUP BY domain, short, realm ORDER BY domain, short, realm");
    char algorithms[64];
    int step = SQLITE_ERROR, err;

    while (rows && (step = sqlite3_step(rows)) == SQLITE_ROW)
        fn(arg, column(rows, 0), column(rows, 1), column(rows, 2),
           algorithms_write(rows, algorithms, sizeof algorithms));
    err = step == SQLITE_DONE ? SIPD_OK : userdb_failed(db, "cannot be read");
    sqlite3_finalize(rows);
    return err;
}
