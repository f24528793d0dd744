/*
 * The registrar as its own files see it: settings, index, store, jobs.
 */
#ifndef REGISTRAR_REGISTRAR_H
#define REGISTRAR_REGISTRAR_H

#include <sipd/module.h>

#include "asks.h"
#include "bindings.h"
#include "jobs.h"
#include "mirror.h"
#include "purge.h"
#include "rewrite.h"
#include "rules.h"
#include "steady.h"
#include "store.h"

struct registrar_conf {
    uint32_t store;
    struct span path;
    uint32_t min_expires_s, max_expires_s, default_expires_s, max_contacts, max_bindings,
        max_waiting, max_source_bindings, flow_timer_s;
    struct sipd_strs service_route;
};

struct registrar {
    struct sipd_host *host;
    const struct registrar_conf *conf;
    struct rules_limits limits;
    struct asks_fields fields;
    struct bindings *index;
    const struct store_ops *ops;
    struct store_port store_port;
    void *store;
    struct jobs jobs;
    struct purge purge;
    struct rewrite rewrite;
    struct mirror mirror;
    struct steady steady;
    size_t told;          /* how far all bindings were told to one who has begun to watch … */
    bool telling;         /* … and is that under way? */
    size_t swept;         /* how far what another node does not have was taken out … */
    bool sweeping;        /* … and is that under way? */
    struct ring listings; /* answers to "show bindings" under way */
    bool loading;         /* within load(): trouble is a complaint */
    bool ready;           /* the store has been read */
    char read_text[STORE_AOR_BYTES]; /* … until then: the AoR that it was read up to */
    struct span read_to;
    size_t read_count; /* rows of that AoR */
    uint64_t read_begun_ms;
    bool clock_doubt;    /* at the start the clock was far from the store's last write */
    bool troubled;       /* the last that the store said was trouble … */
    uint64_t trouble_ms; /* … which the log was told of then */
    uint64_t timer;      /* 0: could not be set */
    uint64_t *loading_now, *rewriting, *lost;
    uint64_t *updated, *fetched, *refused, *failed, *expired, *bindings, *down;
};

/* registrar.c: sees to it that time goes on; costs nothing when it does. */
void registrar_keep_time(struct registrar *r);

/*
 * Is all known that the store has of this AoR? While the store is read, those before the one that it is read up to are:
 * it tells them in order. For others there is no answer yet but 503.
 */
bool registrar_has_read(const struct registrar *r, struct span aor);

/* Where a row came from, as it is on this node and now: connections do not outlive the process that had them. */
struct hop registrar_source(const struct registrar *r, const struct store_row *row);

/* facts.c: offers to take in what another node's registrar notes, and to tell all that there is. */
int registrar_facts(struct registrar *r);

/* hooks.c */

/*
 * Writes the AoR that a URI stands for. sip and sips name the same user (RFC 5630 §5.2), and are kept as sip.
 * False if it names no user, or one of a domain that is not ours.
 */
bool registrar_aor(const struct registrar *r, const struct uri *uri, char text[STORE_AOR_BYTES],
                   struct span *aor);
/* Seconds that a binding has left, the last one begun counted whole. */
uint64_t registrar_left_s(const struct binding *b, uint64_t now_ms);

sipd_hook_fn registrar_on_request, registrar_on_targets;
sipd_users_fn registrar_is_user;

/* commands.c */

/* Declares all commands. */
int registrar_commands(struct registrar *r);
/* A command that waited is done. Takes the job. */
void registrar_answer_job(struct registrar *r, struct job *job);
/* Ends the listings under way. */
void registrar_end_listings(struct registrar *r);

#endif
