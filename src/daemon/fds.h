/*
 * Descriptors that modules own, on the loop's event base.
 */
#ifndef DAEMON_FDS_H
#define DAEMON_FDS_H

#include "net/net.h"

/*
 * Runs fn(arg, ready) in a turn whenever the descriptor is ready for `what` (SIPD_FD_...), until fds_unwatch(*watch), which may
 * happen in there. SIPD_ENOMEM.
 */
int fds_watch(struct net *net, int fd, unsigned what, void (*fn)(void *arg, unsigned ready),
              void *arg, void **watch) MUST_USE;
void fds_unwatch(void *watch);

#endif
