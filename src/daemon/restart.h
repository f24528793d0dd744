/*
 * sipctl restart: this process becomes the program at its path anew, with the same options, and keeps its number, so that whoever
 * started it need not know. First that program checks the configuration; what it refuses changes nothing.
 */
#ifndef DAEMON_RESTART_H
#define DAEMON_RESTART_H

#include "daemon/daemon.h"

/* Notes which program this is, while its file is there. Lent: argv, for ever. */
void restart_init(struct daemon *d, char **argv);
/* Declares the command at the host. SIPD_ENOMEM. */
int restart_declare(struct daemon *d) MUST_USE;
/* Ends a check that is under way. */
void restart_fini(struct daemon *d);

/* Takes over the listening sockets that restart_keep() kept. SIPD_ENOMEM. */
int restart_inherit(struct daemon *d) MUST_USE;
/* The loop has ended: listening sockets, and the right to bind low ports, outlive what comes. */
void restart_keep(struct daemon *d);
/* Becomes the program. Returns only if it cannot, with errno. */
void restart_exec(const struct daemon *d);

#endif
