/*
 * Tables, migrations, and files put aside.
 */
#include "schema.h"

#include <errno.h>
#include <limits.h>
#include <sqlite3.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include <sipd/err.h>
#include <sipd/sqlite.h>

#define COPIES_MAX 100 /* of one version, or of one second, each beside the one before */

#define MARKS_SQL                                                         \
    "PRAGMA application_id = " SCHEMA_TEXT_OF(                            \
        LOCATION_APPLICATION_ID) ";"                                      \
                                 "PRAGMA user_version = " SCHEMA_TEXT_OF( \
                                     LOCATION_SCHEMA_VERSION) ";"

/* clang-format off */
#define BINDING_SQL(more) \
    "CREATE TABLE binding (" \
    " aor TEXT NOT NULL, contact TEXT NOT NULL," \
    " instance TEXT NOT NULL, reg_id INTEGER NOT NULL,"  /* RFC 5626; '' and 0: none */ \
    " params TEXT NOT NULL, path TEXT NOT NULL," \
    " q INTEGER,"                   /* thousandths; NULL: none given */ \
    " call_id TEXT NOT NULL, cseq INTEGER NOT NULL," \
    " expires_s INTEGER NOT NULL,"  /* UTC, since 1970, by the clock as it was when the row was written */ \
    " granted_s INTEGER NOT NULL," \
    " transport TEXT NOT NULL, ip TEXT NOT NULL, scope_id INTEGER NOT NULL, port INTEGER NOT NULL," \
    " listener TEXT NOT NULL, reach TEXT NOT NULL, user_agent TEXT NOT NULL," more \
    " PRIMARY KEY (aor, contact, instance, reg_id)) WITHOUT ROWID;"
/* written_s: UTC of the last commit; a clock far from it is not believed at the start. */
#define STATE_SQL(more, none) \
    "CREATE TABLE state (id INTEGER PRIMARY KEY, written_s INTEGER NOT NULL" more ");" \
    "INSERT INTO state VALUES (" SCHEMA_TEXT_OF(SCHEMA_WRITTEN_ID) ", 0" none ");"
/*
 * By how much the clock was set since the file was begun: up to a row's writing, and up to now. What a row says is UTC as it
 * would be now with the difference of the two.
 */
#define STEP_SQL "step_s INTEGER NOT NULL DEFAULT 0"

static const char make_sql[] = "BEGIN;" BINDING_SQL(" " STEP_SQL ",") STATE_SQL(", " STEP_SQL, ", 0")
    MARKS_SQL "COMMIT;";

/* From version n+1 to the next. */
static const char *const migrations[] = {
    "ALTER TABLE binding RENAME TO binding_1;"
    BINDING_SQL("")
    "INSERT INTO binding SELECT aor, contact, '', 0, '', '', q, call_id, cseq, expires_s, granted_s,"
    " transport, ip, scope_id, port, listener, reach, user_agent FROM binding_1;"
    "DROP TABLE binding_1;"
    STATE_SQL("", ""),
    "ALTER TABLE binding ADD COLUMN " STEP_SQL ";"
    "ALTER TABLE state ADD COLUMN " STEP_SQL ";",
};
/* clang-format on */

_Static_assert(sizeof migrations / sizeof migrations[0] == LOCATION_SCHEMA_VERSION - 1,
               "each version has its way from the one before");

int
schema_make(sqlite3 *db)
{
    return sqlite3_exec(db, make_sql, NULL, NULL, NULL);
}

static int
complain(const struct store_port *port, sqlite3 *db, const char *path, const char *doing)
{
    char words[SQLITE_WORDS_BYTES];

    location_complain(port, "%s: cannot be %s: %s", path, doing, sqlite_words(db, words));
    return SIPD_EIO;
}

/* What belongs to a database; the file last. */
static const char *const ends[] = { "-wal", "-shm", "-journal", "" };

/* Is there no such file, nor one that would belong to it? */
static bool
is_free(const char *name)
{
    char file[PATH_MAX];

    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++)
        if ((size_t)snprintf(file, sizeof file, "%s%s", name, ends[i]) >= sizeof file ||
            access(file, F_OK) == 0 || errno != ENOENT)
            return false;
    return true;
}

