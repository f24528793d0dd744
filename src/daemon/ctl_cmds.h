/*
 * The server's own commands.
 */
#ifndef DAEMON_CTL_CMDS_H
#define DAEMON_CTL_CMDS_H

#include "daemon/daemon.h"

struct ctl_cmd { /* as host_command() takes them; fn's self is the daemon */
    const char *pattern, *doc;
    bool changes;
    sipd_command_fn *fn;
};

/* Declares them all at the host. SIPD_ENOMEM. */
int ctl_cmds_declare(struct daemon *d) MUST_USE;
/* Declares these. Lent: until return. SIPD_ENOMEM. */
int ctl_cmds_put(struct daemon *d, const struct ctl_cmd *commands, size_t len) MUST_USE;

#endif
