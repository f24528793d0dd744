/*
 * The store in a file: SQLite with a write-ahead log, synchronous FULL; rows read at the start, written by the
 * writer's thread.
 *
 * The connection is the opener's until the thread is started, then the thread's alone, and the closer's again
 * when it has ended. Others may read the file meanwhile; a second registrar is kept out by a lock on it.
 */
#include "store.h"

#include <sqlite3.h>
#include <stdio.h>
#include <unistd.h>

#include <sipd/module.h>

#include "location.h"
#include "writer.h"

#define BUSY_MS 2000 /* others may hold the file that long */

#define TEXT_OF(number)      TEXT_OF_VALUE(number)
#define TEXT_OF_VALUE(value) #value
#define APPLICATION_SQL      "PRAGMA application_id = " TEXT_OF(LOCATION_APPLICATION_ID)
#define VERSION_SQL          "PRAGMA user_version = " TEXT_OF(LOCATION_SCHEMA_VERSION)

/* clang-format off */
static const char schema_sql[] =
    "BEGIN;"
    "CREATE TABLE binding ("
    " aor TEXT NOT NULL, contact TEXT NOT NULL,"
    " q INTEGER,"                   /* thousandths; NULL: none given */
    " call_id TEXT NOT NULL, cseq INTEGER NOT NULL,"
    " expires_s INTEGER NOT NULL,"  /* UTC, since 1970 */
    " granted_s INTEGER NOT NULL,"
    " transport TEXT NOT NULL, ip TEXT NOT NULL, scope_id INTEGER NOT NULL, port INTEGER NOT NULL,"
    " listener TEXT NOT NULL, reach TEXT NOT NULL, user_agent TEXT NOT NULL,"
    " PRIMARY KEY (aor, contact)) WITHOUT ROWID;"
    APPLICATION_SQL ";" VERSION_SQL ";"
    "COMMIT;";

/* Columns in the order of every statement that names them all. */
enum column {
    AOR, CONTACT, Q, CALL_ID, CSEQ, EXPIRES_S, GRANTED_S, TRANSPORT, IP, SCOPE_ID, PORT, LISTENER, REACH, USER_AGENT
};
/* clang-format on */
#define COLUMNS                                                                                    \
 "aor, contact, q, call_id, cseq, expires_s, granted_s, transport, ip, scope_id, port, listener, " \
 "reach, user_agent"

#define PUT_SQL                                 \
 "INSERT OR REPLACE INTO binding (" COLUMNS ")" \
 " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)"
#define DROP_SQL  "DELETE FROM binding WHERE aor = ?1 AND contact = ?2"
#define PURGE_SQL DROP_SQL " AND call_id = ?4 AND cseq = ?5 AND expires_s = ?6"

static const char *const statement_sql[] = {
    [STORE_PUT] = PUT_SQL,
    [STORE_DROP] = DROP_SQL,
    [STORE_PURGE] = PURGE_SQL,
};
#define STATEMENTS (sizeof statement_sql / sizeof statement_sql[0])

struct file {
    const struct store_port *port;
    struct writer *writer;
    sqlite3 *db;
    sqlite3_stmt *statements[STATEMENTS];
    int lock_fd;
    char path[];
};

/* ---------------------------------------------------------------- words */

/* Says what SQLite says; always an error. */
static int
complain_sqlite(const struct file *f, const char *doing)
{
    int code = sqlite3_errcode(f->db) & 0xff;

    if (code == SQLITE_NOTADB)
        location_complain(f->port, "%s: " LOCATION_NOT_A_DATABASE, f->path);
    else if (code == SQLITE_CORRUPT)
        location_complain(
            f->port,
            "%s: the database is corrupt (%s); restore it, or move it away to begin with an "
            "empty one",
            f->path, sqlite3_errmsg(f->db));
    else
        location_complain(f->port, "%s: %s: %s", f->path, doing, sqlite3_errmsg(f->db));
    return code == SQLITE_NOMEM ? SIPD_ENOMEM : SIPD_EIO;
}

/* ---------------------------------------------------------------- opening */

