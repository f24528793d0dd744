/*
 * Two queues and a thread between them; the lock is held for a few pointers only, never while the disk is asked.
 */
#include "scribe.h"

#include <pthread.h>
#include <signal.h>
#include <time.h>

enum { QUEUE_LIMIT = 1024, KNOCK_AGAIN_MS = 100 };

struct queue {
    struct scribe_job *head, **tail;
};

struct scribe {
    struct sipd_host *host;
    void *self;
    struct userdb db; /* the thread's while it lives */
    pthread_t thread;
    pthread_mutex_t lock; /* of all below */
    pthread_cond_t wake;
    struct queue asked, worked;
    unsigned waiting; /* jobs between put and done */
    bool knocking;    /* the loop was told, and has not come yet */
    bool ending;
};

static void
queue_init(struct queue *q)
{
    *q = (struct queue){ .tail = &q->head };
}

static void
queue_push(struct queue *q, struct scribe_job *job)
{
    job->next = NULL;
    *q->tail = job;
    q->tail = &job->next;
}

static struct scribe_job *
queue_shift(struct queue *q)
{
    struct scribe_job *job = q->head;

    if (!job)
        return NULL;
    q->head = job->next;
    if (!q->head)
        q->tail = &q->head;
    return job;
}

/* The next job that is worked, for the loop. */
static struct scribe_job *
take_worked(struct scribe *s)
{
    struct scribe_job *job;

    pthread_mutex_lock(&s->lock);
    job = queue_shift(&s->worked);
    if (job)
        s->waiting--;
    pthread_mutex_unlock(&s->lock);
    return job;
}

static void
on_knock(void *self, void *arg)
{
    struct scribe *s = self;
    struct scribe_job *job;

    (void)arg;
    pthread_mutex_lock(&s->lock);
    s->knocking = false;
    pthread_mutex_unlock(&s->lock);
    while ((job = take_worked(s)))
        job->done(job, s->self);
}

/* Tells the loop that jobs are worked; sipd_post() may lack memory, then a later try succeeds. Under the lock. */
static void
knock(struct scribe *s)
{
    if (s->worked.head && !s->knocking)
        s->knocking = sipd_post(s->host, on_knock, s, NULL) == SIPD_OK;
}

/* Waits until there is something to do, or to be said again. Under the lock. */
static void
sleep_until_asked(struct scribe *s)
{
    static const struct timespec a_while = { .tv_nsec = KNOCK_AGAIN_MS * 1000000L };

    if (!s->worked.head || s->knocking) {
        pthread_cond_wait(&s->wake, &s->lock);
        return;
    }
    pthread_mutex_unlock(&s->lock);
    nanosleep(&a_while, NULL);
    pthread_mutex_lock(&s->lock);
}

static void *
scribe_main(void *arg)
{
    struct scribe *s = arg;
    struct scribe_job *job;

    pthread_mutex_lock(&s->lock);
    for (;;) {
        knock(s);
        job = queue_shift(&s->asked);
        if (job) {
            pthread_mutex_unlock(&s->lock);
            job->work(job, &s->db);
            pthread_mutex_lock(&s->lock);
            queue_push(&s->worked, job);
        } else if (s->ending) {
            break;
        } else {
            sleep_until_asked(s);
        }
    }
    pthread_mutex_unlock(&s->lock);
    return NULL;
}

/* Signals are the loop's affair: the thread is born deaf. */
static int
start_thread(struct scribe *s)
{
    sigset_t all, before;
    int failed;

    sigfillset(&all);
    sigdelset(&all, SIGBUS); /* a page that is lost is this thread's own affair */
    pthread_sigmask(SIG_SETMASK, &all, &before);
    failed = pthread_create(&s->thread, NULL, scribe_main, s);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return failed;
}

struct scribe *
scribe_new(struct sipd_host *host, struct userdb *db, void *self)
{
    struct scribe *s = sipd_alloc(sizeof *s);

    if (!s)
        return NULL;
    *s = (struct scribe){ .host = host, .self = self, .db = *db };
    queue_init(&s->asked);
    queue_init(&s->worked);
    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->wake, NULL);
    if (start_thread(s) != 0) {
        pthread_cond_destroy(&s->wake);
        pthread_mutex_destroy(&s->lock);
        sipd_free(s);
        return NULL;
    }
    db->sql = NULL;
    return s;
}

int
scribe_put(struct scribe *scribe, struct scribe_job *job)
{
    int err = SIPD_EFULL;

    pthread_mutex_lock(&scribe->lock);
    if (scribe->waiting < QUEUE_LIMIT) {
        scribe->waiting++;
        queue_push(&scribe->asked, job);
        pthread_cond_signal(&scribe->wake);
        err = SIPD_OK;
    }
    pthread_mutex_unlock(&scribe->lock);
    return err;
}

void
scribe_free(struct scribe **scribe)
{
    struct scribe *s = *scribe;
    struct scribe_job *job;

    *scribe = NULL;
    if (!s)
        return;
    pthread_mutex_lock(&s->lock);
    s->ending = true;
    pthread_cond_signal(&s->wake);
    pthread_mutex_unlock(&s->lock);
    pthread_join(s->thread, NULL);
    /* A job given back by its done() finds no thread, so its work is called here. */
    while ((job = take_worked(s)))
        job->done(job, s->self);
    while ((job = queue_shift(&s->asked))) {
        job->work(job, &s->db);
        job->done(job, s->self);
    }
    userdb_close(&s->db);
    pthread_cond_destroy(&s->wake);
    pthread_mutex_destroy(&s->lock);
    sipd_free(s);
}
