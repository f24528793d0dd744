/*
 * What stands in the database file: its tables, how files of older versions become ones of this, and what is done with a
 * file that is damaged.
 */
#ifndef REGISTRAR_SCHEMA_H
#define REGISTRAR_SCHEMA_H

#include "location.h"
#include "store.h"

struct sqlite3;

#define SCHEMA_WRITTEN_ID 1 /* row of `state` */

/* A commit that changes nothing. */
#define SCHEMA_TOUCH_SQL             "PRAGMA user_version = " SCHEMA_TEXT_OF(LOCATION_SCHEMA_VERSION)
#define SCHEMA_TEXT_OF(number)       SCHEMA_TEXT_OF_VALUE(number)
#define SCHEMA_TEXT_OF_VALUE(number) #number

/* Makes the tables of the newest version in an empty file. Returns what SQLite does. */
int schema_make(struct sqlite3 *db);
/*
 * Brings a file of an older version to the newest, all or nothing, after a copy of it was put beside it (PATH.schemaN).
 * Says so by trouble(). SIPD_OK, or an error after a complaint: the file is then as it was.
 */
int schema_migrate(const struct store_port *port, struct sqlite3 *db, const char *path,
                   int64_t from);
/*
 * Renames a damaged file and what belongs to it (PATH.damaged-TIME), so that a new one can be begun, and says so. SIPD_OK,
 * or an error after a complaint.
 */
int schema_put_aside(const struct store_port *port, const char *path, const char *why,
                     int64_t wall_s);

#endif
