/*
 * Rows read from the file: all before the server is there, or slice by slice on the thread while it serves.
 */
#include <sqlite3.h>
#include <stdio.h>

#include <sipd/module.h>

#include "location.h"
#include "schema.h"
#include "store_file.h"

#define READ_NOW_BYTES (4 << 20) /* a file that is not larger is read before the server is there */
#define BYTES_SQL      "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size"
#define WRITTEN_S_SQL  "SELECT written_s FROM state WHERE id = 1"
#define STEP_S_SQL     "SELECT step_s FROM state WHERE id = 1"
#define READ_ROWS      HANDOVER_ROWS
#define AGAIN_MS       1000  /* until the thread tries again what failed */
#define PROGRESS_OPS   10000 /* between two looks whether a check shall end */

/* What the loop has in memory is to be written to a new file; before anything was read that is nothing, and still to be told. */
int
file_mend(struct file *f)
{
    bool anew;
    int err = database_mend(&f->database, f->wall_s, &anew);

    if (err == SIPD_OK && anew)
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

void
file_free_place(struct file *f)
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
    file_free_place(f);
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
        return file_mend(f) == SIPD_OK ? 0 : AGAIN_MS;
    if (code == SQLITE_DONE)
        end_reading(f);
    return code == SQLITE_DONE ? WRITER_IDLE : code == SQLITE_OK ? 0 : AGAIN_MS;
}

/* What others wrote there is no time. */
static int
ask_written(struct file *f, struct store_time *at)
{
    struct database *d = &f->database;
    int err = database_ask_number(d, WRITTEN_S_SQL, &at->wall_s);

    if (err == SIPD_OK)
        err = database_ask_number(d, STEP_S_SQL, &at->step_s);
    if (err == SIPD_OK && (at->wall_s < 0 || at->wall_s > ROWS_TIME_MAX_S))
        at->wall_s = 0;
    if (err == SIPD_OK && (at->step_s < -ROWS_TIME_MAX_S || at->step_s > ROWS_TIME_MAX_S))
        at->step_s = 0;
    return err;
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
    struct store_time written = { .wall_s = 0 };
    int err = SIPD_EIO;

    *tell = true;
    if (d->db) {
        sqlite3_progress_handler(d->db, PROGRESS_OPS, shall_end, f);
        err = database_check_pages(d);
        sqlite3_progress_handler(d->db, 0, NULL, NULL);
    }
    if (err == SIPD_OK)
        err = ask_written(f, &written);
    if (err != SIPD_OK || database_is_torn(d))
        return !database_is_well(d) && file_mend(f) == SIPD_OK ? 0 : AGAIN_MS;
    handover_written(f->handover, &written);
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
    return file_mend(f) == SIPD_OK ? WRITER_IDLE : AGAIN_MS;
}

uint32_t
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
    struct store_time written = { .wall_s = 0 };
    int err = database_check_pages(d);

    if (err == SIPD_OK)
        err = ask_written(f, &written);
    if (err == SIPD_OK && f->port->written)
        f->port->written(f->port->self, &written);
    if (err == SIPD_OK) {
        f->stage = STAGE_READ;
        err = read_rows(f);
    }
    if (d->damage[0] != '\0') {
        err = file_mend(f);
        if (err == SIPD_OK && f->stage == STAGE_CHECK && f->port->written)
            f->port->written(f->port->self, &written); /* a new file was never */
    } else if (err == SIPD_OK && database_is_torn(d))
        err = complain_of_tear(f);
    if (err != SIPD_OK)
        return err;
    note_senseless(f);
    f->stage = STAGE_SERVE;
    return STORE_NOW;
}

int
file_read(void *store, uint64_t id)
{
    struct file *f = store;
    int64_t bytes = 0;
    bool taken;
    int err = database_ask_number(&f->database, BYTES_SQL, &bytes);

    f->read_id = id;
    f->wall_s = file_time(f).wall_s;
    f->stage = STAGE_CHECK;
    if (bytes <= READ_NOW_BYTES && (err == SIPD_OK || f->database.damage[0] != '\0'))
        err = read_now(f);
    f->database.say = &f->thread_port; /* from now on it is the thread's */
    if (f->stage == STAGE_SERVE && err == STORE_NOW)
        (void)handover_tell(f->handover, f->port, id, &taken); /* a file that is a new one */
    if (f->stage == STAGE_SERVE || err != SIPD_OK)
        return err;
    writer_spare(f->writer);
    return STORE_LATER;
}
