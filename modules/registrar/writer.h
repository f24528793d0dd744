/*
 * The registrar's one thread: writes groups of changes that the loop hands over, and tells the loop when they
 * are done.
 *
 * Two lists change hands under a mutex that nobody holds longer than it takes to move a pointer; never across
 * I/O.
 */
#ifndef REGISTRAR_WRITER_H
#define REGISTRAR_WRITER_H

#include "store.h"

#define WRITER_GROUP_CHANGES 256 /* of one transaction, unless a single write has more */
#define WRITER_COLLECT_MOST  128 /* told of in one turn of the loop */

#define WRITER_IDLE UINT32_MAX

struct writer_port {
    void *self;
    /*
     * On the thread. Makes a group (chained by next) last: all of it or, with an error and its words, nothing.
     */
    int (*commit)(void *self, const struct store_write *group, char words[STORE_WORDS_BYTES]);
    /*
     * On the thread, when nothing is to be written: a piece of other work. Ms until it wants to be asked again, 0: as soon
     * as nothing is to be written; WRITER_IDLE: when writer_spare() says so. *tell: the loop is to be woken. May be NULL.
     */
    uint32_t (*spare)(void *self, bool *tell);
    /* On either side. Has writer_collect() called in a turn of the loop; an error: asked again a little later. */
    int (*wake)(void *self);
    /* On the loop, from writer_collect() and writer_free(). */
    void (*done)(void *self, uint64_t id, int err);
    void (*trouble)(void *self, const char *words);
};

struct writer;

/* Starts the thread, with all signals blocked. port is copied. SIPD_ENOMEM, SIPD_EIO. */
int writer_new(struct writer **writer, const struct writer_port *port);
/* Hands a write over; lent until port.done() has named it. What is handed over first is written first. */
void writer_put(struct writer *writer, struct store_write *write);
/* Tells port.done() of what is done; asks to be called again, by port.wake(), when it is much. */
void writer_collect(struct writer *writer);
/* There is other work: port.spare() is asked. */
void writer_spare(struct writer *writer);
/* Waits until all that was handed over is written and all other work is done, or waits for better times; tells what is done. */
void writer_settle(struct writer *writer);
/* Is it about to end? For who works long on the thread. */
bool writer_is_stopping(struct writer *writer);
/* Writes what is left, ends the thread, tells what is done. */
void writer_free(struct writer **writer);

#endif
