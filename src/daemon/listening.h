/*
 * The sockets that we listen on, as the configuration wants them: put in place all or none, followed as addresses change.
 */
#ifndef DAEMON_LISTENING_H
#define DAEMON_LISTENING_H

#include "daemon/daemon.h"

/*
 * Binds what a configuration wants and is not bound yet. What is bound and no longer wanted stays until
 * listening_commit(). On failure everything is as before, and `why` names the listener.
 */
int listening_prepare(struct daemon *d, const struct config *config, struct buf *why) MUST_USE;
/* Closes what is not wanted any more. */
void listening_commit(struct daemon *d);
/* Undoes listening_prepare(). */
void listening_roll_back(struct daemon *d);
/* The machine's addresses have changed: binds new ones, closes those that are gone. What fails is logged. */
void listening_follow(struct daemon *d);
/* Closes all. */
void listening_fini(struct daemon *d);

#endif
