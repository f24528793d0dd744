/*
 * A server with the auth module and two users, alice and bob of example.com, whose password is "secret"; a peer for each.
 */
#ifndef SIM_AUTH_RIG_H
#define SIM_AUTH_RIG_H

#include <check.h>

#include "sim/world.h"

struct auth_rig {
    struct world world;
    struct sim_sipd *sipd;
    struct hop server;
    struct peer *alice, *bob;
    char path[96]; /* of the users' file */
};

extern struct auth_rig auth_rig;

struct auth_login {
    const char *user, *password, *nc; /* nc NULL: the first */
    bool plain;                       /* by RFC 2069, without qop */
};

extern const struct auth_login auth_right; /* alice's */

/* A fixture: an empty world; afterwards no file is left and all memory is given back. */
void auth_rig_begin(void);
void auth_rig_end(void);

/* The server starts. settings: more of the auth section, "" for none; realm: that the users are of. */
void auth_rig_start(const char *settings, const char *listen, const char *realm);
/* With the settings that it has by itself. */
void auth_rig_usual(void);
/* It tries to start; what was wrong is in auth_rig.world.fault. */
void auth_rig_try(const char *settings);
/* A phone of that user at that address, "udp:192.0.2.10:5060". */
struct peer *auth_rig_add_peer(const char *name, const char *at);

/* What p hears within a short while; NULL: nothing. */
const struct peer_heard *auth_rig_hear(struct peer *p);
/* p says a request or a response to the server, with these header lines too. */
void auth_rig_say(struct peer *p, const char *method, const char *uri, const char *extra);
/* Says it and hears a response, whose status it returns (0: none); an INVITE's failure is acknowledged. out may be NULL. */
unsigned auth_rig_ask(struct peer *p, const char *method, const char *uri, const char *extra,
                      const struct peer_heard **out);
/* Bob has it in his inbox, as a request of this method. */
const struct peer_heard *auth_rig_bob_hears(const char *method);
/* The first field of that name. False: none. */
bool auth_rig_header(const struct peer_heard *heard, const char *name, struct span *value);

/* Asks for a challenge with a request of this method. */
struct digest auth_rig_challenged(struct peer *p, const char *method);
/* The n-th challenge of a response; all empty if there is none. */
struct digest auth_rig_challenge_of(const struct peer_heard *heard, unsigned n);
bool auth_rig_is_stale(const struct peer_heard *heard);
/* A header line that answers the challenge, in a buffer that is good for one use. */
const char *auth_rig_credentials(const char *method, const struct digest *challenge,
                                 const struct auth_login *login);

#endif
