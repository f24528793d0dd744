/*
 * Another configuration while running: read, checked, taken as a whole or not at all.
 */
#ifndef DAEMON_RELOAD_H
#define DAEMON_RELOAD_H

#include "daemon/daemon.h"

/*
 * Reads the file anew and takes it. SIPD_EINVAL: it is wrong; SIPD_ERESTART: it changes what only a restart can; others. All
 * is then as before, and `why` says in words, a line each. dry: only looks.
 */
int reload(struct daemon *d, bool dry, struct buf *why) MUST_USE;
/* As above for SIGHUP: the complaints go to the log. */
void reload_by_signal(struct daemon *d);

#endif
