/*
 * The one thread that touches the users' file: jobs go in from the loop, are worked in order, and come back to the loop done.
 */
#ifndef AUTH_SCRIBE_H
#define AUTH_SCRIBE_H

#include <sipd/module.h>

#include "userdb.h"

/* The head of a job; what it works on stands behind it in the caller's struct, which nobody else touches meanwhile. */
struct scribe_job {
    struct scribe_job *next;
    void (*work)(struct scribe_job *job, struct userdb *db); /* in the thread */
    void (*done)(struct scribe_job *job,
                 void *self); /* on the loop; ends the job, or gives it back for more */
};

struct scribe;

/* Starts the thread. Takes: db, when it succeeds. self: for done. NULL if there are no means. Owns: the caller. */
struct scribe *scribe_new(struct sipd_host *host, struct userdb *db, void *self);
/* Hands a job over. Takes: job. SIPD_EFULL (the job stays the caller's) when too many wait. */
int scribe_put(struct scribe *scribe, struct scribe_job *job);
/* Works what still waits, calls done for all, ends the thread and closes the file; nulls the pointer. */
void scribe_free(struct scribe **scribe);

#endif
