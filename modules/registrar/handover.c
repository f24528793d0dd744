/*
 * Slices and words between the thread and the loop.
 */
#include "handover.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

#include <sipd/module.h>

#include "row.h"

#define SLICES 2

struct handover {
    atomic_uint filled, taken; /* slices, counted; the n-th is n modulo SLICES */
    atomic_bool talks;         /* there is something of what follows */
    pthread_mutex_t mutex;     /* of what follows, up to `told` */
    bool has_written, ended, lost;
    struct store_time written;
    char trouble[STORE_WORDS_BYTES], news[STORE_WORDS_BYTES];
    size_t told;                           /* the loop's: rows of the slice that it is at */
    struct handover_slice *slices[SLICES]; /* owned; NULL when no more are wanted */
};

int
handover_new(struct handover **handover)
{
    struct handover *h = sipd_alloc(sizeof *h);

    *handover = h;
    if (!h)
        return SIPD_ENOMEM;
    pthread_mutex_init(&h->mutex, NULL);
    for (size_t i = 0; i < SLICES; i++)
        if (!(h->slices[i] = sipd_alloc(sizeof *h->slices[i]))) {
            handover_free(handover);
            return SIPD_ENOMEM;
        }
    return SIPD_OK;
}

static void
free_slices(struct handover *h)
{
    for (size_t i = 0; i < SLICES; i++) {
        sipd_free(h->slices[i]);
        h->slices[i] = NULL;
    }
}

void
handover_free(struct handover **handover)
{
    if (!*handover)
        return;
    free_slices(*handover);
    pthread_mutex_destroy(&(*handover)->mutex);
    sipd_free(*handover);
    *handover = NULL;
}

/* ---------------------------------------------------------------- the thread */

struct handover_slice *
handover_empty(struct handover *h)
{
    unsigned filled = atomic_load(&h->filled);
    struct handover_slice *slice = h->slices[filled % SLICES];

    if (filled - atomic_load(&h->taken) >= SLICES)
        return NULL;
    slice->len = slice->text_len = 0;
    return slice;
}

void
handover_put(struct handover *h, struct handover_slice *slice)
{
    (void)slice; /* the one that is next */
    atomic_fetch_add(&h->filled, 1);
}

bool
handover_copy(struct handover_slice *slice, const struct store_row *row)
{
    size_t bytes = row_text_bytes(row);
    char *to = slice->text + slice->text_len;

    if (slice->len == HANDOVER_ROWS || bytes > HANDOVER_TEXT - slice->text_len)
        return false;
    slice->rows[slice->len++] = row_copy(row, &to);
    slice->text_len += bytes;
    return true;
}

void
handover_written(struct handover *h, const struct store_time *at)
{
    pthread_mutex_lock(&h->mutex);
    h->has_written = true;
    h->written = *at;
    atomic_store(&h->talks, true);
    pthread_mutex_unlock(&h->mutex);
}

static void
set(struct handover *h, bool *what)
{
    pthread_mutex_lock(&h->mutex);
    *what = true;
    atomic_store(&h->talks, true);
    pthread_mutex_unlock(&h->mutex);
}

void
handover_end(struct handover *h)
{
    set(h, &h->ended);
}

void
handover_lost(struct handover *h)
{
    set(h, &h->lost);
}

static void
set_words(struct handover *h, char to[STORE_WORDS_BYTES], const char *words)
{
    pthread_mutex_lock(&h->mutex);
    if (to[0] == '\0')
        snprintf(to, STORE_WORDS_BYTES, "%s", words);
    atomic_store(&h->talks, true);
    pthread_mutex_unlock(&h->mutex);
}

void
handover_trouble(struct handover *h, const char *words)
{
    set_words(h, h->trouble, words);
}

void
handover_news(struct handover *h, const char *words)
{
    set_words(h, h->news, words);
}

/* ---------------------------------------------------------------- the loop */

static bool
take_words(struct handover *h, char from[STORE_WORDS_BYTES], char words[STORE_WORDS_BYTES])
{
    pthread_mutex_lock(&h->mutex);
    memcpy(words, from, STORE_WORDS_BYTES);
    from[0] = '\0';
    pthread_mutex_unlock(&h->mutex);
    return words[0] != '\0';
}

static void
tell_words(struct handover *h, const struct store_port *port)
{
    char words[STORE_WORDS_BYTES];

    if (take_words(h, h->trouble, words))
        port->trouble(port->self, words);
    if (take_words(h, h->news, words) && port->news)
        port->news(port->self, words);
}

static void
tell_written(struct handover *h, const struct store_port *port)
{
    struct store_time at;
    bool has;

    pthread_mutex_lock(&h->mutex);
    has = h->has_written;
    at = h->written;
    h->has_written = false;
    pthread_mutex_unlock(&h->mutex);
    if (has && port->written)
        port->written(port->self, &at);
}

/* The rows of a slice; what the loop has no memory for now waits. True: all were told. */
static bool
tell_slice(struct handover *h, const struct handover_slice *slice, const struct store_port *port)
{
    for (; h->told < slice->len; h->told++)
        if (port->row(port->self, &slice->rows[h->told]) == SIPD_ENOMEM)
            return false;
    h->told = 0;
    return true;
}

/* A slice, if there is one. */
static bool
tell_rows(struct handover *h, const struct store_port *port, bool *taken)
{
    unsigned at = atomic_load(&h->taken);

    if (atomic_load(&h->filled) == at)
        return false;
    *taken = tell_slice(h, h->slices[at % SLICES], port);
    if (*taken)
        atomic_store(&h->taken, at + 1);
    return true;
}

/* What is behind the rows was said before this was called, and so were the rows. */
static void
tell_ends(struct handover *h, const struct store_port *port, uint64_t id, bool ended, bool lost)
{
    pthread_mutex_lock(&h->mutex);
    h->ended &= !ended;
    h->lost &= !lost;
    pthread_mutex_unlock(&h->mutex);
    if (ended) {
        free_slices(h);
        port->done(port->self, id, SIPD_OK);
    }
    if (lost)
        port->lost(port->self);
}

bool
handover_tell(struct handover *h, const struct store_port *port, uint64_t id, bool *taken)
{
    bool talks = atomic_exchange(&h->talks, false), ended = false, lost = false;

    *taken = false;
    if (talks) {
        tell_words(h, port);
        tell_written(h, port);
        pthread_mutex_lock(&h->mutex);
        ended = h->ended;
        lost = h->lost;
        pthread_mutex_unlock(&h->mutex);
    }
    if (tell_rows(h, port, taken)) {
        if (ended || lost)
            atomic_store(&h->talks, true); /* it waits for the rows before it */
        return true;                       /* what comes behind may be here already */
    }
    if (ended || lost)
        tell_ends(h, port, id, ended, lost);
    return false;
}
