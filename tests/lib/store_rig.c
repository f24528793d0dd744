/*
 * The loop's side of a registrar's store, with a condition in place of a loop.
 */
#include "lib/store_rig.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "unit/must.h"

#define READ_ID UINT64_MAX

static struct span
keep(char *to, size_t room, struct span text)
{
    must(text.len < room);
    if (text.len > 0)
        memcpy(to, text.at, text.len);
    to[text.len] = '\0';
    return (struct span){ to, text.len };
}

static int
take_row(void *self, const struct store_row *row)
{
    struct store_rig *rig = self;
    struct store_rig_row *to = &rig->rows[rig->rows_len];

    if (rig->rows_len >= rig->rows_room)
        return SIPD_ENOMEM;
    if (rig->refuse_rows > 0) {
        rig->refuse_rows--;
        return SIPD_ENOMEM;
    }
    must(rig->rows_len < STORE_RIG_ROWS);
    rig->rows_len++;
    to->is = *row;
    to->is.aor = keep(to->aor, sizeof to->aor, row->aor);
    to->is.contact = keep(to->contact, sizeof to->contact, row->contact);
    to->is.call_id = keep(to->call_id, sizeof to->call_id, row->call_id);
    to->is.user_agent = keep(to->user_agent, sizeof to->user_agent, row->user_agent);
    to->is.params = keep(to->params, sizeof to->params, row->params);
    to->is.path = keep(to->path, sizeof to->path, row->path);
    to->is.listener = keep(to->listener, sizeof to->listener, row->listener);
    return SIPD_OK;
}

static void
take_lost(void *self)
{
    struct store_rig *rig = self;

    rig->losses++;
}

static void
take_done(void *self, uint64_t id, int err)
{
    struct store_rig *rig = self;

    if (id == READ_ID) {
        must(rig->reading && err == SIPD_OK);
        rig->reading = false;
        return;
    }
    must(rig->open_writes > 0);
    rig->open_writes--;
    if (rig->done)
        rig->done(rig->arg, id, err);
}

static void
take_written(void *self, const struct store_time *at)
{
    struct store_rig *rig = self;

    rig->written = *at;
}

static void
take_news(void *self, const char *words)
{
    struct store_rig *rig = self;

    snprintf(rig->news, sizeof rig->news, "%s", words);
}

static struct store_time
now(void *self)
{
    return ((struct store_rig *)self)->now;
}

static void
take_trouble(void *self, const char *words)
{
    struct store_rig *rig = self;

    rig->troubles++;
    rig->failed_to_read |= rig->reading;
    snprintf(rig->words, sizeof rig->words, "%s", words);
}

static int
take_post(void *self, void (*fn)(void *store, void *none), void *store)
{
    struct store_rig *rig = self;

    if (atomic_load(&rig->refuse_posts) > 0) {
        atomic_fetch_sub(&rig->refuse_posts, 1);
        return SIPD_ENOMEM;
    }
    (void)store; /* the one that we opened */
    pthread_mutex_lock(&rig->mutex);
    rig->fn = fn;
    rig->has_post = true;
    pthread_cond_signal(&rig->posted);
    pthread_mutex_unlock(&rig->mutex);
    return SIPD_OK;
}

void
store_rig_init(struct store_rig *rig, const struct store_ops *ops)
{
    *rig = (struct store_rig){ .ops = ops,
                               .rows_room = STORE_RIG_ROWS,
                               .now = { .wall_s = 1700000000 } };
    rig->port = (struct store_port){ .self = rig,
                                     .row = take_row,
                                     .done = take_done,
                                     .written = take_written,
                                     .news = take_news,
                                     .lost = take_lost,
                                     .time = now,
                                     .trouble = take_trouble,
                                     .post = take_post };
    rig->rows = mem_new(STORE_RIG_ROWS * sizeof *rig->rows);
    must(rig->rows);
    pthread_mutex_init(&rig->mutex, NULL);
    pthread_cond_init(&rig->posted, NULL);
}

void
store_rig_fini(struct store_rig *rig)
{
    must(!rig->store);
    pthread_cond_destroy(&rig->posted);
    pthread_mutex_destroy(&rig->mutex);
    mem_free(rig->rows);
}

void
store_rig_close(struct store_rig *rig)
{
    rig->ops->close(&rig->store);
    rig->reading = false;
    must(rig->open_writes == 0); /* it answers before it ends */
    rig->has_post = false;
}

void
store_rig_write(struct store_rig *rig, struct store_write *write)
{
    int answer = rig->ops->write(rig->store, write);

    if (answer == STORE_LATER)
        rig->open_writes++;
    else if (rig->done)
        rig->done(rig->arg, write->id, answer);
}

static bool
take_next(struct store_rig *rig, bool wait)
{
    bool has;

    pthread_mutex_lock(&rig->mutex);
    while (wait && !rig->has_post)
        pthread_cond_wait(&rig->posted, &rig->mutex);
    has = rig->has_post;
    rig->has_post = false;
    pthread_mutex_unlock(&rig->mutex);
    if (has)
        rig->fn(rig->store, NULL);
    return has;
}

int
store_rig_open(struct store_rig *rig, const char *path)
{
    int err = rig->ops->open(&rig->port, path, &rig->store);

    if (err != SIPD_OK) {
        must(!rig->store);
        return err;
    }
    rig->rows_len = 0;
    rig->failed_to_read = false;
    err = rig->ops->read(rig->store, READ_ID);
    if (err == STORE_NOW)
        return SIPD_OK;
    must(err == STORE_LATER);
    rig->reading = true;
    while (rig->reading && !rig->failed_to_read)
        take_next(rig, true);
    return rig->failed_to_read ? SIPD_EIO : SIPD_OK;
}

void
store_rig_wait(struct store_rig *rig)
{
    while (rig->open_writes > 0)
        take_next(rig, true);
}

void
store_rig_poll(struct store_rig *rig)
{
    take_next(rig, false);
}
