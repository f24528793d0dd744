/*
 * The store in a file, as the files store_*.c see it: its state, what its thread reads and what it writes.
 *
 * The connection is the opener's until the thread is given work, then the thread's alone, and the closer's again when it has
 * ended.
 */
#ifndef REGISTRAR_STORE_FILE_H
#define REGISTRAR_STORE_FILE_H

#include <sqlite3.h>

#include "database.h"
#include "handover.h"
#include "store.h"
#include "writer.h"

enum stage {
    STAGE_CHECK, /* pages are looked at */
    STAGE_READ,  /* rows go to the loop */
    STAGE_SERVE, /* all has been told */
};

struct file {
    const struct store_port *port; /* the loop's */
    struct store_port thread_port; /* for what goes wrong on the thread */
    struct writer *writer;
    struct handover *handover;
    struct database database;
    uint64_t read_id;
    int lock_fd;
    /* the thread's */
    enum stage stage;
    int64_t wall_s;                         /* of the last write that tells it: UTC */
    sqlite3_value *place[ROWS_KEY_COLUMNS]; /* what was read last */
    size_t senseless;                       /* rows that were passed over */
    char senseless_first[200];
    char path[];
};

/* Store's read; from now on the file is the thread's. */
int file_read(void *store, uint64_t id);
/* The time as the loop tells it; on the loop. */
struct store_time file_time(const struct file *f);
/* What was read last is given up. */
void file_free_place(struct file *f);
/* On the thread, while nothing is to be written: it checks, reads on, or looks whether the file is what it was. */
uint32_t file_spare(void *self, bool *tell);
/* On the thread: a file that is not well is mended. SIPD_OK: it is well now, perhaps a new one. */
int file_mend(struct file *f);
/* On the thread: a group of writes in one transaction, on disk when this returns. words: what was wrong. */
int file_commit(void *self, const struct store_write *group, char words[STORE_WORDS_BYTES]);

#endif
