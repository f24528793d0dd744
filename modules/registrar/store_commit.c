/*
 * Changes written to the file, on the thread: a group is one transaction, and acknowledged when it is on disk.
 */
#include <sqlite3.h>
#include <stdio.h>

#include <sipd/module.h>
#include <sipd/sqlite.h>

#include "location.h"
#include "schema.h"
#include "store_file.h"

static bool
perform(struct file *f, const struct store_change *change, int64_t step_s)
{
    sqlite3_stmt *s = f->database.statements[change->verb];
    char ip[HOP_TEXT_BYTES];
    bool done = rows_bind(s, change, step_s, ip) && sqlite3_step(s) == SQLITE_DONE;

    sqlite3_reset(s);
    return done;
}

static bool
perform_written(struct file *f, const struct store_time *at)
{
    sqlite3_stmt *s = f->database.statements[DATABASE_WRITTEN];
    bool done = sqlite3_bind_int64(s, 1, at->wall_s) == SQLITE_OK &&
                sqlite3_bind_int64(s, 2, at->step_s) == SQLITE_OK && sqlite3_step(s) == SQLITE_DONE;

    sqlite3_reset(s);
    return done;
}

static bool
perform_all(struct file *f, const struct store_write *group)
{
    struct store_time at = { .wall_s = 0 };

    if (sqlite3_exec(f->database.db, "BEGIN IMMEDIATE", NULL, NULL, NULL) != SQLITE_OK)
        return false;
    for (; group; group = group->next) {
        at = group->at.wall_s ? group->at : at;
        for (size_t i = 0; i < group->len; i++)
            if (!perform(f, &group->changes[i], group->at.step_s))
                return false;
    }
    if (at.wall_s == 0)
        return true;
    f->wall_s = at.wall_s;
    return perform_written(f, &at);
}

/* What stands in the log by now is not known; memory knows what was acknowledged. */
static int
tear(struct file *f, bool performed, char words[STORE_WORDS_BYTES])
{
    snprintf(words, STORE_WORDS_BYTES, "%s: the index of its log (-shm) is lost", f->path);
    database_leave(&f->database);
    if (performed && f->stage == STAGE_SERVE)
        database_note_damage(&f->database, "the index of its log was lost while it was written");
    return SIPD_EIO;
}

static int
commit(struct file *f, const struct store_write *group, char words[STORE_WORDS_BYTES])
{
    sqlite3 *db = f->database.db;
    char why[SQLITE_WORDS_BYTES];
    bool performed = perform_all(f, group) && !database_is_torn(&f->database);
    bool committed = performed && sqlite3_exec(db, "COMMIT", NULL, NULL, NULL) == SQLITE_OK;

    if (database_is_torn(&f->database))
        return tear(f, performed, words);
    if (committed) {
        database_works(&f->database);
        return SIPD_OK;
    }
    snprintf(words, STORE_WORDS_BYTES, "%s: %s", f->path, sqlite_words(db, why));
    (void)database_is_damaged(&f->database);
    if (!sqlite3_get_autocommit(db))
        sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
    /*
     * A commit that failed in its last sync stands whole in the log, and after a power cut recovery would
     * believe it. Any commit in its place ends that; if this one fails too, the next that succeeds will.
     */
    if (performed)
        sqlite3_exec(db, SCHEMA_TOUCH_SQL, NULL, NULL, NULL);
    database_leave(&f->database);
    return SIPD_EIO;
}

/* A file that proves damaged or torn is mended, and what it did not take goes into what it is then. */
int
file_commit(void *self, const struct store_write *group, char words[STORE_WORDS_BYTES])
{
    struct file *f = self;
    struct database *d = &f->database;

    database_check_place(d);
    if (database_is_well(d)) {
        int err = commit(f, group, words);

        if (err == SIPD_OK || database_is_well(d))
            return err;
    }
    words[0] = '\0'; /* what was wrong is told as news */
    if (file_mend(f) == SIPD_OK)
        return commit(f, group, words);
    if (d->damage[0] != '\0')
        snprintf(words, STORE_WORDS_BYTES, "%s: %s, and no new one can be begun", f->path,
                 d->damage);
    return SIPD_EIO;
}
