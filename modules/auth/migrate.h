/*
 * A users' file of an older version becomes one of this.
 */
#ifndef AUTH_MIGRATE_H
#define AUTH_MIGRATE_H

#include "userdb.h"

#define MIGRATE_SCHEMA         2          /* user_version of a file of this version */
#define MIGRATE_APPLICATION_ID 0x73697075 /* "sipu"; files of version 1 have none */

#define MIGRATE_TEXT_OF(number)       MIGRATE_TEXT_OF_VALUE(number)
#define MIGRATE_TEXT_OF_VALUE(number) #number
/* What says that a file is ours, and of which version. */
#define MIGRATE_MARKS                           \
    "PRAGMA application_id = " MIGRATE_TEXT_OF( \
        MIGRATE_APPLICATION_ID) ";"             \
                                "PRAGMA user_version = " MIGRATE_TEXT_OF(MIGRATE_SCHEMA) ";"

/*
 * Brings an open file from an older version to this one, all or nothing, after a copy of it was put beside it (PATH.schemaN,
 * 0640). db->news tells; after an error db->why does, and the file is as it was. SIPD_EIO.
 */
int migrate_file(struct userdb *db, const char *path, int from);

#endif
