/*
 * The store in a file: SQLite with a write-ahead log; rows read and written by the writer's thread.
 *
 * The connection is the opener's until the thread is given work, then the thread's alone, and the closer's again when it has
 * ended. Others may read the file meanwhile; a second registrar is kept out by a lock on it.
 */
#include "store.h"

#include <sqlite3.h>
#include <stdio.h>
#include <unistd.h>

#include <sipd/module.h>
#include <sipd/sqlite.h>

#include "database.h"
#include "handover.h"
#include "location.h"
#include "schema.h"
#include "writer.h"

#define READ_NOW_BYTES (4 << 20) /* a file that is not larger is read before the server is there */
#define BYTES_SQL      "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size"
#define WRITTEN_S_SQL  "SELECT written_s FROM state WHERE id = 1"
#define READ_ROWS      HANDOVER_ROWS
#define AGAIN_MS       1000  /* until the thread tries again what failed */
#define PROGRESS_OPS   10000 /* between two looks whether a check shall end */

enum stage {
    STAGE_CHECK, /* pages are looked at */
    STAGE_READ,  /* rows go to the loop */
    STAGE_SERVE, /* all has been told */
};

struct file {
    const struct store_port *port; /* the loop's */
    struct store_port thread_port; /* for what goes wrong on the thread */
    struct writer *writer;
    struct handover *handover;
    struct database database;
    uint64_t read_id;
    int lock_fd;
    /* the thread's */
    enum stage stage;
    int64_t wall_s;                         /* of the last write that tells it */
    sqlite3_value *place[ROWS_KEY_COLUMNS]; /* what was read last */
    size_t senseless;                       /* rows that were passed over */
    char senseless_first[200];
    char path[];
};

/* ---------------------------------------------------------------- reading, on the thread */

static void
thread_trouble(void *self, const char *words)
{
    struct file *f = self;

    handover_trouble(f->handover, words);
}

static void
thread_news(void *self, const char *words)
{
    struct file *f = self;

    handover_news(f->handover, words);
}

/* What the loop has in memory is to be written to a new file; before anything was read that is nothing. */
static int
mend(struct file *f)
{
    bool anew;
    int err = database_mend(&f->database, f->wall_s, &anew);

    if (err == SIPD_OK && anew && f->stage != STAGE_CHECK)
        handover_lost(f->handover);
    return err;
}

static void
pass_over(struct file *f, const struct store_row *row)
{
    if (f->senseless++ == 0)
        snprintf(f->senseless_first, sizeof f->senseless_first, "%.*s to %.*s",
                 SPAN_ARG(span_head(row->aor, 80)), SPAN_ARG(span_head(row->contact, 80)));
}

/* What was read last: the next rows are behind it. */
static bool
set_place(struct file *f, sqlite3_stmt *from)
{
    for (int i = 0; i < ROWS_KEY_COLUMNS; i++) {
        sqlite3_value *value = sqlite3_value_dup(sqlite3_column_value(from, i));

        if (!value)
            return false;
        sqlite3_value_free(f->place[i]);
        f->place[i] = value;
    }
    return true;
}

static bool
bind_place(struct file *f, sqlite3_stmt *s)
{
    for (int i = 0; i < ROWS_KEY_COLUMNS; i++)
        if (f->place[i] && sqlite3_bind_value(s, i + 1, f->place[i]) != SQLITE_OK)
            return false;
    return true;
}

/*
 * The rows behind `place`, as many as go into a slice. Each slice is a question of its own, so that what is written
 * meanwhile is committed between two. SQLITE_DONE: these were the last; SQLITE_OK; or what failed.
 */
