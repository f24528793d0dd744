/*
 * The whole server in one struct, and its life: prepare, start, run, drain, end. The only floor that knows everything.
 */
#ifndef DAEMON_DAEMON_H
#define DAEMON_DAEMON_H

#include "base/buf.h"
#include "base/clock.h"
#include "base/count.h"
#include "base/heap.h"
#include "base/log.h"
#include "base/prf.h"
#include "base/rand.h"
#include "core/core.h"
#include "daemon/config.h"
#include "host/host.h"
#include "net/net.h"

struct ctl;
struct logs;
struct signals;
struct rehearsals;
struct restart;
struct teller;
struct watcher;

enum life {
    LIFE_STARTING,
    LIFE_RUNNING,
    LIFE_STOPPING, /* told to end; pending requests are given until stop_by_ms */
    LIFE_ENDED,
};

struct bound {              /* one socket that we listen on */
    struct net_listen spec; /* concrete */
    char *advertise;        /* owned: what spec.advertise points to */
    size_t origin;          /* which one of the configuration's listens it is from */
    uint16_t id;            /* of net; 0: not bound */
    bool is_new;            /* while a new set is put in place: bound for it */
    bool claimed;           /* while a new set is put in place: one of it is this one */
};

struct listeners {
    struct bound *at; /* owned */
    size_t len;
};

enum { DAEMON_PATH_BYTES = 4096 };

struct daemon {
    const char *conf_file, *module_dir;
    char program[DAEMON_PATH_BYTES]; /* this one's file, and … */
    char **argv;                     /* … what it was called with (restart.h) */
    struct config *config;
    char *state_dir; /* owned: outlives the configuration that named it */
    struct clock clock;
    struct rand rand;
    struct counters counters;
    struct heap heap; /* as it grows while we run */
    struct log log;   /* of this floor */
    /* of those beneath, each with a level of its own; host's has the modules, too */
    struct log core_log, net_log, host_log;
    struct logs *logs; /* behind all of these (logs.h) */
    struct prf_key key;
    struct net_ports net_ports;
    struct net *net; /* NULL in a trial, as are those after it */
    struct core *core;
    struct host *host;
    struct listeners listeners; /* in force */
    struct listeners next;      /* being put in place */
    struct ctl *ctl;
    struct signals *signals;
    struct watcher *watcher;       /* of the machine's addresses */
    struct teller *teller;         /* what was decided, for who asks (teller.h); NULL: nobody may */
    struct rehearsals *rehearsals; /* dry runs (rehearse.h) */
    struct list slices;            /* lists that are being answered (slices.h) */
    struct restart *restart;       /* a check before one, or NULL */
    bool again;                    /* the end is the beginning of a new one */
    enum life life;
    bool draining;
    uint64_t stop_by_ms; /* when LIFE_STOPPING */
    uint64_t started_ms;
    uint64_t reloads; /* that were taken */
};

/* Everything empty; the clock is read, chance seeded. Lent: both names. */
void daemon_init(struct daemon *d, const char *conf_file, const char *module_dir);
/* Ends everything, in the order in which nothing calls into what is gone. */
void daemon_fini(struct daemon *d);

/* sipd -t: reads everything and makes nothing. SIPD_OK, or an error with complaints in `why`, a line each. */
int daemon_check(struct daemon *d, struct buf *why) MUST_USE;
/*
 * Binds, drops rights, loads modules: ready when it returns SIPD_OK. SIPD_EINVAL: the configuration is wrong; another: it is
 * right, but cannot be had now. `why` says in words, a line each.
 */
int daemon_start(struct daemon *d, struct buf *why) MUST_USE;
/* Runs until it has been told to stop and that is done. SIPD_EIO: the loop itself broke. */
int daemon_run(struct daemon *d) MUST_USE;

/* New requests get 503; ends when nothing is pending or after drain_s. Told a second time: at once. */
void daemon_stop(struct daemon *d);
/* New requests outside dialogs get 503, until told otherwise; nothing ends. */
void daemon_drain(struct daemon *d, bool on);

/* Each turn: is it time to end? And when shall it be asked at the latest? */
void daemon_tick(struct daemon *d);
uint64_t daemon_next_ms(const struct daemon *d);

/* A host with its doors open to what is here. */
int daemon_make_host(struct daemon *d, struct host **host) MUST_USE;
/* Opens the modules of a configuration; all complaints. */
int daemon_open_modules(const struct daemon *d, struct host *host, const struct config *config,
                        struct buf *why) MUST_USE;
/*
 * May the process's user open the configuration, sipd.key and the files that a host's modules were told of? A reload opens
 * all of them again. SIPD_EINVAL, with complaints.
 */
int daemon_look_at_files(const struct daemon *d, const struct host *host, struct buf *why) MUST_USE;
/* Where modules and their settings come from. Lent: as long as config. */
struct host_source daemon_source(const struct daemon *d, const struct config *config);

#endif
