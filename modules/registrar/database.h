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
    uint64_t lost_pages;       /* of memory, when it was opened */
    bool index_lost;
    bool told_torn; /* since it worked last */
};

/* Opens it, made if it is not there, brought up to date if it is old; an error after a complaint, or with `damage` set. */
int database_open(struct database *database);
void database_close(struct database *database);
/* Looks at all pages. As database_open(); SIPD_ECLOSED, without words, if it was interrupted. */
int database_check_pages(struct database *database);
/*
 * Is it still the file of that name, and as we left it? If not it is as good as damaged: what we have in memory of it says nothing
 * about what is in it. Without the index of its log it is torn.
 */
void database_check_place(struct database *database);
/*
 * Is it closed, or was the index of its log lost, as a file or as memory that maps it (sipd_lost_pages())? What is told by that
 * is not to be believed; the file itself is well, and is to be opened again.
 */
bool database_is_torn(const struct database *database);
/* Neither damaged nor torn. */
bool database_is_well(const struct database *database);
/*
 * Makes it well: opens again what is torn; what is damaged is put aside, never emptied, and a new one begun: *anew. An error after
 * a complaint: to be tried again.
 */
int database_mend(struct database *database, int64_t wall_s, bool *anew);
/* So much is known to be wrong with it. */
void database_note_damage(struct database *database, const char *what);
/* This is how we leave it … */
void database_leave(struct database *database);
/* … and what was asked was done. */
void database_works(struct database *database);

/* The first column of the first row. An error as database_complain() has it. */
int database_ask_number(struct database *database, const char *sql, int64_t *number);
/* Says what failed last, or notes it as damage; always an error. */
int database_complain(struct database *database, const char *doing);
/* Is what failed last damage of the file? It is noted then. */
bool database_is_damaged(struct database *database);

#endif
