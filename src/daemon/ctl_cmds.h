/*
 * The server's own commands.
 */
#ifndef DAEMON_CTL_CMDS_H
#define DAEMON_CTL_CMDS_H

#include "daemon/daemon.h"

/* Declares them all at the host. SIPD_ENOMEM. */
int ctl_cmds_declare(struct daemon *d) MUST_USE;

#endif
