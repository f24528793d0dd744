/*
 * A registrar's jobs over a store that answers when the test wants it.
 */
#ifndef UNIT_JOBS_RIG_H
#define UNIT_JOBS_RIG_H

#include "registrar/jobs.h"
#include "registrar/purge.h"
#include "registrar/rewrite.h"

/* A store whose answers are given by hand, and all that jobs ask of the world. */
struct jobs_rig {
    struct jobs jobs;
    struct purge purge;
    struct rewrite rewrite;
    struct bindings *index;
    uint64_t now_ms;
    int answer;                      /* of write() */
    struct store_write *writes[256]; /* that wait for an answer, oldest first */
    size_t writes_len;
    uint64_t told[256]; /* askers, in order */
    size_t told_len;
    bool take; /* take what is told of, as a command does */
};

/* Begins with an empty index; the test ends it. */
void jobs_rig_init(struct jobs_rig *rig);
void jobs_rig_fini(struct jobs_rig *rig);
/* The store answers its oldest write. */
void jobs_rig_written(struct jobs_rig *rig, int err);
/* A REGISTER of one Contact by this asker, with its number as CSeq; NULL: a fetch; "*": all go. */
int jobs_rig_enter(struct jobs_rig *rig, struct span aor, uint64_t asker, const char *contact,
                   uint32_t expires_s, struct job **job);

#endif
