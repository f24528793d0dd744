/*
 * The database as a file: whose it is, of which version, and that nobody else has it.
 */
#ifndef REGISTRAR_LOCATION_H
#define REGISTRAR_LOCATION_H

#include "store.h"

#define LOCATION_APPLICATION_ID 0x73697064 /* "sipd" */
#define LOCATION_SCHEMA_VERSION 1
#define LOCATION_NOT_A_DATABASE "not an SQLite database; move it away to begin with an empty one"

/* port.trouble() in printf's manner. */
void location_complain(const struct store_port *port, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Ours and of a version that we know? SIPD_EINVAL after a complaint: then it must stay as it is. */
int location_judge(const struct store_port *port, const char *path, int64_t application,
                   int64_t version);
/*
 * Looks at the file's own head, if there is a file; makes and changes nothing. An error comes after a
 * complaint.
 */
int location_look(const struct store_port *port, const char *path);
/* Locks a file beside it for as long as *fd is open. An error comes after a complaint; *fd may then be open. */
int location_lock(const struct store_port *port, const char *path, int *fd);

#endif
