/*
 * The users' file: one SQLite table of HA1s, with its schema's number in user_version.
 *
 *     users(name, domain, realm, algorithm, ha1), the first four being the key
 *
 * name is what a phone logs in with, "alice" or "alice@example.com", and each has rows of its own. Calls may wait for the
 * disk: only the scribe's thread makes them, and load() before that thread is born.
 */
#ifndef AUTH_USERDB_H
#define AUTH_USERDB_H

#include "users.h"

#define USERDB_WHY_BYTES  320
#define USERDB_NEWS_BYTES 400

struct sqlite3;

struct userdb {
    struct sqlite3 *sql;          /* owned; NULL when closed */
    char why[USERDB_WHY_BYTES];   /* in words, the last failure; what the file "is" or "cannot" */
    char news[USERDB_NEWS_BYTES]; /* what userdb_open() did to it; empty: nothing to tell */
};

/*
 * Opens the file, makes it (0640) if there is none, brings an older one up to date, and proves that it can be written. SIPD_EIO, SIPD_EINVAL (damaged, of a
 * newer sipd, of something else), SIPD_ENOMEM; why tells.
 */
int userdb_open(struct userdb *db, const char *path);
/*
 * As userdb_open() would judge it, but nothing is made or written. A file that is not there is fine. *locked_out: as
 * userdb_count_locked_out().
 */
int userdb_check(const char *path, struct span realm, size_t *locked_out, struct userdb *db);
/*
 * Counts the users that have no HA1 of this realm (empty: of their domain as realm), and so cannot log in. SIPD_EIO,
 * SIPD_ENOMEM.
 */
int userdb_count_locked_out(struct userdb *db, struct span realm, size_t *out);
/* Keeps in `why` what just failed behind `what`: SIPD_EIO, SIPD_ENOMEM. */
int userdb_failed(struct userdb *db, const char *what);
/* Closes it; why stays. */
void userdb_close(struct userdb *db);

/*
 * Reads all users into a new index seeded with key. Rows that cannot be used (an unknown algorithm, an HA1 that is none, a
 * name of another domain) are passed over and counted in *bad. Owns: the caller. SIPD_EIO, SIPD_ENOMEM.
 */
int userdb_read(struct userdb *db, const uint8_t key[16], struct users **out, size_t *bad);

/* Writes a user with all keys, in place of whatever the file has of that user; on disk when it returns. SIPD_EIO. */
int userdb_put(struct userdb *db, const struct user *user);
/* Removes all of a user; on disk when it returns. SIPD_EIO. */
int userdb_remove(struct userdb *db, const struct user_id *id);

/* Calls fn for each user and realm, sorted by domain and name; algorithms: "SHA-256 MD5". Lent: until fn returns. SIPD_EIO. */
typedef void userdb_list_fn(void *arg, struct span name, struct span domain, struct span realm,
                            struct span algorithms);
int userdb_list(struct userdb *db, userdb_list_fn *fn, void *arg);

#endif
