/*
 * Users who register by hand from one socket, and are looked for: what a registrar keeps, and whether it is served.
 */
#ifndef LIVE_USERS_H
#define LIVE_USERS_H

#include "live/server.h"

/* From now on they are users of this server; opens their socket. */
void users_begin(struct server *server);
void users_end(void);

/* Registers user n at an address of its own; the final status. */
unsigned users_keep(unsigned n);
/* Asks where user n is; the final status. */
unsigned users_ask(unsigned n);
/* Is a request to user n passed on? */
bool users_found(unsigned n);
/* The last answer. Lent until the next call. */
const char *users_reply(void);
/* Fails the test if it is not 500 or 503 with a time to come back. */
void users_must_come_back(unsigned status);
/* Registers until it is answered 200, as a phone does; fails the test when that takes too long. */
void users_keep_in_the_end(unsigned n);

/* Sends a REGISTER of user n and does not wait. */
void users_send(unsigned n);
/* The status of the next final answer to any REGISTER; 0: none came in time. */
unsigned users_hear(unsigned timeout_ms);

#endif