/* The first column of the first row, as a number or as text; SQLITE_ROW if there is one. */
static int
ask(struct file *f, const char *sql, int64_t *number, char *text, size_t room)
{
    sqlite3_stmt *statement;
    int code = sqlite3_prepare_v2(f->db, sql, -1, &statement, NULL);

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

static int
ask_number(struct file *f, const char *sql, int64_t *number)
{
    return ask(f, sql, number, NULL, 0) == SQLITE_ROW ? SIPD_OK
                                                      : complain_sqlite(f, "cannot be read");
}

/* *empty: nothing is in it yet, and it may become ours. */
static int
check_schema(struct file *f, bool *empty)
{
    int64_t application = 0, version = 0, things = 0;
    int err;

    if ((err = ask_number(f, "PRAGMA application_id", &application)) != SIPD_OK ||
        (err = ask_number(f, "PRAGMA user_version", &version)) != SIPD_OK ||
        (err = ask_number(f, "SELECT count(*) FROM sqlite_schema", &things)) != SIPD_OK)
        return err;
    *empty = application == 0 && version == 0 && things == 0;
    return *empty ? SIPD_OK : location_judge(f->port, f->path, application, version);
}

static int
check_pages(struct file *f)
{
    char found[STORE_WORDS_BYTES / 2];

    if (ask(f, "PRAGMA quick_check(1)", NULL, found, sizeof found) != SQLITE_ROW)
        return complain_sqlite(f, "cannot be checked");
    if (strcmp(found, "ok") == 0)
        return SIPD_OK;
    location_complain(
        f->port,
        "%s: the database is corrupt (%s); restore it, or move it away to begin with an empty one",
        f->path, found);
    return SIPD_EIO;
}

/* A commit is on disk before it is reported: a log beside the file, synced each time. */
static int
set_durable(struct file *f)
{
    static const char pragmas[] = "PRAGMA synchronous = FULL;"
                                  "PRAGMA journal_size_limit = 67108864;";
    char mode[16] = "";

    if (sqlite3_exec(f->db, pragmas, NULL, NULL, NULL) != SQLITE_OK ||
        ask(f, "PRAGMA journal_mode = WAL", NULL, mode, sizeof mode) != SQLITE_ROW)
        return complain_sqlite(f, "cannot be opened for writing");
    if (strcmp(mode, "wal") == 0)
        return SIPD_OK;
    location_complain(f->port,
                      "%s: no write-ahead log can be kept beside it; name a path on a local disk",
                      f->path);
    return SIPD_EIO;
}

static int
open_database(struct file *f)
{
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;

    if (sqlite3_open_v2(f->path, &f->db, flags, NULL) != SQLITE_OK) {
        int why = sqlite3_system_errno(f->db);

        location_complain(f->port, "%s: cannot be opened for writing: %s", f->path,
                          why ? strerror(why) : sqlite3_errmsg(f->db));
        return SIPD_EIO;
    }
    sqlite3_busy_timeout(f->db, BUSY_MS);
    if (sqlite3_db_readonly(f->db, "main") == 0)
        return SIPD_OK;
    location_complain(f->port, "%s: cannot be written", f->path);
    return SIPD_EIO;
}

/* Nothing is changed before all is understood. */
static int
check_database(struct file *f)
{
    bool empty;
    int err;

    if ((err = check_schema(f, &empty)) != SIPD_OK || (err = check_pages(f)) != SIPD_OK ||
        (err = set_durable(f)) != SIPD_OK || !empty)
        return err;
    return sqlite3_exec(f->db, schema_sql, NULL, NULL, NULL) == SQLITE_OK
               ? SIPD_OK
               : complain_sqlite(f, "cannot be set up");
}

static int
prepare(struct file *f)
{
    for (size_t i = 0; i < STATEMENTS; i++)
        if (sqlite3_prepare_v3(f->db, statement_sql[i], -1, SQLITE_PREPARE_PERSISTENT,
                               &f->statements[i], NULL) != SQLITE_OK)
            return complain_sqlite(f, "cannot be used");
    return SIPD_OK;
}

/* ---------------------------------------------------------------- reading */

static struct span
column_text(sqlite3_stmt *s, enum column column)
{
    const char *at = (const char *)sqlite3_column_text(s, (int)column);

    return (struct span){ at, (size_t)sqlite3_column_bytes(s, (int)column) };
}

static bool
column_number(sqlite3_stmt *s, enum column column, int64_t max, int64_t *out)
{
    *out = sqlite3_column_int64(s, (int)column);
    return sqlite3_column_type(s, (int)column) == SQLITE_INTEGER && *out >= 0 && *out <= max;
}

/* The texts of a transport: a name, or nothing for none. */
static bool
column_transport(sqlite3_stmt *s, enum column column, uint8_t *out)
{
    struct span text = column_text(s, column);

    *out = hop_transport_read(text);
    return *out != HOP_NONE || text.len == 0;
}

static bool
read_source(sqlite3_stmt *s, struct hop *hop)
{
    struct span ip = column_text(s, IP);
    int64_t scope, port;

    *hop = (struct hop){ .transport = HOP_NONE };
    if (!column_transport(s, TRANSPORT, &hop->transport) ||
        !column_number(s, SCOPE_ID, UINT32_MAX, &scope) ||
        !column_number(s, PORT, UINT16_MAX, &port))
        return false;
    hop->scope_id = (uint32_t)scope;
    hop->port = (uint16_t)port;
    return hop->transport == HOP_NONE || hop_ip_read(ip, hop);
}

static bool
read_row(sqlite3_stmt *s, struct store_row *row)
{
    int64_t q = STORE_NO_Q, cseq, granted;

    *row = (struct store_row){ .aor = column_text(s, AOR),
                               .contact = column_text(s, CONTACT),
                               .call_id = column_text(s, CALL_ID),
                               .user_agent = column_text(s, USER_AGENT),
                               .listener = column_text(s, LISTENER) };
    if (!read_source(s, &row->source) || !column_transport(s, REACH, &row->reach) ||
        (sqlite3_column_type(s, Q) != SQLITE_NULL && !column_number(s, Q, 1000, &q)) ||
        !column_number(s, CSEQ, UINT32_MAX, &cseq) ||
        !column_number(s, GRANTED_S, UINT32_MAX, &granted) ||
        !column_number(s, EXPIRES_S, INT64_MAX, &row->expires_wall_s))
        return false;
    row->q = (uint16_t)q;
    row->cseq = (uint32_t)cseq;
    row->granted_s = (uint32_t)granted;
    return row->aor.len > 0 && row->aor.len <= STORE_AOR_BYTES && row->contact.len > 0 &&
           row->contact.len <= STORE_CONTACT_BYTES && row->call_id.len <= STORE_CALL_ID_BYTES;
}

static int
read_rows(struct file *f, sqlite3_stmt *s)
{
    int code;

    while ((code = sqlite3_step(s)) == SQLITE_ROW) {
        struct store_row row;
        int err = read_row(s, &row) ? f->port->row(f->port->self, &row) : SIPD_ESYNTAX;

        if (err == SIPD_ESYNTAX)
            location_complain(
                f->port, "%s: the binding of %.*s to %.*s makes no sense; remove that row", f->path,
                SPAN_ARG(span_head(row.aor, 80)), SPAN_ARG(span_head(row.contact, 80)));
        if (err != SIPD_OK)
            return err;
    }
    return code == SQLITE_DONE ? SIPD_OK : complain_sqlite(f, "cannot be read");
}

static int
file_read(void *store, uint64_t id)
{
    struct file *f = store;
    sqlite3_stmt *s;
    int err;

    (void)id;
    if (sqlite3_prepare_v2(f->db, "SELECT " COLUMNS " FROM binding", -1, &s, NULL) != SQLITE_OK)
        return complain_sqlite(f, "cannot be read");
    err = read_rows(f, s);
    sqlite3_finalize(s);
    return err == SIPD_OK ? STORE_NOW : err;
}

/* ---------------------------------------------------------------- writing, on the thread */

static int
bind_text(sqlite3_stmt *s, enum column column, struct span text)
{
    return sqlite3_bind_text(s, (int)column + 1, text.len ? text.at : "", (int)text.len,
                             SQLITE_STATIC);
}

static int
bind_number(sqlite3_stmt *s, enum column column, int64_t number)
{
    return sqlite3_bind_int64(s, (int)column + 1, number);
}

/* What says which row a change means. */
static int
bind_key(sqlite3_stmt *s, enum store_verb verb, const struct store_row *row)
{
    int failed = bind_text(s, AOR, row->aor) | bind_text(s, CONTACT, row->contact);

    if (verb != STORE_DROP)
        failed |= bind_text(s, CALL_ID, row->call_id) | bind_number(s, CSEQ, row->cseq) |
                  bind_number(s, EXPIRES_S, row->expires_wall_s);
    return failed;
}

static int
bind_rest(sqlite3_stmt *s, const struct store_row *row, char ip[HOP_TEXT_BYTES])
{
    int failed = row->q == STORE_NO_Q ? sqlite3_bind_null(s, Q + 1) : bind_number(s, Q, row->q);

    failed |= bind_number(s, GRANTED_S, row->granted_s);
    failed |= bind_text(s, TRANSPORT, hop_transport_uri(row->source.transport));
    failed |= bind_text(
        s, IP, row->source.transport == HOP_NONE ? SPAN("") : hop_ip_write(&row->source, ip));
    failed |= bind_number(s, SCOPE_ID, row->source.scope_id);
    failed |= bind_number(s, PORT, row->source.port);
    failed |= bind_text(s, LISTENER, row->listener);
    failed |= bind_text(s, REACH, hop_transport_uri(row->reach));
    failed |= bind_text(s, USER_AGENT, span_head(row->user_agent, STORE_AGENT_BYTES));
    return failed;
}

static bool
perform(struct file *f, const struct store_change *change)
{
    sqlite3_stmt *s = f->statements[change->verb];
    char ip[HOP_TEXT_BYTES];
    bool done;

    done = bind_key(s, change->verb, &change->row) == SQLITE_OK &&
           (change->verb != STORE_PUT || bind_rest(s, &change->row, ip) == SQLITE_OK) &&
           sqlite3_step(s) == SQLITE_DONE;
    sqlite3_reset(s);
    return done;
}

static bool
perform_all(struct file *f, const struct store_write *group)
{
    if (sqlite3_exec(f->db, "BEGIN IMMEDIATE", NULL, NULL, NULL) != SQLITE_OK)
        return false;
    for (; group; group = group->next)
        for (size_t i = 0; i < group->len; i++)
            if (!perform(f, &group->changes[i]))
                return false;
    return true;
}

static int
file_commit(void *self, const struct store_write *group, char words[STORE_WORDS_BYTES])
{
    struct file *f = self;
    bool performed = perform_all(f, group);

    if (performed && sqlite3_exec(f->db, "COMMIT", NULL, NULL, NULL) == SQLITE_OK)
        return SIPD_OK;
    snprintf(words, STORE_WORDS_BYTES, "%s: %s", f->path, sqlite3_errmsg(f->db));
    if (!sqlite3_get_autocommit(f->db))
        sqlite3_exec(f->db, "ROLLBACK", NULL, NULL, NULL);
    /*
     * A commit that failed in its last sync stands whole in the log, and after a power cut recovery would
     * believe it. Any commit in its place ends that; if this one fails too, the next that succeeds will.
     */
    if (performed)
        sqlite3_exec(f->db, VERSION_SQL, NULL, NULL, NULL);
    return SIPD_EIO;
}

/* ---------------------------------------------------------------- the loop's side */

static void
collect(void *store, void *none)
{
    struct file *f = store;

    (void)none;
    writer_collect(f->writer);
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

static int
start_writer(struct file *f)
{
    struct writer_port port = { f, file_commit, file_wake, file_done, file_trouble };
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
    for (size_t i = 0; i < STATEMENTS; i++)
        sqlite3_finalize(f->statements[i]);
    sqlite3_close(f->db);
    if (f->lock_fd >= 0)
        close(f->lock_fd);
    sipd_free(f);
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
    if ((err = location_lock(port, path, &f->lock_fd)) != SIPD_OK ||
        (err = open_database(f)) != SIPD_OK || (err = check_database(f)) != SIPD_OK ||
        (err = prepare(f)) != SIPD_OK || (err = start_writer(f)) != SIPD_OK)
        file_close(&opened);
    else
        *store = f;
    return err;
}

const struct store_ops store_sqlite_ops = {
    .look = location_look,
    .open = file_open,
    .read = file_read,
    .write = file_write,
    .close = file_close,
};