static int
read_slice(struct file *f, sqlite3_stmt *s, struct handover_slice *slice)
{
    int code;

    if (!bind_place(f, s))
        return SQLITE_NOMEM;
    for (int n = 0; n < READ_ROWS; n++) {
        struct store_row row;
        bool sensible = (code = sqlite3_step(s)) == SQLITE_ROW && rows_read(s, &row);

        if (database_is_torn(&f->database))
            return SQLITE_IOERR;
        if (code != SQLITE_ROW)
            return code;
        if (!sensible)
            pass_over(f, &row);
        else if (!handover_copy(slice, &row))
            return SQLITE_OK;
        if (!set_place(f, s))
            return SQLITE_NOMEM;
    }
    return SQLITE_OK;
}

static void
free_place(struct file *f)
{
    for (int i = 0; i < ROWS_KEY_COLUMNS; i++) {
        sqlite3_value_free(f->place[i]);
        f->place[i] = NULL;
    }
}

static void
note_senseless(struct file *f)
{
    if (f->senseless > 0)
        location_note(f->database.say,
                      "%s: %zu bindings make no sense and were passed over, the first: %s", f->path,
                      f->senseless, f->senseless_first);
}

/* Nothing is read behind the last row, or behind damage. */
static void
end_reading(struct file *f)
{
    note_senseless(f);
    free_place(f);
    f->stage = STAGE_SERVE;
    handover_end(f->handover);
}

static uint32_t
read_some(struct file *f, bool *tell)
{
    struct handover_slice *slice = handover_empty(f->handover);
    sqlite3_stmt *s = f->database.statements[f->place[0] ? DATABASE_READ_ON : DATABASE_READ];
    int code;

    if (!slice)
        return WRITER_IDLE;
    code = s ? read_slice(f, s, slice) : SQLITE_IOERR;
    if (code != SQLITE_OK && code != SQLITE_DONE && !database_is_torn(&f->database))
        database_complain(&f->database, "cannot be read");
    sqlite3_reset(s);
    if (slice->len > 0)
        handover_put(f->handover, slice);
    *tell = true;
    if (!database_is_well(&f->database))
        return mend(f) == SIPD_OK ? 0 : AGAIN_MS;
    if (code == SQLITE_DONE)
        end_reading(f);
    return code == SQLITE_DONE ? WRITER_IDLE : code == SQLITE_OK ? 0 : AGAIN_MS;
}

/* SQLite asks, while pages are checked. */
static int
shall_end(void *self)
{
    struct file *f = self;

    return writer_is_stopping(f->writer);
}

/* Before a row is told all pages are looked at: nobody is called by what a damaged file says. */
static uint32_t
check_file(struct file *f, bool *tell)
{
    struct database *d = &f->database;
    int64_t written_s = 0;
    int err = SIPD_EIO;

    *tell = true;
    if (d->db) {
        sqlite3_progress_handler(d->db, PROGRESS_OPS, shall_end, f);
        err = database_check_pages(d);
        sqlite3_progress_handler(d->db, 0, NULL, NULL);
    }
    if (err == SIPD_OK)
        err = database_ask_number(d, WRITTEN_S_SQL, &written_s);
    if (err != SIPD_OK || database_is_torn(d))
        return !database_is_well(d) && mend(f) == SIPD_OK ? 0 : AGAIN_MS;
    handover_written(f->handover, written_s);
    f->stage = STAGE_READ;
    return 0;
}

/* What is written by others, or put in its place, is found out while nothing is to be written, too. */
static uint32_t
watch_file(struct file *f, bool *tell)
{
    struct database *d = &f->database;

    database_check_place(d);
    if (database_is_well(d))
        return WRITER_IDLE;
    *tell = true;
    return mend(f) == SIPD_OK ? WRITER_IDLE : AGAIN_MS;
}

static uint32_t
file_spare(void *self, bool *tell)
{
    struct file *f = self;

    switch (f->stage) {
    case STAGE_CHECK: return check_file(f, tell);
    case STAGE_READ: return read_some(f, tell);
    case STAGE_SERVE: break;
    }
    return watch_file(f, tell);
}

