/*
 * What modules stand on: they are opened, loaded, told of new settings and unloaded here, and ask for all else through here.
 *
 * A host knows no socket and starts no thread, so one stands in the daemon and as many as one likes in a simulated world.
 * Its maker joins it to a core and drives its timers. Modules of the list are opened first (nothing runs yet), then started.
 */
#ifndef HOST_HOST_H
#define HOST_HOST_H

#include <libconfig.h>

#include <sipd/module.h>
#include <sipd/transport.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/count.h"
#include "base/log.h"
#include "base/prf.h"
#include "base/rand.h"
#include "host/answer.h"
#include "host/conf_item.h"
#include "txn/ports.h"

struct core;
struct host;

struct host_ports {
    /* Runs fn(arg) on the loop in its next turn; any thread may ask. NULL: modules cannot post. */
    int (*post)(void *io, void (*fn)(void *arg), void *arg);
    bool (*is_ours)(void *io, struct span domain, uint16_t port);
    struct span (*domain)(void *io, size_t n); /* the n-th domain of ours; empty past the end */
    struct span (*listener_text)(void *io,
                                 uint16_t listener); /* "udp:192.0.2.1:5060", lent for the turn */
    uint16_t (*listener_find)(void *io, struct span text);
    uint64_t (*note)(void *io, const struct fact *fact); /* NULL: nobody watches */
    /*
     * Watches a descriptor for SIPD_FD_...: fn(arg, ready) runs in a turn whenever it is ready, until unwatch(*watch). NULL: there
     * is no loop. SIPD_ENOMEM.
     */
    int (*watch)(void *io, int fd, unsigned what, void (*fn)(void *arg, unsigned ready), void *arg,
                 void **watch);
    void (*unwatch)(void *io, void *watch);
    /* Is there a listener that could send to this hop; with an address of zeros: one of its transport? NULL: there is none. */
    bool (*can_send)(void *io, const struct hop *to);
    /* So long is left alone who failed; 0: nobody says any more. NULL: nobody asks. */
    void (*set_rest)(void *io, uint32_t ms);
    /* A command that was put off now has its answer; lent until return. NULL: nobody asks. */
    void (*answered)(void *io, uint64_t answer_id, const struct sipd_answer *answer);
    /* As net_offer_transport() and its like. NULL: there are no connections here. */
    int (*offer_transport)(void *io, uint8_t transport, const struct sipd_transport_ops *ops,
                           void *self);
    void (*withdraw_transport)(void *io, uint8_t transport);
    uint32_t (*transport_conns)(void *io, uint8_t transport);
    void *io;

    const struct clock *clock;
    struct rand *rand;
    struct counters *counters;
    const struct log *log;
    struct span state_dir; /* where relative paths begin; lent for the host's life */
};

/* Where modules and their settings come from. Lent: all. */
struct host_source {
    const char *dir;              /* DIR/NAME.so */
    const config_setting_t *root; /* holds a section for each module; NULL: all defaults */
    const char *file;             /* root's file, for complaints */
    bool schemas_only;            /* nobody will start them: settings are not read */
};

/* A host without modules. Lent: ports' contents, for its life. SIPD_ENOMEM. */
int host_new(struct host **host, const struct host_ports *ports) MUST_USE;
/*
 * Unloads all, the last loaded first; nulls the pointer. What was posted and has not run is dropped, so a wake that is still
 * on its way through ports.post may not come any more.
 */
void host_free(struct host **host);

/*
 * Maps a module, checks its ABI and schema, and reads its settings; nothing of it runs. `why` gets the complaint, a line
 * each. SIPD_ENOENT (no such file), SIPD_EABI, SIPD_EEXIST, SIPD_EINVAL (settings, schema), SIPD_ENOMEM.
 */
int host_open(struct host *host, const struct host_source *source, struct span name,
              struct buf *why) MUST_USE;
/* As host_open, for a module that is part of the program. */
int host_open_static(struct host *host, const struct host_source *source,
                     const struct sipd_module *module, struct buf *why) MUST_USE;
