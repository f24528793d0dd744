/*
 * A registrar's store in a test's hand: opened, read, written, waited for.
 */
#ifndef LIB_STORE_RIG_H
#define LIB_STORE_RIG_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "registrar/store.h"

#define STORE_RIG_ROWS 16384

struct store_rig_row {
    char aor[128], contact[128], call_id[128], params[200], path[128],
        user_agent[STORE_AGENT_BYTES + 1], listener[HOP_TEXT_BYTES + 1];
    struct store_row is; /* its spans point to the texts above */
};

struct store_rig {
    struct store_port port;
    const struct store_ops *ops;
    void *store;
    /* what the store has told */
    struct store_rig_row *rows; /* of the last read, in its order */
    size_t rows_len;
    char words[STORE_WORDS_BYTES]; /* the last trouble */
    unsigned troubles;
    char news[STORE_WORDS_BYTES];                  /* the last of what is no trouble */
    struct store_time now;                         /* as the store asks for it */
    struct store_time written;                     /* told at the last open */
    void (*done)(void *arg, uint64_t id, int err); /* for each answer; may be NULL */
    void *arg;
    size_t open_writes; /* not answered yet */
    int refuse_rows;    /* so many rows are answered SIPD_ENOMEM */
    size_t rows_room;   /* and those behind so many, until there is more room */
    unsigned losses;    /* how often the file was lost */
    bool reading, failed_to_read;
    atomic_int refuse_posts; /* so many posts fail */
    /* the loop: what was posted */
    pthread_mutex_t mutex;
    pthread_cond_t posted;
    void (*fn)(void *store, void *none);
    bool has_post;
};

/* Begins in place, with a store of this kind that is not open yet. */
void store_rig_init(struct store_rig *rig, const struct store_ops *ops);
void store_rig_fini(struct store_rig *rig);
/* Opens it and reads its rows; the error of the one that failed, SIPD_EIO if there was trouble. */
int store_rig_open(struct store_rig *rig, const char *path);
void store_rig_close(struct store_rig *rig);
/* Hands a write over; lent until it is answered. */
void store_rig_write(struct store_rig *rig, struct store_write *write);
/* Is the loop for as long as it takes to have all writes answered. */
void store_rig_wait(struct store_rig *rig);
/* One turn of the loop, if something has been posted already. */
void store_rig_poll(struct store_rig *rig);

#endif
