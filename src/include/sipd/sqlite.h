/*
 * Why a database of SQLite's does not do what was asked, in words that say what to look at: SQLite's own, "disk I/O error" say, and
 * what the system said behind them. For modules with a database.
 */
#ifndef SIPD_SQLITE_H
#define SIPD_SQLITE_H

#include <errno.h>
#include <limits.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Why the system refused a call, by the file that it was for: SQLite's own sqlite3_system_errno() has it for opening only. */
static inline int
sqlite_errno(sqlite3 *db)
{
    static const int files[] = { SQLITE_FCNTL_JOURNAL_POINTER, SQLITE_FCNTL_FILE_POINTER };
    int why = sqlite3_system_errno(db);

    for (size_t i = 0; why == 0 && i < sizeof files / sizeof files[0]; i++) {
        sqlite3_file *file = NULL;

        if (sqlite3_file_control(db, "main", files[i], &file) == SQLITE_OK && file &&
            file->pMethods)
            (void)file->pMethods->xFileControl(file, SQLITE_FCNTL_LAST_ERRNO, &why);
    }
    return why;
}

/* The first of its files, or the folder of these, that may not be written, and errno; NULL: each may. */
static inline const char *
sqlite_find_unwritable(sqlite3 *db)
{
    static const char *const which[] = { "the file", "-wal", "-shm", "its folder" };
    const char *path = sqlite3_db_filename(db, "main");
    char name[PATH_MAX], *slash;

    for (size_t i = 0; path && i < sizeof which / sizeof which[0]; i++) {
        snprintf(name, sizeof name, "%s%s", path, which[i][0] == '-' ? which[i] : "");
        if (i == 3 && (slash = strrchr(name, '/')))
            slash[1] = '\0';
        if (access(name, W_OK) != 0 && errno != ENOENT)
            return which[i];
    }
    return NULL;
}

/* Of what failed last; in `to`, or lent until the next use of the database. */
#define SQLITE_WORDS_BYTES 200
static inline const char *
sqlite_words(sqlite3 *db, char to[SQLITE_WORDS_BYTES])
{
    const char *words = sqlite3_errmsg(db), *which = NULL;
    int code = sqlite3_errcode(db) & 0xff, why;

    if (code != SQLITE_IOERR && code != SQLITE_CANTOPEN && code != SQLITE_READONLY)
        return words;
    if (code != SQLITE_IOERR)
        which = sqlite_find_unwritable(db);
    why = which ? errno : sqlite_errno(db);
    if (why == 0)
        return words;
    snprintf(to, SQLITE_WORDS_BYTES, "%s: %s%s%s", words, which ? which : "", which ? ": " : "",
             strerror(why));
    return to;
}

#endif
