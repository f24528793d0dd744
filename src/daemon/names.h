/*
 * Which names and addresses are ours (sipd.conf: domains, listening and advertised addresses), and listeners as text.
 */
#ifndef DAEMON_NAMES_H
#define DAEMON_NAMES_H

#include "daemon/daemon.h"

/* Is host[:port] ours? port 0: none written, which always fits. */
bool names_ours(const struct daemon *d, struct span host, uint16_t port);
/* "udp:192.0.2.1:5060", lent for the turn; empty if there is no such listener. */
struct span names_listener_text(const struct daemon *d, uint16_t listener);
/* The listener of such a text; 0: none now. */
uint16_t names_listener_find(const struct daemon *d, struct span text);

#endif
