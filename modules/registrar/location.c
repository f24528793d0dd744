/*
 * The database as a file: locked against a second registrar, and looked at without SQLite.
 */
#include "location.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sipd/err.h>

/* The head of a database file, as SQLite documents it. */
#define HEAD_BYTES          100
#define HEAD_MAGIC          "SQLite format 3" /* and its NUL */
#define HEAD_VERSION_AT     60
#define HEAD_APPLICATION_AT 68

void
location_complain(const struct store_port *port, const char *format, ...)
{
    char words[STORE_WORDS_BYTES];
    va_list args;

    va_start(args, format);
    vsnprintf(words, sizeof words, format, args);
    va_end(args);
    port->trouble(port->self, words);
}

void
location_note(const struct store_port *port, const char *format, ...)
{
    char words[STORE_WORDS_BYTES];
    va_list args;

    va_start(args, format);
    vsnprintf(words, sizeof words, format, args);
    va_end(args);
    if (port->news)
        port->news(port->self, words);
}

bool
location_was_ours(const char *path)
{
    char beside[PATH_MAX];

    return (size_t)snprintf(beside, sizeof beside, "%s-lock", path) < sizeof beside &&
           access(beside, F_OK) == 0;
}

enum look { SEEN, GONE, HIDDEN };

static enum look
look_beside(const char *path, unsigned which, struct stat *st)
{
    static const char *const ends[LOCATION_FILES] = {
        [LOCATION_FILE] = "", [LOCATION_LOG] = "-wal", [LOCATION_INDEX] = "-shm"
    };
    char beside[PATH_MAX];

    if ((size_t)snprintf(beside, sizeof beside, "%s%s", path, ends[which]) >= sizeof beside)
        return HIDDEN;
    return stat(beside, st) == 0 ? SEEN : errno == ENOENT ? GONE : HIDDEN;
}

void
location_note_mark(const char *path, struct location_mark *mark)
{
    struct stat st;

    mark->known = true;
    for (unsigned i = 0; i < LOCATION_FILES && mark->known; i++) {
        mark->known = look_beside(path, i, &st) == SEEN;
        if (mark->known) {
            mark->seen[i] = true;
            mark->written[i] = st.st_mtim;
            mark->bytes[i] = st.st_size;
            mark->number[i] = st.st_ino;
        }
    }
}

static bool
is_as_left(const struct stat *st, const struct location_mark *mark, unsigned which)
{
    return st->st_ino == mark->number[which] && st->st_size == mark->bytes[which] &&
           st->st_mtim.tv_sec == mark->written[which].tv_sec &&
           st->st_mtim.tv_nsec == mark->written[which].tv_nsec;
}

const char *
location_tell_change(const char *path, const struct location_mark *mark)
{
    static const char *const gone[] = {
        [LOCATION_FILE] = "it is not there any more", [LOCATION_LOG] = "its log (-wal) is gone"
    };
    struct stat st;

    for (unsigned i = LOCATION_FILE; i <= LOCATION_LOG; i++) {
        enum look look = look_beside(path, i, &st);

        if (look == GONE && mark->seen[i])
            return gone[i];
        if (look == SEEN && mark->known && !is_as_left(&st, mark, i))
            return "another program has written to it";
    }
    return NULL;
}

bool
location_lost_index(const char *path, const struct location_mark *mark)
{
    struct stat st;
    enum look look = look_beside(path, LOCATION_INDEX, &st);

    return (look == GONE && mark->seen[LOCATION_INDEX]) ||
           (look == SEEN && mark->known &&
            (st.st_ino != mark->number[LOCATION_INDEX] ||
             st.st_size < mark->bytes[LOCATION_INDEX]));
}

void
location_forget(const char *path)
{
    char beside[PATH_MAX];

    if ((size_t)snprintf(beside, sizeof beside, "%s-lock", path) < sizeof beside)
        unlink(beside);
}

/*
 * Keeps a second registrar out: each has an index of its own. The lock is on a file beside the database, for
 * closing any descriptor of the database itself would drop the locks that SQLite holds on it.
 */
int
location_lock(const struct store_port *port, const char *path, int *fd)
{
    char beside[PATH_MAX];

    if ((size_t)snprintf(beside, sizeof beside, "%s-lock", path) >= sizeof beside) {
        location_complain(port, "%s: the path is too long", path);
        return SIPD_ETOOBIG;
    }
    *fd = open(beside, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);
    if (*fd < 0) {
        location_complain(port, "%s: cannot be opened for writing: %s", beside, strerror(errno));
        return SIPD_EIO;
    }
    if (flock(*fd, LOCK_EX | LOCK_NB) != 0) {
        location_complain(port, "%s: %s", path,
                          errno == EWOULDBLOCK ? "in use by another registrar" : strerror(errno));
        return SIPD_EIO;
    }
    return SIPD_OK;
}

int
location_judge(const struct store_port *port, const char *path, int64_t application,
               int64_t version)
{
    if (application != LOCATION_APPLICATION_ID) {
        location_complain(port, "%s: a database of another program; name another path", path);
        return SIPD_EINVAL;
    }
    if (version > LOCATION_SCHEMA_VERSION) {
        location_complain(
            port,
            "%s: written by a newer sipd (schema %lld, this one knows up to %d); use that, or "
            "name another path",
            path, (long long)version, LOCATION_SCHEMA_VERSION);
        return SIPD_EINVAL;
    }
    return SIPD_OK;
}

static int64_t
read_be32(const unsigned char *at)
{
    return (int64_t)at[0] << 24 | at[1] << 16 | at[2] << 8 | at[3];
}

/* The file's own head tells what it is; SQLite itself might make files beside it. */
static int
look_at(const struct store_port *port, const char *path, int fd)
{
    unsigned char head[HEAD_BYTES];
    ssize_t len = read(fd, head, sizeof head);
    int64_t application, version;

    if (len < 0) {
        location_complain(port, "%s: %s; name another path", path, strerror(errno));
        return SIPD_EIO;
    }
    if (len == 0)
        return SIPD_OK; /* as good as none */
    if (len < HEAD_BYTES || memcmp(head, HEAD_MAGIC, sizeof HEAD_MAGIC) != 0) {
        if (location_was_ours(path)) { /* a start puts it aside */
            location_complain(port, "%s: damaged; a start renames it and begins a new one", path);
            return SIPD_OK;
        }
        location_complain(port, "%s: " LOCATION_NOT_A_DATABASE, path);
        return SIPD_EINVAL;
    }
    version = read_be32(head + HEAD_VERSION_AT);
    application = read_be32(head + HEAD_APPLICATION_AT);
    return application == 0 && version == 0 ? SIPD_OK
                                            : location_judge(port, path, application, version);
}

int
location_look(const struct store_port *port, const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK), err;

    if (fd < 0 && errno == ENOENT)
        return SIPD_OK;
    if (fd < 0) {
        location_complain(port, "%s: %s", path, strerror(errno));
        return SIPD_EIO;
    }
    err = look_at(port, path, fd);
    close(fd);
    return err;
}
