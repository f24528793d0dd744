/*
 * Signals become events of the loop: SIGHUP reloads, SIGTERM and SIGINT stop; SIGPIPE is ignored.
 */
#ifndef DAEMON_SIGNALS_H
#define DAEMON_SIGNALS_H

#include <signal.h>

#include "daemon/daemon.h"

/* Makes them events. SIPD_ENOMEM. */
int signals_open(struct daemon *d) MUST_USE;
/* Undoes it. */
void signals_close(struct daemon *d);

/* While modules are loaded: threads that they start are born with all signals blocked but SIGBUS, so that ours come to the loop. */
void signals_block(sigset_t *old);
void signals_unblock(const sigset_t *old);

#endif
