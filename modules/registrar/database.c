/*
 * The file as a database: SQLite with a write-ahead log, synchronous FULL.
 */
#include "database.h"

#include <sqlite3.h>
#include <stdio.h>

#include <sipd/err.h>
#include <sipd/module.h>
#include <sipd/sqlite.h>

#include "location.h"
#include "schema.h"

#define BUSY_MS 2000 /* others may hold the file that long */

#define PUT_SQL                                                                                  \
    "INSERT OR REPLACE INTO binding (" ROWS_COLUMNS ")"                                          \
    " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, " \
    "?19)"
#define DROP_SQL \
    "DELETE FROM binding WHERE aor = ?1 AND contact = ?2 AND instance = ?3 AND reg_id = ?4"
#define PURGE_SQL   DROP_SQL " AND call_id = ?8 AND cseq = ?9 AND expires_s - step_s = ?10"
#define WRITTEN_SQL "UPDATE state SET written_s = ?1, step_s = ?2 WHERE id = 1"
#define READ_SQL    "SELECT " ROWS_COLUMNS " FROM binding"
#define READ_ON_SQL READ_SQL " WHERE (" ROWS_KEY ") > (?1, ?2, ?3, ?4)"
#define ORDER_SQL   " ORDER BY " ROWS_KEY

static const char *const statement_sql[DATABASE_STATEMENTS] = {
    [STORE_PUT] = PUT_SQL,
    [STORE_DROP] = DROP_SQL,
    [STORE_PURGE] = PURGE_SQL,
    [DATABASE_WRITTEN] = WRITTEN_SQL,
    [DATABASE_READ] = READ_SQL ORDER_SQL,
    [DATABASE_READ_ON] = READ_ON_SQL ORDER_SQL,
};

/* ---------------------------------------------------------------- words */

/* So much is kept for whoever opens it, who puts it aside. */
void
database_note_damage(struct database *d, const char *what)
{
    snprintf(d->damage, sizeof d->damage, "%s", what);
}

bool
database_is_damaged(struct database *d)
{
    int code = sqlite3_errcode(d->db) & 0xff;

    if (code == SQLITE_CORRUPT || (code == SQLITE_NOTADB && d->was_ours))
        database_note_damage(d, sqlite3_errmsg(d->db));
    return d->damage[0] != '\0';
}

int
database_complain(struct database *d, const char *doing)
{
    char words[SQLITE_WORDS_BYTES];
    int code = sqlite3_errcode(d->db) & 0xff;

    if (database_is_damaged(d))
        return SIPD_EIO;
    if (code == SQLITE_INTERRUPT)
        return SIPD_ECLOSED;
    if (code == SQLITE_NOTADB)
        location_complain(d->say, "%s: " LOCATION_NOT_A_DATABASE, d->path);
    else
        location_complain(d->say, "%s: %s: %s", d->path, doing, sqlite_words(d->db, words));
    return code == SQLITE_NOMEM ? SIPD_ENOMEM : SIPD_EIO;
}

/* ---------------------------------------------------------------- opening */

/* The first column of the first row, as a number or as text; SQLITE_ROW if there is one. */
static int
ask(struct database *d, const char *sql, int64_t *number, char *text, size_t room)
{
    sqlite3_stmt *statement;
    int code = sqlite3_prepare_v2(d->db, sql, -1, &statement, NULL);

    if (code != SQLITE_OK)
        return code;
    code = sqlite3_step(statement);
    if (code == SQLITE_ROW && number)
        *number = sqlite3_column_int64(statement, 0);
    if (code == SQLITE_ROW && text)
        snprintf(text, room, "%s", (const char *)sqlite3_column_text(statement, 0));
    sqlite3_finalize(statement);
    return code;
}

int
database_ask_number(struct database *d, const char *sql, int64_t *number)
{
    return ask(d, sql, number, NULL, 0) == SQLITE_ROW ? SIPD_OK
                                                      : database_complain(d, "cannot be read");
}

/* *version: 0 if nothing is in it yet, and it may become ours. */
static int
check_schema(struct database *d, int64_t *version)
{
    int64_t application = 0, things = 0;
    int err;

    if ((err = database_ask_number(d, "PRAGMA application_id", &application)) != SIPD_OK ||
        (err = database_ask_number(d, "PRAGMA user_version", version)) != SIPD_OK ||
        (err = database_ask_number(d, "SELECT count(*) FROM sqlite_schema", &things)) != SIPD_OK)
        return err;
    if (application == 0 && *version == 0 && things == 0)
        return SIPD_OK;
    return location_judge(d->say, d->path, application, *version);
}

int
database_check_pages(struct database *d)
{
    char found[STORE_WORDS_BYTES / 2];

    if (ask(d, "PRAGMA quick_check(1)", NULL, found, sizeof found) != SQLITE_ROW)
        return database_complain(d, "cannot be checked");
    if (strcmp(found, "ok") == 0)
        return SIPD_OK;
    database_note_damage(d, found);
    return SIPD_EIO;
}

/* A commit is on disk before it is reported: a log beside the file, synced each time. */
static int
set_durable(struct database *d)
{
    static const char pragmas[] = "PRAGMA synchronous = FULL;"
                                  "PRAGMA mmap_size = 0;"
                                  "PRAGMA journal_size_limit = 67108864;";
    char mode[16] = "";

    if (sqlite3_exec(d->db, pragmas, NULL, NULL, NULL) != SQLITE_OK ||
        ask(d, "PRAGMA journal_mode = WAL", NULL, mode, sizeof mode) != SQLITE_ROW)
        return database_complain(d, "cannot be opened for writing");
    if (strcmp(mode, "wal") == 0)
        return SIPD_OK;
    location_complain(d->say,
                      "%s: no write-ahead log can be kept beside it; name a path on a local disk",
                      d->path);
    return SIPD_EIO;
}

