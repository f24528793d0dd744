/*
 * The logs of the floors: a level for each, lines on standard error, and the newest of them in memory for sipctl.
 */
#ifndef DAEMON_LOGS_H
#define DAEMON_LOGS_H

#include "daemon/daemon.h"

/* Opens the logs of d, all at level "info". */
void logs_init(struct daemon *d);
void logs_fini(struct daemon *d);

/* Lines of a floor (core, net, host, daemon; empty: all) are made down to this level. False: there is no such floor. */
bool logs_set_level(struct daemon *d, struct span floor, enum log_level level);
/* Declares the commands at the host. SIPD_ENOMEM. */
int logs_declare(struct daemon *d) MUST_USE;

#endif
