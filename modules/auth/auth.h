/*
 * What the parts of the auth module share: its settings, what was read from them, and what it holds.
 */
#ifndef AUTH_AUTH_H
#define AUTH_AUTH_H

#include <sipd/module.h>

#include "digest.h"
#include "guard.h"
#include "names.h"
#include "nets.h"
#include "nonce.h"
#include "scribe.h"
#include "users.h"

#define AUTH_REALM_BYTES 128 /* of the longest realm */

struct auth_conf {
    struct span path;
    struct sipd_strs algorithms, challenge, trusted;
    struct span realm;
    uint32_t nonce_s, nonces;
    bool assert_identity;
    struct sipd_groups aliases;
    struct guard_limits guard;
    uint32_t guard_places;
};

struct auth_counters {
    uint64_t *challenged, *passed, *wrong, *stale, *forbidden, *trusted, *guarded, *waits;
};

struct auth {
    struct sipd_host *host;
    const struct auth_conf *conf;    /* the host's, until the next reload or unload */
    bool offered[DIGEST_ALGORITHMS]; /* conf.algorithms */
    struct nets trusted;             /* conf.trusted */
    struct names aliases;            /* conf.aliases */
    struct guard *guard;             /* owned */
    struct digest_hasher hasher;
    struct nonces *nonces;    /* owned */
    struct users *users;      /* owned */
    struct scribe *scribe;    /* owned; NULL in a trial */
    struct listing *listings; /* owned; the answers that roll.c is writing */
    uint64_t clock_ahead_ms;  /* of nonces' clock before the host's that never goes back */
    uint8_t nonce_key[16], users_key[16], mark_key[16];
    struct auth_counters count;
};

/* SIPD_ON_REQUEST: lets pass, challenges or refuses (RFC 3261 §22). */
enum sipd_verdict gate_on_request(struct sipd_req *req, void *self);

/* Registers show offenders and unban. */
int warden_register(struct auth *auth);

/* Registers the commands. */
int clerk_register(struct auth *auth);
/* Reads the users' file anew, off the loop; the index changes when it is read. realm: the setting. SIPD_ENOMEM, SIPD_EFULL. */
int clerk_read_again(struct auth *auth, struct span realm);

/* The command show users. */
void roll_show(void *self, const struct sipd_ask *ask, struct sipd_answer *answer);
/* Ends answers half written. */
void roll_fini(struct auth *auth);

/*
 * Says how many users there are, whether rows of the file were passed over, and how many users cannot log in because their
 * HA1s are of another realm than the one in force.
 */
void auth_log_users(struct auth *auth, size_t bad, size_t locked_out);

/* The clock of nonces and of the guard. */
static inline uint64_t
auth_clock_ms(const struct auth *auth)
{
    return sipd_now_ms(auth->host) + auth->clock_ahead_ms;
}

#endif