static int
open_database(struct database *d)
{
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;

    if (sqlite3_open_v2(d->path, &d->db, flags, NULL) != SQLITE_OK) {
        int why = sqlite3_system_errno(d->db);

        location_complain(d->say, "%s: cannot be opened for writing: %s", d->path,
                          why ? strerror(why) : sqlite3_errmsg(d->db));
        return SIPD_EIO;
    }
    sqlite3_busy_timeout(d->db, BUSY_MS);
    if (sqlite3_db_readonly(d->db, "main") == 0)
        return SIPD_OK;
    location_complain(d->say, "%s: cannot be written", d->path);
    return SIPD_EIO;
}

/* Nothing is changed before all is understood. */
static int
check_database(struct database *d)
{
    int64_t version = 0;
    int err;

    if ((err = check_schema(d, &version)) != SIPD_OK || (err = set_durable(d)) != SIPD_OK)
        return err;
    if (version > 0 && version < LOCATION_SCHEMA_VERSION &&
        (err = database_check_pages(d)) != SIPD_OK)
        return err;
    if (version > 0 && version < LOCATION_SCHEMA_VERSION)
        return schema_migrate(d->say, d->db, d->path, version);
    if (version > 0)
        return SIPD_OK;
    return schema_make(d->db) == SQLITE_OK ? SIPD_OK : database_complain(d, "cannot be set up");
}

void
database_close(struct database *d)
{
    for (size_t i = 0; i < DATABASE_STATEMENTS; i++)
        sqlite3_finalize(d->statements[i]);
    memset(d->statements, 0, sizeof d->statements);
    if (d->db && database_is_torn(d))
        sqlite3_db_config(d->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    sqlite3_close(d->db);
    d->db = NULL;
}

/* By an index that is not to be believed nothing is brought from the log to its place. */
static void
close_as_it_is(struct database *d)
{
    d->index_lost = true;
    database_close(d);
}

static int
prepare(struct database *d)
{
    for (size_t i = 0; i < DATABASE_STATEMENTS; i++)
        if (sqlite3_prepare_v3(d->db, statement_sql[i], -1, SQLITE_PREPARE_PERSISTENT,
                               &d->statements[i], NULL) != SQLITE_OK)
            return database_complain(d, "cannot be used");
    return SIPD_OK;
}

/* ---------------------------------------------------------------- the whole */

int
database_open(struct database *d)
{
    int err;

    d->damage[0] = '\0';
    d->index_lost = false;
    d->lost_pages = sipd_lost_pages();
    if ((err = open_database(d)) != SIPD_OK || (err = check_database(d)) != SIPD_OK)
        return err;
    err = prepare(d);
    database_leave(d);
    return err;
}

/*
 * SQLite would go on writing to a file that has no name any more, and all of it be gone at the next start; and while it has pages
 * in memory it would not see that those in the file are others' by now.
 */
void
database_check_place(struct database *d)
{
    const char *changed = location_tell_change(d->path, &d->mark);
    int moved = 0;

    if (d->db && sqlite3_file_control(d->db, "main", SQLITE_FCNTL_HAS_MOVED, &moved) == SQLITE_OK &&
        moved)
        database_note_damage(d, "it is not the file that was opened");
    else if (changed)
        database_note_damage(d, changed);
    d->index_lost |= d->db && location_lost_index(d->path, &d->mark);
}

bool
database_is_torn(const struct database *d)
{
    return !d->db || d->index_lost || sipd_lost_pages() != d->lost_pages;
}

bool
database_is_well(const struct database *d)
{
    return d->damage[0] == '\0' && !database_is_torn(d);
}

void
database_leave(struct database *d)
{
    location_note_mark(d->path, &d->mark);
}

void
database_works(struct database *d)
{
    database_leave(d);
    d->told_torn = false;
}

static int
renew(struct database *d, int64_t wall_s)
{
    char damage[sizeof d->damage];
    int err;

    memcpy(damage, d->damage, sizeof damage);
    database_close(d);
    err = schema_put_aside(d->say, d->path, damage, wall_s);
    if (err == SIPD_OK && (err = database_open(d)) == SIPD_OK)
        return SIPD_OK;
    database_close(d);
    if (d->damage[0] != '\0')
        location_complain(d->say, "%s: %s", d->path, d->damage);
    memcpy(d->damage, damage, sizeof damage); /* until it is renewed */
    return err;
}

/* SQLite opens one whose log or index it may not write, too. */
static int
prove_writable(struct database *d)
{
    return sqlite3_exec(d->db, "BEGIN IMMEDIATE; ROLLBACK", NULL, NULL, NULL) == SQLITE_OK
               ? SIPD_OK
               : database_complain(d, "cannot be opened again");
}

/* All that was committed is in its log, of which a new index is made. */
static int
reopen(struct database *d)
{
    int err;

    close_as_it_is(d);
    err = database_open(d);
    if (err == SIPD_OK)
        err = prove_writable(d);
    if (err != SIPD_OK)
        close_as_it_is(d);
    else if (!d->told_torn)
        location_note(d->say, "%s: the index of its log (-shm) was lost; it was opened again",
                      d->path);
    d->told_torn |= err == SIPD_OK;
    return err;
}

int
database_mend(struct database *d, int64_t wall_s, bool *anew)
{
    int err = SIPD_EIO;

    if (d->damage[0] == '\0')
        database_check_place(d);
    if (d->damage[0] == '\0')
        err = reopen(d);
    *anew = d->damage[0] != '\0';
    return *anew ? renew(d, wall_s) : err;
}