/* A row at a time, all of them, on the loop. */
static int
read_rows(struct file *f)
{
    sqlite3_stmt *s = f->database.statements[DATABASE_READ];
    int code, err = SIPD_OK;

    while (err == SIPD_OK && (code = sqlite3_step(s)) == SQLITE_ROW) {
        struct store_row row;

        if (rows_read(s, &row))
            err = f->port->row(f->port->self, &row);
        else
            pass_over(f, &row);
    }
    if (err == SIPD_OK && code != SQLITE_DONE)
        err = database_complain(&f->database, "cannot be read");
    sqlite3_reset(s);
    return err;
}

static int
complain_of_tear(struct file *f)
{
    location_complain(f->database.say, "%s: the index of its log (-shm) was lost while it was read",
                      f->path);
    return SIPD_EIO;
}

/* What is read in no time is read before the server says that it is there. */
static int
read_now(struct file *f)
{
    struct database *d = &f->database;
    int64_t written_s = 0;
    int err = database_check_pages(d);

    if (err == SIPD_OK)
        err = database_ask_number(d, WRITTEN_S_SQL, &written_s);
    if (err == SIPD_OK && f->port->written)
        f->port->written(f->port->self, written_s);
    if (err == SIPD_OK) {
        f->stage = STAGE_READ;
        err = read_rows(f);
    }
    if (d->damage[0] != '\0')
        err = mend(f);
    else if (err == SIPD_OK && database_is_torn(d))
        err = complain_of_tear(f);
    if (err != SIPD_OK)
        return err;
    note_senseless(f);
    f->stage = STAGE_SERVE;
    return STORE_NOW;
}

static int
file_read(void *store, uint64_t id)
{
    struct file *f = store;
    int64_t bytes = 0;
    int err = database_ask_number(&f->database, BYTES_SQL, &bytes);

    f->read_id = id;
    f->wall_s = f->port->wall_s ? f->port->wall_s(f->port->self) : 0;
    f->stage = STAGE_CHECK;
    if (bytes <= READ_NOW_BYTES && (err == SIPD_OK || f->database.damage[0] != '\0'))
        err = read_now(f);
    f->database.say = &f->thread_port; /* from now on it is the thread's */
    if (f->stage == STAGE_SERVE || err != SIPD_OK)
        return err;
    writer_spare(f->writer);
    return STORE_LATER;
}

/* ---------------------------------------------------------------- writing, on the thread */

static bool
perform(struct file *f, const struct store_change *change)
{
    sqlite3_stmt *s = f->database.statements[change->verb];
    char ip[HOP_TEXT_BYTES];
    bool done = rows_bind(s, change, ip) && sqlite3_step(s) == SQLITE_DONE;

    sqlite3_reset(s);
    return done;
}

static bool
perform_written(struct file *f, int64_t wall_s)
{
    sqlite3_stmt *s = f->database.statements[DATABASE_WRITTEN];
    bool done = sqlite3_bind_int64(s, 1, wall_s) == SQLITE_OK && sqlite3_step(s) == SQLITE_DONE;

    sqlite3_reset(s);
    return done;
}

static bool
perform_all(struct file *f, const struct store_write *group)
{
    int64_t wall_s = 0;

    if (sqlite3_exec(f->database.db, "BEGIN IMMEDIATE", NULL, NULL, NULL) != SQLITE_OK)
        return false;
    for (; group; group = group->next) {
        wall_s = group->wall_s ? group->wall_s : wall_s;
        for (size_t i = 0; i < group->len; i++)
            if (!perform(f, &group->changes[i]))
                return false;
    }
    if (wall_s == 0)
        return true;
    f->wall_s = wall_s;
    return perform_written(f, wall_s);
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
static int
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
    if (mend(f) == SIPD_OK)
        return commit(f, group, words);
    if (d->damage[0] != '\0')
        snprintf(words, STORE_WORDS_BYTES, "%s: %s, and no new one can be begun", f->path,
                 d->damage);
    return SIPD_EIO;
}

