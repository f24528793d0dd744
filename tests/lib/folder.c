/*
 * Folders with an owner: who holds the lock of one is alive.
 */
#include "lib/folder.h"

#include <fcntl.h>
#include <ftw.h>
#include <glob.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#define BEFORE "/sipd-test-"
#define KEPT   "/sipd-kept-"

static const char *root = "/tmp";

bool
folder_in_memory(void)
{
    struct statfs is;

    if (statfs(FOLDER_MEMORY, &is) != 0 || is.f_type != TMPFS_MAGIC ||
        access(FOLDER_MEMORY, W_OK | X_OK) != 0)
        return false;
    root = FOLDER_MEMORY;
    return true;
}

static int
remove_one(const char *path, const struct stat *st, int what, struct FTW *where)
{
    (void)st;
    (void)what;
    (void)where;
    (void)remove(path);
    return 0;
}

void
folder_remove(const char *path)
{
    (void)nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static int
open_folder(const char *path)
{
    return open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* Those that nobody holds any more. */
static void
sweep(void)
{
    char pattern[FOLDER_BYTES];
    glob_t found;

    snprintf(pattern, sizeof pattern, "%s" BEFORE "*", root);
    if (glob(pattern, GLOB_NOSORT, NULL, &found) != 0)
        return;
    for (size_t i = 0; i < found.gl_pathc; i++) {
        int fd = open_folder(found.gl_pathv[i]);

        if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0)
            folder_remove(found.gl_pathv[i]);
        if (fd >= 0)
            close(fd);
    }
    globfree(&found);
}

/* One that was swept before it could be held has no name any more. The lock ends with the process. */
static bool
hold(const char *path)
{
    int fd = open_folder(path);
    struct stat st;

    if (fd < 0)
        return false;
    if (flock(fd, LOCK_EX) == 0 && fstat(fd, &st) == 0 && st.st_nlink > 0)
        return true;
    close(fd);
    return false;
}

bool
folder_make(const char *name, char to[FOLDER_BYTES])
{
    sweep();
    for (int tries = 0; tries < 100; tries++) {
        snprintf(to, FOLDER_BYTES, "%s%s%s-XXXXXX", root, getenv("SIPD_KEEP") ? KEPT : BEFORE,
                 name);
        if (!mkdtemp(to))
            break;
        if (hold(to))
            return true;
    }
    to[0] = '\0';
    return false;
}
