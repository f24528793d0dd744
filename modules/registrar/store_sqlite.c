/*
 * The store in a file: SQLite with a write-ahead log; rows read and written by the writer's thread. Here is the loop's side.
 *
 * Others may read the file meanwhile; a second registrar is kept out by a lock on it.
 */
#include <string.h>
#include <unistd.h>

#include <sipd/module.h>

#include "location.h"
#include "store_file.h"

static void
thread_trouble(void *self, const char *words)
{
    struct file *f = self;

    handover_trouble(f->handover, words);
}

static void
thread_news(void *self, const char *words)
{
    struct file *f = self;

    handover_news(f->handover, words);
}

static int file_wake(void *self);

/* True: there may be more, for another turn. */
static bool
tell_some(struct file *f)
{
    bool taken, more = handover_tell(f->handover, f->port, f->read_id, &taken);

    if (taken)
        writer_spare(f->writer);
    return more;
}

static void
collect(void *store, void *none)
{
    struct file *f = store;

    (void)none;
    writer_collect(f->writer); /* first: what the thread has after that wakes us again */
    while (tell_some(f) && file_wake(f) != SIPD_OK)
        ;
}

static int
file_wake(void *self)
{
    struct file *f = self;

    return f->port->post(f->port->self, collect, f);
}

static void
file_done(void *self, uint64_t id, int err)
{
    struct file *f = self;

    f->port->done(f->port->self, id, err);
}

static void
file_trouble(void *self, const char *words)
{
    struct file *f = self;

    f->port->trouble(f->port->self, words);
}

struct store_time
file_time(const struct file *f)
{
    return f->port->time ? f->port->time(f->port->self) : (struct store_time){ .wall_s = 0 };
}

static int
file_write(void *store, struct store_write *write)
{
    struct file *f = store;

    write->at = file_time(f);
    writer_put(f->writer, write);
    return STORE_LATER;
}

static void
file_watch(void *store)
{
    struct file *f = store;

    writer_spare(f->writer);
}

static void
file_settle(void *store)
{
    struct file *f = store;

    file_watch(f);
    writer_settle(f->writer);
    while (tell_some(f))
        ;
}

static int
start_writer(struct file *f)
{
    struct writer_port port = { .self = f,
                                .commit = file_commit,
                                .spare = file_spare,
                                .wake = file_wake,
                                .done = file_done,
                                .trouble = file_trouble };
    int err = writer_new(&f->writer, &port);

    if (err)
        location_complain(f->port, "%s: the writer's thread cannot be started", f->path);
    return err;
}

static void
file_close(void **store)
{
    struct file *f = *store;

    if (!f)
        return;
    *store = NULL;
    writer_free(&f->writer);
    handover_free(&f->handover);
    file_free_place(f);
    database_close(&f->database);
    if (f->lock_fd >= 0)
        close(f->lock_fd);
    sipd_free(f);
}

/* Nobody else would help a file that is damaged, and phones register again. What was lost is told with the rows. */
static int
open_or_begin(struct file *f)
{
    int err = database_open(&f->database);

    if (err == SIPD_OK || f->database.damage[0] == '\0')
        return err;
    f->wall_s = file_time(f).wall_s;
    return file_mend(f);
}

static int
file_open(const struct store_port *port, const char *path, void **store)
{
    size_t path_bytes = strlen(path) + 1;
    struct file *f = sipd_alloc(sizeof *f + path_bytes);
    void *opened = f;
    int err;

    *store = NULL;
    if (!f)
        return SIPD_ENOMEM;
    f->port = port;
    memcpy(f->path, path, path_bytes);
    f->lock_fd = -1;
    f->database = (struct database){ .say = port, .path = f->path };
    f->database.was_ours = location_was_ours(path);
    f->thread_port = (struct store_port){
        .self = f, .trouble = thread_trouble, .news = thread_news, .time = NULL
    };
    if ((err = location_lock(port, path, &f->lock_fd)) != SIPD_OK ||
        (err = handover_new(&f->handover)) != SIPD_OK || (err = open_or_begin(f)) != SIPD_OK ||
        (err = start_writer(f)) != SIPD_OK) {
        /* What was refused as somebody else's must not look like ours next time. */
        if (f->lock_fd >= 0 && !f->database.was_ours)
            location_forget(path);
        file_close(&opened);
    } else {
        f->database.was_ours = true;
        *store = f;
    }
    return err;
}

const struct store_ops store_sqlite_ops = {
    .look = location_look,
    .open = file_open,
    .read = file_read,
    .write = file_write,
    .watch = file_watch,
    .settle = file_settle,
    .close = file_close,
};
