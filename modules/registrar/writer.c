/*
 * The one thread: takes everything handed over since its last commit, writes it in groups, reports; and does other work
 * while there is nothing to write.
 */
#include "writer.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <time.h>

#include <sipd/module.h>

/* Before the loop is asked once more, when it could not be woken. */
#define WAKE_AGAIN_NS 2000000
/* Until it is looked again whether there is something to write, while other work waits for better times. */
#define NAP_MS 20

struct list {
    struct store_write *first, *last;
};

struct writer {
    struct writer_port port;
    pthread_t thread;
    pthread_mutex_t mutex; /* of what follows */
    pthread_cond_t more;
    pthread_cond_t rest; /* nothing is to be done now */
    struct list queue, finished;
    char words[STORE_WORDS_BYTES]; /* of the newest failure */
    bool woken;                    /* the loop will come and collect */
    bool stop;
    bool awaited;                /* the loop stands still for the thread: it need not be woken */
    bool resting;                /* the thread has found nothing to do */
    bool spare;                  /* port.spare() is to be asked … */
    uint32_t spare_naps;         /* … after so many */
    struct store_write *telling; /* the loop's: finished, and not told of yet */
};

static void
list_put(struct list *list, struct store_write *first, struct store_write *last)
{
    if (list->last)
        list->last->next = first;
    else
        list->first = first;
    list->last = last;
    last->next = NULL;
}

static struct store_write *
list_take(struct list *list)
{
    struct store_write *first = list->first;

    *list = (struct list){ NULL, NULL };
    return first;
}

/* ---------------------------------------------------------------- the thread */

bool
writer_is_stopping(struct writer *w)
{
    bool stop;

    pthread_mutex_lock(&w->mutex);
    stop = w->stop;
    pthread_mutex_unlock(&w->mutex);
    return stop;
}

static bool
is_awaited(struct writer *w)
{
    bool awaited;

    pthread_mutex_lock(&w->mutex);
    awaited = w->stop || w->awaited;
    pthread_mutex_unlock(&w->mutex);
    return awaited;
}

static void
wake(struct writer *w)
{
    while (w->port.wake(w->port.self) != SIPD_OK && !is_awaited(w))
        nanosleep(&(struct timespec){ .tv_nsec = WAKE_AGAIN_NS }, NULL);
}

/* With the mutex held, which is let go meanwhile. */
static void
use_spare_time(struct writer *w)
{
    bool tell = false, wanted;
    uint32_t wait_ms;

    w->spare = false; /* who asks for it from now on is not forgotten */
    pthread_mutex_unlock(&w->mutex);
    wait_ms = w->port.spare(w->port.self, &tell);
    pthread_mutex_lock(&w->mutex);
    wanted = tell && !w->woken;
    w->woken |= tell;
    w->spare |= wait_ms != WRITER_IDLE;
    w->spare_naps = wait_ms == WRITER_IDLE ? 0 : wait_ms / NAP_MS;
    if (!wanted)
        return;
    pthread_mutex_unlock(&w->mutex);
    wake(w);
    pthread_mutex_lock(&w->mutex);
}

/* With the mutex held, which is let go meanwhile. What is to be written waits no longer than that. */
static void
nap(struct writer *w)
{
    w->spare_naps--;
    pthread_mutex_unlock(&w->mutex);
    nanosleep(&(struct timespec){ .tv_nsec = NAP_MS * 1000000L }, NULL);
    pthread_mutex_lock(&w->mutex);
}

/* With the mutex held. There is nothing to do, or nothing that can be done now. */
static void
rest(struct writer *w)
{
    w->resting = true;
    pthread_cond_signal(&w->rest);
    if (w->spare)
        nap(w);
    else
        pthread_cond_wait(&w->more, &w->mutex);
    w->resting = false;
}

/* Waits for work and takes all of it; NULL: the end. */
static struct store_write *
wait_for_work(struct writer *w)
{
    struct store_write *work;

    pthread_mutex_lock(&w->mutex);
    while (!w->queue.first && !w->stop)
        if (!w->spare || w->spare_naps > 0)
            rest(w);
        else
            use_spare_time(w);
    work = list_take(&w->queue);
    pthread_mutex_unlock(&w->mutex);
    return work;
}

/* Cuts a group off the front of *work; returns its last member. */
static struct store_write *
cut_group(struct store_write **work)
{
    struct store_write *last = *work;
    size_t changes = last->len;

    while (last->next && changes + last->next->len <= WRITER_GROUP_CHANGES) {
        last = last->next;
        changes += last->len;
    }
    *work = last->next;
    last->next = NULL;
    return last;
}

