/*
 * The files that sipd.conf includes, looked at before libconfig opens them.
 */
#ifndef DAEMON_INCLUDES_H
#define DAEMON_INCLUDES_H

#include "base/buf.h"

/*
 * Is it a plain file, and every one that it includes, at whatever depth, one that can be read? libconfig ends the process when
 * it includes a directory, and waits for ever at a pipe. SIPD_EINVAL with a complaint that names file and line.
 */
int includes_check(const char *file, struct buf *why) MUST_USE;

#endif
