/*
 * Rights: which user sipd becomes, and the few that it keeps.
 */
#ifndef DAEMON_PRIVS_H
#define DAEMON_PRIVS_H

#include <sys/types.h>

#include "daemon/config.h"

struct privs {
    uid_t uid;
    gid_t gid;
    bool becomes; /* root started us, and we shall be another */
};

/* Finds the user that a configuration names. Not root: it is ignored. SIPD_EINVAL, with a complaint. */
int privs_find(const struct config *config, struct privs *privs, struct buf *why) MUST_USE;
/* As root, makes a directory that the user is to own, if it is not there: mode 0750 or as given. SIPD_EIO, with a complaint. */
int privs_make_dir(const struct privs *privs, struct span dir, mode_t mode,
                   struct buf *why) MUST_USE;
/*
 * Becomes that user, for ever. Of root's rights the one to bind low ports stays, if a listener's port is one; nothing that is
 * executed can gain any. SIPD_EIO, with a complaint.
 */
int privs_drop(const struct config *config, const struct privs *privs, struct buf *why) MUST_USE;

/* The right to bind low ports, if it was kept, goes on to the program that this process becomes. */
void privs_carry(void);

/* May the process's user read this file, or write it, or make it? where: "file:line: key". SIPD_EINVAL, with a complaint. */
int privs_check_file(const char *path, bool write, struct span where, struct buf *why) MUST_USE;
/* May it write in this directory, or make it? SIPD_EINVAL: no; `words` then get why not, and what would be right. */
int privs_check_dir(const char *path, struct buf *words) MUST_USE;

#endif
