/*
 * Watches the machine's addresses, so that a wildcard listener stands for those of now (rtnetlink(7)).
 */
#ifndef DAEMON_WATCHER_H
#define DAEMON_WATCHER_H

#include "daemon/daemon.h"

/* Begins to watch. SIPD_EIO, SIPD_ENOMEM. */
int watcher_open(struct daemon *d) MUST_USE;
void watcher_close(struct daemon *d);

#endif
