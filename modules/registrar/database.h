/*
 * The file as a database: opened with care, checked, put aside and begun anew when it is damaged.
 *
 * It belongs to one thread at a time. What goes wrong is told to `say`, which is of the thread that has it.
 */
#ifndef REGISTRAR_DATABASE_H
#define REGISTRAR_DATABASE_H

#include "location.h"
#include "rows.h"
#include "store.h"

struct sqlite3;
struct sqlite3_stmt;

/* Statements beside those of the verbs of changes. */
enum { DATABASE_WRITTEN = STORE_PURGE + 1, DATABASE_READ, DATABASE_READ_ON, DATABASE_STATEMENTS };

struct database {
    const struct store_port *say;
    struct sqlite3 *db; /* NULL: closed */
    struct sqlite3_stmt *statements[DATABASE_STATEMENTS];
    bool was_ours; /* it had a lock file beside it: so what is no database now was one */
    char damage[STORE_WORDS_BYTES /
                2]; /* what is wrong with the file; empty: nothing. It is to be renewed */
    const char *path;
    struct location_mark mark; /* as we left the file */
};

/* Opens it, made if it is not there, brought up to date if it is old; an error after a complaint, or with `damage` set. */
int database_open(struct database *database);
void database_close(struct database *database);
/* Looks at all pages. As database_open(); SIPD_ECLOSED, without words, if it was interrupted. */
int database_check_pages(struct database *database);
/*
 * Is it still the file of that name, and as we left it? If not it is as good as damaged: what we have in memory of it says nothing
 * about what is in it.
 */
void database_check_place(struct database *database);
/* This is how we leave it. */
void database_leave(struct database *database);
/* Puts what is damaged aside, never empties it, and begins a new one. An error after a complaint: to be tried again. */
int database_renew(struct database *database, int64_t wall_s);

/* The first column of the first row. An error as database_complain() has it. */
int database_ask_number(struct database *database, const char *sql, int64_t *number);
/*
 * SQLite's words for what failed last, and the system's behind them where a call of the system did: "disk I/O error" alone tells
 * nobody that the file system is read-only. In `to`, or lent until the next use of the database.
 */
#define DATABASE_WORDS_BYTES 160
const char *database_words(struct database *database, char to[DATABASE_WORDS_BYTES]);
/* Says that, or notes it as damage; always an error. */
int database_complain(struct database *database, const char *doing);
/* Is what failed last damage of the file? It is noted then. */
bool database_is_damaged(struct database *database);

#endif
