/*
 * Core, net and host joined by their ports: none of them knows another.
 */
#ifndef DAEMON_WIRE_H
#define DAEMON_WIRE_H

#include "daemon/daemon.h"

/* The doors of each, opened to the others as they stand in d. Lent: d, for the life of what is joined. */
void wire_net(struct daemon *d, struct net_ports *ports);
void wire_core(struct daemon *d, struct core_ports *ports);
void wire_host(struct daemon *d, struct host_ports *ports);

#endif