/* Moves a group to the finished and wakes the loop, unless it was woken and has not come yet. */
static void
report(struct writer *w, struct store_write *group, struct store_write *last, const char *words)
{
    bool wanted;

    pthread_mutex_lock(&w->mutex);
    if (words[0])
        memcpy(w->words, words, sizeof w->words);
    list_put(&w->finished, group, last);
    wanted = !w->woken;
    w->woken = true;
    pthread_mutex_unlock(&w->mutex);
    if (wanted)
        wake(w);
}

static void *
run(void *self)
{
    struct writer *w = self;
    struct store_write *work;

    while ((work = wait_for_work(w)))
        while (work) {
            char words[STORE_WORDS_BYTES] = "";
            struct store_write *group = work, *last = cut_group(&work);
            int err = w->port.commit(w->port.self, group, words);

            for (struct store_write *write = group; write; write = write->next)
                write->err = err;
            report(w, group, last, words);
        }
    return NULL;
}

/* ---------------------------------------------------------------- the loop's side */

static int
start(struct writer *w)
{
    sigset_t all, before;
    int failed;

    sigfillset(&all);
    sigdelset(&all, SIGBUS); /* a page that is lost is this thread's own affair */
    if (pthread_sigmask(SIG_SETMASK, &all, &before) != 0)
        return SIPD_EIO;
    failed = pthread_create(&w->thread, NULL, run, w);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return failed == 0 ? SIPD_OK : SIPD_EIO;
}

static void
dispose(struct writer *w)
{
    pthread_cond_destroy(&w->rest);
    pthread_cond_destroy(&w->more);
    pthread_mutex_destroy(&w->mutex);
    sipd_free(w);
}

int
writer_new(struct writer **writer, const struct writer_port *port)
{
    struct writer *w = sipd_alloc(sizeof *w);
    int err;

    *writer = NULL;
    if (!w)
        return SIPD_ENOMEM;
    w->port = *port;
    pthread_mutex_init(&w->mutex, NULL);
    pthread_cond_init(&w->more, NULL);
    pthread_cond_init(&w->rest, NULL);
    err = start(w);
    if (err)
        dispose(w);
    else
        *writer = w;
    return err;
}

void
writer_put(struct writer *w, struct store_write *write)
{
    pthread_mutex_lock(&w->mutex);
    list_put(&w->queue, write, write);
    pthread_cond_signal(&w->more);
    pthread_mutex_unlock(&w->mutex);
}

void
writer_spare(struct writer *w)
{
    pthread_mutex_lock(&w->mutex);
    w->spare = true;
    pthread_cond_signal(&w->more);
    pthread_mutex_unlock(&w->mutex);
}

/* All that the thread has finished, and the words of its newest failure, which are told at once. */
static struct store_write *
take_finished(struct writer *w)
{
    char words[STORE_WORDS_BYTES];
    struct store_write *finished;

    pthread_mutex_lock(&w->mutex);
    finished = list_take(&w->finished);
    memcpy(words, w->words, sizeof words);
    w->words[0] = '\0';
    w->woken = false;
    pthread_mutex_unlock(&w->mutex);
    if (words[0])
        w->port.trouble(w->port.self, words);
    return finished;
}

/* Tells of some that are finished. True: there may be more. */
static bool
collect_some(struct writer *w)
{
    for (unsigned n = 0; n < WRITER_COLLECT_MOST; n++) {
        struct store_write *write = w->telling ? w->telling : take_finished(w);

        if (!write)
            return false;
        w->telling = write->next; /* once it was told, the write is its owner's again */
        w->port.done(w->port.self, write->id, write->err);
    }
    return true;
}

/* The rest comes in another turn; in this one if none can be asked for. */
void
writer_collect(struct writer *w)
{
    while (collect_some(w) && w->port.wake(w->port.self) != SIPD_OK)
        ;
}

/* Is nothing left that the thread could do now? */
static bool
is_settled(const struct writer *w)
{
    return w->resting && !w->queue.first && (!w->spare || w->spare_naps > 0);
}

void
writer_settle(struct writer *w)
{
    pthread_mutex_lock(&w->mutex);
    w->awaited = true;
    while (!is_settled(w))
        pthread_cond_wait(&w->rest, &w->mutex);
    w->awaited = false;
    pthread_mutex_unlock(&w->mutex);
    while (collect_some(w))
        ;
}

void
writer_free(struct writer **writer)
{
    struct writer *w = *writer;

    if (!w)
        return;
    pthread_mutex_lock(&w->mutex);
    w->stop = true;
    pthread_cond_signal(&w->more);
    pthread_mutex_unlock(&w->mutex);
    pthread_join(w->thread, NULL);
    while (collect_some(w))
        ;
    *writer = NULL;
    dispose(w);
}
