/*
 * The database as a file: whose it is, of which version, and that nobody else has it.
 */
#ifndef REGISTRAR_LOCATION_H
#define REGISTRAR_LOCATION_H

#include <sys/types.h>
#include <time.h>

#include "store.h"

#define LOCATION_APPLICATION_ID 0x73697064 /* "sipd" */
#define LOCATION_SCHEMA_VERSION 3
#define LOCATION_NOT_A_DATABASE "not an SQLite database; move it away to begin with an empty one"

/* port.trouble() in printf's manner. */
void location_complain(const struct store_port *port, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* port.news() in printf's manner. */
void location_note(const struct store_port *port, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Is there a lock file beside it: was a file of this name ours once? */
bool location_was_ours(const char *path);
/* Ours and of a version that we know? SIPD_EINVAL after a complaint: then it must stay as it is. */
int location_judge(const struct store_port *port, const char *path, int64_t application,
                   int64_t version);
/*
 * Looks at the file's own head, if there is a file; makes and changes nothing. An error comes after a
 * complaint.
 */
int location_look(const struct store_port *port, const char *path);

/* What a database consists of while it is open: the file, its log, and the index of that, which all who have it open map. */
enum { LOCATION_FILE, LOCATION_LOG, LOCATION_INDEX, LOCATION_FILES };

/* The state in which a database was left: who finds another was not the last to write to it. */
struct location_mark {
    bool known;
    /* they were there once: a file system of SQLite's own need not show any */
    bool seen[LOCATION_FILES];
    struct timespec written[LOCATION_FILES];
    off_t bytes[LOCATION_FILES];
    ino_t number[LOCATION_FILES];
};

/* Notes how the database looks now; not known if it cannot be seen. */
void location_note_mark(const char *path, struct location_mark *mark);
/* Has it been written to since the mark was noted, or is any of it gone? In words; NULL: no, or it cannot be known. */
const char *location_tell_change(const char *path, const struct location_mark *mark);
/* Is the log's index gone, or another, or cut short? Others would share none with us then, and make none of the same. */
bool location_lost_index(const char *path, const struct location_mark *mark);
/* Removes the lock file: the file was never ours. */
void location_forget(const char *path);
/* Locks a file beside it for as long as *fd is open. An error comes after a complaint; *fd may then be open. */
int location_lock(const struct store_port *port, const char *path, int *fd);

#endif