/*
 * Lets every opened module register, in the order of opening. core NULL: a trial, in which modules make nothing. Lent: core.
 * The first that fails is told in `why` and its error returned; those before it stay until host_free().
 */
int host_start(struct host *host, const struct host_source *source, struct core *core,
               const struct prf_key *key, struct buf *why) MUST_USE;
/*
 * Makes the modules those of `names`, with new settings: all of it, or nothing and everything is as before. New ones are
 * opened and loaded, those not named are unloaded at the end. SIPD_ERESTART and others as above.
 */
int host_reload(struct host *host, const struct host_source *source, const struct span *names,
                size_t names_len, struct buf *why) MUST_USE;

/*
 * Asks the resolver for the core, which hears core_resolved() or core_resolved_answer() with its id at a later tick.
 * SIPD_ENOENT: there is no resolver; SIPD_EFULL, or the resolver's own.
 */
int host_resolve(struct host *host, const struct sipd_place *place, uint64_t id) MUST_USE;
/* Tells the resolver how a hop fared. */
void host_tried(const struct host *host, const struct hop *hop, enum sipd_tried how,
                uint32_t retry_after_s);

/* Runs the timers that are due on clock.now_ms, and hands over what was resolved. */
void host_tick(struct host *host);
/* When the next timer is due; UINT64_MAX: never. */
uint64_t host_next_ms(const struct host *host);
/* Does any module know this user? */
bool host_knows(const struct host *host, struct span aor);
/* Shows a change to those who watch. The fact's number; 0: nobody does. */
uint64_t host_note(struct host *host, const struct fact *fact);
/* As sipd_restore_fact(), sipd_wake_facts(). */
int host_restore(struct host *host, const struct fact *fact) MUST_USE;
void host_wake(struct host *host, uint64_t silent_ms);
/* Lets each module that offers facts note all that it has. For tests. */
void host_note_all(struct host *host);

/* ---- commands */

struct host_ask {
    const struct span *words; /* as typed */
    size_t len;
    struct span input; /* sent along, as a password */
    struct span by;    /* "uid 0" */
};

enum host_ran {
    HOST_UNKNOWN,  /* no pattern fits these words */
    HOST_WANTS,    /* it fits a command that wants input, and none was sent along */
    HOST_ANSWERED, /* *answer is there: owned by the caller, ends it with answer_free() */
    HOST_LATER,    /* ports.answered will tell, with the id in *later */
    HOST_BROKE,    /* memory is out */
};

/* Runs what was typed. Lent: ask. The loop of the host's maker does this, never a hook. */
enum host_ran host_run(struct host *host, const struct host_ask *ask, struct sipd_answer **answer,
                       uint64_t *later);
/* Of words that are no command: puts the commands that begin as they do. False: none does, and nothing was put. */
bool host_suggest(const struct host *host, const struct host_ask *ask, struct buf *out);
/* The answer of a command that was put off; NULL when nobody waits for it any more. */
struct sipd_answer *host_find_answer(struct host *host, uint64_t later);
/* Nobody waits for this answer any more. A stale id is ignored. */
void host_forget_answer(struct host *host, uint64_t later);
/* A command of the server itself; as sipd_command. fn lives as long as the host. Lent: pattern, doc. */
int host_command(struct host *host, const char *pattern, const char *doc, bool changes,
                 sipd_command_fn *fn, void *self) MUST_USE;

/* ---- lists, for people; all lent until return */

struct host_module_info {
    const char *name;
    uint32_t abi;
    const char *file;                   /* NULL: part of the program */
    const struct sipd_conf_item *items; /* NULL: no settings */
    const void *conf;
    unsigned hooks;
};
struct host_command_info {
    const char *pattern, *doc, *owner; /* owner: a module's name; NULL: the server itself */
    bool changes;
};

void host_each_module(const struct host *host,
                      void (*fn)(void *arg, const struct host_module_info *info), void *arg);
void host_each_command(const struct host *host,
                       void (*fn)(void *arg, const struct host_command_info *info), void *arg);
/* Files that modules' settings name. */
void host_each_path(const struct host *host, void (*fn)(void *arg, const struct conf_path *path),
                    void *arg);

#endif