/* ---------------------------------------------------------------- the loop's side */

static int file_wake(void *self);

/* True: there may be more, for another turn. */
static bool
tell_some(struct file *f)
{
    bool taken, more = handover_tell(f->handover, f->port, f->read_id, &taken);

    if (taken)
        writer_spare(f->writer);
    return more;
}

static void
collect(void *store, void *none)
{
    struct file *f = store;

    (void)none;
    writer_collect(f->writer); /* first: what the thread has after that wakes us again */
    while (tell_some(f) && file_wake(f) != SIPD_OK)
        ;
}

static int
file_wake(void *self)
{
    struct file *f = self;

    return f->port->post(f->port->self, collect, f);
}

static void
file_done(void *self, uint64_t id, int err)
{
    struct file *f = self;

    f->port->done(f->port->self, id, err);
}

static void
file_trouble(void *self, const char *words)
{
    struct file *f = self;

    f->port->trouble(f->port->self, words);
}

static int
file_write(void *store, struct store_write *write)
{
    struct file *f = store;

    writer_put(f->writer, write);
    return STORE_LATER;
}

static void
file_watch(void *store)
{
    struct file *f = store;

    writer_spare(f->writer);
}

static void
file_settle(void *store)
{
    struct file *f = store;

    file_watch(f);
    writer_settle(f->writer);
    while (tell_some(f))
        ;
}

static int
start_writer(struct file *f)
{
    struct writer_port port = { .self = f,
                                .commit = file_commit,
                                .spare = file_spare,
                                .wake = file_wake,
                                .done = file_done,
                                .trouble = file_trouble };
    int err = writer_new(&f->writer, &port);

    if (err)
        location_complain(f->port, "%s: the writer's thread cannot be started", f->path);
    return err;
}

static void
file_close(void **store)
{
    struct file *f = *store;

    if (!f)
        return;
    *store = NULL;
    writer_free(&f->writer);
    handover_free(&f->handover);
    free_place(f);
    database_close(&f->database);
    if (f->lock_fd >= 0)
        close(f->lock_fd);
    sipd_free(f);
}

/* Nobody else would help a file that is damaged, and phones register again. */
static int
open_or_begin(struct file *f)
{
    const struct store_port *port = f->port;
    int err = database_open(&f->database);
    bool anew;

    if (err == SIPD_OK || f->database.damage[0] == '\0')
        return err;
    return database_mend(&f->database, port->wall_s ? port->wall_s(port->self) : 0, &anew);
}

static int
file_open(const struct store_port *port, const char *path, void **store)
{
    size_t path_bytes = strlen(path) + 1;
    struct file *f = sipd_alloc(sizeof *f + path_bytes);
    void *opened = f;
    int err;

    *store = NULL;
    if (!f)
        return SIPD_ENOMEM;
    f->port = port;
    memcpy(f->path, path, path_bytes);
    f->lock_fd = -1;
    f->database = (struct database){ .say = port, .path = f->path };
    f->database.was_ours = location_was_ours(path);
    f->thread_port = (struct store_port){
        .self = f, .trouble = thread_trouble, .news = thread_news, .wall_s = NULL
    };
    if ((err = location_lock(port, path, &f->lock_fd)) != SIPD_OK ||
        (err = open_or_begin(f)) != SIPD_OK || (err = handover_new(&f->handover)) != SIPD_OK ||
        (err = start_writer(f)) != SIPD_OK) {
        /* What was refused as somebody else's must not look like ours next time. */
        if (f->lock_fd >= 0 && !f->database.was_ours)
            location_forget(path);
        file_close(&opened);
    } else {
        f->database.was_ours = true;
        *store = f;
    }
    return err;
}

const struct store_ops store_sqlite_ops = {
    .look = location_look,
    .open = file_open,
    .read = file_read,
    .write = file_write,
    .watch = file_watch,
    .settle = file_settle,
    .close = file_close,
};
