/*
 * REGISTERs and commands on their way through the store: one at a time for each address-of-record, in the order
 * in which they came, and in memory only after they are stored (RFC 3261 §10.3: in order, all or not at all).
 *
 * A job keeps all it needs, so it goes on when its asker has gone, and those behind it are not held up.
 */
#ifndef REGISTRAR_JOBS_H
#define REGISTRAR_JOBS_H

#include <sipd/hop.h>
#include <sipd/ring.h>
#include <sipd/span.h>

#include "bindings.h"
#include "rules.h"
#include "store.h"

#define JOBS_OF_AOR_MAX 32    /* that wait for one AoR, or for being answered */
#define JOBS_KEEP_MS    10000 /* how long a result waits for its asker */

enum job_kind { JOB_REGISTER, JOB_COMMAND };

enum job_state {
    JOB_QUEUED,  /* another of the same AoR comes first */
    JOB_WRITING, /* the store has it */
    JOB_DONE,    /* `answer` holds; waits for jobs_take() */
};

/* What is asked for. All of it is copied, but for the AoR, whose own text it is then. */
struct job_ask {
    enum job_kind kind;
    uint64_t asker; /* sipd_req_id() or sipd_answer_later() */
    struct span aor;
    struct rules_register reg;
    struct hop source; /* transport HOP_NONE: nowhere, reached by URI */
    bool relayed;      /* the source is a proxy, not who registers: reached by Path or URI */
    struct span user_agent;
};

struct job {
    struct job *next;     /* of the same AoR … */
    struct aor *aor;      /* … which is there as long as it has jobs */
    struct ring finished; /* among the done */
    uint64_t id, done_ms;
    enum job_state state;
    struct job_ask ask;
    struct rules_answer answer;
    bool again;     /* our misfortune, not the asker's fault: worth another try */
    size_t changed; /* bindings that came, went or were refreshed */
    /* of the plan, while it is written */
    struct store_write write;
    struct store_change *changes;
    struct binding **fresh; /* for each change: what comes */
    char *room;             /* for a small plan; NULL: there is none */
};

#define JOBS_ROOM_BYTES 1024

/* A job that is done where it stands, with its room. */
struct job_at_once {
    struct job job;
    _Alignas(struct job) char room[JOBS_ROOM_BYTES];
};

struct jobs_port {
    void *self;
    uint64_t (*now_ms)(void *self);
    /* A moment of now_ms() in steady time (steady.h), seconds. */
    int64_t (*steady_s)(void *self, uint64_t at_ms);
    struct span (*listener)(void *self, uint16_t listener);
    /* A job that jobs_enter() left undone is done. Lent; it may be taken, and nothing else be called. */
    void (*tell)(void *self, struct job *job);
};

struct jobs_limits {
    uint32_t max_contacts; /* bindings of an AoR */
    uint32_t max_bindings; /* of all */
    uint32_t max_source;   /* of those that come from one address; 0: no limit */
    uint32_t max_waiting;  /* jobs */
};

struct job_slot {
    struct job *job;
    uint32_t turn; /* how often it was used: the upper half of an id */
    uint32_t free; /* the next free one, counted from 1 */
};

struct jobs {
    struct jobs_port port;
    struct jobs_limits limits;
    struct bindings *index;
    const struct store_ops *ops;
    void *store;
    struct job_slot *slots;
    uint32_t slots_len, slots_free, count;
    size_t coming; /* bindings made and not yet in the index */
    bool closing;
    struct ring finished;
};

/* Begins in place; port, limits, index, ops and store may be set later, before the first job. */
void jobs_init(struct jobs *jobs);
/* From now on nothing is begun any more; what is queued is refused when its turn comes. */
void jobs_close(struct jobs *jobs);
/* Ends all jobs. The store has been closed: it lends nothing any more. */
void jobs_fini(struct jobs *jobs);

/*
 * Enters a job, and begins it if nothing of its AoR is under way. *job may be JOB_DONE at once, and is then not
 * told; take it. SIPD_EFULL, SIPD_ENOMEM: nothing happened.
 */
int jobs_enter(struct jobs *jobs, const struct job_ask *ask, struct job **job);
/* Need nobody wait: does the store keep nothing, and is no job of this AoR here? aor may be NULL. */
static inline bool
jobs_may_be_at_once(const struct jobs *jobs, const struct aor *aor)
{
    return jobs->ops->forgets && !jobs->closing && (!aor || !aor->jobs);
}
/*
 * Does what is asked for before it returns, where jobs_may_be_at_once(): nothing of it is copied. once->job is JOB_DONE then, until
 * jobs_leave(). SIPD_ENOMEM: nothing happened. Lent: ask, until jobs_leave().
 */
int jobs_at_once(struct jobs *jobs, const struct job_ask *ask, struct job_at_once *once);
/* What was done has been answered. The AoR may be gone after. */
void jobs_leave(struct jobs *jobs, struct job_at_once *once);
/* A job of an AoR by its asker; NULL if there is none. aor may be NULL. */
struct job *jobs_find(const struct aor *aor, enum job_kind kind, uint64_t asker);
/* Is anything of this AoR under way that may change its bindings? aor may be NULL. */
bool jobs_are_under_way(const struct aor *aor);
/* Ends a job that is done, and nulls *job. */
void jobs_take(struct jobs *jobs, struct job **job);
/* The store has answered. */
void jobs_written(struct jobs *jobs, uint64_t id, int err);
/* Ends what was done long ago and never taken: its asker is gone. */
void jobs_sweep(struct jobs *jobs);

#endif
