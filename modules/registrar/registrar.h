/*
 * The registrar as its own files see it: settings, index, store, jobs.
 */
#ifndef REGISTRAR_REGISTRAR_H
#define REGISTRAR_REGISTRAR_H

#include <sipd/module.h>

#include "bindings.h"
#include "jobs.h"
#include "purge.h"
#include "rules.h"
#include "store.h"

struct registrar_conf {
    uint32_t store;
    struct span path;
    uint32_t min_expires_s, max_expires_s, default_expires_s, max_contacts, max_bindings,
        max_waiting;
};

struct registrar {
    struct sipd_host *host;
    const struct registrar_conf *conf;
    struct rules_limits limits;
    struct bindings *index;
    const struct store_ops *ops;
    struct store_port store_port;
    void *store;
    struct jobs jobs;
    struct purge purge;
    struct ring listings; /* answers to "show bindings" under way */
    bool loading;         /* within load(): trouble is a complaint */
    bool ready;           /* the store has been read */
    uint64_t timer;       /* 0: could not be set */
    uint64_t *updated, *fetched, *refused, *failed, *expired, *bindings;
};

/* registrar.c: sees to it that time goes on; costs nothing when it does. */
void registrar_keep_time(struct registrar *r);

/* hooks.c */

/*
 * Writes the AoR that a URI stands for. sip and sips name the same user (RFC 5630 §5.2), and are kept as sip.
 * False if it names no user, or one of a domain that is not ours.
 */
bool registrar_aor(const struct registrar *r, const struct uri *uri, char text[STORE_AOR_BYTES],
                   struct span *aor);
/* Seconds that a binding has left, the last one begun counted whole. */
uint64_t registrar_left_s(const struct binding *b, uint64_t now_ms);
/* A q (RFC 3261 §25.1) without the zeros at its end; nothing for STORE_NO_Q. Returns a span over text. */
struct span registrar_q_write(uint16_t q, char text[8]);

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
