/*
 * Versions of the users' file, and the way from each to the next.
 */
#include "migrate.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sqlite3.h>
#include <stdio.h>
#include <unistd.h>

#define COPIES_MAX 100 /* of one version, each beside the one before */

/* From version n+1 to the next. The marks come behind the last one. */
static const char *const migrations[] = {
    "", /* version 2 has an application_id, so that other programs' files are not taken for ours */
};

_Static_assert(sizeof migrations / sizeof migrations[0] == MIGRATE_SCHEMA - 1,
               "each version has its way from the one before");

/* An empty file of a name that none has yet: HA1s are for nobody else from its first moment. */
static int
make_copy(struct userdb *db, const char *path, int version, char copy[PATH_MAX])
{
    for (int n = 0; n < COPIES_MAX; n++) {
        int len = n == 0 ? snprintf(copy, PATH_MAX, "%s.schema%d", path, version)
                         : snprintf(copy, PATH_MAX, "%s.schema%d.%d", path, version, n);
        int fd = len > 0 && len < PATH_MAX
                     ? open(copy, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0640)
                     : -1;

        if (fd >= 0) {
            close(fd);
            return SIPD_OK;
        }
        if (len <= 0 || len >= PATH_MAX || errno != EEXIST)
            break;
    }
    snprintf(db->why, sizeof db->why, "is of version %d, and no copy can be made beside it: %s",
             version, strerror(errno));
    return SIPD_EIO;
}

static int
fill_copy(struct userdb *db, const char *copy)
{
    sqlite3_stmt *statement = NULL;
    bool done = sqlite3_prepare_v2(db->sql, "VACUUM INTO ?1", -1, &statement, NULL) == SQLITE_OK &&
                sqlite3_bind_text(statement, 1, copy, -1, SQLITE_STATIC) == SQLITE_OK &&
                sqlite3_step(statement) == SQLITE_DONE;
    int err =
        done ? SIPD_OK : userdb_failed(db, "cannot be copied before it is brought up to date");

    sqlite3_finalize(statement);
    return err;
}

static int
run(struct userdb *db, int from)
{
    bool done = sqlite3_exec(db->sql, "BEGIN IMMEDIATE", NULL, NULL, NULL) == SQLITE_OK;
    int err;

    for (int version = from; done && version < MIGRATE_SCHEMA; version++)
        done = sqlite3_exec(db->sql, migrations[version - 1], NULL, NULL, NULL) == SQLITE_OK;
    if (done && sqlite3_exec(db->sql, MIGRATE_MARKS "COMMIT", NULL, NULL, NULL) == SQLITE_OK)
        return SIPD_OK;
    err = userdb_failed(db, "cannot be brought up to date");
    if (!sqlite3_get_autocommit(db->sql))
        sqlite3_exec(db->sql, "ROLLBACK", NULL, NULL, NULL);
    return err;
}

int
migrate_file(struct userdb *db, const char *path, int from)
{
    char copy[PATH_MAX];
    int err = make_copy(db, path, from, copy);

    if (err != SIPD_OK)
        return err;
    err = fill_copy(db, copy);
    if (err == SIPD_OK)
        err = run(db, from);
    if (err != SIPD_OK)
        unlink(copy); /* the file itself is what it was */
    else
        snprintf(db->news, sizeof db->news, "brought from version %d to %d; the old file is %.300s",
                 from, MIGRATE_SCHEMA, copy);
    return err;
}