/* A name beside the path that nothing has yet: "PATH.MARK", "PATH.MARK.1" … */
static bool
free_name(const char *path, const char *mark, char to[PATH_MAX])
{
    for (int n = 0; n < COPIES_MAX; n++) {
        int len = n == 0 ? snprintf(to, PATH_MAX, "%s.%s", path, mark)
                         : snprintf(to, PATH_MAX, "%s.%s.%d", path, mark, n);

        if (len < 0 || len >= PATH_MAX)
            return false;
        if (is_free(to))
            return true;
    }
    return false;
}

/* The file as it is, its log included, in a file of its own. */
static int
copy_beside(const struct store_port *port, sqlite3 *db, const char *path, const char *copy)
{
    sqlite3_stmt *statement;
    int code = sqlite3_prepare_v2(db, "VACUUM INTO ?1", -1, &statement, NULL);

    if (code == SQLITE_OK && sqlite3_bind_text(statement, 1, copy, -1, SQLITE_STATIC) == SQLITE_OK)
        code = sqlite3_step(statement);
    sqlite3_finalize(statement);
    return code == SQLITE_DONE ? SIPD_OK
                               : complain(port, db, path, "copied before it is brought up to date");
}

int
schema_migrate(const struct store_port *port, sqlite3 *db, const char *path, int64_t from)
{
    char copy[PATH_MAX], mark[32];
    bool done;

    snprintf(mark, sizeof mark, "schema%lld", (long long)from);
    if (!free_name(path, mark, copy)) {
        location_complain(port, "%s: no name is left for a copy beside it", path);
        return SIPD_EIO;
    }
    if (copy_beside(port, db, path, copy) != SIPD_OK)
        return SIPD_EIO;
    done = sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL) == SQLITE_OK;
    for (int64_t version = from; done && version < LOCATION_SCHEMA_VERSION; version++)
        done = sqlite3_exec(db, migrations[version - 1], NULL, NULL, NULL) == SQLITE_OK;
    if (!done || sqlite3_exec(db, MARKS_SQL "COMMIT", NULL, NULL, NULL) != SQLITE_OK) {
        int err = complain(port, db, path, "brought up to date");

        sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
        return err;
    }
    location_note(port, "%s: brought from schema %lld to %d; the old file is %s", path,
                  (long long)from, LOCATION_SCHEMA_VERSION, copy);
    return SIPD_OK;
}

/* "location.db-wal" becomes "location.db.damaged-20260101T120000Z-wal", so that the two stay together. */
static int
rename_one(const char *path, const char *to, const char *end)
{
    char was[PATH_MAX], is[PATH_MAX];

    if ((size_t)snprintf(was, sizeof was, "%s%s", path, end) >= sizeof was ||
        (size_t)snprintf(is, sizeof is, "%s%s", to, end) >= sizeof is)
        return ENAMETOOLONG;
    return rename(was, is) == 0 || errno == ENOENT ? 0 : errno;
}

int
schema_put_aside(const struct store_port *port, const char *path, const char *why, int64_t wall_s)
{
    time_t now = (time_t)wall_s;
    char to[PATH_MAX], mark[40] = "damaged-";
    bool there = access(path, F_OK) == 0;
    struct tm tm;
    int failed = 0;

    if (gmtime_r(&now, &tm))
        strftime(mark, sizeof mark, "damaged-%Y%m%dT%H%M%SZ", &tm);
    if (!free_name(path, mark, to))
        failed = EEXIST;
    for (size_t i = 0; i < sizeof ends / sizeof ends[0] && failed == 0; i++)
        failed = rename_one(path, to, ends[i]);
    if (failed != 0) {
        location_complain(port, "%s: damaged (%s), and cannot be renamed: %s", path, why,
                          strerror(failed));
        return SIPD_EIO;
    }
    if (there)
        location_note(port, "%s: damaged (%s); it is %s now, and a new one is begun", path, why,
                      to);
    else
        location_note(port, "%s: gone (%s); a new one is begun", path, why);
    return SIPD_OK;
}
