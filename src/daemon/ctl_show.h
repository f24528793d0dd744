/*
 * What there is, for sipctl: status, show … and help.
 */
#ifndef DAEMON_CTL_SHOW_H
#define DAEMON_CTL_SHOW_H

#include "daemon/daemon.h"

/* Declares the commands at the host. SIPD_ENOMEM. */
int ctl_show_declare(struct daemon *d) MUST_USE;

#endif
