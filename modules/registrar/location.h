/*
 * The database as a file: whose it is, of which version, and that nobody else has it.
 */
#ifndef REGISTRAR_LOCATION_H
#define REGISTRAR_LOCATION_H

#include <sys/types.h>
#include <time.h>

#include "store.h"

#define LOCATION_APPLICATION_ID 0x73697064 /* "sipd" */
#define LOCATION_SCHEMA_VERSION 2
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
/* The state in which a database was left: who finds another was not the last to write to it. */
struct location_mark {
    bool known;
    struct timespec written[2]; /* the file and its log */
    off_t bytes[2];
};

/* Notes how the database looks now; not known if it cannot be seen. */
void location_note_mark(const char *path, struct location_mark *mark);
/* Has it been written to since the mark was noted? False where that cannot be known. */
bool location_was_written(const char *path, const struct location_mark *mark);
/* Removes the lock file: the file was never ours. */
void location_forget(const char *path);
/* Locks a file beside it for as long as *fd is open. An error comes after a complaint; *fd may then be open. */
int location_lock(const struct store_port *port, const char *path, int *fd);

#endif
