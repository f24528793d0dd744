/*
 * What a host holds, and a module's record, which is the handle that the module has in its hand.
 */
#ifndef HOST_STATE_H
#define HOST_STATE_H

#include <pthread.h>

#include "base/arena.h"
#include "base/list.h"
#include "base/slots.h"
#include "base/timers.h"
#include "core/chain.h"
#include "core/fixer.h"
#include "host/host.h"

enum module_state {
    MODULE_OPENED, /* mapped, settings read; nothing of it has run */
    MODULE_LOADED, /* load() said yes */
};

struct settings { /* what a schema filled */
    struct arena arena;
    void *conf;              /* in the arena */
    struct conf_path *paths; /* in the arena */
};

struct sipd_host { /* one module of one host */
    struct host *host;
    struct list link; /* of host->modules, in the order of the list */
    uint64_t id;      /* never used again; what is posted names its module by it */
    const struct sipd_module *is;
    char *file; /* owned; NULL: part of the program */
    enum module_state state;
    void *self; /* load()'s */
    struct settings settings;
    struct settings offered; /* during a reload; conf NULL: none */
    bool is_new;             /* during a reload: it has come with it */
    bool staying;            /* during a reload: it is named again */
    bool taken;              /* during a reload: it took what was offered */
    struct list memory;      /* of sipd_new() */
    char complaint[512];     /* why load() or reload() fails, NUL-terminated; empty: not said */
};

struct module_timer {
    struct timer node;
    const struct sipd_host *owner;
    sipd_timer_fn *fn;
    void *self;
    uint64_t arg;
};

struct answer_slot {
    struct sipd_answer *answer;
};

struct post {
    struct list link;
    uint64_t module;
    sipd_post_fn *fn;
    void *self, *arg;
};

struct resolver { /* who finds hops; ops NULL: nobody */
    const struct sipd_resolver_ops *ops;
    void *self;
    const struct sipd_host *owner;
};

struct watch { /* who hears every fact; fn NULL: nobody */
    sipd_watch_fn *fn;
    void *self;
    const struct sipd_host *owner;
    bool begun;    /* the core notes … */
    bool complete; /* … and all that there was is told … */
    bool again;    /* … but it is to begin anew */
};

enum { RESOLVER_ASKED_MAX = 1 << 20 };

struct host {
    struct host_ports ports;
    struct core *core;   /* lent; NULL: a trial */
    struct chain *chain; /* the core's, or own */
    struct chain own;    /* in a trial hooks lead nowhere */
    struct prf_key key;
    struct list modules;
    uint64_t last_module;
    struct resolver resolver;
    struct slots askings;        /* of the resolver */
    struct list asked, resolved; /* of askings: open; answered, for the next tick */
    struct list commands, users, schemes, transports, fds, fixers_offered, facts;
    struct watch watch;
    uint64_t noted;        /* facts, to whoever watches */
    bool sweeping;         /* what another node's watch did not name is ended */
    uint64_t facts_at_ms;  /* before that nothing can be told or ended: a module is busy */
    struct fixers *fixers; /* the core's, or own */
    struct fixers own_fixers;
    struct timers timers;
    struct slots timer_slots;
    struct slots answers;      /* put off */
    pthread_mutex_t post_lock; /* held for a few pointers only */
    struct list posts;         /* under post_lock … */
    bool posts_told;           /* … too: the loop will come for them */
};

/* What each file undoes when a module goes. */
void facts_forget(struct host *host, const struct sipd_host *owner);
void fds_forget(struct host *host, const struct sipd_host *owner);
void resolver_forget(struct host *host, struct sipd_host *owner);
void fixers_forget(struct host *host, const struct sipd_host *owner);
void schemes_forget(struct host *host, const struct sipd_host *owner);
void transports_forget(struct host *host, const struct sipd_host *owner);
void users_forget(struct host *host, const struct sipd_host *owner);
void commands_forget(struct host *host, const struct sipd_host *owner);
void timers_forget(struct host *host, const struct sipd_host *owner);
void answers_forget(struct host *host, const struct sipd_host *owner);
void memory_forget(struct sipd_host *owner);
void resolver_init(struct host *host);
void resolver_fini(struct host *host);
/* Hands over what was answered. */
void resolver_tick(struct host *host);
/* Tells some more of what there is to one who has begun to watch, if he has not heard all; ends what another does not name. */
void facts_tick(struct host *host);
/* When there is more of that to do; UINT64_MAX: never. */
uint64_t facts_next_ms(const struct host *host);
/* Connections alive of the transports that it offered. */
uint32_t transports_live(const struct host *host, const struct sipd_host *owner);
/* Everything posted that has not run; every answer that was put off, untold. */
void posts_drop(struct host *host);
void answers_drop(struct host *host);

#endif
